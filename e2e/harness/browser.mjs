// A real Chromium that trusts exactly the keys it is told, and notes everything a page complains about.
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import tls from "node:tls";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const SCREENSHOTS = fileURLToPath(new URL("../../target/screenshots", import.meta.url));

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** SHA-256 of the public key that a TLS server presents, as Chromium wants it. */
function keyPin(port, servername) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: "127.0.0.1", port, servername, rejectUnauthorized: false }, () => {
      const certificate = new X509Certificate(socket.getPeerCertificate().raw);
      socket.destroy();
      const key = certificate.publicKey.export({ type: "spki", format: "der" });
      resolve(createHash("sha256").update(key).digest("base64"));
    });
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no TLS handshake on port ${port} in 10 s`)));
    socket.once("error", reject);
  });
}

/** Starts Chromium for the test `t`. `trust` lists `{ port, host }` of TLS servers; they and names under .test are loopback. */
export async function browser(t, { trust = [] } = {}) {
  const pins = await Promise.all(trust.map(({ port, host = "localhost" }) => keyPin(port, host)));
  const instance = await chromium.launch({
    executablePath: process.env.COUNTERSIGN_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      ...FLAGS,
      `--ignore-certificate-errors-spki-list=${pins.join(",")}`,
      `--host-resolver-rules=${["*.test", ...trust.map(({ host }) => host).filter(Boolean)].map((name) => `MAP ${name} 127.0.0.1`).join(", ")}`,
    ],
    timeout: 30_000,
  });
  t.after(() => instance.close());
  return instance;
}

/**
 * A page in a context of its own (its own cookies). `complaints` collects policy violations, errors thrown by
 * scripts, and console errors other than the status lines of answers that a test provokes.
 */
export async function visitor(instance, options = {}) {
  const context = await instance.newContext(options);
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`script error on ${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() !== "error" || /^Failed to load resource/.test(message.text())) return;
    complaints.push(`console error on ${page.url()}: ${message.text()}`);
  });
  return { context, page, complaints };
}

/** Fills and sends the sign-up or sign-in form, as the pages of ours name their fields. */
export async function submitCredentials(page, email, password) {
  await page.locator('main input[name="email"]').fill(email);
  await page.locator('main input[name="password"]').fill(password);
  await page.locator('main form:has(input[name="password"]) [type="submit"]').click();
}

/** Asserts that axe-core finds nothing against WCAG 2 A and AA on the page as it stands, light and dark. */
export async function accessible(page, name) {
  await page.evaluate(await axeSource());
  for (const colorScheme of ["light", "dark"]) {
    // Colours in transition would be measured half way.
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await violationsOf(page, `${name}, ${colorScheme}`);
  }
}

async function violationsOf(page, name) {
  const found = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  const lines = found.violations.map(
    (violation) => `${violation.id} (${violation.help}): ${violation.nodes.map((node) => node.html).join(" ")}`,
  );
  assert.deepEqual(lines, [], `accessibility of ${name}`);
}

let source;
async function axeSource() {
  const { readFile } = await import("node:fs/promises");
  source ??= await readFile(AXE, "utf8");
  return source;
}

const SHAPES = [
  ["phone-light", { viewport: { width: 390, height: 844 }, colorScheme: "light" }],
  ["phone-dark", { viewport: { width: 390, height: 844 }, colorScheme: "dark" }],
  ["desktop-light", { viewport: { width: 1280, height: 900 }, colorScheme: "light" }],
  ["desktop-dark", { viewport: { width: 1280, height: 900 }, colorScheme: "dark" }],
];

/** Pictures of the page in both widths and colour schemes; also asserts that nothing is wider than the window. */
export async function screenshots(page, name) {
  await mkdir(SCREENSHOTS, { recursive: true });
  for (const [shape, { viewport, colorScheme }] of SHAPES) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.screenshot({ path: path.join(SCREENSHOTS, `${name}-${shape}.png`), fullPage: true });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(overflow <= 0, `${name} at ${shape} is ${overflow} px wider than the window`);
  }
}
