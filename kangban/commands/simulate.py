"""`kangban simulate …`: virtual devices on the air and a gateway that reads them."""

import os
from typing import Annotated

import typer

from kangban.commands import process

app = typer.Typer(
    help="Virtual devices with a gateway that reads them; to try things without hardware.",
    no_args_is_help=True,
)

Every = Annotated[float, typer.Option(help="Seconds between two measurements.")]
Fault = Annotated[str, typer.Option(help="What goes wrong: none, drop, repeat, truncate or clock.")]


@app.command()
def household(
    every: Every = 60.0,
    fault: Fault = "none",
    unpaired: Annotated[
        bool,
        typer.Option(
            "--unpaired", help="Nobody has added them yet: try kangban gateway scan and pair."
        ),
    ] = False,
) -> None:
    """A cuff, a glucose meter and a wristband, measuring until stopped."""
    if unpaired:
        os.environ["KANGBAN_SIMULATE_UNPAIRED"] = "yes"
        # tests in the meter's memory, so that there is a history to read
        os.environ.setdefault("KANGBAN_SIMULATE_STORED", "30")
    _run("cuff,glucose_meter,wristband", every, fault)


@app.command()
def meter(
    every: Every = 60.0,
    fault: Fault = "none",
    stored: Annotated[int, typer.Option(help="Tests in its memory at the start.")] = 0,
) -> None:
    """A glucose meter, measuring until stopped."""
    os.environ["KANGBAN_SIMULATE_STORED"] = str(stored)
    _run("glucose_meter", every, fault)


@app.command()
def cuff(every: Every = 60.0, fault: Fault = "none") -> None:
    """A blood-pressure cuff, measuring until stopped."""
    _run("cuff", every, fault)


@app.command()
def band(every: Every = 60.0, fault: Fault = "none") -> None:
    """A wristband, measuring until stopped."""
    _run("wristband", every, fault)


@app.command()
def oximeter(every: Every = 60.0, fault: Fault = "none") -> None:
    """A pulse oximeter, measuring until stopped."""
    _run("oximeter", every, fault)


@app.command()
def scale(every: Every = 60.0, fault: Fault = "none") -> None:
    """A scale that tells body fat, measuring until stopped."""
    _run("body_scale", every, fault)


@app.command()
def thermometer(every: Every = 60.0, fault: Fault = "none") -> None:
    """A thermometer, measuring until stopped."""
    _run("thermometer", every, fault)


def _run(devices: str, every: float, fault: str) -> None:
    os.environ["KANGBAN_SIMULATE_DEVICES"] = devices
    os.environ["KANGBAN_SIMULATE_EVERY_S"] = str(every)
    os.environ["KANGBAN_SIMULATE_FAULT"] = fault
    os.environ.setdefault("KANGBAN_ADAPTER", "sim")
    process.run("simulator")
