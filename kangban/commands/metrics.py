"""`kangban metrics …`: the numbers of any CSV file."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from vitals.errors import MendData
from vitals.units import Unit

app = typer.Typer(help="Numbers of any CSV file: glucose or blood pressure.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="A CSV file with a line of headers.")]
TimeColumn = Annotated[str, typer.Option(help="Header of the column with the times.")]
Group = Annotated[str | None, typer.Option(help="Header of the column that names the person.")]
Zone = Annotated[str, typer.Option(help="Time zone of times without an offset.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def glucose(
    file: File,
    time_column: TimeColumn = "time",
    value_column: Annotated[str, typer.Option(help="Header of the glucose column.")] = "glucose",
    group_column: Group = None,
    unit: Annotated[str, typer.Option(help="mg/dL or mmol/L")] = "mg/dL",
    timezone: Zone = "Asia/Shanghai",
    as_json: AsJson = False,
) -> None:
    """Mean, spread, time in range and risk of continuous glucose, for each person."""
    from rules.metrics_file import glucose_metrics_of_file

    if unit not in (Unit.MG_PER_DL, Unit.MMOL_PER_L):
        raise MendData(f"--unit {unit!r}: glucose is in mg/dL or mmol/L.")
    _print(
        glucose_metrics_of_file(
            file,
            time_column=time_column,
            value_column=value_column,
            group_column=group_column,
            unit=Unit(unit),
            timezone=timezone,
        ),
        as_json=as_json,
    )


@app.command()
def bp(
    file: File,
    time_column: TimeColumn = "time",
    systolic_column: Annotated[str, typer.Option(help="Header of the systolic column.")] = "sbp",
    diastolic_column: Annotated[str, typer.Option(help="Header of the diastolic column.")] = "dbp",
    pulse_column: Annotated[str | None, typer.Option(help="Header of the pulse column.")] = None,
    group_column: Group = None,
    timezone: Zone = "Asia/Shanghai",
    as_json: AsJson = False,
) -> None:
    """Mean, spread, morning and evening of home blood pressure (mmHg), for each person."""
    from rules.metrics_file import bp_metrics_of_file

    _print(
        bp_metrics_of_file(
            file,
            time_column=time_column,
            systolic_column=systolic_column,
            diastolic_column=diastolic_column,
            pulse_column=pulse_column,
            group_column=group_column,
            timezone=timezone,
        ),
        as_json=as_json,
    )


def _print(metrics: dict[str, dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(metrics, ensure_ascii=False))
        return
    for group, numbers in metrics.items():
        print(group)
        for name, value in _flat(numbers):
            shown = f"{value:.3f}" if isinstance(value, float) else value
            print(f"  {name:<20} {shown}")


def _flat(numbers: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in numbers.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", value))
    return rows
