-- Users that were erased. Id and epoch are all that is left of them, so that every node and verifier refuses the tokens that are
-- still about, and a restored backup does not bring them back.
CREATE TABLE removed_users (
    id         TEXT    NOT NULL PRIMARY KEY,
    epoch      INTEGER NOT NULL,         -- above that of every token
    removed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX removed_users_by_time ON removed_users (removed_at);
