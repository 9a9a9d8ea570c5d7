"""The tables of the spool, step by step: as the first release made them, and what each later added.

The file says in `PRAGMA user_version` how many steps it has gone; each step is one transaction.
Steps are added, never edited: a box that was in a drawer for two years takes them all in order. May
hold: the shape of one gateway's SQLite file. May not: queries.
"""

# as the first release made it, which wrote no user_version
_FIRST = (
    """
    CREATE TABLE measurement (
        place        INTEGER PRIMARY KEY AUTOINCREMENT,
        id           TEXT NOT NULL UNIQUE,
        document     TEXT NOT NULL,
        resync       INTEGER NOT NULL,
        spooled_at   TEXT NOT NULL,
        delivered_at TEXT
    )
    """,
    "CREATE INDEX measurement_waiting ON measurement (place) WHERE delivered_at IS NULL",
    """
    CREATE INDEX measurement_delivered ON measurement (delivered_at)
        WHERE delivered_at IS NOT NULL
    """,
    """
    CREATE TABLE record (
        device TEXT NOT NULL, sequence INTEGER NOT NULL, own_time TEXT NOT NULL,
        PRIMARY KEY (device, sequence, own_time)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE device (
        device         TEXT PRIMARY KEY,
        -- every record up to this one is on disk
        last_sequence  INTEGER,
        -- 1 when its memory has been read to the end at least once
        whole          INTEGER NOT NULL DEFAULT 0,
        clock_offset_s INTEGER,
        last_seen_at   TEXT,
        about          TEXT NOT NULL DEFAULT '{}'
    )
    """,
    """
    CREATE TABLE withheld (
        place INTEGER PRIMARY KEY, device TEXT NOT NULL, sequence INTEGER NOT NULL,
        device_time TEXT, reason TEXT NOT NULL, raw BLOB NOT NULL, at TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE rejected (
        id TEXT PRIMARY KEY, document TEXT NOT NULL, reasons TEXT NOT NULL, at TEXT NOT NULL
    )
    """,
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
)

# when a person added the device; null: it was heard, and is left alone unless everybody is welcome.
# The first release read whatever it heard: what it had read to the end goes on being read.
_ADDED = (
    "ALTER TABLE device ADD COLUMN added_at TEXT",
    "UPDATE device SET added_at = last_seen_at WHERE whole = 1",
)

_REMEMBERED = (
    # who it said it was, and when it was last read to the end: by these an exchanged device, a new
    # battery and a clock that was changed between two visits are told
    "ALTER TABLE device ADD COLUMN serial TEXT",
    "ALTER TABLE device ADD COLUMN firmware TEXT",
    "ALTER TABLE device ADD COLUMN read_at TEXT",
    # what had to be added to its clock to get UTC, before and after something happened to it
    """
    CREATE TABLE clock (
        place    INTEGER PRIMARY KEY,
        device   TEXT NOT NULL,
        at       TEXT NOT NULL,
        before_s INTEGER,
        after_s  INTEGER NOT NULL,
        why      TEXT NOT NULL
    )
    """,
    "CREATE INDEX clock_device ON clock (device, place)",
    # commands that were obeyed: none is obeyed twice
    "CREATE TABLE command (id TEXT PRIMARY KEY, expires_at TEXT NOT NULL) WITHOUT ROWID",
    # every record that its device could send once more, so that reading it again is no news, in the
    # order in which they came; a record without a time of its own stands here with its values
    "ALTER TABLE record RENAME TO record_before",
    """
    CREATE TABLE record (
        place    INTEGER PRIMARY KEY,
        device   TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        own_time TEXT NOT NULL,
        UNIQUE (device, sequence, own_time)
    )
    """,
    "CREATE INDEX record_device ON record (device, place)",
    """
    INSERT INTO record (device, sequence, own_time)
    SELECT device, sequence, own_time FROM record_before ORDER BY device, own_time, sequence
    """,
    "DROP TABLE record_before",
)

# by which code a shared device hands over a user's readings, as a person typed it
_CONSENTS = (
    """
    CREATE TABLE consent (
        device TEXT NOT NULL, user INTEGER NOT NULL, code INTEGER NOT NULL,
        PRIMARY KEY (device, user)
    ) WITHOUT ROWID
    """,
)

_CORRECTIONS = (
    # what a record said when it came first, a line for each value, and where it was placed in time;
    # null: an earlier release read it and did not write this down
    "ALTER TABLE record ADD COLUMN words TEXT",
    "ALTER TABLE record ADD COLUMN taken_at TEXT",
    "ALTER TABLE record ADD COLUMN clock TEXT",
    "ALTER TABLE record ADD COLUMN clock_offset_s INTEGER",
    # what its device has said of it since, each wording once, in the order in which they came
    """
    CREATE TABLE correction (
        place    INTEGER PRIMARY KEY,
        device   TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        own_time TEXT NOT NULL,
        words    TEXT NOT NULL,
        UNIQUE (device, sequence, own_time, words)
    )
    """,
    "CREATE INDEX correction_device ON correction (device, place)",
    # the id of the wording before, which must be named in a receipt first
    "ALTER TABLE measurement ADD COLUMN follows TEXT",
)

STEPS: tuple[tuple[str, ...], ...] = (_FIRST, _ADDED, _REMEMBERED, _CONSENTS, _CORRECTIONS)

# what is carried over from a spool that was damaged, what matters most first
TABLES = (
    "measurement",
    "device",
    "setting",
    "record",
    "correction",
    "consent",
    "clock",
    "command",
    "withheld",
    "rejected",
)
