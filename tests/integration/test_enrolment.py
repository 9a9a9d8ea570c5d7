"""A box joins a home by a code, is let in by the broker that ships, renews itself, is shut out."""

import asyncio
import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fastapi.testclient import TestClient

from api.__main__ import run
from api.app import create_app
from api.config import ApiSettings
from api.doors import make_link
from gateway_agent.config import GatewaySettings
from gateway_agent.enrol import Server, enrol, renew
from gateway_agent.enrolled import remembered, runs_out_at
from gateway_agent.examination import gather
from gateway_agent.spool import Spool
from gateway_agent.upkeep import renew_in_time
from gateway_agent.uplink import Uplink
from store import people
from store.intake import gateway_ids
from tests.installation import Installation, Talker
from vitals.enrol import LETTERS, MOST_TRIES
from vitals.errors import AskPerson, MendData, MendSettings
from vitals.settings import read
from vitals.wire import Health, topic


@dataclass(kw_only=True)
class Clinic:
    """The pages of one installation, and a family whose father has a home."""

    address: str
    url: str
    installation: Installation
    father: int
    daughter: int
    browser: httpx.Client = field(init=False)

    @property
    def page(self) -> str:
        return f"/family/patients/{self.father}/gateway"

    def press(self, what: str, **fields: str) -> str:
        """Presses a button of the page; gives the page that follows."""
        shown = self.browser.get(self.page).text
        token = re.search(r'name="form_token" value="(\w+)"', shown)
        assert token is not None
        answer = self.browser.post(f"{self.page}/{what}", data={"form_token": token[1], **fields})
        assert answer.status_code == 200, answer.text
        return answer.text

    def code(self) -> str:
        """A code as the page shows it."""
        found = re.search(
            rf"[{LETTERS}]{{4}}-[{LETTERS}]{{4}}-[{LETTERS}]{{4}}", self.press("code")
        )
        assert found is not None
        return found[0]

    def box(self, folder: Path, code: str | None = None, **more: Any) -> GatewaySettings:
        """The settings of a box that was enrolled, as `kangban gateway run` finds them."""
        enrol(Server(url=self.address), code or self.code(), folder=folder, **more)
        return read(GatewaySettings, remembered({"KANGBAN_GATEWAY_DATA": str(folder)}))

    def talker(self, settings: GatewaySettings) -> Talker:
        assert settings.tls_ca is not None
        return Talker(
            self.installation.port,
            authority=settings.tls_ca,
            certificate=settings.tls_certificate,
            key=settings.tls_key,
        )

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def clinic(embedded_url: str, tmp_path: Path, services_root: Path) -> Iterator[Clinic]:
    installation = Installation(tmp_path / "secrets", services_root / "usr/sbin/mosquitto")
    with psycopg.connect(embedded_url) as connection:
        father = people.create_patient(connection, name="王建国")
        daughter = people.create_account(connection, name="王芳", role="family", locale="en")
        people.relate(connection, account_id=daughter, patient_id=father, relation="family")
        link = make_link(connection, base_url="", account_id=daughter, now=datetime.now(UTC))
    addresses: list[str] = []
    ready, stop = threading.Event(), threading.Event()

    def on_listening(address: str) -> None:
        addresses.append(address)
        ready.set()

    settings = ApiSettings(database_url=embedded_url, port=0, **installation.settings())
    thread = threading.Thread(
        target=run, args=(settings, stop), kwargs={"on_listening": on_listening}
    )
    thread.start()
    assert ready.wait(10)
    made = Clinic(
        address=addresses[0],
        url=embedded_url,
        installation=installation,
        father=father,
        daughter=daughter,
    )
    with httpx.Client(base_url=made.address, timeout=10) as made.browser:
        assert made.browser.post(link).status_code == 303
        yield made
    stop.set()
    thread.join(10)
    installation.stop()


def test_a_box_is_let_in_with_no_setting_typed(clinic: Clinic, tmp_path: Path) -> None:
    settings = clinic.box(tmp_path / "box")
    heard = threading.Event()

    def health() -> Health:
        heard.set()
        now = datetime.now(UTC)
        return Health(v=1, gateway=settings.name, sent_at=now, spooled=0, devices={})

    spool = Spool(tmp_path / "box" / "spool.sqlite")
    uplink = Uplink(settings, spool, health=health)
    uplink.start()
    # the first word about its health is sent when the broker has let it in
    assert heard.wait(10)
    assert uplink.is_alive
    uplink.stop()
    assert not uplink.is_alive
    spool.close()


def test_the_key_stays_on_the_box_and_is_its_owners_alone(clinic: Clinic, tmp_path: Path) -> None:
    settings = clinic.box(tmp_path / "box", name="home-wang")
    assert settings.name == "home-wang"
    assert settings.tls_certificate is not None
    assert stat.S_IMODE(os.stat(settings.tls_certificate).st_mode) == 0o600
    key = settings.tls_certificate.read_text().partition("-----BEGIN PRIVATE KEY")[2][:200]
    assert key
    stored = clinic.ask("SELECT encode(public_key, 'base64') FROM gateway_certificate")
    assert len(stored) == 1
    assert runs_out_at(settings.tls_certificate) is not None


def test_a_box_belongs_to_the_home_of_whoever_was_asked(clinic: Clinic, tmp_path: Path) -> None:
    name = clinic.box(tmp_path / "box").name
    found = clinic.ask(
        "SELECT patient.id, account.name FROM gateway"
        " JOIN patient USING (household_id)"
        " JOIN gateway_certificate ON gateway_id = gateway.id"
        " JOIN account ON account.id = allowed_by WHERE gateway.name = %s",
        name,
    )
    assert found == [(clinic.father, "王芳")]
    assert name in clinic.browser.get(clinic.page).text


def test_a_box_may_use_its_own_tree_only(clinic: Clinic, tmp_path: Path) -> None:
    settings = clinic.box(tmp_path / "box", name="home-wang")
    secrets = clinic.installation.secrets
    with (
        Talker(
            clinic.installation.port,
            authority=secrets / "authority.crt",
            certificate=secrets / "ingest.crt",
            key=secrets / "ingest.key",
        ) as server,
        clinic.talker(settings) as box,
    ):
        assert server.got_in()
        server.listen("kangban/v1/+/+/up")
        assert box.got_in()
        box.listen("kangban/v1/#")
        server.say(topic("home-chen", "receipt"))
        server.say(topic("home-wang", "receipt"))
        assert box.hears(topic("home-wang", "receipt"))
        box.say(topic("home-chen", "up"))
        box.say(topic("home-wang", "up"))
        assert server.hears(topic("home-wang", "up"))
    # each in order of sending: what was said before and did not come was held back
    assert server.heard == [topic("home-wang", "up")]
    assert box.heard == [topic("home-wang", "receipt")]


def test_a_stranger_is_refused(clinic: Clinic, tmp_path: Path) -> None:
    other = Installation(tmp_path / "other", clinic.installation.program)
    other.certificates("gateway", "home-wang")
    other.stop()
    authority = clinic.installation.secrets / "authority.crt"
    port = clinic.installation.port
    stranger = other.secrets / "gateway-home-wang.crt"
    key = other.secrets / "gateway-home-wang.key"
    with Talker(port, authority=authority, certificate=stranger, key=key) as talker:
        assert not talker.got_in(within_s=1.0)
    with Talker(port, authority=authority, certificate=None, key=None) as talker:
        assert not talker.got_in(within_s=1.0)


def test_a_box_that_was_shut_out_is_refused_by_server_and_broker(
    clinic: Clinic, tmp_path: Path
) -> None:
    lost, kept = clinic.box(tmp_path / "lost"), clinic.box(tmp_path / "kept")
    # the operator has shut another one out by the script before
    clinic.installation.certificates("gateway", "by-hand")
    clinic.installation.certificates("revoke", "by-hand")
    assert "shut out" in clinic.press("shut-out", name=lost.name)
    with psycopg.connect(clinic.url) as connection:
        assert list(gateway_ids(connection, [lost.name, kept.name])) == [kept.name]
    clinic.installation.reload()
    with clinic.talker(lost) as talker:
        assert not talker.got_in(within_s=1.0)
    with clinic.talker(kept) as talker:
        assert talker.got_in()
    with pytest.raises(AskPerson, match="does not know this gateway"):
        renewed(clinic, lost)
    listed = x509.load_pem_x509_crl((clinic.installation.secrets / "revoked.crl").read_bytes())
    assert len(list(listed)) == 2
    # and the script's next list does not let it in again
    clinic.installation.certificates("gateway", "another")
    clinic.installation.certificates("revoke", "another")
    listed = x509.load_pem_x509_crl((clinic.installation.secrets / "revoked.crl").read_bytes())
    assert len(list(listed)) == 3


def renewed(clinic: Clinic, settings: GatewaySettings, *, now: datetime | None = None) -> datetime:
    assert settings.tls_certificate is not None
    return renew(
        Server(url=clinic.address),
        name=settings.name,
        identity=settings.tls_certificate,
        now=now or datetime.now(UTC),
    )


def test_a_renewed_box_is_let_in_with_a_key_that_is_new(clinic: Clinic, tmp_path: Path) -> None:
    settings = clinic.box(tmp_path / "box")
    assert settings.tls_certificate is not None
    before = settings.tls_certificate.read_text()
    until = renewed(clinic, settings)
    after = settings.tls_certificate.read_text()
    assert runs_out_at(settings.tls_certificate) == until
    assert before.partition("PRIVATE KEY")[2] != after.partition("PRIVATE KEY")[2]
    with clinic.talker(settings) as talker:
        assert talker.got_in()
    # the answer may be lost on its way: the key before is good for another try
    settings.tls_certificate.write_text(before)
    renewed(clinic, settings)


async def test_a_running_gateway_renews_when_its_time_has_come(
    clinic: Clinic, tmp_path: Path
) -> None:
    settings = clinic.box(tmp_path / "box")
    assert settings.tls_certificate is not None
    until = runs_out_at(settings.tls_certificate)
    assert until is not None
    old = settings.tls_certificate.read_text()
    # it believes that its certificate runs out in 89 days
    settings.tls_certificate.write_text(
        old.replace(until.isoformat(), (datetime.now(UTC) + timedelta(days=89)).isoformat())
    )
    done = asyncio.Event()
    task = asyncio.create_task(
        renew_in_time(settings, now=lambda: datetime.now(UTC), renewed=done.set, wait_s=0)
    )
    await asyncio.wait_for(done.wait(), 20)
    task.cancel()
    assert settings.tls_certificate.read_text() != old
    fresh = runs_out_at(settings.tls_certificate)
    assert fresh is not None
    assert fresh >= until


@pytest.mark.parametrize("off", [timedelta(minutes=11), timedelta(minutes=-11)])
def test_a_renewal_of_another_time_is_refused(
    clinic: Clinic, tmp_path: Path, off: timedelta
) -> None:
    settings = clinic.box(tmp_path / "box")
    with pytest.raises(AskPerson, match="clock"):
        renewed(clinic, settings, now=datetime.now(UTC) + off)


def test_another_boxs_key_renews_nothing(clinic: Clinic, tmp_path: Path) -> None:
    mine, other = clinic.box(tmp_path / "mine"), clinic.box(tmp_path / "other")
    assert mine.tls_certificate is not None
    assert other.tls_certificate is not None
    mine.tls_certificate.write_bytes(other.tls_certificate.read_bytes())
    with pytest.raises(AskPerson):
        renewed(clinic, mine)


# -- codes -----------------------------------------------------------------------------------------


def test_a_code_works_once(clinic: Clinic, tmp_path: Path) -> None:
    code = clinic.code()
    clinic.box(tmp_path / "first", code)
    with pytest.raises(AskPerson, match="used already"):
        clinic.box(tmp_path / "second", code)
    assert not (tmp_path / "second" / "gateway.env").exists()


def test_a_code_may_be_typed_in_any_way(clinic: Clinic, tmp_path: Path) -> None:
    typed = clinic.code().lower().replace("-", " ")
    assert clinic.box(tmp_path / "box", typed).name


def test_a_code_is_over_after_an_hour(clinic: Clinic, tmp_path: Path) -> None:
    code = clinic.code()
    clinic.ask("UPDATE gateway_invitation SET expires_at = now() - interval '1 second'")
    with pytest.raises(AskPerson, match="older than an hour"):
        clinic.box(tmp_path / "box", code)


def test_the_newest_code_of_a_home_is_the_one_that_counts(clinic: Clinic, tmp_path: Path) -> None:
    old, new = clinic.code(), clinic.code()
    with pytest.raises(AskPerson):
        clinic.box(tmp_path / "box", old)
    clinic.box(tmp_path / "box", new)


@pytest.mark.parametrize(("tries", "works"), [(MOST_TRIES - 1, True), (MOST_TRIES, False)])
def test_guessing_ends_an_invitation(
    clinic: Clinic, tmp_path: Path, tries: int, works: bool
) -> None:
    code = clinic.code()
    wrong = code[:5] + ("AAAA-AAAA" if not code.endswith("AAAA-AAAA") else "CCCC-CCCC")
    for _ in range(tries):
        with pytest.raises(AskPerson):
            clinic.box(tmp_path / "guess", wrong)
    if works:
        assert clinic.box(tmp_path / "box", code).name
    else:
        with pytest.raises(AskPerson):
            clinic.box(tmp_path / "box", code)


def test_the_database_holds_no_code(clinic: Clinic) -> None:
    code = clinic.code().replace("-", "")
    (row,) = clinic.ask("SELECT gateway_invitation::text FROM gateway_invitation")
    assert code not in row[0]
    assert code[4:] not in row[0]


def test_a_name_that_is_taken_leaves_the_code_good(clinic: Clinic, tmp_path: Path) -> None:
    clinic.box(tmp_path / "first", name="home-wang")
    code = clinic.code()
    for name in ("home-wang", "Home Wang", "kangban.ingest"):
        with pytest.raises(AskPerson, match="cannot have this name"):
            clinic.box(tmp_path / "second", code, name=name)
    assert clinic.box(tmp_path / "second", code).name != "home-wang"


def test_a_box_is_enrolled_once(clinic: Clinic, tmp_path: Path) -> None:
    clinic.box(tmp_path / "box")
    with pytest.raises(MendSettings, match="enrolled already"):
        clinic.box(tmp_path / "box")


# -- what is signed --------------------------------------------------------------------------------


def request(key: Any, *, subject: str = "") -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)] if subject else [])
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_what_the_request_says_of_itself_is_ignored(clinic: Clinic) -> None:
    csr = request(ec.generate_private_key(ec.SECP384R1()), subject="kangban.ingest")
    answer = clinic.browser.post(
        "/enrol", json={"code": clinic.code(), "csr": csr, "name": "home-wang"}
    )
    certificate = x509.load_pem_x509_certificate(answer.json()["certificate"].encode())
    assert certificate.subject.rfc4514_string() == "CN=home-wang,O=Kangban"
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    usage = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert usage.value.ca is False


def test_a_weak_or_broken_request_is_refused_and_the_code_stays_good(
    clinic: Clinic, tmp_path: Path
) -> None:
    code = clinic.code()
    weak = [
        request(ec.generate_private_key(ec.SECP224R1())),
        request(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        "-----BEGIN CERTIFICATE REQUEST-----\nnothing\n-----END CERTIFICATE REQUEST-----\n",
        "",
    ]
    for csr in weak:
        answer = clinic.browser.post("/enrol", json={"code": code, "csr": csr})
        assert answer.status_code == 422
        assert set(answer.json()) == {"error", "do"}
    assert clinic.box(tmp_path / "box", code).name


@pytest.mark.parametrize("code", ["", "ACDE", "0000-0000-0000", "x" * 12, "ACDE-ACDE-ACDE"])
def test_what_is_no_code_of_ours_is_refused(clinic: Clinic, tmp_path: Path, code: str) -> None:
    with pytest.raises((MendData, AskPerson)):
        clinic.box(tmp_path / "box", code or " ")
    csr = request(ec.generate_private_key(ec.SECP256R1()))
    assert clinic.browser.post("/enrol", json={"code": code, "csr": csr}).status_code == 403


def test_a_code_does_not_travel_in_the_open(tmp_path: Path) -> None:
    with pytest.raises(MendSettings, match="must not travel"):
        enrol(Server(url="http://care.example.org"), "ACDE-3467-HJKM", folder=tmp_path)


def test_a_server_without_authority_says_what_to_do(embedded_url: str, tmp_path: Path) -> None:
    with psycopg.connect(embedded_url) as connection:
        doctor = people.create_account(connection, name="陈医生", role="doctor")
        patient = people.create_patient(connection, name="王建国")
        people.relate(connection, account_id=doctor, patient_id=patient, relation="doctor")
        link = make_link(connection, base_url="", account_id=doctor, now=datetime.now(UTC))
    app = create_app(ApiSettings(database_url=embedded_url))
    with TestClient(app) as browser:
        browser.post(link)
        shown = browser.get(f"/doctor/patients/{patient}/gateway").text
        assert "KANGBAN_AUTHORITY_KEY_PATH" in shown
        assert "/code" not in shown
        csr = request(ec.generate_private_key(ec.SECP256R1()))
        answer = browser.post("/enrol", json={"code": "ACDE-3467-HJKM", "csr": csr})
        assert answer.status_code == 501


def test_an_operator_shuts_a_box_out_by_its_name(clinic: Clinic, tmp_path: Path) -> None:
    settings = clinic.box(tmp_path / "box")
    secrets = clinic.installation.secrets
    environment = {
        **os.environ,
        "KANGBAN_DATABASE_URL": clinic.url,
        "KANGBAN_AUTHORITY_CERTIFICATE_PATH": str(secrets / "authority.crt"),
        "KANGBAN_AUTHORITY_KEY_PATH": str(secrets / "authority.key"),
        "KANGBAN_AUTHORITY_REVOKED_PATH": str(secrets / "revoked.crl"),
    }
    command = [sys.executable, "-m", "kangban", "people", "revoke-gateway", settings.name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "SIGHUP" in done.stdout
    again = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert again.returncode == 1
    assert "shut out before" in again.stderr
    clinic.installation.restart()
    with clinic.talker(settings) as talker:
        assert not talker.got_in(within_s=1.0)


def test_the_doctor_greets_the_broker_and_throws_nobody_out(clinic: Clinic, tmp_path: Path) -> None:
    settings = clinic.box(tmp_path / "box")
    environ = {"KANGBAN_GATEWAY_DATA": str(tmp_path / "box")}
    with clinic.talker(settings) as running:
        assert running.got_in()
        found = gather(environ)
        assert running.is_in
        assert (found.broker_error, found.settings_error, found.is_enrolled) == (None, None, True)
        assert found.broker_certificate_until is not None
        assert found.certificate_until == runs_out_at(tmp_path / "box" / "gateway.pem")
    clinic.press("shut-out", name=settings.name)
    clinic.installation.restart()
    assert gather(environ).broker_error
    clinic.installation.stop()
    assert "refused" in str(gather(environ).broker_error)
    clinic.installation.restart()


def test_nobody_shuts_out_the_box_of_another_home(clinic: Clinic, tmp_path: Path) -> None:
    with psycopg.connect(clinic.url) as connection:
        people.register_gateway(connection, name="home-chen")
    shown = clinic.browser.get(clinic.page).text
    token = re.search(r'name="form_token" value="(\w+)"', shown)
    assert token is not None
    fields = {"form_token": token[1], "name": "home-chen"}
    assert clinic.browser.post(f"{clinic.page}/shut-out", data=fields).status_code == 404
    assert clinic.ask("SELECT revoked_at FROM gateway WHERE name = 'home-chen'") == [(None,)]
