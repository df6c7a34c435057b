-- Tokens of upstreams that keep their own login, sealed under a master secret. The holder is a session's id (16 bytes) or the
-- hash of a visitor's pre-session (32).
CREATE TABLE upstream_tokens (
    holder     BLOB    NOT NULL,
    upstream   TEXT    NOT NULL,
    revision   INTEGER NOT NULL,        -- changes with each write
    master_key INTEGER NOT NULL,
    sealed     BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (holder, upstream)
) STRICT, WITHOUT ROWID;
CREATE INDEX upstream_tokens_by_expiry ON upstream_tokens (expires_at);
CREATE INDEX upstream_tokens_by_master_key ON upstream_tokens (master_key);

-- Whatever ends a session takes its tokens away in the same step.
CREATE TRIGGER upstream_tokens_end AFTER UPDATE OF ended_at ON sessions WHEN new.ended_at IS NOT NULL
BEGIN
    DELETE FROM upstream_tokens WHERE holder = new.sid;
END;
CREATE TRIGGER upstream_tokens_gone AFTER DELETE ON sessions
BEGIN
    DELETE FROM upstream_tokens WHERE holder = old.sid;
END;
