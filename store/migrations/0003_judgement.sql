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
    -- data that came later took it back: it is kept, and shown to nobody
    withdrawn_at timestamptz,
    UNIQUE (patient_id, rule, episode)
);
CREATE INDEX finding_of_patient ON finding (patient_id, at);

-- When a patient is to be judged again even without news (silence, a hold that ends, an alert that
-- grows stale), and what went wrong the last time.
CREATE TABLE judgement (
    patient_id int PRIMARY KEY REFERENCES patient,
    judged_at  timestamptz,
    due_at     timestamptz NOT NULL,
    -- tries since it last went well
    failures   int NOT NULL DEFAULT 0,
    failure    text
);
CREATE INDEX judgement_due ON judgement (due_at);

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
CREATE INDEX alert_of_patient ON alert (patient_id, rule, opened_at);

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
