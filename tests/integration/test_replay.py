"""Nothing malformed is dropped: what was refused is judged again after the fix, once."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from arriving import METER, changed, envelope, glucose, up
from quarantining import House, house_over, now

from ingest.arrival import Message
from ingest.load import Loader
from ingest.replay import End, Replayed, replay
from ingest.validate import judge
from store import people, refused
from store.pool import open_pool, transaction
from vitals.errors import MendData
from vitals.wire import DeviceHealth, Health, encode_health, topic


@pytest.fixture
def house(database: str) -> Iterator[House]:
    with open_pool(database, process="test") as pool, house_over(pool) as made:
        yield made


def bring(house: House, message: Message) -> None:
    house.loader.load([judge(message, now=now())], now=now())


def names(house: House, code: str | None = None) -> list[str]:
    with transaction(house.pool) as connection:
        return refused.to_replay(connection, code=code)


def again(house: House, name: str) -> Replayed:
    return replay(house.pool, Loader(house.pool), name, now=now())


def register(house: House, name: str) -> None:
    with transaction(house.pool) as connection:
        people.register_gateway(connection, name=name, household_id=house.household)


def tables(house: House) -> list[Any]:
    """All that ingest writes, as far as it does not depend on when it was written."""
    return [
        house.ask(query)
        for query in (
            "SELECT taken_at, device_id, kind, sequence, patient_id, value, unit, clock,"
            " device_time, clock_offset_s, slot, meal, flags, raw FROM measurement"
            " ORDER BY 1, 2, 4",
            "SELECT patient_id, kind, unit, local_day, n, sum, min, max, first_at, last_at"
            " FROM measurement_day ORDER BY 1, 2, 3, 4",
            "SELECT consumer, patient_id, earliest, latest FROM news ORDER BY 1, 2",
            "SELECT device, kind, sequence, value, codes, state FROM quarantine ORDER BY 1, 3",
            "SELECT gateway, document, codes FROM rejection ORDER BY digest",
        )
    ]


def test_a_stranger_s_message_makes_the_same_tables_once_the_gateway_is_registered(
    house: House,
) -> None:
    documents = [glucose(1), glucose(2, value=99.0), glucose(3, clock="sundial"), glucose(4)]
    bring(house, up(envelope(*documents, gateway="new"), gateway="new"))
    (name,) = names(house, "unknown_gateway")

    refused_still = again(house, name)
    assert (refused_still.end, refused_still.codes) == (End.STILL_REFUSED, ("unknown_gateway",))
    assert house.counts.measurements == 0
    register(house, "new")
    done = again(house, name)

    assert done.end is End.TAKEN_IN
    assert done.text == "2 new and 0 known measurements, 1 in quarantine, 1 refused"
    replayed = tables(house)
    # the same, as if it had come by MQTT in the first place
    for table in ("measurement", "measurement_day", "news", "quarantine", "rejection"):
        house.ask(f"DELETE FROM {table} RETURNING 1")
    bring(house, up(envelope(*documents, gateway="new"), gateway="new"))
    assert tables(house) == replayed


def test_a_replay_is_kept_with_what_became_of_it_and_is_a_no_op_the_second_time(
    house: House,
) -> None:
    bring(house, up(envelope(glucose(1), gateway="new"), gateway="new"))
    register(house, "new")
    (name,) = names(house)

    assert again(house, name).end is End.TAKEN_IN
    second = again(house, name)

    assert second.end is End.ALREADY
    assert "1 new and 0 known" in second.text
    assert names(house) == []
    with transaction(house.pool) as connection:
        (line,) = refused.listed(connection, everything=True)
        assert refused.listed(connection) == []
    assert line.replayed_at is not None
    assert line.became == "1 new and 0 known measurements, 0 in quarantine, 0 refused"
    # the gateway sends it again, for no receipt ever came: that is a no-op as well
    bring(house, up(envelope(glucose(1), gateway="new"), gateway="new"))
    assert house.counts.measurements == 1


def test_a_measurement_that_an_upgrade_understands_is_taken_in(house: House) -> None:
    house.bring(glucose(1, mood="fine"))
    (name,) = names(house, "unknown_word")
    assert again(house, name).end is End.STILL_REFUSED
    # what an upgrade does to the code, we do here to the document
    house.ask("UPDATE rejection SET document = document - 'mood' RETURNING 1")

    assert again(house, name).text == ("1 new and 0 known measurements, 0 in quarantine, 0 refused")
    assert [each.value for each in house.values()] == [5.6]


def test_what_an_earlier_release_refused_as_not_plausible_goes_to_quarantine(house: House) -> None:
    house.bring(glucose(1, value=99.0, mood="fine"))
    house.ask("UPDATE rejection SET document = document - 'mood' RETURNING 1")
    (name,) = names(house, "implausible")

    assert again(house, name).text == ("0 new and 0 known measurements, 1 in quarantine, 0 refused")
    assert len(house.waiting) == 1


def test_a_clock_that_was_wrong_on_arrival_is_still_wrong_when_it_is_replayed(
    house: House,
) -> None:
    ahead = glucose(1, at=now() + timedelta(hours=1))
    bring(house, up(envelope(ahead, gateway="new"), gateway="new"))
    house.ask("UPDATE dead_letter SET received_at = received_at - INTERVAL '1 day' RETURNING 1")
    register(house, "new")
    (name,) = names(house)

    again(house, name)

    assert house.values() == []
    assert house.counts.quarantined == 1


def test_a_word_of_health_is_replayed_and_does_not_replace_a_newer_one(house: House) -> None:
    def health(spooled: int, ago: timedelta) -> bytes:
        at = now() - ago
        devices = {METER: DeviceHealth(last_seen_at=at)}
        return encode_health(
            Health(v=1, gateway="new", sent_at=at, spooled=spooled, devices=devices)
        )

    bring(house, Message(topic=topic("new", "health"), payload=health(9, timedelta(hours=2))))
    register(house, "new")
    bring(house, Message(topic=topic("new", "health"), payload=health(3, timedelta(hours=1))))
    (name,) = names(house)

    assert again(house, name).text == "the gateway's health"
    assert house.ask("SELECT spooled FROM gateway WHERE name = 'new'") == [(3,)]


@pytest.mark.parametrize("payload", [b"", b"\xff\0", b"{", b"x" * 200_000])
def test_what_no_release_can_read_stays_with_its_reasons(house: House, payload: bytes) -> None:
    bring(house, up(payload))
    (name,) = names(house)

    assert again(house, name).end is End.STILL_REFUSED
    assert names(house) == [name]
    with transaction(house.pool) as connection:
        letter = refused.letter(connection, int(name[1:]))
    assert letter is not None
    assert letter.payload == payload
    assert letter.reasons


def test_a_letter_that_is_about_the_same_is_kept_anew_after_a_replay(house: House) -> None:
    bring(house, up(envelope(glucose(1), gateway="new"), gateway="new"))
    register(house, "new")
    (name,) = names(house)
    again(house, name)
    house.ask("UPDATE gateway SET revoked_at = now() WHERE name = 'new' RETURNING 1")
    house.loader = Loader(house.pool)

    bring(house, up(envelope(glucose(2), gateway="new"), gateway="new"))

    with transaction(house.pool) as connection:
        letter = refused.letter(connection, int(name[1:]))
    assert letter is not None
    assert letter.replayed_at is None
    assert json.loads(letter.payload)["measurements"][0]["sequence"] == 2


def test_two_operators_at_once_take_everything_in_once(house: House) -> None:
    for number in range(12):
        # letters about different gateways
        name = f"n{number}"
        bring(house, up(envelope(glucose(number), gateway=name), gateway=name))
        house.bring(changed(glucose(100 + number), {"mood": "fine"}))
        register(house, name)
    house.ask("UPDATE rejection SET document = document - 'mood' RETURNING 1")
    found = names(house)
    ends: list[End] = []
    start = threading.Barrier(2)

    def work() -> None:
        loader = Loader(house.pool)
        start.wait()
        ends.extend(replay(house.pool, loader, name, now=now()).end for name in found)

    operators = [threading.Thread(target=work) for _ in range(2)]
    for each in operators:
        each.start()
    for each in operators:
        each.join()

    assert len(found) == 24
    assert ends.count(End.TAKEN_IN) == ends.count(End.ALREADY) == 24
    assert house.counts.measurements == 24


def test_what_is_no_name_is_said_to_be_none(house: House) -> None:
    with pytest.raises(MendData, match="write R7 or L12"):
        again(house, "seven")
    assert again(house, "r999").end is End.ABSENT
