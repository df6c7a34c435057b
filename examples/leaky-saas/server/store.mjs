// People and their notes, in SQLite.
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import Database from 'better-sqlite3';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS people (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    name TEXT NOT NULL,
    password TEXT NOT NULL,
    biography TEXT NOT NULL DEFAULT '',
    api_key TEXT NOT NULL UNIQUE
  );
  CREATE TABLE IF NOT EXISTS notes (
    id INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL REFERENCES people(id),
    text TEXT NOT NULL,
    written_at TEXT NOT NULL DEFAULT (datetime('now'))
  );`;

const hash = (password, salt) => scryptSync(password, salt, 32, { N: 4096 });

export class Store {
  constructor(path) {
    this.db = new Database(path);
    this.db.exec(SCHEMA);
  }

  addPerson({ email, name, password }) {
    const salt = randomBytes(16);
    const stored = `${salt.toString('hex')}:${hash(password, salt).toString('hex')}`;
    const key = `nw_live_${randomBytes(20).toString('hex')}`;
    const { lastInsertRowid } = this.db
      .prepare('INSERT INTO people (email, name, password, api_key) VALUES (?, ?, ?, ?)')
      .run(email, name, stored, key);
    return this.person(Number(lastInsertRowid));
  }

  person(id) {
    return this.db.prepare('SELECT * FROM people WHERE id = ?').get(id);
  }

  personByEmail(email) {
    return this.db.prepare('SELECT * FROM people WHERE email = ?').get(email);
  }

  personByKey(key) {
    return this.db.prepare('SELECT * FROM people WHERE api_key = ?').get(key);
  }

  hasPassword(person, password) {
    const [salt, stored] = person.password.split(':').map((part) => Buffer.from(part, 'hex'));
    return timingSafeEqual(stored, hash(password, salt));
  }

  setBiography(id, biography) {
    this.db.prepare('UPDATE people SET biography = ? WHERE id = ?').run(biography, id);
  }

  setEmail(id, email) {
    this.db.prepare('UPDATE people SET email = ? WHERE id = ?').run(email, id);
  }

  removePerson(id) {
    this.db.prepare('DELETE FROM notes WHERE owner = ?').run(id);
    this.db.prepare('DELETE FROM people WHERE id = ?').run(id);
  }

  notes(owner) {
    return this.db.prepare('SELECT id, text, written_at FROM notes WHERE owner = ? ORDER BY id DESC').all(owner);
  }

  addNote(owner, text) {
    const { lastInsertRowid } = this.db.prepare('INSERT INTO notes (owner, text) VALUES (?, ?)').run(owner, text);
    return { id: Number(lastInsertRowid), text };
  }

  removeNote(owner, id) {
    return this.db.prepare('DELETE FROM notes WHERE owner = ? AND id = ?').run(owner, id).changes > 0;
  }
}
