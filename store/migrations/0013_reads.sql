-- What pages read of the last days, over all kinds at once.

-- The doctor's list asks for each of four hundred patients when anything was measured last and what
-- the last two weeks brought. The key has the kind before the day, so that this took a probe for
-- each kind in each unit.
CREATE INDEX measurement_day_of_patient ON measurement_day (patient_id, local_day);

-- A day is counted up again and again, and where its page has room for the new version, no index is
-- touched. Measured: counting up 20,000 days took 8.1 us each with both indexes and full pages, 4.4
-- with this room, and 6.1 before, without the new index; a day that begins costs 1.5 us more.
ALTER TABLE measurement_day SET (fillfactor = 70);

-- Who lives with whom, and by which gateway: asked by every page about a home, and at half a million
-- homes nothing to look through one by one.
CREATE INDEX gateway_of_household ON gateway (household_id);
CREATE INDEX patient_of_household ON patient (household_id);
