// Express 4 and 5.
import { admit, keepFromSharedCaches, refuse } from "./http.js";
import { Refusal } from "./refusal.js";

/**
 * Middleware that puts the principal into `request.principal` (undefined for nobody where that is allowed), or answers instead of the
 * application.
 *
 * @param {import("./verifier.js").Verifier} verifier
 * @param {import("./http.js").Rule} [rule]
 */
export function countersign(verifier, rule = {}) {
  /**
   * @param {any} request
   * @param {any} response
   * @param {(error?: unknown) => void} next
   */
  return async (request, response, next) => {
    try {
      request.principal = undefined;
      request.principal = await admit(verifier, request, rule);
      if (request.principal) keepFromSharedCaches(response);
    } catch (error) {
      refuse(request, response, error);
      return;
    }
    next();
  };
}

/**
 * Error handler for refusals that handlers throw (`request.principal.require("orders:write")`): to be used after the routes.
 *
 * @param {unknown} error
 * @param {any} request
 * @param {any} response
 * @param {(error?: unknown) => void} next
 */
export function refusals(error, request, response, next) {
  if (error instanceof Refusal) refuse(request, response, error);
  else next(error);
}
