"""What is deployed and what is fetched: the production broker keeps homes apart; make services."""

import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
import yaml
from paho.mqtt.enums import CallbackAPIVersion

from ingest.config import IngestSettings
from ingest.lease import BLOCKS
from ingest.lines import Lines
from vitals.settings import read
from vitals.wire import topic

ROOT = Path(__file__).parents[2]
_PATIENCE_S = 20
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def certificates(secrets: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "deploy/certificates.sh", *words],
        env=os.environ | {"KANGBAN_SECRETS": str(secrets)},
        capture_output=True,
        text=True,
        check=False,
    )


class Production:
    """mosquitto with deploy/mosquitto's own files, run here instead of in a container."""

    def __init__(self, folder: Path, services_root: Path) -> None:
        self.folder, self._root = folder, services_root
        self.secrets = folder / "secrets"
        self.secrets.mkdir()
        for words in (["authority"], ["broker", "care.example.org"], ["ingest"]):
            made = certificates(self.secrets, *words)
            assert made.returncode == 0, made.stderr
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.inner_port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def local(self, text: str) -> str:
        """What the container calls /run/secrets/…, /mosquitto/… and 888x, as it is here."""
        for name, secret in COMPOSE["secrets"].items():
            file = self.secrets / Path(secret["file"]).name
            text = text.replace(f"/run/secrets/{name}", str(file))
        text = text.replace("/mosquitto/config/", f"{ROOT}/deploy/mosquitto/")
        text = text.replace("/mosquitto/data/", f"{self.folder}/")
        return text.replace("8883", str(self.port)).replace("8884", str(self.inner_port))

    def start(self) -> None:
        settings = self.local((ROOT / "deploy/mosquitto/mosquitto.conf").read_text())
        file = self.folder / "mosquitto.conf"
        file.write_text(settings + ("user root\n" if os.getuid() == 0 else ""))
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [self._root / "usr/sbin/mosquitto", "-c", file], stdout=log, stderr=log
        )
        deadline = time.monotonic() + _PATIENCE_S
        while (health := self.health()).returncode != 0:
            words = health.stderr + (self.folder / "log").read_text()
            assert self._process.poll() is None, words
            assert time.monotonic() < deadline, words

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_PATIENCE_S)

    def health(self) -> subprocess.CompletedProcess[str]:
        """The very command that the container is checked with."""
        command = COMPOSE["services"]["broker"]["healthcheck"]["test"][1:]
        program = self._root / "usr/bin" / command[0]
        words = [self.local(word) for word in command[1:]]
        return subprocess.run([program, *words], capture_output=True, text=True, check=False)

    def gateway(self, name: str) -> "Gateway":
        if not (self.secrets / f"gateway-{name}.crt").exists():
            assert certificates(self.secrets, "gateway", name).returncode == 0
        return Gateway(self, self.secrets / f"gateway-{name}")

    def ingest(self) -> Lines:
        """The product's own client, with the settings that the compose file gives it."""
        environment = COMPOSE["services"]["ingest"]["environment"]
        settings = {name: self.local(text) for name, text in environment.items()}
        settings["KANGBAN_MQTT_URL"] = f"mqtts://127.0.0.1:{self.inner_port}"
        settings["KANGBAN_DATABASE_URL"] = settings.pop("KANGBAN_DATABASE_URL_FILE")
        return Lines(read(IngestSettings, settings))


class Gateway:
    """A home's client; `with` it is connected, or was refused."""

    def __init__(self, broker: Production, identity: Path | None, *, name: str = "") -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.accepted = False
        self._port = broker.port
        self._done = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name)
        context = ssl.create_default_context(cafile=str(broker.secrets / "authority.crt"))
        if identity is not None:
            context.load_cert_chain(f"{identity}.crt", f"{identity}.key")
        self._client.tls_set_context(context)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = lambda *_: self._done.set()
        self._client.on_message = lambda _c, _d, each: self.heard.append((each.topic, each.payload))

    def __enter__(self) -> "Gateway":
        try:
            self._client.connect("127.0.0.1", self._port)
        except OSError:
            return self
        self._client.loop_start()
        assert self._done.wait(_PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, _client, _data, _flags, reason, _properties) -> None:
        self.accepted = not reason.is_failure
        self._done.set()

    def say(self, topic: str, payload: bytes) -> None:
        """Returns when the broker has taken it, be it to forget it."""
        self._client.publish(topic, payload, 1).wait_for_publish(_PATIENCE_S)

    def listen(self, topic: str) -> None:
        done = threading.Event()
        self._client.on_subscribe = lambda *_: done.set()
        self._client.subscribe(topic, 1)
        assert done.wait(_PATIENCE_S)


@pytest.fixture
def production(tmp_path, services_root) -> Iterator[Production]:
    broker = Production(tmp_path, services_root)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


@pytest.fixture
def ingest(production) -> Iterator[Lines]:
    lines = production.ingest()
    for each in BLOCKS:
        lines.open(each, may_connect=lambda: True)
    yield lines
    lines.stop()


def first_messages(ingest: Lines, wanted: int) -> list[tuple[str, bytes]]:
    """Topic and payload of the first arrivals; the broker keeps their order."""
    deadline = time.monotonic() + _PATIENCE_S
    found: list[tuple[str, bytes]] = []
    while len(found) < wanted and time.monotonic() < deadline:
        found += [(a.message.topic, a.message.payload) for a in ingest.take(wait_s=0.5)]
    return found


def until_listening(ingest: Lines, home: Gateway) -> None:
    """Returns when what `home` says reaches ingest, whose subscription comes after its start."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        home.say("kangban/v1/07/home-1/health", b"here")
        if ingest.take(wait_s=0.2):
            while ingest.take(wait_s=0.2):
                """Earlier greetings."""
            return
    pytest.fail("ingest does not hear the home")


def test_a_home_speaks_in_its_own_tree_and_ingest_hears_it(production, ingest):
    with production.gateway("home-1") as home, production.gateway("home-2") as other:
        assert home.accepted
        assert other.accepted
        until_listening(ingest, home)
        other.say("kangban/v1/07/home-1/up", b"forged")
        other.say("kangban/v1/07/home-1/health", b"forged")
        other.say("kangban/v1/07/home-2/up", b"72")
        home.say("kangban/v1/07/home-1/up", b"80")
        assert first_messages(ingest, 2) == [
            ("kangban/v1/07/home-2/up", b"72"),
            ("kangban/v1/07/home-1/up", b"80"),
        ]


def test_a_receipt_reaches_its_own_home_only(production, ingest):
    with production.gateway("home-1") as home, production.gateway("home-2") as other:
        other.listen("kangban/v1/#")
        home.listen(topic("home-1", "receipt"))
        until_listening(ingest, home)
        home.say("kangban/v1/07/home-1/receipt", b"forged: a home does not write receipts")
        ingest.send("home-1", "receipt", b"committed")
        ingest.send("home-2", "receipt", b"committed too")
        deadline = time.monotonic() + _PATIENCE_S
        while not (home.heard and other.heard) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert home.heard == [(topic("home-1", "receipt"), b"committed")]
        assert other.heard == [(topic("home-2", "receipt"), b"committed too")]


def test_nobody_enters_without_a_certificate_of_this_authority(production, tmp_path):
    with Gateway(production, None) as stranger:
        assert not stranger.accepted
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for words in (["authority"], ["gateway", "home-1"]):
        assert certificates(elsewhere, *words).returncode == 0
    with Gateway(production, elsewhere / "gateway-home-1") as stranger:
        assert not stranger.accepted


def test_a_home_cannot_push_ingest_out_by_taking_its_client_id(production, ingest):
    with production.gateway("home-1") as home:
        until_listening(ingest, home)
    rude = Gateway(production, production.secrets / "gateway-home-1", name="kangban.ingest.00-07")
    with rude:
        rude.say("kangban/v1/07/home-1/up", b"72")
        assert first_messages(ingest, 1) == [("kangban/v1/07/home-1/up", b"72")]
        assert ingest.is_connected()


def test_workers_with_one_certificate_hold_blocks_side_by_side_and_take_them_over(
    production, ingest
):
    other = production.ingest()
    try:
        until_so(ingest.is_whole)
        # eight sessions of one certificate: none throws another out
        with production.gateway("home-1") as home:
            home.say("kangban/v1/07/home-1/up", b"72")
            home.say("kangban/v1/63/home-1/up", b"80")
            taken = first_messages(ingest, 2)
            assert {payload for _, payload in taken} == {b"72", b"80"}
            # nothing was acknowledged: whoever takes the block over is given it again
            other.open(BLOCKS[0], may_connect=lambda: True)
            assert first_messages(other, 1) == [("kangban/v1/07/home-1/up", b"72")]
    finally:
        ingest.stop()
        other.stop()


def until_so(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_revoked_home_is_shut_out_and_the_others_stay(production):
    lost, kept = production.gateway("lost"), production.gateway("kept")
    with lost, kept:
        assert lost.accepted
        assert kept.accepted
    for end in ("crt", "key"):
        shutil.copy(production.secrets / f"gateway-lost.{end}", production.folder / f"lost.{end}")
    assert certificates(production.secrets, "revoke", "lost").returncode == 0
    production.stop()
    production.start()
    with Gateway(production, production.folder / "lost") as again:
        assert not again.accepted
    with production.gateway("kept") as again:
        assert again.accepted


@pytest.mark.parametrize("name", ["kangban.ingest", "a/b", "+", "Home", "", "a" * 64])
def test_no_home_can_have_a_name_that_means_more(tmp_path, name):
    assert certificates(tmp_path, "authority").returncode == 0
    refused = certificates(tmp_path, "gateway", name)
    assert refused.returncode != 0
    assert "A gateway's name" in refused.stderr
    assert not list(tmp_path.glob("gateway-*"))


def test_what_exists_is_not_made_again(tmp_path):
    for words in (["authority"], ["gateway", "home-1"]):
        assert certificates(tmp_path, *words).returncode == 0
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    for words in (["authority"], ["gateway", "home-1"]):
        assert certificates(tmp_path, *words).returncode != 0
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    assert (tmp_path / "gateway-home-1.key").stat().st_mode & 0o077 == 0


def test_one_command_makes_every_secret_that_compose_mounts_and_repeating_it_changes_none(tmp_path):
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets"))
    (tmp_path / "deploy/secrets").mkdir()
    prepare = [tmp_path / "deploy/prepare.sh", "care.example.org"]
    subprocess.run(prepare, check=True, capture_output=True)
    made = {file: file.read_bytes() for file in (tmp_path / "deploy/secrets").glob("*.*")}
    for secret in COMPOSE["secrets"].values():
        assert (tmp_path / secret["file"]).stat().st_size > 0
    password = (tmp_path / "deploy/secrets/database_password").read_text()
    url = (tmp_path / "deploy/secrets/database_url").read_text()
    assert url == f"postgresql://kangban:{password}@database:5432/kangban"
    subprocess.run(prepare, check=True, capture_output=True)
    assert {file: file.read_bytes() for file in made} == made
    for key in ("authority.key", "broker.key", "ingest.key", "database_url", "database_password"):
        assert (tmp_path / "deploy/secrets" / key).stat().st_mode & 0o077 == 0


def test_make_services_is_quick_when_they_are_there(services_root):
    if (ROOT / ".services").is_symlink():
        # it was made for another place, so the script would unpack it anew under everybody's feet
        pytest.skip("the services are another checkout's")
    begun = time.monotonic()
    again = subprocess.run([ROOT / "scripts/services.sh"], capture_output=True, check=False)
    assert (again.returncode, again.stdout) == (0, b"")
    assert time.monotonic() - begun < 2


def test_make_services_says_what_to_install_where_there_is_no_apt(tmp_path):
    tools = "bash env dirname mkdir cat rm grep head tr ls cksum flock"
    for tool in tools.split():
        (tmp_path / tool).symlink_to(shutil.which(tool) or "")
    told = subprocess.run(
        [ROOT / "scripts/services.sh", tmp_path / "services"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 1
    assert "has no apt" in told.stderr
    assert "TimescaleDB 2.19" in told.stderr
    assert "mosquitto 2.0" in told.stderr
