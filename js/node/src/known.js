// What is known to be revoked (docs/revocation-feed.md).
import { createHash } from "node:crypto";

/** Entries are kept for so long, in milliseconds, whatever the feed says: no access token lives longer than an hour. */
const KEEP_AT_LEAST = 3_660_000;
/** And no longer than this: a wrong number must not fill the memory. */
const KEEP_AT_MOST = 86_400_000;
const HASH = /^[A-Za-z0-9_-]{43}$/;
const CURSOR = /^[A-Za-z0-9_-]{1,64}$/;
const MAX_COUNT = 0xffff_ffff;

/**
 * @typedef {object} Changes
 * @property {string} iss
 * @property {string} cursor
 * @property {number} keep_seconds
 * @property {string[]} sessions
 * @property {{ user: string, epoch: number }[]} users
 * @property {{ session: string, first: number, last: number }[]} abandoned
 */

/** A token, as far as the feed can speak of it. @typedef {{ session: string, user: string, generation: number, epoch: number }} Subject */

/** SHA-256 of the text of a claim. @param {string} text */
export function hashed(text) {
  return createHash("sha256").update(text).digest("base64url");
}

const isHash = (/** @type {unknown} */ value) => typeof value === "string" && HASH.test(value);
const isCount = (/** @type {unknown} */ value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_COUNT;

/**
 * Whether data of a heartbeat is one.
 *
 * @param {any} value
 * @returns {value is { iss: string, cursor: string }}
 */
export function isHeartbeat(value) {
  return typeof value?.iss === "string" && typeof value.cursor === "string" && CURSOR.test(value.cursor);
}

/**
 * Whether an answer is in the format of the feed, as a whole: an answer of something else must not count as "nothing was revoked".
 *
 * @param {any} value
 * @returns {value is Changes}
 */
export function isChanges(value) {
  return (
    isHeartbeat(value) &&
    Number.isFinite(/** @type {any} */ (value).keep_seconds) &&
    [/** @type {any} */ (value).sessions, /** @type {any} */ (value).users, /** @type {any} */ (value).abandoned].every(Array.isArray) &&
    /** @type {any} */ (value).sessions.every(isHash) &&
    /** @type {any} */ (value).users.every((/** @type {any} */ entry) => isHash(entry?.user) && isCount(entry.epoch)) &&
    /** @type {any} */ (value).abandoned.every(
      (/** @type {any} */ entry) => isHash(entry?.session) && isCount(entry.first) && isCount(entry.last),
    )
  );
}

/** Merged from everything that was received. Nothing is ever taken back before it is too old to matter. */
export class Known {
  /** @type {Map<string, number>} */
  #sessions = new Map();
  /** @type {Map<string, { epoch: number, until: number }>} */
  #users = new Map();
  /** @type {Map<string, { first: number, last: number, until: number }[]>} */
  #abandoned = new Map();

  /**
   * @param {Changes} changes
   * @param {number} now milliseconds of a clock that never goes back
   */
  merge(changes, now) {
    const until = now + Math.min(Math.max(changes.keep_seconds * 1000, KEEP_AT_LEAST), KEEP_AT_MOST);
    for (const session of changes.sessions) this.#sessions.set(session, until);
    for (const { user, epoch } of changes.users) {
      // An answer that overtook another must not lower the bar again.
      this.#users.set(user, { epoch: Math.max(epoch, this.#users.get(user)?.epoch ?? 0), until });
    }
    for (const { session, first, last } of changes.abandoned) {
      const others = (this.#abandoned.get(session) ?? []).filter((range) => range.first !== first || range.last !== last);
      this.#abandoned.set(session, [...others, { first, last, until }]);
    }
  }

  /** Drops what is too old to matter. @param {number} now */
  forget(now) {
    for (const [session, until] of this.#sessions) if (until <= now) this.#sessions.delete(session);
    for (const [user, { until }] of this.#users) if (until <= now) this.#users.delete(user);
    for (const [session, ranges] of this.#abandoned) {
      const left = ranges.filter(({ until }) => until > now);
      if (left.length === 0) this.#abandoned.delete(session);
      else this.#abandoned.set(session, left);
    }
  }

  /** Whether a token is dead. @param {Subject} subject */
  refuses({ session, user, generation, epoch }) {
    return (
      this.#sessions.has(session) ||
      (this.#users.get(user)?.epoch ?? 0) > epoch ||
      (this.#abandoned.get(session) ?? []).some(({ first, last }) => first <= generation && generation <= last)
    );
  }
}
