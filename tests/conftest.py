"""What the tests share: real databases, a real broker, and the reference data where it is there.

Each server is started once; each test gets a database of its own, copied from a migrated template.
Servers that are not installed skip the test and say so, except in CI, where they must be there.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Literal, NoReturn

import pytest

from kangban.embedded.broker import Broker
from kangban.embedded.postgres import Postgres
from store.migrate import migrate

Engine = Literal["embedded", "timescale"]

REPOSITORY = Path(__file__).parents[1]
_SERVICES = REPOSITORY / ".services" / "root"
_TIMESCALE = _SERVICES / "usr/lib/postgresql/17/bin"
_MOSQUITTO = _SERVICES / "usr/sbin/mosquitto"
_TEMPLATE = "migrated"
# these databases last for one test: what a power cut would do to them matters to nobody
_CARELESS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    # its scheduler would sit in the template, and one that is in use cannot be copied
    "timescaledb.max_background_workers": "0",
}
_numbers = count(1)


def _missing(what: str, remedy: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing: {remedy}", pytrace=False)
    pytest.skip(f"{what} is missing: {remedy}")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of public data and vectors that lies beside the checkout on some machines."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the public data and vectors are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def services_root() -> Path:
    """Where `make services` unpacked TimescaleDB and mosquitto: a folder with usr/ in it."""
    if not (_TIMESCALE / "postgres").exists() or not _MOSQUITTO.exists():
        _missing("TimescaleDB or mosquitto", "run make services")
    return _SERVICES


class _Servers:
    """The PostgreSQL of each engine, started when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[Engine, Postgres] = {}

    def of(self, engine: Engine) -> Postgres:
        if engine not in self._running:
            server = Postgres(self._folder / engine, binaries_of(engine), settings=_CARELESS)
            server.start()
            self._running[engine] = server
            migrate(server.create_database(_TEMPLATE))
        return self._running[engine]

    def stop(self) -> None:
        for server in self._running.values():
            server.stop()


def binaries_of(engine: Engine) -> Path | None:
    """The folder of the engine's programs, None for those that came with the installation."""
    if engine == "embedded":
        return None
    if not (_TIMESCALE / "postgres").exists():
        _missing("TimescaleDB", "run make services")
    return _TIMESCALE


@pytest.fixture(scope="session")
def _servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Servers]:
    servers = _Servers(tmp_path_factory.mktemp("postgres"))
    yield servers
    servers.stop()


def _fresh(server: Postgres, *, template: str | None) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    yield server.create_database(name, template=template)
    server.drop_database(name)


@pytest.fixture(params=["embedded", "timescale"])
def database(request: pytest.FixtureRequest, _servers: _Servers) -> Iterator[str]:
    """The URL of a fresh, migrated database, on plain PostgreSQL and again on TimescaleDB."""
    yield from _fresh(_servers.of(request.param), template=_TEMPLATE)


@pytest.fixture(params=["embedded", "timescale"])
def blank_database(request: pytest.FixtureRequest, _servers: _Servers) -> Iterator[str]:
    """The URL of a database with nothing in it, on both engines."""
    yield from _fresh(_servers.of(request.param), template=None)


@pytest.fixture
def embedded_url(_servers: _Servers) -> Iterator[str]:
    """The URL of a fresh, migrated database on plain PostgreSQL."""
    yield from _fresh(_servers.of("embedded"), template=_TEMPLATE)


@pytest.fixture
def timescale_url(_servers: _Servers) -> Iterator[str]:
    """The URL of a fresh, migrated database on TimescaleDB."""
    yield from _fresh(_servers.of("timescale"), template=_TEMPLATE)


class _Clusters:
    """A cluster of each engine that was made once, to be copied."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, engine: Engine) -> Path:
        made = self._folder / engine
        if not made.exists():
            with Postgres(made, binaries_of(engine)):
                """That it starts and stops is all we want."""
        return made / "cluster"


@pytest.fixture(scope="session")
def _clusters(tmp_path_factory: pytest.TempPathFactory) -> _Clusters:
    return _Clusters(tmp_path_factory.mktemp("clusters"))


@pytest.fixture
def private_postgres(
    tmp_path: Path, _clusters: _Clusters
) -> Iterator[Callable[[Engine], Postgres]]:
    """Starts a PostgreSQL for this test alone, which may kill, stop and start it.

    `private_postgres("timescale")` runs with everyday durability; `.pid` is the postmaster,
    `.wait()` returns once it answers again, `.create_database(name)` gives a URL to migrate.
    """
    made: list[Postgres] = []

    def start(engine: Engine) -> Postgres:
        server = Postgres(tmp_path / f"postgres-{len(made)}", binaries_of(engine))
        made.append(server)
        shutil.copytree(_clusters.of(engine), server.cluster)
        server.start()
        return server

    yield start
    for server in made:
        server.stop()


@pytest.fixture
def private_broker(tmp_path: Path) -> Iterator[Callable[[], Broker]]:
    """Starts a mosquitto for this test alone, which may kill, stop and start it on its port."""
    if not _MOSQUITTO.exists():
        _missing("mosquitto", "run make services")
    made: list[Broker] = []

    def start() -> Broker:
        broker = Broker(tmp_path / f"broker-{len(made)}", program=_MOSQUITTO, anonymous=True)
        made.append(broker)
        broker.start()
        return broker

    yield start
    for broker in made:
        broker.stop()


@pytest.fixture
def broker(private_broker: Callable[[], Broker]) -> str:
    """The URL of a real mosquitto that holds nothing from other tests: mqtt://127.0.0.1:port."""
    return private_broker().url
