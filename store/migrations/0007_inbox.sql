-- Readings of nobody known: whose they may be, who gave them to whom, and what goes to nobody.

-- Several people use it without numbers of their own: then no reading falls to anybody by default.
ALTER TABLE device ADD COLUMN shared boolean NOT NULL DEFAULT false;

-- Whose a new reading is, by the number it carries; the one home of this rule.
-- Slot -1: readings without a number; 0-254: that number; -2: any number that nobody has. A number
-- falls to whoever uses the device only where that is one person: no number is anybody's, and the
-- device is not shared.
CREATE VIEW wearer AS
SELECT device_user.device_id, device_user.slot, device_user.patient_id
FROM device_user
JOIN device ON device.id = device_user.device_id
WHERE device_user.slot >= 0 OR NOT device.shared
UNION ALL
SELECT device_user.device_id, -2, device_user.patient_id
FROM device_user
JOIN device ON device.id = device_user.device_id
WHERE device_user.slot = -1
  AND NOT device.shared
  AND NOT EXISTS (SELECT FROM device_user AS numbered
                  WHERE numbered.device_id = device_user.device_id AND numbered.slot >= 0);

-- True: a person said that this is nobody's of the household (a guest). It is kept, and is offered
-- to nobody.
ALTER TABLE measurement ADD COLUMN set_aside boolean NOT NULL DEFAULT false;
-- holds what waits and nothing else, however many years are kept
CREATE INDEX measurement_waiting ON measurement (gateway_id, taken_at)
    WHERE patient_id IS NULL AND NOT set_aside;

-- Whose a reading may be: people of the household whose gateway brought it; for a gateway without a
-- household, those who use the device. A null device is every device.
CREATE VIEW candidate AS
SELECT gateway.id AS gateway_id, NULL::int AS device_id, patient.id AS patient_id
FROM gateway
JOIN patient ON patient.household_id = gateway.household_id
UNION
SELECT gateway.id, device_user.device_id, device_user.patient_id
FROM gateway
CROSS JOIN device_user
WHERE gateway.household_id IS NULL;

-- Every time somebody said whose readings are; nothing of it is ever deleted.
CREATE TABLE assignment (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at            timestamptz NOT NULL,
    account_id    int NOT NULL REFERENCES account,
    device_id     int NOT NULL REFERENCES device,
    -- give: they are this patient's; set_aside: a guest's; release: they are not this patient's
    deed          text NOT NULL CHECK (deed IN ('give', 'set_aside', 'release')),
    -- to whom, from whom, or through whom a guest's were set aside
    patient_id    int NOT NULL REFERENCES patient,
    -- the user number that is this patient's from then on; null: only these readings were given
    mapped_slot   smallint,
    -- whose that number was before
    mapped_before int REFERENCES patient,
    -- by the database's clock, as measurement.received_at
    committed_at  timestamptz NOT NULL DEFAULT now(),
    undone_at     timestamptz,
    undone_by     int REFERENCES account
);
CREATE INDEX assignment_of_patient ON assignment (patient_id, id DESC);

-- The rows that were moved, and where they were before.
CREATE TABLE assigned (
    assignment_id bigint      NOT NULL REFERENCES assignment,
    device_id     int         NOT NULL,
    kind          smallint    NOT NULL,
    sequence      bigint      NOT NULL,
    taken_at      timestamptz NOT NULL,
    was_patient   int,
    was_set_aside boolean     NOT NULL,
    PRIMARY KEY (assignment_id, device_id, kind, sequence, taken_at)
);
CREATE INDEX assigned_row ON assigned (device_id, kind, sequence, taken_at);
