"""The provider's time from the console's clock: log and metric windows are the provider's, not ours."""

from datetime import datetime, timedelta

from console.ports import Clock, Hosting

# The provider's time comes from a header of whole seconds: a smaller difference than this is no difference.
_GRAIN = timedelta(seconds=2)


class ProviderTime:
    """Gives the provider's time without asking for it every time. Make it with `measured`."""

    def __init__(self, clock: Clock, skew: timedelta) -> None:
        self._clock = clock
        self._skew = skew

    @classmethod
    async def measured(cls, hosting: Hosting, clock: Clock) -> "ProviderTime":
        """Ask the provider once. Raises HostingError."""
        skew = await hosting.now() - clock.now()
        return cls(clock, skew if abs(skew) > _GRAIN else timedelta())

    def now(self) -> datetime:
        """The provider's time, UTC."""
        return self._clock.now() + self._skew

    def of(self, console_time: datetime) -> datetime:
        """The provider's time at a moment of the console's clock."""
        return console_time + self._skew
