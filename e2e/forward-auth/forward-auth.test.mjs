// A person at an application whose operator kept nginx, Caddy or HAProxy: sign-in, a refresh on the way, a link from
// elsewhere, a form, sign-out; and the application never sees a token.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { browser, submitCredentials, visitor } from "../harness/browser.mjs";
import { PASSWORD, serve } from "../harness/countersign.mjs";
import { temporary } from "../harness/process.mjs";
import { HOST, asking } from "../harness/proxies.mjs";
import { site } from "../harness/upstreams.mjs";
import { freePort, sleep, until } from "../harness/wait.mjs";

const EMAIL = "ada@example.com";
const SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778";
const html = (body) => `<!doctype html><html lang="en"><title>notes</title><body>${body}</body></html>`;
const user = (request) => request.headers["x-auth-user"] ?? "nobody";

for (const kind of ["nginx", "caddy", "haproxy"]) {
  test(`a visit by way of ${kind}`, { timeout: 90_000 }, async (t) => {
    const notes = (request) =>
      html(`<p id="user">${user(request)}</p><form method="post" action="/notes"><button>save</button></form>`);
    const application = await site(t, { "/notes": notes, "/favicon.ico": () => "" });
    const directory = await temporary(t, "secret");
    const file = path.join(directory, "forward-auth.secret");
    await writeFile(file, `${SECRET}\n`, { mode: 0o600 });
    const port = await freePort();
    const origin = `https://${HOST}:${port}`;
    const server = await serve(t, {
      environment: "staging",
      origin,
      tls: "off",
      listen: 'trusted_proxies = ["127.0.0.1"]',
      toml: `[tokens]
access_ttl = "6s"
leeway = "0s"
[forward_auth]
proxy = "${kind}"
secret_file = "${file}"
[[upstream]]
name = "app"
url = "${application.url}"
`,
    });
    const added = await server.cli(["user", "add", EMAIL, "--password-stdin"], { input: `${PASSWORD}\n` });
    assert.equal(added.code, 0, added.out + added.err);
    await asking(t, kind, { port, secret: SECRET, countersign: server.port, app: application.port });
    const chromium = await browser(t, { trust: [{ port, host: HOST }] });
    const { page, context, complaints } = await visitor(chromium);
    const known = async () => (await page.locator("#user").count()) > 0 && (await page.locator("#user").innerText()) !== "nobody";

    // To sign in, and back.
    await page.goto(`${origin}/notes?x=1`);
    assert.equal(new URL(page.url()).pathname, "/auth/login");
    assert.deepEqual(application.requests, []);
    await submitCredentials(page, EMAIL, PASSWORD);
    await page.waitForURL(`${origin}/notes?x=1`);
    assert.ok(await known());
    const id = await page.locator("#user").innerText();

    // Late, and refreshed on the way: the person notices nothing. (Twice within 5 s would end at the sign-in page.)
    const refresh = async () => (await context.cookies()).find(({ name }) => name.includes("cs-refresh")).value;
    const before = await refresh();
    await sleep(7_000);
    await page.reload();
    assert.equal(page.url(), `${origin}/notes?x=1`);
    assert.equal(await page.locator("#user").innerText(), id);
    assert.notEqual(await refresh(), before, "the session went on to its next token");

    // A form of the application's own.
    await page.reload();
    await page.getByRole("button", { name: "save" }).click();
    await until("the form to arrive", () => application.requests.some(({ method }) => method === "POST"));
    assert.equal(user(application.requests.findLast(({ method }) => method === "POST")), id);

    // A link from elsewhere arrives signed in.
    const foreign = await site(t, { "/": html(`<a id="link" href="${origin}/notes?from=elsewhere">notes</a>`) });
    await page.goto(`http://foreign.test:${foreign.port}/`);
    await page.locator("#link").click();
    await page.waitForURL(`${origin}/notes?from=elsewhere`);
    await until("the page to know the user", known);

    // Out, at once.
    const status = await page.evaluate(async () => {
      const { csrf_token: token } = await (await fetch("/auth/csrf")).json();
      return (await fetch("/auth/logout", { method: "POST", headers: { "X-CSRF-Token": token } })).status;
    });
    assert.equal(status, 204);
    await page.goto(`${origin}/notes`);
    assert.equal(new URL(page.url()).pathname, "/auth/login");

    for (const { url, headers } of application.requests) {
      assert.doesNotMatch(JSON.stringify(headers), /cs-(access|refresh|csrf|hint)|countersign-forward-auth/, url);
    }
    assert.deepEqual(complaints, []);
  });
}
