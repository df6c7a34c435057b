// Unmodified applications behind the gateway: each gets the user as it expects, and nothing of ours.
import assert from "node:assert/strict";
import { test } from "node:test";
import { browser, submitCredentials, visitor } from "../harness/browser.mjs";
import { PASSWORD, serve } from "../harness/countersign.mjs";
import { django, httpbin, radicale, vite } from "../harness/upstreams.mjs";
import { until } from "../harness/wait.mjs";

const EMAIL = "grace@example.com";

/** A gateway before one upstream; `extra` lines go into its table. */
function before(t, name, url, extra = "") {
  return serve(t, { toml: `[[upstream]]\nname = "${name}"\nurl = "${url}"\n${extra}` });
}

async function signedIn(server) {
  const client = server.client();
  const answer = await client.signUp(EMAIL, PASSWORD);
  assert.equal(answer.status, 201, answer.text);
  return { client, user: answer.json.user };
}

async function signUpIn(page, server) {
  await page.goto(`${server.origin}/auth/signup`);
  await submitCredentials(page, EMAIL, PASSWORD);
  await page.waitForURL((url) => !url.pathname.startsWith("/auth/"));
}

test("Django: its own forms and its RemoteUser keep working", { timeout: 90_000 }, async (t) => {
  const upstream = await django(t);
  const server = await before(t, "django", upstream.url, 'identity_headers = { user = "X-Remote-User" }');
  const chromium = await browser(t, { trust: [{ port: server.port }] });
  const { page, complaints } = await visitor(chromium);
  await signUpIn(page, server);
  await page.goto(`${server.origin}/`);
  const user = await page.evaluate(async () => (await (await fetch("/auth/session")).json()).user.id);
  assert.equal(await page.locator("#user").innerText(), user, "Django knows the user");
  await page.getByLabel("Note").fill("bring flowers");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText(`${user}: bring flowers`).waitFor();
  assert.deepEqual(complaints, []);

  // Its own protection is still its own: a request that passes ours without its token is refused by Django.
  const { client } = await signedInAgain(server);
  const refused = await client.request("POST", "/", {
    headers: { origin: server.origin, "content-type": "application/x-www-form-urlencoded" },
    body: "note=forged",
  });
  assert.equal(refused.status, 403);
  assert.match(refused.text, /CSRF verification failed/);
});

async function signedInAgain(server) {
  const client = server.client();
  const answer = await client.logIn(EMAIL, PASSWORD);
  assert.equal(answer.status, 200, answer.text);
  return { client };
}

test("Vite: hot reload over WebSocket, which ends with the session (K10)", { timeout: 90_000 }, async (t) => {
  const upstream = await vite(t);
  const server = await before(t, "vite", upstream.url);
  const chromium = await browser(t, { trust: [{ port: server.port }] });
  const { page, complaints } = await visitor(chromium);
  const sockets = [];
  page.on("websocket", (socket) => {
    const seen = { url: socket.url(), closed: false };
    socket.once("close", () => (seen.closed = true));
    sockets.push(seen);
  });
  await signUpIn(page, server);
  await page.goto(`${server.origin}/`);
  const message = page.locator("#message");
  await until("the first text", async () => (await message.innerText()) === "first text");
  await until("the hot-reload socket", () => sockets.length > 0);
  const loaded = await page.evaluate(() => globalThis.loadedAt);
  await upstream.edit("message.js", 'export const message = "second text";\n');
  await until("the edit to show", async () => (await message.innerText()) === "second text");
  assert.equal(await page.evaluate(() => performance.timeOrigin), loaded, "updated in place, not reloaded");
  for (const { url } of sockets) assert.equal(new URL(url).port, String(server.port), `${url} goes around the gateway`);
  assert.deepEqual(complaints, []);

  const live = sockets.at(-1);
  const { code, out, err } = await server.cli(["revoke", "--user", EMAIL]);
  assert.equal(code, 0, out + err);
  await until("the socket to close after the revocation", () => live.closed, { seconds: 3 });
});

test("httpbin: sees the user, never our cookies, never what a client invents (K01, K03, B09)", { timeout: 60_000 }, async (t) => {
  const upstream = await httpbin(t);
  const server = await before(t, "httpbin", upstream.url);
  const { client, user } = await signedIn(server);
  const seen = async (headers = {}) => {
    const answer = await client.get("/headers?show_env=1", { headers });
    assert.equal(answer.status, 200, answer.text);
    return Object.fromEntries(Object.entries(answer.json.headers).map(([name, value]) => [name.toLowerCase(), value]));
  };
  const plain = await seen({ cookie: `theme=dark; ${client.jar.header()}; lang=en` });
  assert.equal(plain["x-auth-user"], user.id);
  assert.equal(plain["x-auth-email"], EMAIL);
  assert.equal(plain.cookie, "theme=dark; lang=en", "the application's cookies pass, ours do not");
  assert.equal(plain.host, new URL(server.origin).host);
  assert.equal(plain["x-forwarded-proto"], "https");
  assert.equal(plain["x-forwarded-host"], new URL(server.origin).host);
  assert.equal(plain["x-forwarded-port"], String(server.port));
  assert.equal(plain["x-forwarded-for"], "127.0.0.1");
  assert.equal(plain["countersign-assertion"]?.split(".").length, 3);

  const spoofed = await seen({
    "X-Auth-User": "admin",
    x_auth_user: "admin",
    "X-AUTH-SCOPES": "root",
    "Countersign-Assertion": "forged",
    "X-Original-URL": "/admin",
    "X-Rewrite-URL": "/admin",
    connection: "close, X-Auth-User, Countersign-Assertion",
  });
  assert.equal(spoofed["x-auth-user"], user.id, "K03: Connection cannot remove what we add");
  assert.ok(!JSON.stringify(spoofed).match(/admin|root|forged/), JSON.stringify(spoofed));
});

test("Radicale: a server that believes a proxy header knows the user", { timeout: 60_000 }, async (t) => {
  const upstream = await radicale(t);
  const server = await before(t, "radicale", upstream.url, 'identity_headers = { user = "X-Remote-User" }');
  const { client, user } = await signedIn(server);
  const principal = await client.request("PROPFIND", "/", {
    headers: { origin: server.origin, depth: "0", "x-remote-user": "mallory", "content-type": "application/xml" },
    body: '<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>',
  });
  assert.equal(principal.status, 207, principal.text);
  assert.ok(principal.text.includes(`<href>/${user.id}/</href>`), principal.text);
  assert.ok(!principal.text.includes("mallory"), principal.text);
});
