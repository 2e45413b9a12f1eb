"""Bounded waiting: how long an action waits for the world, and how often it looks.

What is waited for is planned time, so a rehearsal's pace divides the limit; but never below a floor of wall
seconds, because real work (a dump, a build, a round trip) is not divided by any pace.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from console.domain.plan import DurationRange
from console.errors import ServiceError
from console.ports import Clock

T = TypeVar("T")
SECONDS_TO_LOOK = 20.0
"""Wall seconds for a look at one part of the world, where what the others say is worth more than waiting for it."""

# The provider allows 400 reads a minute for everything that this console asks it.
_FIRST_LOOK_PACED = 0.25
_LONGEST_LOOK_PACED = 2.0
_FIRST_LOOK = 2.0
_LONGEST_LOOK = 5.0
_LEAST_LOOK = 0.001
_GROWTH = 1.3


def patience(planned: DurationRange | None, clock: Clock, *, times: float, floor: float) -> float:
    """Wall seconds to wait for something that should take `planned`: `times` its longest, at least `floor`."""
    longest = planned.high if planned is not None else 0.0
    return max(longest * times / clock.pace, floor)


def paced(seconds: float, clock: Clock, *, floor: float) -> float:
    """Wall seconds for `seconds` of planned time, at least `floor`."""
    return max(seconds / clock.pace, floor)


async def in_time(look: Awaitable[T], late: Callable[[str], ServiceError]) -> T:
    """What a look sees within `SECONDS_TO_LOOK`; else raises what `late` makes of that, as if nobody had answered."""
    try:
        async with asyncio.timeout(SECONDS_TO_LOOK):
            return await look
    except TimeoutError as error:
        raise late(f"no answer within {SECONDS_TO_LOOK:g} s") from error


async def looks(clock: Clock, limit: float) -> AsyncIterator[float]:
    """Yield the elapsed wall seconds at once and again after growing waits; ends when `limit` has passed.

    There is always a look at the very end of the limit, so nothing that came in time is missed.
    """
    started = clock.monotonic()
    wait, longest = (_FIRST_LOOK_PACED, _LONGEST_LOOK_PACED) if clock.pace > 1 else (_FIRST_LOOK, _LONGEST_LOOK)
    elapsed = 0.0
    while True:
        yield elapsed
        if elapsed >= limit:
            return
        # Never less than a clock can tell apart, or the very end is never reached.
        await clock.sleep(max(min(wait, limit - elapsed), _LEAST_LOOK))
        wait = min(wait * _GROWTH, longest)
        elapsed = clock.monotonic() - started
