"""A plan's life on real databases: reminders, proposals, acceptance, undo, recovery.

The story is a father's, in Shanghai: it begins on Sunday 22 November 2026, 16:00 there.
"""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from care_plans import records
from care_plans.__main__ import _tick, run
from care_plans.adherence import State
from care_plans.config import PlansSettings
from care_plans.plan import Bounds, Plan, ProposalKind
from care_plans.remind import settle, tell, write_ahead
from care_plans.review import review
from rules.finding import Finding
from rules.words import Said
from store import people, plans
from store.listen import Listener
from store.pool import Pool, open_pool, transaction
from vitals.errors import AskPerson, MendData
from vitals.measurement import FLAG_BIT, Flag

# Sunday 22 November 2026, 16:00 in Shanghai
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
EPISODE = "2026-11-16T00:00:00Z"
SYSTOLIC, DIASTOLIC, GLUCOSE = 3, 4, 1
MMHG, MMOL = 3, 1


def shanghai(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    """A moment by the father's clock (UTC+8 all year)."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


class House:
    """A father with an account, his doctor, his daughter, and a cuff."""

    def __init__(self, pool: Pool, url: str) -> None:
        self.pool = pool
        self.url = url
        self.sequence = 0
        with transaction(pool) as connection:
            self.patient = people.create_patient(connection, name="父亲")
            self.own = self._account(connection, "父亲", "patient", "self")
            self.doctor = self._account(connection, "李医生", "doctor", "doctor")
            self.daughter = self._account(connection, "女儿", "family", "family")

    def _account(
        self, connection: psycopg.Connection[Any], name: str, role: str, relation: str
    ) -> int:
        account_id = people.create_account(connection, name=name, role=role)
        people.relate(connection, account_id=account_id, patient_id=self.patient, relation=relation)
        return account_id

    def begin(self, template: str = "hypertension", now: datetime = NOW, **more: Any) -> Plan:
        with transaction(self.pool) as connection:
            return records.create_plan(
                connection, patient_id=self.patient, template=template, now=now, **more
            )

    def measure(
        self, at: datetime, systolic: float = 142, diastolic: float = 86, flags: int = 0
    ) -> None:
        self.sequence += 1
        self._insert(at, SYSTOLIC, systolic, MMHG, flags)
        self._insert(at, DIASTOLIC, diastolic, MMHG, flags)

    def prick(self, at: datetime) -> None:
        self.sequence += 1
        self._insert(at, GLUCOSE, 6.1, MMOL, 0)

    def _insert(self, at: datetime, kind: int, value: float, unit: int, flags: int) -> None:
        with transaction(self.pool) as connection:
            connection.execute(
                "INSERT INTO measurement (taken_at, device_id, kind, sequence, patient_id, value,"
                " unit, clock, flags, gateway_id) VALUES (%s, 1, %s, %s, %s, %s, %s, 1, %s, 1)",
                (at, kind, self.sequence, self.patient, value, unit, flags),
            )

    def alarm(self, *, state: str, at: datetime, ended_at: datetime | None = None) -> None:
        """What the rules write: the finding, and its alert in this state."""
        finding = Finding(
            rule="bp.high.7d",
            pack="hypertension",
            pack_version="1",
            severity=2,
            started_at=at,
            at=at,
            ended_at=ended_at,
            episode=EPISODE,
            title=Said(zh="血压偏高", en="High blood pressure"),
            numbers={
                "systolic": 142.0,
                "diastolic": 86.0,
                "n": 12,
                "days": 3,
                "limit_systolic": 135.0,
                "limit_diastolic": 85.0,
            },
            evidence=(),
            sentences={},
        )
        with transaction(self.pool) as connection:
            row = connection.execute(
                "INSERT INTO finding (patient_id, rule, pack, pack_version, severity, at, episode,"
                " body) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (patient_id, rule,"
                " episode) DO UPDATE SET body = excluded.body RETURNING id",
                (
                    self.patient,
                    finding.rule,
                    finding.pack,
                    finding.pack_version,
                    finding.severity,
                    at,
                    EPISODE,
                    Jsonb(finding.body()),
                ),
            ).fetchone()
            assert row is not None
            connection.execute(
                "INSERT INTO alert (patient_id, rule, episode, finding_id, state, severity,"
                " opened_at) VALUES (%s, %s, %s, %s, %s, 2, %s) ON CONFLICT (patient_id, rule,"
                " episode) DO UPDATE SET state = excluded.state",
                (self.patient, finding.rule, EPISODE, row[0], state, at),
            )

    def review(self, now: datetime = NOW) -> bool:
        with transaction(self.pool) as connection:
            return review(connection, patient_id=self.patient, now=now)

    def proposals(self) -> list[records.ProposalShown]:
        with transaction(self.pool) as connection:
            return list(records.proposals_of(connection, self.patient))

    def changes(self) -> list[records.ChangeShown]:
        with transaction(self.pool) as connection:
            return list(records.changes_of(connection, self.patient))

    def accept(self, proposal_id: int, *, by: int | None = None, now: datetime = NOW) -> int:
        with transaction(self.pool) as connection:
            return records.accept(
                connection, proposal_id=proposal_id, account_id=by or self.doctor, now=now
            )

    def refuse(self, proposal_id: int) -> None:
        with transaction(self.pool) as connection:
            records.refuse(connection, proposal_id=proposal_id, account_id=self.doctor, now=NOW)

    def undo(self, change_id: int, *, by: int | None = None, now: datetime = NOW) -> None:
        with transaction(self.pool) as connection:
            records.undo(connection, change_id=change_id, account_id=by or self.doctor, now=now)

    def plan(self) -> Plan:
        with transaction(self.pool) as connection:
            plan = records.plan_of(connection, self.patient)
            assert plan is not None
            return plan

    def reminders(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM reminder ORDER BY due_at, id")

    def due(self) -> list[datetime]:
        return [each["due_at"] for each in self.reminders()]

    def tell(self, now: datetime) -> int:
        with transaction(self.pool) as connection:
            return tell(connection, patient_id=self.patient, now=now)

    def messages(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM outbox ORDER BY id")

    def rows(self, query: str) -> list[dict[str, Any]]:
        with transaction(self.pool) as connection:
            return connection.cursor(row_factory=dict_row).execute(query).fetchall()

    def proposed_block(self) -> int:
        self.alarm(state="open", at=NOW - timedelta(hours=1))
        assert self.review()
        (proposal,) = self.proposals()
        return proposal.id

    def running_block(self, *, now: datetime, systolic: float, diastolic: float = 79) -> int:
        """The block was accepted on the 22nd; measured twice, morning and evening, until `now`."""
        change = self.accept(self.proposed_block())
        for day in range(23, 31):
            for hour in (7, 20):
                for minute in (0, 1):
                    at = shanghai(day, hour, minute)
                    if at < now:
                        self.measure(at, systolic, diastolic)
        return change


@pytest.fixture
def house(database: str) -> Iterator[House]:
    with open_pool(database, process="test", max_size=4) as pool:
        yield House(pool, database)


# -- reminders


def test_a_new_plan_reminds_from_now_on(house: House) -> None:
    house.begin(now=shanghai(23, 8))
    # a Monday, 08:00: the morning has passed; evening, and Wednesday
    assert house.due() == [shanghai(23, 20), shanghai(25, 7), shanghai(25, 20)]


def test_writing_ahead_twice_changes_nothing(house: House) -> None:
    house.begin()
    before = house.reminders()
    for _ in range(2):
        with transaction(house.pool) as connection:
            write_ahead(connection, patient_id=house.patient, now=NOW)
    assert house.reminders() == before


def test_the_days_go_on_and_reminders_with_them(house: House) -> None:
    house.begin()
    with transaction(house.pool) as connection:
        assert plans.plans_to_remind(connection, until=NOW + timedelta(days=2), limit=9) == []
        midnight = shanghai(23, 0, 1)
        short = plans.plans_to_remind(connection, until=midnight + timedelta(days=2), limit=9)
        assert short == [house.patient]
        write_ahead(connection, patient_id=house.patient, now=midnight)
    assert house.due()[-1] == shanghai(25, 20)


def test_a_patient_with_a_plan_cannot_begin_another(house: House) -> None:
    house.begin()
    with pytest.raises(AskPerson, match="already"):
        house.begin("both")


def test_an_unknown_template_is_refused(house: House) -> None:
    with pytest.raises(MendData, match="hypertension"):
        house.begin("gout")


@pytest.mark.parametrize(("minutes_late", "told"), [(-1, 0), (0, 1), (119, 1), (120, 0), (600, 0)])
def test_a_reminder_is_told_when_due_and_not_two_hours_later(
    house: House, minutes_late: int, told: int
) -> None:
    house.begin()
    assert house.tell(shanghai(23, 7) + timedelta(minutes=minutes_late)) == told
    assert len(house.messages()) == told


def test_a_reminder_is_told_once_to_the_patient_alone(house: House) -> None:
    house.begin()
    house.tell(shanghai(23, 7))
    house.tell(shanghai(23, 7, 1))
    (message,) = house.messages()
    assert message["account_id"] == house.own
    assert message["severity"] == 1
    assert message["expires_at"] == shanghai(23, 9)
    assert message["body"]["title"] == {"zh": "该量血压了", "en": "Now: blood pressure"}
    assert "测2遍" in message["body"]["text"]["zh"]


def test_two_sessions_at_one_moment_are_one_message(house: House) -> None:
    house.begin("both")
    with transaction(house.pool) as connection:
        # Monday's fasting glucose at 07:00, with the pressure
        connection.execute(
            "UPDATE reminder SET due_at = %s WHERE due_at = %s",
            (shanghai(23, 7), shanghai(23, 6, 30)),
        )
    assert house.tell(shanghai(23, 7)) == 2
    (message,) = house.messages()
    assert message["body"]["title"]["zh"] == "该测空腹血糖、量血压了"


def test_who_has_measured_is_not_reminded(house: House) -> None:
    house.begin()
    house.measure(shanghai(23, 6, 40))
    assert house.tell(shanghai(23, 7)) == 0
    assert house.reminders()[0]["done_at"] == shanghai(23, 6, 40)
    assert house.messages() == []


def test_glucose_does_not_answer_a_reminder_for_pressure(house: House) -> None:
    house.begin()
    house.prick(shanghai(23, 6, 50))
    assert house.tell(shanghai(23, 7)) == 1


def test_a_reading_that_arrives_a_day_late_still_marks_its_reminder_done(house: House) -> None:
    house.begin()
    house.tell(shanghai(23, 7))
    house.measure(shanghai(23, 7, 30))
    with transaction(house.pool) as connection:
        assert settle(connection, patient_id=house.patient, now=shanghai(24, 12)) == 1
        assert settle(connection, patient_id=house.patient, now=shanghai(24, 12)) == 0
    assert house.reminders()[0]["done_at"] == shanghai(23, 7, 30)


def test_a_patient_without_an_account_is_told_nothing_and_stays_untold(house: House) -> None:
    house.begin()
    with transaction(house.pool) as connection:
        people.end_relation(connection, account_id=house.own, patient_id=house.patient, at=NOW)
        now = shanghai(23, 7)
        since = now - timedelta(hours=2)
        assert plans.patients_to_tell(connection, now=now, since=since) == []
    assert house.tell(shanghai(23, 7)) == 0
    assert house.reminders()[0]["told_at"] is None


def test_today_shows_each_session_with_what_was_measured(house: House) -> None:
    house.begin(now=shanghai(22, 9))
    house.measure(shanghai(23, 7, 5))
    with transaction(house.pool) as connection:
        now = shanghai(23, 9, 30)
        morning, evening = records.tasks_of_day(connection, patient_id=house.patient, now=now)
    assert (morning.state(now), len(morning.taken_at)) == (State.PART, 1)
    assert evening.state(now) is State.LATER
    assert morning.due.local.strftime("%H:%M") == "07:00"


def test_a_patient_without_a_plan_has_nothing_to_do(house: House) -> None:
    with transaction(house.pool) as connection:
        assert records.tasks_of_day(connection, patient_id=house.patient, now=NOW) == ()
        assert records.plan_of(connection, house.patient) is None


def test_adherence_counts_what_was_planned_and_done(house: House) -> None:
    house.begin(starts_on=date(2026, 11, 1))
    for day in (16, 18):  # Monday and Wednesday: both sessions, two readings each
        for hour in (7, 20):
            house.measure(shanghai(day, hour))
            house.measure(shanghai(day, hour, 1))
    house.measure(shanghai(20, 7))  # Friday: one of two readings, and no evening
    with transaction(house.pool) as connection:
        found = records.adherence_of(
            connection,
            patient_id=house.patient,
            first=date(2026, 11, 15),
            last=date(2026, 11, 21),
            now=NOW,
        )
    assert found is not None
    assert (found.planned, found.done) == (6, 4)
    assert found.percent == pytest.approx(75)  # (4 + 1/2) of 6
    assert found.by_time == (("07:00", 3, 2), ("20:00", 3, 2))


# -- proposals


def test_a_high_mean_proposes_a_block_once(house: House) -> None:
    house.begin()
    assert not house.review()
    house.alarm(state="open", at=NOW)
    assert house.review()
    assert not house.review()
    (proposal,) = house.proposals()
    assert (proposal.kind, proposal.state) == (ProposalKind.BP_BLOCK, "proposed")
    assert "142.0/86.0" in proposal.reason.zh
    assert house.changes() == []
    with transaction(house.pool) as connection:
        assert [each.id for each in records.proposals_waiting(connection, house.doctor)] == [
            proposal.id
        ]
        assert records.proposals_waiting(connection, house.daughter) == ()


def test_accepting_changes_the_reminders_from_tomorrow_on(house: House) -> None:
    house.begin()
    proposal = house.proposed_block()
    # the ordinary plan: Monday only
    assert house.due() == [shanghai(23, 7), shanghai(23, 20)]
    house.accept(proposal)
    assert house.due() == [
        shanghai(23, 7),
        shanghai(23, 20),
        shanghai(24, 7),
        shanghai(24, 20),
    ]
    block = house.plan().tasks[-1]
    assert (block.starts_on, block.ends_on) == (date(2026, 11, 23), date(2026, 12, 6))
    assert house.proposals()[0].state == "accepted"
    assert house.proposals()[0].decided_by == house.doctor


def test_the_patient_hears_what_is_measured_from_now_on_without_any_value(house: House) -> None:
    house.begin()
    house.accept(house.proposed_block())
    (message,) = house.messages()
    assert message["account_id"] == house.own
    assert "每天 07:00、20:00" in message["body"]["text"]["zh"]
    assert "142" not in str(message["body"])


def test_news_about_the_plan_wait_for_the_morning(house: House) -> None:
    house.begin()
    house.accept(house.proposed_block(), now=shanghai(22, 23, 30))
    assert house.messages()[0]["due_at"] == shanghai(23, 7)


def test_a_change_is_explained_and_says_that_it_may_be_undone(house: House) -> None:
    house.begin()
    house.accept(house.proposed_block())
    (change,) = house.changes()
    assert change.may_undo
    assert "142.0/86.0" in change.explained.zh
    assert "从11月23日起" in change.explained.zh


def test_undo_puts_plan_and_reminders_back(house: House) -> None:
    house.begin()
    proposal = house.proposed_block()
    before, due = house.plan(), house.due()
    change = house.accept(proposal)
    assert house.plan() != before
    house.undo(change)
    assert house.plan() == before
    assert house.due() == due
    (shown,) = house.changes()
    assert (shown.undone_at, shown.undone_by, shown.may_undo) == (NOW, house.doctor, False)
    assert not house.review(), "the same episode is not proposed again"


def test_the_patient_may_undo_and_the_daughter_may_not(house: House) -> None:
    house.begin()
    change = house.accept(house.proposed_block())
    with pytest.raises(AskPerson):
        house.undo(change, by=house.daughter)
    house.undo(change, by=house.own)
    with pytest.raises(AskPerson, match="newest"):
        house.undo(change)


@pytest.mark.parametrize("who", ["own", "daughter"])
def test_only_the_doctor_accepts(house: House, who: str) -> None:
    house.begin()
    proposal = house.proposed_block()
    with pytest.raises(AskPerson, match="doctor"):
        house.accept(proposal, by=getattr(house, who))
    assert house.proposals()[0].state == "proposed"


def test_a_proposal_is_decided_once(house: House) -> None:
    house.begin()
    proposal = house.proposed_block()
    house.accept(proposal)
    with pytest.raises(AskPerson, match="accepted already"):
        house.accept(proposal)
    with pytest.raises(AskPerson, match="accepted already"):
        house.refuse(proposal)
    assert len(house.changes()) == 1


def test_two_doctors_at_once_make_one_change(house: House) -> None:
    house.begin()
    proposal = house.proposed_block()
    refused: list[AskPerson] = []

    def decide() -> None:
        try:
            house.accept(proposal)
        except AskPerson as error:
            refused.append(error)

    doctors = [threading.Thread(target=decide) for _ in range(3)]
    for each in doctors:
        each.start()
    for each in doctors:
        each.join(30)
    assert len(refused) == 2
    assert len(house.changes()) == 1


def test_what_was_refused_does_not_come_back_for_this_episode(house: House) -> None:
    house.begin()
    house.refuse(house.proposed_block())
    for day in range(1, 4):
        assert not house.review(NOW + timedelta(days=day))
    assert [each.state for each in house.proposals()] == ["refused"]
    assert house.changes() == []


def test_a_proposal_that_nobody_decided_goes_with_its_alert(house: House) -> None:
    house.begin()
    house.proposed_block()
    house.alarm(state="closed", at=NOW, ended_at=NOW)
    assert house.review()
    assert house.proposals()[0].state == "withdrawn"


# -- recovery


def test_recovery_brings_the_ordinary_reminders_back(house: House) -> None:
    house.begin()
    now = shanghai(30, 9)  # Monday: seven whole days, and a morning
    house.running_block(now=now, systolic=127.5)
    house.alarm(state="closed", at=NOW, ended_at=now)
    assert house.review(now)
    relaxation = house.proposals()[0]
    assert (relaxation.kind, relaxation.state) == (ProposalKind.BP_RELAX, "accepted")
    assert relaxation.decided_by is None
    assert relaxation.numbers["systolic"] == 127.5
    assert relaxation.numbers["n"] == 28
    # tonight still by the block; Tuesday free; Wednesday as ever
    assert [each for each in house.due() if each > now] == [
        shanghai(30, 20),
        shanghai(2, 7, month=12),
        shanghai(2, 20, month=12),
    ]
    assert not house.review(now)
    assert not house.review(now + timedelta(days=1))


def test_where_the_doctor_wants_to_be_asked_the_relaxation_waits(house: House) -> None:
    house.begin(bounds=Bounds(may_relax_alone=False))
    now = shanghai(30, 9)
    house.running_block(now=now, systolic=127.5)
    house.alarm(state="closed", at=NOW, ended_at=now)
    house.review(now)
    relaxation = house.proposals()[0]
    assert relaxation.state == "proposed"
    assert len(house.changes()) == 1
    house.accept(relaxation.id, now=now)
    assert house.plan().tasks[-1].ends_on == date(2026, 11, 30)


def test_a_relaxation_can_be_undone_and_the_block_goes_on(house: House) -> None:
    house.begin()
    now = shanghai(30, 9)
    block = house.running_block(now=now, systolic=127.5)
    running = house.plan()
    house.alarm(state="closed", at=NOW, ended_at=now)
    house.review(now)
    newest = house.changes()[0]
    with pytest.raises(AskPerson, match="newest"):
        house.undo(block, now=now)
    house.undo(newest.id, now=now)
    assert house.plan() == running
    assert not house.review(now)


@pytest.mark.parametrize(
    ("systolic", "day", "closed"),
    [
        pytest.param(135.0, 30, True, id="the mean is on the limit"),
        pytest.param(127.5, 29, True, id="six whole days only"),
        pytest.param(127.5, 30, False, id="the alert lives"),
    ],
)
def test_nothing_relaxes_before_its_time(
    house: House, systolic: float, day: int, closed: bool
) -> None:
    house.begin()
    now = shanghai(day, 9)
    house.running_block(now=now, systolic=systolic)
    house.alarm(state="closed" if closed else "open", at=NOW, ended_at=now if closed else None)
    assert not house.review(now)


def test_readings_that_the_cuff_doubts_do_not_speak_for_a_recovery(house: House) -> None:
    house.begin()
    now = shanghai(30, 9)
    house.accept(house.proposed_block())
    for day in range(23, 30):
        house.measure(shanghai(day, 7), 120, 70, FLAG_BIT[Flag.CUFF_LOOSE])
        house.measure(shanghai(day, 20), 120, 70, FLAG_BIT[Flag.CUFF_LOOSE])
    house.alarm(state="closed", at=NOW, ended_at=now)
    assert not house.review(now)


def test_a_block_without_recovery_ends_by_itself(house: House) -> None:
    house.begin()
    house.accept(house.proposed_block())
    with transaction(house.pool) as connection:
        # Sunday 6 December is its last day; Monday and Wednesday are the ordinary ones
        write_ahead(connection, patient_id=house.patient, now=shanghai(6, 12, month=12))
    assert [each for each in house.due() if each > shanghai(6, 12, month=12)] == [
        shanghai(6, 20, month=12),
        shanghai(7, 7, month=12),
        shanghai(7, 20, month=12),
    ]


# -- the process


def _eventually(listener: Listener, channel: str) -> None:
    """Returns when the channel spoke; fails after twenty quiet seconds."""
    for _ in range(20):
        if channel in {name for name, _ in listener.wait(1)}:
            return
    pytest.fail(f"nothing was heard on {channel}")


def test_the_process_proposes_when_an_alert_opens_and_tells_what_is_due(house: House) -> None:
    today = datetime.now(UTC)
    house.begin(now=today - timedelta(days=1))
    with transaction(house.pool) as connection:
        # a reminder that fell due a minute ago
        connection.execute("DELETE FROM reminder")
        connection.execute(
            "INSERT INTO reminder (patient_id, task_id, due_at) SELECT %s, max(id), %s"
            " FROM plan_task",
            (house.patient, today - timedelta(minutes=1)),
        )
    stop = threading.Event()
    process = threading.Thread(
        target=run, args=(PlansSettings(database_url=house.url, tick_s=3600), stop)
    )
    with Listener(house.url, ["kangban_outbox", "kangban_patient"]) as listener:
        listener.wait(0)
        process.start()
        try:
            _eventually(listener, "kangban_outbox")
            house.alarm(state="open", at=today)
            with transaction(house.pool) as connection:
                connection.execute("SELECT pg_notify('kangban_alert', %s)", (str(house.patient),))
            _eventually(listener, "kangban_patient")
        finally:
            stop.set()
            process.join(20)
    assert not process.is_alive()
    assert [each.kind for each in house.proposals()] == [ProposalKind.BP_BLOCK]
    assert house.messages()[0]["key"].startswith("reminder/")
    assert house.rows("SELECT process FROM heartbeat") == [{"process": "plans"}]


def test_one_patient_with_a_broken_row_keeps_no_reminder_from_another(house: House) -> None:
    house.begin()
    with transaction(house.pool) as connection:
        broken = people.create_patient(connection, name="邻居")
        plan = records.create_plan(connection, patient_id=broken, template="hypertension", now=NOW)
        connection.execute("UPDATE plan_task SET schedule = '{}' WHERE plan_id = %s", (plan.id,))
        connection.execute("UPDATE plan SET reminders_until = NULL")
        connection.execute("DELETE FROM reminder")
    _tick(house.pool, NOW)
    assert {each["patient_id"] for each in house.reminders()} == {house.patient}
