"""Who is this? A row of the quirks goes before the advertised service; strangers stay strangers."""

import pytest

from gateway_agent import quirk as module
from gateway_agent.drivers import DRIVERS
from gateway_agent.quirk import QUIRKS, STANDARD, Confidence, Quirk, Words
from gateway_agent.recognise import Advert, recognise


def advert(name: str = "", *services: str) -> Advert:
    return Advert(name=name, services=frozenset(services))


@pytest.mark.parametrize(
    ("service", "kind"),
    [
        ("1808", "glucose_meter"),
        ("1810", "blood_pressure_cuff"),
        ("180D", "wristband"),
        ("1822", "pulse_oximeter"),
        ("181D", "weight_scale"),
        ("181B", "body_composition_scale"),
        ("1809", "thermometer"),
        ("181F", "cgm"),
    ],
)
def test_an_advertised_service_names_its_driver(service: str, kind: str) -> None:
    found = recognise(advert("Something", service, "180F"), DRIVERS)
    assert found.driver is DRIVERS[kind]
    assert found.is_known


def test_what_advertises_nothing_of_ours_is_a_stranger() -> None:
    found = recognise(advert("Kettle", "FFE0"), DRIVERS)
    assert (found.driver, found.quirk, found.is_known) == (None, STANDARD, False)


def test_a_row_goes_before_the_service_and_may_say_no(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (
        Quirk(id="a", zh="甲", en="A", names=("Band-",), driver="glucose_meter"),
        Quirk(
            id="b",
            zh="乙",
            en="B",
            names=("Locked",),
            confidence=Confidence.UNSUPPORTED,
            reason=Words(zh="厂家加密", en="locked by its maker"),
        ),
    )
    monkeypatch.setattr(module, "QUIRKS", rows)
    chosen = recognise(advert("Band-12", "180D"), DRIVERS)
    assert (chosen.driver, chosen.quirk.id) == (DRIVERS["glucose_meter"], "a")
    refused = recognise(advert("Locked 7", "180D"), DRIVERS)
    assert (refused.driver, refused.quirk.id, refused.is_known) == (None, "b", True)


def test_every_row_names_a_driver_that_is_there_and_says_why_where_none_is() -> None:
    for each in QUIRKS:
        if each.confidence is Confidence.UNSUPPORTED:
            assert each.driver is None, each.id
            assert each.reason is not None, each.id
        else:
            assert each.driver in DRIVERS, each.id
        assert each.sources, each.id
    assert len({each.id for each in QUIRKS}) == len(QUIRKS)


@pytest.mark.parametrize(
    ("name", "service", "row", "kind"),
    [
        ("TAIDOC TD8255", "1822", "taidoc_oximeter", "pulse_oximeter"),
        ("A&D_UC-352BLE_1A", "181D", "ad_uc352", "weight_scale"),
        # it advertises both, and only one tells its fat
        ("BF720", "181D", "beurer_scale", "body_composition_scale"),
        ("TAIDOC TD1242", "1809", "taidoc_thermometer", "thermometer"),
        # it advertises the service of a band
        ("InfiniTime", "180D", "infinitime", "smart_watch"),
        # it advertises none
        ("R02_1A2B", "", "colmi_r02", "ring"),
    ],
)
def test_a_row_points_to_the_driver_that_reads_most(
    name: str, service: str, row: str, kind: str
) -> None:
    found = recognise(advert(name, service), DRIVERS)
    assert (found.quirk.id, found.driver) == (row, DRIVERS[kind])


def test_a_row_whose_driver_is_not_there_is_read_by_its_service() -> None:
    found = recognise(advert("TAIDOC TD3128", "1810"), DRIVERS)
    assert (found.driver, found.quirk.id) == (DRIVERS["blood_pressure_cuff"], "taidoc_cuff")
    without = {kind: each for kind, each in DRIVERS.items() if kind != "blood_pressure_cuff"}
    assert recognise(advert("TAIDOC TD3128", "1810"), without).driver is None


def test_a_row_that_fits_everything_is_not_built() -> None:
    with pytest.raises(ValueError, match="recognised by nothing"):
        Quirk(id="x", zh="", en="")
