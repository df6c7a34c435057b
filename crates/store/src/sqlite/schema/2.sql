-- API keys. `hash` is SHA-256 of 24 random bytes: nothing here can be presented. Networks are keyed hashes.
CREATE TABLE api_keys (
    id           BLOB    NOT NULL PRIMARY KEY,
    owner        TEXT    NOT NULL REFERENCES users (id),
    name         TEXT    NOT NULL,
    hash         BLOB    NOT NULL,
    last4        TEXT    NOT NULL,
    scope        TEXT    NOT NULL,      -- separated by spaces
    addresses    TEXT    NOT NULL,      -- networks in CIDR notation, separated by spaces; empty: everywhere
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    revoked_at   INTEGER,
    last_used_at INTEGER,
    networks     BLOB    NOT NULL       -- 8 bytes each, the newest last
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_by_owner ON api_keys (owner, created_at);
CREATE INDEX api_keys_by_expiry ON api_keys (expires_at);
CREATE INDEX api_keys_by_revocation ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL;
