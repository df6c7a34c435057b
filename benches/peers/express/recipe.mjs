// What a careful Express developer writes from the documentation of these packages: a signed access token, a rotating
// refresh token with its generation in SQLite, a CSRF token bound to the session. Keys are prepared once.
import { createSecretKey, randomBytes } from "node:crypto";
import Database from "better-sqlite3";
import { doubleCsrf } from "csrf-csrf";
import jwt from "jsonwebtoken";

const ISSUER = "https://bench.example.com";
const cookieOptions = { httpOnly: true, secure: true, sameSite: "strict", path: "/" };

/** Everything over one database. `secret` is 32 bytes, the same for seeding and serving. */
export function recipe(path, secret) {
  const db = new Database(path);
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec(`CREATE TABLE IF NOT EXISTS sessions (
    sid TEXT PRIMARY KEY, user_id TEXT NOT NULL, generation INTEGER NOT NULL, expires_at INTEGER NOT NULL
  ) WITHOUT ROWID`);
  const key = createSecretKey(secret);
  const insert = db.prepare("INSERT INTO sessions VALUES (?, ?, 1, ?)");
  const rotate = db.prepare(
    "UPDATE sessions SET generation = generation + 1 WHERE sid = ? AND generation = ? AND expires_at > ? RETURNING user_id, generation",
  );
  const revoke = db.prepare("DELETE FROM sessions WHERE sid = ?");

  const sign = (claims, expiresIn) =>
    jwt.sign(claims, key, { algorithm: "HS256", issuer: ISSUER, audience: "app", expiresIn });
  const tokens = (sid, user, generation) => ({
    access: sign({ typ: "access", sub: user, sid, gen: generation, jti: randomBytes(16).toString("base64url") }, "15m"),
    refresh: sign({ typ: "refresh", sub: user, sid, gen: generation }, "30d"),
  });

  const csrf = doubleCsrf({
    getSecret: () => secret.toString("hex"),
    getSessionIdentifier: (request) => request.sid,
    getCsrfTokenFromRequest: (request) => request.headers["x-csrf-token"],
    cookieName: "__Host-csrf",
    cookieOptions: { ...cookieOptions, httpOnly: false },
  });

  return {
    db,
    csrf,
    cookieOptions,
    open(sid, user) {
      insert.run(sid, user, Math.floor(Date.now() / 1000) + 30 * 86400);
      return tokens(sid, user, 1);
    },
    /** The claims of a refresh token, or nothing. */
    read(token) {
      try {
        const claims = jwt.verify(token, key, { algorithms: ["HS256"], issuer: ISSUER, audience: "app" });
        return claims.typ === "refresh" ? claims : undefined;
      } catch {
        return undefined;
      }
    },
    /** Exchanges a generation for the next one; a spent one ends the session. */
    rotate(claims) {
      const row = rotate.get(claims.sid, claims.gen, Math.floor(Date.now() / 1000));
      if (!row) {
        revoke.run(claims.sid);
        return undefined;
      }
      return { user: row.user_id, generation: row.generation, ...tokens(claims.sid, row.user_id, row.generation) };
    },
    generations: () => db.prepare("SELECT count(*) AS sessions, sum(generation) AS generations FROM sessions").get(),
  };
}
