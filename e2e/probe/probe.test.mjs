// `countersign retrofit probe`: from a running application to its configuration, on applications it was not written for.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { BINARY } from "../harness/countersign.mjs";
import { complete, temporary } from "../harness/process.mjs";
import { freePort } from "../harness/wait.mjs";
import { peer } from "../peers/peers.mjs";

/** Runs the wizard in a directory of its own; the test account comes by standard input. */
async function probe(t, url, account, words = [], directory) {
  directory ??= await temporary(t, "probe");
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("COUNTERSIGN_")));
  const ran = await complete(BINARY, ["retrofit", "probe", url, "--account-stdin", ...words], {
    cwd: directory,
    env: { ...env, NO_COLOR: "1" },
    input: `${account.login}:${account.password}\n`,
    seconds: 150,
  });
  return { ...ran, directory };
}

async function found(t, url, account, words = []) {
  const { code, out, err } = await probe(t, url, account, ["--json", ...words]);
  assert.equal(code, 0, out + err);
  assert.ok(!(out + err).includes(account.password), "the password is in no output");
  return JSON.parse(out);
}

async function started(t, name) {
  return peer(t, name, { port: await freePort(), directory: await temporary(t, name) });
}

test("the wizard writes a configuration for the leaky application, once, and touches nothing else", { timeout: 240_000 }, async (t) => {
  const app = await started(t, "leaky-saas");
  const [account] = app.accounts;
  const first = await probe(t, app.url, account, ["--login", "POST /api/login", "--write", "countersign.toml"]);
  assert.equal(first.code, 0, first.out + first.err);
  const file = path.join(first.directory, "countersign.toml");
  const written = await readFile(file, "utf8");
  for (const line of [
    `url = "${app.url}"`,
    'login = ["POST /api/login"]',
    'logout = ["POST /api/logout"]',
    'token = "json:/token"',
    'inject = "authorization: Bearer {token}"',
    'subject = "/sub"',
  ]) {
    assert.ok(written.includes(line), `${line} is missing in:\n${written}`);
    assert.ok(first.out.includes(`+${line}`), `the difference shows ${line}:\n${first.out}`);
  }
  assert.match(first.out, /30 d/, "the token's life");
  assert.match(first.out, /\/api\/signup sounds like sign-up/, "what it did not try");
  assert.ok(!written.includes("eyJ") && !first.out.includes("eyJ"), "no token in file or output");

  const again = await probe(t, app.url, account, ["--write", "countersign.toml"], first.directory);
  assert.equal(again.code, 0, again.out + again.err);
  assert.match(again.out, /nothing to add/);
  assert.equal(await readFile(file, "utf8"), written);

  const decided = written.replace('token = "json:/token"', 'token = "json:/jwt" # ours');
  await writeFile(file, decided);
  const refused = await probe(t, app.url, account, ["--write", "countersign.toml"], first.directory);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /- token = "json:\/jwt"\n\+ token = "json:\/token"/);
  assert.equal(await readFile(file, "utf8"), decided, "a decision is not overwritten");
});

test("the wizard says what it could not do, and writes nothing", { timeout: 240_000 }, async (t) => {
  const app = await started(t, "leaky-saas");
  const [account] = app.accounts;
  const wrong = await probe(t, app.url, { ...account, password: "not the password" }, ["--write", "new.toml"]);
  assert.equal(wrong.code, 2, wrong.out);
  assert.match(wrong.err, /signing in as .* failed: .*401/s);
  await assert.rejects(readFile(path.join(wrong.directory, "new.toml")), /ENOENT/);

  const nobody = `http://localhost:${await freePort()}`;
  const away = await probe(t, nobody, account);
  assert.deepEqual([away.code, away.err.includes(`cannot reach ${nobody}`)], [2, true], away.err);

  const broken = await temporary(t, "broken");
  await writeFile(path.join(broken, "countersign.toml"), "[[upstream]\n");
  const unread = await probe(t, app.url, account, [], broken);
  assert.equal(unread.code, 2);
  assert.match(unread.err, /countersign\.toml:1/);
});

test("the wizard finds a token in another header under other names", { timeout: 240_000 }, async (t) => {
  const app = await started(t, "rota");
  const { found: seen } = await found(t, app.url, app.accounts[0]);
  assert.deepEqual(
    [seen.login, seen.token, seen.inject, seen.subject, seen.lifetime, seen.logout],
    [["POST /session/new"], "json:/auth/key", "x-auth-token: {token}", null, 86400, ["POST /session/end"]],
    JSON.stringify(seen),
  );
  assert.ok(seen.open.some((sentence) => /each session has a user of its own/.test(sentence)), JSON.stringify(seen.open));
});

test("the wizard finds tokens that are renewed", { timeout: 240_000 }, async (t) => {
  const app = await started(t, "django-simplejwt");
  const behind = ["--upstream", "http://127.0.0.1:8000", "--ca-file", app.ca];
  const alone = await probe(t, app.url, app.accounts[0]);
  assert.deepEqual([alone.code, /--upstream http:/.test(alone.err)], [2, true], alone.err);
  const { found: seen } = await found(t, app.url, app.accounts[0], behind);
  assert.equal(seen.url, "http://127.0.0.1:8000");
  // It dates both ends by two looks at the clock.
  assert.ok(seen.lifetime > 290 && seen.lifetime <= 300, String(seen.lifetime));
  assert.deepEqual(
    [seen.login, seen.token, seen.inject, seen.subject, seen.refresh],
    [
      ["POST /api/token/"],
      "json:/access",
      "authorization: Bearer {token}",
      "/user_id",
      { request: "POST /api/token/refresh/", token: "json:/refresh", send: null, answer: null },
    ],
    JSON.stringify(seen),
  );
});
