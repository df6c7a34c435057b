// What other web sites can make a signed-in browser do: links work, nothing else acts as the user.
import assert from "node:assert/strict";
import { test } from "node:test";
import { browser, submitCredentials, visitor } from "../harness/browser.mjs";
import { PASSWORD, serve } from "../harness/countersign.mjs";
import { site } from "../harness/upstreams.mjs";
import { until } from "../harness/wait.mjs";

const HOST = "app.site.localhost";
const SIBLING = "evil.site.localhost";

const user = (request) => request.headers["x-auth-user"] ?? "nobody";
const html = (body) => `<!doctype html><html lang="en"><title>page</title><body>${body}</body></html>`;

/** A signed-in browser at the application; `received` lists what the application's server was asked since. */
async function signedIn(t) {
  const application = await site(t, {
    "/": (request) => html(`<p id="user">${user(request)}</p>`),
    "/deep/page": (request) => html(`<p id="user">${user(request)}</p><h2 id="part">Part</h2>`),
    "/open/image": () => "",
    "/open/frame": (request) => html(`<p id="user">${user(request)}</p>`),
    "/transfer": (request) => html(`<p id="user">${user(request)}</p>`),
  });
  const server = await serve(t, {
    host: HOST,
    toml: `[[upstream]]
name = "app"
url = "${application.url}"
[[route]]
path = "/open/*"
auth = "optional"
`,
  });
  // The same path of attack from a foreign site, and from a neighbour that the browser counts as the same site.
  const attacks = {
    "/": html(
      `<a id="link" href="${server.origin}/deep/page?x=1#part">link</a>
       <form id="form" method="post" action="${server.origin}/transfer"><input name="to" value="mallory"></form>`,
    ),
    "/image": html(`<img src="${server.origin}/open/image"><img src="${server.origin}/deep/page">`),
    "/frame": html(`<iframe src="${server.origin}/open/frame"></iframe><iframe src="${server.origin}/deep/page"></iframe>`),
  };
  const foreign = await site(t, attacks);
  const sibling = await site(t, attacks, { names: [SIBLING] });
  const chromium = await browser(t, {
    trust: [{ port: server.port, host: HOST }, { port: sibling.port, host: SIBLING }],
  });
  const { page, context } = await visitor(chromium);
  await page.goto(`${server.origin}/auth/signup`);
  await submitCredentials(page, "ada@example.com", PASSWORD);
  await page.waitForURL((url) => !url.pathname.startsWith("/auth/"));
  await page.goto(`${server.origin}/`);
  const id = await page.locator("#user").innerText();
  assert.notEqual(id, "nobody");
  application.requests.length = 0;
  return {
    server,
    page,
    context,
    id,
    received: application.requests,
    from: { foreign: `http://foreign.test:${foreign.port}`, sibling: `https://${SIBLING}:${sibling.port}` },
  };
}

for (const origin of ["foreign", "sibling"]) {
  test(`a link from a ${origin} site arrives signed in, fragment and query kept`, { timeout: 60_000 }, async (t) => {
    const { page, id, from, server } = await signedIn(t);
    await page.goto(`${from[origin]}/`);
    await page.locator("#link").click();
    await until("the page to know the user", async () => (await page.locator("#user").count()) && (await page.locator("#user").innerText()) === id);
    assert.equal(page.url(), `${server.origin}/deep/page?x=1#part`);
  });

  test(`C05: images and frames of a ${origin} site act as nobody`, { timeout: 60_000 }, async (t) => {
    const { page, from, received } = await signedIn(t);
    await page.goto(`${from[origin]}/image`, { waitUntil: "load" });
    await page.goto(`${from[origin]}/frame`, { waitUntil: "load" });
    const open = await until("the open paths to be asked for", () => {
      const urls = received.map((request) => request.url);
      return urls.includes("/open/image") && urls.includes("/open/frame") && received;
    });
    const known = open.filter((request) => user(request) !== "nobody" || request.headers["countersign-assertion"]);
    assert.deepEqual(known.map((request) => request.url), [], "carried an identity");
    assert.deepEqual(open.filter((request) => request.url === "/deep/page"), [], "a protected page was served");
  });

  test(`C01: a form of a ${origin} site is refused before the application`, { timeout: 60_000 }, async (t) => {
    const { page, from, received, server } = await signedIn(t);
    await page.goto(`${from[origin]}/`);
    const answered = page.waitForResponse(`${server.origin}/transfer`);
    await page.evaluate(() => document.querySelector("#form").submit());
    const status = (await answered).status();
    assert.ok([401, 403].includes(status) || status === 303, `answered ${status}`);
    if (origin === "sibling") assert.equal(status, 403, "its cookies are sent: the origin check refuses");
    assert.deepEqual(received.filter((request) => request.url === "/transfer"), []);
  });
}

test("the application's own images, frames and forms act as the user", { timeout: 60_000 }, async (t) => {
  const { page, id, received, server } = await signedIn(t);
  await page.goto(`${server.origin}/deep/page`);
  await page.evaluate(() => {
    document.body.insertAdjacentHTML(
      "beforeend",
      '<img src="/open/image"><iframe src="/open/frame"></iframe><form id="form" method="post" action="/transfer"></form>',
    );
  });
  await until("image and frame", () => received.filter((request) => request.url.startsWith("/open/")).length === 2);
  const posted = page.waitForURL(`${server.origin}/transfer`);
  await page.evaluate(() => document.querySelector("#form").submit());
  await posted;
  for (const request of received.filter(({ url }) => url !== "/favicon.ico")) assert.equal(user(request), id, request.url);
});
