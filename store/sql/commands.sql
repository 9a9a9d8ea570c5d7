-- name: ask
-- Keeps a command for the worker that carries it.
INSERT INTO gateway_command (
    id, flow, gateway_id, shard, account_id, patient_id, verb, device, bound, bound_from, document,
    created_at, expires_at
)
VALUES (
    %(id)s, %(flow)s, %(gateway_id)s, %(shard)s, %(account_id)s, %(patient_id)s, %(verb)s,
    %(device)s, %(bound)s, %(bound_from)s, %(document)s, %(created_at)s, %(expires_at)s
);

-- name: wake_courier
-- Tells the couriers, when the transaction commits, that there is something to carry.
SELECT pg_notify('kangban_command', '');

-- name: look
-- Tells open pages of a patient, when the transaction commits, to look again.
SELECT pg_notify('kangban_look', %(patient_id)s::text);

-- name: lock_gateway
-- Holds a gateway until the transaction ends, so that two people do not begin at once.
SELECT id FROM gateway WHERE id = %(gateway_id)s FOR NO KEY UPDATE;

-- name: commands_of_flow
-- All commands of one talk with a gateway about one patient, in the order in which they were asked.
SELECT command.id, command.flow, command.gateway_id, gateway.name AS gateway, command.account_id,
       account.name AS asked_by, command.patient_id, command.verb, command.device,
       command.document ->> 'about' AS about, command.bound, command.bound_from,
       command.created_at, command.expires_at, command.heard_at, command.ended_at
FROM gateway_command AS command
JOIN gateway ON gateway.id = command.gateway_id
JOIN account ON account.id = command.account_id
WHERE command.flow = %(flow)s AND command.patient_id = %(patient_id)s
ORDER BY command.number;

-- name: events_of_flow
-- What the gateway answered in one talk, by command in order.
SELECT event.body, event.received_at
FROM gateway_event AS event
JOIN gateway_command AS command ON command.id = event.command
WHERE command.flow = %(flow)s AND command.patient_id = %(patient_id)s
ORDER BY event.command, event.number;

-- name: talk_in_progress
-- The search or pairing that a gateway is busy with: not ended, and spoken of since a moment.
SELECT command.id, command.flow, command.gateway_id, gateway.name AS gateway, command.account_id,
       account.name AS asked_by, command.patient_id, command.verb, command.device,
       command.document ->> 'about' AS about, command.bound, command.bound_from,
       command.created_at, command.expires_at, command.heard_at, command.ended_at
FROM gateway_command AS command
JOIN gateway ON gateway.id = command.gateway_id
JOIN account ON account.id = command.account_id
WHERE command.gateway_id = %(gateway_id)s
  AND command.verb IN ('scan', 'pair')
  AND command.ended_at IS NULL
  -- in one talk, the newest counts
  AND NOT EXISTS (
      SELECT FROM gateway_command AS later
      WHERE later.flow = command.flow
        AND later.verb IN ('scan', 'pair')
        AND later.number > command.number
  )
  AND command.created_at > %(since)s::timestamptz - interval '1 hour'
  AND GREATEST(command.created_at, command.heard_at) > %(since)s
ORDER BY command.number DESC
LIMIT 1;

-- name: asked_since
-- When an account asked anything of a gateway since a moment.
SELECT created_at
FROM gateway_command
WHERE account_id = %(account_id)s AND created_at > %(since)s
ORDER BY created_at;

-- name: take
-- Commands of some shards that nobody has answered, to be carried now; locked by whoever takes them.
SELECT command.id, gateway.name AS gateway, command.document
FROM gateway_command AS command
JOIN gateway ON gateway.id = command.gateway_id
WHERE command.heard_at IS NULL
  AND command.expires_at > %(now)s
  AND command.shard BETWEEN %(first)s AND %(last)s
  AND (command.sent_at IS NULL OR command.sent_at <= %(sent_before)s)
ORDER BY command.number
LIMIT %(limit)s
FOR UPDATE OF command SKIP LOCKED;

-- name: mark_sent
-- These commands are on their way, once more.
UPDATE gateway_command SET sent_at = %(now)s, attempts = attempts + 1 WHERE id = ANY(%(ids)s);

-- name: command_of_gateway
-- The command that an event of this gateway answers, held until the transaction ends.
SELECT command.id, command.verb, command.device, command.patient_id, command.bound,
       command.bound_from
FROM gateway_command AS command
JOIN gateway ON gateway.id = command.gateway_id
WHERE command.id = %(command)s AND gateway.name = %(gateway)s
FOR UPDATE OF command;

-- name: keep_event
-- Keeps an event, once however often it comes; gives its number when it is new.
INSERT INTO gateway_event (command, number, step, at, body, received_at)
VALUES (%(command)s, %(number)s, %(step)s, %(at)s, %(body)s, %(now)s)
ON CONFLICT DO NOTHING
RETURNING number;

-- name: was_heard
-- The gateway has answered; a passkey is not kept any longer than it travels.
UPDATE gateway_command
SET heard_at = GREATEST(heard_at, %(now)s),
    ended_at = CASE WHEN %(ends)s THEN %(now)s ELSE ended_at END,
    document = document - 'number'
WHERE id = %(command)s;

-- name: give_back
-- Takes a device from the patient whose pairing failed, unless a later pairing of theirs lives.
DELETE FROM device_user
USING device
WHERE device.id = device_user.device_id
  AND device.name = %(device)s
  AND device_user.slot = -1
  AND device_user.patient_id = %(patient_id)s
  AND NOT EXISTS (
      SELECT FROM gateway_command AS later
      JOIN gateway_command AS this ON this.id = %(command)s
      WHERE later.verb = 'pair'
        AND later.device = %(device)s
        AND later.patient_id = %(patient_id)s
        AND later.number > this.number
        -- one that went well counts as living
        AND (later.ended_at IS NULL OR EXISTS (
            SELECT FROM gateway_event
            WHERE gateway_event.command = later.id AND gateway_event.step = 'done'))
  )
RETURNING device_user.device_id;

-- name: bind_free
-- Makes a device a patient's where it is nobody's.
INSERT INTO device_user (device_id, slot, patient_id)
SELECT device.id, -1, %(patient_id)s FROM device WHERE device.name = %(device)s
ON CONFLICT DO NOTHING;

-- name: leave_household
-- Takes a device from everybody who lives with a patient, and from the patient.
DELETE FROM device_user
USING device, patient AS wearer, patient AS asker
WHERE device.id = device_user.device_id
  AND device.name = %(device)s
  AND wearer.id = device_user.patient_id
  AND asker.id = %(patient_id)s
  AND (wearer.id = asker.id OR wearer.household_id = asker.household_id);

-- name: gateway_has
-- Notes that a gateway has a device now, until its own next word says so.
UPDATE gateway
SET health = health || jsonb_build_object(
    'devices', coalesce(health -> 'devices', '{}') || jsonb_build_object(
        %(device)s::text, coalesce(health -> 'devices' -> %(device)s::text, '{}')
            || jsonb_build_object('added', true, 'last_seen_at', %(now)s::timestamptz)))
WHERE name = %(gateway)s;

-- name: gateway_let_go
-- Notes that a gateway has a device no more, until its own next word says so.
UPDATE gateway
SET health = health #- ARRAY['devices', %(device)s::text]
WHERE name = %(gateway)s;

-- name: describe_device
-- Notes what kind a device is, where its gateway has not said so yet.
UPDATE device SET kind = %(kind)s WHERE name = %(device)s AND kind = '';

-- name: was_near
-- A gateway has added a device: it was near since the gateway took the command, and nothing of what
-- was wrong with it before holds any more. Its word of health is younger than that, and brings more.
UPDATE device
SET last_seen_at = GREATEST(last_seen_at, (
        SELECT LEAST(min((body ->> 'at')::timestamptz), %(now)s)
        FROM gateway_event
        WHERE command = %(command)s)),
    failure = NULL
WHERE name = %(device)s;

-- name: wearers_of
-- Whose readings a device gives, slot by slot, and in which home they live.
SELECT device_user.slot, device_user.patient_id, patient.name, patient.household_id
FROM device_user
JOIN device ON device.id = device_user.device_id
JOIN patient ON patient.id = device_user.patient_id
WHERE device.name = %(device)s
ORDER BY device_user.slot;

-- name: devices_around
-- The devices of a patient, of those who live with them, and those named: each with its wearers.
WITH home AS (
    SELECT patient.id
    FROM patient
    JOIN patient AS asker ON asker.id = %(patient_id)s
    WHERE patient.id = asker.id OR patient.household_id = asker.household_id
), around AS (
    SELECT device_id FROM device_user WHERE patient_id IN (SELECT id FROM home)
    UNION
    SELECT id FROM device WHERE name = ANY(%(named)s)
)
SELECT device.id, device.name, device.kind, device.model, device.battery_percent,
       device.clock_offset_s, device.last_seen_at, device.failure,
       ARRAY(SELECT DISTINCT patient_id FROM device_user WHERE device_user.device_id = device.id)
           AS wearers
FROM device
WHERE device.id IN (SELECT device_id FROM around)
ORDER BY device.id;

-- name: give_up
-- Pairings that made a device somebody's and that no gateway took in time.
SELECT id, device, patient_id, bound_from
FROM gateway_command
WHERE verb = 'pair' AND bound AND heard_at IS NULL AND ended_at IS NULL AND expires_at < %(now)s
ORDER BY number
FOR UPDATE SKIP LOCKED;

-- name: close
-- Nobody waits for this command any more.
UPDATE gateway_command SET ended_at = %(now)s WHERE id = %(command)s;

-- name: forget_passkeys
-- Takes passkeys out of commands that are too old to be carried.
UPDATE gateway_command
SET document = document - 'number'
WHERE verb = 'passkey' AND heard_at IS NULL AND expires_at < %(now)s AND document ? 'number';

-- name: forget_old
-- Removes commands, with their events, that are older than a moment.
DELETE FROM gateway_command WHERE created_at < %(before)s;
