"""What is said back to a command: its events, counted from 0, the last one always an end.

May hold: the making of events. May not: where they go, what is done meanwhile (`desk.py`).
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from gateway_agent.bonding import PairingFailed
from gateway_agent.pairing import Told, failed
from vitals.command import ENDS, Command, Event, Failure
from vitals.errors import KangbanError, TryAgain

log = logging.getLogger(__name__)

Tell = Callable[[Event], None]


class Replies:
    """The answers to one command, counted from 0."""

    def __init__(
        self, command: Command, tell: Tell, *, now: Callable[[], datetime], gateway: str
    ) -> None:
        self._command, self._tell, self._now, self._gateway = command, tell, now, gateway
        self._count = 0
        self.have_ended = False

    def say(self, *told: Told) -> None:
        """Sends these, in order."""
        for each in told:
            number, self._count = self._count, self._count + 1
            self.have_ended = self.have_ended or each.step in ENDS
            self._tell(
                Event(
                    gateway=self._gateway,
                    at=self._now(),
                    command=self._command.id,
                    number=number,
                    step=each.step,
                    device=each.device,
                    candidate=each.candidate,
                    failure=each.failure,
                    said=each.said,
                    numbers=each.numbers,
                    values=each.values,
                )
            )

    def fail(self, failure: Failure, said: str = "") -> None:
        """Says that it ended before its aim, with the way out."""
        self.say(failed(failure, said, device=self._command.device))


def failure_of(error: KangbanError | TimeoutError) -> tuple[Failure, str]:
    """What a person is told of an error, and the sentence for support."""
    if isinstance(error, PairingFailed):
        return error.failure, str(error)
    if isinstance(error, TimeoutError):
        return Failure.OUT_OF_REACH, ""
    return (Failure.DISK if isinstance(error, TryAgain) else Failure.FAULT), str(error)


async def to_the_end(work: Callable[[], Awaitable[None]], replies: Replies) -> None:
    """Does it; whatever goes wrong is said, and ends nothing else."""
    try:
        await work()
    except KangbanError as error:
        replies.fail(*failure_of(error))
    except Exception:
        log.exception("A fault in this program ended a command.")
        replies.fail(Failure.FAULT)
