// The claim matrix that we publish for verifiers in any language (docs/vectors), the same that the server's own tests run.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { readSet } from "../src/keys.js";
import { read, verify } from "../src/token.js";
import { keyPair, signed } from "./issuer.mjs";

const file = JSON.parse(await readFile(new URL("../../../docs/vectors/access-token-claims.json", import.meta.url), "utf8"));

/** The claims of a case as text: the file says why it must not go through a serialiser. */
function claimsOf({ claim, delete: gone, json, duplicate }) {
  const { [claim]: own, ...others } = file.claims;
  const value = json ?? (own === undefined ? undefined : JSON.stringify(own));
  const members = Object.entries(others).map(([name, other]) => `${JSON.stringify(name)}:${JSON.stringify(other)}`);
  if (!gone && value !== undefined) members.push(`${JSON.stringify(claim)}:${value}`);
  if (duplicate !== undefined) members.push(`${JSON.stringify(claim)}:${duplicate}`);
  return `{${members.join(",")}}`;
}

test(`A10 A12 A13 A15: ${file.cases.length} cases of the published claim matrix`, async () => {
  const pair = await keyPair();
  const keys = await readSet(Buffer.from(JSON.stringify({ keys: [pair.jwk] })));
  const { issuer, audience, environment, leeway_seconds: leeway, now } = file.profile;
  const profile = { purpose: "access", typ: "at+jwt", issuer, audience, environment, leeway };
  const judge = async (rawClaims) => {
    const token = signed(pair, { alg: pair.alg, kid: pair.kid, ...file.header }, undefined, { rawClaims });
    try {
      await verify(token, read(token, profile), keys.get(pair.kid), profile, now);
      return { result: "valid" };
    } catch (error) {
      assert.equal(error.name, "Refusal", error.stack);
      return { result: "invalid", code: error.code };
    }
  };
  assert.deepEqual(await judge(JSON.stringify(file.claims)), { result: "valid" });
  assert.ok(file.cases.length > 100);
  for (const entry of file.cases) {
    const expected = entry.result === "valid" ? { result: "valid" } : { result: "invalid", code: entry.code };
    assert.deepEqual(await judge(claimsOf(entry)), expected, JSON.stringify(entry));
  }
});
