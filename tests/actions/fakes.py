"""The world as the actions' tests need it: fakes of the ports, and the context of a step in a run.

Time passes only when somebody sleeps; `FakeClock.after` lets the world move at a moment of that time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha1
from pathlib import Path

from msgspec import structs

from console.actions.catalogue import CATALOGUE
from console.config import load
from console.domain.databases import Backend, DatabaseIdentity, RestoreReport, TableCount
from console.domain.hosting import (
    Deploy,
    DeployStatus,
    Download,
    Export,
    LogEntry,
    LogPage,
    PostgresInfo,
    RecoveryWindow,
    Sample,
    Series,
    ServiceInfo,
)
from console.domain.outcome import Evidence, Progress
from console.domain.plan import Json, Plan
from console.domain.source import Commit, FileChange, MergePreview
from console.domain.state import Attempt, RunState, StepState, StepStatus
from console.errors import HostingError
from console.ports import Context, Database, HttpAnswer, Report, Row, Session

START = datetime(2026, 2, 4, 20, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


@cache
def the_plan() -> Plan:
    """The plan of migration 020."""
    return load(ROOT / "config.toml", CATALOGUE)


class FakeClock:
    """Time that passes by sleeping only; it begins at `start`."""

    def __init__(self, pace: float = 1.0) -> None:
        self.pace = pace
        self.start = START
        self._seconds = 0.0
        self._agenda: list[tuple[float, Callable[[], None]]] = []

    def after(self, seconds: float, happens: Callable[[], None]) -> None:
        """Let something happen when so many seconds have passed since the beginning."""
        self._agenda.append((seconds, happens))
        self._agenda.sort(key=lambda entry: entry[0])

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        until = self._seconds + seconds
        while self._agenda and self._agenda[0][0] <= until:
            when, happens = self._agenda.pop(0)
            self._seconds = max(self._seconds, when)
            happens()
        self._seconds = until
        await asyncio.sleep(0)

    async def pause(self, planned: float, *, minimum: float = 0.0) -> None:
        await self.sleep(max(planned / self.pace, minimum))


class Reports:
    """Remembers what an action reported."""

    def __init__(self) -> None:
        self.heard: list[Progress] = []

    async def __call__(self, progress: Progress) -> None:
        self.heard.append(progress)

    @property
    def durable(self) -> tuple[Mapping[str, Json], ...]:
        return tuple(progress.data for progress in self.heard if progress.durable)


@dataclass
class Lost:
    """How a request goes wrong: with a status or without an answer, and whether it was carried out all the same."""

    status: int | None = None
    done: bool = False

    def error(self) -> HostingError:
        refused = self.status is not None and self.status < 500
        return HostingError("the answer was lost", status=self.status, sent=not refused)


class FakeHosting:
    """Services and deploys. `trouble` are the fates of the next requests for a deploy."""

    def __init__(self, clock: FakeClock, plan: Plan) -> None:
        self._clock = clock
        self.services = {
            s.id: ServiceInfo(s.id, s.name, s.branch, "commit", False, plan.release.repository, url=s.url)
            for s in plan.services
        }
        self.all: dict[str, list[Deploy]] = {service.id: [] for service in plan.services}
        self.trouble: list[Lost] = []
        self.started: list[tuple[str, str]] = []

    def add(
        self,
        service_id: str,
        commit: str,
        status: DeployStatus = DeployStatus.LIVE,
        trigger: str = "new_commit",
        message: str = "a commit",
    ) -> Deploy:
        """A deploy appears; one that is live replaces the one before."""
        name = f"dep-{len(self.all[service_id])}-{service_id[-4:]}"
        deploy = Deploy(name, service_id, DeployStatus.CREATED, commit, message, trigger, self._clock.now())
        self.all[service_id].insert(0, deploy)
        return self.turn(deploy, status)

    def turn(self, deploy: Deploy, status: DeployStatus) -> Deploy:
        """A deploy changes its status."""
        deploys = self.all[deploy.service]
        if status is DeployStatus.LIVE:
            for place, other in enumerate(deploys):
                if other.status is DeployStatus.LIVE:
                    deploys[place] = replace(other, status=DeployStatus.DEACTIVATED)
        place = next(n for n, other in enumerate(deploys) if other.id == deploy.id)
        ended = self._clock.now() if status.ended else None
        deploys[place] = replace(deploys[place], status=status, finished_at=ended)
        return deploys[place]

    async def now(self) -> datetime:
        return self._clock.now().replace(microsecond=0)

    async def service(self, service_id: str) -> ServiceInfo:
        return self.services[service_id]

    async def deploys(self, service_id: str, *, limit: int = 20) -> tuple[Deploy, ...]:
        return tuple(self.all[service_id][:limit])

    async def deploy(self, service_id: str, deploy_id: str) -> Deploy:
        return next(deploy for deploy in self.all[service_id] if deploy.id == deploy_id)

    async def start_deploy(self, service_id: str, commit: str) -> Deploy | None:
        fate = self.trouble.pop(0) if self.trouble else None
        if fate is None or fate.done:
            self.started.append((service_id, commit))
            self.add(service_id, commit, DeployStatus.QUEUED, "api")
        if fate is not None:
            raise fate.error()
        return None

    async def cancel_deploy(self, service_id: str, deploy_id: str) -> Deploy:
        raise NotImplementedError

    async def roll_back(self, service_id: str, deploy_id: str) -> Deploy:
        raise NotImplementedError

    async def set_auto_deploy(self, service_id: str, trigger: str) -> ServiceInfo:
        raise NotImplementedError


class FakeBackups:
    """Exports that take `takes` seconds (None: for ever). `trouble` are the fates of the next requests."""

    def __init__(self, clock: FakeClock, takes: float | None = 60.0) -> None:
        self._clock = clock
        self.takes = takes
        self.list: list[Export] = []
        self.trouble: list[Lost] = []
        self.asked = 0
        self.content = b"an archive"

    def begin(self, takes: float | None) -> Export:
        """Somebody's export begins now."""
        export = Export(f"exp-{len(self.list)}", self._clock.now())
        self.list.insert(0, export)
        if takes is not None:
            self._clock.after(self._clock.monotonic() + takes, lambda: self._ready(export.id))
        return export

    def _ready(self, export_id: str) -> None:
        place = next(n for n, export in enumerate(self.list) if export.id == export_id)
        self.list[place] = replace(self.list[place], url="https://storage.test/secret")

    async def postgres(self, postgres_id: str) -> PostgresInfo:
        return PostgresInfo(postgres_id, "crm", "available", "16", START)

    async def exports(self, postgres_id: str) -> tuple[Export, ...]:
        return tuple(self.list)

    async def request_export(self, postgres_id: str) -> None:
        fate = self.trouble.pop(0) if self.trouble else None
        self.asked += 1
        if fate is None or fate.done:
            self.begin(self.takes)
        if fate is not None:
            raise fate.error()

    async def download(self, export: Export, destination: Path, report: Report) -> Download:
        from hashlib import sha256

        destination.write_bytes(self.content)
        destination.chmod(0o600)
        return Download(str(destination), len(self.content), sha256(self.content).hexdigest())

    async def recovery(self, postgres_id: str) -> RecoveryWindow:
        return RecoveryWindow("AVAILABLE", START - timedelta(days=3))


class FakeRepository:
    """Commits with parents; files are the same for every commit unless `trees` says otherwise."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.known: dict[str, Commit] = {}
        self.trees: dict[str, dict[str, bytes]] = {}
        self.branches: dict[str, str] = {}
        self.changed = plan.release.files
        self.conflicts: tuple[str, ...] = ()
        self.before_push: Callable[[], None] = lambda: None
        self.lose_push: Exception | None = None
        self.pushes: list[str] = []

    def commit(self, subject: str, *parents: str, author: str = "Priya Raman", message: str = "") -> str:
        """A commit; its hash follows from its subject."""
        digest = sha1(subject.encode()).hexdigest()
        self.known[digest] = Commit(digest, subject, message or subject, author, START, parents)
        return digest

    async def fetch(self) -> None:
        return None

    async def tip(self, branch: str) -> str:
        return self.branches[branch]

    async def resolve(self, rev: str) -> Commit:
        return next(commit for commit in self.known.values() if commit.id.startswith(rev) or commit.subject == rev)

    async def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        return ancestor in self._history(descendant)

    async def commits(self, base: str, head: str) -> tuple[Commit, ...]:
        older = self._history(base)
        return tuple(self.known[each] for each in self._history(head) if each not in older)

    async def changes(self, base: str, head: str) -> tuple[FileChange, ...]:
        return tuple(FileChange(path, "M", 3, 1) for path in self.changed)

    async def preview_merge(self, source: str, target: str) -> MergePreview:
        commits, files = await self.commits(target, source), await self.changes(target, source)
        return MergePreview(source, target, commits, files, self.conflicts, await self.commits(source, target))

    async def merge(self, source: str, target: str, message: str) -> Commit:
        return self.known[self.commit(f"merge {source[:4]} {target[:4]}", target, source, message=message)]

    async def push(self, commit: str, branch: str, *, expected_tip: str) -> None:
        from console.errors import PushRejected

        self.before_push()
        if self.branches[branch] != expected_tip:
            raise PushRejected(f"{branch} has moved")
        self.pushes.append(commit)
        self.branches[branch] = commit
        if self.lose_push is not None:
            raise self.lose_push

    async def read(self, commit: str, path: str) -> bytes:
        from console.errors import RepositoryError

        tree = self.trees.get(commit, self.trees.get("", {}))
        if path not in tree:
            raise RepositoryError(f"{path} is not there")
        return tree[path]

    async def paths(self, commit: str) -> tuple[str, ...]:
        return tuple(self.trees.get(commit, self.trees.get("", {})))

    def _history(self, commit: str) -> list[str]:
        seen: list[str] = []
        ahead = [commit]
        while ahead:
            here = ahead.pop()
            if here in self.known and here not in seen:
                seen.append(here)
                ahead += self.known[here].parents
        return seen


IDENTITY = DatabaseIdentity(
    "db.test", 5432, "crm", "crm_owner", "16.4", "TLSv1.3, verified", False, "7001", False, 0.0, START
)


class FakeDatabase:
    """Answers a query by the first of `answers` whose key stands in it; `otherwise` finds nothing, or is an error."""

    def __init__(self, answers: Mapping[str, list[Row]] | None = None, *, otherwise: bool = False) -> None:
        self.otherwise = otherwise
        self.answers: dict[str, list[Row]] = {"pg_current_snapshot": [{"snapshot": "10:10:"}], **(answers or {})}
        self.who = IDENTITY
        self.tables: list[tuple[TableCount, ...]] = []
        self.sessions: tuple[Backend, ...] = ()
        self.asked: list[str] = []

    async def identity(self) -> DatabaseIdentity:
        return self.who

    def session(
        self, application: str, *, settings: Mapping[str, str] | None = None, read_only: bool = False
    ) -> AbstractAsyncContextManager[Session]:
        raise NotImplementedError

    async def fetch(self, sql: str, params: Mapping[str, object] | None = None) -> list[Row]:
        self.asked.append(sql)
        for key, rows in self.answers.items():
            if key in sql:
                return rows
        if not self.otherwise:
            raise AssertionError(f"unexpected query: {sql}")
        return []

    async def counts(self) -> tuple[TableCount, ...]:
        return self.tables.pop(0) if len(self.tables) > 1 else self.tables[0] if self.tables else ()

    async def backends(self) -> tuple[Backend, ...]:
        return self.sessions

    async def end_backend(self, pid: int) -> bool:
        raise NotImplementedError


class FakeScratch:
    """A restore that brings the given counts."""

    def __init__(self, tables: Sequence[TableCount], unproven: tuple[str, ...] = ()) -> None:
        self.database = FakeDatabase()
        self.database.tables = [tuple(tables)]
        self.unproven = unproven
        self.entries: tuple[str, ...] = ("1; TABLE DATA public accounts",)

    @asynccontextmanager
    async def restored(self, archive: Path, report: Report) -> AsyncIterator[tuple[Database, RestoreReport]]:
        yield self.database, RestoreReport("PostgreSQL 16.4 (fake)", 1.5, 3, self.unproven)

    async def listing(self, archive: Path) -> tuple[str, ...]:
        return self.entries


Answer = HttpAnswer | Exception


class FakeWeb:
    """Answers by method and path; what is not foreseen is a 404. A list is used up to its last answer."""

    def __init__(self) -> None:
        self.foreseen: dict[str, list[Answer]] = {}
        self.asked: list[str] = []
        self.bodies: list[Json] = []
        self.on_request: Callable[[str, str], None] = lambda method, url: None

    def answer(self, request: str, *answers: Answer) -> None:
        """`GET /path` is answered so, in order."""
        self.foreseen[request] = list(answers)

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
    ) -> HttpAnswer:
        path = "/" + url.split("://", 1)[1].partition("/")[2]
        self.asked.append(f"{method} {path}")
        self.bodies.append(body)
        self.on_request(method, url)
        answers = self.foreseen.get(f"{method} {path}", [HttpAnswer(404, None, "not found", 1.0)])
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(found, Exception):
            raise found
        return found


def ok(body: Json, status: int = 200) -> HttpAnswer:
    """An answer with a JSON body."""
    return HttpAnswer(status, body, "", 12.0)


class FakeTelemetry:
    """A log and request counts. `late` seconds pass before a line can be read; pages hold `page` lines."""

    def __init__(self, clock: FakeClock, page: int = 3) -> None:
        self._clock = clock
        self._page = page
        self.lines: list[LogEntry] = []
        self.statuses: dict[str, dict[str, list[tuple[datetime, float]]]] = {}
        self.p95: dict[str, float] = {}
        self.fails = 0

    def say(self, service: str, text: str, kind: str = "app", level: str = "info", instance: str = "new") -> LogEntry:
        """A service writes a line now."""
        entry = LogEntry(f"log-{len(self.lines)}", self._clock.now(), service, text, kind, level, instance)
        self.lines.append(entry)
        return entry

    def count(self, service: str, status: str, requests: int) -> None:
        """Requests are answered now."""
        self.statuses.setdefault(service, {}).setdefault(status, []).append((self._clock.now(), requests))

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
        self._fail()
        fits = [e for e in self.lines if e.service in service_ids and start <= e.at <= end]
        fits = [e for e in fits if not kinds or e.kind in kinds]
        if direction == "backward":
            return LogPage(tuple(fits[-limit:]), False)
        page = fits[: self._page]
        # Several lines of one moment never straddle a page of the provider's.
        while len(page) < len(fits) and fits[len(page)].at == page[-1].at:
            page.append(fits[len(page)])
        rest = fits[len(page) :]
        return LogPage(tuple(page), bool(rest), rest[0].at if rest else None, end if rest else None)

    def follow(self, service_ids: Sequence[str], *, since: datetime) -> AsyncIterator[LogEntry]:
        raise NotImplementedError

    async def requests(self, service_id: str, *, start: datetime, end: datetime) -> tuple[Series, ...]:
        self._fail()
        return tuple(
            Series({"statusCode": status}, tuple(Sample(at, n) for at, n in values if start <= at <= end))
            for status, values in self.statuses.get(service_id, {}).items()
        )

    async def latency(self, service_id: str, *, start: datetime, end: datetime) -> tuple[Series, ...]:
        value = self.p95.get(service_id)
        return () if value is None else (Series({"quantile": "0.95"}, (Sample(end, value),), "ms"),)

    async def usage(self, resource_id: str, metric: str, *, start: datetime, end: datetime) -> tuple[Series, ...]:
        return ()

    def _fail(self) -> None:
        if self.fails > 0:
            self.fails -= 1
            raise HostingError("the provider does not answer", sent=False)


@dataclass
class Run:
    """A run in progress: what steps left, and the context of the one that is looked at."""

    plan: Plan = field(default_factory=the_plan)
    clock: FakeClock = field(default_factory=FakeClock)
    steps: dict[str, StepState] = field(default_factory=dict)
    artifacts: Path = Path("/nonexistent")
    stop: bool = False

    def left(self, step_id: str, data: Mapping[str, Json] | None = None, **state: object) -> None:
        """A step has succeeded and left this."""
        base = StepState(
            self.plan.step(step_id),
            StepStatus.SUCCEEDED,
            attempt=1,
            ended_at=self.clock.now(),
            evidence=Evidence("done", data or {}),
        )
        self.steps[step_id] = structs.replace(base, **state)  # type: ignore[arg-type]

    def unfinished(self, step_id: str, before: Mapping[str, Json], *progress: Mapping[str, Json]) -> None:
        """An attempt at a step ended without success."""
        self.steps[step_id] = StepState(self.plan.step(step_id), attempt=1, unfinished=Attempt(before, progress))

    def context(
        self, step_id: str, before: Mapping[str, Json] | None = None, recorded: tuple[Mapping[str, Json], ...] = ()
    ) -> Context:
        """What the action of a step is given."""
        states = {step.id: self.steps.get(step.id, StepState(step)) for step in self.plan.steps}
        return Context(
            plan=self.plan,
            step=self.plan.step(step_id),
            run="r1",
            state=RunState(self.plan, run="r1", created_at=START, steps=states),
            clock=self.clock,
            artifacts=self.artifacts,
            before=before or {},
            recorded=recorded,
            stopping=lambda: self.stop,
        )
