"""What the families of the preflight stand on: the plan, the ports, and where the release's branches are now."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from console.domain.plan import Plan
from console.errors import ConsoleError, RepositoryError
from console.ports import Backups, Database, Hosting, RecordPlace, Repository

_READ_AT_ONCE = 8


class Ports(Protocol):
    """What the preflight asks; it only reads."""

    @property
    def hosting(self) -> Hosting:
        """Services and their deploys."""

    @property
    def backups(self) -> Backups:
        """The database at the provider, its exports and its recovery window."""

    @property
    def repository(self) -> Repository:
        """The release's repository."""

    @property
    def database(self) -> Database:
        """The database that is to be migrated."""

    @property
    def record(self) -> RecordPlace | None:
        """Where the shared record lies; None where nothing is shared."""


@dataclass(frozen=True, slots=True)
class Tips:
    """Where the source and the target branch of the release stand at the remote: full hashes."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Ground:
    """One preflight's view. `tips` raises what kept the branches from being seen, for every family that needs them.

    `drivers` are the names of whoever drives, as `RunState.drivers` has them; empty where nobody is known to.
    """

    plan: Plan
    ports: Ports
    found: Tips | ConsoleError
    drivers: tuple[str, ...] = ()

    @classmethod
    async def open(cls, plan: Plan, ports: Ports, seconds: float, drivers: tuple[str, ...] = ()) -> "Ground":
        """Bring the clone up to date and look where the branches are."""
        try:
            async with asyncio.timeout(seconds):
                await ports.repository.fetch()
                source = await ports.repository.tip(plan.release.source)
                return cls(plan, ports, Tips(source, await ports.repository.tip(plan.release.target)), drivers)
        except ConsoleError as error:
            return cls(plan, ports, error, drivers)
        except TimeoutError:
            silent = RepositoryError(f"The repository did not answer within {seconds:.0f} s.")
            return cls(plan, ports, silent, drivers)

    @property
    def tips(self) -> Tips:
        """The branches' tips. Raises RepositoryError."""
        if isinstance(self.found, ConsoleError):
            raise self.found
        return self.found

    async def code(self, commit: str, folders: Sequence[str]) -> Mapping[str, bytes]:
        """The files at or under `folders` in a commit. Raises RepositoryError."""
        gate = asyncio.Semaphore(_READ_AT_ONCE)

        async def read(path: str) -> tuple[str, bytes]:
            async with gate:
                return path, await self.ports.repository.read(commit, path)

        paths = [path for path in await self.ports.repository.paths(commit) if _within(path, folders)]
        return dict(await asyncio.gather(*map(read, paths)))


def listed(items: Sequence[object], most: int = 5) -> str:
    """Items in one line, the first few by name."""
    shown = ", ".join(str(item) for item in items[:most])
    return f"{shown} and {len(items) - most} more" if len(items) > most else shown


def _within(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)
