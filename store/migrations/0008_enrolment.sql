-- How a gateway gets its certificate: invitations by code, what was issued, who was shut out.

-- Only the hash of a code is kept. `label` is its first group, by which it is found, so that
-- wrong tries are counted on the invitation they were aimed at.
CREATE TABLE gateway_invitation (
    label        text PRIMARY KEY,
    code_hash    bytea NOT NULL,
    household_id int NOT NULL REFERENCES household,
    patient_id   int NOT NULL REFERENCES patient,
    invited_by   int NOT NULL REFERENCES account,
    invited_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    tries        smallint NOT NULL DEFAULT 0,
    used_at      timestamptz,
    gateway_id   int REFERENCES gateway
);
CREATE INDEX gateway_invitation_of_patient ON gateway_invitation (patient_id);

-- Every certificate that was ever issued, by the serial number in hexadecimal; `public_key` is the
-- key's SubjectPublicKeyInfo, against which a renewal's signature is checked.
CREATE TABLE gateway_certificate (
    serial     text PRIMARY KEY,
    gateway_id int NOT NULL REFERENCES gateway,
    public_key bytea NOT NULL,
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    allowed_by int REFERENCES account,
    revoked_at timestamptz
);
CREATE INDEX gateway_certificate_of_gateway ON gateway_certificate (gateway_id);

-- A gateway that was shut out: nothing of it is welcome any more, whatever the broker thinks.
ALTER TABLE gateway ADD COLUMN revoked_at timestamptz;
