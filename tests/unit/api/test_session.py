"""Tokens, their hashes, the token in a form, and where a POST may come from."""

import pytest

from api.session import (
    comes_from_here,
    cookie_name,
    form_token,
    hash_of,
    is_form_token,
    is_token,
    new_token,
    safe_path,
)

HOSTS = frozenset({"care.example.org"})


def test_a_new_token_is_a_token_and_never_the_same_twice() -> None:
    tokens = {new_token() for _ in range(50)}
    assert len(tokens) == 50
    assert all(is_token(token) for token in tokens)


@pytest.mark.parametrize("text", ["", "short", "x" * 42, "x" * 44, "x" * 42 + "'", "x" * 42 + "\n"])
def test_what_is_no_token_is_not_looked_up(text: str) -> None:
    assert not is_token(text)


def test_the_database_keeps_nothing_that_opens_a_session() -> None:
    token = new_token()
    assert token.encode() not in hash_of(token)
    assert len(hash_of(token)) == 32
    assert hash_of(token) == hash_of(token)
    assert hash_of(token) != hash_of(new_token())


def test_a_form_is_of_one_session_only() -> None:
    mine, other = new_token(), new_token()
    assert is_form_token(form_token(mine), mine)
    assert not is_form_token(form_token(other), mine)
    assert not is_form_token("", mine)
    assert not is_form_token("ü", mine)
    # whoever sees a page's source has the form's token, not the session's
    assert mine not in form_token(mine)


def test_over_https_a_cookie_belongs_to_one_host() -> None:
    assert cookie_name("family", is_https=False) == "kangban-family"
    assert cookie_name("family", is_https=True) == "__Host-kangban-family"


@pytest.mark.parametrize(
    ("origin", "fetch_site", "accepted"),
    [
        # a browser that says where a request comes from is believed
        (None, "same-origin", True),
        (None, "none", True),
        (None, "same-site", False),
        (None, "cross-site", False),
        ("https://care.example.org", "cross-site", False),
        # older ones send only the origin; our own pages send "null", because they send no referrer
        ("null", None, True),
        (None, None, True),
        ("https://care.example.org", None, True),
        ("https://CARE.example.org", None, True),
        ("https://evil.example.org", None, False),
        ("https://care.example.org.evil.org", None, False),
        ("https://care.example.org:8443", None, False),
    ],
)
def test_a_post_of_another_site_is_refused(
    origin: str | None, fetch_site: str | None, accepted: bool
) -> None:
    assert comes_from_here(origin=origin, fetch_site=fetch_site, hosts=HOSTS) is accepted


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/family", "/family"),
        ("/doctor/patients/3?week=1", "/doctor/patients/3?week=1"),
        (None, "/"),
        ("", "/"),
        ("https://evil.example.org", "/"),
        ("//evil.example.org", "/"),
        ("/\\evil.example.org", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
    ],
)
def test_going_back_never_leads_to_another_host(given: str | None, path: str) -> None:
    assert safe_path(given) == path
