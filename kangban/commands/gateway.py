"""`kangban gateway …`: the box in the home, and the tools to look into it."""

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from kangban.commands import gateway_care, process

if TYPE_CHECKING:
    from kangban.home.conversation import Conversation

app = typer.Typer(
    help="The box in the home: reads the devices over Bluetooth and sends what it read.",
    no_args_is_help=True,
)
gateway_care.add_to(app)


@app.command()
def run() -> None:
    """Read devices and send their readings, until stopped."""
    gateway_care.remember()
    process.run("gateway_agent")


Device = Annotated[
    str, typer.Argument(help="The device's address as `scan` shows it, ble:F0:…; ble: may go.")
]
Seconds = Annotated[float, typer.Option(min=1, max=60, help="How long to look for devices.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a script, a line each.")]


@app.command()
def scan(
    seconds: Seconds = 15.0,
    everything: Annotated[
        bool, typer.Option("--all", help="Show what cannot be read too, the neighbours' phones.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show which devices are on the air and can be added, with how to wake each."""
    _talk(lambda talk: talk.scan(seconds=seconds, everything=everything), as_json=as_json)


@app.command()
def pair(
    device: Annotated[
        str | None, typer.Argument(help="Its address; left out, you choose from what is found.")
    ] = None,
    seconds: Seconds = 15.0,
    as_json: AsJson = False,
) -> None:
    """Add a device: find it, pair with it, and read it for the first time.

    Hold its Bluetooth button until it blinks, or let it show its six digits, and follow the words.
    """
    chosen = None if device is None else _named(device)
    _talk(lambda talk: talk.pair(chosen, seconds=seconds), as_json=as_json)


@app.command()
def devices(as_json: AsJson = False) -> None:
    """List the devices that were added: last seen, battery, clock, and what is wrong."""
    _talk(lambda talk: talk.devices(), as_json=as_json, radio=False)


@app.command()
def forget(device: Device, as_json: AsJson = False) -> None:
    """Remove a device; what was read from it stays."""
    _talk(lambda talk: talk.forget(_named(device)), as_json=as_json)


@app.command()
def consent(
    device: Device,
    user: Annotated[int, typer.Argument(min=0, max=254, help="The user's number in the device.")],
    code: Annotated[
        int, typer.Argument(min=0, max=9999, help="That user's code, as the device shows it.")
    ],
    as_json: AsJson = False,
) -> None:
    """Let a scale of several people hand over one person's readings; the code stays in the box."""
    chosen = _named(device)
    _talk(lambda talk: talk.consent(chosen, user=user, code=code), as_json=as_json, radio=False)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say how the gateway is: does it run, what waits to be sent, what is wrong (then exit 1)."""
    _talk(lambda talk: talk.status(), as_json=as_json, radio=False)


@app.command()
def decode(
    characteristic: Annotated[str, typer.Argument(help="Bluetooth number, for instance 2A35.")],
    data: Annotated[str, typer.Argument(help="The bytes in hexadecimal, as received.")],
) -> None:
    """Say in words what a device sent; for support when a device behaves oddly."""
    from gateway_agent.drivers import decode as decode_bytes
    from vitals.errors import MendData

    try:
        payload = bytes.fromhex(data.replace(":", " "))
    except ValueError:
        raise MendData(f"{data!r} is not hexadecimal; write the bytes like 1E7800.") from None
    print(json.dumps(decode_bytes(characteristic.upper(), payload), ensure_ascii=False, indent=2))


def _named(device: str) -> str:
    address = device.strip().upper().removeprefix("BLE:")
    return f"ble:{address}"


def _talk(
    what: "Callable[[Conversation], Awaitable[bool]]", *, as_json: bool, radio: bool = True
) -> None:
    """Has a conversation with the gateway; ends with 1 where it did not reach its aim."""
    from kangban.home.conversation import Conversation
    from kangban.home.line import reached
    from kangban.home.words import Words, language

    async def talk() -> bool:
        async with reached(radio=radio) as gateway:
            words = Words(language(os.environ))
            return await what(
                Conversation(line=gateway.line, runs=gateway.runs, words=words, as_json=as_json)
            )

    gateway_care.remember()
    # a gateway in this process would talk in between; what went wrong is in its answer
    logging.getLogger().setLevel(logging.CRITICAL)
    if not asyncio.run(talk()):
        raise typer.Exit(1)
