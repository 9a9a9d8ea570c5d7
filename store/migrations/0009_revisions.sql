-- What a measurement said before its device corrected it: the same record, other words.

-- `measurement` holds the version that stands, here stands every one before it: so a version that
-- comes again is known by what it says, and nothing that a device ever said is lost.
CREATE TABLE revision (
    -- in the order in which the versions came
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id   int         NOT NULL,
    kind        smallint    NOT NULL,
    sequence    bigint      NOT NULL,
    taken_at    timestamptz NOT NULL,
    value       float8      NOT NULL,
    unit        smallint    NOT NULL,
    slot        smallint    NOT NULL,
    meal        smallint,
    flags       int         NOT NULL,
    raw         bytea,
    -- which gateway brought what took its place, and when that was committed
    replaced_by int         NOT NULL,
    replaced_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT revision_version UNIQUE NULLS NOT DISTINCT
        (device_id, kind, sequence, taken_at, value, unit, slot, meal, flags)
);
