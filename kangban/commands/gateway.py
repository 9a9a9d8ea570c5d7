"""`kangban gateway …`: the box in the home, and the tools to look into it."""

import json
from typing import Annotated

import typer

from kangban.commands import gateway_care, process

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
