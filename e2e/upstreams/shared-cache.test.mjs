// A caching proxy in front, a careless application behind: nobody sees another user's page (J04).
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../harness/client.mjs";
import { PASSWORD, serve } from "../harness/countersign.mjs";
import { cacheable, cachingProxy } from "../harness/upstreams.mjs";
import { freePort } from "../harness/wait.mjs";

test("J04: two users behind nginx's cache never share an answer", { timeout: 60_000 }, async (t) => {
  const upstream = await cacheable(t);
  const port = await freePort();
  const origin = `https://app.test:${port}`;
  const server = await serve(t, {
    environment: "staging",
    origin,
    tls: "off",
    listen: 'trusted_proxies = ["127.0.0.0/8"]',
    toml: `[[upstream]]
name = "app"
url = "${upstream.url}"
[[route]]
path = "/public/*"
auth = "none"
`,
  });
  await cachingProxy(t, { port, backend: server.port, name: "app.test" });
  const users = [];
  for (const email of ["a@example.com", "b@example.com"]) {
    const added = await server.cli(["user", "add", email, "--password-stdin"], { input: `${PASSWORD}\n` });
    assert.equal(added.code, 0, added.out + added.err);
    const client = new Client(origin, { port });
    const answer = await client.logIn(email, PASSWORD);
    assert.equal(answer.status, 200, answer.text);
    users.push({ client, id: answer.json.user.id });
  }

  // The cache works, and leaves alone what is nobody's.
  const stranger = new Client(origin, { port });
  assert.equal((await stranger.get("/public/logo")).headers["x-cache"], "MISS");
  const cached = await stranger.get("/public/logo");
  assert.equal(cached.headers["x-cache"], "HIT");
  assert.equal(cached.text, "/public/logo for nobody\n");

  for (let round = 0; round < 3; round += 1) {
    for (const { client, id } of users) {
      const answer = await client.get("/me");
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.text, `/me for ${id}\n`, "somebody else's page");
      assert.notEqual(answer.headers["x-cache"], "HIT");
      assert.match(answer.headers["cache-control"], /no-store|private/);
      assert.doesNotMatch(answer.headers["cache-control"], /public|s-maxage/);
    }
  }
  const outside = await stranger.get("/me");
  assert.equal(outside.status, 401, "and a stranger sees none of it");
});

test("K04: only a trusted proxy's word on the client counts", { timeout: 60_000 }, async (t) => {
  const upstream = await cacheable(t);
  const origin = "https://app.test";
  const server = await serve(t, {
    environment: "staging",
    origin,
    tls: "off",
    listen: 'trusted_proxies = ["192.0.2.0/24"]',
    toml: `[[upstream]]\nname = "app"\nurl = "${upstream.url}"\n`,
  });
  const client = new Client("http://app.test", { port: server.port });
  const answer = await client.get("/me", { headers: { "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.7" } });
  assert.equal(answer.status, 400, "plain HTTP from a peer that is no trusted proxy");
});
