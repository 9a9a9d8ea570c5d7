-- Who is served, by which gateways and devices, and who may see whom.

CREATE TABLE household (
    id         int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE patient (
    id           int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    household_id int REFERENCES household,
    name         text NOT NULL,
    sex          text CHECK (sex IN ('female', 'male')),
    born_on      date,
    -- diagnoses as the doctor entered them, for the report's header
    conditions   text[] NOT NULL DEFAULT '{}',
    -- a zone that PostgreSQL knows: the days of the rollup are counted in it
    timezone     text NOT NULL DEFAULT 'Asia/Shanghai'
                 CHECK (timestamptz 'epoch' AT TIME ZONE timezone IS NOT NULL),
    locale       text NOT NULL DEFAULT 'zh-CN',
    -- the doctor's own targets, which go before a pack's: {"systolic_mmhg": 135, …}
    targets      jsonb NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE account (
    id         int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL,
    role       text NOT NULL CHECK (role IN ('patient', 'family', 'doctor')),
    locale     text NOT NULL DEFAULT 'zh-CN',
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Who may see which patient, and as what; nobody else may.
CREATE TABLE relation (
    account_id int NOT NULL REFERENCES account,
    patient_id int NOT NULL REFERENCES patient,
    relation   text NOT NULL CHECK (relation IN ('self', 'family', 'doctor')),
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    PRIMARY KEY (account_id, patient_id)
);
CREATE INDEX relation_of_patient ON relation (patient_id);

-- Where an account wants to be told: an Apprise URL, from which severity on.
CREATE TABLE contact (
    id           int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id   int NOT NULL REFERENCES account,
    url          text NOT NULL,
    min_severity smallint NOT NULL DEFAULT 2 CHECK (min_severity BETWEEN 0 AND 4),
    UNIQUE (account_id, url)
);

-- Only hashes of tokens are kept. A link opens one session, once.
CREATE TABLE login_link (
    token_hash bytea PRIMARY KEY,
    account_id int NOT NULL REFERENCES account,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE TABLE session (
    token_hash bytea PRIMARY KEY,
    account_id int NOT NULL REFERENCES account,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);

CREATE TABLE gateway (
    id            int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL UNIQUE,
    household_id  int REFERENCES household,
    registered_at timestamptz NOT NULL DEFAULT now(),
    -- the last health message: silence is judged by this
    last_seen_at  timestamptz,
    spooled       int,
    health        jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE device (
    id              int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- lasting identity, "ble:" and the address
    name            text NOT NULL UNIQUE,
    kind            text NOT NULL DEFAULT '',
    model           text NOT NULL DEFAULT '',
    -- the gateway that delivered last
    gateway_id      int REFERENCES gateway,
    -- true once a second one has: their clock offsets differ, and either may bring what the other
    -- brought before, so that records are matched by sequence over all time
    several_gateways boolean NOT NULL DEFAULT false,
    battery_percent smallint,
    clock_offset_s  int,
    last_seen_at    timestamptz,
    failure         text,
    first_seen_at   timestamptz NOT NULL DEFAULT now()
);

-- Whose readings a device gives: slot -1 for whoever uses it, 0-254 for a user number of its own.
CREATE TABLE device_user (
    device_id  int NOT NULL REFERENCES device,
    slot       smallint NOT NULL DEFAULT -1 CHECK (slot BETWEEN -1 AND 254),
    patient_id int NOT NULL REFERENCES patient,
    PRIMARY KEY (device_id, slot)
);

-- When each server process last said that it works; its silence is the server's.
CREATE TABLE heartbeat (
    process text PRIMARY KEY,
    at      timestamptz NOT NULL
);
