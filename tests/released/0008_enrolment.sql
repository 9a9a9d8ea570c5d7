-- An invitation, a certificate, a gateway that was shut out.
INSERT INTO gateway_invitation (label, code_hash, household_id, patient_id, invited_by, invited_at, expires_at)
VALUES ('ACDE', '\x01', 1, 1, 2, '2026-11-19Z', '2026-11-22Z'), ('KKKK', '\x02', 2, 3, 3, '2026-11-19Z', '2026-11-22Z');
INSERT INTO gateway_certificate (serial, gateway_id, public_key, issued_at, expires_at, allowed_by)
VALUES ('0A', 1, '\x01', '2026-11-19Z', '2028-11-19Z', 1);
UPDATE gateway SET revoked_at = '2026-11-20Z' WHERE id = 2;
