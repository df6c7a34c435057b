// What /auth/openapi.json says is what is answered: schemathesis makes requests of the document, good ones and bad ones, and holds each
// answer against it. No 5xx, no status, content type or body that is not described.
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { PASSWORD, serve } from "../harness/countersign.mjs";
import { complete, temporary } from "../harness/process.mjs";

const EMAIL = "ada@example.com";
// The port that browsers would see; a loopback Host may have another.
const ORIGIN = "http://localhost:18080";
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
];
/** The same requests each time. */
const SEED = "20261122";

function program() {
  const python = process.env.COUNTERSIGN_E2E_PYTHON;
  if (!python) throw new Error("no Python environment: run this through `cargo xtask test-e2e`");
  return path.join(path.dirname(python), "schemathesis");
}

/** Who asks, what for, and with which credential. */
async function passes(server) {
  const key = async (...words) => {
    const made = await server.cli(["api-key", "create", EMAIL, "--expires-in", "1d", "--json", ...words]);
    assert.equal(made.code, 0, made.out + made.err);
    return JSON.parse(made.out).key;
  };
  const client = server.client();
  const signedIn = await client.request("POST", "/auth/login", { json: { email: EMAIL, password: PASSWORD, client_id: "native" } });
  assert.equal(signedIn.status, 200, signedIn.text);
  const only = (...paths) => paths.flatMap((name) => ["--include-path", name]);
  const machine = async (scope, ...rest) => await key("--name", scope, "--scope", scope, ...rest);
  return [
    { who: "nobody", filter: [] },
    {
      who: "a user",
      // Not signing out: the rest of the pass needs the session.
      filter: only("/auth/session", "/auth/sessions/{id}", "/auth/api-keys", "/auth/api-keys/{id}", "/auth/account"),
      bearer: signedIn.json.access_token,
    },
    { who: "introspect", filter: only("/auth/introspect"), bearer: await machine("introspect") },
    { who: "revoke", filter: only("/auth/revoke"), bearer: await machine("revoke") },
    { who: "revocations", filter: only("/auth/revocations"), bearer: await machine("revocations:read") },
    {
      who: "an application",
      filter: ["--include-name", "POST /auth/sessions"],
      bearer: await machine("sessions:open", "--address", "127.0.0.0/8"),
    },
  ];
}

test("every answer is one that the document describes", { timeout: 900_000 }, async (t) => {
  const server = await serve(t, {
    origin: ORIGIN,
    tls: "off",
    toml: `[[client]]
id = "native"
transport = "body"
`,
  });
  const added = await server.cli(["user", "add", EMAIL, "--password-stdin"], { input: `${PASSWORD}\n` });
  assert.equal(added.code, 0, added.out + added.err);
  const url = `http://127.0.0.1:${server.port}`;
  for (const { who, filter, bearer } of await passes(server)) {
    await t.test(who, { timeout: 600_000 }, async (t) => {
      const directory = await temporary(t, "schemathesis");
      const ran = await complete(
        program(),
        [
          ...["run", `${url}/auth/openapi.json`, "--url", url, "--checks", CHECKS.join(","), "--phases", "examples,coverage,fuzzing"],
          ...["--seed", SEED, "--max-examples", "6", "--no-shrink", "--continue-on-failure", "--max-redirects", "0", "--warnings", "off"],
          ...["--suppress-health-check", "all", "--workers", "1"],
          ...filter,
          ...(bearer ? ["--header", `Authorization: Bearer ${bearer}`] : []),
        ],
        { cwd: directory, seconds: 590, env: { ...process.env, NO_COLOR: "1", PYTHONDONTWRITEBYTECODE: "1" } },
      );
      assert.equal(ran.code, 0, ran.out + ran.err);
      assert.match(ran.out, /\d+ generated/, "it tried something");
    });
  }
});
