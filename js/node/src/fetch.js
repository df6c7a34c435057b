// Fetching from the issuer: one pinned origin, HTTPS, no redirects, caps on time and size (H09).
import http from "node:http";
import https from "node:https";

/**
 * An origin that keys may be fetched from: https, or http for loopback in development.
 *
 * @param {unknown} text
 * @param {{ name: string, development: boolean }} of `name` of the option, for the error
 * @returns {URL}
 */
export function origin(text, { name, development }) {
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : undefined;
  const bare = url && url.pathname === "/" && !url.search && !url.hash && !url.username && !url.password;
  if (!bare || !["https:", "http:"].includes(url.protocol)) throw new TypeError(`${name} must be an origin such as https://app.example.com`);
  if (url.protocol === "http:" && !(development && isLoopback(url.hostname))) {
    throw new TypeError(`${name} must be https; plain http is for loopback in development only`);
  }
  return url;
}

/** @param {string} host */
function isLoopback(host) {
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** An answer that is not a 200 of the right type and size. */
export class FetchError extends Error {
  /**
   * @param {string} message
   * @param {number} [status]
   */
  constructor(message, status) {
    super(message);
    this.name = "FetchError";
    this.status = status;
  }
}

/**
 * @typedef {object} Source
 * @property {URL} origin
 * @property {string | Buffer | undefined} ca certificate authorities to trust instead of the system's
 * @property {number} timeout milliseconds, for an answer's head and for a whole body
 */

/**
 * @typedef {object} Get
 * @property {string} target path and query
 * @property {readonly string[]} types content types that will do
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 */

/**
 * Sends a request on a connection of its own, and gives the answer when its head is there. Redirects are errors: following one would move
 * the trust to wherever it points.
 *
 * @param {Source} source
 * @param {Get} get
 * @returns {Promise<http.IncomingMessage>}
 */
export function open({ origin, ca, timeout }, { target, types, headers = {}, signal }) {
  const { request } = origin.protocol === "https:" ? https : http;
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(target, origin), {
      agent: false,
      headers: { accept: types[0], "user-agent": "countersign-node", ...headers },
      maxHeaderSize: 16 * 1024,
      signal,
      ...(origin.protocol === "https:" ? { ca, rejectUnauthorized: true } : {}),
    });
    const timer = setTimeout(() => outgoing.destroy(new FetchError("took too long")), timeout);
    outgoing.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    outgoing.once("response", (answer) => {
      clearTimeout(timer);
      const type = (answer.headers["content-type"] ?? "").split(";")[0].trim().toLowerCase();
      const error =
        answer.statusCode !== 200 ? new FetchError(`answered ${answer.statusCode}`, answer.statusCode)
        : !types.includes(type) ? new FetchError("answered with another content type")
        : undefined;
      if (error) {
        answer.destroy();
        reject(error);
      } else resolve(answer);
    });
    outgoing.end();
  });
}

/**
 * A whole document of at most `cap` bytes.
 *
 * @param {Source} source
 * @param {Get} get
 * @param {number} cap
 * @returns {Promise<Buffer>}
 */
export async function fetchWhole(source, get, cap) {
  const late = AbortSignal.timeout(source.timeout);
  const signal = get.signal ? AbortSignal.any([get.signal, late]) : late;
  const answer = await open(source, { ...get, signal });
  const pieces = [];
  let length = 0;
  for await (const piece of answer) {
    length += piece.length;
    if (length > cap) {
      answer.destroy();
      throw new FetchError("answer is too long");
    }
    pieces.push(piece);
  }
  if (!answer.complete) throw new FetchError("answer was cut off");
  return Buffer.concat(pieces);
}
