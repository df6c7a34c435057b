// Finding the credential in a request.
import { Refusal } from "./refusal.js";

/** @typedef {{ kind: "access_token" | "assertion", token: string }} Presented */

/**
 * The one credential of a request. `raw` is the request's header lines (`rawHeaders`): Node joins or drops what comes twice, and two readers
 * of one request must never see two different users.
 *
 * @param {readonly string[]} raw names and values in turn
 * @param {{ accessTokens: boolean, assertions: boolean }} accepts what is not accepted is not even looked at
 * @returns {Presented | undefined}
 * @throws {Refusal} for two credentials, or one that cannot be read
 */
export function find(raw, { accessTokens, assertions }) {
  const authorization = accessTokens ? one(raw, "authorization") : undefined;
  const assertion = assertions ? one(raw, "countersign-assertion") : undefined;
  const bearer = authorization === undefined ? undefined : bearerOf(authorization);
  // The gateway removes bearer tokens before it adds an assertion, so nobody honest sends both.
  if (bearer !== undefined && assertion !== undefined) throw new Refusal("token_invalid", "a bearer token and an assertion");
  if (bearer !== undefined) return { kind: "access_token", token: bearer };
  if (assertion !== undefined) return { kind: "assertion", token: assertion };
  return undefined;
}

/**
 * @param {readonly string[]} raw
 * @param {string} name
 */
function one(raw, name) {
  const values = raw.filter((_, at) => at % 2 === 1 && raw[at - 1].toLowerCase() === name);
  if (values.length > 1) throw new Refusal("token_invalid", "a header that came twice");
  return values[0];
}

/** The token after `Bearer`; other schemes (Basic …) are the application's own and count as absent. @param {string} value */
function bearerOf(value) {
  const [, scheme, token] = /^(\S*)\s*(.*)$/s.exec(value) ?? [];
  // Taking it as a bearer token would undo the binding (E04).
  if (/^dpop$/i.test(scheme)) throw new Refusal("token_invalid", "a token bound to a key, which this service cannot check");
  return /^bearer$/i.test(scheme) ? token : undefined;
}
