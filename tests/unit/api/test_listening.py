"""The socket on which the pages listen."""

import socket

from api.__main__ import listen
from api.config import ApiSettings


def test_the_end_of_a_page_never_waits_for_the_browser_to_confirm_its_beginning() -> None:
    settings = ApiSettings(database_url="", port=0)
    with listen(settings) as bound, socket.create_connection(bound.getsockname()):
        line, _ = bound.accept()
        with line:
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
