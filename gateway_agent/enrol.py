"""A gateway's identity: a key made on this box, a certificate asked for, and the next one in time.

The private key is made here and never leaves; what travels is a signing request, over HTTPS, with
the code that a person was shown (`vitals/enrol.py`). The library that makes keys is loaded when one
is made, not while the gateway runs. May hold: keys, signing requests, the two calls to the server.
May not: what is remembered where (`enrolled.py`), when to renew (`upkeep.py`).
"""

import json
import os
import ssl
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from gateway_agent.enrolled import IDENTITY, SERVER, is_enrolled, keep_identity, settle_in, write
from vitals.enrol import MOST_LETTERS, Enrolled, decode_enrolled, renewal_words, tidied
from vitals.errors import AskPerson, KangbanError, MendData, MendSettings, TryAgain

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

# seconds for one answer of the server
_PATIENCE_S = 30.0
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where to ask. `authority`: a PEM file to know it by, None for those the system trusts."""

    url: str
    authority: Path | None = None


def enrol(
    server: Server, code: str, *, folder: Path, name: str = "", software: str = ""
) -> Enrolled:
    """What this box was given for the code; it is on disk, and `kangban gateway run` finds it.

    Raises MendData for a mistyped code, AskPerson with the server's word where it refuses, TryAgain
    where it cannot be reached, MendSettings where this box has an identity already.
    """
    if is_enrolled(folder):
        raise MendSettings(
            f"This box is enrolled already ({folder}). To give it a new identity, move that "
            "folder's gateway.env away first; what it has read stays."
        )
    tidy = tidied(code)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = _new_key()
    asked = {"code": tidy, "csr": _csr(key), "name": name, "software": software}
    enrolled = decode_enrolled(_post(server, "/enrol", asked))
    _keep(folder / IDENTITY, enrolled, key)
    if server.authority is not None:
        write(folder / SERVER, server.authority.read_text(encoding="utf-8"), mode=0o644)
    settle_in(folder, enrolled, server=server.url)
    return enrolled


def renew(server: Server, *, name: str, identity: Path, now: datetime) -> datetime:
    """When the fresh certificate runs out that now stands in place of the one before.

    The key is fresh too: one that leaked unseen is worth nothing after that. Raises as `enrol`.
    """
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        old = serialization.load_pem_private_key(identity.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise MendSettings(f"The key of this gateway cannot be read ({error}).") from error
    if not isinstance(old, ec.EllipticCurvePrivateKey):
        raise MendSettings(f"The key in {identity} is none that `kangban gateway enrol` made.")
    key = _new_key()
    csr = _csr(key)
    words = renewal_words(name=name, csr=csr, at=now)
    asked = {
        "name": name,
        "csr": csr,
        "at": now.astimezone(UTC).isoformat(),
        "signature": b64encode(old.sign(words, ec.ECDSA(hashes.SHA256()))).decode(),
    }
    return _keep(identity, decode_enrolled(_post(server, "/enrol/renew", asked)), key)


def _new_key() -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _csr(key: "EllipticCurvePrivateKey") -> str:
    """A signing request; its subject says nothing, since the server decides on the name."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    request = builder.sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def _keep(identity: Path, enrolled: Enrolled, key: "EllipticCurvePrivateKey") -> datetime:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import serialization

    try:
        certificate = x509.load_pem_x509_certificate(enrolled.certificate.encode())
        certificate.verify_directly_issued_by(
            x509.load_pem_x509_certificate(enrolled.authority.encode())
        )
        is_ours = certificate.public_key() == key.public_key()
    except (ValueError, TypeError, InvalidSignature) as error:
        raise MendData(
            f"The server's certificate is not one of its authority ({error})."
        ) from error
    if not is_ours:
        raise MendData("The server has signed another key than this box made: try again.")
    until = certificate.not_valid_after_utc
    keep_identity(
        identity,
        certificate=enrolled.certificate,
        key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
        until=until,
    )
    return until


def _post(server: Server, path: str, document: dict[str, Any]) -> bytes:
    parts = urlsplit(server.url)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not is_safe or not parts.hostname:
        raise MendSettings(
            f"{server.url!r} is not of the form https://care.example.org: the code must not travel "
            "in the open."
        )
    headers = {
        "Content-Type": "application/json",
        # in which language a refusal is told
        "Cookie": f"kangban-locale={'zh-CN' if _is_chinese() else 'en'}",
    }
    request = Request(
        server.url.rstrip("/") + path, data=json.dumps(document).encode(), headers=headers
    )
    try:
        context = ssl.create_default_context(cafile=server.authority)
        with urlopen(request, timeout=_PATIENCE_S, context=context) as answer:
            return bytes(answer.read(MOST_LETTERS))
    except HTTPError as error:
        raise _refusal(error) from error
    except ssl.SSLCertVerificationError as error:
        raise _not_trusted(server, error) from error
    except URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise _not_trusted(server, error.reason) from error
        raise TryAgain(f"{server.url} cannot be reached ({error.reason}).") from error
    except (OSError, HTTPException) as error:
        raise TryAgain(f"{server.url} cannot be reached ({error}).") from error


def _refusal(error: HTTPError) -> KangbanError:
    """The server's own word, where it has one."""
    try:
        document = json.loads(error.read(MOST_LETTERS))
        said = f"{document['error']}: {document['do']}"
    except (ValueError, KeyError, TypeError, OSError):
        return TryAgain(f"The server answers {error.code}: check the address, or try again later.")
    return TryAgain(said) if error.code >= 502 else AskPerson(said)


def _not_trusted(server: Server, error: ssl.SSLCertVerificationError) -> MendSettings:
    return MendSettings(
        f"{server.url} shows a certificate that this box does not trust "
        f"({error.verify_message}): check the address and this box's clock, or give the server's "
        "authority with --authority FILE."
    )


def _is_chinese() -> bool:
    return os.environ.get("LC_ALL", os.environ.get("LANG", "")).lower().startswith("zh")
