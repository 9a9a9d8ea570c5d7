"""`kangban people …`: who is served, by which gateway, and who may see whom."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kangban.commands.erase import erase
from kangban.commands.process import database_url
from vitals.errors import MendData

if TYPE_CHECKING:
    from psycopg import Connection

app = typer.Typer(
    help="Say who is served: patients, their families and doctors, gateways and devices.",
    no_args_is_help=True,
)

app.command()(erase)

# the severity from which somebody is told: a patient's own reminders are S1
_TELLS_FROM = {"patient": 0, "family": 2, "doctor": 3}


@app.command()
def household(name: str) -> None:
    """Add a household, the people and devices around one gateway; prints its number."""
    from store import people

    with _database() as connection:
        print(people.create_household(connection, name))


@app.command()
def patient(
    name: str,
    household: Annotated[int | None, typer.Option(help="Number of the household.")] = None,
    born: Annotated[str | None, typer.Option(help="Birthday, 1954-03-18.")] = None,
    sex: Annotated[str | None, typer.Option(help="female or male")] = None,
    condition: Annotated[
        list[str] | None, typer.Option(help="A diagnosis, as the doctor words it; may repeat.")
    ] = None,
    timezone: Annotated[str, typer.Option(help="Where the patient lives.")] = "Asia/Shanghai",
    plan: Annotated[
        str | None,
        typer.Option(help="hypertension, type2_diabetes, type2_diabetes_premix or both."),
    ] = None,
) -> None:
    """Add a patient; prints the number."""
    from care_plans.records import create_plan
    from store import people

    with _database() as connection:
        number = people.create_patient(
            connection,
            name=name,
            household_id=household,
            sex=sex,
            born_on=_day(born) if born else None,
            conditions=condition or (),
            timezone=timezone,
        )
        if plan:
            create_plan(connection, patient_id=number, template=plan, now=datetime.now(UTC))
        print(number)


@app.command()
def zone(
    patient: Annotated[int, typer.Argument(help="Number of the patient.")],
    timezone: Annotated[str, typer.Argument(help="Where the patient lives: Asia/Urumqi.")],
) -> None:
    """Move a patient to another time zone; all days are counted anew, none is lost."""
    from store.zone import set_zone

    with _database() as connection:
        counted = set_zone(connection, patient_id=patient, timezone=timezone)
    print(f"Days counted anew: {len(counted)}.")


@app.command()
def account(
    name: str,
    role: Annotated[str, typer.Option(help="patient, family or doctor")],
    sees: Annotated[list[int], typer.Option(help="Number of a patient they may see; may repeat.")],
    locale: Annotated[str, typer.Option(help="zh-CN or en")] = "zh-CN",
    tell: Annotated[
        list[str] | None,
        typer.Option(help="Where to send messages: an Apprise address; may repeat."),
    ] = None,
) -> None:
    """Add somebody who may open pages; prints the number and a link that works once."""
    from store import people

    relation = {"patient": "self"}.get(role, role)
    with _database() as connection:
        number = people.create_account(connection, name=name, role=role, locale=locale)
        for patient_id in sees:
            people.relate(connection, account_id=number, patient_id=patient_id, relation=relation)
        for url in tell or ():
            people.add_contact(
                connection, account_id=number, url=url, min_severity=_TELLS_FROM[role]
            )
        print(number, _link(connection, number))


@app.command()
def link(account: Annotated[int, typer.Argument(help="Number of the account.")]) -> None:
    """Print a new link for somebody; it opens their pages once, within three days."""
    with _database() as connection:
        print(_link(connection, account))


@app.command()
def gateway(
    name: str,
    household: Annotated[int | None, typer.Option(help="Number of the household.")] = None,
) -> None:
    """Welcome a gateway: messages of a gateway that nobody registered are refused."""
    from store import people

    with _database() as connection:
        print(people.register_gateway(connection, name=name, household_id=household))


@app.command("revoke-gateway")
def revoke_gateway(name: str) -> None:
    """Shut a gateway out: nothing of it is taken in any more, and its certificate ends.

    Writes the broker's list of those shut out where KANGBAN_AUTHORITY_REVOKED_PATH says.
    """
    from api.authority import read_authority, shut_out
    from store import enrolment

    now = datetime.now(UTC)
    paths = [
        os.environ.get(f"KANGBAN_AUTHORITY_{each}_PATH")
        for each in ("CERTIFICATE", "KEY", "REVOKED")
    ]
    authority = read_authority(*(Path(each) if each else None for each in paths))
    with _database() as connection:
        if not enrolment.revoke_gateway(connection, name, now=now):
            raise MendData(f"There is no gateway {name}, or it was shut out before.")
        revoked = enrolment.revoked(connection, now=now)
    print(f"{name} is shut out: the server takes nothing of it in any more.")
    if authority is not None and shut_out(authority, revoked, now=now):
        print(
            f"{paths[2]} is written: restart the broker, or send it SIGHUP, to close its door too."
        )
    else:
        print("The broker still lets it in: see docs/gateway.md for its list of those shut out.")


@app.command()
def bind(
    device: Annotated[str, typer.Argument(help="ble: and its address, as the gateway prints it.")],
    patient: Annotated[int, typer.Argument(help="Number of the patient.")],
    slot: Annotated[int, typer.Option(help="User number on a shared cuff; -1 is anybody.")] = -1,
) -> None:
    """Say whose readings a device gives, from now on."""
    from store import people

    with _database() as connection:
        print(people.bind_device(connection, device, patient_id=patient, slot=slot))


@contextmanager
def _database() -> "Iterator[Connection[Any]]":
    from psycopg.errors import ForeignKeyViolation

    from store.pool import connect

    try:
        with connect(database_url()) as connection:
            yield connection
    except MendData as error:
        if isinstance(error.__cause__, ForeignKeyViolation):
            raise MendData(
                "There is no household, patient or account with that number; "
                "each number is printed when it is added."
            ) from error
        raise


def _link(connection: "Connection[Any]", account_id: int) -> str:
    from api.doors import make_link

    base_url = os.environ.get("KANGBAN_PUBLIC_URL") or "http://127.0.0.1:8765"
    return make_link(connection, base_url=base_url, account_id=account_id, now=datetime.now(UTC))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise MendData(f"{text!r} is no day: write it like 1954-03-18.") from None
