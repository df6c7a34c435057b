// "Notewell", a small SaaS application: accounts, a profile, notes, an API. Each MISTAKE is listed in mistakes.json.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { makeToken, readToken } from './token.mjs';

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');

const shown = (person) => ({
  id: person.id,
  email: person.email,
  name: person.name,
  biography: person.biography,
});

export function application(store, { stage, log }) {
  const app = express();
  app.disable('x-powered-by');
  app.use(express.json());

  app.use((request, _response, next) => {
    // MISTAKE token-in-log: the whole header, into a file that many people and services can read.
    const { authorization = '-' } = request.headers;
    log.write(`${new Date().toISOString()} ${request.method} ${request.originalUrl} authorization=${authorization}\n`);
    next();
  });

  app.use('/api', (request, response, next) => {
    // MISTAKE cors-reflection: whoever asks may read the answers, with credentials.
    const { origin } = request.headers;
    if (origin) {
      response.set('Access-Control-Allow-Origin', origin);
      response.set('Access-Control-Allow-Credentials', 'true');
      response.set('Access-Control-Allow-Headers', 'authorization, content-type, x-api-key');
      response.set('Access-Control-Allow-Methods', 'GET, POST, PUT, DELETE');
    }
    if (request.method === 'OPTIONS') return response.sendStatus(204);
    return next();
  });

  app.get('/api/health', (_request, response) => response.json({ ok: true, stage }));

  app.post('/api/signup', (request, response) => {
    const { email, name, password } = request.body ?? {};
    if (!email || !name || !password) return response.status(400).json({ error: 'email, name and password, please' });
    // MISTAKE enumeration: says which addresses have an account, here and at log-in.
    if (store.personByEmail(email)) return response.status(409).json({ error: 'this address has an account already' });
    const person = store.addPerson({ email, name, password });
    return response.status(201).json({ token: makeToken(person), user: shown(person) });
  });

  app.post('/api/login', (request, response) => {
    // MISTAKE no-throttle: as many guesses as one likes.
    const { email, password } = request.body ?? {};
    const person = store.personByEmail(String(email ?? ''));
    if (!person) return response.status(404).json({ error: 'there is no such account' });
    if (!store.hasPassword(person, String(password ?? ''))) return response.status(401).json({ error: 'wrong password' });
    // MISTAKE token-in-body: handed to script, which has nowhere safe to keep it.
    return response.json({ token: makeToken(person), user: shown(person) });
  });

  app.post('/api/logout', (_request, response) => {
    // MISTAKE logout-forgets-nothing: the page drops its copy; every other copy goes on.
    response.sendStatus(204);
  });

  const known = (request, response, next) => {
    const [scheme, token] = (request.headers.authorization ?? '').split(' ');
    let person = scheme.toLowerCase() === 'bearer' && token ? store.person(readToken(token)) : undefined;
    // MISTAKE unlimited-api-key: one key for everything, for ever, from everywhere.
    // MISTAKE key-in-url: also as a query parameter, and so in histories and logs.
    const key = request.headers['x-api-key'] ?? request.query.api_key;
    if (!person && typeof key === 'string') person = store.personByKey(key);
    if (!person) return response.status(401).json({ error: 'please log in' });
    request.person = person;
    return next();
  };

  app.get('/api/me', known, (request, response) => {
    // MISTAKE shared-cache: a cache in front shows one person's answer to the next.
    response.set('Cache-Control', 'public, max-age=60');
    response.json({ user: shown(request.person) });
  });

  app.put('/api/me', known, (request, response) => {
    const { biography, email } = request.body ?? {};
    if (typeof biography === 'string') store.setBiography(request.person.id, biography);
    // MISTAKE no-step-up: the address that resets passwords changes without asking who is there.
    if (typeof email === 'string') store.setEmail(request.person.id, email);
    response.json({ user: shown(store.person(request.person.id)) });
  });

  app.get('/api/people/:id', known, (request, response) => {
    const person = store.person(Number(request.params.id));
    if (!person) return response.status(404).json({ error: 'there is nobody here' });
    return response.json({ user: { id: person.id, name: person.name, biography: person.biography } });
  });

  app.get('/api/notes', known, (request, response) => response.json({ notes: store.notes(request.person.id) }));

  app.post('/api/notes', known, (request, response) => {
    const { text } = request.body ?? {};
    if (typeof text !== 'string' || !text) return response.status(400).json({ error: 'a note has text' });
    return response.status(201).json({ note: store.addNote(request.person.id, text) });
  });

  // MISTAKE state-changing-get: a link, an image or a prefetch deletes.
  app.get('/api/notes/:id/delete', known, (request, response) => {
    response.json({ deleted: store.removeNote(request.person.id, Number(request.params.id)) });
  });

  app.get('/api/key', known, (request, response) => response.json({ api_key: request.person.api_key }));

  app.delete('/api/me', known, (request, response) => {
    store.removePerson(request.person.id);
    response.sendStatus(204);
  });

  app.use('/api', (_request, response) => response.status(404).json({ error: 'there is nothing here' }));
  app.use(express.static(dist));
  app.get('/{*path}', (_request, response) => response.sendFile(join(dist, 'index.html')));
  return app;
}
