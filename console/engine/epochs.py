"""Which epoch of a shared record this folder's driver held last: `epoch.json` beside the journal.

Written before an epoch is claimed and after: a console that dies between the store's yes and its own note finds its
claim again, and nobody else's is ever taken for it. Written also when somebody else's epoch was seen: from then on the
run is theirs, until an epoch is held here again.
"""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from console.domain.shared import Lease
from console.domain.wire import format_time
from console.engine.sharing import open_in

EPOCH_FILE = "epoch.json"


@dataclass(frozen=True, slots=True)
class Held:
    """The last epoch that was held here (0: none), and the one that was being claimed when this was written.

    `foreign`: somebody else has driven since, and what the journal here holds may be theirs.
    """

    epoch: int = 0
    claiming: int = 0
    claimant: str = ""
    foreign: bool = False

    def covers(self, lease: Lease | None, host: str) -> bool:
        """Whether the epoch of the shared record is ours: nobody has driven elsewhere since we did.

        `host` is where we are. A folder that was copied to another machine says what is true of the first one.
        """
        if lease is None:
            return True
        claimed = lease.epoch == self.claiming and _name(lease) == self.claimant
        return lease.host == host and (lease.epoch == self.epoch or claimed)


def read_held(folder: Path) -> Held:
    """What the run's folder says; nothing held when it says nothing that can be read."""
    try:
        raw = json.loads((folder / EPOCH_FILE).read_bytes())
        return Held(int(raw["epoch"]), int(raw["claiming"]), str(raw["claimant"]), raw.get("foreign") is True)
    except (OSError, ValueError, KeyError, TypeError):
        return Held()


def write_claim(folder: Path, held: Held, expected: int, driver: Lease) -> None:
    """Note that `expected` + 1 is about to be claimed. Raises OSError."""
    _write(folder, Held(held.epoch, expected + 1, _name(driver), held.foreign))


def write_held(folder: Path, epoch: int) -> None:
    """Note that an epoch is held. Raises OSError."""
    _write(folder, Held(epoch))


def write_foreign(folder: Path, held: Held) -> None:
    """Note that somebody else has driven since. Raises OSError."""
    if not held.foreign:
        _write(folder, replace(held, foreign=True))


def _name(driver: Lease) -> str:
    return f"{driver.actor} {driver.pid} {driver.host} {format_time(driver.since)}"


def _write(folder: Path, held: Held) -> None:
    content = json.dumps(asdict(held)).encode()
    new = EPOCH_FILE + ".new"
    with os.fdopen(open_in(folder, new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(folder / new, folder / EPOCH_FILE)
