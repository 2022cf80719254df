-- The tables of format 1 as version 1 made them, and a few rows. Frozen: never change it.

CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE thread (
    id BLOB PRIMARY KEY, service_key BLOB NOT NULL, read_key BLOB, created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE log (
    thread BLOB NOT NULL, id BLOB NOT NULL, public_key BLOB NOT NULL, private_key BLOB,
    identity BLOB NOT NULL,
    PRIMARY KEY (thread, id)
) WITHOUT ROWID;
CREATE TABLE db (
    thread BLOB PRIMARY KEY, name TEXT NOT NULL, sequence INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE collection (
    database BLOB NOT NULL, name TEXT NOT NULL, config BLOB NOT NULL,
    PRIMARY KEY (database, name)
) WITHOUT ROWID;
CREATE TABLE document (
    database BLOB NOT NULL, collection TEXT NOT NULL, id BLOB NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (database, collection, id)
) WITHOUT ROWID;
CREATE TABLE change (
    database BLOB NOT NULL, sequence INTEGER NOT NULL, position INTEGER NOT NULL,
    kind INTEGER NOT NULL, collection TEXT NOT NULL, document BLOB NOT NULL,
    PRIMARY KEY (database, sequence, position)
) WITHOUT ROWID;
CREATE TABLE root (bucket BLOB PRIMARY KEY, thread BLOB NOT NULL, cid BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX root_thread ON root (thread);
CREATE TABLE place (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE block (
    cid BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, links BLOB NOT NULL,
    data BLOB, place INTEGER, offset INTEGER NOT NULL
);
CREATE TABLE account (
    position INTEGER PRIMARY KEY, public_key BLOB NOT NULL UNIQUE, private_key BLOB NOT NULL,
    kind INTEGER NOT NULL, username TEXT NOT NULL, folded_username TEXT NOT NULL, email TEXT NOT NULL,
    token TEXT NOT NULL, created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX account_username ON account (folded_username) WHERE folded_username <> '';
CREATE UNIQUE INDEX account_email ON account (email) WHERE email <> '';
CREATE TABLE session (
    id TEXT PRIMARY KEY, account BLOB NOT NULL, expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE api_key (
    position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, secret TEXT NOT NULL, owner BLOB NOT NULL,
    kind INTEGER NOT NULL, secure INTEGER NOT NULL, valid INTEGER NOT NULL, created_at INTEGER NOT NULL
);
CREATE INDEX api_key_owner ON api_key (owner, position);
CREATE TABLE tracked (
    position INTEGER PRIMARY KEY, owner BLOB NOT NULL, thread BLOB NOT NULL, name TEXT NOT NULL,
    folded_name TEXT NOT NULL, key TEXT NOT NULL, is_database INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (owner, thread)
);
CREATE UNIQUE INDEX tracked_name ON tracked (owner, folded_name) WHERE folded_name <> '';
CREATE INDEX tracked_owner ON tracked (owner, position);
CREATE TABLE name_key (
    cid TEXT PRIMARY KEY, private_key BLOB NOT NULL, thread BLOB NOT NULL, path TEXT NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX name_key_thread ON name_key (thread, cid);

INSERT INTO thread VALUES (x'01', x'aa', x'bb', 7), (x'02', x'aa', NULL, 7);
-- Nothing kept two logs from having one identity.
INSERT INTO log VALUES
    (x'01', x'10', x'cc', x'dd', x'ee'),
    (x'01', x'11', x'cc', NULL, x''),
    (x'01', x'12', x'cc', x'dd', x'ee'),
    (x'01', x'14', x'cc', NULL, x''),
    (x'02', x'13', x'cc', x'dd', x'ee');
INSERT INTO db VALUES (x'01', 'kennel', 41), (x'02', '', 0);
INSERT INTO collection VALUES (x'01', 'Dogs', x'7b7d');
INSERT INTO document VALUES (x'01', 'Dogs', x'61', x'7b7d');
INSERT INTO change VALUES (x'01', 41, 0, 2, 'Dogs', x'61');
INSERT INTO block VALUES (x'c1', 3, x'', x'616263', NULL, 0);

PRAGMA application_id = 1954049121;
PRAGMA user_version = 1;
