// Keys: fetched from one place, seldom, and again when one is unknown (A18, H08, H09).
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Verifier } from "../src/index.js";
import { readSet } from "../src/keys.js";
import { asserted, bearer, issuer, keyPair, outcome } from "./issuer.mjs";

// Assertions only: a feed that is not there yet must not hide what keys do.
const quick = { keyRefresh: 60, keyCooldown: 1, accessTokens: false, revocations: undefined };

test("H08: a new key is fetched when its first token comes, once for all who wait", async (t) => {
  const source = await issuer(t);
  const verifier = await source.ready(quick);
  await sleep(1100);
  const next = await keyPair();
  source.state.keys.push(next);
  const before = source.state.counts.keys;
  const token = asserted(source.statement({}, { key: next }));
  const codes = await Promise.all(Array.from({ length: 50 }, () => outcome(verifier, token)));
  assert.deepEqual(new Set(codes), new Set(["ok"]));
  assert.equal(source.state.counts.keys, before + 1);
});

test("H08: ten thousand invented key ids cost one fetch an interval", async (t) => {
  const source = await issuer(t);
  const verifier = await source.ready(quick);
  const before = source.state.counts.keys;
  const started = performance.now();
  const good = source.statement();
  const [, claims, signature] = good.split(".");
  for (let n = 0; n < 10_000; n += 1) {
    const head = Buffer.from(JSON.stringify(source.header({ typ: "cs-assertion+jwt", kid: `invented${n}` }))).toString("base64url");
    assert.equal(await outcome(verifier, asserted(`${head}.${claims}.${signature}`)), "token_invalid");
  }
  const intervals = Math.ceil((performance.now() - started) / 1000);
  assert.ok(source.state.counts.keys - before <= intervals, `${source.state.counts.keys - before} fetches in ${intervals} s`);
  assert.equal(await outcome(verifier, asserted(good)), "ok", "honest tokens go on");
});

test("H08: a key that the issuer took back is gone after the next refresh", async (t) => {
  const source = await issuer(t);
  const verifier = await source.ready({ keyRefresh: 1, keyCooldown: 1 });
  const [old] = source.state.keys;
  source.state.keys = [await keyPair()];
  await sleep(1500);
  assert.equal(await outcome(verifier, bearer(source.token({}, { key: old }))), "token_invalid");
  assert.equal(await outcome(verifier, bearer(source.token())), "ok");
});

test("K11: without keys, or with keys too old, nothing passes", async (t) => {
  const source = await issuer(t);
  source.state.keysAnswer = (_, response) => response.writeHead(500).end();
  const verifier = source.verifier({ ...quick, keyRefresh: 1, keyMaxAge: 2 });
  assert.equal(await outcome(verifier, asserted(source.statement())), "store_unavailable");
  source.state.keysAnswer = undefined;
  await verifier.ready();
  assert.equal(await outcome(verifier, asserted(source.statement())), "ok");
  source.state.keysAnswer = (_, response) => response.writeHead(500).end();
  await sleep(1000);
  assert.equal(await outcome(verifier, asserted(source.statement())), "ok", "an outage of a second does no harm");
  await sleep(1500);
  assert.equal(await outcome(verifier, asserted(source.statement())), "store_unavailable");
});

test("H09: redirects, other types, long and slow answers are no keys", { timeout: 60_000 }, async (t) => {
  const evil = await issuer(t);
  const set = () => JSON.stringify({ keys: evil.state.keys.map(({ jwk }) => jwk) });
  const answers = {
    "a status of another kind": (_, response) => response.writeHead(203, { "content-type": "application/json" }).end(set()),
    redirect: (_, response) => response.writeHead(302, { location: `${evil.origin}/.well-known/jwks.json` }).end(),
    "permanent redirect": (_, response) => response.writeHead(308, { location: `${evil.origin}/.well-known/jwks.json` }).end(),
    html: (_, response) => response.writeHead(200, { "content-type": "text/html" }).end(set()),
    long: (_, response) => response.writeHead(200, { "content-type": "application/json" }).end(set() + " ".repeat(1 << 20)),
    endless: (_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const timer = setInterval(() => response.write(" "), 100);
      response.on("close", () => clearInterval(timer));
    },
    slow: () => {},
    "cut off": (_, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": 10_000 });
      response.write(set());
      setTimeout(() => response.destroy(), 50);
    },
  };
  await Promise.all(
    Object.entries(answers).map(async ([name, answer]) => {
      const source = await issuer(t);
      source.state.keysAnswer = answer;
      const verifier = source.verifier(quick);
      assert.equal(await outcome(verifier, asserted(source.statement({}, { key: evil.state.keys[0] }))), "store_unavailable", name);
      assert.equal(verifier.isReady, false, name);
    }),
  );
  assert.equal(evil.state.counts.keys, 0, "nothing was followed");
});

test("H09: https only, but for loopback in development; one origin", () => {
  const options = { issuer: "https://app.example.com", environment: "production", audience: "api", assertions: true };
  const made = (over) => new Verifier({ ...options, log: () => {}, ...over }).close();
  made({});
  made({ fetchFrom: "https://10.0.0.1:8443" });
  made({ environment: "development", issuer: "http://localhost:8080" });
  const bad = [
    { issuer: "http://app.example.com" },
    { issuer: "http://app.example.com", environment: "development" },
    { issuer: "http://localhost:8080" },
    { fetchFrom: "http://127.0.0.1:1" },
    { fetchFrom: "http://127.0.0.1.example.com", environment: "development" },
    { issuer: "https://app.example.com/path" },
    { issuer: "https://u:p@app.example.com" },
    { issuer: undefined },
    { environment: "Production" },
    { environment: undefined },
    { audience: [] },
    { audience: "" },
    { audience: undefined },
    { assertions: false },
    { assertions: "yes" },
    { accessTokens: true },
    { accessTokens: true, revocations: "a b" },
    { leeway: 61 },
    { leeway: -1 },
    { maxStaleness: 1 },
    { maxStaleness: 3600 },
    { audiences: "api" },
  ];
  for (const over of bad) assert.throws(() => made(over), TypeError, JSON.stringify(over));
  made({ accessTokens: true, revocations: "csk_production_x" });
  made({ accessTokens: true, dangerouslyWithoutRevocations: true });
});

test("A18: a set that holds a private, symmetric or doubtful key is refused as a whole", async () => {
  const [ed, es] = [await keyPair(), await keyPair("ES256")];
  const read = (...keys) => readSet(Buffer.from(JSON.stringify({ keys })));
  assert.equal((await read(ed.jwk, es.jwk)).size, 2);
  assert.equal((await read(ed.jwk, { kty: "RSA", n: "AQAB", e: "AQAB", kid: "rsa" })).size, 1, "a kind that we do not use is passed over");
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
  const bad = [
    { ...ed.privateKey.export({ format: "jwk" }), kid: "x" },
    { ...rsa, kid: "x" },
    { kty: "oct", k: "AAAA", kid: "x" },
    { ...ed.jwk },
    { ...es.jwk, kid: undefined },
    { ...es.jwk, kid: "../x" },
    { ...es.jwk, use: "enc" },
    { ...es.jwk, alg: "EdDSA" },
    { ...es.jwk, key_ops: ["sign"] },
    { ...es.jwk, key_ops: ["verify", "sign"] },
    { ...es.jwk, x: "AAAA" },
    "key",
    null,
  ];
  for (const jwk of bad) await assert.rejects(read(ed.jwk, jwk), undefined, JSON.stringify(jwk));
  for (const text of ["", "{}", '{"keys":{}}', '{"keys":[]}', '{"keys":[],"keys":[]}']) await assert.rejects(readSet(Buffer.from(text)), undefined, text);
});
