-- The catalog, version 1, for SQLite; ../mariadb has the same tables for MariaDB. Published: SCHEMA.md
-- says what each column means. Text compares byte by byte. UUIDs are text of 36 characters; times are
-- epoch microseconds. How long a value may be is checked by CatalogLimits: SQLite's types have no length.

CREATE TABLE piece (
    piece_id           TEXT    NOT NULL,
    piece_header_id    BLOB    NOT NULL,
    client_id          TEXT    NOT NULL,
    client             TEXT    NOT NULL,
    data_piece         TEXT    NOT NULL,
    data_piece_hash    BLOB    NOT NULL,
    data_piece_type    TEXT    NOT NULL,
    data_piece_owner   TEXT    NOT NULL,
    backup_location    TEXT    NOT NULL,
    backup_time        INTEGER NOT NULL,
    expiry_time        INTEGER NOT NULL,
    size_bytes         INTEGER NOT NULL,
    origin_catalog     TEXT    NOT NULL,
    row_source         TEXT    NOT NULL,
    CONSTRAINT piece_pk PRIMARY KEY (piece_id),
    CONSTRAINT piece_row_source CHECK (row_source IN ('recorded', 'rebuilt'))
) STRICT;

CREATE INDEX piece_by_time ON piece (backup_time, piece_id);
CREATE INDEX piece_by_client ON piece (client_id, backup_time, piece_id);
CREATE INDEX piece_by_data_piece ON piece (data_piece_hash, backup_time, piece_id);

-- Optional fields: free for the vendor.
CREATE TABLE piece_optional (
    piece_id    TEXT NOT NULL,
    field_name  TEXT NOT NULL,
    field_value TEXT NOT NULL,
    CONSTRAINT piece_optional_pk PRIMARY KEY (piece_id, field_name),
    CONSTRAINT piece_optional_piece FOREIGN KEY (piece_id) REFERENCES piece (piece_id) ON DELETE CASCADE
) STRICT;

-- The decision that a piece is no longer wanted. May come before the row it is about.
CREATE TABLE piece_tombstone (
    piece_id TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    epoch    INTEGER NOT NULL,
    CONSTRAINT piece_tombstone_pk PRIMARY KEY (piece_id)
) STRICT;

-- Changes first made in this database, in commit order. Written in the transaction of the change.
CREATE TABLE outbox (
    seq          INTEGER NOT NULL,
    epoch        INTEGER NOT NULL,
    piece_id     TEXT    NOT NULL,
    change_kind  TEXT    NOT NULL,
    payload      BLOB    NOT NULL,
    CONSTRAINT outbox_pk PRIMARY KEY (seq),
    CONSTRAINT outbox_change_kind CHECK (change_kind IN ('recorded', 'forgotten', 'rebuilt'))
) STRICT;

CREATE INDEX outbox_by_piece ON outbox (piece_id, change_kind);

-- How far the outboxes of other databases have been applied. Written in the transaction of the rows.
CREATE TABLE repl_applied (
    origin_database TEXT    NOT NULL,
    seq             INTEGER NOT NULL,
    epoch           INTEGER NOT NULL,
    CONSTRAINT repl_applied_pk PRIMARY KEY (origin_database)
) STRICT;

-- One row. Every write begins by locking it, so commits have one order and last_seq has no gaps.
CREATE TABLE fence (
    id           INTEGER NOT NULL,
    database_id  TEXT    NOT NULL,
    epoch        INTEGER NOT NULL,
    last_seq     INTEGER NOT NULL,
    transactions INTEGER NOT NULL,
    CONSTRAINT fence_pk PRIMARY KEY (id),
    CONSTRAINT fence_one_row CHECK (id = 1)
) STRICT;
