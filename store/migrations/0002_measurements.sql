-- Measurements, their daily rollup, what was refused, and who must be judged again.

-- Codes of kind, unit, clock, meal and flags stand in vitals/. Identity is the device's, not the
-- patient's: a reading that is assigned to a person later must not become a second row.
CREATE TABLE measurement (
    taken_at       timestamptz NOT NULL,
    device_id      int         NOT NULL,
    kind           smallint    NOT NULL,
    sequence       bigint      NOT NULL,
    -- null: nobody is known yet to whom this belongs; it alarms nobody and is never lost
    patient_id     int,
    value          float8      NOT NULL,
    unit           smallint    NOT NULL,
    clock          smallint    NOT NULL,
    device_time    timestamp,
    clock_offset_s int         NOT NULL DEFAULT 0,
    slot           smallint    NOT NULL DEFAULT -1,
    meal           smallint,
    flags          int         NOT NULL DEFAULT 0,
    gateway_id     int         NOT NULL,
    received_at    timestamptz NOT NULL DEFAULT now(),
    raw            bytea,
    CONSTRAINT measurement_identity UNIQUE (device_id, kind, sequence, taken_at)
);
CREATE INDEX measurement_of_patient ON measurement (patient_id, kind, taken_at);

-- A hypertable where TimescaleDB is there; otherwise a plain table with the same results.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        PERFORM create_hypertable('measurement', by_range('taken_at', INTERVAL '7 days'),
                                  create_default_indexes => false);
    END IF;
END $$;

-- Written in the transaction that inserts measurements; days are the patient's.
CREATE TABLE measurement_day (
    patient_id int      NOT NULL,
    kind       smallint NOT NULL,
    unit       smallint NOT NULL,
    local_day  date     NOT NULL,
    n          int      NOT NULL,
    -- numeric, so that the sum is the same in whatever order rows arrive
    sum        numeric  NOT NULL,
    min        float8   NOT NULL,
    max        float8   NOT NULL,
    first_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    -- when the newest of its rows was committed: while a backlog arrives, nothing is silent
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (patient_id, kind, unit, local_day)
);

-- Measurements that were refused, each with all its reasons; the digest makes a repeat a no-op.
CREATE TABLE rejection (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest         bytea NOT NULL UNIQUE,
    gateway        text NOT NULL,
    measurement_id text,
    document       jsonb NOT NULL,
    reasons        text[] NOT NULL,
    received_at    timestamptz NOT NULL DEFAULT now()
);

-- Whole messages that could not be taken apart: never dropped, never in the way of the next.
CREATE TABLE dead_letter (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest      bytea NOT NULL UNIQUE,
    topic       text NOT NULL,
    payload     bytea NOT NULL,
    reasons     text[] NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);

-- Patients with news, one row for each process that wants to know; taken with SKIP LOCKED.
CREATE TABLE news (
    consumer   text NOT NULL,
    patient_id int NOT NULL,
    -- the earliest and latest taken_at among the news
    earliest   timestamptz NOT NULL,
    latest     timestamptz NOT NULL,
    since      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, patient_id)
);
