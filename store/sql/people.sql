-- name: create_household
-- Adds a household and gives its id.
INSERT INTO household (name) VALUES (%(name)s) RETURNING id;

-- name: create_patient
-- Adds a patient and gives the id.
INSERT INTO patient (household_id, name, sex, born_on, conditions, timezone, locale, targets)
VALUES (%(household_id)s, %(name)s, %(sex)s, %(born_on)s, %(conditions)s, %(timezone)s, %(locale)s,
        %(targets)s)
RETURNING id;

-- name: patient
-- One patient.
SELECT id, household_id, name, sex, born_on, conditions, timezone, locale, targets
FROM patient
WHERE id = %(id)s;

-- name: patients
-- Every patient, or those of one household, in the order in which they were added.
SELECT id, household_id, name, sex, born_on, conditions, timezone, locale, targets
FROM patient
WHERE %(household_id)s::int IS NULL OR household_id = %(household_id)s
ORDER BY id;

-- name: set_targets
-- Replaces the doctor's own targets for a patient.
UPDATE patient SET targets = %(targets)s WHERE id = %(id)s;

-- name: set_timezone
-- Says in which time zone a patient lives from now on; the days kept are still the old ones.
UPDATE patient SET timezone = %(timezone)s WHERE id = %(id)s;

-- name: create_account
-- Adds somebody who may sign in and gives the id.
INSERT INTO account (name, role, locale) VALUES (%(name)s, %(role)s, %(locale)s) RETURNING id;

-- name: account
-- One account.
SELECT id, name, role, locale FROM account WHERE id = %(id)s;

-- name: set_locale
-- Changes the language in which an account is spoken to.
UPDATE account SET locale = %(locale)s WHERE id = %(id)s;

-- name: relate
-- Lets an account see a patient, as what; a relation that had ended begins again.
INSERT INTO relation (account_id, patient_id, relation)
VALUES (%(account_id)s, %(patient_id)s, %(relation)s)
ON CONFLICT (account_id, patient_id)
DO UPDATE SET relation = excluded.relation, created_at = now(), ended_at = NULL
WHERE relation.ended_at IS NOT NULL OR relation.relation <> excluded.relation;

-- name: end_relation
-- Ends what lets an account see a patient.
UPDATE relation SET ended_at = %(at)s
WHERE account_id = %(account_id)s AND patient_id = %(patient_id)s AND ended_at IS NULL;

-- name: patients_of_account
-- The patients that an account may see today, each with the relation.
SELECT patient.id, household_id, name, sex, born_on, conditions, timezone, locale, targets,
       relation.relation
FROM relation
JOIN patient ON patient.id = relation.patient_id
WHERE relation.account_id = %(account_id)s AND relation.ended_at IS NULL
ORDER BY patient.id;

-- name: accounts_of_patient
-- Who may see a patient today, each with the relation: those who can be told.
SELECT account.id, name, role, locale, relation.relation
FROM relation
JOIN account ON account.id = relation.account_id
WHERE relation.patient_id = %(patient_id)s AND relation.ended_at IS NULL
ORDER BY account.id;

-- name: add_contact
-- Keeps where an account wants to be told, and from which severity on; the newest word stands.
INSERT INTO contact (account_id, url, min_severity)
VALUES (%(account_id)s, %(url)s, %(min_severity)s)
ON CONFLICT (account_id, url) DO UPDATE SET min_severity = excluded.min_severity
RETURNING id;

-- name: contacts_of_account
-- Where an account wants to be told.
SELECT id, account_id, url, min_severity
FROM contact
WHERE account_id = %(account_id)s
ORDER BY id;

-- name: register_gateway
-- Makes a gateway's messages welcome; one that is known keeps its id and joins the household.
INSERT INTO gateway (name, household_id) VALUES (%(name)s, %(household_id)s)
ON CONFLICT (name)
DO UPDATE SET household_id = COALESCE(excluded.household_id, gateway.household_id)
RETURNING id;

-- name: gateway_named
-- One gateway by its name.
SELECT id, name, household_id, registered_at, last_seen_at, spooled, health
FROM gateway
WHERE name = %(name)s;

-- name: gateways
-- Every gateway, or those of one household.
SELECT id, name, household_id, registered_at, last_seen_at, spooled, health
FROM gateway
WHERE %(household_id)s::int IS NULL OR household_id = %(household_id)s
ORDER BY id;

-- name: gateways_of_patient
-- The gateways of a patient's household, and those that last delivered from the patient's devices.
SELECT id, name, household_id, registered_at, last_seen_at, spooled, health
FROM gateway
WHERE household_id = (SELECT household_id FROM patient WHERE id = %(patient_id)s)
   OR id IN (SELECT device.gateway_id
             FROM device_user
             JOIN device ON device.id = device_user.device_id
             WHERE device_user.patient_id = %(patient_id)s)
ORDER BY id;

-- name: ensure_devices
-- Adds the devices that are not known yet, in the order of their names.
INSERT INTO device (name)
SELECT name FROM unnest(%(names)s::text[]) AS name
ORDER BY name
ON CONFLICT (name) DO NOTHING;

-- name: device_ids
-- The ids of devices by their names.
SELECT name, id FROM device WHERE name = ANY(%(names)s);

-- name: device_named
-- One device by its name.
SELECT id, name, kind, model, gateway_id, battery_percent, clock_offset_s, last_seen_at, failure,
       first_seen_at
FROM device
WHERE name = %(name)s;

-- name: devices_of_patient
-- The devices whose readings are a patient's.
SELECT id, name, kind, model, gateway_id, battery_percent, clock_offset_s, last_seen_at, failure,
       first_seen_at
FROM device
WHERE id IN (SELECT device_id FROM device_user WHERE patient_id = %(patient_id)s)
ORDER BY id;

-- name: bind_device
-- Says whose readings a slot of a device gives from now on.
INSERT INTO device_user (device_id, slot, patient_id)
VALUES (%(device_id)s, %(slot)s, %(patient_id)s)
ON CONFLICT (device_id, slot) DO UPDATE SET patient_id = excluded.patient_id;

-- name: unbind_device
-- Takes a slot of a device from whoever had it: its next readings belong to nobody yet.
DELETE FROM device_user WHERE device_id = %(device_id)s AND slot = %(slot)s;
