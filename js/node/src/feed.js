// Revocations: a live stream, a poll behind it, and a clock that says when neither was heard (docs/revocation-feed.md).
import { fetchWhole, FetchError, open } from "./fetch.js";
import { isChanges, isHeartbeat, Known } from "./known.js";
import { spread, wait } from "./pause.js";
import { Parser } from "./sse.js";

const PATH = "/auth/revocations";
/** Heartbeats come each second: a stream that says nothing for so long is dead, even if nobody closed it. */
const SILENCE = 3000;
/** Before the stream is tried again, and between polls while there is none. */
const PAUSE = 1000;
/** After 401 or 403: the key must be looked at, asking more often helps nobody. */
const REFUSED_PAUSE = 30_000;
/** The longest snapshot: about half a million entries. */
const MAX_SNAPSHOT = 64 << 20;
/** How often what is too old is dropped. */
const SWEEP = 60_000;

/** The feed as this verifier knows it. */
export class Feed {
  #source;
  #headers;
  #issuer;
  #maxStaleness;
  #log;
  #known = new Known();
  /** @type {string | undefined} */
  #cursor;
  #freshAt = -Infinity;
  #sweptAt = -Infinity;

  /**
   * @param {import("./fetch.js").Source} source
   * @param {{ key: string, issuer: string, maxStaleness: number, log: (message: string) => void }} options
   */
  constructor(source, { key, issuer, maxStaleness, log }) {
    this.#source = source;
    this.#headers = { authorization: `Bearer ${key}` };
    this.#issuer = issuer;
    this.#maxStaleness = maxStaleness;
    this.#log = log;
  }

  /** Whether everything is known as of less than `maxStaleness` ago. */
  get fresh() {
    return performance.now() - this.#freshAt < this.#maxStaleness;
  }

  /**
   * What is known of a token. What was revoked stays revoked, however stale the rest is.
   *
   * @param {import("./known.js").Subject} subject
   * @returns {"good" | "revoked" | "unknown"}
   */
  standing(subject) {
    if (this.#known.refuses(subject)) return "revoked";
    return this.fresh ? "good" : "unknown";
  }

  /**
   * Follows stream and poll until `signal` says so.
   *
   * @param {AbortSignal} signal
   */
  async follow(signal) {
    await Promise.all([this.#streamAlways(signal), this.#pollAlways(signal)]);
  }

  /** @param {AbortSignal} signal */
  async #streamAlways(signal) {
    while (!signal.aborted) {
      try {
        await this.#stream(signal);
        throw new FetchError("the stream ended");
      } catch (error) {
        await this.#pause(error, "stream", signal);
      }
    }
  }

  /** Polls while the stream does not deliver. @param {AbortSignal} signal */
  async #pollAlways(signal) {
    while (!signal.aborted) {
      // The stream is given the first word: at start it brings everything itself.
      await wait(spread(PAUSE), signal);
      if (signal.aborted || performance.now() - this.#freshAt < PAUSE * 1.5) continue;
      try {
        await this.#poll(signal);
      } catch (error) {
        await this.#pause(error, "poll", signal);
      }
    }
  }

  /**
   * @param {unknown} error
   * @param {string} way
   * @param {AbortSignal} signal
   */
  async #pause(error, way, signal) {
    if (signal.aborted) return;
    const refused = error instanceof FetchError && (error.status === 401 || error.status === 403);
    this.#log(
      refused
        ? `the issuer refuses the API key of the revocation feed (${way}: ${error.status}); it needs the scope revocations:read`
        : `revocation feed, ${way}: ${error instanceof Error ? error.message : error}`,
    );
    await wait(refused ? REFUSED_PAUSE : spread(PAUSE), signal);
  }

  /** @param {AbortSignal} signal */
  async #stream(signal) {
    const headers = { ...this.#headers, ...(this.#cursor === undefined ? {} : { "last-event-id": this.#cursor }) };
    const answer = await open(this.#source, { target: PATH, types: ["text/event-stream"], headers, signal });
    answer.setTimeout(SILENCE, () => answer.destroy(new FetchError("the stream is silent")));
    const parser = new Parser();
    try {
      for await (const piece of answer) {
        for (const { name, data } of parser.push(piece)) {
          if (name === "changes") this.#learn(JSON.parse(data));
          else if (name === "heartbeat") this.#beat(JSON.parse(data));
        }
      }
    } finally {
      answer.destroy();
    }
  }

  /** @param {AbortSignal} signal */
  async #poll(signal) {
    const target = this.#cursor === undefined ? PATH : `${PATH}?since=${this.#cursor}`;
    // What is revoked while the answer is on its way is not in it.
    const asked = performance.now();
    const body = await fetchWhole(this.#source, { target, types: ["application/json"], headers: this.#headers, signal }, MAX_SNAPSHOT);
    const changes = JSON.parse(body.toString());
    this.#learn(changes);
    this.#complete(changes.cursor, asked);
  }

  /** Takes changes in. They say nothing about completeness. @param {unknown} changes */
  #learn(changes) {
    if (!isChanges(changes)) throw new FetchError("the feed is not in its format");
    this.#expectIssuer(changes.iss);
    this.#known.merge(changes, performance.now());
  }

  /** @param {unknown} heartbeat */
  #beat(heartbeat) {
    if (!isHeartbeat(heartbeat)) throw new FetchError("the feed is not in its format");
    this.#expectIssuer(heartbeat.iss);
    this.#complete(heartbeat.cursor, performance.now());
  }

  /**
   * Everything up to `cursor` is known, as of `at`.
   *
   * @param {string} cursor
   * @param {number} at
   */
  #complete(cursor, at) {
    this.#cursor = cursor;
    this.#freshAt = Math.max(this.#freshAt, at);
    if (at - this.#sweptAt < SWEEP) return;
    this.#sweptAt = at;
    this.#known.forget(at);
  }

  /** The feed of another environment says nothing about this one. @param {string} iss */
  #expectIssuer(iss) {
    if (iss !== this.#issuer) throw new FetchError("the feed is about another issuer");
  }
}
