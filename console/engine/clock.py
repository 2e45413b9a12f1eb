"""The clock of a run. The one place where a planned duration becomes wall time."""

import asyncio
import time
from datetime import UTC, datetime


class WallClock:
    """The machine's clock. `pace` divides planned waits and nothing else; it is 1 outside rehearsals."""

    def __init__(self, pace: float = 1.0) -> None:
        if pace <= 0:
            raise ValueError(f"the pace must be above 0, not {pace}")
        self._pace = pace

    @property
    def pace(self) -> float:
        """By how much planned waits are divided."""
        return self._pace

    def now(self) -> datetime:
        """The wall time, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Wall seconds since some moment; never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for wall seconds."""
        await asyncio.sleep(seconds)

    async def pause(self, planned: float, *, minimum: float = 0.0) -> None:
        """Wait for planned seconds divided by the pace, but at least `minimum` wall seconds."""
        await asyncio.sleep(max(planned / self._pace, minimum))
