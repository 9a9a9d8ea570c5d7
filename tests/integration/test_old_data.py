"""Critical values of old would raise alarms if nothing held them back, and the campaign would see.

The chaos campaign asks whether old data raised an alarm. Here the rules are made to forget that
evidence grows old: what a household's meters hand over is enough to alarm, and the check finds it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bench.ledger import LOCAL, Household
from bench.reckoning import alarms, old_alarms
from ingest.arrival import Delivery
from ingest.load import Loader
from ingest.validate import judge
from rules import records
from rules.pack import Pack, standard_packs
from store import people
from store.pool import connect, open_pool
from tests.arriving import envelope, up
from vitals.measurement import Clock, place
from vitals.wire import measurement_document

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
PACKS = standard_packs()
# rules that let evidence be a year old
FORGETFUL = tuple(
    replace(pack, rules=tuple(replace(rule, fresh_h=8760, stale_h=8760) for rule in pack.rules))
    for pack in PACKS
)
HOUSEHOLD = Household(gateway="g1", shared=None, begin_s=int(NOW.timestamp()), seed=1)


def memory_of_old_devices() -> list[Delivery]:
    """What a hundred readings become of devices that nobody has used for days."""
    found = []
    for number in range(1, 200):
        device, reading = HOUSEHOLD.reading(number, now_s=int(NOW.timestamp()))
        if device in HOUSEHOLD.live or reading.device_time is None:
            continue
        taken_at = (reading.device_time - LOCAL).replace(tzinfo=UTC)
        measurements = place(
            reading, device=device, taken_at=taken_at, clock=Clock.MEASURED, offset=-LOCAL
        )
        document = envelope(*map(measurement_document, measurements))
        verdict = judge(up(document), now=NOW)
        assert isinstance(verdict, Delivery)
        found.append(verdict)
    return found


@pytest.mark.parametrize(("packs", "is_alarmed"), [(PACKS, False), (FORGETFUL, True)])
def test_the_campaign_would_see_an_alarm_from_old_data(
    embedded_url: str, packs: Sequence[Pack], is_alarmed: bool
) -> None:
    with connect(embedded_url) as connection:
        people.register_gateway(connection, name="g1")
        patients = [people.create_patient(connection, name=device) for device in HOUSEHOLD.devices]
        for device, patient in zip(HOUSEHOLD.devices, patients, strict=True):
            people.bind_device(connection, device, patient_id=patient)
    with open_pool(embedded_url) as pool:
        Loader(pool).load(memory_of_old_devices(), now=NOW)
    with connect(embedded_url) as connection:
        for patient in patients:
            records.judge(connection, patient_id=patient, packs=packs, now=NOW + timedelta(hours=1))
    with connect(embedded_url) as connection:
        found = old_alarms(alarms(connection), PACKS, live=HOUSEHOLD.live)
    assert bool(found) is is_alarmed
