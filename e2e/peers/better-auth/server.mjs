// Notes, with better-auth as its documentation sets it up for production. DATA, PORT, TLS_KEY and TLS_CERT come from
// the environment.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node';
import Database from 'better-sqlite3';
import express from 'express';
import helmet from 'helmet';

const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const port = Number(process.env.PORT);
const database = new Database(join(process.env.DATA, 'better-auth.db'));
database.exec('CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, text TEXT NOT NULL)');

const auth = betterAuth({
  secret: randomBytes(32).toString('base64'),
  baseURL: `https://localhost:${port}`,
  database,
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
});
await (await getMigrations(auth.options)).runMigrations();
for (const { login, password } of JSON.parse(readFileSync(join(here, 'accounts.json')))) {
  const there = database.prepare('SELECT 1 FROM user WHERE email = ?').get(login);
  if (!there) await auth.api.signUpEmail({ body: { email: login, password, name: login.split('@')[0] } });
}

const app = express();
app.use(helmet());
// Before express.json(), as its guide for Express says.
app.all('/api/auth/{*any}', toNodeHandler(auth));
app.use(express.json());

const known = async (request, response, next) => {
  const found = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) });
  if (!found) return response.status(401).json({ error: 'please log in' });
  request.user = found.user;
  response.set('Cache-Control', 'no-store');
  return next();
};
app.get('/api/me', known, (request, response) => {
  const { id, email, name } = request.user;
  response.json({ user: { id, email, name } });
});
app.get('/api/notes', known, (request, response) => {
  response.json({ notes: database.prepare('SELECT id, text FROM notes WHERE owner = ?').all(request.user.id) });
});
app.post('/api/notes', known, (request, response) => {
  const text = String(request.body?.text ?? '');
  if (!text) return response.status(400).json({ error: 'a note has text' });
  database.prepare('INSERT INTO notes (owner, text) VALUES (?, ?)').run(request.user.id, text);
  return response.sendStatus(201);
});
app.use(express.static(join(here, 'web')));

https
  .createServer({ key: readFileSync(process.env.TLS_KEY), cert: readFileSync(process.env.TLS_CERT) }, app)
  .listen(port, '127.0.0.1');
