// The drill, as people run it, against applications that it was not written for, and against our own accounts mode: it
// finds what is wrong over plain HTTP without being told anything, and reports nothing that is not.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { BINARY, PASSWORD, dev } from '../harness/countersign.mjs';
import { complete, temporary } from '../harness/process.mjs';
import { freePort } from '../harness/wait.mjs';
import { peer } from '../peers/peers.mjs';

/** Runs the drill with two accounts, which never stand in arguments; gives `{ code, out, err, report, found }`. */
async function drill(t, url, accounts, words = []) {
  const file = path.join(await temporary(t, 'drill'), 'report.json');
  const input = accounts.map(({ login, password }) => `${login}:${password}\n`).join('');
  const parameters = ['drill', url, '--accounts-file', '-', '--no-browser', '--active', '--rate', '200', '--json-file', file, ...words];
  const done = await complete(BINARY, parameters, { input, seconds: 150, env: { ...process.env, NO_COLOR: '1' } });
  const report = JSON.parse(await readFile(file, 'utf8'));
  const found = report.checks.filter(({ result }) => result.verdict === 'finding').map(({ id }) => id);
  for (const { password } of accounts) assert.ok(!JSON.stringify([report, done]).includes(password), 'no password is told');
  return { ...done, report, found };
}

/** Each of `ids` was found. */
function finds({ found, out, err }, ids) {
  const missing = ids.filter((id) => !found.includes(id));
  assert.deepEqual(missing, [], `not found, but planted\n${out}${err}`);
}

async function started(t, name) {
  return peer(t, name, { port: await freePort(), directory: await temporary(t, name) });
}

test('Rota: Python, JSON, a token in X-Auth-Token', { timeout: 200_000 }, async (t) => {
  const server = await started(t, 'rota');
  const done = await drill(t, server.url, server.accounts, ['--log', path.join(server.directory, 'app.log')]);
  assert.equal(done.code, 1, done.err);
  finds(done, [
    'token-in-body', 'access-lifetime', 'jwt-claims', 'jwt-alg-none', 'jwt-kid', 'refresh-replay', 'logout-revokes',
    'logout-revokes-refresh', 'state-changing-get', 'token-in-url', 'throttling', 'step-up', 'token-in-log',
  ]);
});

test('Guest book: PHP, forms, a session cookie', { timeout: 200_000 }, async (t) => {
  const server = await started(t, 'guestbook');
  const done = await drill(t, server.url, server.accounts);
  assert.equal(done.code, 1, done.err);
  finds(done, [
    'cookie-httponly', 'cookie-samesite', 'access-lifetime', 'session-fixation', 'token-in-url', 'csrf', 'login-csrf',
    'state-changing-get', 'open-redirect', 'identity-headers', 'cors-reflection', 'shared-cache', 'cache-poisoning',
    'logout-revokes', 'enumeration', 'throttling', 'step-up',
  ]);
});

test('Countersign, accounts mode: no finding', { timeout: 200_000 }, async (t) => {
  // Closed, as it is outside of development: there an address that is taken is told so, or mailed.
  const server = await dev(t, { env: { COUNTERSIGN_ACCOUNTS__SIGNUP: 'off' } });
  const accounts = ['ann@example.com', 'bob@example.com'].map((login) => ({ login, password: PASSWORD }));
  for (const { login } of accounts) {
    const added = await server.cli(['user', 'add', login, '--password-stdin'], { input: PASSWORD });
    assert.equal(added.code, 0, added.err);
  }
  const done = await drill(t, server.origin, accounts, ['--insecure', '--fail-on', 'info']);
  assert.deepEqual(done.found, [], done.out);
  assert.equal(done.code, 0, done.err);
  const broken = done.report.checks.filter(({ result }) => result.verdict === 'error');
  assert.deepEqual(broken, []);
  // Not found because nothing was tried would be no proof.
  for (const id of ['refresh-replay', 'refresh-reuse-detection', 'logout-revokes', 'honest-tabs', 'honest-lost-answer', 'jwt-key-confusion', 'login-csrf', 'throttling']) {
    assert.equal(done.report.checks.find((check) => check.id === id).result.verdict, 'pass', id);
  }
  assert.ok(done.report.thefts.length >= 2 && done.report.thefts.every(({ caught }) => caught), JSON.stringify(done.report.thefts));
});

test('nobody there, and wrong usage: a sentence, and exit code 2', async (t) => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const done = await drill(t, url, [{ login: 'ann@example.com', password: 'a password' }]);
  assert.equal(done.code, 2);
  assert.match(done.err, /cannot reach http:\/\/127\.0\.0\.1/);
  const nobody = await complete(BINARY, ['drill', url], { env: { ...process.env, NO_COLOR: '1' } });
  assert.equal(nobody.code, 2);
  assert.match(nobody.err, /name a test account/);
});
