"""`kangban metrics …`: the numbers of any CSV file."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from vitals.errors import MendData
from vitals.units import Unit

app = typer.Typer(help="Numbers of any CSV file: glucose or blood pressure.", no_args_is_help=True)

File = Annotated[
    Path,
    typer.Argument(
        help="A CSV file. Exports of LibreView, Dexcom Clarity, Nightscout and OMRON connect are "
        "known by their headers."
    ),
]
TimeColumn = Annotated[str | None, typer.Option(help="Header of the column with the times.")]
Group = Annotated[str | None, typer.Option(help="Header of the column that names the person.")]
Zone = Annotated[str, typer.Option(help="Time zone of times without an offset.")]
DateOrder = Annotated[
    str | None, typer.Option(help="DMY or MDY, where a file does not tell which comes first.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def glucose(
    file: File,
    time_column: TimeColumn = None,
    value_column: Annotated[str | None, typer.Option(help="Header of the glucose column.")] = None,
    group_column: Group = None,
    unit: Annotated[
        str | None, typer.Option(help="mg/dL (if nothing else is said) or mmol/L.")
    ] = None,
    timezone: Zone = "Asia/Shanghai",
    source: Annotated[
        str, typer.Option(help="cgm, smbg (finger-sticks), or auto: by the time between readings.")
    ] = "auto",
    low_as: Annotated[
        float | None, typer.Option(help="Number in place of LO; without, LO enters no mean.")
    ] = None,
    high_as: Annotated[
        float | None, typer.Option(help="Number in place of HI; without, HI enters no mean.")
    ] = None,
    date_order: DateOrder = None,
    as_json: AsJson = False,
) -> None:
    """Mean, spread, time in range, episodes and risk of glucose, for each person."""
    from rules.metrics_file import Source, glucose_metrics_of_file

    _print(
        glucose_metrics_of_file(
            file,
            time_column=time_column,
            value_column=value_column,
            group_column=group_column,
            unit=_unit(unit, Unit.MG_PER_DL, Unit.MMOL_PER_L),
            timezone=timezone,
            source=Source(_one_of("--source", source, list(Source))),
            low_as=low_as,
            high_as=high_as,
            date_order=_order(date_order),
        ),
        as_json=as_json,
    )


@app.command()
def bp(
    file: File,
    time_column: TimeColumn = None,
    value_column: Annotated[
        list[str] | None,
        typer.Option(help="Headers of systolic, diastolic and pulse: say it up to three times."),
    ] = None,
    systolic_column: Annotated[
        str | None, typer.Option(help="Header of the systolic column.")
    ] = None,
    diastolic_column: Annotated[
        str | None, typer.Option(help="Header of the diastolic column.")
    ] = None,
    pulse_column: Annotated[str | None, typer.Option(help="Header of the pulse column.")] = None,
    group_column: Group = None,
    unit: Annotated[str | None, typer.Option(help="mmHg (if nothing else is said) or kPa.")] = None,
    timezone: Zone = "Asia/Shanghai",
    protocol: Annotated[
        str, typer.Option(help="Home protocol of the last block: CN2025, CN2019, NICE or TW722.")
    ] = "CN2025",
    date_order: DateOrder = None,
    as_json: AsJson = False,
) -> None:
    """Mean, spread, control and time in target of home blood pressure (mmHg), for each person."""
    from rules.metrics_file import bp_metrics_of_file

    named = [*(value_column or []), None, None, None]
    _print(
        bp_metrics_of_file(
            file,
            time_column=time_column,
            systolic_column=systolic_column or named[0],
            diastolic_column=diastolic_column or named[1],
            pulse_column=pulse_column or named[2],
            group_column=group_column,
            unit=_unit(unit, Unit.MMHG, Unit.KPA),
            timezone=timezone,
            protocol=protocol,
            date_order=_order(date_order),
        ),
        as_json=as_json,
    )


def _unit(text: str | None, *accepted: Unit) -> Unit | None:
    if text is None:
        return None
    # people write mmHg; UCUM writes mm[Hg]
    named = {each.value.replace("[", "").replace("]", "").lower(): each for each in accepted}
    if text.lower() not in named:
        words = " or ".join(each.value.replace("[", "").replace("]", "") for each in accepted)
        raise MendData(f"--unit {text!r}: the values are in {words}.")
    return named[text.lower()]


def _order(text: str | None) -> Any:
    from rules.exports.moment import Order

    return None if text is None else Order(_one_of("--date-order", text.upper(), list(Order)))


def _one_of(option: str, text: str, accepted: list[Any]) -> str:
    if text not in accepted:
        raise MendData(f"{option} {text!r}: choose one of {', '.join(accepted)}.")
    return text


def _print(metrics: dict[str, dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(metrics, ensure_ascii=False))
        return
    for group, numbers in metrics.items():
        print(group)
        rows = _flat(numbers)
        width = max(len(name) for name, _ in rows)
        for name, value in rows:
            print(f"  {name:<{width}} {_text(value)}")


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _flat(numbers: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in numbers.items():
        if name == "not_used":
            rows += [(f"{prefix}not used", _not_used(each)) for each in value]
        elif name == "episodes":
            for each in value:
                rows += _flat(_named(each), f"{prefix}episodes.{each['type']}.{each['level']}.")
        elif isinstance(value, dict):
            rows += _flat(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", value))
    return rows


def _named(tally: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in tally.items() if key not in ("type", "level")}


def _not_used(found: dict[str, Any]) -> str:
    lines = ", ".join(map(str, found["lines"]))
    more = ", …" if found["rows"] > len(found["lines"]) > 0 else ""
    return f"{found['rows']} row(s): {found['why']}{f' (lines {lines}{more})' if lines else ''}"
