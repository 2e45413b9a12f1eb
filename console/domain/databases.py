"""The database in the domain's own types."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DatabaseIdentity:
    """Which server answers and as whom we speak to it. `clock_offset` is server minus console, in seconds."""

    host: str
    port: int
    database: str
    role: str
    version: str
    tls: str
    in_recovery: bool
    system_identifier: str
    superuser: bool
    clock_offset: float
    server_time: datetime


@dataclass(frozen=True, slots=True)
class Backend:
    """A session of the database: `waits_for` are the pids that block it; times in seconds."""

    pid: int
    application: str
    user: str
    state: str
    query_seconds: float
    transaction_seconds: float
    wait: str
    waits_for: tuple[int, ...]
    query: str


@dataclass(frozen=True, slots=True)
class TableCount:
    """Rows of a table, exactly counted, and its cumulative counters of inserts, updates, deletes."""

    table: str
    rows: int
    inserted: int
    updated: int
    deleted: int


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What a restore into a scratch server proved, and by name what it could not prove here."""

    server: str
    seconds: float
    objects: int
    unproven: tuple[str, ...]
