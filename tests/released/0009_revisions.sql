-- What two devices said before they corrected themselves.
INSERT INTO revision (device_id, kind, sequence, taken_at, value, unit, slot, flags, replaced_by)
SELECT device_id, kind, sequence, taken_at, 9.9, unit, slot, 0, 1 FROM measurement ORDER BY taken_at LIMIT 12;
