// Fastify 4 and 5.
import { admit } from "./http.js";
import { cacheControl, problem } from "./problem.js";
import { Refusal } from "./refusal.js";

/**
 * Plugin: every route of the instance it is registered on, and of those below it, is verified before anything else happens to the request.
 * The principal is in `request.principal` (undefined for nobody where that is allowed).
 *
 * `await app.register(countersign, { verifier, scope: "orders:read" })`
 *
 * @param {any} app
 * @param {{ verifier: import("./verifier.js").Verifier } & import("./http.js").Rule} options
 */
export async function countersign(app, { verifier, optional, scope }) {
  if (!app.hasRequestDecorator("principal")) app.decorateRequest("principal", undefined);
  app.addHook("onRequest", async (/** @type {any} */ request, /** @type {any} */ reply) => {
    request.principal = undefined;
    try {
      request.principal = await admit(verifier, request.raw, { optional, scope });
    } catch (error) {
      return answer(error, request, reply);
    }
  });
  app.addHook("onSend", async (/** @type {any} */ request, /** @type {any} */ reply, /** @type {unknown} */ payload) => {
    const better = request.principal ? cacheControl(reply.getHeader("cache-control")) : undefined;
    if (better) reply.header("cache-control", better);
    return payload;
  });
}

// Without a scope of its own: routes registered beside the plugin are behind it, as the caller expects.
Object.assign(countersign, { [Symbol.for("skip-override")]: true, [Symbol.for("fastify.display-name")]: "countersign" });

/**
 * Error handler for refusals that handlers throw (`request.principal.require("orders:write")`): `app.setErrorHandler(refusals)`.
 *
 * @param {unknown} error
 * @param {any} request
 * @param {any} reply
 */
export function refusals(error, request, reply) {
  if (!(error instanceof Refusal)) throw error;
  return answer(error, request, reply);
}

/**
 * @param {unknown} error
 * @param {any} request
 * @param {any} reply
 */
function answer(error, request, reply) {
  const { status, headers, body } = problem(error, request.raw.headers);
  return reply.code(status).headers(headers).send(body);
}
