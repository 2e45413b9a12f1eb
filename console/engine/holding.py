"""Who holds a run now: by the lock of its folder on this machine, or by its lease in the shared record.

The two do not say the same of nobody. A lock dies with its process alone: where it is free, nobody drives. A lease's
session also ends when its driver loses the shared record, and then the driver may go on elsewhere.
"""

from dataclasses import dataclass
from pathlib import Path

from console.domain.shared import Lease
from console.domain.wire import format_time
from console.engine.driver import Driver, ask_driver


@dataclass(frozen=True, slots=True)
class Holding:
    """What a look at the lock or the lease found.

    `driver` holds the run; None when nobody is seen to. `hidden` says why that cannot be seen, empty when it can.
    `gone` is the driver of the epoch whose session at the shared record has ended.
    """

    driver: Driver | None = None
    hidden: str = ""
    gone: Driver | None = None


def by_lock(directory: Path) -> Holding:
    """Who holds the lock of a run's folder. To ask takes it for an instant, which a driver who wants it waits for:
    not to be done often."""
    try:
        return Holding(ask_driver(directory))
    except OSError as error:
        return Holding(hidden=error.strerror or str(error))


def by_lease(lease: Lease | None) -> Holding:
    """Who holds a lease."""
    if lease is None:
        return Holding()
    driver = Driver(lease.actor, lease.host, lease.pid, format_time(lease.since))
    return Holding(driver) if lease.held else Holding(gone=driver)
