"""The tables of the spool, as `spool.py` makes and reads them.

May hold: the shape of one gateway's SQLite file. May not: queries.
"""

SCHEMA = """
CREATE TABLE IF NOT EXISTS measurement (
    place        INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    document     TEXT NOT NULL,
    resync       INTEGER NOT NULL,
    spooled_at   TEXT NOT NULL,
    delivered_at TEXT
);
CREATE INDEX IF NOT EXISTS measurement_waiting ON measurement (place) WHERE delivered_at IS NULL;
CREATE INDEX IF NOT EXISTS measurement_delivered ON measurement (delivered_at)
    WHERE delivered_at IS NOT NULL;
-- every record that its device could send once more, so that reading it again is no news; a record
-- without a time of its own stands here with its values
CREATE TABLE IF NOT EXISTS record (
    device TEXT NOT NULL, sequence INTEGER NOT NULL, own_time TEXT NOT NULL,
    PRIMARY KEY (device, sequence, own_time)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS device (
    device         TEXT PRIMARY KEY,
    -- every record up to this one is on disk
    last_sequence  INTEGER,
    -- 1 when its memory has been read to the end at least once
    whole          INTEGER NOT NULL DEFAULT 0,
    clock_offset_s INTEGER,
    last_seen_at   TEXT,
    about          TEXT NOT NULL DEFAULT '{}',
    -- when a person added it; null: it was heard, and is left alone unless everybody is welcome
    added_at       TEXT
);
CREATE TABLE IF NOT EXISTS withheld (
    place INTEGER PRIMARY KEY, device TEXT NOT NULL, sequence INTEGER NOT NULL,
    device_time TEXT, reason TEXT NOT NULL, raw BLOB NOT NULL, at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS rejected (
    id TEXT PRIMARY KEY, document TEXT NOT NULL, reasons TEXT NOT NULL, at TEXT NOT NULL
);
-- the commands that were obeyed: none is obeyed twice
CREATE TABLE IF NOT EXISTS command (id TEXT PRIMARY KEY, expires_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
