// What a verifier is told, checked once.
import { origin } from "./fetch.js";

/**
 * @typedef {object} Options
 * @property {string} issuer the `public_url` of Countersign
 * @property {string} environment as configured there
 * @property {string | readonly string[]} audience what this service goes by: an entry of `tokens.audience`, or the `name` of its `[[upstream]]`
 * @property {boolean} [assertions] accepts `Countersign-Assertion`: for services behind the gateway, and behind a renderer behind it
 * @property {boolean} [accessTokens] accepts `Authorization: Bearer`: for clients that call this service without the gateway
 * @property {string} [revocations] an API key of scope `revocations:read`: follows the revocation feed
 * @property {boolean} [dangerouslyWithoutRevocations] accepts access tokens without knowing what was revoked: after a sign-out or a theft
 *   they are good here until they expire (15 min)
 * @property {string} [fetchFrom] where keys and feed are fetched, if not at the issuer: an origin
 * @property {string | Buffer} [ca] certificate authorities (PEM) to trust for fetching, instead of Node's: `.countersign/ca/ca.pem` under `dev`
 * @property {number} [leeway] tolerated clock difference in seconds, at most 60; 5
 * @property {number} [maxStaleness] how old the news of revocations may be before everything is answered 503, in seconds, 2 to 60; 5
 * @property {number} [keyRefresh] how often keys are fetched in the background, in seconds; 300
 * @property {number} [keyCooldown] at least so many seconds between two fetches for unknown keys; 10
 * @property {number} [keyMaxAge] keys that could not be fetched again for so many seconds are not used any more; 3600
 * @property {() => number} [now] another wall clock, in milliseconds: for tests
 * @property {(message: string) => void} [log] told when keys or feed cannot be had; `console.warn`
 */

const KNOWN = [
  "issuer", "environment", "audience", "assertions", "accessTokens", "revocations", "dangerouslyWithoutRevocations", "fetchFrom", "ca",
  "leeway", "maxStaleness", "keyRefresh", "keyCooldown", "keyMaxAge", "now", "log",
];

/** @param {Options} options */
export function parseOptions(options) {
  // A mistyped option would otherwise be a silent default.
  const strange = Object.keys(options).find((name) => !KNOWN.includes(name));
  if (strange !== undefined) throw new TypeError(`there is no option ${strange}`);
  const { environment, assertions = false, accessTokens = false, revocations, now = Date.now, log = console.warn } = options;
  if (typeof environment !== "string" || !/^[a-z][a-z0-9]{0,11}$/.test(environment)) {
    throw new TypeError("environment must be a label such as production");
  }
  const development = environment === "development";
  const issuer = String(options.issuer).replace(/\/$/, "");
  origin(issuer, { name: "issuer", development });
  const audience = [options.audience].flat();
  if (audience.length === 0 || !audience.every((name) => typeof name === "string" && name !== "")) {
    throw new TypeError("audience must name this service");
  }
  if (typeof assertions !== "boolean" || typeof accessTokens !== "boolean" || !(assertions || accessTokens)) {
    throw new TypeError("nothing is accepted: set assertions, accessTokens, or both to true");
  }
  if (revocations !== undefined && (typeof revocations !== "string" || !/^[\x21-\x7e]+$/.test(revocations))) {
    throw new TypeError("revocations must be an API key");
  }
  if (accessTokens && revocations === undefined && options.dangerouslyWithoutRevocations !== true) {
    throw new TypeError("accessTokens need revocations: an API key of scope revocations:read (or dangerouslyWithoutRevocations: true)");
  }
  const keyRefresh = seconds(options, "keyRefresh", 300, 1, 86_400);
  return {
    issuer,
    environment,
    audience: /** @type {readonly string[]} */ (Object.freeze(audience)),
    accepts: { assertions, accessTokens },
    revocations,
    source: { origin: origin(options.fetchFrom ?? issuer, { name: "fetchFrom", development }), ca: options.ca, timeout: 3000 },
    leeway: seconds(options, "leeway", 5, 0, 60),
    maxStaleness: 1000 * seconds(options, "maxStaleness", 5, 2, 60),
    keyTimes: {
      refresh: 1000 * keyRefresh,
      cooldown: 1000 * seconds(options, "keyCooldown", 10, 1, 3600),
      maxAge: 1000 * seconds(options, "keyMaxAge", Math.max(3600, keyRefresh), keyRefresh, 604_800),
    },
    now,
    log,
  };
}

/**
 * @param {Options} options
 * @param {"leeway" | "maxStaleness" | "keyRefresh" | "keyCooldown" | "keyMaxAge"} name
 * @param {number} usual
 * @param {number} least
 * @param {number} most
 */
function seconds(options, name, usual, least, most) {
  const value = options[name] ?? usual;
  if (typeof value !== "number" || !(value >= least && value <= most)) throw new TypeError(`${name} must be ${least} to ${most} seconds`);
  return value;
}
