"""A cuff that two people use, through every real part: nobody is alarmed before somebody is named.

User 1 is the father's. What user 2 measures waits, dangerous as it is, until the daughter says that
it is her mother's; then the mother's day and her alert follow.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from simulator.cuff import Cuff
from simulator.panel import Device, DevicePlan
from simulator.record import CuffRecord
from tests.simulated_home import Told
from tests.whole_home import WholeHome, until, whole_home

CUFF = DevicePlan(
    kind=Device.CUFF, address="F0:00:00:00:00:0B", model="KB-100", story=Told([])
)  # fmt: skip
MINUTE = timedelta(minutes=1)


@pytest.fixture
def home(timescale_url: str, broker: str, tmp_path: Path) -> Iterator[WholeHome]:
    with whole_home(CUFF, url=timescale_url, mqtt=broker, folder=tmp_path) as home:
        yield home


def measure(home: WholeHome, *pressures: tuple[int, int, int], user: int) -> None:
    """Measures (systolic, diastolic, minutes ago) as this user, and goes on air."""
    cuff = home.living.household.devices[CUFF.key]
    assert isinstance(cuff, Cuff)

    async def measured() -> None:
        for systolic, diastolic, ago in pressures:
            cuff.take(
                CuffRecord(
                    at=datetime.now(UTC).replace(microsecond=0) - ago * MINUTE,
                    systolic=Decimal(systolic),
                    diastolic=Decimal(diastolic),
                    user=user,
                )
            )
        await cuff.go_on_air()

    home.living.do(measured())


def alerts(home: WholeHome) -> set[int]:
    """Whose pressures raised an alert."""
    rows = home.ask("SELECT DISTINCT patient_id FROM alert WHERE rule LIKE 'bp.%%'")
    return {patient for (patient,) in rows}


def owners(home: WholeHome, value: int) -> list[int | None]:
    """Whose the readings of this value are."""
    rows = home.ask("SELECT patient_id FROM measurement WHERE value = %s", value)
    return [patient for (patient,) in rows]


@pytest.mark.slow
def test_what_user_two_measures_waits_for_a_name_and_alarms_nobody_before(home: WholeHome) -> None:
    daughter = home.visitor("daughter")
    measure(home, (124, 78, 30), user=1)
    # the cuff is added for the father: it is his alone until a number is somebody's
    daughter.see(f"/family/patients/{home.father}/devices")
    daughter.press("Add a device")
    daughter.wait_for("KB-100")
    daughter.press("Add this one")
    done = daughter.wait_for("The device is added")
    assert "124/78 mmHg" in done
    ((cuff_id,),) = home.ask("SELECT id FROM device WHERE name = %s", CUFF.key)
    daughter.see(f"/family/patients/{home.father}/devices/{cuff_id}/users")
    daughter.press("Save", without="several", person=str(home.father))
    assert "Saved" in daughter.text

    measure(home, (222, 132, 8), (220, 130, 2), user=2)
    until(lambda: len(owners(home, 220)) == 1)
    assert owners(home, 220) == owners(home, 222) == [None]
    waiting = daughter.see("/family/inbox")
    assert "user 2" in waiting
    assert "220/130 mmHg" in waiting
    # a reading that is the father's passes the rules meanwhile: they have seen all that was there
    measure(home, (126, 79, 1), user=1)
    until(lambda: owners(home, 126) == [home.father])
    until(lambda: home.ask("SELECT count(*) FROM news") == [(0,)])
    assert alerts(home) == set()

    daughter.press("It is 李秀英")
    daughter.press("It is 李秀英")
    until(lambda: owners(home, 220) == owners(home, 222) == [home.mother])
    until(lambda: alerts(home) == {home.mother}, "the crisis must be told once it is hers")
    days = home.ask(
        "SELECT sum(n) FROM measurement_day WHERE patient_id = %s AND kind = "
        "(SELECT DISTINCT kind FROM measurement WHERE value = 220)",
        home.mother,
    )
    assert days == [(2,)]
    assert "220/130" in daughter.see("/family")
