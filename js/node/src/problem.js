// Problems (RFC 9457): what a refusal looks like on the wire.
import { randomUUID } from "node:crypto";
import { CODES, Refusal } from "./refusal.js";

const REQUEST_ID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Status, headers and body of the answer to a refused request. An error of another kind is answered 503: what goes wrong while checking
 * never opens the gate.
 *
 * @param {unknown} error
 * @param {import("node:http").IncomingHttpHeaders} [requestHeaders] for the request's id
 * @returns {{ status: number, headers: Record<string, string>, body: string }}
 */
export function problem(error, requestHeaders = {}) {
  const refusal = error instanceof Refusal ? error : new Refusal("store_unavailable", String(error));
  const [status, title, detail] = CODES[refusal.code];
  const brought = requestHeaders["x-request-id"];
  const requestId = typeof brought === "string" && REQUEST_ID.test(brought) ? brought : randomUUID();
  /** @type {Record<string, string>} */
  const headers = {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-request-id": requestId,
  };
  if (refusal.challenge) headers["www-authenticate"] = refusal.challenge;
  if (status === 503) headers["retry-after"] = "2";
  const type = `urn:countersign:problem:${refusal.code}`;
  const body = JSON.stringify({ type, title, status, code: refusal.code, detail, request_id: requestId });
  return { status: Number(status), headers, body };
}

/**
 * What `Cache-Control` of an answer to somebody signed in must become, if it may not stay (J04): a shared cache that does not know the
 * header of the assertion would keep one user's answer for another.
 *
 * @param {unknown} said the header as the application set it
 * @returns {string | undefined}
 */
export function cacheControl(said) {
  const directives = [said].flat().filter((value) => value !== undefined).join(",").toLowerCase().split(",").map((word) => word.trim().split("=")[0]);
  const says = (/** @type {string} */ word) => directives.includes(word);
  if ((says("private") || says("no-store")) && !says("public") && !says("s-maxage")) return undefined;
  return "no-store";
}
