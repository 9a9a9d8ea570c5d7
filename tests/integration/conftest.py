"""Fixtures of the tests that need a radio."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rigs import OnBlueZ, Rig, bumble, on_bluez


@pytest.fixture(params=["bumble", "bluez"])
async def rig(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Rig]:
    """An adapter on an air of its own: bleak over bumble, and again bleak's BlueZ backend."""
    if request.param == "bumble":
        async with bumble() as made:
            yield made
    else:
        async with on_bluez(tmp_path, monkeypatch) as found:
            yield found


@pytest.fixture
async def bluez(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OnBlueZ]:
    """bleak's BlueZ backend, a stand-in for bluetoothd and a D-Bus of its own."""
    async with on_bluez(tmp_path, monkeypatch) as found:
        yield found
