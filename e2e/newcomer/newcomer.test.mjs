// A newcomer runs `countersign dev` and tries it in a browser, as the README says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible, browser, screenshots, submitCredentials, visitor } from "../harness/browser.mjs";
import { dev, PASSWORD } from "../harness/countersign.mjs";
import { until } from "../harness/wait.mjs";

const EMAIL = "ada@example.com";

async function opened(t, options) {
  const server = await dev(t);
  const chromium = await browser(t, { trust: [{ port: server.port }] });
  return { server, chromium, ...(await visitor(chromium, options)) };
}

async function signUp(page, server, email = EMAIL) {
  await page.goto(`${server.origin}/auth/signup`);
  await submitCredentials(page, email, PASSWORD);
  await page.waitForURL((url) => !url.pathname.startsWith("/auth/signup"));
}

async function logIn(page, server, email = EMAIL) {
  await page.goto(`${server.origin}/auth/login`);
  await submitCredentials(page, email, PASSWORD);
  await page.waitForURL((url) => !url.pathname.startsWith("/auth/login"));
}

test("sign up, be known, be robbed of nothing, and be out at once", { timeout: 90_000 }, async (t) => {
  const { server, chromium, context, page, complaints } = await opened(t);

  await page.goto(`${server.origin}/`);
  assert.match(new URL(page.url()).pathname, /^\/auth\/login/, "a stranger is asked to sign in");
  await signUp(page, server);
  await page.goto(`${server.origin}/`);
  await page.getByText(EMAIL).first().waitFor();

  // B01, D19: the script of the incident reports gets what was planted, and nothing of ours.
  await page.getByRole("button", { name: /theft|steal/i }).click();
  const planted = await until("the planted token and cookie", () =>
    page.evaluate(() => {
      const tokens = Object.values({ ...localStorage });
      const readable = document.cookie.split("; ").filter((pair) => pair && !pair.startsWith("__Host-"));
      return tokens.length && readable.length ? { tokens, readable } : undefined;
    }),
  );
  const secrets = (await context.cookies()).filter((cookie) => cookie.httpOnly && cookie.value.length > 8);
  assert.ok(secrets.some((cookie) => cookie.name.startsWith("__Host-Http-cs-access")), "signed in by cookie");
  assert.ok(secrets.some((cookie) => cookie.name.startsWith("__Host-Http-cs-refresh")), "can refresh by cookie");
  const loot = await until("the loot to be shown", async () => {
    const text = await page.locator("body").innerText();
    const cookies = planted.readable.map((pair) => pair.slice(pair.indexOf("=") + 1));
    return [...planted.tokens, ...cookies].every((value) => text.includes(value)) && text;
  });
  for (const { name, value } of secrets) assert.ok(!loot.includes(value), `the loot holds ${name}`);
  const readable = await page.evaluate(() => document.cookie);
  assert.ok(!readable.includes("__Host-Http-cs-"), `script reads ${readable}`);
  // What the session's answer holds is shown as it is, and called what it is.
  for (const member of ["user = ", "session = ", "csrf_token = "]) assert.ok(loot.includes(member), `${member} in ${loot}`);
  assert.ok(loot.includes(EMAIL) && loot.includes("no credential"), loot);
  await screenshots(page, "demo-theft");
  await accessible(page, "the loot of the theft script");
  await page.getByRole("button", { name: "Am I still signed in?" }).click();
  await page.getByText(`Yes, as ${EMAIL}`).waitFor();

  // D10, D12: another browser of the same user ends the first one's session.
  const other = await visitor(chromium);
  await logIn(other.page, server);
  await other.page.goto(`${server.origin}/auth/account`);
  await screenshots(other.page, "account");
  await accessible(other.page, "the account page");
  const elsewhere = other.page.locator("li", { hasNotText: "This device" });
  assert.equal(await elsewhere.count(), 1, "one other session is listed");
  const ended = other.page.waitForResponse((response) => /\/auth\/account\/sessions\/.+\/end$/.test(response.url()));
  await elsewhere.getByRole("button", { name: /^Sign out/ }).click();
  assert.equal((await ended).status(), 303);
  const answer = await page.evaluate(async () => {
    const response = await fetch("/auth/session");
    return { status: response.status, code: (await response.json()).code };
  });
  assert.deepEqual(answer, { status: 401, code: "session_revoked" });
  await page.getByRole("button", { name: "Am I still signed in?" }).click();
  await page.getByText("No. The session was ended").waitFor();
  await screenshots(page, "demo-ended");
  await page.goto(`${server.origin}/`);
  assert.match(new URL(page.url()).pathname, /^\/auth\/login/, "out on the next page");
  await page.getByText("ended from another of your devices").waitFor();
  await other.page.goto(`${server.origin}/`);
  await other.page.getByText(EMAIL).first().waitFor();

  assert.deepEqual([...complaints, ...other.complaints], []);
});

test("every page works with script off", { timeout: 60_000 }, async (t) => {
  const { server, page } = await opened(t, { javaScriptEnabled: false });
  await signUp(page, server);
  await page.goto(`${server.origin}/auth/account`);
  await page.getByText(EMAIL).first().waitFor();
  await page.locator("li", { hasText: "This device" }).getByRole("button", { name: /^Sign out/ }).click();
  await page.waitForLoadState();
  await page.goto(`${server.origin}/auth/account`);
  assert.match(new URL(page.url()).pathname, /^\/auth\/login/, "signed out");
  await page.goto(`${server.origin}/auth/login`);
  await submitCredentials(page, EMAIL, "not the password at all");
  await page.locator('[role="alert"]').first().waitFor();
  assert.equal(await page.locator('input[name="email"]').inputValue(), EMAIL, "what was typed is kept");
  await submitCredentials(page, EMAIL, PASSWORD);
  await page.waitForURL((url) => !url.pathname.startsWith("/auth/login"));
});

test("sign in with the keyboard alone", { timeout: 60_000 }, async (t) => {
  const { server, chromium, page } = await opened(t);
  await signUp(page, server);
  const { page: second, complaints } = await visitor(chromium);
  await second.goto(`${server.origin}/auth/login?return_to=/auth/account`);
  const focused = () => second.evaluate(() => document.activeElement?.getAttribute("name"));
  const tabTo = async (name) => {
    for (let presses = 0; presses < 15; presses += 1) {
      if ((await focused()) === name) return;
      await second.keyboard.press("Tab");
    }
    assert.fail(`Tab does not reach ${name}`);
  };
  await tabTo("email");
  await second.keyboard.type(EMAIL);
  await tabTo("password");
  await second.keyboard.type(PASSWORD);
  await second.keyboard.press("Enter");
  await second.waitForURL(`${server.origin}/auth/account`);
  assert.deepEqual(complaints, []);
});

test("J01: pages keep to their own policy, read well aloud, and fit a phone", { timeout: 60_000 }, async (t) => {
  const { server, page, complaints } = await opened(t);
  for (const [name, path] of [["login", "/auth/login"], ["signup", "/auth/signup"], ["not-found", "/auth/nothing-here"]]) {
    const response = await page.goto(server.origin + path);
    const policy = response.headers()["content-security-policy"] ?? "";
    assert.match(policy, /script-src 'nonce-[^']+' 'strict-dynamic'/, path);
    for (const directive of ["object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"]) {
      assert.ok(policy.includes(directive), `${path}: ${directive} in ${policy}`);
    }
    assert.match(policy, /require-trusted-types-for 'script'/, path);
    await screenshots(page, name);
    await accessible(page, name);
  }
  await signUp(page, server);
  await page.goto(`${server.origin}/`);
  await screenshots(page, "demo");
  await accessible(page, "the demonstration application");
  assert.deepEqual(complaints, []);
});
