"""The table of quirks: names on the air, what may be done to whom, words for people."""

import re

import pytest

from gateway_agent.drivers.current_time import DATE_TIME
from gateway_agent.quirk import (
    QUIRKS,
    STANDARD,
    Bond,
    ClockSetting,
    Confidence,
    Quirk,
    quirk_of,
)

# the drawings of the pages
PICTURES = {"glucose_meter", "cuff", "scale", "band", "ring", "oximeter", "thermometer", "cgm"}

ROWS = pytest.mark.parametrize("row", QUIRKS, ids=lambda row: row.id)


@pytest.mark.parametrize(
    ("name", "services", "row"),
    [
        ("meter+07604180", "1808", "accu_chek"),
        ("Contour7800H5012345", "1808", "contour"),
        ("CareSensNPlus 0155", "1808", "caresens"),
        ("TAIDOC TD4286", "1808", "taidoc_glucose"),
        ("FORA GD40", "1808", "taidoc_glucose"),
        ("FORA D40", "1810", "taidoc_cuff"),
        ("TAIDOC TD1242", "1809", "taidoc_thermometer"),
        ("TAIDOC TD8255", "1822", "taidoc_oximeter"),
        ("TAIDOC TD8255", "00001523-1212-EFDE-1523-785FEABCD123", "taidoc_frames"),
        ("Yuwell Glucose", "1808", "yuwell_glucose"),
        ("Yuwell BP-YE680A", "1810", "yuwell_cuff"),
        ("BLEsmart_00000116DE34A1B2C3D4", "1810", "omron_standard"),
        ("BLESmart_00000480EF66214013B0", "1810", "omron_standard"),
        # a scale of Omron's is no cuff
        ("BLEsmart_0001000B005FBF99DF24", "181D", "standard"),
        (
            "BLESmart_00000480EF66214013B0",
            "ECBE3980-C9A2-11E1-B1BD-0002A5D5C51B",
            "omron_memory",
        ),
        ("BLEsmart_00000638AABBCCDDEEFF", "FE4A", "omron_secure"),
        ("A&D_UA-651BLE_D57B3F", "1810", "ad_ua651"),
        ("A&D_UC-352BLE_A1B2C3", "181D", "ad_uc352"),
        ("BM54", "1810", "beurer_cuff"),
        ("Beurer BC 87", "1810", "beurer_cuff"),
        ("SBM67", "1810", "sanitas_cuff"),
        ("SBM69", "1810", "silvercrest_sbm69"),
        ("1872B0", "1810", "medisana_cuff"),
        ("BF720", "181D", "beurer_scale"),
        ("InfiniTime", "180D", "infinitime"),
        ("R02_A1B2", "", "colmi_r02"),
        ("Mi Smart Band 5", "FEE0", "locked_band"),
        ("Mi Smart Band 5", "180D", "broadcasting_band"),
        ("HUAWEI Band 8-1A2", "", "locked_band"),
        ("Amazfit Band 7", "180D", "broadcasting_band"),
        ("KN-550BT 004D32", "", "ihealth"),
        ("BP3L 11070", "", "ihealth"),
        ("Sinocare", "", "sinocare"),
        ("OneTouch A1B2", "", "onetouch"),
        ("YK-BPA1", "CDEACD80-5235-4C07-8846-93A37EE6B86D", "yonker"),
        ("Dexcom8H", "FEBC", "dexcom"),
        ("ABBOTT3MH00A1B2C3", "", "libre"),
        # strangers, and names that only look alike
        ("Kettle", "FFE0", "standard"),
        ("BM54X's headphones", "1810", "beurer_cuff"),
        ("BPM", "1810", "standard"),
        ("My meter+", "1808", "standard"),
        ("", "1808", "standard"),
    ],
)
def test_a_device_is_known_by_what_it_says_on_the_air(name: str, services: str, row: str) -> None:
    assert quirk_of(name=name, services=frozenset(filter(None, [services]))).id == row


@ROWS
def test_a_row_speaks_to_people_in_both_languages(row: Quirk) -> None:
    assert re.search(r"[\u4e00-\u9fff]", row.zh)
    said = [each for each in (row.pairing, row.reason, row.note) if each is not None]
    for words in said:
        assert re.search(r"[\u4e00-\u9fff]", words.zh)
        assert words.zh.endswith("。")
        assert words.en.endswith(".")
        assert words.document() == {"zh": words.zh, "en": words.en}


@ROWS
def test_a_row_says_how_to_pair_or_why_not(row: Quirk) -> None:
    closed = row.confidence is Confidence.UNSUPPORTED
    assert (row.reason is not None) is closed
    assert (row.pairing is not None) is not closed
    assert (row.driver is None) is closed
    assert row.picture in PICTURES or (closed and not row.picture)


@ROWS
def test_a_row_names_services_and_clocks_as_the_radio_does(row: Quirk) -> None:
    for each in (*row.services, *([row.clock] if row.clock else [])):
        assert re.fullmatch(r"[0-9A-F]{4}|[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", each)


def rows(**wanted: object) -> set[str]:
    return {
        row.id
        for row in QUIRKS
        if all(getattr(row, name) == value for name, value in wanted.items())
    }


def test_what_the_field_reports_stands_in_the_table() -> None:
    assert rows(counts_backwards=True) == {"taidoc_glucose"}
    assert rows(hangs_up_after_bond=True) == {"ad_ua651", "ad_uc352"}
    assert rows(clock_setting=ClockSetting.AT_FIRST_NOTIFICATION) == {"omron_standard"}
    assert rows(clock_set_beyond_s=600) == {"omron_standard"}
    assert rows(shows_passkey=True) == {"accu_chek", "silvercrest_sbm69"}
    assert rows(resends_all=True) == {
        "beurer_cuff",
        "sanitas_cuff",
        "medisana_cuff",
        "silvercrest_sbm69",
    }
    assert {"accu_chek", "contour", "beurer_scale"} <= rows(bond=Bond.AT_ONCE)
    assert rows(clock=DATE_TIME) == {"accu_chek", "ad_ua651", "ad_uc352"}


def test_a_device_without_a_row_follows_its_profile() -> None:
    assert STANDARD.clock_setting is ClockSetting.AFTER_RECORDS
    assert STANDARD.bond is Bond.WHEN_ASKED
    assert STANDARD.fits(name="", services=frozenset())
