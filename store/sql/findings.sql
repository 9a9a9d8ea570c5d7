-- name: living_and_last
-- A patient's living alerts and the newest closed one of each rule, with the evidence they stand on.
SELECT DISTINCT ON (alert.rule, alert.state = 'closed')
       alert.id, alert.rule, alert.episode, alert.state, alert.severity, alert.opened_at,
       alert.acknowledged_at, alert.acknowledged_by, alert.closed_at, alert.closed_because,
       finding.at AS evidence_at,
       COALESCE((finding.body #>> '{numbers,beyond}')::float8, 0) AS beyond
FROM alert
JOIN finding ON finding.id = alert.finding_id
WHERE alert.patient_id = %(patient_id)s
ORDER BY alert.rule, alert.state = 'closed', alert.opened_at DESC, alert.id DESC;

-- name: lock_alerts
-- Holds a patient's living alerts until the transaction ends: a person may be taking one on.
SELECT id FROM alert WHERE patient_id = %(patient_id)s AND state <> 'closed' ORDER BY id FOR UPDATE;

-- name: keep_findings
-- Keeps findings: a new episode is a new row, a known one is updated where it says something else.
INSERT INTO finding (patient_id, rule, pack, pack_version, severity, at, episode, body, found_at)
SELECT %(patient_id)s, given.rule, given.pack, given.pack_version, given.severity, given.at,
       given.episode, given.body, %(now)s
FROM unnest(%(rules)s::text[], %(packs)s::text[], %(pack_versions)s::text[],
            %(severities)s::smallint[], %(ats)s::timestamptz[], %(episodes)s::text[],
            %(bodies)s::jsonb[])
     AS given (rule, pack, pack_version, severity, at, episode, body)
ON CONFLICT (patient_id, rule, episode) DO UPDATE
SET pack = excluded.pack, pack_version = excluded.pack_version, severity = excluded.severity,
    at = excluded.at, body = excluded.body, withdrawn_at = NULL
WHERE (finding.pack, finding.pack_version, finding.severity, finding.at, finding.body)
      IS DISTINCT FROM
      (excluded.pack, excluded.pack_version, excluded.severity, excluded.at, excluded.body)
   OR finding.withdrawn_at IS NOT NULL;

-- name: withdraw_findings
-- Takes back the findings since a moment that were not found again.
UPDATE finding
SET withdrawn_at = %(now)s
WHERE patient_id = %(patient_id)s
  AND at > %(since)s
  AND withdrawn_at IS NULL
  AND (rule, episode) NOT IN (
      SELECT given.rule, given.episode
      FROM unnest(%(rules)s::text[], %(episodes)s::text[]) AS given (rule, episode)
  );

-- name: finding_id
-- The id of one finding.
SELECT id FROM finding
WHERE patient_id = %(patient_id)s AND rule = %(rule)s AND episode = %(episode)s;

-- name: findings
-- A patient's findings that stand, since a moment, oldest first.
SELECT rule, pack, pack_version, severity, at, episode, body
FROM finding
WHERE patient_id = %(patient_id)s AND at >= %(since)s AND withdrawn_at IS NULL
ORDER BY at, rule, episode;

-- name: open_alert
-- Opens an alert, again where its finding was withdrawn and came back; no row for another known one.
INSERT INTO alert (patient_id, rule, episode, finding_id, state, severity, opened_at, closed_at,
                   closed_because)
VALUES (%(patient_id)s, %(rule)s, %(episode)s, %(finding_id)s, %(state)s, %(severity)s,
        %(opened_at)s, %(closed_at)s, %(closed_because)s)
ON CONFLICT (patient_id, rule, episode) DO UPDATE
SET finding_id = excluded.finding_id, state = excluded.state, severity = excluded.severity,
    opened_at = excluded.opened_at, acknowledged_at = NULL, acknowledged_by = NULL,
    closed_at = excluded.closed_at, closed_because = excluded.closed_because
WHERE alert.state = 'closed' AND alert.closed_because = 'withdrawn'
RETURNING id;

-- name: move_alert
-- Writes how a living alert stands now; nothing where it stands so already.
UPDATE alert
SET state = %(state)s, severity = %(severity)s, finding_id = COALESCE(%(finding_id)s, finding_id),
    acknowledged_at = %(acknowledged_at)s, acknowledged_by = %(acknowledged_by)s,
    closed_at = %(closed_at)s, closed_because = %(closed_because)s
WHERE id = %(id)s
  AND (state, severity, acknowledged_at, acknowledged_by, closed_at, finding_id)
      IS DISTINCT FROM
      (%(state)s, %(severity)s, %(acknowledged_at)s, %(acknowledged_by)s, %(closed_at)s,
       COALESCE(%(finding_id)s, finding_id));

-- name: alert_to_move
-- One alert of one patient, held until the transaction ends.
SELECT alert.id, alert.rule, alert.episode, alert.state, alert.severity, alert.opened_at,
       alert.acknowledged_at, alert.acknowledged_by, alert.closed_at, alert.closed_because,
       finding.at AS evidence_at,
       COALESCE((finding.body #>> '{numbers,beyond}')::float8, 0) AS beyond
FROM alert
JOIN finding ON finding.id = alert.finding_id
WHERE alert.id = %(id)s AND alert.patient_id = %(patient_id)s
FOR UPDATE OF alert;

-- name: alerts_between
-- A patient's alerts that lived between two moments, in the order in which they were opened.
SELECT alert.id, alert.rule, alert.state, alert.severity, alert.opened_at, alert.acknowledged_at,
       account.name AS acknowledged_by, alert.closed_at, alert.closed_because,
       finding.pack, finding.pack_version, finding.at, finding.episode, finding.body
FROM alert
JOIN finding ON finding.id = alert.finding_id
LEFT JOIN account ON account.id = alert.acknowledged_by
WHERE alert.patient_id = %(patient_id)s
  AND alert.opened_at < %(until)s
  AND (alert.closed_at IS NULL OR alert.closed_at >= %(since)s)
ORDER BY alert.opened_at, alert.id;

-- name: alerted
-- Lets plans and open pages know that a patient's alerts or findings have changed.
SELECT pg_notify('kangban_alert', (%(patient_id)s::int)::text);

-- name: note_due
-- Notes that patients are to be judged, each by a moment of its own; an earlier moment stands.
INSERT INTO judgement AS known (patient_id, due_at)
SELECT patient_id, due_at
FROM unnest(%(patient_ids)s::int[], %(due_ats)s::timestamptz[]) AS given (patient_id, due_at)
-- somebody may have been erased since the news were left
WHERE EXISTS (SELECT FROM patient WHERE patient.id = given.patient_id)
ORDER BY patient_id
ON CONFLICT (patient_id) DO UPDATE SET due_at = LEAST(known.due_at, excluded.due_at)
RETURNING patient_id, due_at;

-- name: hold
-- Keeps every other worker from judging this patient until the transaction ends.
SELECT FROM judgement WHERE patient_id = %(patient_id)s FOR UPDATE;

-- name: judged
-- A patient was judged; when to look again even without news.
INSERT INTO judgement (patient_id, judged_at, due_at)
VALUES (%(patient_id)s, %(now)s, %(due_at)s)
ON CONFLICT (patient_id) DO UPDATE
SET judged_at = excluded.judged_at, due_at = excluded.due_at, failures = 0, failure = NULL;

-- name: not_judged
-- A patient could not be judged: what went wrong, and when to try again (longer each time).
INSERT INTO judgement (patient_id, due_at, failures, failure)
VALUES (%(patient_id)s, %(now)s + %(wait)s, 1, %(failure)s)
ON CONFLICT (patient_id) DO UPDATE
SET failures = judgement.failures + 1, failure = excluded.failure,
    due_at = %(now)s + LEAST(%(wait)s * (2 ^ LEAST(judgement.failures, 10)), %(at_most)s)
RETURNING failures;

-- name: put_due
-- Leaves news of patients who are due, and looks away from them until they are judged.
WITH due AS (
    SELECT patient_id
    FROM judgement
    WHERE due_at <= %(now)s
      -- who has news is judged anyway; waiting for the row could tie a knot with who takes it
      AND NOT EXISTS (SELECT FROM news
                      WHERE consumer = %(consumer)s AND news.patient_id = judgement.patient_id)
    ORDER BY patient_id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), later AS (
    UPDATE judgement SET due_at = %(now)s + %(again)s
    FROM due
    WHERE judgement.patient_id = due.patient_id
)
INSERT INTO news (consumer, patient_id, earliest, latest)
SELECT %(consumer)s, patient_id, %(now)s, %(now)s FROM due
ORDER BY patient_id
ON CONFLICT (consumer, patient_id) DO UPDATE SET latest = GREATEST(news.latest, excluded.latest);

-- name: failures
-- Patients who could not be judged, those that failed most often first.
SELECT patient_id, judged_at, due_at, failures, failure
FROM judgement
WHERE failures > 0
ORDER BY failures DESC, patient_id;

-- name: rejected
-- When measurements that name a device of the patient were refused, or kept in quarantine.
SELECT refused.received_at
FROM (SELECT document ->> 'device' AS device, received_at FROM rejection
      UNION ALL
      SELECT device, received_at FROM quarantine WHERE state = 'waiting') AS refused
JOIN device ON device.name = refused.device
JOIN device_user ON device_user.device_id = device.id
WHERE device_user.patient_id = %(patient_id)s
  AND refused.received_at >= %(since)s
  AND refused.received_at < %(until)s
ORDER BY refused.received_at;
