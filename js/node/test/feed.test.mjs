// Revocations: by stream, by poll, and what happens without either (H03, H04, K11).
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Known } from "../src/known.js";
import { Parser } from "../src/sse.js";
import { asserted, bearer, hashed, issuer, outcome } from "./issuer.mjs";

const sid = (byte) => Buffer.alloc(16, byte).toString("base64url");

/** Milliseconds until the token is refused with `code`. */
async function until(verifier, token, code, within) {
  const start = performance.now();
  for (;;) {
    const got = await outcome(verifier, token);
    const took = performance.now() - start;
    if (got === code) return took;
    assert.ok(took < within, `still ${got} after ${within} ms`);
    await sleep(5);
  }
}

test("H03 H04: session, user and generation, within milliseconds by stream", async (t) => {
  const source = await issuer(t);
  const verifier = await source.ready();
  assert.deepEqual([...source.state.authorizations], ["Bearer csk_development_x"]);
  const cases = [
    ["sessions", hashed(sid(1)), { sid: sid(1) }, { sid: sid(2) }],
    ["users", { user: hashed("eve"), epoch: 4 }, { sub: "eve", epoch: 3 }, { sub: "eve", epoch: 4 }],
    ["abandoned", { session: hashed(sid(3)), first: 7, last: 8 }, { sid: sid(3), gen: 8 }, { sid: sid(3), gen: 9 }],
  ];
  for (const [kind, entry, dead, alive] of cases) {
    const victim = bearer(source.token(dead));
    const principal = await verifier.verify(victim);
    assert.equal(verifier.stillStands(principal), true);
    source.revoke(kind, entry);
    const took = await until(verifier, victim, "session_revoked", 900);
    t.diagnostic(`${kind}: ${took.toFixed(1)} ms`);
    assert.equal(verifier.stillStands(principal), false, "a connection that is open learns it too");
    assert.equal(await outcome(verifier, bearer(source.token(alive))), "ok");
  }
  assert.equal(source.state.counts.polls, 0, "no polls while the stream delivers");
});

test("H03: without a stream, by poll", async (t) => {
  const source = await issuer(t);
  source.state.stream = "off";
  const verifier = await source.ready();
  const victim = bearer(source.token({ sid: sid(1) }));
  assert.equal(await outcome(verifier, victim), "ok");
  source.revoke("sessions", hashed(sid(1)));
  await until(verifier, victim, "session_revoked", 2500);
});

test("H03: a stream that breaks misses nothing", async (t) => {
  const source = await issuer(t);
  const verifier = await source.ready();
  source.cut();
  source.state.entries.sessions.push(hashed(sid(1)));
  await until(verifier, bearer(source.token({ sid: sid(1) })), "session_revoked", 2500);
  assert.equal(await outcome(verifier, bearer(source.token())), "ok");
});

test("H03 K11: a feed that is silent or away is 503, never a pass; and mends itself", async (t) => {
  const source = await issuer(t);
  const verifier = await source.ready({ maxStaleness: 2 });
  const [good, dead] = [bearer(source.token()), bearer(source.token({ sid: sid(1) }))];
  source.revoke("sessions", hashed(sid(1)));
  await until(verifier, dead, "session_revoked", 900);
  const principal = await verifier.verify(good);
  source.state.stream = "silent";
  source.state.poll = "off";
  await until(verifier, good, "store_unavailable", 4000);
  const streams = source.state.counts.streams;
  for (const end = performance.now() + 5000; source.state.counts.streams === streams; await sleep(20)) {
    assert.ok(performance.now() < end, "a silent stream is given up");
  }
  assert.equal(verifier.isReady, false);
  assert.equal(verifier.stillStands(principal), false);
  assert.equal(await outcome(verifier, dead), "session_revoked", "what is known stays known");
  assert.equal(await outcome(verifier, asserted(source.statement())), "ok", "assertions do not need the feed");
  source.state.stream = "on";
  source.cut();
  await until(verifier, good, "ok", 4000);
});

test("H03: the feed of another issuer says nothing about ours", async (t) => {
  const source = await issuer(t);
  source.state.feedIssuer = "https://staging.example.com";
  const verifier = source.verifier();
  await sleep(1800);
  assert.ok(source.state.counts.streams + source.state.counts.polls >= 2);
  assert.equal(await outcome(verifier, bearer(source.token())), "store_unavailable");
});

test("H03: answers that are not in the format are not news", async (t) => {
  const source = await issuer(t);
  const verifier = await source.ready();
  source.state.entries.sessions.push("short");
  source.cut();
  await sleep(1500);
  source.state.stream = "off";
  source.cut();
  await until(verifier, bearer(source.token()), "store_unavailable", 7000);
});

test("a key that is refused is not tried in a hurry", async (t) => {
  const source = await issuer(t);
  source.state.stream = "refused";
  source.state.poll = "refused";
  const log = [];
  const verifier = source.verifier({ log: (line) => log.push(line) });
  await sleep(3500);
  assert.deepEqual([source.state.counts.streams, source.state.counts.polls], [1, 1]);
  assert.ok(log.some((line) => line.includes("revocations:read")));
  assert.ok(log.every((line) => !line.includes("csk_development_x")), "I01: the key is in no log");
  assert.equal(await outcome(verifier, bearer(source.token())), "store_unavailable");
});

test("what is known: nothing is taken back, and kept for an hour at least", () => {
  const known = new Known();
  const changes = (over) => ({ iss: "i", cursor: "1", keep_seconds: 10, sessions: [], users: [], abandoned: [], ...over });
  const token = (over) => ({ session: hashed("s"), user: hashed("u"), generation: 1, epoch: 1, ...over });
  known.merge(changes({ users: [{ user: hashed("u"), epoch: 4 }] }), 0);
  known.merge(changes({ users: [{ user: hashed("u"), epoch: 2 }] }), 0);
  assert.equal(known.refuses(token({ epoch: 3 })), true);
  assert.equal(known.refuses(token({ epoch: 4 })), false);
  known.merge(changes({ abandoned: [{ session: hashed("s"), first: 3, last: 3 }] }), 0);
  known.merge(changes({ abandoned: [{ session: hashed("s"), first: 7, last: 8 }] }), 0);
  known.merge(changes(), 0);
  const dead = [1, 2, 3, 4, 6, 7, 8, 9].filter((generation) => known.refuses(token({ generation, epoch: 9 })));
  assert.deepEqual(dead, [3, 7, 8]);
  known.forget(3_659_000);
  assert.equal(known.refuses(token({ epoch: 3 })), true);
  known.forget(3_661_000);
  assert.equal(known.refuses(token({ epoch: 3, generation: 7 })), false);
});

test("events come in any pieces", () => {
  const text = "retry: 1000\n\nevent: changes\ndata: {\"a\":\ndata:1}\n\n: comment\nevent: heartbeat\r\nid: 7\r\ndata: ü\r\n\r\nevent: none\n\n";
  const bytes = Buffer.from(text);
  const wanted = [{ name: "changes", data: '{"a":\n1}' }, { name: "heartbeat", data: "ü" }];
  for (let size = 1; size < bytes.length; size += 1) {
    const parser = new Parser();
    const got = [];
    for (let at = 0; at < bytes.length; at += size) got.push(...parser.push(bytes.subarray(at, at + size)));
    assert.deepEqual(got, wanted, `pieces of ${size}`);
  }
  assert.deepEqual(new Parser().push(Buffer.from("event: heartbeat\ndata: x\n")), [], "an event that does not end is none");
  assert.throws(() => new Parser().push(Buffer.alloc((1 << 20) + 1, "x")), RangeError);
  assert.throws(() => new Parser().push(Buffer.from([0x64, 0xff, 0x0a])), TypeError);
  const endless = new Parser();
  assert.throws(() => {
    for (let n = 0; n < 40; n += 1) endless.push(Buffer.from(`data: ${"x".repeat(1 << 15)}\n`));
  }, RangeError);
});
