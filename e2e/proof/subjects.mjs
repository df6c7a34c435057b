// What the proof attacks: each is started here, attacked by the drill, and ended with the test.
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BINARY, dev, PASSWORD } from '../harness/countersign.mjs';
import { complete, start, temporary } from '../harness/process.mjs';
import { freePort } from '../harness/wait.mjs';
import { peer, PEERS } from '../peers/peers.mjs';

const LEAKY_SAAS = fileURLToPath(new URL('../../examples/leaky-saas/', import.meta.url));

const clean = () => Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('COUNTERSIGN_')));
const started = async (t, name) => peer(t, name, { port: await freePort(), directory: await temporary(t, name) });
const withCa = (running) => (running.ca ? ['--ca-file', running.ca] : []);

/** A token of the leaky application's that expired yesterday: only its owner can make one without waiting thirty days. */
async function expired(secret) {
  const jwt = createRequire(`${LEAKY_SAAS}server/token.mjs`)('jsonwebtoken');
  const yesterday = Math.floor(Date.now() / 1000) - 24 * 3600;
  return jwt.sign({ sub: '1', email: 'nadia@example.com', name: 'nadia', iat: yesterday - 60, exp: yesterday }, secret);
}

async function leakyParts(t) {
  const app = await started(t, 'leaky-saas');
  const directory = await temporary(t, 'profile');
  const secret = (await readFile(`${LEAKY_SAAS}server/token.mjs`, 'utf8')).match(/JWT_SECRET \?\? '([^']+)'/)[1];
  await writeFile(path.join(directory, 'expired.jwt'), await expired(secret));
  const profile = path.join(directory, 'profile.toml');
  // The page on which one writes about oneself; and an old token, which must be refused.
  await writeFile(profile, '[browser]\nlogin_page = "/people/1"\n[must_refuse]\nexpired = "expired.jwt"\n');
  return { app, words: ['--log', path.join(app.directory, 'app.log'), '--profile', profile] };
}

/**
 * By name: what it is, for the table, and `begin(t)`, which gives `{ url, accounts, words }`; `words` are what the drill is
 * told besides.
 */
export const SUBJECTS = {
  'leaky-saas': {
    what: '`examples/leaky-saas`, bare',
    async begin(t) {
      const { app, words } = await leakyParts(t);
      const staging = await started(t, 'leaky-saas');
      return { url: app.url, accounts: app.accounts, words: [...words, '--elsewhere', staging.url] };
    },
  },
  'leaky-saas behind Countersign': {
    what: 'the same, unmodified, behind Countersign by `[[retrofit]]`',
    async begin(t) {
      const { app, words } = await leakyParts(t);
      const directory = await temporary(t, 'retrofit');
      // The configuration is what the wizard writes, and nothing by hand.
      const probed = await complete(BINARY, ['retrofit', 'probe', app.url, '--account-stdin', '--write', 'countersign.toml'], {
        cwd: directory,
        env: clean(),
        input: `${app.accounts[0].login}:${app.accounts[0].password}\n`,
        seconds: 150,
      });
      if (probed.code !== 0) throw new Error(`the wizard failed:\n${probed.out}${probed.err}`);
      const server = await behind(t, directory);
      return { url: server.url, accounts: app.accounts, words: [...words, ...withCa(server)] };
    },
  },
  countersign: {
    what: 'Countersign\'s own accounts, before its demonstration application',
    async begin(t) {
      // Sign-up is closed, as it is outside of development.
      const server = await dev(t, { env: { COUNTERSIGN_ACCOUNTS__SIGNUP: 'off' } });
      const accounts = ['helen@example.com', 'bruno@example.com'].map((login, n) => ({ login, password: `${PASSWORD} ${n}` }));
      for (const { login, password } of accounts) {
        const added = await server.cli(['user', 'add', login, '--password-stdin'], { input: password });
        if (added.code !== 0) throw new Error(`no account for ${login}: ${added.err}`);
      }
      return { url: server.origin, accounts, words: ['--ca-file', path.join(server.directory, '.countersign', 'ca', 'ca.pem')] };
    },
  },
  ...Object.fromEntries(
    ['rota', 'guestbook', 'better-auth', 'express-recipe', 'django-simplejwt'].map((name) => [
      name,
      {
        what: PEERS[name].what,
        async begin(t) {
          const app = await started(t, name);
          const log = path.join(app.directory, 'app.log');
          const words = existsSync(log) ? ['--log', log] : [];
          return { url: app.url, accounts: app.accounts, words: [...withCa(app), ...words] };
        },
      },
    ]),
  ),
};

/** `countersign dev` with the configuration of a directory. */
async function behind(t, directory) {
  const [port, admin] = [await freePort(), await freePort()];
  const url = `https://localhost:${port}`;
  await start(t, 'countersign dev', BINARY, ['dev', '--public-url', url], {
    cwd: directory,
    env: { ...clean(), NO_COLOR: '1', COUNTERSIGN_LISTEN__ADMIN: `127.0.0.1:${admin}` },
    ready: async () => (await fetch(`http://127.0.0.1:${admin}/readyz`)).ok,
  });
  return { url, ca: path.join(directory, '.countersign', 'ca', 'ca.pem') };
}

/** Runs the drill against a subject and gives its report; throws if it could not be run to its end. */
export async function drill(t, name, { words: more = [] } = {}) {
  const subject = await SUBJECTS[name].begin(t);
  const [first, second] = subject.accounts.map(({ login, password }) => `${login}:${password}`);
  const directory = await temporary(t, 'report');
  const file = path.join(directory, 'report.json');
  const words = ['drill', subject.url, '--active', '--json-file', file, ...subject.words, ...more];
  const ran = await complete(BINARY, words, {
    env: { ...clean(), NO_COLOR: '1', COUNTERSIGN_DRILL_ACCOUNT: first, COUNTERSIGN_DRILL_ACCOUNT2: second },
    seconds: 280,
  });
  if (ran.code === 2) throw new Error(`the drill of ${name} was not run to its end:\n${ran.out}${ran.err}`);
  const text = await readFile(file, 'utf8');
  for (const { password } of subject.accounts) {
    if ((text + ran.out + ran.err).includes(password)) throw new Error(`the report of ${name} holds a password`);
  }
  return { report: JSON.parse(text), code: ran.code, out: ran.out };
}
