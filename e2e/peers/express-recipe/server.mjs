// Notes, with the recipe's sessions. DATA, PORT, TLS_KEY and TLS_CERT come from the environment.
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import cookieParser from 'cookie-parser';
import { doubleCsrf } from 'csrf-csrf';
import express from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import helmet from 'helmet';
import { recipe } from './recipe.mjs';

const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const port = Number(process.env.PORT);
const auth = await recipe(join(process.env.DATA, 'recipe.db'), `https://localhost:${port}`);
for (const { login, password } of JSON.parse(readFileSync(join(here, 'accounts.json')))) {
  if (!auth.db.prepare('SELECT 1 FROM users WHERE email = ?').get(login)) {
    await auth.addUser(login, login.split('@')[0], password);
  }
}

const ACCESS = '__Host-access';
const REFRESH = '__Host-refresh';
const cookie = { httpOnly: true, secure: true, sameSite: 'strict', path: '/' };

const csrf = doubleCsrf({
  getSecret: (() => {
    const secret = randomBytes(32).toString('hex');
    return () => secret;
  })(),
  getSessionIdentifier: (request) => request.who?.session ?? 'signed out',
  getCsrfTokenFromRequest: (request) => request.headers['x-csrf-token'],
  cookieName: '__Host-csrf',
  cookieOptions: { ...cookie, httpOnly: true },
});

const app = express();
app.use(helmet());
app.use(express.json());
app.use(cookieParser());
app.use((request, response, next) => {
  request.who = auth.read(request.cookies[ACCESS]);
  response.set('Cache-Control', 'no-store');
  next();
});

const known = (request, response, next) => (request.who ? next() : response.status(401).json({ error: 'please log in' }));

function hand(response, pair) {
  response.cookie(ACCESS, pair.access, { ...cookie, maxAge: auth.lifetimes.access * 1000 });
  response.cookie(REFRESH, pair.refresh, { ...cookie, maxAge: auth.lifetimes.refresh * 1000 });
}

// Ten wrong passwords for one account from one address, then a quarter of an hour of silence.
const guesses = rateLimit({
  windowMs: 15 * 60 * 1000,
  limit: 10,
  standardHeaders: 'draft-8',
  legacyHeaders: false,
  skipSuccessfulRequests: true,
  keyGenerator: (request) => `${ipKeyGenerator(request.ip)} ${String(request.body?.email ?? '').toLowerCase()}`,
});

app.get('/api/csrf', (request, response) => response.json({ csrfToken: csrf.generateCsrfToken(request, response) }));

app.post('/api/login', guesses, csrf.doubleCsrfProtection, async (request, response) => {
  const { email, password } = request.body ?? {};
  const pair = await auth.logIn(String(email ?? ''), String(password ?? ''));
  if (!pair) return response.status(401).json({ error: 'wrong address or password' });
  hand(response, pair);
  return response.json({ user: auth.user(auth.read(pair.access).user) });
});

// The cookie is SameSite=Strict, and the refresh token itself changes: no CSRF token here, for a session may have no
// access token left to bind one to.
app.post('/api/refresh', (request, response) => {
  const pair = auth.rotate(String(request.cookies[REFRESH] ?? ''));
  if (!pair) {
    response.clearCookie(ACCESS, cookie).clearCookie(REFRESH, cookie);
    return response.status(401).json({ error: 'please log in' });
  }
  hand(response, pair);
  return response.sendStatus(204);
});

app.post('/api/logout', csrf.doubleCsrfProtection, (request, response) => {
  auth.end(String(request.cookies[REFRESH] ?? ''));
  response.clearCookie(ACCESS, cookie).clearCookie(REFRESH, cookie).sendStatus(204);
});

app.get('/api/me', known, (request, response) => response.json({ user: auth.user(request.who.user) }));
app.get('/api/notes', known, (request, response) => {
  response.json({ notes: auth.db.prepare('SELECT id, text FROM notes WHERE owner = ?').all(request.who.user) });
});
app.post('/api/notes', known, csrf.doubleCsrfProtection, (request, response) => {
  const text = String(request.body?.text ?? '');
  if (!text) return response.status(400).json({ error: 'a note has text' });
  auth.db.prepare('INSERT INTO notes (owner, text) VALUES (?, ?)').run(request.who.user, text);
  return response.sendStatus(201);
});

app.use(express.static(join(here, 'web')));
app.use((error, _request, response, _next) => response.status(error.status ?? 500).json({ error: error.code ?? 'failed' }));

https
  .createServer({ key: readFileSync(process.env.TLS_KEY), cert: readFileSync(process.env.TLS_CERT) }, app)
  .listen(port, '127.0.0.1');
