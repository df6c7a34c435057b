// Compact JWS (RFC 7515), strictly; then the claims, each with the one JSON type that it may have.
import { compactVerify } from "jose";
import { Inexact, parse } from "./json.js";
import { Refusal } from "./refusal.js";

/** Longest token in bytes, and longest header, decoded (A16). */
const MAX_TOKEN = 8 * 1024;
const MAX_HEADER = 1024;
/** First second of the year 10000. */
const FOR_EVER = 253_402_300_800;
/** Seconds that a token of a kind may live: revocations are not remembered for longer. Access tokens of `development` may live longer. */
const LONGEST = { access: 3600, assertion: 60 };

/** Members that change how a token is read or which key is used (A03, A14). */
const REFUSED = ["crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c", "p2c", "p2s"];
const SEGMENT = /^[A-Za-z0-9_-]*$/;
const KID = /^[A-Za-z0-9._~:@+=-]{1,128}$/;
const ID = /^[A-Za-z0-9_-]{1,64}$/;
const ENVIRONMENT = /^[a-z][a-z0-9]{0,11}$/;
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,64}$/;

/**
 * @typedef {object} Profile
 * @property {"access" | "assertion"} purpose
 * @property {"at+jwt" | "cs-assertion+jwt"} typ
 * @property {string} issuer
 * @property {readonly string[]} audience
 * @property {string} environment
 * @property {number} leeway seconds
 */

/** @typedef {Record<string, unknown>} Claims */

/** @typedef {{ alg: string, kid: string, claims: Claims, environment: unknown }} Unverified */

/** Whether text can be a `kid`: opaque, bounded, and nothing that a path, a shell or SQL would make something of (A05). @param {string} text */
export function isKid(text) {
  return KID.test(text);
}

/** @param {string} reason */
function invalid(reason) {
  return new Refusal("token_invalid", reason);
}

/**
 * Bytes of canonical base64url: no padding, no white space, no spare bits (A06), which Node's own decoder would let pass.
 *
 * @param {string} segment
 */
function decode(segment) {
  const bytes = SEGMENT.test(segment) ? Buffer.from(segment, "base64url") : undefined;
  if (bytes?.toString("base64url") !== segment) throw invalid("not canonical base64url");
  return bytes;
}

/**
 * @param {Uint8Array} bytes
 * @returns {Record<string, unknown>}
 */
function object(bytes) {
  let value;
  try {
    value = parse(bytes);
  } catch {
    throw invalid("not strict JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Inexact) throw invalid("not a JSON object");
  return /** @type {Record<string, unknown>} */ (value);
}

/**
 * Splits and decodes; nothing is proven, but the kind and the key id are known to be fit for looking a key up.
 *
 * @param {string} token
 * @param {Profile} profile
 * @returns {Unverified}
 */
export function read(token, profile) {
  if (token.length > MAX_TOKEN) throw invalid("token too long");
  const parts = token.split(".");
  if (parts.length !== 3 || parts[0].length > (MAX_HEADER * 4) / 3 + 2) throw invalid("not a compact JWS");
  const [head, payload] = [decode(parts[0]), decode(parts[1])];
  decode(parts[2]);
  const [header, claims] = [object(head), object(payload)];
  // Named before the signature is checked: the keys differ too, but this is what the developer who pasted a staging token needs to read.
  if (typeof claims.env === "string" && claims.env !== profile.environment && ENVIRONMENT.test(claims.env)) {
    throw new Refusal("wrong_environment", "token of another environment");
  }
  const refused = REFUSED.find((name) => name in header);
  if (refused) throw invalid(`header member ${refused}`);
  const { alg, typ, kid } = header;
  if (typeof alg !== "string" || !["EdDSA", "Ed25519", "ES256"].includes(alg)) throw invalid("algorithm not allowed");
  if (typeof typ !== "string" || typ.replace(/^application\//, "") !== profile.typ) throw new Refusal("wrong_purpose", "token of another kind");
  if (typeof kid !== "string" || !isKid(kid)) throw invalid("key id missing or malformed");
  return { alg, kid, claims, environment: claims.env };
}

/**
 * Verifies signature and claims.
 *
 * @param {string} token
 * @param {Unverified} unverified of the same token
 * @param {import("./keys.js").Key} key
 * @param {Profile} profile
 * @param {number} now seconds
 * @returns {Promise<Claims>}
 */
export async function verify(token, { alg, claims }, key, profile, now) {
  if (!key.algorithms.includes(alg)) throw invalid("algorithm of another key");
  try {
    await compactVerify(token, key.key, { algorithms: [alg] });
  } catch {
    throw invalid("bad signature");
  }
  // From here on the claims are the issuer's own words.
  if (text(claims, "iss") !== profile.issuer) throw invalid("issued by somebody else");
  if (text(claims, "env") !== profile.environment) throw new Refusal("wrong_environment", "token of another environment");
  if (text(claims, "purpose") !== profile.purpose) throw new Refusal("wrong_purpose", "token of another kind");
  const aud = typeof claims.aud === "string" ? [claims.aud] : texts(claims, "aud");
  if (!aud.some((name) => profile.audience.includes(name))) throw new Refusal("wrong_audience", "meant for somebody else");
  times(claims, profile, now);
  id(claims, "sub");
  id(claims, "jti");
  scopes(claims);
  // Taking a bound token without its proof would undo the binding (E04).
  if ("cnf" in claims || "bnd" in claims) throw invalid("bound to a device key");
  if (profile.purpose === "access") access(claims);
  else assertion(claims);
  return claims;
}

/**
 * @param {Claims} claims
 * @param {Profile} profile
 * @param {number} now
 */
function times(claims, { leeway, purpose, environment }, now) {
  const [iat, exp] = [instant(claims, "iat"), instant(claims, "exp")];
  const nbf = "nbf" in claims ? instant(claims, "nbf") : iat;
  if (now >= exp + leeway) throw new Refusal("token_expired", "expired");
  if (Math.max(iat, nbf) > now + leeway) throw invalid("not yet valid");
  const limited = purpose !== "access" || environment !== "development";
  if (limited && exp - iat > LONGEST[purpose]) throw invalid("lives longer than its kind may");
}

/** @param {Claims} claims */
function access(claims) {
  const sid = text(claims, "sid");
  if (sid.length !== 22 || decode(sid).length !== 16) throw invalid("claim sid");
  counter(claims, "gen");
  counter(claims, "epoch");
  if (text(claims, "client_id") === "") throw invalid("claim client_id");
  instant(claims, "auth_time");
  texts(claims, "amr");
}

/** @param {Claims} claims */
function assertion(claims) {
  // A session's user proved who they are at some time; an API key's did not.
  if ("session" in claims === "api_key" in claims) throw invalid("claim session");
  if ("session" in claims) {
    id(claims, "session");
    instant(claims, "auth_time");
    texts(claims, "amr");
  } else {
    id(claims, "api_key");
    if ("auth_time" in claims || "amr" in claims) throw invalid("claim auth_time");
  }
  if ("email" in claims || "email_verified" in claims) {
    if (text(claims, "email") === "") throw invalid("claim email");
    if (claims.email_verified !== true) throw invalid("claim email_verified");
  }
}

/**
 * @param {Claims} claims
 * @param {string} name
 */
function text(claims, name) {
  const value = claims[name];
  if (typeof value !== "string") throw invalid(`claim ${name}`);
  return value;
}

/**
 * @param {Claims} claims
 * @param {string} name
 * @returns {string[]}
 */
function texts(claims, name) {
  const value = claims[name];
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) throw invalid(`claim ${name}`);
  return value;
}

/**
 * @param {Claims} claims
 * @param {string} name
 */
function id(claims, name) {
  if (!ID.test(text(claims, name))) throw invalid(`claim ${name}`);
}

/**
 * A whole number of 32 bits.
 *
 * @param {Claims} claims
 * @param {string} name
 * @param {number} [least]
 * @param {number} [most]
 */
function counter(claims, name, least = 0, most = 0xffff_ffff) {
  const value = claims[name];
  if (typeof value !== "number" || value < least || value > most) throw invalid(`claim ${name}`);
  return value;
}

/**
 * @param {Claims} claims
 * @param {string} name
 */
function instant(claims, name) {
  return counter(claims, name, 0, FOR_EVER - 1);
}

/**
 * @param {Claims} claims
 * @returns {string[]}
 */
export function scopes(claims) {
  const names = text(claims, "scope").split(" ").filter(Boolean);
  if (!names.every((name) => SCOPE.test(name))) throw invalid("claim scope");
  return names;
}
