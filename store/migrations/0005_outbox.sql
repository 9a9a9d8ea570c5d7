-- What people are to be told: written in the transaction that causes it, taken with SKIP LOCKED.

CREATE TABLE outbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- the same key twice is one message
    key         text NOT NULL UNIQUE,
    account_id  int NOT NULL REFERENCES account,
    patient_id  int REFERENCES patient,
    severity    smallint NOT NULL CHECK (severity BETWEEN 0 AND 4),
    -- {"title": {"zh": …, "en": …}, "text": {"zh": …, "en": …}, "link": "/…"}
    body        jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    due_at      timestamptz NOT NULL DEFAULT now(),
    -- after this it is of no use any more (a reminder of this morning); null: always of use
    expires_at  timestamptz,
    attempts    int NOT NULL DEFAULT 0,
    -- when the next attempt is; at first the same as due_at
    try_at      timestamptz NOT NULL DEFAULT now(),
    sent_at     timestamptz,
    given_up_at timestamptz,
    -- what each channel answered, newest last: {"at": …, "contact": …, "ok": …, "said": …}
    log         jsonb NOT NULL DEFAULT '[]'
);
CREATE INDEX outbox_due ON outbox (try_at) WHERE sent_at IS NULL AND given_up_at IS NULL;
-- the gravest first, however long the queue
CREATE INDEX outbox_gravest ON outbox (severity DESC, try_at)
    WHERE sent_at IS NULL AND given_up_at IS NULL;
CREATE INDEX outbox_of_account ON outbox (account_id, due_at DESC);
