// Every mistake that the guest book is said to make is really made: the drill is measured by this list.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, visitor } from '../harness/browser.mjs';
import { Client } from '../harness/client.mjs';
import { temporary } from '../harness/process.mjs';
import { freePort } from '../harness/wait.mjs';
import { mistakes, peer, PEERS } from './peers.mjs';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const ELSEWHERE = { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' };

async function guestbook(t) {
  const server = await peer(t, 'guestbook', { port: await freePort(), directory: await temporary(t, 'guestbook') });
  const [path, body] = PEERS.guestbook.login;
  const post = (client, where, fields, headers = {}) =>
    client.request('POST', where, { body: String(new URLSearchParams(fields)), headers: { ...FORM, ...headers } });
  const enter = async (account, { change = {}, headers, client = new Client(server.url) } = {}) => {
    const answer = await post(client, path, { ...Object.fromEntries(body(account)), ...change }, headers);
    return { client, answer };
  };
  return { server, post, enter };
}

test('the guest book makes each mistake that it lists', { timeout: 120_000 }, async (t) => {
  const { server, post, enter } = await guestbook(t);
  const [ines, tomas] = server.accounts;
  const who = async (client, options) => (await client.get('/me.json', options)).json?.user;
  const shown = {
    async 'cookie-flags'() {
      const { answer, client } = await enter(ines);
      assert.equal(await who(client), ines.login);
      assert.equal(await who(new Client(server.url)), undefined, 'and without the cookie nobody is there');
      assert.doesNotMatch(answer.setCookies.join(), /httponly|secure|samesite|__host/i);
    },
    async 'long-lived-session'() {
      assert.match((await enter(ines)).answer.setCookies.join(), /max-age=2592000/i);
    },
    async 'session-fixation'() {
      const victim = new Client(server.url);
      victim.jar.take(['PHPSESSID=chosenbyastranger']);
      const { answer } = await enter(ines, { client: victim });
      assert.equal(answer.status, 302);
      assert.equal(await who(new Client(server.url), { headers: { cookie: 'PHPSESSID=chosenbyastranger' } }), ines.login);
    },
    async 'session-in-url'() {
      const { client } = await enter(ines);
      const [, id] = client.jar.find('PHPSESSID');
      assert.match((await new Client(server.url).get(`/me.json?PHPSESSID=${id}`)).text, /"ines"/);
    },
    async csrf() {
      const { client } = await enter(ines);
      await post(client, '/sign.php', { text: 'never meant' }, ELSEWHERE);
      assert.match((await client.get('/')).text, /ines<\/b>: never meant/);
    },
    async 'login-csrf'() {
      const { client, answer } = await enter(tomas, { headers: ELSEWHERE });
      assert.equal(answer.status, 302);
      assert.equal(await who(client), tomas.login);
    },
    async 'state-changing-get'() {
      const { client } = await enter(ines);
      await post(client, '/sign.php', { text: 'to be lost' });
      const [, id] = (await client.get('/')).text.match(/to be lost <a href="\/delete\.php\?id=(\d+)"/);
      await client.get(`/delete.php?id=${id}`);
      assert.doesNotMatch((await client.get('/')).text, /to be lost/);
    },
    async 'open-redirect'() {
      const page = await new Client(server.url).get('/signin.php?next=https://evil.example/');
      assert.match(page.text, /value="https:\/\/evil\.example\/"/);
      const { answer } = await enter(ines, { change: { next: 'https://evil.example/' } });
      assert.equal(answer.headers.location, 'https://evil.example/');
    },
    async 'header-spoofing'() {
      assert.equal(await who(new Client(server.url), { headers: { 'x-user': tomas.login } }), tomas.login);
    },
    async 'cors-reflection'() {
      const { headers } = await (await enter(ines)).client.get('/me.json', { headers: ELSEWHERE });
      assert.equal(headers['access-control-allow-origin'], ELSEWHERE.origin);
      assert.equal(headers['access-control-allow-credentials'], 'true');
    },
    async 'shared-cache'() {
      const answer = await (await enter(ines)).client.get('/me.php');
      assert.match(answer.text, /ines@example\.com/);
      assert.match(answer.headers['cache-control'], /public/);
    },
    async 'cache-poisoning'() {
      const { text } = await new Client(server.url).get('/', { headers: { 'x-forwarded-host': 'evil.example' } });
      assert.match(text, /href="http:\/\/evil\.example\//);
    },
    async 'logout-forgets-nothing'() {
      const { client } = await enter(ines);
      const thief = client.stolen();
      await client.get('/signout.php');
      assert.equal(await who(client), undefined);
      assert.equal(await who(thief), ines.login);
    },
    async enumeration() {
      const [known, unknown] = [await enter(ines, { change: { pw: 'x' } }), await enter(ines, { change: { user: 'x' } })];
      assert.match(known.answer.text, /not the password/);
      assert.match(unknown.answer.text, /no user of that name/);
    },
    async 'no-throttle'() {
      for (let n = 0; n < 20; n += 1) assert.equal((await enter(ines, { change: { pw: `${n}` } })).answer.status, 401);
      assert.equal((await enter(ines)).answer.status, 302);
    },
    async 'no-step-up'() {
      const { client } = await enter(tomas);
      await post(client, '/me.php', { mail: 'thief@example.net' });
      assert.equal((await client.get('/me.json')).json.mail, 'thief@example.net');
    },
  };
  const listed = (await mistakes('guestbook')).map(({ id }) => id);
  assert.deepEqual([...Object.keys(shown), 'script-hole'].sort(), listed.sort(), 'each listed mistake is shown, here or in the browser');
  for (const [id, show] of Object.entries(shown)) await t.test(id, show);
});

test('the guest book: script reads its cookie, and runs what others wrote', { timeout: 90_000 }, async (t) => {
  const { server } = await guestbook(t);
  const [ines] = server.accounts;
  const { page } = await visitor(await browser(t));
  await page.goto(`${server.url}/signin.php`);
  await page.locator('[name=user]').fill(ines.login);
  await page.locator('[name=pw]').fill(ines.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('#user').getByText(ines.login).waitFor();
  assert.match(await page.evaluate(() => document.cookie), /PHPSESSID=/);
  await page.goto(server.url);
  await page.locator('[name=text]').fill('<img src=x onerror="window.ran = true">');
  await page.getByRole('button', { name: 'Sign' }).click();
  await page.waitForFunction(() => window.ran === true, undefined, { timeout: 15_000 });
  await page.goto(`${server.url}/search.php?q=${encodeURIComponent('<script>window.found = true</script>')}`);
  assert.equal(await page.evaluate(() => window.found), true);
});
