-- What rules concluded, the alerts that live on it, and the reports that were signed.

CREATE TABLE finding (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id   int NOT NULL REFERENCES patient,
    rule         text NOT NULL,
    pack         text NOT NULL,
    pack_version text NOT NULL,
    severity     smallint NOT NULL CHECK (severity BETWEEN 0 AND 4),
    -- the moment that the finding speaks of (its newest evidence), not when it was computed
    at           timestamptz NOT NULL,
    -- names the episode: the same episode found again is the same row
    episode      text NOT NULL,
    -- {"numbers": {...}, "evidence": [...], "sentences": {"patient": {"zh": …, "en": …}, …}}
    body         jsonb NOT NULL,
    found_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (patient_id, rule, episode)
);

CREATE TABLE alert (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id      int NOT NULL REFERENCES patient,
    rule            text NOT NULL,
    episode         text NOT NULL,
    finding_id      bigint NOT NULL REFERENCES finding,
    state           text NOT NULL CHECK (state IN ('open', 'acknowledged', 'closed')),
    severity        smallint NOT NULL CHECK (severity BETWEEN 0 AND 4),
    opened_at       timestamptz NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by int REFERENCES account,
    closed_at       timestamptz,
    closed_because  text,
    UNIQUE (patient_id, rule, episode)
);
-- at most one living alert of a rule for a patient
CREATE UNIQUE INDEX alert_living ON alert (patient_id, rule) WHERE state <> 'closed';

CREATE TABLE report (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id  int NOT NULL REFERENCES patient,
    -- ISO week, "2026-W47"
    week        text NOT NULL,
    -- the JSON rendering, byte for byte as signed
    content     bytea NOT NULL,
    digest      bytea NOT NULL,
    signed_by   int NOT NULL REFERENCES account,
    signed_at   timestamptz NOT NULL,
    comment     text NOT NULL DEFAULT '',
    UNIQUE (patient_id, week)
);
