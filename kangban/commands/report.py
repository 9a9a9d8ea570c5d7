"""`kangban report …`: the weekly report of one patient, into a file or onto the screen."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from kangban.commands.process import database_url
from vitals.errors import MendData


def report(
    patient: Annotated[int, typer.Argument(help="Number of the patient.")],
    week: Annotated[
        str | None, typer.Option(help="ISO week, 2026-W47; the last whole week when left out.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="html, pdf or json")] = "html",
    locale: Annotated[str, typer.Option(help="zh-CN or en")] = "zh-CN",
    output: Annotated[Path | None, typer.Option(help="File; the screen when left out.")] = None,
) -> None:
    """Write the weekly report of one patient: as signed, or as the readings stand now."""
    from api.week import report_of, week_asked
    from rules.report.build import page_html, to_json
    from rules.report.pdf import page_pdf
    from store.pool import connect

    if form not in ("html", "pdf", "json"):
        raise MendData(f"--format {form!r}: a report is html, pdf or json.")
    if form == "pdf" and output is None:
        raise MendData("A PDF goes into a file: add --output FILE.pdf.")
    now = datetime.now(UTC)
    last = (now - timedelta(days=7)).isocalendar()
    name = week or f"{last.year}-W{last.week:02d}"
    with connect(database_url()) as connection:
        asked = week_asked(connection, patient_id=patient, name=name, now=now)
        found, _ = report_of(connection, asked, now=now)
    match form:
        case "json":
            content = to_json(found)
        case "pdf":
            content = page_pdf(found, locale)
        case _:
            content = page_html(found, locale).encode()
    if output is None:
        print(content.decode())
    else:
        output.write_bytes(content)
        print(f"{output} is written.")
