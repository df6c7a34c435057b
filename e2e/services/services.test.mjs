// Services that check for themselves: a renderer behind the gateway that calls an API with the user's assertion, and an API that clients
// call directly.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { once } from "node:events";
import http from "node:http";
import path from "node:path";
import { test } from "node:test";
import { Verifier } from "../../js/node/src/index.js";
import { guard } from "../../js/node/src/http.js";
import { Client } from "../harness/client.mjs";
import { PASSWORD, serve } from "../harness/countersign.mjs";
import { freePort, until } from "../harness/wait.mjs";

const EMAIL = "ada@example.com";

/** A server of this test on a port known beforehand. */
async function listen(t, port, listener) {
  const server = http.createServer(listener);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
}

/** A gateway before the renderer `web`, which forwards to `api`; both upstreams, and whoever signs up. */
async function scene(t) {
  const [web, api] = [await freePort(), await freePort()];
  const server = await serve(t, {
    toml: `[tokens]
audience = ["app", "api"]
[[upstream]]
name = "web"
url = "http://127.0.0.1:${web}"
forwards_to = ["api"]
[[upstream]]
name = "api"
url = "http://127.0.0.1:${api}"
[[route]]
path = "/api/*"
upstream = "api"
[[route]]
path = "/*"
upstream = "web"
`,
  });
  const client = server.client();
  const signedUp = await client.signUp(EMAIL, PASSWORD);
  assert.equal(signedUp.status, 201, signedUp.text);
  const verifier = async (audience, options) => {
    const made = new Verifier({
      issuer: server.origin,
      environment: "development",
      audience,
      ca: await readFile(path.join(server.directory, "ca", "ca.pem")),
      log: () => {},
      ...options,
    });
    t.after(() => made.close());
    await made.ready();
    return made;
  };
  const seen = { assertions: [] };
  const judge = await verifier("api", { assertions: true });
  await listen(t, api, guard(judge, (request, response, principal) => response.end(JSON.stringify({ user: principal.user, email: principal.verifiedEmail ?? null }))));
  // The renderer hands on who it renders for: one header.
  await listen(t, web, async (request, response) => {
    const assertion = request.headers["countersign-assertion"];
    seen.assertions.push(assertion);
    const answer = await fetch(`http://127.0.0.1:${api}/api/me`, { headers: { "countersign-assertion": assertion ?? "" } });
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(`<!doctype html><title>Hello</title><p>${JSON.stringify(await answer.json())}`);
  });
  return { server, client, user: signedUp.json.user, verifier, seen, api: new Client(`http://127.0.0.1:${api}`) };
}

test("K02: a renderer calls the API with the user's assertion; nobody else can", { timeout: 60_000 }, async (t) => {
  const { server, client, user, verifier, seen, api } = await scene(t);
  const page = await client.navigate("/hello");
  assert.equal(page.status, 200, page.text);
  assert.match(page.text, new RegExp(`"user":"${user.id}","email":"${EMAIL}"`));

  const direct = await client.get("/api/me");
  assert.equal(direct.json.user, user.id, "the API is behind the gateway too, under its own name");

  const assertion = seen.assertions.at(-1);
  for (const name of ["web", "api"]) {
    const own = await verifier(name, { assertions: true });
    assert.equal((await own.verifyAssertion(assertion)).user, user.id, `meant for ${name}`);
  }
  const third = await verifier("billing", { assertions: true });
  await assert.rejects(third.verifyAssertion(assertion), { code: "wrong_audience" });
  const elsewhere = await verifier("api", { accessTokens: true, dangerouslyWithoutRevocations: true });
  await assert.rejects(elsewhere.verifyAccessToken(assertion), { code: "wrong_purpose" });

  // What an upstream logs cannot be replayed at the door.
  const stranger = server.client();
  for (const [path, headers, code] of [
    ["/api/me", { authorization: `Bearer ${assertion}` }, "wrong_purpose"],
    ["/auth/session", { authorization: `Bearer ${assertion}` }, "wrong_purpose"],
    ["/api/me", { "countersign-assertion": assertion }, "token_missing"],
  ]) {
    const answer = await stranger.get(path, { headers });
    assert.deepEqual([answer.status, answer.json?.code], [401, code], `${path} ${Object.keys(headers)}`);
  }
  assert.equal((await api.get("/api/me")).json.code, "token_missing", "nor does the API believe anybody who goes around the gateway");
  const forged = await api.get("/api/me", { headers: { "x-auth-user": user.id, "countersign-assertion": assertion.slice(0, -4) } });
  assert.equal(forged.json.code, "token_invalid");
});

test("H03: a service that clients call directly hears of a sign-out, and of `revoke --user`", { timeout: 60_000 }, async (t) => {
  const { server, client, user, verifier } = await scene(t);
  const made = await server.cli(["api-key", "create", EMAIL, "--name", "orders", "--scope", "revocations:read", "--expires-in", "30d", "--json"]);
  assert.equal(made.code, 0, made.out + made.err);
  const judge = await verifier("api", { accessTokens: true, revocations: JSON.parse(made.out).key });
  const refused = async (token) => {
    try {
      return void (await judge.verifyAccessToken(token));
    } catch (error) {
      return error.code;
    }
  };
  const tokenOf = (one) => one.jar.find("__Host-Http-cs-access")[1];
  const other = server.client();
  assert.equal((await other.logIn(EMAIL, PASSWORD)).status, 200);
  const [first, second] = [tokenOf(client), tokenOf(other)];
  assert.equal((await judge.verifyAccessToken(first)).user, user.id);
  assert.equal((await judge.verifyAccessToken(second)).user, user.id);

  assert.equal((await client.post("/auth/logout", {})).status, 204);
  await until("the sign-out to be heard", async () => (await refused(first)) === "session_revoked", { seconds: 1, every: 5 });
  assert.equal(await refused(second), undefined, "the other session goes on");

  const { code, out, err } = await server.cli(["revoke", "--user", EMAIL]);
  assert.equal(code, 0, out + err);
  await until("the revocation to be heard", async () => (await refused(second)) === "session_revoked", { seconds: 1, every: 5 });

  // K11: a server that is gone can sign nobody out, so nobody is let in.
  const third = server.client();
  assert.equal((await third.logIn(EMAIL, PASSWORD)).status, 200);
  assert.equal(await refused(tokenOf(third)), undefined);
  await server.stop();
  await until("the feed to be stale", async () => (await refused(tokenOf(third))) === "store_unavailable", { seconds: 8 });
});
