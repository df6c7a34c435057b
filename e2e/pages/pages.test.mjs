// What our pages tell the person in front of them, in a real browser: robbed, asked again, invited too late, held up.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible, browser, screenshots, submitCredentials, visitor } from "../harness/browser.mjs";
import { dev, PASSWORD, serve } from "../harness/countersign.mjs";
import { sleep } from "../harness/wait.mjs";

const GRACE = 2; // seconds; the shortest that design §5 allows
const EMAIL = "ada@example.com";
const named = (t, toml) => serve(t, { toml: `[pages]\nproduct_name = "Acme Books"\n${toml}` });

async function opened(t, starting) {
  const server = await starting;
  const chromium = await browser(t, { trust: [{ port: server.port }] });
  return { server, chromium, ...(await visitor(chromium)) };
}

async function enter(page, server, path) {
  await page.goto(`${server.origin}${path}`);
  await submitCredentials(page, EMAIL, PASSWORD);
  await page.waitForURL((url) => url.pathname !== path.split("?")[0]);
}

/** Rotates and uses the new generation, as a page's own script does. */
const rotate = (page) =>
  page.evaluate(async () => {
    const { csrf_token } = await (await fetch("/auth/csrf")).json();
    const headers = { "x-csrf-token": csrf_token };
    const answer = await fetch("/auth/refresh", { method: "POST", headers });
    await fetch("/auth/session");
    return { status: answer.status, code: (await answer.json()).code };
  });

test("D01: the person robbed is told so at the door, and finds it in their account", { timeout: 90_000 }, async (t) => {
  const { server, chromium, context, page, complaints } = await opened(
    t,
    dev(t, { env: { COUNTERSIGN_ROTATION__REUSE_GRACE: `${GRACE}s`, COUNTERSIGN_PAGES__PRODUCT_NAME: "Acme Books" } }),
  );
  await enter(page, server, "/auth/signup");
  const thief = await visitor(chromium, { storageState: await context.storageState() });
  await thief.page.goto(`${server.origin}/auth/signed-out`);
  assert.equal(new URL(thief.page.url()).pathname, "/auth/account", "nobody signed in is told that they are signed out");
  await thief.page.goto(`${server.origin}/`);
  assert.equal((await rotate(page)).status, 200);
  await sleep((GRACE + 1.5) * 1000);
  assert.deepEqual(await rotate(thief.page), { status: 401, code: "refresh_reused" });

  const told = page.getByText("A copy of your sign-in was used somewhere else");
  await page.goto(`${server.origin}/auth/account`);
  await told.waitFor();
  await page.goto(`${server.origin}/auth/login?reason=none`);
  await told.waitFor();
  await screenshots(page, "sign-in-robbed");
  await accessible(page, "the sign-in page of somebody robbed");
  // Once the grace has passed the cookies are cleared, and it is still known.
  await sleep((GRACE + 0.5) * 1000);
  await page.goto(`${server.origin}/auth/account`);
  await told.waitFor();
  const left = (await context.cookies()).map(({ name }) => name);
  assert.ok(!left.some((name) => name.includes("cs-refresh")), `cleared: ${left}`);
  await page.reload();
  await told.waitFor();

  await page.getByRole("link", { name: "look at where you are signed in" }).click();
  await submitCredentials(page, EMAIL, PASSWORD);
  await page.waitForURL(`${server.origin}/auth/account`);
  await page.getByText("was used somewhere else, so we ended that session").waitFor();
  await page.getByText("A copy was used elsewhere").waitFor();
  await screenshots(page, "account-robbed");
  await accessible(page, "the account page of somebody robbed");
  await page.getByRole("link", { name: "change it" }).click();
  assert.equal(new URL(page.url()).hash, "#password-title");

  await page.locator("li", { hasText: "This device" }).getByRole("button", { name: /^Sign out/ }).click();
  await page.waitForURL(`${server.origin}/auth/signed-out`);
  await page.getByText("This browser holds no session of Acme Books").waitFor();
  await screenshots(page, "signed-out");
  await accessible(page, "the page after signing out");
  assert.deepEqual([...complaints, ...thief.complaints], []);
});

test("D13: whoever is asked again reads why, and types the password alone", { timeout: 60_000 }, async (t) => {
  const { server, page, complaints } = await opened(
    t,
    named(t, `[[upstream]]\nname = "app"\nurl = "http://127.0.0.1:9"\n[[route]]\npath = "/admin/*"\nmax_auth_age = "1s"`),
  );
  await enter(page, server, "/auth/signup?return_to=/auth/account");
  await sleep(1500);
  await page.goto(`${server.origin}/admin/users`);
  assert.equal(new URL(page.url()).pathname, "/auth/login");
  await page.getByRole("heading", { name: "Confirm it is you" }).waitFor();
  assert.equal(await page.title(), "Confirm it is you · Acme Books");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "password");
  await screenshots(page, "sign-in-confirm");
  await accessible(page, "the page that asks again");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${server.origin}/admin/users`);
  assert.deepEqual(complaints, []);
});

test("an invitation that was used shows no form, and who guesses is told how long to wait", { timeout: 60_000 }, async (t) => {
  const { server, page, complaints } = await opened(
    t,
    named(t, `[accounts]\nsignup = "invite"\n[throttle]\nfree_failures = 1\nfirst_delay = "90s"`),
  );
  const invited = await server.cli(["user", "invite", EMAIL, "--json"]);
  assert.equal(invited.code, 0, invited.err);
  const { link } = JSON.parse(invited.out).invitation;
  await page.goto(link);
  assert.equal(await page.title(), "Create an account · Acme Books");
  await screenshots(page, "signup-invited");
  await submitCredentials(page, EMAIL, PASSWORD);
  await page.waitForURL((url) => url.pathname !== "/auth/signup");
  await page.context().clearCookies();

  await page.goto(link);
  await page.getByRole("heading", { name: "This invitation no longer works" }).waitFor();
  assert.equal(await page.locator("form").count(), 0);
  await screenshots(page, "dead-invitation");
  await accessible(page, "the page of a used invitation");
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Sign in to Acme Books" }).waitFor();
  for (const guess of ["not this one at all", "and not this one too"]) {
    await submitCredentials(page, EMAIL, guess);
    await page.locator('[role="alert"]').first().waitFor();
  }
  await page.getByText("Wait 90 seconds, then try again").waitFor();
  await screenshots(page, "sign-in-throttled");
  await accessible(page, "the sign-in page of somebody held up");
  assert.deepEqual(complaints, []);
});
