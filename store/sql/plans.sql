-- name: add_plan
-- Begins a patient's plan; no row comes back where there is one already.
INSERT INTO plan (patient_id, template, bounds)
VALUES (%(patient_id)s, %(template)s, %(bounds)s)
ON CONFLICT (patient_id) DO NOTHING
RETURNING id;

-- name: plan_of_patient
-- A patient's plan with the zone in which its days are counted.
SELECT plan.id, plan.patient_id, plan.template, plan.bounds, plan.reminders_until,
       patient.timezone
FROM plan
JOIN patient ON patient.id = plan.patient_id
WHERE plan.patient_id = %(patient_id)s;

-- name: lock_plan
-- The same, locked: one change of a plan at a time.
SELECT plan.id, plan.patient_id, plan.template, plan.bounds, plan.reminders_until,
       patient.timezone
FROM plan
JOIN patient ON patient.id = plan.patient_id
WHERE plan.patient_id = %(patient_id)s
FOR UPDATE OF plan;

-- name: set_bounds
-- What the doctor lets the system do with a plan.
UPDATE plan SET bounds = %(bounds)s WHERE id = %(plan_id)s;

-- name: tasks
-- The tasks that stand in a plan.
SELECT id, task, schedule, starts_on, ends_on, is_block, proposal_id
FROM plan_task
WHERE plan_id = %(plan_id)s AND active
ORDER BY id;

-- name: add_task
-- A new task of a plan.
INSERT INTO plan_task (plan_id, task, schedule, starts_on, ends_on, is_block, proposal_id)
VALUES (%(plan_id)s, %(task)s, %(schedule)s, %(starts_on)s, %(ends_on)s, %(is_block)s,
        %(proposal_id)s)
RETURNING id;

-- name: set_task
-- A task that stands, with its last day.
UPDATE plan_task
SET active = true, starts_on = %(starts_on)s, ends_on = %(ends_on)s
WHERE id = %(id)s AND plan_id = %(plan_id)s;

-- name: retire_tasks
-- The tasks that stand no longer: all but these.
UPDATE plan_task SET active = false
WHERE plan_id = %(plan_id)s AND active AND id <> ALL (%(standing)s::bigint[]);

-- name: plans_to_remind
-- Patients whose reminders reach less far than they should.
SELECT patient_id
FROM plan
WHERE reminders_until IS NULL OR reminders_until < %(until)s
ORDER BY reminders_until NULLS FIRST
LIMIT %(limit)s;

-- name: set_reminders_until
-- How far the reminders of a plan reach.
UPDATE plan SET reminders_until = %(until)s WHERE id = %(plan_id)s;

-- name: add_reminders
-- One reminder for each moment of a task, once.
INSERT INTO reminder (patient_id, task_id, due_at)
SELECT %(patient_id)s, wanted.task_id, wanted.due_at
FROM unnest(%(task_ids)s::bigint[], %(due_ats)s::timestamptz[]) AS wanted (task_id, due_at)
ON CONFLICT (task_id, due_at) DO NOTHING;

-- name: drop_reminders
-- Removes coming reminders of a patient that are not wanted any more; what was told or done stays.
DELETE FROM reminder
WHERE patient_id = %(patient_id)s AND due_at > %(now)s AND told_at IS NULL AND done_at IS NULL
  AND NOT EXISTS (
      SELECT FROM unnest(%(task_ids)s::bigint[], %(due_ats)s::timestamptz[])
          AS wanted (task_id, due_at)
      WHERE wanted.task_id = reminder.task_id AND wanted.due_at = reminder.due_at);

-- name: reminders
-- The reminders of a patient between two moments, with their tasks.
SELECT reminder.id, reminder.due_at, reminder.told_at, reminder.done_at,
       plan_task.id AS task_id, plan_task.task, plan_task.schedule, plan_task.starts_on,
       plan_task.ends_on, plan_task.is_block, plan_task.proposal_id
FROM reminder
JOIN plan_task ON plan_task.id = reminder.task_id
WHERE reminder.patient_id = %(patient_id)s
  AND reminder.due_at >= %(first)s AND reminder.due_at < %(last)s
ORDER BY reminder.due_at, reminder.id;

-- name: mark_done
-- The session of a reminder was done at that moment.
UPDATE reminder SET done_at = %(done_at)s WHERE id = %(id)s AND done_at IS NULL;

-- name: patients_to_tell
-- Patients with an account of their own and a reminder that is due, not told, not done.
SELECT DISTINCT reminder.patient_id
FROM reminder
WHERE reminder.due_at <= %(now)s AND reminder.due_at > %(since)s
  AND reminder.told_at IS NULL AND reminder.done_at IS NULL
  AND EXISTS (
      SELECT FROM relation
      WHERE relation.patient_id = reminder.patient_id
        AND relation.relation = 'self' AND relation.ended_at IS NULL)
ORDER BY reminder.patient_id;

-- name: take_reminders
-- Locks the reminders of a patient that are to be told now and that nobody else holds.
SELECT reminder.id, reminder.due_at, plan_task.schedule
FROM reminder
JOIN plan_task ON plan_task.id = reminder.task_id
WHERE reminder.patient_id = %(patient_id)s
  AND reminder.due_at <= %(now)s AND reminder.due_at > %(since)s
  AND reminder.told_at IS NULL AND reminder.done_at IS NULL
ORDER BY reminder.due_at, reminder.id
FOR UPDATE OF reminder SKIP LOCKED;

-- name: mark_told
-- These reminders were told.
UPDATE reminder SET told_at = %(now)s WHERE id = ANY (%(ids)s::bigint[]);

-- name: patients_to_settle
-- Patients with reminders since a moment that are not known to be done.
SELECT DISTINCT patient_id
FROM reminder
WHERE done_at IS NULL AND due_at >= %(since)s AND due_at < %(until)s
ORDER BY patient_id;

-- name: own_accounts
-- The accounts of the patient itself.
SELECT account_id
FROM relation
WHERE patient_id = %(patient_id)s AND relation = 'self' AND ended_at IS NULL
ORDER BY account_id;

-- name: relation
-- As what an account is related to a patient today.
SELECT relation
FROM relation
WHERE account_id = %(account_id)s AND patient_id = %(patient_id)s AND ended_at IS NULL;

-- name: taken
-- When measurements of these kinds were taken.
SELECT kind, taken_at
FROM measurement
WHERE patient_id = %(patient_id)s AND kind = ANY (%(kinds)s)
  AND taken_at >= %(first)s AND taken_at < %(last)s
ORDER BY taken_at;

-- name: values
-- Measured values of these kinds that neither the device nor the clock doubts.
SELECT kind, unit, value, taken_at
FROM measurement
WHERE patient_id = %(patient_id)s AND kind = ANY (%(kinds)s)
  AND taken_at >= %(first)s AND taken_at < %(last)s
  AND flags & %(doubts)s = 0 AND clock <> %(unsure)s
ORDER BY taken_at;

-- name: concerns
-- The newest findings about a patient whose rule has one of these names, with their alerts.
SELECT finding.rule, finding.pack, finding.pack_version, finding.severity, finding.at,
       finding.episode, finding.body,
       coalesce(alert.state <> 'closed', false) AS is_living
FROM finding
LEFT JOIN alert ON alert.patient_id = finding.patient_id AND alert.rule = finding.rule
    AND alert.episode = finding.episode
WHERE finding.patient_id = %(patient_id)s AND finding.rule LIKE %(rules)s
  AND (alert.state <> 'closed' OR finding.at >= %(since)s)
ORDER BY finding.at DESC, finding.id DESC;

-- name: proposals
-- What was proposed for a patient, newest first.
SELECT id, patient_id, kind, episode, state, body, proposed_at, decided_at, decided_by
FROM proposal
WHERE patient_id = %(patient_id)s
ORDER BY id DESC;

-- name: proposal
-- One proposal.
SELECT id, patient_id, kind, episode, state, body, proposed_at, decided_at, decided_by
FROM proposal
WHERE id = %(id)s;

-- name: proposals_waiting
-- Undecided proposals for the patients of a doctor, oldest first.
SELECT proposal.id, proposal.patient_id, proposal.kind, proposal.episode, proposal.state,
       proposal.body, proposal.proposed_at, proposal.decided_at, proposal.decided_by
FROM proposal
JOIN relation ON relation.patient_id = proposal.patient_id
WHERE relation.account_id = %(account_id)s AND relation.relation = 'doctor'
  AND relation.ended_at IS NULL AND proposal.state = 'proposed'
ORDER BY proposal.proposed_at, proposal.id;

-- name: add_proposal
-- Writes a proposal once for an episode; no row comes back where it is there already.
INSERT INTO proposal (patient_id, kind, episode, state, body, proposed_at)
VALUES (%(patient_id)s, %(kind)s, %(episode)s, 'proposed', %(body)s, %(proposed_at)s)
ON CONFLICT (patient_id, kind, episode) DO NOTHING
RETURNING id;

-- name: decide
-- An undecided proposal is accepted, refused or withdrawn; no row comes back for a decided one.
UPDATE proposal
SET state = %(state)s, decided_at = %(now)s, decided_by = %(account_id)s
WHERE id = %(id)s AND state = 'proposed'
RETURNING id;

-- name: add_change
-- A change of a plan, explained, with what was before and after.
INSERT INTO plan_change (plan_id, proposal_id, at, explained, before, after)
VALUES (%(plan_id)s, %(proposal_id)s, %(at)s, %(explained)s, %(before)s, %(after)s)
RETURNING id;

-- name: changes
-- The changes of a patient's plan, newest first, with who decided and who undid.
SELECT plan_change.id, plan_change.proposal_id, plan_change.at, plan_change.explained,
       plan_change.before, plan_change.after, plan_change.undone_at, plan_change.undone_by,
       proposal.kind, proposal.decided_by
FROM plan_change
JOIN plan ON plan.id = plan_change.plan_id
LEFT JOIN proposal ON proposal.id = plan_change.proposal_id
WHERE plan.patient_id = %(patient_id)s
ORDER BY plan_change.id DESC;

-- name: patient_of_change
-- Whose plan a change belongs to.
SELECT plan.patient_id
FROM plan_change
JOIN plan ON plan.id = plan_change.plan_id
WHERE plan_change.id = %(id)s;

-- name: mark_undone
-- A change was undone.
UPDATE plan_change
SET undone_at = %(now)s, undone_by = %(account_id)s
WHERE id = %(id)s AND undone_at IS NULL;

-- name: patients_to_review
-- Patients whose plan may have to change: an alert lives, a block runs, or a proposal waits.
SELECT DISTINCT plan.patient_id
FROM plan
WHERE EXISTS (
        SELECT FROM alert
        WHERE alert.patient_id = plan.patient_id AND alert.rule = %(rule)s
          AND alert.state <> 'closed'
          AND NOT EXISTS (
              SELECT FROM proposal
              WHERE proposal.patient_id = alert.patient_id
                AND proposal.episode = alert.episode))
   OR EXISTS (
        SELECT FROM plan_task
        WHERE plan_task.plan_id = plan.id AND plan_task.active AND plan_task.is_block
          AND plan_task.ends_on >= %(yesterday)s)
   OR EXISTS (
        SELECT FROM proposal
        WHERE proposal.patient_id = plan.patient_id AND proposal.state = 'proposed')
ORDER BY plan.patient_id;

-- name: refresh
-- Lets the pages about a patient know, when the transaction commits, that the plan has changed.
SELECT pg_notify('kangban_patient', %(patient_id)s::text);
