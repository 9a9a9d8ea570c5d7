-- What pages read of the last days, over all kinds at once.

-- The doctor's list asks for each of four hundred patients when anything was measured last and what
-- the last two weeks brought. The key has the kind before the day, so that this took a probe for
-- each kind in each unit. A day is counted up without touching an index: this one costs a little
-- when a day begins, and nothing for the readings after.
CREATE INDEX measurement_day_of_patient ON measurement_day (patient_id, local_day);
