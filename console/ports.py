"""The contracts between the rooms: what the engine and the actions ask of the outside world.

Ports speak the domain's types, translate every vendor error into `console.errors`, and bound every call
that leaves the process in time. Implementations are in `console.adapters`; fakes in the tests.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from console.domain.databases import Backend, DatabaseIdentity, RestoreReport, TableCount
from console.domain.events import Draft, Event
from console.domain.hosting import (
    Deploy,
    Download,
    Export,
    LogEntry,
    LogPage,
    PostgresInfo,
    RecoveryWindow,
    Series,
    ServiceInfo,
)
from console.domain.intents import Intent
from console.domain.outcome import Evidence, Preview, Probe, Progress
from console.domain.plan import Json, Plan, Step
from console.domain.source import Commit, FileChange, MergePreview
from console.domain.state import RunState

Row = dict[str, object]


class Clock(Protocol):
    """Time. `pause` waits for planned seconds, which the pace of a rehearsal divides; `sleep` for wall seconds."""

    @property
    def pace(self) -> float:
        """By how much planned waits are divided; 1 outside rehearsals."""

    def now(self) -> datetime:
        """The wall time, UTC."""

    def monotonic(self) -> float:
        """Wall seconds since some moment; never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Wait for wall seconds: polling, back-off, time-outs."""

    async def pause(self, planned: float, *, minimum: float = 0.0) -> None:
        """Wait for planned seconds divided by the pace, but at least `minimum` wall seconds."""


class Journal(Protocol):
    """The record of a run; one writer. `append` returns when the event is durable."""

    @property
    def run(self) -> str:
        """The run's id."""

    @property
    def directory(self) -> Path:
        """The run's folder; `artifacts/` lies in it."""

    async def append(self, draft: Draft, *, at: datetime, actor: str) -> Event:
        """Write one event, flushed and synced. Raises JournalError when the disk refuses; then nothing was written."""

    def events(self) -> Sequence[Event]:
        """All events so far, oldest first."""

    async def close(self) -> None:
        """Give up the lock."""


Report = Callable[[Progress], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Context:
    """What an action is given: the plan, its step, the run so far, and a way to hear that it should stop.

    `before` and `recorded` come from the journal (`step.started` and the durable progress of the current
    attempt) and are what a probe compares the world with. `limits` are the reading limits that the
    confirmation accepted. `stopping()` is asked at safe points: when true, raise `Stopped`.
    """

    plan: Plan
    step: Step
    run: str
    state: RunState
    clock: Clock
    artifacts: Path
    before: Mapping[str, Json] = field(default_factory=dict)
    recorded: tuple[Mapping[str, Json], ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    attempt: int = 1
    stopping: Callable[[], bool] = lambda: False

    @property
    def marker(self) -> str:
        """`rc/<run>/<step>`: marks connections and whatever the console creates."""
        return f"rc/{self.run}/{self.step.id}"


class Action(Protocol):
    """The code behind a step."""

    @property
    def destructive(self) -> bool:
        """Whether it changes production; then it performs only with a confirmation."""

    async def preview(self, ctx: Context) -> Preview:
        """What it will do. Reads only. Raises StepFailed when it cannot be done as things are."""

    async def probe(self, ctx: Context) -> Probe:
        """Whether it was done since `ctx.before`. Reads only."""

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Do it, bounded in time. Raises StepFailed (or ServiceError) with what state production is in."""

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """Look from outside whether it worked. Raises VerificationFailed with the difference."""


@dataclass(frozen=True, slots=True)
class StateChanged:
    """Events were appended; `state` is the fold with them."""

    state: RunState
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class StepNews:
    """A running step said something that is not journaled."""

    step: str
    progress: Progress


@dataclass(frozen=True, slots=True)
class LogLines:
    """Log lines arrived, oldest first."""

    entries: tuple[LogEntry, ...]


@dataclass(frozen=True, slots=True)
class TailStatus:
    """Whether the log of the services is being heard; `reason` when it is not."""

    connected: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class JournalFailed:
    """The run can no longer be recorded, and so not driven: what runs stops at its next safe point, nothing starts."""

    message: str
    remedy: str = ""


Update = StateChanged | StepNews | LogLines | TailStatus | JournalFailed


class Feed(Protocol):
    """Everything that screens and observers see of a run, on the event loop of the run."""

    @property
    def state(self) -> RunState:
        """The state as it is now."""

    @property
    def tail(self) -> Sequence[LogEntry]:
        """The last log lines, oldest first, bounded."""

    def subscribe(self, listener: Callable[[Update], None]) -> Callable[[], None]:
        """Be told of every update from now on; call the result to stop. A listener must not block or raise."""


class Helm(Protocol):
    """Where intents go. An observer has none."""

    async def send(self, intent: Intent) -> None:
        """Ask for something. Returns when its events are durable; raises Refused with the reason."""


class Hosting(Protocol):
    """Services and their deploys at the provider. Raises HostingError."""

    async def now(self) -> datetime:
        """The provider's time (its `Date` header)."""

    async def service(self, service_id: str) -> ServiceInfo:
        """One service."""

    async def deploys(self, service_id: str, *, limit: int = 20) -> tuple[Deploy, ...]:
        """The latest deploys, newest first."""

    async def deploy(self, service_id: str, deploy_id: str) -> Deploy:
        """One deploy."""

    async def start_deploy(self, service_id: str, commit: str) -> Deploy | None:
        """Deploy a commit. None when the provider queued it without saying which (202 without a body)."""

    async def cancel_deploy(self, service_id: str, deploy_id: str) -> Deploy:
        """Cancel a deploy that has not ended."""

    async def roll_back(self, service_id: str, deploy_id: str) -> Deploy:
        """Serve an earlier build again; its environment variables come with it."""

    async def set_auto_deploy(self, service_id: str, trigger: str) -> ServiceInfo:
        """`commit`, `checksPass` or `off`."""


class Backups(Protocol):
    """Database instances, exports and recovery at the provider. Raises HostingError."""

    async def postgres(self, postgres_id: str) -> PostgresInfo:
        """One instance."""

    async def exports(self, postgres_id: str) -> tuple[Export, ...]:
        """The exports that the provider keeps, newest first."""

    async def request_export(self, postgres_id: str) -> None:
        """Ask for an export; the provider names none. `HostingError.sent` tells whether it may have begun."""

    async def download(self, export: Export, destination: Path, report: Report) -> Download:
        """Stream an export to a file of mode 0600, hashing on the way."""

    async def recovery(self, postgres_id: str) -> RecoveryWindow:
        """The point-in-time recovery window."""


class Telemetry(Protocol):
    """Logs and metrics at the provider. Raises HostingError."""

    async def logs(
        self,
        service_ids: Sequence[str],
        *,
        start: datetime,
        end: datetime,
        kinds: Sequence[str] = (),
        limit: int = 100,
        direction: str = "forward",
    ) -> LogPage:
        """A page of log lines in a window."""

    def follow(self, service_ids: Sequence[str], *, since: datetime) -> AsyncIterator[LogEntry]:
        """Log lines as they come: reconnects, backfills what it missed, never doubles a line. Endless."""

    async def requests(self, service_id: str, *, start: datetime, end: datetime) -> tuple[Series, ...]:
        """HTTP requests per interval, a series a status code."""

    async def latency(self, service_id: str, *, start: datetime, end: datetime) -> tuple[Series, ...]:
        """Latency quantiles in milliseconds."""

    async def usage(self, resource_id: str, metric: str, *, start: datetime, end: datetime) -> tuple[Series, ...]:
        """`cpu`, `memory` or `active-connections`."""


class Repository(Protocol):
    """The release's repository: a clone of the console's own. Raises RepositoryError."""

    async def fetch(self) -> None:
        """Bring the clone up to date with the remote (cloning it on first use)."""

    async def tip(self, branch: str) -> str:
        """A branch's tip at the remote, now. Raises RepositoryError when it is gone."""

    async def resolve(self, rev: str) -> Commit:
        """The commit that a (possibly abbreviated) revision names."""

    async def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether `descendant` contains `ancestor`."""

    async def commits(self, base: str, head: str) -> tuple[Commit, ...]:
        """The commits of `head` that `base` lacks, newest first."""

    async def changes(self, base: str, head: str) -> tuple[FileChange, ...]:
        """The files that differ from `base` to `head`."""

    async def preview_merge(self, source: str, target: str) -> MergePreview:
        """What merging commit `source` into commit `target` would bring; touches nothing."""

    async def merge(self, source: str, target: str, message: str) -> Commit:
        """Make the merge commit (never a fast-forward) in the clone, not at the remote. Raises MergeConflict."""

    async def push(self, commit: str, branch: str, *, expected_tip: str) -> None:
        """Push without force; raises PushRejected when the remote's tip is not `expected_tip` any more."""

    async def read(self, commit: str, path: str) -> bytes:
        """A file's bytes at a commit."""

    async def paths(self, commit: str) -> tuple[str, ...]:
        """All files at a commit."""


class Session(Protocol):
    """One database session. Raises DatabaseError with the SQLSTATE."""

    @property
    def pid(self) -> int:
        """The backend's process id."""

    async def fetch(self, sql: str, params: Mapping[str, object] | None = None) -> list[Row]:
        """Run one statement and return its rows. Parameters are written `%(name)s`; without any, `%` is itself."""

    async def execute(self, sql: str, params: Mapping[str, object] | None = None) -> int:
        """Run one statement; how many rows it touched (-1 where that means nothing)."""

    async def notices(self) -> tuple[str, ...]:
        """Notices and warnings since the last call."""


class Database(Protocol):
    """A PostgreSQL database. Raises DatabaseError."""

    async def identity(self) -> DatabaseIdentity:
        """Who answers, how the line is protected, whose clock."""

    def session(
        self, application: str, *, settings: Mapping[str, str] | None = None, read_only: bool = False
    ) -> AbstractAsyncContextManager[Session]:
        """A session in autocommit; `BEGIN`, `COMMIT` are statements. Closed, and so rolled back, on the way out.

        `settings` are server settings for this session, e.g. `{"lock_timeout": "3s"}`.
        """

    async def fetch(self, sql: str, params: Mapping[str, object] | None = None) -> list[Row]:
        """Run one read in a short session of its own, in a read-only transaction."""

    async def counts(self) -> tuple[TableCount, ...]:
        """Exact row counts of every ordinary table outside the system schemas, with their counters."""

    async def backends(self) -> tuple[Backend, ...]:
        """The client sessions of this database, our own reading one left out."""

    async def end_backend(self, pid: int) -> bool:
        """End a session (`pg_terminate_backend`)."""


class ScratchPostgres(Protocol):
    """A throw-away PostgreSQL server into which a backup can be restored."""

    def restored(self, archive: Path, report: Report) -> AbstractAsyncContextManager[tuple[Database, RestoreReport]]:
        """Restore a directory archive (`.dir.tar.gz`) and give the database; gone on the way out.

        Raises StepFailed when the archive cannot be listed or restored.
        """

    async def listing(self, archive: Path) -> tuple[str, ...]:
        """The table of contents, as `pg_restore --list` gives it."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP answer: status, parsed JSON (None when it is none), the first part of the text, milliseconds."""

    status: int
    body: Json
    text: str
    milliseconds: float


class Web(Protocol):
    """HTTP to the deployed services, for checks. Raises ServiceError when there is no answer."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
    ) -> HttpAnswer:
        """One request; never retried, never redirected to another host."""


class Notifier(Protocol):
    """Words to the stakeholders."""

    async def send(self, subject: str, text: str) -> tuple[str, ...]:
        """Send to every channel; the names of the channels that failed."""
