// Why a request is not let in: exact inside, a listed code outside.

/** @typedef {keyof typeof CODES} Code */

/** What a client is told: status, title and detail of each code (docs/application.md, "Refusals"). */
export const CODES = Object.freeze({
  token_missing: [401, "Not signed in", "Sign in, or send a token that this service accepts."],
  token_expired: [401, "The access token has expired", "Refresh the session, then try again."],
  token_invalid: [401, "The token is not valid", "The token is not one of ours, or damaged."],
  wrong_audience: [401, "The token is meant for another audience", "The token's audience does not include this service."],
  wrong_environment: [401, "The token belongs to another environment", "Use a token that this environment issued."],
  wrong_purpose: [401, "The token has another purpose", "Send the kind of token that this service accepts."],
  session_revoked: [401, "The session was ended", "The session was ended. Sign in again."],
  insufficient_scope: [403, "Not allowed", "This needs a scope that the session does not have."],
  step_up_required: [401, "Sign in again to go on", "This needs a recent sign-in. Sign in again."],
  store_unavailable: [503, "Please try again", "The service cannot check sessions. Try again in a moment."],
});

/** Thrown for every request that is not let in. `code` is for clients, `message` (the exact reason) for logs; neither holds a secret. */
export class Refusal extends Error {
  /**
   * @param {Code} code
   * @param {string} reason
   * @param {{ challenge?: string }} [options] `challenge`: the value of `WWW-Authenticate`
   */
  constructor(code, reason, { challenge } = {}) {
    super(reason);
    this.name = "Refusal";
    this.code = code;
    const [status] = CODES[code];
    /** The HTTP status. */
    this.status = Number(status);
    /** For frameworks that look for it under this name. */
    this.statusCode = this.status;
    this.challenge = challenge ?? challengeOf(code, this.status);
  }
}

/**
 * @param {Code} code
 * @param {number} status
 */
function challengeOf(code, status) {
  if (status !== 401) return undefined;
  return code === "token_missing" ? "Bearer" : 'Bearer error="invalid_token"';
}
