"""Apprise against a real endpoint on this machine."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from notify.channels import apprise
from notify.deliver import Words

WORDS = Words(title="请看看父亲", text="血压 182/112", link="https://care.example.org/family")


class Endpoint:
    """A web hook that keeps what it was told and answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.heard: list[dict[str, Any]] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                endpoint.heard.append(json.loads(self.rfile.read(length)))
                self.send_response(endpoint.status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://127.0.0.1:{self.server.server_port}/hook-with-a-token"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def test_the_words_arrive_as_written_with_the_link_below(endpoint: Endpoint) -> None:
    assert apprise.tell(endpoint.url, WORDS, severity=3) is None
    (heard,) = endpoint.heard
    assert heard["title"] == "请看看父亲"
    assert heard["message"] == "血压 182/112\nhttps://care.example.org/family"
    assert heard["type"] == "failure"


@pytest.mark.parametrize(
    ("severity", "kind"), [(0, "info"), (1, "info"), (2, "warning"), (3, "failure"), (4, "failure")]
)
def test_the_severity_is_told_as_the_kind_of_message(
    endpoint: Endpoint, severity: int, kind: str
) -> None:
    apprise.tell(endpoint.url, WORDS, severity=severity)
    assert endpoint.heard[0]["type"] == kind


def test_a_refusal_names_the_status(endpoint: Endpoint) -> None:
    endpoint.status = 503
    assert apprise.tell(endpoint.url, WORDS, severity=2) == "the channel answered 503"


def test_an_absent_channel_could_not_be_reached(endpoint: Endpoint) -> None:
    endpoint.server.socket.close()
    assert apprise.tell("json://127.0.0.1:9/", WORDS, severity=2) == (
        "the channel could not be reached"
    )


def test_an_address_of_no_known_kind_is_said_so() -> None:
    assert "Apprise knows" in str(apprise.tell("pigeon://loft", WORDS, severity=2))


def test_neither_address_nor_content_reaches_a_log(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        endpoint.status = 500
        apprise.tell(endpoint.url, WORDS, severity=4)
        apprise.tell("json://127.0.0.1:9/a-token", WORDS, severity=4)
    assert "token" not in caplog.text
    assert "182" not in caplog.text
    assert "父亲" not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "wecombot://00000000-0000-0000-0000-000000000000",
        "dingtalk://abcdef0123456789",
        "schan://abcdef0123456789",
        "bark://127.0.0.1/devicekey",
        "mailto://user:pass@example.org",
    ],
)
def test_the_channels_people_use_have_an_address_that_apprise_knows(url: str) -> None:
    from apprise import Apprise

    assert Apprise().add(url)
