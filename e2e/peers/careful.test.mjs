// The applications that are done well do what their makers promise: a comparison with broken ones would prove nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, visitor } from '../harness/browser.mjs';
import { Client } from '../harness/client.mjs';
import { temporary } from '../harness/process.mjs';
import { freePort } from '../harness/wait.mjs';
import { peer } from './peers.mjs';

async function started(t, name) {
  const server = await peer(t, name, { port: await freePort(), directory: await temporary(t, name) });
  return { ...server, client: () => new Client(server.url) };
}

/** Signs in, writes a note, reloads and signs out through the application's own page. */
async function throughItsPage(t, server, label) {
  const chromium = await browser(t, { trust: [{ port: server.port }] });
  const { page, complaints } = await visitor(chromium);
  const [{ login, password }] = server.accounts;
  await page.goto(server.url);
  await page.getByLabel(label).fill(login);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('Hello, helen.').waitFor();
  await page.getByLabel('Note').fill('bring flowers');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByText('bring flowers').waitFor();
  await page.reload();
  await page.getByText('bring flowers').waitFor();
  const readable = await page.evaluate(() => ({
    cookies: document.cookie,
    local: { ...localStorage },
    session: { ...sessionStorage },
  }));
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Password').waitFor();
  assert.deepEqual(complaints, []);
  return readable;
}

test('better-auth: its session is a cookie that script does not see, and logout ends it', { timeout: 120_000 }, async (t) => {
  const server = await started(t, 'better-auth');
  const [{ login, password }] = server.accounts;
  const client = server.client();
  const own = { origin: server.url };
  const signed = await client.request('POST', '/api/auth/sign-in/email', { headers: own, json: { email: login, password } });
  assert.equal(signed.status, 200, signed.text);
  assert.match(signed.setCookies.join(), /__Secure-better-auth\.session_token=.*HttpOnly.*/i);
  assert.match(signed.setCookies.join(), /SameSite=Lax/i);
  const thief = client.stolen();
  assert.equal((await thief.get('/api/me')).json.user.email, login);
  assert.equal((await client.request('POST', '/api/auth/sign-out', { headers: own, json: {} })).status, 200);
  assert.equal((await thief.get('/api/me')).status, 401);
  const readable = await throughItsPage(t, server, 'Address');
  assert.deepEqual(readable, { cookies: '', local: {}, session: {} });
});

test('the Express recipe: rotation, theft detection, CSRF tokens', { timeout: 120_000 }, async (t) => {
  const server = await started(t, 'express-recipe');
  const [{ login, password }] = server.accounts;
  const call = async (client, path, json) => {
    const { csrfToken } = (await client.get('/api/csrf')).json;
    return client.request('POST', path, { headers: { 'x-csrf-token': csrfToken }, json });
  };
  const client = server.client();
  const forged = await client.request('POST', '/api/login', { json: { email: login, password } });
  assert.equal(forged.status, 403, 'no sign-in without a CSRF token');
  const signed = await call(client, '/api/login', { email: login, password });
  assert.equal(signed.status, 200, signed.text);
  for (const line of signed.setCookies) assert.match(line, /^__Host-.*HttpOnly; Secure; SameSite=Strict/);
  assert.ok(!/eyJ/.test(signed.text), 'no token in the body');
  const thief = client.stolen();
  assert.equal((await client.request('POST', '/api/refresh')).status, 204);
  assert.equal((await client.get('/api/me')).json.user.email, login);
  assert.equal((await thief.request('POST', '/api/refresh')).status, 401, 'a spent token is refused');
  assert.equal((await client.request('POST', '/api/refresh')).status, 401, 'and ends the session');
  const readable = await throughItsPage(t, server, 'Address');
  assert.deepEqual(readable, { cookies: '', local: {}, session: {} });
});

test('Django with Simple JWT: rotation, the blacklist, the lock after ten wrong passwords', { timeout: 120_000 }, async (t) => {
  const server = await started(t, 'django-simplejwt');
  const [{ login, password }] = server.accounts;
  const client = server.client();
  const enter = (json) => client.request('POST', '/api/token/', { json });
  const renew = (refresh) => client.request('POST', '/api/token/refresh/', { json: { refresh } });
  const { access, refresh } = (await enter({ username: login, password })).json;
  const me = await client.get('/api/me/', { headers: { authorization: `Bearer ${access}` } });
  assert.equal(me.json?.username, login, me.text);
  assert.match(me.headers['strict-transport-security'], /max-age=31536000/);
  assert.equal((await client.get('/api/me/', { headers: { authorization: `Bearer ${refresh}` } })).status, 401);
  const next = await renew(refresh);
  assert.equal(next.status, 200, next.text);
  assert.equal((await renew(refresh)).status, 401, 'a spent token is refused');
  assert.equal((await client.request('POST', '/api/token/blacklist/', { json: { refresh: next.json.refresh } })).status, 200);
  assert.equal((await renew(next.json.refresh)).status, 401, 'and so is one that was logged out');
  const readable = await throughItsPage(t, server, 'Name');
  assert.deepEqual([readable.cookies, readable.local], ['', {}]);
  for (let n = 0; n < 9; n += 1) assert.equal((await enter({ username: login, password: `guess ${n}` })).status, 401);
  const locked = await enter({ username: login, password: 'guess 10' });
  const right = await enter({ username: login, password });
  assert.deepEqual([locked.status, right.status].map((status) => status !== 200), [true, true], right.text);
});
