-- name: household_of
-- The household of a patient; one is made for a patient who has none.
WITH made AS (
    INSERT INTO household (name)
    SELECT name FROM patient WHERE id = %(patient_id)s AND household_id IS NULL
    RETURNING id
), joined AS (
    UPDATE patient SET household_id = made.id FROM made WHERE patient.id = %(patient_id)s
)
SELECT COALESCE((SELECT id FROM made),
                (SELECT household_id FROM patient WHERE id = %(patient_id)s));

-- name: lock_patient
-- Keeps two people from making a household for the same patient at once.
SELECT id FROM patient WHERE id = %(patient_id)s FOR UPDATE;

-- name: end_invitations
-- Ends what is open for a patient: the newest code is the one that counts.
UPDATE gateway_invitation SET expires_at = %(now)s
WHERE patient_id = %(patient_id)s AND used_at IS NULL AND expires_at > %(now)s;

-- name: invite
-- Keeps an invitation; an open one with the same label stays as it is.
INSERT INTO gateway_invitation (label, code_hash, household_id, patient_id, invited_by, invited_at,
                                expires_at)
VALUES (%(label)s, %(code_hash)s, %(household_id)s, %(patient_id)s, %(account_id)s, %(now)s,
        %(expires_at)s)
ON CONFLICT (label) DO UPDATE
SET code_hash = excluded.code_hash, household_id = excluded.household_id,
    patient_id = excluded.patient_id, invited_by = excluded.invited_by,
    invited_at = excluded.invited_at, expires_at = excluded.expires_at, tries = 0,
    used_at = NULL, gateway_id = NULL
WHERE gateway_invitation.used_at IS NOT NULL OR gateway_invitation.expires_at <= %(now)s;

-- name: take_invitation
-- The open invitation of a label, locked until the transaction ends.
SELECT label, code_hash, invitation.household_id, patient_id, invited_by, tries, patient.timezone
FROM gateway_invitation invitation
JOIN patient ON patient.id = patient_id
WHERE label = %(label)s AND used_at IS NULL AND expires_at > %(now)s AND tries < %(most)s
FOR UPDATE OF invitation;

-- name: count_try
-- Notes a wrong code against the invitation it was aimed at.
UPDATE gateway_invitation SET tries = tries + 1 WHERE label = %(label)s;

-- name: use_invitation
-- Uses an invitation up.
UPDATE gateway_invitation
SET used_at = %(now)s, gateway_id = %(gateway_id)s
WHERE label = %(label)s;

-- name: add_gateway
-- Registers a gateway under a name that is free; nothing where it is not.
INSERT INTO gateway (name, household_id) VALUES (%(name)s, %(household_id)s)
ON CONFLICT (name) DO NOTHING
RETURNING id;

-- name: add_certificate
-- Keeps what was issued.
INSERT INTO gateway_certificate (serial, gateway_id, public_key, issued_at, expires_at, allowed_by)
VALUES (%(serial)s, %(gateway_id)s, %(public_key)s, %(issued_at)s, %(expires_at)s, %(allowed_by)s);

-- name: living_certificates
-- The certificates of a gateway that may be renewed now.
SELECT gateway.id AS gateway_id, serial, public_key, issued_at, certificate.expires_at, allowed_by,
       COALESCE((SELECT timezone FROM patient
                 WHERE patient.household_id = gateway.household_id
                 ORDER BY patient.id LIMIT 1), 'Asia/Shanghai') AS timezone
FROM gateway
JOIN gateway_certificate certificate ON certificate.gateway_id = gateway.id
WHERE gateway.name = %(name)s AND gateway.revoked_at IS NULL
  AND certificate.revoked_at IS NULL AND certificate.expires_at > %(now)s
ORDER BY issued_at;

-- name: revoke_gateway
-- Shuts a gateway out with all its certificates; gives its id once.
WITH shut AS (
    UPDATE gateway SET revoked_at = %(now)s
    WHERE name = %(name)s AND revoked_at IS NULL
    RETURNING id
), certificates AS (
    UPDATE gateway_certificate SET revoked_at = %(now)s
    FROM shut
    WHERE gateway_id = shut.id AND gateway_certificate.revoked_at IS NULL
)
SELECT id FROM shut;

-- name: revoked
-- Every certificate that was revoked before its time and has not run out since.
SELECT serial, gateway.name, certificate.revoked_at, certificate.expires_at
FROM gateway_certificate certificate
JOIN gateway ON gateway.id = certificate.gateway_id
WHERE certificate.revoked_at IS NOT NULL AND certificate.expires_at > %(now)s
ORDER BY certificate.revoked_at, serial;

-- name: enrolled_of_patient
-- The gateways of a patient's household, each with its newest certificate and who allowed it.
SELECT DISTINCT ON (gateway.id)
       gateway.id, gateway.name, gateway.last_seen_at, gateway.spooled, gateway.health,
       gateway.registered_at, gateway.revoked_at, certificate.issued_at, certificate.expires_at,
       account.name AS allowed_by
FROM gateway
LEFT JOIN gateway_certificate certificate ON certificate.gateway_id = gateway.id
LEFT JOIN account ON account.id = certificate.allowed_by
WHERE gateway.household_id = (SELECT household_id FROM patient WHERE id = %(patient_id)s)
ORDER BY gateway.id, certificate.issued_at DESC NULLS LAST;
