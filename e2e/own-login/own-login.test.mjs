// examples/own-login as its README says: a person signs in at the application, and has a session of Countersign's.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { browser, visitor } from "../harness/browser.mjs";
import { PASSWORD, serve } from "../harness/countersign.mjs";
import { start } from "../harness/process.mjs";
import { Client } from "../harness/client.mjs";
import { freePort, until } from "../harness/wait.mjs";

const EMAIL = "ada@example.com";
const EXAMPLE = fileURLToPath(new URL("../../examples/own-login/server.mjs", import.meta.url));

test("a login of the application's own, behind the gateway", { timeout: 90_000 }, async (t) => {
  const [port, app] = [await freePort(), await freePort()];
  const origin = `http://localhost:${port}`;
  const upstream = (keys) => `[accounts]
login_url = "/"
[[upstream]]
name = "app"
url = "http://127.0.0.1:${app}"
session_keys = ${JSON.stringify(keys)}
[[route]]
path = "/*"
auth = "optional"
`;
  const first = await serve(t, { origin, port, tls: "off", toml: upstream([]) });
  const run = async (words, options) => {
    const ran = await first.cli(words, options);
    assert.equal(ran.code, 0, ran.out + ran.err);
    return ran.out;
  };
  await run(["user", "add", EMAIL, "--password-stdin"], { input: "another password than the application's\n" });
  const made = JSON.parse(
    await run(["api-key", "create", EMAIL, "--name", "app", "--scope", "sessions:open", "--address", "127.0.0.1/32", "--expires-in", "1d", "--json"]),
  );
  await first.stop();
  const file = path.join(first.directory, "countersign.toml");
  await writeFile(file, (await readFile(file, "utf8")).replace("session_keys = []", `session_keys = ["${made.api_key.id}"]`));
  await first.again(t);
  await start(t, "the application", process.execPath, [EXAMPLE], {
    env: { PATH: process.env.PATH, COUNTERSIGN_URL: origin, SESSIONS_KEY: made.key, PORT: String(app) },
    ready: async () => (await new Client(`http://127.0.0.1:${app}`).get("/")).status === 200,
  });

  const chromium = await browser(t);
  const { page, context, complaints } = await visitor(chromium);
  const handed = [];
  page.on("response", (response) => handed.push(response.headers()["countersign-session"]));
  await page.goto(`${origin}/`);
  await page.locator("[name=email]").fill(EMAIL);
  await page.locator("[name=password]").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await until("to be known", async () => (await page.locator("#user").count()) > 0);
  const names = (await context.cookies()).map(({ name }) => name);
  assert.ok(names.some((name) => name.includes("cs-access")) && names.some((name) => name.includes("cs-refresh")), names.join());
  const session = await page.evaluate(async () => (await fetch("/auth/session")).json());
  assert.equal(session.user.email, EMAIL);
  assert.deepEqual(handed.filter(Boolean), [], "the code ends at the gateway");
  assert.deepEqual(complaints, []);

  // Somebody else's page with somebody's password: not signed in, and not by a wrong password either.
  const foreign = new Client(origin, { port });
  const body = new URLSearchParams({ email: EMAIL, password: PASSWORD }).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "cross-site", origin: "https://evil.example" };
  const refused = await foreign.request("POST", "/sign-in", { headers, body });
  assert.equal(refused.status, 403);
  assert.deepEqual(refused.setCookies, []);
});
