// Principals: who a verified request acts for. Only a verifier makes one.
import { Refusal } from "./refusal.js";
import { scopes } from "./token.js";

/** Who a verified request acts for. */
export class Principal {
  /** @type {readonly string[]} */
  #scope;
  #verifiedAt;
  /** @type {import("./known.js").Subject | undefined} */
  #subject;

  /**
   * @param {"access_token" | "assertion"} credential
   * @param {import("./token.js").Claims} claims verified
   * @param {number} verifiedAt seconds
   * @param {import("./known.js").Subject} [subject]
   */
  constructor(credential, claims, verifiedAt, subject) {
    const text = (/** @type {string} */ name) => (typeof claims[name] === "string" ? claims[name] : undefined);
    this.#scope = Object.freeze(scopes(claims));
    this.#verifiedAt = verifiedAt;
    this.#subject = subject;
    /** How the request said so. */
    this.credential = credential;
    /** The user: `sub`, opaque and stable. The key for tables of your own, never the address (A21). */
    this.user = String(claims.sub);
    /** The session's public id, for logs; assertions only. */
    this.session = text("session");
    /** The public id of the API key that asked, where one did. */
    this.apiKey = text("api_key");
    /** The client that the token was issued to; access tokens only. */
    this.client = text("client_id");
    /** The address, only if somebody vouched for it; assertions only. */
    this.verifiedEmail = text("email");
    /** When the user proved who they are, in seconds; undefined for an API key. */
    this.authTime = typeof claims.auth_time === "number" ? claims.auth_time : undefined;
    /** How they did (RFC 8176). @type {readonly string[]} */
    this.amr = Object.freeze(Array.isArray(claims.amr) ? [...claims.amr] : []);
    /** When the credential expires, in seconds; not when the session ends. */
    this.expiresAt = Number(claims.exp);
    Object.freeze(this);
  }

  /** What the principal may do. */
  get scope() {
    return this.#scope;
  }

  /** What the revocation feed would call it. */
  get subject() {
    return this.#subject;
  }

  /**
   * Whether it has every scope of `wanted` (separated by spaces). Nobody has a scope without a name.
   *
   * @param {string} wanted
   */
  has(wanted) {
    const names = wanted.split(" ").filter(Boolean);
    return names.length > 0 && names.every((name) => this.#scope.includes(name));
  }

  /**
   * Goes on only with every scope of `wanted`.
   *
   * @param {string} wanted
   * @throws {Refusal} 403 `insufficient_scope`
   */
  require(wanted) {
    if (this.has(wanted)) return;
    const quoted = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(wanted) ? `, scope="${wanted}"` : "";
    throw new Refusal("insufficient_scope", `lacks ${wanted}`, { challenge: `Bearer error="insufficient_scope"${quoted}` });
  }

  /**
   * Goes on only if the user proved who they are within `seconds` (D13).
   *
   * @param {number} seconds
   * @throws {Refusal} 401 `step_up_required` with the challenge of RFC 9470
   */
  requireRecent(seconds) {
    if (this.authTime !== undefined && this.#verifiedAt - this.authTime <= seconds) return;
    const challenge = `Bearer error="insufficient_user_authentication", error_description="A more recent authentication is required", max_age=${seconds}`;
    throw new Refusal("step_up_required", "signed in too long ago", { challenge });
  }
}
