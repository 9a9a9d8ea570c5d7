-- What is kept how long, and what was erased: where the server takes no reading in any more.

-- Every time old raw readings were removed. Raw is complete since the newest `complete_since`;
-- before it days, findings and reports are what is left.
CREATE TABLE retention (
    id             int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at             timestamptz NOT NULL,
    complete_since timestamptz NOT NULL,
    -- what was removed, in words for people: {"rows": …, "waiting": …, "chunks": …}
    removed        jsonb NOT NULL DEFAULT '{}'
);

-- The moment since which every raw reading is here. A reading taken before it does not change
-- hands, is not counted into days and is not taken in: its day could not be counted again.
CREATE FUNCTION raw_since() RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN COALESCE((SELECT max(complete_since) FROM retention), '-infinity'::timestamptz);

-- Every erasure of a person, without anything of the person but the number, which is nobody's now.
CREATE TABLE erasure (
    id         int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_no int NOT NULL,
    at         timestamptz NOT NULL,
    asked_by   text NOT NULL,
    because    text NOT NULL,
    -- rows by table: {"finding": {"removed": 3, "changed": 0}, …}
    done       jsonb NOT NULL,
    -- rows and digest of what was left by table, before and after, which are the same
    rest       jsonb NOT NULL
);

-- Readings that are not taken in again, because whose they were is erased: what a gateway or a
-- device still has of them is acknowledged and not stored.
CREATE TABLE forgotten (
    id          int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    erasure_id  int NOT NULL REFERENCES erasure,
    device_id   int NOT NULL REFERENCES device,
    -- the user number that was theirs, -1 readings without one; null: the whole device was theirs
    slot        smallint,
    -- readings taken before this
    until       timestamptz NOT NULL,
    -- and those that the device's own clock puts no later than the newest that was erased
    device_time timestamp
);
CREATE INDEX forgotten_of_device ON forgotten (device_id);

-- The same for single records of devices that others use too: no value, no kind, no time.
CREATE TABLE forgotten_record (
    device_id  int      NOT NULL REFERENCES device,
    slot       smallint NOT NULL,
    sequence   bigint   NOT NULL,
    erasure_id int      NOT NULL REFERENCES erasure,
    PRIMARY KEY (device_id, slot, sequence)
);

-- True: something of this device is forgotten, so that a load looks at the two tables above.
ALTER TABLE device ADD COLUMN forgets boolean NOT NULL DEFAULT false;
