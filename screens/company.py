"""Who else is there: who drives what is watched, whether the shared record is reached, and who watches what is driven.

Plain data, as it was told last; with the file store nothing of it is known but who drives, to those who watch.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from console.ports import DriverStatus, SharedStatus, Update, Watched


@dataclass(frozen=True, slots=True)
class Company:
    """`changed_at` is when somebody else began to drive, or the same person again, while it was looked at;
    `lost_since` when the shared record was heard to be lost, None while it is reached, or there is none."""

    driver: DriverStatus | None = None
    changed_at: datetime | None = None
    shared: SharedStatus | None = None
    lost_since: datetime | None = None
    watched: Watched | None = None

    def hear(self, update: Update, now: datetime) -> "Company":
        """Take an update; those that are about nobody else change nothing."""
        match update:
            case DriverStatus():
                other = self.driver is not None and self.driver.driving is not update.driving
                other = other or (self.driver is not None and self.driver.pid != update.pid)
                return replace(self, driver=update, changed_at=now if other else self.changed_at)
            case SharedStatus():
                since = None if update.connected else self.lost_since or now
                return replace(self, shared=update, lost_since=since)
            case Watched():
                return replace(self, watched=update)
        return self

    def looked_back(self) -> "Company":
        """What of it is to be told beside a moment of the past: who drove then, the state of that moment says."""
        return replace(self, driver=None, changed_at=None)

    @property
    def unreached(self) -> SharedStatus | None:
        """The shared record where there is one and it is not reached."""
        return self.shared if self.shared is not None and not self.shared.connected else None


ALONE = Company()
