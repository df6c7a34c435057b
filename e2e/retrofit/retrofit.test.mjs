// An application that keeps its token in localStorage, unmodified, behind two lines of configuration, in a real browser.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { browser, visitor } from "../harness/browser.mjs";
import { BINARY, PASSWORD } from "../harness/countersign.mjs";
import { Client } from "../harness/client.mjs";
import { start, temporary } from "../harness/process.mjs";
import { accepts, freePort, until } from "../harness/wait.mjs";

const LEAKY = fileURLToPath(new URL("../../examples/leaky-saas/start.mjs", import.meta.url));

/** Design §9 and the promise: nothing of the application changes. */
const TWO_LINES = `
[[retrofit]]
login = ["POST /api/login", "POST /api/signup"]
logout = ["POST /api/logout"]
`;

/** The application, with its log, and `countersign dev` before it. */
async function scene(t) {
  const directory = await temporary(t, "retrofit");
  const [behind, port, admin] = [await freePort(), await freePort(), await freePort()];
  const log = path.join(directory, "leaky.log");
  // Its first start installs packages and builds the page.
  await start(t, "leaky-saas", process.execPath, [LEAKY], {
    env: { ...process.env, PORT: String(behind), LOG: log },
    ready: () => accepts(behind),
    seconds: 240,
  });
  await writeFile(path.join(directory, "countersign.toml"), TWO_LINES);
  const origin = `https://localhost:${port}`;
  const probe = new Client(`http://127.0.0.1:${admin}`);
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("COUNTERSIGN_"));
  const args = ["dev", "--public-url", origin, "--upstream", `http://127.0.0.1:${behind}`];
  const server = await start(t, "countersign dev", BINARY, args, {
    cwd: directory,
    env: { ...Object.fromEntries(kept), NO_COLOR: "1", COUNTERSIGN_LISTEN__ADMIN: `127.0.0.1:${admin}` },
    ready: async () => (await probe.get("/readyz")).status === 200,
  });
  const tokens = async () => {
    const lines = await readFile(log, "utf8");
    return [...new Set(lines.match(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g) ?? [])];
  };
  return { origin, port, behind, server, tokens };
}

test("D19: the unmodified application works, and its token is nowhere that a thief could look", { timeout: 360_000 }, async (t) => {
  const { origin, port, behind, tokens } = await scene(t);
  const chromium = await browser(t, { trust: [{ port }] });
  const { page, context, complaints } = await visitor(chromium);
  const wire = [];
  page.on("response", async (answer) => {
    const headers = JSON.stringify(await answer.allHeaders().catch(() => ({})));
    wire.push(`${answer.url()} ${headers} ${await answer.text().catch(() => "")}`);
  });

  await page.goto(origin);
  await page.getByRole("button", { name: "I am new here" }).click();
  await page.getByLabel("Name").fill("Ada Lovelace");
  await page.getByLabel("E-mail").fill("ada@example.com");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign up" }).click();

  // The page reads the name out of what it takes for its token.
  await page.getByRole("link", { name: "Ada Lovelace" }).waitFor();
  await page.getByLabel("A new note").fill("buy milk");
  await page.getByRole("button", { name: "Keep" }).click();
  await page.getByText("buy milk").waitFor();
  await page.reload();
  await page.getByText("buy milk").waitFor();

  const stored = await page.evaluate(() => localStorage.getItem("token"));
  assert.match(stored, /^eyJ[\w-]+\.[\w-]+\.countersign$/, "only the placeholder");
  assert.equal(await page.evaluate(() => document.cookie.includes("access")), false);

  // The application got its real token: its own log shows it.
  const [real, ...others] = await tokens();
  assert.ok(real && others.length === 0, "one token, as the application wrote it");
  const signature = real.split(".").at(-1);
  assert.notEqual(signature, "countersign");
  const seen = wire.join("\n");
  assert.ok(seen.includes("/api/signup") && !seen.includes(signature), "the token is not on the wire to the browser");
  const storage = JSON.stringify(await context.storageState());
  assert.ok(!storage.includes(signature));

  // Taken out of that log, it opens nothing from outside, though the application itself would take it for a month.
  const thief = new Client(origin, { port });
  const answer = await thief.get("/api/notes", { headers: { authorization: `Bearer ${real}` } });
  assert.equal(answer.status, 401);
  const inside = await fetch(`http://127.0.0.1:${behind}/api/notes`, { headers: { authorization: `Bearer ${real}` } });
  assert.equal(inside.status, 200, "which is why nobody but the gateway may reach it");
  const placeholder = await thief.get("/api/notes", { headers: { authorization: `Bearer ${stored}` } });
  assert.equal(placeholder.status, 401);

  // Log out, as the page does it; then the copied jar is worth nothing.
  const copied = await context.cookies();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("button", { name: "Log in" }).waitFor();
  const stolen = await chromium.newContext();
  await stolen.addCookies(copied);
  const robbed = await stolen.newPage();
  await robbed.goto(origin);
  assert.equal(await robbed.evaluate(() => fetch("/api/notes").then((said) => said.status)), 401);

  // And in again, by the other door.
  await page.getByLabel("E-mail").fill("ada@example.com");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("buy milk").waitFor();
  assert.match(await page.evaluate(() => localStorage.getItem("token")), /\.countersign$/);
  await until("the log to hold the second token", async () => (await tokens()).length === 2);
  assert.deepEqual(complaints, []);
});
