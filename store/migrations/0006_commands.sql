-- What people ask of gateways, and what gateways answer: pages write the one, ingest carries it and
-- writes the other. Kept for some days (`commands.sweep`).

CREATE TABLE gateway_command (
    -- as it travels (`vitals/command.py`): a gateway obeys an id once
    id         text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{32}$'),
    -- the order in which they were asked, and are carried
    number     bigint GENERATED ALWAYS AS IDENTITY,
    -- the first command of the talk that this one belongs to: a search and what follows are one
    flow       text NOT NULL,
    gateway_id int NOT NULL REFERENCES gateway,
    -- of the gateway's topics, so that the worker which owns them carries it
    shard      smallint NOT NULL,
    -- who asked, and on whose page
    account_id int NOT NULL REFERENCES account,
    patient_id int NOT NULL REFERENCES patient,
    verb       text NOT NULL,
    device     text,
    -- did this pairing make the device the patient's, and whose was it before? Undone if it fails
    bound      boolean NOT NULL DEFAULT false,
    bound_from int REFERENCES patient,
    -- the command as it travels; a passkey is taken out of it once it was heard or is too old
    document   jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    sent_at    timestamptz,
    attempts   int NOT NULL DEFAULT 0,
    -- the newest of its events; and the one that ended it
    heard_at   timestamptz,
    ended_at   timestamptz
);
CREATE INDEX gateway_command_unheard ON gateway_command (expires_at) WHERE heard_at IS NULL;
CREATE INDEX gateway_command_of_flow ON gateway_command (flow);
CREATE INDEX gateway_command_of_gateway ON gateway_command (gateway_id, created_at);
CREATE INDEX gateway_command_of_account ON gateway_command (account_id, created_at);

-- The gateway's answers, each once however often it comes.
CREATE TABLE gateway_event (
    command     text NOT NULL REFERENCES gateway_command ON DELETE CASCADE,
    number      int NOT NULL,
    step        text NOT NULL,
    at          timestamptz NOT NULL,
    body        jsonb NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (command, number)
);

-- which devices are a patient's: asked whenever their page is shown
CREATE INDEX device_user_of_patient ON device_user (patient_id);
