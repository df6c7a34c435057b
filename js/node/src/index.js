/**
 * Verifies Countersign's tokens in Node services.
 *
 * ```js
 * import { Verifier } from "@countersign/node";
 *
 * const verifier = new Verifier({
 *   issuer: "https://app.example.com", // public_url
 *   environment: "production",
 *   audience: "api", // the name of this service's [[upstream]], or an entry of tokens.audience
 *   assertions: true, // requests that come by way of the gateway
 *   accessTokens: true, // clients that call this service directly
 *   revocations: process.env.COUNTERSIGN_API_KEY, // scope revocations:read
 * });
 * await verifier.ready();
 * ```
 *
 * @module
 */
export { Principal } from "./principal.js";
export { problem } from "./problem.js";
export { CODES, Refusal } from "./refusal.js";
export { Verifier } from "./verifier.js";
