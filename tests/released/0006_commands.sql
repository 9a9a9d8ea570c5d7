-- A talk with a gateway, and its answer; one about a device that was another's before.
INSERT INTO gateway_command (id, flow, gateway_id, shard, account_id, patient_id, verb, device, bound_from,
                             document, created_at, expires_at)
VALUES (repeat('a', 32), repeat('a', 32), 1, 3, 2, 1, 'scan', NULL, NULL, '{}', '2026-11-20Z', '2026-11-20Z'),
       (repeat('b', 32), repeat('b', 32), 1, 3, 2, 2, 'pair', 'ble:00:00:00:00:00:02', 1, '{}', '2026-11-20Z',
        '2026-11-20Z');
INSERT INTO gateway_event (command, number, step, at, body, received_at)
VALUES (repeat('a', 32), 1, 'done', '2026-11-20Z', '{}', '2026-11-20Z');
