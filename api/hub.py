"""News for open pages: one thread listens to PostgreSQL and hands out what concerns each page.

A page subscribes with the patients it may see and its account; a notification reaches only streams
that have its patient or account among theirs. Losing the database connection loses notifications,
so afterwards every page is told to look again. May hold: listening and handing out. May not: who
may see whom (asked before a stream is made), HTTP.
"""

import asyncio
import threading
import time
from dataclasses import dataclass

from store.listen import Listener

PATIENT, ALERT, TOLD = "kangban_patient", "kangban_alert", "kangban_told"
# a gateway was asked something, or has answered
TALK = "kangban_look"
# what a page is told for each channel; "look" also means: something may have been missed
LOOK = "look"
EVENT_OF = {PATIENT: "reading", ALERT: "alert", TOLD: "told", TALK: LOOK}
# seconds: how soon a stop is noticed while listening
_LISTEN_S = 0.5
# seconds between attempts to reach an absent PostgreSQL
_RETRY_S = 0.5
# events that may wait for a slow browser; one more becomes "look again"
_WAITING = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that a page may want to look at; the page fetches the content itself."""

    name: str
    patient_id: int | None = None


class Stream:
    """What waits for one open page. Made, read and closed on the event loop."""

    def __init__(self, *, account_id: int, patients: frozenset[int]) -> None:
        self.account_id = account_id
        self.patients = patients
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()

    async def next(self, timeout_s: float) -> Event | None:
        """The next event, None when the hub closes. Raises TimeoutError where nothing came."""
        return await asyncio.wait_for(self._events.get(), timeout_s)

    def offer(self, event: Event | None) -> None:
        """Hands an event over, from any thread; a loop that has ended takes nothing."""
        try:
            self._loop.call_soon_threadsafe(self._put, event)
        except RuntimeError:
            return

    def _put(self, event: Event | None) -> None:
        if event is not None and self._events.qsize() >= _WAITING:
            while not self._events.empty():
                self._events.get_nowait()
            event = Event(name=LOOK)
        self._events.put_nowait(event)


class Hub:
    """The one listener of this process and the streams that are open."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._streams: set[Stream] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="kangban-hub", daemon=True)

    def open(self) -> None:
        """Starts to listen."""
        self._thread.start()

    def close(self) -> None:
        """Ends every stream and the listening; safe to call twice."""
        self._closing.set()
        for stream in self._open_streams():
            stream.offer(None)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout=2 * _LISTEN_S)

    def join(self, stream: Stream) -> None:
        """From now on this stream hears what concerns it."""
        with self._lock:
            self._streams.add(stream)
        if self._closing.is_set():
            stream.offer(None)

    def leave(self, stream: Stream) -> None:
        """The page is gone."""
        with self._lock:
            self._streams.discard(stream)

    def hand_out(self, channel: str, payload: str) -> None:
        """Gives one notification to the streams that it concerns; an odd payload to none."""
        if channel not in EVENT_OF or not payload.isdecimal():
            return
        number, name = int(payload), EVENT_OF[channel]
        for stream in self._open_streams():
            if channel == TOLD:
                if stream.account_id == number:
                    stream.offer(Event(name=name))
            elif number in stream.patients:
                stream.offer(Event(name=name, patient_id=number))

    def _open_streams(self) -> list[Stream]:
        with self._lock:
            return list(self._streams)

    def _listen(self) -> None:
        with Listener(self._url, tuple(EVENT_OF)) as listener:
            while not self._closing.is_set():
                began = time.monotonic()
                notifications = listener.wait(_LISTEN_S)
                for channel, payload in notifications:
                    self.hand_out(channel, payload)
                # back early and with nothing: the connection is new, or lost
                if not notifications and time.monotonic() - began < _LISTEN_S / 2:
                    for stream in self._open_streams():
                        stream.offer(Event(name=LOOK))
                    self._closing.wait(_RETRY_S)
