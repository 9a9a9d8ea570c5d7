-- What people are to be told: written in the transaction that causes it, taken with SKIP LOCKED.

CREATE TABLE outbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- the same key twice is one message
    key         text NOT NULL UNIQUE,
    account_id  int REFERENCES account,
    patient_id  int REFERENCES patient,
    severity    smallint NOT NULL CHECK (severity BETWEEN 0 AND 4),
    -- {"title": {"zh": …, "en": …}, "text": {"zh": …, "en": …}, "link": "/…"}
    body        jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    due_at      timestamptz NOT NULL DEFAULT now(),
    attempts    int NOT NULL DEFAULT 0,
    sent_at     timestamptz,
    given_up_at timestamptz,
    -- what each channel answered, newest last
    log         jsonb NOT NULL DEFAULT '[]'
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE sent_at IS NULL AND given_up_at IS NULL;
