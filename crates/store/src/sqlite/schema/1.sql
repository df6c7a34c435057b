-- Nothing here can be presented (D08): tokens are derived from a session's row and a master secret outside, codes and
-- throttle keys are hashes. Instants are milliseconds since the Unix epoch; SQL never asks for the time.
CREATE TABLE users (
    id             TEXT    NOT NULL PRIMARY KEY,
    email          TEXT    NOT NULL UNIQUE,
    email_verified INTEGER NOT NULL,
    scope          TEXT    NOT NULL,
    epoch          INTEGER NOT NULL,
    epoch_at       INTEGER,             -- when the epoch was last raised
    password       TEXT,                -- Argon2id, PHC format
    created_at     INTEGER NOT NULL,
    disabled_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX users_by_epoch_at ON users (epoch_at) WHERE epoch_at IS NOT NULL;

-- A rotation writes current, previous, handed_over_at, confirmed_at, lost, seen_at, ip and user_agent: no index names
-- any of them, so that it costs one page.
CREATE TABLE sessions (
    sid             BLOB    NOT NULL PRIMARY KEY,
    public_id       TEXT    NOT NULL,
    user_id         TEXT    NOT NULL REFERENCES users (id),
    epoch           INTEGER NOT NULL,
    master_key      INTEGER NOT NULL,
    salt            BLOB    NOT NULL,
    created_at      INTEGER NOT NULL,
    auth_time       INTEGER NOT NULL,
    seen_at         INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    amr             TEXT    NOT NULL,   -- separated by spaces
    scope           TEXT    NOT NULL,   -- separated by spaces
    ip              TEXT,
    user_agent      TEXT    NOT NULL,
    current         INTEGER NOT NULL,
    previous        INTEGER,            -- the generation whose presentation gave `current`
    handed_over_at  INTEGER NOT NULL,
    confirmed_at    INTEGER,
    lost            INTEGER NOT NULL,
    abandoned       BLOB,               -- 16 bytes a range: first 4, last 4, until 8, big-endian
    abandoned_until INTEGER,            -- the latest `until`
    ended_at        INTEGER,
    ended_reason    TEXT
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX sessions_by_public_id ON sessions (public_id);
CREATE INDEX sessions_by_user ON sessions (user_id, created_at);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_end ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_by_abandoned ON sessions (abandoned_until) WHERE abandoned_until IS NOT NULL;

CREATE TABLE attempts (
    key      BLOB    NOT NULL PRIMARY KEY,
    count    INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    stale_at INTEGER NOT NULL           -- when the rule's window has passed
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_by_staleness ON attempts (stale_at);

CREATE TABLE devices (
    user_id TEXT    NOT NULL,
    device  BLOB    NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE codes (
    hash       BLOB    NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,
    email      TEXT    NOT NULL,
    password   TEXT,
    scope      TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX codes_by_expiry ON codes (expires_at);

CREATE TABLE signing_keys (
    kid        TEXT    NOT NULL PRIMARY KEY,
    algorithm  TEXT    NOT NULL,
    public     BLOB    NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    active_at  INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE sealed (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: a row number is never used twice, or a reader who follows would miss events after a purge.
CREATE TABLE events (
    row         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    outcome     TEXT    NOT NULL,
    user_id     TEXT,
    session     TEXT,                   -- public id
    session_tag TEXT,
    ip          TEXT,
    request     TEXT,
    reason      TEXT    NOT NULL,
    detail      TEXT    NOT NULL
) STRICT;
CREATE INDEX events_by_time ON events (at);
CREATE INDEX events_by_user ON events (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX events_by_session ON events (session) WHERE session IS NOT NULL;
CREATE INDEX events_by_request ON events (request) WHERE request IS NOT NULL;
