-- Measurements that are not believable wait for a person; what was refused can be judged again.

-- One value, as it came. It raises no alarm, counts for nobody and never vanishes: a person releases
-- it, and then it is loaded like any other, or discards it. Names, not ids: a device of which
-- nothing else ever came is known to nobody.
CREATE TABLE quarantine (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- of the record itself, not of its gateway or its placing (`ingest/arrival.py`)
    digest      bytea NOT NULL UNIQUE,
    gateway     text NOT NULL,
    device      text NOT NULL,
    kind        smallint NOT NULL,
    sequence    bigint NOT NULL,
    -- as its gateway placed it; released, it may get another moment (`ingest/release.py`)
    taken_at    timestamptz NOT NULL,
    value       float8 NOT NULL,
    unit        smallint NOT NULL,
    slot        smallint NOT NULL,
    resync      boolean NOT NULL,
    -- all of it, as it came
    document    jsonb NOT NULL,
    -- words of `ingest/reason.py`, and sentences
    codes       text[] NOT NULL,
    reasons     text[] NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    -- came_sound: the same record came again with a time that can be, and was taken in
    state       text NOT NULL DEFAULT 'waiting'
                CHECK (state IN ('waiting', 'released', 'discarded', 'came_sound')),
    -- of a released one: when a worker took it last, and when it was loaded
    tried_at    timestamptz,
    loaded_at   timestamptz
);
-- asked by every load, by the names of its devices
CREATE INDEX quarantine_of_device ON quarantine (device);
CREATE INDEX quarantine_waiting ON quarantine (gateway) WHERE state = 'waiting';
CREATE INDEX quarantine_to_load ON quarantine (id) WHERE state = 'released' AND loaded_at IS NULL;

-- Every time somebody decided; nothing of it is ever changed.
CREATE TABLE quarantine_deed (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    quarantine_id bigint NOT NULL REFERENCES quarantine ON DELETE CASCADE,
    at            timestamptz NOT NULL,
    deed          text NOT NULL CHECK (deed IN ('release', 'discard')),
    -- null: somebody at the server's shell
    account_id    int REFERENCES account,
    note          text NOT NULL DEFAULT ''
);
CREATE INDEX quarantine_deed_of ON quarantine_deed (quarantine_id);

-- What is in quarantine, with whose it would be if it were released now.
CREATE VIEW quarantined AS
SELECT quarantine.*, gateway.id AS gateway_id, device.id AS device_id, device.kind AS device_kind,
       COALESCE(own.patient_id, anyone.patient_id) AS patient_id
FROM quarantine
LEFT JOIN gateway ON gateway.name = quarantine.gateway
LEFT JOIN device ON device.name = quarantine.device
LEFT JOIN wearer AS own ON own.device_id = device.id AND own.slot = quarantine.slot
LEFT JOIN wearer AS anyone ON anyone.device_id = device.id AND anyone.slot = -2;

-- Whose matter it is: theirs to whom it would belong; of nobody's, theirs in whose home it was read.
CREATE VIEW quarantine_concerns AS
SELECT id, patient_id, false AS at_home FROM quarantined WHERE patient_id IS NOT NULL
UNION ALL
SELECT quarantined.id, candidate.patient_id, true
FROM quarantined
JOIN candidate ON candidate.gateway_id = quarantined.gateway_id
              AND (candidate.device_id IS NULL OR candidate.device_id = quarantined.device_id)
WHERE quarantined.patient_id IS NULL;

-- Words of `ingest/reason.py`; when this was judged again, and what became of it. It stays.
ALTER TABLE rejection
    ADD COLUMN codes       text[] NOT NULL DEFAULT '{malformed}',
    ADD COLUMN resync      boolean NOT NULL DEFAULT false,
    ADD COLUMN replayed_at timestamptz,
    ADD COLUMN became      text;
ALTER TABLE dead_letter
    ADD COLUMN code        text NOT NULL DEFAULT 'malformed',
    ADD COLUMN replayed_at timestamptz,
    ADD COLUMN became      text;

-- The words for what earlier releases kept, by the sentences that they wrote.
UPDATE rejection
SET codes = ARRAY(
    SELECT DISTINCT CASE
        WHEN reason LIKE '% is not plausible: %' THEN 'implausible'
        WHEN reason LIKE 'taken_at % in the future: %' THEN 'future'
        WHEN reason LIKE 'taken_at % before any device''s clock begins' THEN 'before_clocks'
        WHEN reason LIKE 'unknown %' OR reason LIKE '% cannot be in %' THEN 'unknown_word'
        WHEN reason LIKE 'The database refused a value: %' THEN 'database'
        ELSE 'malformed' END
    FROM unnest(reasons) AS reason);
UPDATE dead_letter
SET code = CASE
    WHEN reasons[1] LIKE 'unknown gateway %' THEN 'unknown_gateway'
    WHEN reasons[1] LIKE '% but the topic belongs to %' OR reasons[1] LIKE 'comes from %'
        THEN 'other_gateway'
    WHEN reasons[1] LIKE '% is not kangban/v1/%' OR reasons[1] LIKE 'nothing is expected on %'
        THEN 'foreign_topic'
    WHEN reasons[1] LIKE '% bytes; at most %' THEN 'too_large'
    WHEN reasons[1] LIKE 'envelope version %' OR reasons[1] LIKE 'version % is not known%'
        THEN 'unknown_version'
    WHEN reasons[1] LIKE 'answers no command%' THEN 'stray_event'
    WHEN reasons[1] LIKE 'this release of ingest failed%' THEN 'failed_here'
    WHEN reasons[1] LIKE 'The database refused a value: %' THEN 'database'
    ELSE 'malformed' END;
