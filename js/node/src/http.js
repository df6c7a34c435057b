// Plain node:http (and everything that hands its requests and answers on).
import { cacheControl, problem } from "./problem.js";
import { Refusal } from "./refusal.js";

/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {import("node:http").ServerResponse} Response */
/** @typedef {{ optional?: boolean, scope?: string }} Rule `optional`: lets requests without any credential through, as nobody; `scope`: names, separated by spaces, all needed of whoever is signed in */

/**
 * Lets a request through: gives its principal, undefined for nobody where that is allowed.
 *
 * @param {import("./verifier.js").Verifier} verifier
 * @param {Request} request
 * @param {Rule} rule
 */
export async function admit(verifier, request, { optional = false, scope }) {
  const principal = optional ? await verifier.verifyOptional(request) : await verifier.verify(request);
  if (scope !== undefined) principal?.require(scope);
  return principal;
}

/**
 * Answers a refused request.
 *
 * @param {Request} request
 * @param {Response} response
 * @param {unknown} error
 */
export function refuse(request, response, error) {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, headers, body } = problem(error, request.headers);
  response.writeHead(status, headers).end(body);
}

/**
 * Keeps the answer to somebody signed in out of shared caches (J04), however the application sets its headers.
 *
 * @param {Response} response
 */
export function keepFromSharedCaches(response) {
  const writeHead = response.writeHead;
  // @ts-expect-error writeHead has two forms; both are passed on as they came
  response.writeHead = function (status, ...rest) {
    const given = rest.find((part) => typeof part === "object" && part !== null);
    const fix = (/** @type {unknown} */ said, /** @type {(value: string) => void} */ set) => {
      const better = cacheControl(said);
      if (better) set(better);
    };
    const name = given && !Array.isArray(given) ? Object.keys(given).find((key) => key.toLowerCase() === "cache-control") : undefined;
    if (Array.isArray(given)) {
      // Header lines, flat or in pairs: they would go out beside those that were set.
      const lines = /** @type {unknown[]} */ (given.flat());
      const at = lines.findIndex((line, index) => index % 2 === 0 && String(line).toLowerCase() === "cache-control");
      fix(at < 0 ? response.getHeader("cache-control") : lines[at + 1], (value) => {
        if (at < 0) lines.push("cache-control", value);
        else lines[at + 1] = value;
      });
      return writeHead.call(this, status, ...rest.map((part) => (part === given ? lines : part)));
    }
    fix(name === undefined ? response.getHeader("cache-control") : given[name], (value) => {
      if (name === undefined) response.setHeader("cache-control", value);
      else given[name] = value;
    });
    return writeHead.call(this, status, ...rest);
  };
}

/**
 * Puts the verifier in front of a request listener: `http.createServer(guard(verifier, (request, response, principal) => …))`. A `Refusal`
 * that the listener throws, or that its promise fails with, is answered too; other errors stay the listener's own.
 *
 * @param {import("./verifier.js").Verifier} verifier
 * @param {(request: Request, response: Response, principal: import("./principal.js").Principal | undefined) => unknown} listener
 * @param {Rule} [rule]
 * @returns {(request: Request, response: Response) => Promise<void>}
 */
export function guard(verifier, listener, rule = {}) {
  return async (request, response) => {
    let principal;
    try {
      principal = await admit(verifier, request, rule);
    } catch (error) {
      // Whatever went wrong while checking: the gate stays shut.
      refuse(request, response, error);
      return;
    }
    if (principal) keepFromSharedCaches(response);
    try {
      await listener(request, response, principal);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refuse(request, response, error);
    }
  };
}
