-- The tables of format 2 as it was when format 3 took its place, and a few rows. Frozen: never change it.

CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE thread (
    id BLOB PRIMARY KEY, service_key BLOB NOT NULL, read_key BLOB, created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE log (
    thread BLOB NOT NULL, id BLOB NOT NULL, public_key BLOB NOT NULL, private_key BLOB,
    identity BLOB NOT NULL, managed INTEGER NOT NULL DEFAULT 1, head BLOB NOT NULL DEFAULT x'',
    counter INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (thread, id)
) WITHOUT ROWID;
CREATE TABLE db (
    thread BLOB PRIMARY KEY, name TEXT NOT NULL, sequence INTEGER NOT NULL,
    oldest INTEGER NOT NULL DEFAULT 0, incarnation BLOB NOT NULL DEFAULT x''
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
CREATE UNIQUE INDEX log_identity ON log (thread, identity) WHERE identity <> x'';
CREATE TABLE record (
    thread BLOB NOT NULL, cid BLOB NOT NULL, log BLOB NOT NULL, counter INTEGER NOT NULL,
    record BLOB NOT NULL, event BLOB NOT NULL, header BLOB NOT NULL, body BLOB NOT NULL,
    UNIQUE (thread, cid)
);
CREATE TABLE idx (
    number INTEGER PRIMARY KEY, database BLOB NOT NULL, collection TEXT NOT NULL, path TEXT NOT NULL,
    is_unique INTEGER NOT NULL, ready INTEGER NOT NULL,
    UNIQUE (database, collection, path)
);
CREATE TABLE entry (
    idx INTEGER NOT NULL, key BLOB NOT NULL, id BLOB NOT NULL,
    PRIMARY KEY (idx, key, id)
) WITHOUT ROWID;
CREATE TABLE claim (
    idx INTEGER NOT NULL, claim BLOB NOT NULL, id BLOB NOT NULL,
    PRIMARY KEY (idx, claim)
) WITHOUT ROWID;

INSERT INTO thread VALUES (x'01', x'aa', x'bb', 7), (x'02', x'aa', NULL, 7);
INSERT INTO log VALUES
    (x'01', x'10', x'cc', x'dd', x'ee', 1, x'c4', 1),
    (x'01', x'11', x'cc', NULL, x'', 0, x'', 0),
    (x'02', x'13', x'cc', x'dd', x'ee', 1, x'', 0);
INSERT INTO db VALUES (x'01', 'kennel', 41, 3, x'f1'), (x'02', '', 0, 0, x'f2');
INSERT INTO collection VALUES (x'01', 'Dogs', x'7b7d');
INSERT INTO document VALUES (x'01', 'Dogs', x'61', x'7b7d');
INSERT INTO change VALUES (x'01', 41, 0, 2, 'Dogs', x'61');
INSERT INTO record VALUES (x'01', x'c4', x'10', 1, x'72', x'65', x'68', x'62');
INSERT INTO idx VALUES (1, x'01', 'Dogs', 'name', 1, 1);
INSERT INTO entry VALUES (1, x'526578', x'61');
INSERT INTO claim VALUES (1, x'726578', x'61');
INSERT INTO place VALUES (5, 'place');
INSERT INTO block VALUES (x'c1', 3, x'0001c2', x'616263', NULL, 0), (x'c2', 9, x'', NULL, 5, 40);
INSERT INTO root VALUES (x'6b', x'01', x'c1');
INSERT INTO account VALUES (1, x'a1', CAST('PRIVATEKEY' AS BLOB), 0, 'B', 'b', 'b', 'TOKENTEXT', 5);
INSERT INTO session VALUES ('SESSIONID', x'a1', 9);
INSERT INTO api_key VALUES (1, 'APIKEY', 'APISECRET', x'a1', 1, 1, 1, 7);
INSERT INTO tracked VALUES (1, x'a1', x'01', 'Dogs', 'dogs', 'APIKEY', 1, 8);
INSERT INTO name_key VALUES ('bafz', x'70', x'01', '/ipfs/x', 6);

PRAGMA application_id = 1954049121;
PRAGMA user_version = 2;
