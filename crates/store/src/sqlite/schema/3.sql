-- The registered client that a session was opened for; NULL where it lives in cookies alone.
ALTER TABLE sessions ADD COLUMN client TEXT;

-- Who a user is elsewhere. The pair is the key, never an address: addresses change hands.
CREATE TABLE identities (
    issuer     TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    user_id    TEXT    NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
