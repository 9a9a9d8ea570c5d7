"""The gateway as a process of its own: how it starts, and TLS to its broker."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway_agent.__main__ import run
from gateway_agent.config import GatewaySettings
from gateway_agent.spool import Spool
from gateway_agent.uplink import Uplink
from vitals.broker import broker as parse
from vitals.errors import MendSettings
from vitals.settings import read
from vitals.wire import Health

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def settings(tmp_path: Path, **more: object) -> GatewaySettings:
    return GatewaySettings(
        name="g1",
        data=tmp_path,
        **{"mqtt": parse("mqtt://127.0.0.1:1"), **more},  # type: ignore[arg-type]
    )


def test_a_gateway_without_simulated_devices_says_where_they_are(tmp_path: Path) -> None:
    with pytest.raises(MendSettings, match="kangban simulate household"):
        run(settings(tmp_path, adapter="sim"), threading.Event())


def test_a_gateway_without_settings_names_them_all(tmp_path: Path) -> None:
    with pytest.raises(MendSettings) as caught:
        read(GatewaySettings, {})
    assert "KANGBAN_GATEWAY_NAME" in str(caught.value)
    assert "KANGBAN_MQTT_URL" in str(caught.value)


def test_a_gateway_without_bluetooth_says_so_goes_on_and_stops_when_told(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "KANGBAN_GATEWAY_NAME": "g1",
        "KANGBAN_MQTT_URL": "mqtt://127.0.0.1:1",
        "KANGBAN_GATEWAY_DATA": str(tmp_path),
        # no system bus, on whatever machine this runs
        "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/no-bus",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway_agent"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    line = next(each for each in process.stderr if "Bluetooth" in each)
    assert "KANGBAN_ADAPTER" in line
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert (tmp_path / "g1.sqlite").exists()


@pytest.fixture
def identities(tmp_path: Path) -> Path:
    """A folder with an authority, and a certificate of it for the broker and for the gateway."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Clinic authority")
    authority = (
        _certificate(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "ca.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    for who in ("broker", "gateway"):
        own = ec.generate_private_key(ec.SECP256R1())
        signed = (
            _certificate(_name("g1" if who == "gateway" else who), name, own.public_key())
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]),
                critical=False,
            )
            .sign(key, hashes.SHA256())
        )
        (tmp_path / f"{who}.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        (tmp_path / f"{who}.key").write_bytes(
            own.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    return tmp_path


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    today = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
    )


@pytest.fixture
def tls_port(identities: Path, services_root: Path) -> Iterator[int]:
    """A broker that lets in whom its authority has signed."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    config = identities / "tls.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\n"
        f"cafile {identities}/ca.pem\ncertfile {identities}/broker.pem\n"
        f"keyfile {identities}/broker.key\n"
        "require_certificate true\nuse_identity_as_username true\nallow_anonymous false\n"
        f"user {os.environ.get('USER', 'root')}\n"
    )
    process = subprocess.Popen(
        [services_root / "usr/sbin/mosquitto", "-c", config], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        next(each for each in process.stderr if "running" in each)
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_a_gateway_with_its_own_certificate_is_let_in(tls_port: int, identities: Path) -> None:
    heard = threading.Event()

    def health() -> Health:
        heard.set()
        return Health(v=1, gateway="g1", sent_at=NOW, spooled=0, devices={})

    spool = Spool(identities / "spool.sqlite")
    uplink = Uplink(
        settings(
            identities,
            mqtt=parse(f"mqtts://127.0.0.1:{tls_port}"),
            tls_ca=identities / "ca.pem",
            tls_certificate=identities / "gateway.pem",
            tls_key=identities / "gateway.key",
        ),
        spool,
        health=health,
    )
    uplink.start()
    # the first word about its health is sent when the broker has let it in
    assert heard.wait(10)
    uplink.stop()
    spool.close()


class _Told(logging.Handler):
    """Notices that something was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.set()


def test_a_gateway_that_does_not_trust_its_broker_says_so(
    tls_port: int, identities: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(identities / "spool.sqlite")
    # the system's authorities have never heard of this broker
    stranger = settings(identities, mqtt=parse(f"mqtts://127.0.0.1:{tls_port}"))
    health = Health(v=1, gateway="g1", sent_at=NOW, spooled=0, devices={})
    uplink = Uplink(stranger, spool, health=lambda: health)
    told = _Told()
    logging.getLogger("gateway_agent.uplink").addHandler(told)
    uplink.start()
    assert told.heard.wait(10)
    uplink.stop()
    spool.close()
    logging.getLogger("gateway_agent.uplink").removeHandler(told)
    assert "cannot be reached" in caplog.text
    assert "certificates" in caplog.text


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite")
    with pytest.raises(MendSettings, match="KANGBAN_MQTT_CA_PATH"):
        Uplink(
            settings(tmp_path, mqtt=parse("mqtts://h"), tls_ca=tmp_path / "none.pem"),
            spool,
            health=lambda: Health(v=1, gateway="g1", sent_at=NOW, spooled=0, devices={}),
        )
    spool.close()
