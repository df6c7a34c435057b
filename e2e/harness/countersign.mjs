// The binary under test, started as its users start it.
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "./client.mjs";
import { complete, start, temporary } from "./process.mjs";
import { freePort } from "./wait.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const BINARY =
  process.env.COUNTERSIGN_BIN ?? path.join(process.env.CARGO_TARGET_DIR ?? path.join(ROOT, "target"), "debug/countersign");

/** Long enough for F01, in no list of common words. */
export const PASSWORD = "violet tractor mends 47 quiet clouds";

// Nothing of the developer's own settings may reach the server under test.
function environment(extra) {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("COUNTERSIGN_"));
  return { ...Object.fromEntries(kept), NO_COLOR: "1", ...extra };
}

function binary() {
  if (!existsSync(BINARY)) throw new Error(`no binary at ${BINARY}: run this through \`cargo xtask test-e2e\``);
  return BINARY;
}

async function running(t, name, directory, args, { origin, port, admin, env }) {
  const probe = new Client(`http://127.0.0.1:${admin}`);
  const go = (t) =>
    start(t, name, binary(), args, {
      cwd: directory,
      env: environment(env),
      ready: async () => (await probe.get("/readyz")).status === 200,
    });
  const program = await go(t);
  return {
    ...program,
    /** Starts it again where it was, after `stop`. */
    again: go,
    origin,
    port,
    admin,
    directory,
    client: () => new Client(origin, { port }),
    /** Runs another command of the binary beside the server. */
    cli: (words, options = {}) => complete(binary(), words, { cwd: directory, env: environment(env), ...options }),
  };
}

/** `countersign dev`: HTTPS on localhost, the demonstration application unless `upstreams` are given. */
export async function dev(t, { upstreams = [], host = "localhost", env = {} } = {}) {
  const directory = await temporary(t, "dev");
  const [port, admin] = [await freePort(), await freePort()];
  const origin = `https://${host}:${port}`;
  const args = ["dev", "--public-url", origin, ...upstreams.flatMap((upstream) => ["--upstream", upstream])];
  return running(t, "countersign dev", directory, args, {
    origin,
    port,
    admin,
    env: { COUNTERSIGN_LISTEN__ADMIN: `127.0.0.1:${admin}`, ...env },
  });
}

/**
 * `countersign serve` with a configuration file. `toml` is appended to the head, so it begins with tables;
 * `head` holds top-level keys of the test's own.
 */
export async function serve(t, { toml = "", head = "", environment: label = "development", host = "localhost", origin, listen = "", tls, port: wanted } = {}) {
  const directory = await temporary(t, "serve");
  const [port, admin] = [wanted ?? (await freePort()), await freePort()];
  const publicUrl = origin ?? `https://${host}:${port}`;
  const configuration = `environment = "${label}"
public_url = "${publicUrl}"
store = "sqlite:countersign.db"
${head}
[listen]
address = "127.0.0.1:${port}"
admin = "127.0.0.1:${admin}"
${listen}
[tls]
mode = "${tls ?? "local-ca"}"
${toml}
`;
  await writeFile(path.join(directory, "countersign.toml"), configuration);
  return running(t, "countersign serve", directory, ["serve"], { origin: publicUrl, port, admin, env: {} });
}
