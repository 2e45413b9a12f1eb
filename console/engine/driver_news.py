"""What became of the driver of a run that is watched: told from the journal's events and from who holds the run.

The lock or the lease says whether somebody drives now, the journal who drove before and how they ended. That a driver
died is concluded only when the lock was free before the journal was read to its end, and the end does not say that
they left: so a driver that leaves, or one that takes over meanwhile, is never taken for a dead one. Nor is one that is
only not seen at the shared record any more: they may go on without it.
"""

from dataclasses import dataclass
from datetime import datetime

from console.domain import payload
from console.domain.events import Event, Kind
from console.domain.wire import parse_time
from console.engine.driver import Driver
from console.engine.holding import Holding
from console.ports import DriverStatus, Driving

OF_DRIVERS = frozenset({Kind.DRIVER_JOINED, Kind.DRIVER_LEFT, Kind.RUN_FINISHED})
"""Kinds of events that say what becomes of a driver; of any other it counts only when it was."""


@dataclass(frozen=True, slots=True)
class _Drive:
    """A time at the helm, as the journal has it; `left_at` is None while it did not end in order."""

    actor: str
    host: str
    pid: int
    at: datetime
    left_at: datetime | None = None
    reason: str = ""

    def is_of(self, driver: Driver) -> bool:
        """Whether it is this driver's, who holds the lock."""
        return (self.host, self.pid) == (driver.host, driver.pid) if self.pid else self.actor == driver.actor


class DriverNews:
    """Follows who drives. `see` takes who holds the run, `hear` takes events; `status` is what both together say.

    `shared`: it is the shared record that is asked, where a session that ended is no death.
    """

    def __init__(self, *, shared: bool = False) -> None:
        self._shared = shared
        self._holding = Holding()
        self.forget()

    def forget(self) -> None:
        """The journal is read from its beginning: what it said of drivers will be heard again."""
        self._drive: _Drive | None = None
        self._earlier: _Drive | None = None
        self._last_at: datetime | None = None
        self._over = False

    @property
    def held(self) -> bool:
        """Whether somebody held the run at the last look."""
        return self._holding.driver is not None

    @property
    def left(self) -> bool:
        """Whether the last thing that the journal says of a driver is that they left."""
        return self._drive is not None and self._drive.left_at is not None

    def see(self, holding: Holding) -> None:
        """Take what a look at the lock or the lease found."""
        self._holding = holding

    def hear(self, event: Event) -> bool:
        """Take an event; whether it is about a driver."""
        self._last_at = event.at
        match event.kind:
            case Kind.DRIVER_JOINED:
                self._earlier, self._drive = self._drive, _joined(event)
            case Kind.DRIVER_LEFT if self._drive is not None:
                drive, reason = self._drive, payload.text(event.data, "reason")
                self._drive = _Drive(drive.actor, drive.host, drive.pid, drive.at, event.at, reason)
            case Kind.RUN_FINISHED:
                self._over = True
                return False
            case _:
                return False
        return True

    def status(self) -> DriverStatus:
        """Who drives, or how the last one ended."""
        now, gone, drive = self._holding.driver, self._holding.gone, self._drive
        # Whoever left may still hold the run, with the screens of what they drove before them.
        if now is not None and not (self.left and (self._over or (drive is not None and drive.is_of(now)))):
            return self._driven(now)
        if gone is not None and not (self.left and drive is not None and drive.is_of(gone)):
            return self._apart(gone)
        if self._holding.hidden and not self.left:
            return DriverStatus(Driving.UNKNOWN, f"Who drives cannot be seen from here: {self._holding.hidden}.")
        if drive is None:
            return DriverStatus(Driving.NOBODY, "Nobody has driven this run yet.")
        return self._not_driven(drive)

    def _driven(self, now: Driver) -> DriverStatus:
        since = _time(now.since)
        text = f"{now.actor} drives (process {now.pid} on {now.host})" + (f" since {_clock(since)}" if since else "")
        drive = self._drive
        before = self._earlier if drive is not None and drive.is_of(now) else drive
        died = "" if self._shared else "their console died"
        if before is not None and before.actor == now.actor:
            how = "leaving it" if before.left_at else died
            text += ": resumed" + (f" after {how}" if how else "")
        elif before is not None:
            how = "who had left" if before.left_at else died.replace("their", "whose")
            text += f": took over from {before.actor}" + (f", {how}" if how else "")
        return DriverStatus(Driving.DRIVES, text + ".", now.actor, now.host, now.pid, since)

    def _apart(self, gone: Driver) -> DriverStatus:
        who = gone.actor, gone.host, gone.pid, _time(gone.since)
        heard = f" (last heard of at {_clock(self._last_at)})" if self._last_at else ""
        if self._over:
            text = f"The run is over; {gone.actor} is not at the shared record any more{heard}."
        else:
            text = f"{gone.actor} is not at the shared record any more{heard}; they may go on elsewhere."
        return DriverStatus(Driving.APART, text, *who)

    def _not_driven(self, drive: _Drive) -> DriverStatus:
        who = drive.actor, drive.host, drive.pid, drive.at
        if drive.left_at is not None:
            begin = "The run is over" if self._over else "Nobody drives"
            why = f": {drive.reason}" if drive.reason and not self._over else ""
            return DriverStatus(Driving.LEFT, f"{begin}: {drive.actor} left at {_clock(drive.left_at)}{why}.", *who)
        heard = f"; last heard of at {_clock(self._last_at)}" if self._last_at else ""
        if self._over:
            text = f"The run is over; the console of {drive.actor} died before it could leave{heard}."
        else:
            text = f"Nobody drives: the console of {drive.actor} on {drive.host} died{heard}. Start it to go on."
        return DriverStatus(Driving.DIED, text, *who)


def _joined(event: Event) -> _Drive:
    actor = payload.text(event.data, "actor", event.actor)
    pid = payload.number(event.data, "pid")
    return _Drive(actor, payload.text(event.data, "host"), int(pid), event.at)


def _time(text: str) -> datetime | None:
    try:
        return parse_time(text)
    except (ValueError, TypeError):
        return None


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
