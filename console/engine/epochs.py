"""Which epoch of a shared record this folder's driver held last: `epoch.json` beside the journal.

Written before an epoch is claimed and after: a console that dies between the store's yes and its own note finds its
claim again, and nobody else's is ever taken for it.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from console.domain.shared import Lease
from console.domain.wire import format_time
from console.engine.sharing import open_in

EPOCH_FILE = "epoch.json"


@dataclass(frozen=True, slots=True)
class Held:
    """The last epoch that was held here (0: none), and the one that was being claimed when this was written."""

    epoch: int = 0
    claiming: int = 0
    claimant: str = ""

    def covers(self, lease: Lease | None) -> bool:
        """Whether the epoch of the shared record is ours: nobody has driven elsewhere since we did."""
        if lease is None:
            return True
        return lease.epoch == self.epoch or (lease.epoch == self.claiming and _name(lease) == self.claimant)


def read_held(folder: Path) -> Held:
    """What the run's folder says; nothing held when it says nothing that can be read."""
    try:
        raw = json.loads((folder / EPOCH_FILE).read_bytes())
        return Held(int(raw["epoch"]), int(raw["claiming"]), str(raw["claimant"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Held()


def write_claim(folder: Path, held: Held, expected: int, driver: Lease) -> None:
    """Note that `expected` + 1 is about to be claimed. Raises OSError."""
    _write(folder, Held(held.epoch, expected + 1, _name(driver)))


def write_held(folder: Path, epoch: int) -> None:
    """Note that an epoch is held. Raises OSError."""
    _write(folder, Held(epoch))


def _name(driver: Lease) -> str:
    return f"{driver.actor} {driver.pid} {driver.host} {format_time(driver.since)}"


def _write(folder: Path, held: Held) -> None:
    content = json.dumps({"epoch": held.epoch, "claiming": held.claiming, "claimant": held.claimant}).encode()
    new = EPOCH_FILE + ".new"
    with os.fdopen(open_in(folder, new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(folder / new, folder / EPOCH_FILE)
