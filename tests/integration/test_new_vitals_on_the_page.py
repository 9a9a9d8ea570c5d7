"""What oximeters, scales and thermometers measure is on the patient's page, in both languages."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.config import ApiSettings
from api.doors import make_link
from tests import seed
from tests.seed import One
from vitals.kinds import VITALS, Kind
from vitals.units import Unit

HOUR_AGO = seed.NOW - timedelta(hours=1)
VALUES = [
    One(kind=Kind.SPO2, value=97.0, unit=Unit.PERCENT, at=HOUR_AGO, sequence=1),
    One(kind=Kind.PULSE, value=68.0, unit=Unit.PER_MINUTE, at=HOUR_AGO, sequence=1),
    One(kind=Kind.WEIGHT, value=61.5, unit=Unit.KG, at=HOUR_AGO, sequence=2),
    One(kind=Kind.BODY_FAT, value=28.4, unit=Unit.PERCENT, at=HOUR_AGO, sequence=3),
    One(kind=Kind.BODY_TEMPERATURE, value=36.6, unit=Unit.CELSIUS, at=HOUR_AGO, sequence=4),
]


@pytest.fixture
def mother(timescale_url: str) -> Iterator[TestClient]:
    """A browser in which a patient with these values has come in."""
    with psycopg.connect(timescale_url) as connection:
        clinic = seed.clinic(connection, extra=0)
        patient = clinic.patients["李秀英"]
        (gateway,) = connection.execute("SELECT min(id) FROM gateway").fetchone() or (None,)
        assert gateway is not None
        seed.store(connection, patient=patient, device="ble:scale", gateway=gateway, values=VALUES)
        seed.recount(connection)
        link = make_link(connection, base_url="", account_id=clinic.own["李秀英"], now=seed.NOW)
    app = create_app(ApiSettings(database_url=timescale_url, port=0), clock=lambda: seed.NOW)
    with TestClient(app, follow_redirects=False) as browser:
        assert browser.post(link).status_code == 303
        yield browser


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("zh-CN", ["血氧", "体重", "体脂率", "体温"]),
        ("en", ["SpO2", "Weight", "Body fat", "Temperature"]),
    ],
)
def test_each_new_vital_has_its_name_value_and_unit(
    mother: TestClient, locale: str, words: list[str]
) -> None:
    mother.post("/language", data={"locale": locale, "back": "/patient"})
    page = mother.get("/patient").text
    shown = ["97", "61.5", "28.4", "36.6"]
    for word, value in zip(words, shown, strict=True):
        assert f"<h3>{word}</h3>" in page
        assert f'class="big number">{value} <span' in page
    # the pulse stands with the oxygen of the same reading
    oxygen = page[page.index(f"<h3>{words[0]}</h3>") : page.index(f"<h3>{words[1]}</h3>")]
    assert '<span class="number">68</span>' in oxygen


@pytest.mark.parametrize(
    ("locale", "words"),
    [("zh-CN", "设备已更正，原为 63.0 kg"), ("en", "Corrected by the device, was 63.0 kg")],
)
def test_a_value_that_the_device_corrected_says_what_it_was(
    mother: TestClient, timescale_url: str, locale: str, words: str
) -> None:
    with psycopg.connect(timescale_url) as connection:
        connection.execute(
            "INSERT INTO revision (device_id, kind, sequence, taken_at, value, unit, slot, flags,"
            " replaced_by) SELECT device_id, kind, sequence, taken_at, 63, unit, slot, flags,"
            " gateway_id FROM measurement WHERE kind = %s AND value = 61.5",
            (VITALS[Kind.WEIGHT].code,),
        )
    mother.post("/language", data={"locale": locale, "back": "/patient"})
    page = mother.get("/patient").text
    assert page.count(words) == 1
