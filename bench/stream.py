"""One endless stream of measurements, the same in Python and in SQL: row number i, from 0 on.

Every device measures glucose each half hour and its gateway sends so many values a message;
messages of all devices take turns. Of a hundred values five are up to seven days old when they
come and one up to thirty, which a number drawn from i decides, so that the database can store
millions of rows of the stream by itself and Python goes on where it ended. May hold: making rows.
May not: measuring.
"""

from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from bench.households import Message
from vitals.kinds import Kind
from vitals.measurement import Clock, Measurement, Reading, Value, place
from vitals.units import Unit
from vitals.wire import MAX_MEASUREMENTS, VERSION, Envelope, encode_envelope, topic

STEP = timedelta(minutes=30)
# per cent of values that come late, by up to so many minutes
_MOST_LATE, _LATE = (1, 30 * 24 * 60), (5, 7 * 24 * 60)
# Knuth's multiplicative hash: 2^32 divided by the golden ratio (The Art of Computer Programming,
# volume 3, 6.4)
_GOLDEN = 2654435761


class Stream:
    """The rows of so many devices, two a gateway, that begin to measure at `begin`.

    `envelope`: values in a message; `first`: the sequence number that devices begin with.
    """

    def __init__(
        self, *, devices: int, begin: datetime, envelope: int = MAX_MEASUREMENTS, first: int = 0
    ) -> None:
        self.devices, self.begin = devices, begin
        self.envelope, self.first = envelope, first

    def settle(self, connection: Connection[Any]) -> None:
        """Registers one patient a device and one gateway for two; the database must be empty."""
        wanted = {"devices": self.devices, "homes": -(-self.devices // 2)}
        for statement in _SETTLE:
            connection.execute(statement, wanted)
        connection.commit()

    def store(self, connection: Connection[Any], first: int, end: int) -> None:
        """Stores rows first <= i < end with their days, by the database alone."""
        connection.execute(_STORE, self._range(first, end))
        self.count(connection, first, end)

    def count(self, connection: Connection[Any], first: int, end: int) -> None:
        """Counts rows that were stored without their days."""
        connection.execute(_COUNT, self._range(first, end))
        connection.commit()

    def messages(self, first: int, end: int) -> list[Message]:
        """The same rows as messages; both numbers must be whole messages."""
        return [self._message(each) for each in range(first // self.envelope, end // self.envelope)]

    def _range(self, first: int, end: int) -> dict[str, Any]:
        return {
            "first": first,
            "end": end,
            "devices": self.devices,
            "envelope": self.envelope,
            "begin": self.begin,
            "first_sequence": self.first,
        }

    def _message(self, number: int) -> Message:
        turn, device = divmod(number, self.devices)
        gateway = gateway_name(device // 2)
        measurements = tuple(
            self._measurement(device, turn * self.envelope + each, number * self.envelope + each)
            for each in range(self.envelope)
        )
        envelope = Envelope(
            v=VERSION,
            gateway=gateway,
            batch=f"{self.first}-{number}",
            sent_at=self.begin + (turn + 1) * self.envelope * STEP,
            measurements=measurements,
            software="bench",
        )
        return Message(
            topic=topic(gateway, "up"),
            payload=encode_envelope(envelope),
            measurements=measurements,
        )

    def _measurement(self, device: int, step: int, i: int) -> Measurement:
        drawn = i * _GOLDEN % 2**32
        within = _MOST_LATE[1] if drawn % 100 < _MOST_LATE[0] else _LATE[1]
        is_late = drawn % 100 < _MOST_LATE[0] + _LATE[0]
        late = timedelta(minutes=drawn // 100 % within if is_late else 0)
        taken_at, sequence = self.begin + step * STEP - late, self.first + step
        value = Value(kind=Kind.GLUCOSE, value=(40 + drawn % 80) / 10, unit=Unit.MMOL_PER_L)
        reading = Reading(
            sequence=sequence,
            device_time=taken_at.replace(tzinfo=None) + timedelta(hours=8),
            values=(value,),
            raw=sequence.to_bytes(8, "big") + bytes(9),
        )
        name = f"ble:5E:{device >> 16:02X}:{device >> 8 & 255:02X}:{device & 255:02X}:00:00"
        (made,) = place(
            reading,
            device=name,
            taken_at=taken_at,
            clock=Clock.MEASURED,
            offset=-timedelta(hours=8),
        )
        return made


def gateway_name(number: int) -> str:
    """What the gateway with this number, from 0 on, is called."""
    return f"stream-{number}"


_SETTLE = (
    "INSERT INTO household (name) SELECT 'home ' || n FROM generate_series(1, %(homes)s) AS n",
    "INSERT INTO gateway (name, household_id)"
    " SELECT 'stream-' || n, n + 1 FROM generate_series(0, %(homes)s - 1) AS n",
    "INSERT INTO patient (household_id, name)"
    " SELECT n / 2 + 1, 'patient ' || n FROM generate_series(0, %(devices)s - 1) AS n",
    "INSERT INTO device (name, gateway_id)"
    " SELECT 'ble:5E:' || upper(regexp_replace(lpad(to_hex(n), 6, '0'), '(..)(..)(..)',"
    " '\\1:\\2:\\3')) || ':00:00', n / 2 + 1 FROM generate_series(0, %(devices)s - 1) AS n",
    "INSERT INTO device_user (device_id, patient_id)"
    " SELECT n, n FROM generate_series(1, %(devices)s) AS n",
)

_MADE = f"""
    SELECT i / %(envelope)s::bigint %% %(devices)s::bigint + 1 AS number, drawn,
           %(first_sequence)s + step AS sequence,
           %(begin)s::timestamptz + step * interval '{STEP.seconds} seconds'
           - CASE WHEN drawn %% 100 < {_MOST_LATE[0]} THEN drawn / 100 %% {_MOST_LATE[1]}
                  WHEN drawn %% 100 < {_MOST_LATE[0] + _LATE[0]} THEN drawn / 100 %% {_LATE[1]}
                  ELSE 0 END * interval '1 minute' AS taken_at,
           ((40 + drawn %% 80) / 10.0) AS value
    FROM generate_series(%(first)s::bigint, %(end)s - 1) AS i
    CROSS JOIN LATERAL (
        SELECT i * {_GOLDEN} %% 4294967296 AS drawn,
               i / (%(envelope)s::bigint * %(devices)s) * %(envelope)s + i %% %(envelope)s AS step
    ) AS of_row
"""

_STORE = f"""
INSERT INTO measurement (
    taken_at, device_id, kind, sequence, patient_id, value, unit, clock, device_time,
    clock_offset_s, gateway_id, raw
)
SELECT taken_at, number, 1, sequence, number, value, 1, 1, taken_at AT TIME ZONE 'Asia/Shanghai',
       -28800, (number - 1) / 2 + 1, int8send(sequence) || '\\x000000000000000000'::bytea
FROM ({_MADE}) AS made
"""

_COUNT = f"""
INSERT INTO measurement_day AS day (
    patient_id, kind, unit, local_day, n, sum, min, max, first_at, last_at
)
SELECT number, 1, 1, (taken_at AT TIME ZONE 'Asia/Shanghai')::date, count(*), sum(value),
       min(value), max(value), min(taken_at), max(taken_at)
FROM ({_MADE}) AS made
GROUP BY 1, 2, 3, 4
ON CONFLICT (patient_id, kind, unit, local_day) DO UPDATE
SET n = day.n + excluded.n,
    sum = day.sum + excluded.sum,
    min = LEAST(day.min, excluded.min),
    max = GREATEST(day.max, excluded.max),
    first_at = LEAST(day.first_at, excluded.first_at),
    last_at = GREATEST(day.last_at, excluded.last_at)
"""
