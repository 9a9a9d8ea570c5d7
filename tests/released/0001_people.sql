-- A household of two, as 0001 could hold it.
INSERT INTO household (name) VALUES ('王家'), ('陈家');
INSERT INTO patient (household_id, name, sex, born_on, conditions, targets)
VALUES (1, '王建国', 'male', '1951-03-18', '{高血压,2型糖尿病}', '{"systolic_mmhg": 135}'),
       (1, '李秀英', 'female', NULL, '{}', '{}'),
       (2, '陈国华', 'male', '1943-01-02', '{高血压}', '{}');
INSERT INTO account (name, role) VALUES ('王建国', 'patient'), ('王芳', 'family'), ('刘医生', 'doctor');
INSERT INTO relation (account_id, patient_id, relation, ended_at)
VALUES (1, 1, 'self', NULL), (2, 1, 'family', NULL), (2, 2, 'family', '2026-01-01Z'),
       (3, 1, 'doctor', NULL), (3, 3, 'doctor', NULL);
INSERT INTO contact (account_id, url) VALUES (2, 'json://127.0.0.1/');
INSERT INTO login_link (token_hash, account_id, expires_at) VALUES ('\x01', 1, '2026-12-01Z');
INSERT INTO session (token_hash, account_id, expires_at) VALUES ('\x02', 2, '2026-12-01Z');
INSERT INTO gateway (name, household_id, last_seen_at, spooled, health)
VALUES ('home-wang', 1, '2026-11-20Z', 3, '{"v": 1}'), ('home-chen', 2, NULL, NULL, '{}');
INSERT INTO device (name, kind, model, gateway_id, battery_percent)
VALUES ('ble:00:00:00:00:00:01', 'blood_pressure_cuff', 'BPM', 1, 64),
       ('ble:00:00:00:00:00:02', 'glucose_meter', '', 1, NULL),
       ('ble:00:00:00:00:00:03', 'blood_pressure_cuff', '', 2, 10);
INSERT INTO device_user (device_id, slot, patient_id) VALUES (1, 1, 1), (1, 2, 2), (2, -1, 1), (3, -1, 3);
INSERT INTO heartbeat (process, at) VALUES ('ingest', '2026-11-20Z');
