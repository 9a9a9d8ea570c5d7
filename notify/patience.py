"""A time limit for channels: one that hangs counts as failed and holds nobody else up.

Each contact is asked on a thread of its own, all contacts of a message at once. A thread that hangs
cannot be ended in Python; it is left behind, and until it comes back the same contact counts as
failed at once, so that what hangs never grows. What was left behind may still reach the person
late, and again with the next attempt. May hold: threads and their limit. May not: channels, words.
"""

import threading
import time
from collections.abc import Callable, Mapping
from queue import Empty, Queue

# None: taken; otherwise why not
Tell = Callable[[], str | None]


class Patience:
    """Asks contacts, each for at most `wait_s` seconds. Shared by all drainers of a process."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        # the thread that each hanging contact was left with
        self._left: dict[int, threading.Thread] = {}

    def ask(self, contacts: Mapping[int, Tell]) -> dict[int, str | None]:
        """What each contact said: None where it took the message, otherwise why not."""
        answers: Queue[tuple[int, str | None]] = Queue()
        said: dict[int, str | None] = {}
        threads: dict[int, threading.Thread] = {}
        for contact, tell in contacts.items():
            if self._hangs(contact):
                said[contact] = "the channel still hangs from an earlier message"
                continue
            threads[contact] = threading.Thread(
                target=_ask_one, args=(contact, tell, answers), daemon=True
            )
            threads[contact].start()
        ends = time.monotonic() + self._wait_s
        while len(said) < len(contacts):
            try:
                contact, answer = answers.get(timeout=max(0.0, ends - time.monotonic()))
            except Empty:
                break
            said[contact] = answer
        for contact in contacts.keys() - said.keys():
            self._left[contact] = threads[contact]
            said[contact] = f"the channel did not answer within {self._wait_s:g} s"
        return said

    def _hangs(self, contact: int) -> bool:
        left = self._left.get(contact)
        return left is not None and left.is_alive()


def _ask_one(contact: int, tell: Tell, answers: "Queue[tuple[int, str | None]]") -> None:
    try:
        answer = tell()
    except Exception as error:
        # a channel's own bug is that channel's failure, never the drainer's
        answer = f"the channel failed with {type(error).__name__}"
    answers.put((contact, answer))
