// What a thief can do with a copied cookie jar, over real HTTPS and a real store (design §5).
import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, serve } from "../harness/countersign.mjs";
import { sleep } from "../harness/wait.mjs";

const GRACE = 2; // seconds; the shortest that design §5 allows

/** A server with the shortest grace, a signed-in client, and what `events` then knows. */
async function victim(t) {
  const server = await serve(t, { toml: `[rotation]\nreuse_grace = "${GRACE}s"` });
  const client = server.client();
  const answer = await client.signUp("victim@example.com", PASSWORD);
  assert.equal(answer.status, 201, answer.text);
  return { server, client };
}

const refreshCookie = (client) => client.jar.find("__Host-Http-cs-refresh")[1];

async function events(server) {
  const { code, out, err } = await server.cli(["events", "--json"]);
  assert.equal(code, 0, err);
  return out;
}

test("D01: a spent token ends the session, live access tokens included", { timeout: 60_000 }, async (t) => {
  const { server, client } = await victim(t);
  const thief = client.stolen();
  const spent = refreshCookie(thief);
  assert.equal((await client.refresh()).status, 200);
  assert.notEqual(refreshCookie(client), spent, "the refresh token has rotated");
  assert.equal((await client.get("/auth/session")).status, 200, "the new generation is in use");
  await sleep((GRACE + 1.5) * 1000);

  const caught = await thief.refresh();
  assert.equal(caught.status, 401);
  assert.equal(caught.json.code, "refresh_reused");
  const after = await client.get("/auth/session");
  assert.deepEqual([after.status, after.json.code], [401, "session_revoked"]);
  const again = await client.refresh();
  assert.deepEqual([again.status, again.json.code], [401, "session_revoked"]);
  assert.match(await events(server), /authn_token_reuse/);
});

test("D05: a silent thief who rotated first is found when the owner returns", { timeout: 60_000 }, async (t) => {
  const { client } = await victim(t);
  const thief = client.stolen();
  assert.equal((await thief.refresh()).status, 200);
  assert.equal((await thief.get("/auth/session")).status, 200, "the thief uses what it got");
  await sleep((GRACE + 1.5) * 1000);

  const owner = await client.refresh();
  assert.deepEqual([owner.status, owner.json.code], [401, "refresh_reused"]);
  const robbed = await thief.get("/auth/session");
  assert.deepEqual([robbed.status, robbed.json.code], [401, "session_revoked"]);
});

test("D05: a thief who rotated ahead and kept quiet holds an abandoned generation", { timeout: 60_000 }, async (t) => {
  const { client } = await victim(t);
  const thief = client.stolen();
  assert.equal((await thief.refresh()).status, 200);
  await sleep((3 * GRACE + 1.5) * 1000);

  const owner = await client.refresh();
  assert.equal(owner.status, 200, "the owner's answer may have been lost: a new generation");
  assert.notEqual(refreshCookie(client), refreshCookie(thief), "and not the thief's");
  const found = await thief.refresh();
  assert.deepEqual([found.status, found.json.code], [401, "refresh_reused"]);
  assert.equal((await client.get("/auth/session")).status, 401, "both are out; the owner signs in again");
});

test("D02: 200 parallel refreshes with one token give 200 successes and one successor", { timeout: 60_000 }, async (t) => {
  const { client } = await victim(t);
  const spent = refreshCookie(client);
  const answers = await Promise.all(Array.from({ length: 200 }, () => client.stolen().refresh()));
  const statuses = new Set(answers.map((answer) => answer.status));
  assert.deepEqual([...statuses], [200], `got ${answers.find((answer) => answer.status !== 200)?.text}`);
  const successors = answers.flatMap((answer) =>
    answer.setCookies.filter((line) => line.startsWith("__Host-Http-cs-refresh")).map((line) => line.split(";")[0]),
  );
  assert.equal(successors.length, 200, "each answer carries the successor");
  assert.equal(new Set(successors).size, 1, "the same one");
  assert.ok(!successors[0].endsWith(spent), "and not the spent one");
  const holder = client.stolen();
  holder.jar.take(answers[137].setCookies);
  assert.equal((await holder.get("/auth/session")).status, 200, "which is good");
});

test("a lost answer never logs an honest client out", { timeout: 60_000 }, async (t) => {
  const { client } = await victim(t);
  assert.equal((await client.refresh({ keep: false })).status, 200, "its cookies never arrive");
  await sleep((GRACE + 1) * 1000);
  assert.equal((await client.refresh()).status, 200, "asked again with the old token");
  assert.equal((await client.get("/auth/session")).status, 200);
});

test("D10, C12: logout kills copied cookies at once, and no other site can log anybody out", { timeout: 60_000 }, async (t) => {
  const { client } = await victim(t);
  const thief = client.stolen();
  const forged = await client.post("/auth/logout", {}, { headers: { origin: "https://evil.test", "sec-fetch-site": "cross-site" } });
  assert.deepEqual([forged.status, forged.json.code], [403, "origin_denied"]);
  const bare = await client.post("/auth/logout", {}, { headers: { "x-csrf-token": "none" } });
  assert.deepEqual([bare.status, bare.json.code], [403, "csrf_failed"]);
  assert.equal((await client.get("/auth/session")).status, 200, "still in");

  assert.equal((await client.post("/auth/logout", {})).status, 204);
  const left = client.jar.names().filter((name) => /cs-(access|refresh|csrf|hint)/.test(name));
  assert.deepEqual(left, [], "B13: the four session cookies are cleared");
  assert.equal((await thief.get("/auth/session")).status, 401, "the copied access token is dead");
  assert.equal((await thief.refresh()).status, 401, "the copied refresh token is dead");
});

test("D12: `revoke --user` beside a running server makes the very next request 401", { timeout: 60_000 }, async (t) => {
  const { server, client } = await victim(t);
  const { code, out, err } = await server.cli(["revoke", "--user", "victim@example.com"]);
  assert.equal(code, 0, out + err);
  const answer = await client.get("/auth/session");
  assert.deepEqual([answer.status, answer.json.code], [401, "session_revoked"]);
});
