"""Keeping what arrives while something else is asked: the talks of devices that forget.

A thermometer, a scale or an oximeter sends its measurement the moment it is subscribed to, forgets
it when that was confirmed, and may hang up at any time. So what has arrived is taken before each
further ask. `Take` is what a driver makes of one arrival: Keep or Refused. May hold: this order.
May not: bytes of any profile.
"""

from collections.abc import Callable, Generator

from gateway_agent.talk import Ask, Heard, LinkLost, Listen, Talk

Take = Callable[[Heard], Talk]


def keep_meanwhile(asking: Talk, take: Take) -> Talk:
    """Lets `asking` go on, and takes what has arrived before each of its asks.

    A lost link is thrown into `asking`, which may still report what it had heard by then.
    """
    answer: Heard | None = None
    lost: LinkLost | None = None
    try:
        ask = next(asking)
        while True:
            try:
                if lost is None:
                    yield from hear_out(take, wait_s=0)
                answer = yield ask
            except LinkLost as error:
                lost = error
                ask = asking.throw(error)
            else:
                ask = asking.send(answer)
    except StopIteration:
        return


def hear_out(take: Take, *, wait_s: float) -> Generator[Ask, Heard | None, int]:
    """How many arrivals were taken before nothing came for so long. Raises LinkLost at the end."""
    count = 0
    while (heard := (yield Listen(wait_s=wait_s))) is not None:
        count += 1
        yield from take(heard)
    return count
