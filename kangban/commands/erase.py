"""`kangban people erase`: everything of one person goes, and the rest is proved whole."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from kangban.commands.process import database_url
from vitals.errors import AskPerson

if TYPE_CHECKING:
    from store.erasure import Erased


def erase(
    patient: Annotated[int, typer.Argument(help="Number of the patient.")],
    asked_by: Annotated[
        str, typer.Option("--asked-by", help="Who asked for it; kept. No word of their health.")
    ] = "",
    because: Annotated[
        str,
        typer.Option("--because", help="By what word or letter; kept. No word of their health."),
    ] = "",
    signed_reports: Annotated[
        bool,
        typer.Option("--signed-reports", help="Their signed reports too (see docs/keeping.md)."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
) -> None:
    """Erase a person: shows what would go, asks for the name, erases and proves the rest whole.

    Without --asked-by and --because it only shows. Backups that were made before still hold the
    person: docs/keeping.md says what to do about them.
    """
    from store import erasure

    url = database_url()
    now = datetime.now(UTC)
    seen = erasure.preview(url, patient, now=now)
    _show(seen, head=f"Of {seen.name} (patient {patient}) would go:")
    if not (asked_by and because):
        print("Nothing was erased. To erase, say --asked-by and --because.")
        return
    if not yes and typer.prompt("Type the name to erase all of it for good") != seen.name:
        raise AskPerson("That is not the name: nothing was erased.")
    wish = erasure.Wish(
        patient_id=patient, asked_by=asked_by, because=because, with_reports=signed_reports
    )
    done = erasure.erase(url, wish, now=datetime.now(UTC))
    _show(done, head=f"Erased of patient {patient}:")
    rest = sum(each.rest.rows for each in done.tables.values())
    print(f"All {rest} rows that are left are as they were; the digests are kept with the erasure.")
    print("Backups made before still hold this person: see docs/keeping.md.")


def _show(erased: "Erased", *, head: str) -> None:
    print(head)
    for table, each in erased.tables.items():
        if each.removed or each.changed:
            print(f"  {table:20} {each.removed:8} rows removed, {each.changed} changed")
    for name, slot in erased.alone:
        which = {None: "", -1: " without a user number"}.get(slot, f" as user {slot}")
        print(f"  what {name} brings{which} from before stays out from now on")
    if erased.reports:
        print(f"  {erased.reports} signed reports are among them")
    if erased.by_hand:
        print(
            f"{erased.by_hand} refused readings or messages of this home may be anybody's and "
            "stay: look at them with `kangban ingest rejected`."
        )
