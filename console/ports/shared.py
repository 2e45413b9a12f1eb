"""The shared record: the journal's store that observers on other machines read.

Lines are those of the journal, bytes and all: the same chain holds in the file and in the store. Every call is bounded
in time. Raises StoreLost when the store cannot be reached or did not answer; the next call tries to connect anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from console.domain.hosting import LogEntry
from console.domain.shared import Answer, Branch, Lease, Observer, SharedRun, Signature


class DriverStore(Protocol):
    """The shared record as a driver uses it."""

    async def login(self) -> str:
        """Whom the database takes us for."""

    async def find(self, run: str) -> SharedRun | None:
        """The run as it stands in the store; None when it is not there."""

    async def runs(self) -> tuple[SharedRun, ...]:
        """Every run of the store, newest first."""

    async def plan(self, run: str) -> str:
        """The frozen plan, as text. Raises JournalError when the run is not there."""

    async def lines(self, run: str, after: int) -> list[bytes]:
        """The lines behind number `after`, all of them, in order."""

    async def create(self, run: str, plan_json: str) -> None:
        """Have the run in the store; again, with the same plan, is harmless."""

    async def claim(self, run: str, driver: Lease, *, expected: int) -> int:
        """Begin an epoch: `expected` + 1, and hold its lease from now on. `expected` is 0 for a run that nobody drove.

        From here on nothing is accepted of earlier epochs, and the session that held the lease is ended. Raises
        TakenOver when the epoch is not the expected one any more. A claim whose answer was lost may be repeated: it is
        answered with the same epoch when it had been carried out for the same driver.
        """

    async def hold(self, run: str, epoch: int) -> None:
        """Confirm that the epoch is still the record's, and hold its lease again after the connection was lost.

        Raises TakenOver.
        """

    async def append(self, run: str, epoch: int, first: int, lines: Sequence[bytes]) -> None:
        """Add lines, numbered from `first`: all of them or none.

        Lines that are there already, byte for byte, are not added again: an append whose answer was lost may be
        repeated. Raises TakenOver when the epoch is not the record's any more, or another line has the number;
        JournalError when `first` leaves a gap.
        """

    async def attach(self, run: str, branch: Branch) -> None:
        """Keep lines that were recorded apart beside the record; again is harmless."""

    async def branches(self, run: str) -> tuple[Branch, ...]:
        """What is kept beside the record, oldest epoch first."""

    async def add_tail(self, run: str, epoch: int, entries: Sequence[LogEntry]) -> None:
        """Add log lines to the tail, which keeps the last ones; nothing is raised for an epoch that has ended."""

    async def observers(self, run: str) -> tuple[Observer, ...]:
        """Who watches the run now, by the database's own list of sessions."""

    async def inbox(self, run: str) -> tuple[Signature, ...]:
        """The signatures that wait for an answer, oldest first."""

    async def answer(self, signature: int, *, accepted: bool, reason: str) -> None:
        """Say what became of a signature; again is harmless."""

    async def wait(self, run: str, seconds: float) -> bool:
        """Wait until something about the run is news for its driver (another epoch, a signature, a branch), or the time
        is over; whether something is. Raises StoreLost as soon as the connection is seen to be gone."""

    async def close(self) -> None:
        """Let go of the lease and the connection; again is harmless. Never raises."""


@dataclass(frozen=True, slots=True)
class News:
    """What the store told by itself. `lines` were pushed by the session that holds the lease, numbered and in order;
    `more`: something was added that has to be read; `tail`: log lines were; `driver`: who drives may have changed."""

    lines: tuple[tuple[int, bytes], ...] = ()
    more: bool = False
    tail: bool = False
    driver: bool = False


class ObserverStore(Protocol):
    """The shared record as an observer uses it: reads only, which the database enforces."""

    async def runs(self) -> tuple[SharedRun, ...]:
        """Every run of the store, newest first."""

    async def plan(self, run: str) -> str:
        """The frozen plan, as text. Raises JournalError when the run is not there."""

    async def lines(self, run: str, after: int, limit: int) -> list[bytes]:
        """The lines behind number `after`, in order, `limit` at most."""

    async def tail(self, run: str, after: int) -> tuple[int, tuple[LogEntry, ...]]:
        """The log lines behind the place `after` (0: all that are kept), and the place behind the last of them."""

    async def lease(self, run: str) -> Lease | None:
        """Whose epoch it is now, and whether their session is alive."""

    async def listen(self, run: str) -> None:
        """Be told of what is added to the run from now on; needed before `wait`, also after StoreLost."""

    async def wait(self, seconds: float) -> News:
        """What was told since the last call; waits for it, `seconds` at most. Raises StoreLost as soon as the
        connection is seen to be gone."""

    async def close(self) -> None:
        """Let go of the connection; again is harmless. Never raises."""


class SignerStore(Protocol):
    """The shared record as somebody uses it who signs from their own machine: an observer with an inbox."""

    async def login(self) -> str:
        """Whom the database takes us for."""

    async def sign(self, signature: Signature) -> int:
        """Put a signature into the inbox; its number. Of the signature given, `id`, `login` and `at` are the
        database's to say. Raises JournalError when the database does not allow it."""

    async def answer_to(self, signature: int) -> Answer | None:
        """What became of a signature of ours; None while it waits."""

    async def close(self) -> None:
        """Let go of the connection; again is harmless. Never raises."""


class RecordPlace(Protocol):
    """Where the shared record lies, seen from the database that is to be migrated."""

    async def place(self) -> Literal["database", "server", ""]:
        """In that database, on its server, or elsewhere ("").

        Raises StoreLost when it is not reached, JournalError when it cannot be used, DatabaseError when the database
        cannot be asked.
        """
