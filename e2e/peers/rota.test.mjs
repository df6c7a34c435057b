// Every mistake that Rota is said to make is really made: the drill is measured by this list.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { browser, visitor } from '../harness/browser.mjs';
import { Client } from '../harness/client.mjs';
import { temporary } from '../harness/process.mjs';
import { freePort } from '../harness/wait.mjs';
import { mistakes, peer, PEERS } from './peers.mjs';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url'));
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function rota(t) {
  const server = await peer(t, 'rota', { port: await freePort(), directory: await temporary(t, 'rota') });
  const [where, body] = PEERS.rota.login;
  const enter = async (account, change = {}) => {
    const client = new Client(server.url);
    const answer = await client.request('POST', where, { json: { ...body(account), ...change } });
    const auth = answer.json?.auth;
    const call = (method, target, json, key = auth?.key) =>
      client.request(method, target, { json, headers: key ? { 'x-auth-token': key } : {} });
    return { client, answer, call, ...auth };
  };
  return { server, enter };
}

test('Rota makes each mistake that it lists', { timeout: 120_000 }, async (t) => {
  const { server, enter } = await rota(t);
  const [marta] = server.accounts;
  const shown = {
    async 'token-in-body'() {
      const { key, renewal, call } = await enter(marta);
      assert.equal(key.split('.').length, 3);
      assert.match(renewal, /^[0-9a-f]{48}$/);
      assert.equal((await call('GET', '/whoami')).json.profile.username, marta.login);
      assert.equal((await call('GET', '/whoami', undefined, 'x.y.z')).status, 401, 'and a false key is refused');
    },
    async 'long-lived-token'() {
      const { exp, iat } = decode((await enter(marta)).key.split('.')[1]);
      assert.equal(exp - iat, 24 * 3600);
    },
    async 'missing-claims'() {
      const claims = decode((await enter(marta)).key.split('.')[1]);
      for (const name of ['iss', 'aud', 'jti', 'purpose']) assert.ok(!(name in claims), name);
    },
    async 'alg-none'() {
      const { call } = await enter(marta);
      const forged = `${encode({ alg: 'nOnE' })}.${encode({ user: 'oskar', exp: 4e9 })}.`;
      assert.equal((await call('GET', '/whoami', undefined, forged)).json.profile.username, 'oskar');
    },
    async 'kid-path'() {
      const { createHmac } = await import('node:crypto');
      const { call } = await enter(marta);
      const signed = `${encode({ alg: 'HS256', kid: '../../../../../../dev/null' })}.${encode({ user: 'oskar', exp: 4e9 })}`;
      const mark = createHmac('sha256', '').update(signed).digest('base64url');
      assert.equal((await call('GET', '/whoami', undefined, `${signed}.${mark}`)).json.profile.username, 'oskar');
    },
    async 'renewal-for-ever'() {
      const { renewal, call } = await enter(marta);
      await call('POST', '/session/end', {});
      for (let n = 0; n < 2; n += 1) {
        const answer = await call('POST', '/session/renew', { renewal });
        assert.equal(answer.status, 200);
        assert.ok(!('renewal' in answer.json.auth));
      }
    },
    async 'logout-forgets-nothing'() {
      const { call } = await enter(marta);
      assert.equal((await call('POST', '/session/end', {})).status, 204);
      assert.equal((await call('GET', '/whoami')).status, 200);
    },
    async 'state-changing-get'() {
      const { call } = await enter(marta);
      const { shift } = (await call('POST', '/shifts', { day: 'Friday', note: 'late' })).json;
      assert.equal((await call('GET', `/shifts/${shift.id}/cancel`)).json.cancelled, true);
      assert.ok(!(await call('GET', '/shifts')).json.shifts.some(({ id }) => id === shift.id));
    },
    async 'token-in-url'() {
      const { client, key } = await enter(marta);
      assert.equal((await client.get(`/whoami?token=${key}`)).status, 200);
    },
    async 'token-in-log'() {
      const { key, call } = await enter(marta);
      await call('GET', '/whoami');
      assert.ok((await readFile(path.join(server.directory, 'app.log'), 'utf8')).includes(key));
    },
    async 'enumeration-by-time'() {
      const timed = async (change) => {
        const times = [];
        for (let n = 0; n < 9; n += 1) {
          const begin = performance.now();
          assert.equal((await enter(marta, change)).answer.status, 401);
          times.push(performance.now() - begin);
        }
        return median(times);
      };
      const [known, unknown] = [await timed({ passwd: 'wrong' }), await timed({ username: 'nobody', passwd: 'wrong' })];
      assert.ok(known > 2 * unknown, `${known} ms for a name that exists, ${unknown} ms for one that does not`);
    },
    async 'no-throttle'() {
      for (let n = 0; n < 20; n += 1) assert.equal((await enter(marta, { passwd: `guess ${n}` })).answer.status, 401);
      assert.equal((await enter(marta)).answer.status, 200);
    },
    async 'no-step-up'() {
      const { call } = await enter(marta);
      assert.equal((await call('PUT', '/profile', { recovery_mail: 'thief@example.net' })).json.profile.recovery_mail, 'thief@example.net');
    },
  };
  const inPage = ['session-storage', 'indexed-db', 'script-hole'];
  const listed = (await mistakes('rota')).map(({ id }) => id);
  assert.deepEqual([...Object.keys(shown), ...inPage].sort(), listed.sort(), 'each listed mistake is shown, here or in the browser');
  for (const [id, show] of Object.entries(shown)) await t.test(id, show);
});

test('Rota: its page leaves tokens to script, and runs what others wrote', { timeout: 90_000 }, async (t) => {
  const { server } = await rota(t);
  const [marta] = server.accounts;
  const { page } = await visitor(await browser(t));
  await page.goto(server.url);
  await page.locator('[name=username]').fill(marta.login);
  await page.locator('[name=passwd]').fill(marta.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('the early one').waitFor();
  const found = await page.evaluate(async () => ({
    key: sessionStorage.getItem('rota.key'),
    renewal: await new Promise((resolve, reject) => {
      const open = indexedDB.open('rota');
      open.onerror = () => reject(open.error);
      open.onsuccess = () => {
        const wanted = open.result.transaction('vault').objectStore('vault').get('renewal');
        wanted.onsuccess = () => resolve(wanted.result);
      };
    }),
  }));
  assert.equal(found.key.split('.').length, 3, 'session-storage');
  assert.match(found.renewal, /^[0-9a-f]{48}$/, 'indexed-db');
  await page.locator('[name=motto]').fill('<img src=x onerror="window.ran = true">');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForFunction(() => window.ran === true, undefined, { timeout: 15_000 });
});
