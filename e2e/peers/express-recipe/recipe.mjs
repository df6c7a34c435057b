// Sessions as a careful Express developer writes them from the documentation of these packages and from RFC 9700:
// a signed access token of 15 minutes, a refresh token that is stored as a hash and exchanged at each use, a spent one
// ends the session.
import { createHash, createSecretKey, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import jwt from 'jsonwebtoken';

const derive = promisify(scrypt);
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };
const ACCESS = 15 * 60;
const REFRESH = 14 * 24 * 3600;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE COLLATE NOCASE, name TEXT NOT NULL, password TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, expires_at INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS refresh_tokens (hash TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE, spent INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, text TEXT NOT NULL);`;

const digest = (token) => createHash('sha256').update(token).digest('hex');
const now = () => Math.floor(Date.now() / 1000);

export async function hashed(password) {
  const salt = randomBytes(16);
  return `${salt.toString('base64')}:${(await derive(password, salt, 32, COST)).toString('base64')}`;
}

async function matches(password, stored) {
  const [salt, expected] = stored.split(':').map((part) => Buffer.from(part, 'base64'));
  return timingSafeEqual(expected, await derive(password, salt, 32, COST));
}

/** Everything over one database file; `issuer` is the address of the site. */
export async function recipe(path, issuer) {
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.pragma('foreign_keys = ON');
  db.exec(SCHEMA);
  const key = createSecretKey(randomBytes(32));
  // Looked at when there is no such account, so that the answer takes as long.
  const nobody = await hashed(randomBytes(16).toString('hex'));

  const issue = (user, session) => {
    const refresh = randomBytes(32).toString('base64url');
    db.prepare('INSERT INTO refresh_tokens (hash, session_id) VALUES (?, ?)').run(digest(refresh), session);
    const access = jwt.sign({ sid: session, typ: 'access' }, key, {
      algorithm: 'HS256',
      issuer,
      audience: 'notes',
      subject: user,
      expiresIn: ACCESS,
      jwtid: randomBytes(12).toString('base64url'),
    });
    return { access, refresh, session };
  };

  return {
    db,
    lifetimes: { access: ACCESS, refresh: REFRESH },
    user: (id) => db.prepare('SELECT id, email, name FROM users WHERE id = ?').get(id),

    async addUser(email, name, password) {
      const id = randomBytes(9).toString('base64url');
      db.prepare('INSERT INTO users VALUES (?, ?, ?, ?)').run(id, email, name, await hashed(password));
      return id;
    },

    /** A new session, whatever the browser had before; or nothing. */
    async logIn(email, password) {
      const found = db.prepare('SELECT id, password FROM users WHERE email = ?').get(email);
      const right = await matches(password, found?.password ?? nobody);
      if (!found || !right) return undefined;
      const session = randomBytes(16).toString('base64url');
      db.prepare('INSERT INTO sessions VALUES (?, ?, ?)').run(session, found.id, now() + REFRESH);
      return issue(found.id, session);
    },

    /** Who an access token speaks for. The session is not looked up: that is what makes it cheap. */
    read(token) {
      try {
        const claims = jwt.verify(token, key, { algorithms: ['HS256'], issuer, audience: 'notes' });
        return claims.typ === 'access' ? { user: claims.sub, session: claims.sid } : undefined;
      } catch {
        return undefined;
      }
    },

    /** The next pair for a refresh token. A spent one is theft: the session ends. */
    rotate: db.transaction((token) => {
      const row = db
        .prepare('SELECT hash, spent, session_id, user_id, expires_at FROM refresh_tokens JOIN sessions ON id = session_id WHERE hash = ?')
        .get(digest(token));
      if (!row || row.expires_at <= now()) return undefined;
      if (row.spent) {
        db.prepare('DELETE FROM sessions WHERE id = ?').run(row.session_id);
        return undefined;
      }
      db.prepare('UPDATE refresh_tokens SET spent = 1 WHERE hash = ?').run(row.hash);
      return issue(row.user_id, row.session_id);
    }),

    end(token) {
      db.prepare('DELETE FROM sessions WHERE id = (SELECT session_id FROM refresh_tokens WHERE hash = ?)').run(digest(token));
    },
  };
}
