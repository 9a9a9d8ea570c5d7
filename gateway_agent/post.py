"""The post between a gateway's desk and its uplink: commands in, each obeyed once; answers out.

Called from the uplink's thread alone. A command goes on to the desk when its id is on disk, so that
one that comes again after a power cut is not obeyed again. May hold: this order of things. May not:
MQTT, what a command does (`desk.py`), whether it may be obeyed (`orders.py`).
"""

import logging
from collections.abc import Callable
from datetime import datetime

from gateway_agent.orders import Answers, Refusal, refusal, remembered_until, useful_until
from gateway_agent.spool import Spool
from vitals.command import Command, Event, Failure, Step
from vitals.errors import TryAgain

log = logging.getLogger(__name__)


class Post:
    """What one gateway has been asked over MQTT, and what it has to say about it."""

    def __init__(self, gateway: str, spool: Spool, *, now: Callable[[], datetime]) -> None:
        self._gateway, self._spool, self._now = gateway, spool, now
        self.answers = Answers()
        # who has commands carried out
        self.on_command: Callable[[Command], object] = lambda _: None

    def came(self, command: Command) -> None:
        """Has a command carried out, once; what is refused is logged and, where that helps who
        waits, answered."""
        why = refusal(command, gateway=self._gateway, now=self._now())
        try:
            if why is None and not self._is_new(command):
                log.info("Command %s has come again: it is not obeyed twice.", command.id)
                return
        except TryAgain as error:
            why = Refusal(failure=Failure.DISK, said=str(error))
        if why is None:
            self.on_command(command)
            return
        log.warning("The command to %s is not obeyed: %s", command.do, why.said)
        if why.failure is not None:
            self.answer(self._refused(command, why.failure, why.said), command)

    def answer(self, event: Event, command: Command) -> None:
        """Takes in an answer; it is sent behind those before it."""
        self.answers.add(event, useful_until=useful_until(event, command))

    def due(self) -> list[Event]:
        """The answers to be sent now."""
        return self.answers.due(self._now())

    def _is_new(self, command: Command) -> bool:
        return self._spool.take_command(
            command.id, expires_at=remembered_until(command), now=self._now()
        )

    def _refused(self, command: Command, failure: Failure, said: str) -> Event:
        return Event(
            gateway=self._gateway,
            at=self._now(),
            command=command.id,
            number=0,
            step=Step.FAILED,
            device=command.device,
            failure=failure,
            said=said,
        )
