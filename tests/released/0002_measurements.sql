-- Two months of readings over many chunks, some of nobody, and their days; as 0002 could hold them.
INSERT INTO measurement (taken_at, device_id, kind, sequence, patient_id, value, unit, clock, device_time,
                         clock_offset_s, slot, gateway_id, received_at, raw)
SELECT '2026-09-20 22:50Z'::timestamptz + n * INTERVAL '7 hours', 1 + n % 3, 1 + n % 2, n,
       CASE n % 3 WHEN 0 THEN 1 + n % 2 WHEN 1 THEN 1 ELSE NULLIF(n % 4, 2) END,
       5 + n % 13 / 10.0, 1, 1, '2026-09-21 06:50'::timestamp + n * INTERVAL '7 hours', -28800, 1 + n % 2, 1,
       '2026-11-20Z', '\x06'
FROM generate_series(0, 199) AS n;
UPDATE measurement SET patient_id = 3 WHERE patient_id = 0;
INSERT INTO measurement_day (patient_id, kind, unit, local_day, n, sum, min, max, first_at, last_at)
SELECT patient_id, kind, unit, (taken_at AT TIME ZONE timezone)::date, count(*), sum(value::numeric),
       min(value), max(value), min(taken_at), max(taken_at)
FROM measurement JOIN patient ON patient.id = patient_id
GROUP BY 1, 2, 3, 4;
INSERT INTO rejection (digest, gateway, measurement_id, document, reasons)
VALUES ('\x01', 'home-wang', 'aaaa', '{"device": "ble:00:00:00:00:00:02", "value": 99}', '{"implausible"}');
INSERT INTO dead_letter (digest, topic, payload, reasons)
VALUES ('\x01', 'kangban/v1/00/home-wang/up', '\x7b', '{"is not JSON"}');
INSERT INTO news (consumer, patient_id, earliest, latest) VALUES ('rules', 1, '2026-11-19Z', '2026-11-20Z');
