// Applications that the drill was not written for: two with planted mistakes, three done well by other means.
import { mkdir, readFile } from 'node:fs/promises';
import https from 'node:https';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { complete, start } from '../harness/process.mjs';
import { certificate } from '../harness/upstreams.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const LEAKY_SAAS = fileURLToPath(new URL('../../examples/leaky-saas', import.meta.url));
const PYTHON = process.env.COUNTERSIGN_E2E_PYTHON ?? 'python3';
const gunicorn = (app, port) => ['-m', 'gunicorn', '--threads=8', '--no-control-socket', `--bind=127.0.0.1:${port}`, app];

/**
 * What each is: `tls` if it speaks HTTPS itself, `command` the program and its parameters for a port, `before` what runs
 * to its end first, `login` the request that signs in: its path and the body for one of its accounts. `home` is where it
 * lies if not here, `signUp` what makes its `accounts` if it has none at first.
 */
export const PEERS = {
  'leaky-saas': {
    what: 'Express and React, a JWT in localStorage; vulnerable on purpose (examples/leaky-saas)',
    home: LEAKY_SAAS,
    command: () => [process.execPath, 'start.mjs'],
    accounts: [
      { login: 'nadia@example.com', password: 'amber-kettle-73-sings' },
      { login: 'pavel@example.com', password: 'north-window-28-thaws' },
    ],
    signUp: ['/api/signup', ({ login, password }) => ({ email: login, name: login.split('@')[0], password })],
    login: ['/api/login', ({ login, password }) => ({ email: login, password })],
  },
  rota: {
    what: 'Python (Flask), a token in X-Auth-Token, kept in sessionStorage; vulnerable on purpose',
    command: (port) => [PYTHON, ...gunicorn('app:app', port)],
    login: ['/session/new', ({ login, password }) => ({ username: login, passwd: password })],
  },
  guestbook: {
    what: 'PHP, server-rendered forms and a session cookie; vulnerable on purpose',
    command: (port) => ['php', '-S', `127.0.0.1:${port}`, 'index.php'],
    login: ['/signin.php', ({ login, password }) => new URLSearchParams({ user: login, pw: password })],
  },
  'better-auth': {
    what: 'better-auth on Express, its documented production settings',
    tls: true,
    command: () => [process.execPath, 'server.mjs'],
    login: ['/api/auth/sign-in/email', ({ login, password }) => ({ email: login, password })],
  },
  'express-recipe': {
    what: 'Express with HttpOnly cookies and rotating refresh tokens, as a careful developer writes it',
    tls: true,
    command: () => [process.execPath, 'server.mjs'],
    login: ['/api/login', ({ login, password }) => ({ email: login, password })],
  },
  'django-simplejwt': {
    what: 'Django REST framework with Simple JWT, the strictest settings that are documented',
    tls: true,
    before: [PYTHON, 'app.py'],
    command: (port, { certificate: file, key }) => [
      PYTHON,
      ...gunicorn('app:application', port),
      `--certfile=${file}`,
      `--keyfile=${key}`,
    ],
    login: ['/api/token/', ({ login, password }) => ({ username: login, password })],
  },
};

const home = (name) => PEERS[name].home ?? path.join(HERE, name);

/** What is wrong with it on purpose; nothing for those done well. */
export async function mistakes(name) {
  const file = path.join(home(name), 'mistakes.json');
  return JSON.parse(await readFile(file, 'utf8').catch((error) => (error.code === 'ENOENT' ? '[]' : Promise.reject(error))));
}

/** Its two accounts: `{ login, password }`. */
export async function accounts(name) {
  if (PEERS[name].accounts) return PEERS[name].accounts;
  return JSON.parse(await readFile(path.join(HERE, name, 'accounts.json'), 'utf8'));
}

function answers(url) {
  return new Promise((resolve) => {
    const module = url.startsWith('https:') ? https : http;
    const request = module.get(url, { rejectUnauthorized: false, timeout: 2000 }, (answer) => {
      answer.resume();
      resolve(true);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

/**
 * Starts one on `port`, with its data, and its certificate if it speaks TLS, in `directory`; it ends with the test `t`.
 * Gives `{ url, ca, log, stop, … }`; `ca` is the certificate's path.
 */
export async function peer(t, name, { port, directory }) {
  const about = PEERS[name];
  if (!about) throw new Error(`no application "${name}"; there are: ${Object.keys(PEERS).join(', ')}`);
  await mkdir(directory, { recursive: true });
  const tls = about.tls ? await certificate(directory, ['localhost']) : undefined;
  const env = {
    ...process.env,
    NODE_ENV: 'production',
    PYTHONDONTWRITEBYTECODE: '1',
    PORT: String(port),
    DATA: directory,
    LOG: path.join(directory, 'app.log'),
    ...(tls && { TLS_KEY: tls.key, TLS_CERT: tls.certificate }),
  };
  const options = { cwd: home(name), env };
  if (about.before) {
    const [program, ...parameters] = about.before;
    const { code, out, err } = await complete(program, parameters, { ...options, seconds: 60 });
    if (code !== 0) throw new Error(`${name} could not be prepared:\n${out}${err}`);
  }
  const url = `http${about.tls ? 's' : ''}://localhost:${port}`;
  const [program, ...parameters] = about.command(port, tls);
  const ready = () => answers(url.replace('localhost', '127.0.0.1'));
  const running = await start(t, name, program, parameters, { ...options, ready, seconds: 60 });
  const known = await accounts(name);
  if (about.signUp) {
    const [where, body] = about.signUp;
    for (const account of known) {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(url + where, { method: 'POST', headers, body: JSON.stringify(body(account)) });
      if (!answer.ok) throw new Error(`${name}: no account for ${account.login}: ${answer.status} ${await answer.text()}`);
    }
  }
  return { ...running, url, port, ca: tls?.certificate, directory, accounts: known };
}
