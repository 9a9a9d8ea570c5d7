"""The installation's own authority: checks what gateways ask to have signed, signs it, shuts out.

The same authority as `deploy/certificates.sh` makes: its files are read, its list of those shut out
is kept beside, so that script and pages may be used in turn. May hold: keys, certificates, the list
of revoked ones. May not: who may ask (`api/enrolment.py`), SQL.
"""

import os
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from store.enrolment import Revoked
from vitals.errors import MendData, MendSettings

# how long a gateway's certificate lasts: it renews by itself, and one that lay in a drawer for a
# year must still find its way; engineering choice
LASTS = timedelta(days=825)
# a small computer's clock may be behind when it shows its new certificate
_BACKDATED = timedelta(hours=1)
# how long the list of those shut out is valid: brokers refuse everybody when it has run out
_LIST_LASTS = timedelta(days=7300)
# bits; 256-bit curves are as strong as RSA with 3,072 (NIST SP 800-57 part 1, table 2)
_LEAST_BITS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Who signs: certificate and key, and the file with the list of those shut out."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    revoked_path: Path | None

    @property
    def pem(self) -> str:
        """The certificate by which gateways know the broker."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A fresh certificate; `serial` in hexadecimal, `public_key` a SubjectPublicKeyInfo in DER."""

    pem: str
    serial: str
    public_key: bytes
    issued_at: datetime
    expires_at: datetime


def read_authority(
    certificate: Path | None, key: Path | None, revoked: Path | None
) -> Authority | None:
    """The authority of these files, None where none is set. Raises MendSettings."""
    if certificate is None or key is None:
        return None
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise MendSettings(
            f"The authority cannot be read ({error}): check KANGBAN_AUTHORITY_CERTIFICATE_PATH "
            "and KANGBAN_AUTHORITY_KEY_PATH."
        ) from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or _der(private.public_key()) != _der(
        cast(ec.EllipticCurvePublicKey, found.public_key())
    ):
        raise MendSettings(
            "KANGBAN_AUTHORITY_KEY_PATH is not the key of KANGBAN_AUTHORITY_CERTIFICATE_PATH: "
            "give both files of `deploy/certificates.sh authority`."
        )
    return Authority(certificate=found, key=private, revoked_path=revoked)


def issue(authority: Authority, csr: str, *, name: str, now: datetime) -> Issued:
    """A certificate in this name over the key of a signing request, whatever else it says.

    Raises MendData for a request that is none, is not signed by its key, or has a weak key.
    """
    key = _asked_key(csr)
    serial = x509.random_serial_number()
    expires_at = min(now + LASTS, authority.certificate.not_valid_after_utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(
            x509.Name(
                [
                    x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Kangban"),
                    x509.NameAttribute(NameOID.COMMON_NAME, name),
                ]
            )
        )
        .issuer_name(authority.certificate.subject)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(expires_at)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_USAGE, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return Issued(
        pem=made.public_bytes(serialization.Encoding.PEM).decode(),
        serial=f"{serial:X}",
        public_key=_der(key),
        issued_at=now,
        expires_at=expires_at,
    )


_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def is_signed_by(public_key: bytes, *, words: bytes, signature: str) -> bool:
    """Did the owner of this key sign these words? `signature` is ECDSA with SHA-256 in base64."""
    try:
        key = serialization.load_der_public_key(public_key)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        key.verify(b64decode(signature, validate=True), words, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, NoBase64, ValueError):
        return False
    return True


def shut_out(authority: Authority, revoked: Sequence[Revoked], *, now: datetime) -> bool:
    """Writes the list of those shut out; False where no file is set for it.

    Whoever was on the list stays there: `deploy/certificates.sh revoke` may have put him there.
    Raises MendSettings where the file cannot be written.
    """
    path = authority.revoked_path
    if path is None:
        return False
    try:
        before = x509.load_pem_x509_crl(path.read_bytes()) if path.exists() else None
        known = {each.serial_number for each in before or ()}
        new = [each for each in revoked if int(each.serial, 16) not in known]
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(authority.certificate.subject)
            .last_update(now - _BACKDATED)
            .next_update(now + _LIST_LASTS)
        )
        for each in [*(before or ()), *map(_entry, new)]:
            builder = builder.add_revoked_certificate(each)
        made = builder.sign(authority.key, hashes.SHA256())
        _write_index(path.with_name("revoked.index"), new)
        _write(path, made.public_bytes(serialization.Encoding.PEM))
    except (OSError, ValueError) as error:
        raise MendSettings(
            f"The list of gateways that are shut out cannot be written ({error}): check "
            "KANGBAN_AUTHORITY_REVOKED_PATH. Until then the broker still lets them in."
        ) from error
    return True


def _asked_key(csr: str) -> ec.EllipticCurvePublicKey:
    try:
        asked = x509.load_pem_x509_csr(csr.encode())
        key = asked.public_key()
        is_signed = asked.is_signature_valid
    except (ValueError, UnsupportedAlgorithm, TypeError) as error:
        raise MendData("this is no certificate signing request in PEM.") from error
    if not is_signed:
        raise MendData("the signing request is not signed by its own key.")
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.key_size < _LEAST_BITS:
        raise MendData("the key must be on the curve P-256 or a longer one.")
    return key


def _der(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _entry(revoked: Revoked) -> x509.RevokedCertificate:
    return (
        x509.RevokedCertificateBuilder()
        .serial_number(int(revoked.serial, 16))
        .revocation_date(revoked.revoked_at)
        .build()
    )


def _write_index(path: Path, new: Sequence[Revoked]) -> None:
    """Adds to the database of `openssl ca`, from which deploy/certificates.sh makes its list."""
    if not path.exists():
        return
    lines = [
        "\t".join(
            (
                "R",
                _openssl_time(each.expires_at),
                _openssl_time(each.revoked_at),
                # openssl reads octets: an odd number of digits is refused
                each.serial if len(each.serial) % 2 == 0 else f"0{each.serial}",
                "unknown",
                f"/O=Kangban/CN={each.name}",
            )
        )
        for each in new
    ]
    with path.open("a", encoding="ascii") as file:
        file.writelines(f"{line}\n" for line in lines)


def _openssl_time(at: datetime) -> str:
    """UTCTime, which openssl's index has for years before 2050, else GeneralizedTime."""
    at = at.astimezone(UTC)
    return at.strftime("%y%m%d%H%M%SZ" if at.year < 2050 else "%Y%m%d%H%M%SZ")


def _write(path: Path, content: bytes) -> None:
    """Replaces a file whole; where it is mounted by itself, its content."""
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.write_bytes(content)
        draft.chmod(0o644)
        os.replace(draft, path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        path.write_bytes(content)
