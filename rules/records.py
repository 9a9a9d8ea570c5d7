"""Judging one patient in one transaction, and a person taking an alert on.

History is read, judged by pure code, and findings, alerts and what people are to be told are
written together: either all of it is committed or none. May hold: the thin layer over `store`. May
not: SQL, judgement of its own, a clock.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from psycopg import Connection

from rules.alert import Alert, Event, State, Step, acknowledged, adopt, advance
from rules.due import next_look
from rules.escalation import Person, messages
from rules.evaluate import COUNT_DAYS, FINDING_DAYS, HISTORY_DAYS, WEIGHT_DAYS, evaluate
from rules.finding import Finding
from rules.history import (
    DayCount,
    DeviceSeen,
    GatewaySeen,
    History,
    Line,
    Patient,
    Point,
    local_day,
)
from rules.pack import Pack, Rule
from rules.scope import of_locale
from store import findings as kept
from store import measurements, outbox, people
from store.findings import AlertState, FindingRow
from store.pool import heartbeats
from vitals.errors import MendData
from vitals.kinds import Kind

CONSUMER = "rules"

# what rules look at value by value
_KINDS = (
    Kind.GLUCOSE,
    Kind.KETONE,
    Kind.SYSTOLIC,
    Kind.DIASTOLIC,
    Kind.PULSE,
    Kind.SPO2,
    Kind.WEIGHT,
    Kind.BODY_TEMPERATURE,
)
# what a device of each kind (`gateway_agent/drivers`) delivers
_DELIVERS: dict[str, tuple[Kind, ...]] = {
    "glucose_meter": (Kind.GLUCOSE, Kind.KETONE),
    "blood_pressure_cuff": (Kind.SYSTOLIC, Kind.DIASTOLIC, Kind.PULSE),
    "wristband": (Kind.HEART_RATE,),
    "cgm": (Kind.GLUCOSE,),
    "smart_watch": (Kind.HEART_RATE, Kind.STEPS),
    "ring": (Kind.HEART_RATE, Kind.STEPS, Kind.SLEEP_DURATION),
    "pulse_oximeter": (Kind.SPO2,),
    "weight_scale": (Kind.WEIGHT,),
    "body_composition_scale": (Kind.WEIGHT, Kind.BODY_FAT),
    "thermometer": (Kind.BODY_TEMPERATURE,),
}
# where each relation reads more
_LINK = {"self": "/patient", "family": "/family", "doctor": "/doctor/patients/{id}"}


def judge(
    connection: Connection[Any], *, patient_id: int, packs: Sequence[Pack], now: datetime
) -> tuple[Step, ...]:
    """The moves of a patient's alerts, written with their findings and messages.

    Raises MendData where there is no such patient.
    """
    history = history_of(connection, patient_id, now)
    packs = of_locale(packs, history.patient)
    alerts = kept.alerts_to_follow(connection, patient_id)
    living = {each.rule: _alert(each) for each in alerts if each.state != State.CLOSED}
    last = {each.rule: _alert(each) for each in alerts if each.state == State.CLOSED}
    found = adopt(evaluate(history, packs, now), living.values())
    changed = kept.keep_findings(
        connection,
        patient_id=patient_id,
        findings=[_row(each) for each in found],
        since=now - timedelta(days=FINDING_DAYS),
        now=now,
    )
    steps = [
        step
        for rule in _rules_of(packs, living, found)
        for step in advance(
            rule,
            living=living.get(rule.id),
            last=last.get(rule.id),
            findings=[each for each in found if each.rule == rule.id],
            now=now,
        )
    ]
    fresh_h = {rule.id: rule.fresh_h for pack in packs for rule in pack.rules}
    moved = _write(connection, history.patient, steps, fresh_h, now)
    if changed or moved:
        kept.notify_alerted(connection, patient_id)
    still = [each.alert for each in steps if each.alert.is_living]
    due_at = next_look(history, packs, findings=found, living=still, now=now)
    kept.judged(connection, patient_id=patient_id, now=now, due_at=due_at)
    return tuple(steps)


def acknowledge(
    connection: Connection[Any],
    *,
    patient_id: int,
    alert_id: int,
    account_id: int,
    now: datetime,
) -> bool:
    """Whether this patient has such an alert; taken on by this account if it was open.

    One that somebody took on before, or that has closed, stays as it is.
    """
    row = kept.alert_to_move(connection, alert_id=alert_id, patient_id=patient_id)
    if row is None:
        return False
    if row.state == State.OPEN:
        alert = acknowledged(_alert(row), by=account_id, now=now)
        kept.move_alert(connection, patient_id=patient_id, alert=_state(alert), has_finding=False)
        kept.notify_alerted(connection, patient_id)
    return True


def history_of(
    connection: Connection[Any],
    patient_id: int,
    now: datetime,
    kinds: Collection[Kind] = _KINDS,
) -> History:
    """What was known at `now`. Raises MendData where there is no such patient."""
    patient = patient_of(connection, patient_id)
    today = local_day(now, patient.timezone)
    stored = measurements.series(
        connection,
        patient_id=patient_id,
        since=now - timedelta(days=HISTORY_DAYS),
        # a reading of this very moment belongs to it
        until=now + timedelta(microseconds=1),
        kinds=kinds,
    )
    days = measurements.days(
        connection, patient_id=patient_id, first=today - timedelta(days=COUNT_DAYS), last=today
    )
    # a loss of weight takes half a year: asked for only where there is a scale
    if Kind.WEIGHT in kinds and any(each.kind is Kind.WEIGHT for each in days):
        earlier = measurements.series(
            connection,
            patient_id=patient_id,
            since=now - timedelta(days=WEIGHT_DAYS),
            until=now - timedelta(days=HISTORY_DAYS),
            kinds=(Kind.WEIGHT,),
        )
        stored = [*earlier, *stored]
    return History(
        patient=patient,
        points=tuple(map(point_of, stored)),
        days=_day_counts(days),
        line=line_of(connection, patient_id),
    )


def patient_of(connection: Connection[Any], patient_id: int) -> Patient:
    """Who is judged. Raises MendData where there is no such patient."""
    found = people.patient(connection, patient_id)
    if found is None:
        raise MendData(f"There is no patient {patient_id}.")
    return Patient(
        id=found.id,
        name=found.name,
        sex=found.sex,
        born_on=found.born_on,
        conditions=tuple(found.conditions),
        timezone=found.timezone,
        locale=found.locale,
        targets=found.targets,
    )


def point_of(stored: measurements.Stored) -> Point:
    """A stored measurement as rules see it."""
    return Point(
        at=stored.taken_at,
        kind=stored.kind,
        value=stored.value,
        unit=stored.unit,
        meal=stored.meal,
        flags=stored.flags,
        clock=stored.clock,
        device=stored.device,
        sequence=stored.sequence,
    )


def line_of(connection: Connection[Any], patient_id: int) -> Line:
    """The hops between this patient and us, as they were last heard of."""
    return Line(
        gateways=tuple(
            GatewaySeen(
                name=each.name,
                last_seen_at=each.last_seen_at,
                spooled=each.spooled or 0,
                troubles=tuple(each.health.get("troubles") or ()),
            )
            for each in people.gateways_of_patient(connection, patient_id)
        ),
        devices=tuple(
            DeviceSeen(
                name=each.name,
                kinds=_DELIVERS.get(each.kind, ()),
                last_seen_at=each.last_seen_at,
                battery_percent=each.battery_percent,
                failure=each.failure,
            )
            for each in people.devices_of_patient(connection, patient_id)
        ),
        server_seen_at=heartbeats(connection).get("ingest"),
    )


def _day_counts(days: Iterable[measurements.Day]) -> tuple[DayCount, ...]:
    # a kind measured in two units on one day has two rows: the later one says when it was last
    found: dict[tuple[Kind, Any], DayCount] = {}
    for each in days:
        before = found.get((each.kind, each.local_day))
        found[each.kind, each.local_day] = DayCount(
            kind=each.kind,
            day=each.local_day,
            n=each.n + (before.n if before else 0),
            last_at=max(each.last_at, before.last_at) if before else each.last_at,
            received_at=max(each.received_at, before.received_at or each.received_at)
            if before
            else each.received_at,
            mean=None if before else each.mean,
            most=None if before else each.max,
        )
    return tuple(found.values())


def _rules_of(
    packs: Sequence[Pack], living: dict[str, Alert], found: Sequence[Finding]
) -> list[Rule]:
    concerned = living.keys() | {each.rule for each in found}
    return [rule for pack in packs for rule in pack.rules if rule.id in concerned]


def _write(
    connection: Connection[Any],
    patient: Patient,
    steps: Sequence[Step],
    fresh_h: Mapping[str, float],
    now: datetime,
) -> bool:
    """Whether any alert changed."""
    opened: dict[str, int | None] = {}
    told = []
    for step in steps:
        if step.event is Event.RAISED:
            id_ = opened[step.alert.rule] = _open(connection, patient.id, step.alert)
            changed = id_ is not None
        else:
            # an alert that was opened in this very pass has no number of its own yet
            alert = replace(step.alert, id=step.alert.id or opened[step.alert.rule])
            changed = alert.id is not None and kept.move_alert(
                connection,
                patient_id=patient.id,
                alert=_state(alert),
                has_finding=step.finding is not None,
            )
        if changed:
            told.append(step)
    _tell(connection, patient, told, fresh_h, now)
    return bool(told)


def _open(connection: Connection[Any], patient_id: int, alert: Alert) -> int | None:
    return kept.open_alert(
        connection,
        patient_id=patient_id,
        rule=alert.rule,
        episode=alert.episode,
        state=alert.state.value,
        severity=alert.severity,
        opened_at=alert.opened_at,
        closed_at=alert.closed_at,
        closed_because=alert.closed_because,
    )


def _tell(
    connection: Connection[Any],
    patient: Patient,
    steps: Sequence[Step],
    fresh_h: Mapping[str, float],
    now: datetime,
) -> None:
    if all(step.event is Event.REPEATED for step in steps):
        return
    related = [
        Person(account_id=each.id, relation=each.relation)
        for each in people.accounts_of_patient(connection, patient.id)
    ]
    relation = {each.account_id: each.relation for each in related}
    told = (
        messages(step, patient=patient, people=related, fresh_h=fresh_h[step.alert.rule], now=now)
        for step in steps
    )
    for each in chain.from_iterable(told):
        link = _LINK[relation[each.account_id]].format(id=patient.id)
        outbox.put(
            connection,
            key=each.key,
            account_id=each.account_id,
            patient_id=each.patient_id,
            severity=each.severity,
            body=each.body(link),
            due_at=each.due_at,
        )


def _row(finding: Finding) -> FindingRow:
    return FindingRow(
        rule=finding.rule,
        pack=finding.pack,
        pack_version=finding.pack_version,
        severity=finding.severity,
        at=finding.at,
        episode=finding.episode,
        body=finding.body(),
    )


def _alert(row: AlertState) -> Alert:
    return Alert(
        id=row.id,
        rule=row.rule,
        episode=row.episode,
        state=State(row.state),
        severity=row.severity,
        opened_at=row.opened_at,
        evidence_at=row.evidence_at,
        beyond=row.beyond,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        closed_at=row.closed_at,
        closed_because=row.closed_because,
    )


def _state(alert: Alert) -> AlertState:
    assert alert.id is not None
    return AlertState(
        id=alert.id,
        rule=alert.rule,
        episode=alert.episode,
        state=alert.state.value,
        severity=alert.severity,
        opened_at=alert.opened_at,
        acknowledged_at=alert.acknowledged_at,
        acknowledged_by=alert.acknowledged_by,
        closed_at=alert.closed_at,
        closed_because=alert.closed_because,
        evidence_at=alert.evidence_at,
        beyond=alert.beyond,
    )
