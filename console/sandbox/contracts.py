"""What the rehearsal's Render stand-in needs from the rest of the rehearsal's world.

The stand-in (`console.sandbox.render`) speaks the provider's HTTP API and knows nothing of git, PostgreSQL
or the CRM application beyond these protocols; the world implements them with a real repository, real
servers and real processes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

Role = Literal["backend", "frontend"]
EnvironmentName = Literal["production", "staging", "devtest"]

SERVER_VERSION = "18"
"""The PostgreSQL that the rehearsal has."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Divides the waits that the sandbox invents (builds, exports, traffic); never real work or time-outs."""

    factor: float = 1.0

    def seconds(self, planned: float) -> float:
        """Wall seconds for `planned` seconds of invented waiting."""
        return planned / self.factor


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """A commit as the provider shows it: full hash, message, and when it was committed (UTC)."""

    id: str
    message: str
    created_at: datetime


class Source(Protocol):
    """The git remote, as the provider sees it."""

    @property
    def url(self) -> str:
        """The remote's URL (`file://…`)."""
        ...

    async def head(self, branch: str) -> str | None:
        """Full hash of a branch's tip, or None when the branch does not exist."""
        ...

    async def commit(self, rev: str) -> CommitInfo | None:
        """The commit that `rev` (full or abbreviated hash) names, or None."""
        ...

    async def changed_files(self, old: str, new: str) -> tuple[str, ...]:
        """Paths that differ between two commits."""
        ...

    async def checkout(self, commit: str, destination: Path) -> None:
        """Write the tree of `commit` into the new folder `destination`."""
        ...


class RunningApp(Protocol):
    """One started instance of the CRM application: a real process that listens on loopback."""

    @property
    def port(self) -> int:
        """The loopback port it listens on."""
        ...

    @property
    def pid(self) -> int:
        """The process id."""
        ...

    async def healthy(self, timeout: float) -> bool:
        """Wait up to `timeout` wall seconds for its health check to answer 200."""
        ...

    async def stop(self) -> None:
        """End the process, gently and then not."""
        ...


class Apps(Protocol):
    """Starts the CRM application from a checkout."""

    async def start(
        self,
        *,
        role: Role,
        root: Path,
        env: Mapping[str, str],
        on_line: Callable[[str], None],
    ) -> RunningApp:
        """Start one instance of `role` from the checked-out tree `root`.

        `env` holds the service's environment variables (`DATABASE_URL`, `BACKEND_URL`, `COMMIT`, …);
        `on_line` receives every line that the process prints.
        """
        ...


@dataclass(frozen=True, slots=True)
class DatabaseInstance:
    """A running PostgreSQL server of the sandbox."""

    id: str
    name: str
    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    version: str
    created_at: datetime

    @property
    def url(self) -> str:
        """The connection string, password included."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{self.database}"


class Databases(Protocol):
    """The PostgreSQL servers: each id names a real server."""

    async def get(self, postgres_id: str) -> DatabaseInstance | None:
        """The instance, or None."""
        ...

    async def dump(self, postgres_id: str, destination: Path) -> int:
        """Write a real `pg_dump` directory archive as a `.dir.tar.gz` file; its size in bytes."""
        ...

    async def earliest_recovery(self, postgres_id: str) -> datetime:
        """The first moment to which recovery is possible (the end of the base backup)."""
        ...

    async def recover(
        self, postgres_id: str, *, new_id: str, new_name: str, restore_time: datetime
    ) -> DatabaseInstance:
        """Start a second real server: base backup plus WAL replay to `restore_time`."""
        ...

    async def create(
        self, postgres_id: str, name: str, *, database: str, user: str, protect: bool = False
    ) -> DatabaseInstance:
        """Start a new real server with an empty `database` that `user` owns; `protect`: it can be recovered, too."""
        ...

    async def set_suspended(self, postgres_id: str, suspended: bool) -> None:
        """Stop or start the server."""
        ...


class Faults(Protocol):
    """Which faults this rehearsal practises; each happens in the world, none is told to the console."""

    def active(self, name: str, target: str | None = None) -> bool:
        """Whether fault `name` is on (for `target`, where the fault takes one: `build-fails=backend`)."""
        ...

    def take(self, name: str, target: str | None = None) -> bool:
        """Like `active`, but true only the first time over the life of this world (durably)."""
        ...
