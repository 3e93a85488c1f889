-- The catalog, version 1, for MariaDB 10.11 or later; ../sqlite has the same tables for SQLite.
-- Published: SCHEMA.md says what each column means. Text compares byte by byte, trailing spaces count
-- (utf8mb4_nopad_bin). UUIDs are text of 36 characters; times are epoch microseconds.

CREATE TABLE piece (
    piece_id           CHAR(36)      NOT NULL,
    piece_header_id    BINARY(32)    NOT NULL,
    client_id          CHAR(36)      NOT NULL,
    client             VARCHAR(255)  NOT NULL,
    data_piece         VARCHAR(4096) NOT NULL,
    data_piece_hash    BINARY(32)    NOT NULL,
    data_piece_type    VARCHAR(64)   NOT NULL,
    data_piece_owner   VARCHAR(255)  NOT NULL,
    backup_location    VARCHAR(8192) NOT NULL,
    backup_time        BIGINT        NOT NULL,
    expiry_time        BIGINT        NOT NULL,
    size_bytes         BIGINT        NOT NULL,
    origin_catalog     VARCHAR(255)  NOT NULL,
    row_source         VARCHAR(16)   NOT NULL,
    CONSTRAINT piece_pk PRIMARY KEY (piece_id),
    CONSTRAINT piece_row_source CHECK (row_source IN ('recorded', 'rebuilt'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE INDEX piece_by_time ON piece (backup_time, piece_id);
CREATE INDEX piece_by_client ON piece (client_id, backup_time, piece_id);
CREATE INDEX piece_by_data_piece ON piece (data_piece_hash, backup_time, piece_id);

-- Optional fields: free for the vendor.
CREATE TABLE piece_optional (
    piece_id    CHAR(36)      NOT NULL,
    field_name  VARCHAR(255)  NOT NULL,
    field_value VARCHAR(4096) NOT NULL,
    CONSTRAINT piece_optional_pk PRIMARY KEY (piece_id, field_name),
    CONSTRAINT piece_optional_piece FOREIGN KEY (piece_id) REFERENCES piece (piece_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- The decision that a piece is no longer wanted. May come before the row it is about.
CREATE TABLE piece_tombstone (
    piece_id CHAR(36)      NOT NULL,
    reason   VARCHAR(1024) NOT NULL,
    epoch    BIGINT        NOT NULL,
    CONSTRAINT piece_tombstone_pk PRIMARY KEY (piece_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- Changes first made in this database, in commit order. Written in the transaction of the change.
CREATE TABLE outbox (
    seq          BIGINT      NOT NULL,
    epoch        BIGINT      NOT NULL,
    piece_id     CHAR(36)    NOT NULL,
    change_kind  VARCHAR(16) NOT NULL,
    payload      LONGBLOB    NOT NULL,
    CONSTRAINT outbox_pk PRIMARY KEY (seq),
    CONSTRAINT outbox_change_kind CHECK (change_kind IN ('recorded', 'forgotten', 'rebuilt'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE INDEX outbox_by_piece ON outbox (piece_id, change_kind);

-- How far the outboxes of other databases have been applied. Written in the transaction of the rows.
CREATE TABLE repl_applied (
    origin_database CHAR(36) NOT NULL,
    seq             BIGINT   NOT NULL,
    epoch           BIGINT   NOT NULL,
    CONSTRAINT repl_applied_pk PRIMARY KEY (origin_database)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- One row. Every write begins by locking it, so commits have one order and last_seq has no gaps.
CREATE TABLE fence (
    id           INT      NOT NULL,
    database_id  CHAR(36) NOT NULL,
    epoch        BIGINT   NOT NULL,
    last_seq     BIGINT   NOT NULL,
    transactions BIGINT   NOT NULL,
    CONSTRAINT fence_pk PRIMARY KEY (id),
    CONSTRAINT fence_one_row CHECK (id = 1)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
