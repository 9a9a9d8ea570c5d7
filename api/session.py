"""Sessions, as values: tokens, their hashes, the token in a form, the names of cookies.

A link carries a random token and opens one session, once. The browser keeps the session's token in
a cookie; the database keeps only hashes, so that a stolen backup opens nothing. A form carries a
token made from the session's, which another site cannot know. May hold: pure functions over
tokens. May not: cookies being set, SQL.
"""

import hmac
import re
import secrets
from hashlib import blake2b
from urllib.parse import urlsplit

# 256 bits: cannot be guessed (OWASP ASVS 5.0 §7.2 asks for at least 128)
TOKEN_BYTES = 32

ROLES = ("patient", "family", "doctor")

_TOKEN = re.compile(r"^[A-Za-z0-9_-]{43}$")


def new_token() -> str:
    """A fresh secret, fit for an address and a cookie."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def is_token(text: str) -> bool:
    """Could this be one of our tokens? Anything else is not worth a look into the database."""
    return bool(_TOKEN.match(text))


def hash_of(token: str) -> bytes:
    """What the database keeps of a token; tokens are random, so no salt and no slow hash."""
    return blake2b(token.encode(), digest_size=32, person=b"kangban-token").digest()


def form_token(session_token: str) -> str:
    """The token that a form of this session carries."""
    key = session_token.encode()
    return blake2b(b"form", key=key, digest_size=16, person=b"kangban-form").hexdigest()


def is_form_token(given: str, session_token: str) -> bool:
    """Was the form made for this session? Compared in constant time."""
    return hmac.compare_digest(given.encode(), form_token(session_token).encode())


def cookie_name(role: str, *, is_https: bool) -> str:
    """One cookie a role, so that the three pages of a household open side by side in one browser.

    Over https the name has the prefix that forbids other hosts and paths to set it.
    """
    return f"__Host-kangban-{role}" if is_https else f"kangban-{role}"


def comes_from_here(*, origin: str | None, fetch_site: str | None, hosts: frozenset[str]) -> bool:
    """Was a POST sent by one of our own pages, as far as the browser says?

    `Sec-Fetch-Site` decides where the browser sends it. Older browsers send only `Origin`, which
    is "null" for our pages because they send no referrer; then the form's token decides alone.
    """
    if fetch_site is not None:
        return fetch_site in ("same-origin", "none")
    if origin is None or origin == "null":
        return True
    return urlsplit(origin).netloc.lower() in hosts


def safe_path(text: str | None) -> str:
    """A path on this host to go back to; the front page for anything that leads elsewhere."""
    if not text or not text.startswith("/") or text.startswith("//") or "\\" in text:
        return "/"
    return text if text.isprintable() else "/"
