-- name: sign
-- Archives a report as signed; nothing happens where the week is signed already.
INSERT INTO report (patient_id, week, content, digest, signed_by, signed_at, comment)
VALUES (%(patient_id)s, %(week)s, %(content)s, %(digest)s, %(signed_by)s, %(signed_at)s, %(comment)s)
ON CONFLICT (patient_id, week) DO NOTHING
RETURNING id;

-- name: signed
-- One signed report, byte for byte, with who signed it.
SELECT report.week, report.content, report.digest, account.name AS signed_by, report.signed_at,
       report.comment
FROM report
JOIN account ON account.id = report.signed_by
WHERE report.patient_id = %(patient_id)s AND report.week = %(week)s;

-- name: signed_weeks
-- The weeks of a patient that are signed, newest first.
SELECT week FROM report WHERE patient_id = %(patient_id)s ORDER BY week DESC;
