// Server-sent events (HTML Standard §9.2.6), as much as the feed uses.

/** The longest event, in characters: 1000 entries need a tenth of it. */
const MAX_EVENT = 1 << 20;

/** @typedef {{ name: string, data: string }} Event */

/** Takes text as it comes, gives whole events. */
export class Parser {
  #decoder = new TextDecoder("utf-8", { fatal: true });
  #line = "";
  #name = "";
  /** @type {string | undefined} */
  #data;

  /**
   * The events that end in `bytes`.
   *
   * @param {Uint8Array} bytes
   * @returns {Event[]}
   */
  push(bytes) {
    /** @type {Event[]} */
    const events = [];
    const lines = (this.#line + this.#decoder.decode(bytes, { stream: true })).split(/\r\n|\n|\r(?!$)/);
    this.#line = lines.pop() ?? "";
    for (const line of lines) {
      const event = this.#take(line);
      if (event) events.push(event);
    }
    if (this.#line.length > MAX_EVENT) throw new RangeError("an endless line");
    return events;
  }

  /** @param {string} line */
  #take(line) {
    if (line === "") {
      const event = this.#data === undefined ? undefined : { name: this.#name, data: this.#data };
      this.#name = "";
      this.#data = undefined;
      return event;
    }
    const at = line.indexOf(":");
    const field = at < 0 ? line : line.slice(0, at);
    const value = at < 0 ? "" : line.slice(at + 1).replace(/^ /, "");
    if (field === "event") this.#name = value;
    else if (field === "data") {
      this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
      if (this.#data.length > MAX_EVENT) throw new RangeError("an endless event");
    }
    // Comments, `retry`, `id` (the cursor is in the data too) and what may come later.
    return undefined;
  }
}
