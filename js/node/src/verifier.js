// One call that cannot be half used: request in, principal out.
import { find } from "./credential.js";
import { Feed } from "./feed.js";
import { Keys } from "./keys.js";
import { hashed } from "./known.js";
import { parseOptions } from "./options.js";
import { wait } from "./pause.js";
import { Principal } from "./principal.js";
import { Refusal } from "./refusal.js";
import { read, verify } from "./token.js";

/** @typedef {import("./options.js").Options} Options */

/** Verifies what requests present. Fetches keys and follows the revocation feed in the background, from now until {@link Verifier.close}. */
export class Verifier {
  #options;
  #keys;
  #feed;
  #stop = new AbortController();

  /**
   * @param {Options} options
   * @throws {TypeError} for options that are wrong or would be unsafe
   */
  constructor(options) {
    this.#options = parseOptions(options);
    const { issuer, source, keyTimes, revocations, maxStaleness, log } = this.#options;
    this.#keys = new Keys(source, keyTimes, log);
    this.#feed = revocations === undefined ? undefined : new Feed(source, { key: revocations, issuer, maxStaleness, log });
    for (const part of [this.#keys, this.#feed]) {
      part?.follow(this.#stop.signal).catch((error) => log(`verifier: ${error}`));
    }
  }

  /** Whether requests can be judged now: keys are there, and the feed (if any) is fresh. For health checks. */
  get isReady() {
    return this.#keys.ready && (this.#feed?.fresh ?? true);
  }

  /** Waits until {@link Verifier.isReady}; for ever, if the issuer never answers. */
  async ready() {
    while (!this.isReady && !this.#stop.signal.aborted) await wait(50, this.#stop.signal);
  }

  /** Ends the background work. */
  close() {
    this.#stop.abort();
  }

  /**
   * Verifies the one credential of a request.
   *
   * @param {{ rawHeaders: string[] }} request as `node:http` gives it
   * @returns {Promise<Principal>}
   * @throws {Refusal}
   */
  async verify(request) {
    const principal = await this.verifyOptional(request);
    if (!principal) throw new Refusal("token_missing", "no credential");
    return principal;
  }

  /**
   * As {@link Verifier.verify}; undefined for a request without any credential. One that is not good is refused all the same.
   *
   * @param {{ rawHeaders: string[] }} request
   * @returns {Promise<Principal | undefined>}
   * @throws {Refusal}
   */
  async verifyOptional(request) {
    const presented = find(request.rawHeaders, this.#options.accepts);
    if (!presented) return undefined;
    return presented.kind === "assertion" ? this.#assertion(presented.token) : this.#accessToken(presented.token);
  }

  /**
   * Verifies an access token that came in another way.
   *
   * @param {string} token
   * @returns {Promise<Principal>}
   * @throws {Refusal} also for every access token if they are not accepted here
   */
  async verifyAccessToken(token) {
    if (!this.#options.accepts.accessTokens) throw new Refusal("wrong_purpose", "access tokens are not accepted here");
    return this.#accessToken(token);
  }

  /**
   * Verifies an assertion that came in another way. It lives 60 s and carries no session id, so the feed cannot speak of it: an ended
   * session is good for those 60 s more.
   *
   * @param {string} token
   * @returns {Promise<Principal>}
   * @throws {Refusal} also for every assertion if they are not accepted here
   */
  async verifyAssertion(token) {
    if (!this.#options.accepts.assertions) throw new Refusal("wrong_purpose", "assertions are not accepted here");
    return this.#assertion(token);
  }

  /**
   * Whether a principal may still act: to be asked from time to time on connections that outlive their request (WebSocket, event streams).
   * Not the credential's expiry ends them, but the session's end. Connections through the gateway are ended by it.
   *
   * @param {Principal} principal
   */
  stillStands({ subject }) {
    return !subject || !this.#feed || this.#feed.standing(subject) === "good";
  }

  /** @param {string} token */
  async #accessToken(token) {
    const { claims, now } = await this.#genuine(token, "access", "at+jwt");
    const subject = {
      session: hashed(String(claims.sid)),
      user: hashed(String(claims.sub)),
      generation: Number(claims.gen),
      epoch: Number(claims.epoch),
    };
    const standing = this.#feed?.standing(subject) ?? "good";
    if (standing === "revoked") throw new Refusal("session_revoked", "revoked");
    if (standing === "unknown") throw new Refusal("store_unavailable", "the revocation feed is stale");
    return new Principal("access_token", claims, now, subject);
  }

  /** @param {string} token */
  async #assertion(token) {
    const { claims, now } = await this.#genuine(token, "assertion", "cs-assertion+jwt");
    return new Principal("assertion", claims, now);
  }

  /**
   * @param {string} token
   * @param {"access" | "assertion"} purpose
   * @param {"at+jwt" | "cs-assertion+jwt"} typ
   */
  async #genuine(token, purpose, typ) {
    const { issuer, environment, audience, leeway } = this.#options;
    /** @type {import("./token.js").Profile} */
    const profile = { purpose, typ, issuer, environment, audience, leeway };
    const unverified = read(token, profile);
    const key = await this.#keys.find(unverified.kid);
    if (key === "no keys") throw new Refusal("store_unavailable", "the issuer's keys are not known");
    if (key === "unknown") throw new Refusal("token_invalid", "unknown key");
    const now = this.#options.now() / 1000;
    return { claims: await verify(token, unverified, key, profile, now), now };
  }
}
