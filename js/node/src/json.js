// JSON for hostile bytes: duplicate member names, deep nesting, lone surrogates and invalid UTF-8 are errors (A15, A16). `JSON.parse` takes
// the last of two members of one name; another reader of the same token may take the first.

/** Deepest nesting of arrays and objects. */
const MAX_DEPTH = 8;
const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WHOLE = /^(?:0|-?[1-9][0-9]*)$/;
const WORD = /true|false|null/y;
const WORDS = new Map([["true", true], ["false", false], ["null", null]]);

/** A number that is not written as a whole one (`1.0`, `1e3`), or that a double does not hold exactly: no claim of ours is one. */
export class Inexact {}

/**
 * Parses one JSON value strictly.
 *
 * @param {Uint8Array} bytes
 * @returns {unknown} objects have no prototype
 * @throws {SyntaxError} for anything off
 */
export function parse(bytes) {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  #text;
  #at = 0;

  /** @param {string} text */
  constructor(text) {
    this.#text = text;
    this.#take(SPACE);
  }

  end() {
    if (this.#at !== this.#text.length) throw new SyntaxError("something follows the value");
  }

  /**
   * @param {number} depth how many arrays and objects are around it
   * @returns {unknown}
   */
  value(depth) {
    const first = this.#text[this.#at];
    if (first === "{" || first === "[") {
      if (depth >= MAX_DEPTH) throw new SyntaxError("nested too deeply");
      return first === "{" ? this.#object(depth + 1) : this.#array(depth + 1);
    }
    if (first === '"') return this.#string();
    const word = this.#take(WORD);
    if (word !== undefined) return this.#spaced(WORDS.get(word));
    return this.#number();
  }

  /** @param {number} depth */
  #object(depth) {
    /** @type {Record<string, unknown>} */
    const members = Object.create(null);
    this.#expect("{");
    if (this.#skip("}")) return members;
    do {
      if (this.#text[this.#at] !== '"') throw new SyntaxError("a member has no name");
      const name = this.#string();
      if (name in members) throw new SyntaxError("two members have one name");
      this.#expect(":");
      members[name] = this.value(depth);
    } while (this.#skip(","));
    this.#expect("}");
    return members;
  }

  /** @param {number} depth */
  #array(depth) {
    /** @type {unknown[]} */
    const items = [];
    this.#expect("[");
    if (this.#skip("]")) return items;
    do items.push(this.value(depth));
    while (this.#skip(","));
    this.#expect("]");
    return items;
  }

  #string() {
    const literal = this.#take(STRING);
    if (literal === undefined) throw new SyntaxError("a string is malformed");
    /** @type {string} */
    const text = JSON.parse(literal);
    if (/\p{Surrogate}/u.test(text)) throw new SyntaxError("a string holds half a character");
    return this.#spaced(text);
  }

  #number() {
    const literal = this.#take(NUMBER);
    if (literal === undefined || literal === "") throw new SyntaxError("no value");
    const number = Number(literal);
    if (!Number.isFinite(number)) throw new SyntaxError("a number is out of range");
    return this.#spaced(WHOLE.test(literal) && Number.isSafeInteger(number) ? number : new Inexact());
  }

  /** @param {RegExp} pattern sticky */
  #take(pattern) {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  /** @template T @param {T} value */
  #spaced(value) {
    this.#take(SPACE);
    return value;
  }

  /** @param {string} character */
  #skip(character) {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return this.#spaced(true);
  }

  /** @param {string} character */
  #expect(character) {
    if (!this.#skip(character)) throw new SyntaxError(`no ${character} where one must be`);
  }
}
