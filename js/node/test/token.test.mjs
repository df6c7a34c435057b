// What a token must be, over the same table of refusals as the server's (A01-A16).
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { asserted, bearer, issuer, keyPair, outcome, request, signed } from "./issuer.mjs";

/** An issuer and a verifier of its tokens. */
async function scene(t, options) {
  const source = await issuer(t);
  return { source, verifier: await source.ready(options) };
}

test("good tokens of both kinds name their principal", async (t) => {
  const { source, verifier } = await scene(t);
  const direct = await verifier.verify(bearer(source.token()));
  assert.deepEqual(
    [direct.credential, direct.user, direct.client, direct.scope, direct.amr, direct.session, direct.verifiedEmail],
    ["access_token", "LPJNul", "web", ["orders:read"], ["pwd"], undefined, undefined],
  );
  const through = await verifier.verify(asserted(source.statement()));
  assert.deepEqual(
    [through.credential, through.user, through.session, through.verifiedEmail],
    ["assertion", "LPJNul", "pub1", "ada@example.com"],
  );
  assert.equal((await verifier.verify(bearer(source.token({ aud: "api" })))).user, "LPJNul", "aud may be a string");
  const byKey = { session: undefined, auth_time: undefined, amr: undefined, api_key: "key1" };
  assert.equal((await verifier.verify(asserted(source.statement(byKey)))).apiKey, "key1");
  for (const neither of [{ api_key: "key1" }, { ...byKey, auth_time: 1 }, { ...byKey, amr: ["pwd"] }, { ...byKey, api_key: undefined }]) {
    assert.equal(await outcome(verifier, asserted(source.statement(neither))), "token_invalid", JSON.stringify(neither));
  }
});

test("ES256, and the fully specified name of Ed25519 (A20)", async (t) => {
  const source = await issuer(t);
  const es = await keyPair("ES256");
  source.state.keys.push(es);
  const verifier = await source.ready();
  assert.equal(await outcome(verifier, bearer(source.token({}, { key: es }))), "ok");
  assert.equal(await outcome(verifier, bearer(source.token({}, { header: { alg: "Ed25519" } }))), "ok");
});

test("A01 A02 A03 A05 A08 A14: headers", async (t) => {
  const { source, verifier } = await scene(t);
  const [key] = source.state.keys;
  const cases = [
    ...["none", "None", "NONE", "noNE", "", "HS256", "RS256", "eddsa", "ES256", null, ["EdDSA"]].map((alg) => [{ alg }, "token_invalid"]),
    [{ alg: undefined }, "token_invalid"],
    ...["../../dev/null", "' OR 1=1", "k".repeat(10_000), "\0", 1, undefined, "", "unknown"].map((kid) => [{ kid }, "token_invalid"]),
    ...["JWT", "at+JWT", undefined, "cs-assertion+jwt", "", null].map((typ) => [{ typ }, "wrong_purpose"]),
    [{ crit: ["exp"] }, "token_invalid"],
    [{ crit: [] }, "token_invalid"],
    [{ b64: false }, "token_invalid"],
    [{ zip: "DEF" }, "token_invalid"],
    [{ enc: "A256GCM" }, "token_invalid"],
    [{ jwk: key.jwk }, "token_invalid"],
    [{ jku: `${source.origin}/evil` }, "token_invalid"],
    [{ x5u: `${source.origin}/evil` }, "token_invalid"],
    [{ x5c: ["AA"] }, "token_invalid"],
  ];
  for (const [header, code] of cases) {
    assert.equal(await outcome(verifier, bearer(source.token({}, { header }))), code, JSON.stringify(header));
  }
  assert.equal(await outcome(verifier, bearer(source.token({}, { header: { typ: "application/at+jwt" } }))), "ok");
});

test("A02: a public key is no HMAC secret", async (t) => {
  const { source, verifier } = await scene(t);
  const [key] = source.state.keys;
  for (const secret of [JSON.stringify(key.jwk), Buffer.from(key.jwk.x, "base64url")]) {
    const header = Buffer.from(JSON.stringify({ ...source.header(), alg: "HS256" })).toString("base64url");
    const input = `${header}.${Buffer.from(JSON.stringify(source.access())).toString("base64url")}`;
    const mac = createHmac("sha256", secret).update(input).digest("base64url");
    assert.equal(await outcome(verifier, bearer(`${input}.${mac}`)), "token_invalid");
  }
});

test("A02 A04: a signature by any other key", async (t) => {
  const { source, verifier } = await scene(t);
  const other = { ...(await keyPair()), kid: source.state.keys[0].kid };
  assert.equal(await outcome(verifier, bearer(source.token({}, { key: other }))), "token_invalid");
  const good = source.token();
  const [head, , signature] = good.split(".");
  const changed = Buffer.from(JSON.stringify(source.access({ sub: "root" }))).toString("base64url");
  assert.equal(await outcome(verifier, bearer(`${head}.${changed}.${signature}`)), "token_invalid");
});

test("A06 A07 A16: only compact, canonical and short", async (t) => {
  const { source, verifier } = await scene(t);
  const good = source.token();
  const [head, claims, signature] = good.split(".");
  const spare = signature.slice(0, -1) + { A: "B", Q: "R", g: "h", w: "x" }[signature.at(-1)];
  const bad = [
    "", ".", "..", head, `${head}.${claims}`, `${good}.`, `${good}.x`, ` ${claims}`, `${head}.${claims}.`, `${head}..${signature}`,
    `${head}=.${claims}.${signature}`, `${head}.${claims}.${signature}=`, `${head}.${claims}.${signature}\n`, `${head}.${claims} .${signature}`,
    `${head}.${claims}.${signature.replaceAll("_", "/").replaceAll("-", "+")}!`, `${head}.${claims}.${spare}`,
    `${head}.${claims}.x.y.z`, JSON.stringify({ payload: claims, protected: head, signature }),
    source.token({ pad: "x".repeat(8192) }), source.token({}, { header: { pad: "x".repeat(1024) } }), "x".repeat(1 << 20),
  ];
  for (const token of bad) assert.equal(await outcome(verifier, bearer(token)), "token_invalid", token.slice(0, 80));
  assert.equal(await outcome(verifier, bearer(good)), "ok");
});

test("A15: a member that comes twice, and other JSON that two readers read differently", async (t) => {
  const { source, verifier } = await scene(t);
  const [key] = source.state.keys;
  const [header, claims] = [JSON.stringify(source.header()), JSON.stringify(source.access())];
  const raw = (options) => bearer(signed(key, undefined, undefined, { rawHeader: header, rawClaims: claims, ...options }));
  assert.equal(await outcome(verifier, raw({})), "ok");
  const bad = [
    { rawHeader: header.replace("{", '{"alg":"none",') },
    { rawHeader: header.replace("{", '{"\\u0061lg":"none",') },
    { rawClaims: claims.replace("{", '{"sub":"root",') },
    { rawClaims: claims.replace("}", `,"x":${"[".repeat(8)}${"]".repeat(8)}}`) },
    { rawClaims: `${claims} x` },
    { rawClaims: `\ufeff${claims}` },
    { rawClaims: Buffer.concat([Buffer.from(claims.slice(0, -1)), Buffer.from(',"x":"\xff"}', "latin1")]) },
    { rawClaims: "[]" },
    { rawClaims: "null" },
    { rawHeader: "1" },
  ];
  for (const options of bad) assert.equal(await outcome(verifier, raw(options)), "token_invalid", JSON.stringify(options).slice(0, 120));
});

test("A10: each claim of each kind, deleted and of every wrong type", async (t) => {
  const { source, verifier } = await scene(t);
  const [key] = source.state.keys;
  const wrong = {
    text: ["null", "1", "true", "{}", '["x"]', '""'],
    texts: ["null", "1", "true", "{}", '"x"', "[1]", "[null]"],
    count: ["null", '"1"', "true", "{}", "[1]", "-1", "1.5", "1.0", "1e2", "4294967296"],
    time: ["null", '"1"', "true", "{}", "[1]", "-1", "1795361234.5", "1e9", "1e400", "99999999999999999999"],
  };
  const kinds = [
    [bearer, "at+jwt", source.access(), {
      text: ["iss", "sub", "client_id", "jti", "sid", "env", "purpose", "scope"], texts: ["amr", "aud"], count: ["gen", "epoch"], time: ["exp", "iat", "auth_time"],
    }],
    [asserted, "cs-assertion+jwt", source.assertion(), {
      text: ["iss", "sub", "jti", "session", "env", "purpose", "scope", "email"], texts: ["amr", "aud"], count: [], time: ["exp", "iat", "auth_time"],
    }],
  ];
  let tried = 0;
  for (const [present, typ, good, types] of kinds) {
    for (const [type, names] of Object.entries(types)) {
      for (const name of names) {
        for (const value of [undefined, ...wrong[type]]) {
          // No scope is a good scope.
          if (value === '""' && name === "scope") continue;
          const left = { ...good, [name]: undefined };
          const rawClaims = value === undefined ? JSON.stringify(left) : JSON.stringify(left).replace("{", `{"${name}":${value},`);
          const code = await outcome(verifier, present(signed(key, source.header({ typ }), undefined, { rawClaims })));
          assert.ok(["token_invalid", "wrong_audience", "wrong_purpose", "wrong_environment"].includes(code), `${typ} ${name} ${value}: ${code}`);
          tried += 1;
        }
      }
    }
  }
  assert.ok(tried > 180, `only ${tried} tried`);
});

test("A11: times, with a leeway of 5 s", async (t) => {
  let now = Date.now();
  const { source, verifier } = await scene(t, { now: () => now });
  const at = Math.floor(now / 1000);
  const token = bearer(source.token({ iat: at, exp: at + 900 }));
  for (const [seconds, code] of [[899, "ok"], [900, "ok"], [904, "ok"], [905, "token_expired"], [906, "token_expired"], [-5, "ok"], [-6, "token_invalid"]]) {
    now = (at + seconds) * 1000;
    assert.equal(await outcome(verifier, token), code, `${seconds} s`);
  }
  now = at * 1000;
  for (const [over, code] of [[{ nbf: at + 5 }, "ok"], [{ nbf: at + 6 }, "token_invalid"], [{ nbf: "1" }, "token_invalid"]]) {
    assert.equal(await outcome(verifier, bearer(source.token({ iat: at, exp: at + 900, ...over }))), code, JSON.stringify(over));
  }
  assert.equal(await outcome(verifier, asserted(source.statement({ exp: at + 61, iat: at }))), "token_invalid", "an assertion lives a minute");
  assert.equal(await outcome(verifier, asserted(source.statement({ exp: at - 5, iat: at - 65 }))), "token_expired");
});

test("A12 A13: audience, issuer and environment are compared exactly", async (t) => {
  const { source, verifier } = await scene(t);
  const cases = [
    ...["ap", "api ", "API", "api/", "", "other"].map((aud) => [{ aud }, "wrong_audience"]),
    [{ aud: [] }, "wrong_audience"],
    [{ aud: ["x", "apis"] }, "wrong_audience"],
    [{ iss: `${source.origin}/` }, "token_invalid"],
    [{ iss: source.origin.toUpperCase() }, "token_invalid"],
    [{ env: "staging" }, "wrong_environment"],
    [{ env: "production" }, "wrong_environment"],
  ];
  for (const [over, code] of cases) assert.equal(await outcome(verifier, bearer(source.token(over))), code, JSON.stringify(over));
  const stranger = await keyPair();
  assert.equal(await outcome(verifier, bearer(source.token({ env: "staging" }, { key: stranger }))), "wrong_environment", "named although the key differs too");
});

test("A08 A09: no kind passes for another", async (t) => {
  const { source, verifier } = await scene(t);
  const [key] = source.state.keys;
  const kinds = { "at+jwt": source.access(), "cs-assertion+jwt": source.assertion() };
  for (const [typ, present] of [["at+jwt", bearer], ["cs-assertion+jwt", asserted]]) {
    for (const [named, claims] of Object.entries(kinds)) {
      for (const [, other] of Object.entries(kinds)) {
        const code = await outcome(verifier, present(signed(key, source.header({ typ: named }), { ...other, purpose: claims.purpose })));
        if (named !== typ) assert.equal(code, "wrong_purpose", `${named} as ${typ}`);
        else if (other !== claims) assert.equal(code, "token_invalid", `${named} with the other's claims`);
        else assert.equal(code, "ok");
      }
      const crossed = signed(key, source.header({ typ }), { ...kinds[typ], purpose: named === typ ? "refresh" : claims.purpose });
      assert.equal(await outcome(verifier, present(crossed)), "wrong_purpose");
    }
  }
});

test("E04: a bound token is no bearer token", async (t) => {
  const { source, verifier } = await scene(t);
  for (const over of [{ cnf: { jkt: "x" } }, { cnf: null }, { bnd: "dbsc" }]) {
    assert.equal(await outcome(verifier, bearer(source.token(over))), "token_invalid");
    assert.equal(await outcome(verifier, asserted(source.statement(over))), "token_invalid");
  }
  assert.equal(await outcome(verifier, request("authorization", `DPoP ${source.token()}`)), "token_invalid");
});

test("one credential, and only of the kinds that are accepted", async (t) => {
  const { source, verifier } = await scene(t);
  const [token, statement] = [source.token(), source.statement()];
  const bad = [
    ["authorization", `Bearer ${token}`, "Authorization", `Bearer ${token}`],
    ["countersign-assertion", statement, "Countersign-Assertion", statement],
    ["authorization", `Bearer ${token}`, "countersign-assertion", statement],
    ["authorization", "Bearer"],
  ];
  for (const lines of bad) assert.equal(await outcome(verifier, request(...lines)), "token_invalid", lines.map((line) => line.slice(0, 30)).join());
  for (const lines of [[], ["authorization", "Basic dTpw"], ["cookie", `cs-access=${token}`]]) {
    assert.equal(await outcome(verifier, request(...lines)), "token_missing");
  }
  const behind = await source.ready({ accessTokens: false, revocations: undefined });
  assert.equal(await outcome(behind, bearer(token)), "token_missing");
  assert.equal(await outcome(behind, request("authorization", `Bearer ${token}`, "countersign-assertion", statement)), "ok");
  await assert.rejects(behind.verifyAccessToken(token), { code: "wrong_purpose" });
});

test("scopes and recent sign-ins", async (t) => {
  const { source, verifier } = await scene(t);
  const principal = await verifier.verify(bearer(source.token({ scope: "orders:read admin" })));
  principal.require("orders:read");
  principal.require("admin orders:read");
  for (const scope of ["orders", "orders:write", "admin orders:write", "", " ", "Admin"]) {
    assert.throws(() => principal.require(scope), { code: "insufficient_scope", status: 403 }, JSON.stringify(scope));
  }
  principal.requireRecent(600);
  assert.throws(() => principal.requireRecent(30), (error) => error.code === "step_up_required" && /max_age=30/.test(error.challenge));
});
