-- Doubted readings of a meter that is one person's, and of a shared cuff; one was decided on.
INSERT INTO quarantine (digest, gateway, device, kind, sequence, taken_at, value, unit, slot, resync, document, codes, reasons)
VALUES ('\x01', 'home-wang', 'ble:00:00:00:00:00:02', 1, 900, '2026-11-19Z', 99, 1, -1, false, '{}', '{implausible}', '{}'),
       ('\x02', 'home-wang', 'ble:00:00:00:00:00:01', 1, 901, '2026-11-19Z', 99, 1, 2, false, '{}', '{implausible}', '{}');
INSERT INTO quarantine_deed (quarantine_id, at, deed, account_id) VALUES (1, '2026-11-20Z', 'discard', 2), (2, '2026-11-20Z', 'discard', 1);
