-- name: add_link
-- Keeps the hash of a link that opens one session for one account.
INSERT INTO login_link (token_hash, account_id, expires_at)
VALUES (%(token_hash)s, %(account_id)s, %(expires_at)s);

-- name: use_link
-- Uses a link up and gives the account behind it; no row for a used or expired one.
UPDATE login_link
SET used_at = %(now)s
FROM account
WHERE token_hash = %(token_hash)s
  AND used_at IS NULL
  AND expires_at > %(now)s
  AND account.id = login_link.account_id
RETURNING account.id, account.name, account.role, account.locale;

-- name: open_session
-- Keeps the hash of a session's token.
INSERT INTO session (token_hash, account_id, expires_at)
VALUES (%(token_hash)s, %(account_id)s, %(expires_at)s);

-- name: account_of_session
-- The account of a living session.
SELECT account.id, account.name, account.role, account.locale
FROM session
JOIN account ON account.id = session.account_id
WHERE session.token_hash = %(token_hash)s AND session.expires_at > %(now)s;

-- name: close_session
-- Ends one session.
DELETE FROM session WHERE token_hash = %(token_hash)s;

-- name: sweep_sessions
-- Removes sessions that have expired.
DELETE FROM session WHERE expires_at <= %(now)s;

-- name: sweep_links
-- Removes links that have expired.
DELETE FROM login_link WHERE expires_at <= %(now)s;

-- name: relation_of
-- As what an account is related to one patient today.
SELECT relation
FROM relation
WHERE account_id = %(account_id)s AND patient_id = %(patient_id)s AND ended_at IS NULL;

-- name: patients_of
-- The patients an account is related to today.
SELECT patient_id, relation
FROM relation
WHERE account_id = %(account_id)s AND ended_at IS NULL
ORDER BY patient_id;

-- name: answers
-- One row, if the database answers at all.
SELECT 1;
