// The issuer's public keys: cached, refreshed in the background, fetched again for an unknown `kid` (H08).
import { importJWK } from "jose";
import { fetchWhole, FetchError } from "./fetch.js";
import { parse } from "./json.js";
import { spread, wait } from "./pause.js";
import { isKid } from "./token.js";

const TYPES = ["application/jwk-set+json", "application/json"];
/** The longest key set, in bytes. */
const MAX_SET = 64 * 1024;
/** Between attempts while there are no keys at all. */
const START_PAUSE = 1000;
/** Members of private and symmetric keys. */
const PRIVATE = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/**
 * A key bound to the algorithm that it is for (A02), under the names that this algorithm has (RFC 9864).
 *
 * @typedef {{ key: CryptoKey, algorithms: readonly string[] }} Key
 */

/** Times in milliseconds: `refresh` in the background, `cooldown` between fetches for unknown ids, `maxAge` of unconfirmed keys. */
/** @typedef {{ refresh: number, cooldown: number, maxAge: number }} KeyTimes */

/** @param {Record<string, unknown>} jwk */
function algorithmOf({ kty, crv }) {
  if (kty === "OKP" && crv === "Ed25519") return { alg: "EdDSA", names: ["EdDSA", "Ed25519"] };
  if (kty === "EC" && crv === "P-256") return { alg: "ES256", names: ["ES256"] };
  return undefined;
}

/**
 * Reads a JWK set strictly (A18): one bad key spoils the set. Public keys of kinds that we do not use are passed over.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<Map<string, Key>>}
 */
export async function readSet(bytes) {
  const set = /** @type {any} */ (parse(bytes));
  if (!Array.isArray(set?.keys)) throw new FetchError("no key set");
  /** @type {Map<string, Key>} */
  const keys = new Map();
  // Judged over the whole set first: a harmless key before a private one must not be let in.
  if (set.keys.some((/** @type {any} */ jwk) => typeof jwk !== "object" || jwk === null || jwk.kty === "oct" || PRIVATE.some((name) => name in jwk))) {
    throw new FetchError("the key set holds something that is no public key");
  }
  for (const jwk of set.keys) {
    const algorithm = algorithmOf(jwk);
    if (!algorithm) continue;
    const { kty, crv, x, y, kid, alg, use, key_ops: operations } = jwk;
    const fit =
      (use === undefined || use === "sig") &&
      (alg === undefined || algorithm.names.includes(alg)) &&
      (operations === undefined || (Array.isArray(operations) && operations.length === 1 && operations[0] === "verify"));
    if (!fit) throw new FetchError("the key set holds a key for another use");
    const bare = kty === "OKP" ? { kty, crv, x } : { kty, crv, x, y };
    if (typeof kid !== "string" || !isKid(kid)) throw new FetchError("the key set holds a key without a usable name");
    if (keys.has(kid)) throw new FetchError("the key set holds two keys of one name");
    keys.set(kid, { key: /** @type {CryptoKey} */ (await importJWK(bare, algorithm.alg)), algorithms: algorithm.names });
  }
  if (keys.size === 0) throw new FetchError("the key set is empty");
  return keys;
}

/** The cache. */
export class Keys {
  #source;
  #times;
  #log;
  /** @type {Map<string, Key> | undefined} */
  #keys;
  #loadedAt = -Infinity;
  #triedAt = -Infinity;
  /** @type {Promise<void> | undefined} the fetch on its way: all who need it wait for that one */
  #fetching;

  /**
   * @param {import("./fetch.js").Source} source
   * @param {KeyTimes} times
   * @param {(message: string) => void} log
   */
  constructor(source, times, log) {
    this.#source = source;
    this.#times = times;
    this.#log = log;
  }

  /** Whether there are keys that were confirmed in time: an emergency at the issuer must reach everybody. */
  get ready() {
    return this.#keys !== undefined && performance.now() - this.#loadedAt < this.#times.maxAge;
  }

  /**
   * The key of an id. One that is not known is fetched, but within the cooldown nothing is: invented ids cost the issuer nothing (H08).
   *
   * @param {string} kid
   * @returns {Promise<Key | "unknown" | "no keys">}
   */
  async find(kid) {
    if (!this.ready || !this.#keys?.has(kid)) await this.#fetchAgain();
    if (!this.ready) return "no keys";
    return this.#keys?.get(kid) ?? "unknown";
  }

  async #fetchAgain() {
    const pause = this.ready ? this.#times.cooldown : START_PAUSE;
    if (!this.#fetching && performance.now() - this.#triedAt < pause) return;
    await this.#fetchOnce();
  }

  #fetchOnce() {
    this.#fetching ??= this.#fetch().finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }

  async #fetch() {
    const at = (this.#triedAt = performance.now());
    try {
      this.#keys = await readSet(await fetchWhole(this.#source, { target: "/.well-known/jwks.json", types: TYPES }, MAX_SET));
      this.#loadedAt = at;
    } catch (error) {
      this.#log(`cannot fetch keys from ${this.#source.origin.origin}: ${error instanceof Error ? error.message : error}`);
    }
  }

  /**
   * Fetches in the background until `signal` says so.
   *
   * @param {AbortSignal} signal
   */
  async follow(signal) {
    while (!signal.aborted) {
      await this.#fetchOnce();
      const failed = this.#loadedAt < this.#triedAt;
      await wait(spread(!failed ? this.#times.refresh : this.ready ? this.#times.cooldown : START_PAUSE), signal);
    }
  }
}
