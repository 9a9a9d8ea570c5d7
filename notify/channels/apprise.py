"""Apprise: WeCom, DingTalk, ServerChan, Bark, e-mail, a plain JSON post …, each by its URL.

A URL holds tokens, and a message holds what its author wrote about a person: neither may reach a
log. So nothing that Apprise logs goes further than this file, which reads one thing out of it: why
a message was not taken. May hold: Apprise. May not: time limits, retries, words.
"""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType

from notify.deliver import Words

_KIND = {
    0: NotifyType.INFO,
    1: NotifyType.INFO,
    2: NotifyType.WARNING,
    3: NotifyType.FAILURE,
    4: NotifyType.FAILURE,
}
# who writes addresses or payloads into logs when a channel is asked
_TALKATIVE = ("apprise", "urllib3.connectionpool")
_HTTP_STATUS = re.compile(r"error=(\d{3})")
_UNREACHABLE = re.compile(r"connection|socket|smtp|timed? ?out", re.IGNORECASE)


def tell(url: str, words: Words, *, severity: int) -> str | None:
    """None when the channel took the message, otherwise why not, without URL or content."""
    asset = AppriseAsset(
        app_id="Kangban",
        app_desc="康伴",
        app_url="",
        # on this thread, without a limit of its own: `notify.patience` holds the limit
        async_mode=False,
        service_timeout=0,
    )
    channel = Apprise(asset=asset)
    with _EAR.listening() as lines:
        if not channel.add(url):
            return "this contact's address is not one that Apprise knows"
        taken = channel.notify(
            title=words.title,
            body=f"{words.text}\n{words.link}" if words.link else words.text,
            notify_type=_KIND[severity],
            body_format=NotifyFormat.TEXT,
        )
    return None if taken else _reason(" ".join(lines))


def _reason(text: str) -> str:
    status = _HTTP_STATUS.search(text)
    if status:
        return f"the channel answered {status.group(1)}"
    if _UNREACHABLE.search(text):
        return "the channel could not be reached"
    return "the channel did not take the message"


class _Ear(logging.Filter):
    """Keeps what a logger says on a listening thread, and lets nothing through to any handler."""

    def __init__(self) -> None:
        super().__init__()
        self._here = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        """Never lets the record pass."""
        lines: list[str] | None = getattr(self._here, "lines", None)
        if lines is not None and record.levelno >= logging.WARNING:
            lines.append(record.getMessage())
        return False

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """The warnings of this thread, as they come."""
        for name in _TALKATIVE:
            # adding a filter twice is a no-op
            logging.getLogger(name).addFilter(self)
        self._here.lines = []
        try:
            yield self._here.lines
        finally:
            self._here.lines = None


_EAR = _Ear()
