"""A healthy world for the preflight: fakes of the provider and the repository over the real files of the release."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from console.domain.databases import Backend, DatabaseIdentity
from console.domain.findings import Finding, Severity
from console.domain.hosting import (
    Deploy,
    DeployStatus,
    Download,
    Export,
    PostgresInfo,
    RecoveryWindow,
    ServiceInfo,
)
from console.domain.plan import Plan
from console.domain.source import Commit, FileChange, MergePreview
from console.errors import HostingError, RepositoryError
from console.ports import RecordPlace, Report
from console.preflight import run
from tests.config.conftest import EXAMPLE, loaded
from tests.migration.postgres import CRM, LiveDatabase

BLOCKER, WARNING, NOTE = Severity.BLOCKER, Severity.WARNING, Severity.NOTE

NOW = datetime(2026, 2, 4, 20, 0, tzinfo=UTC)
MAIN, STAGING, FIX = "a" * 40, "b" * 40, "26c5a9f" + "0" * 33


def tree(folder: str) -> dict[str, bytes]:
    """The files of one of the CRM's trees."""
    root = CRM / folder
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def commit(commit_id: str, subject: str = "A commit") -> Commit:
    return Commit(commit_id, subject, subject + "\n", "Priya", NOW, ())


def deploy(service: str, status: DeployStatus = DeployStatus.LIVE, commit_id: str = MAIN, minutes: int = 60) -> Deploy:
    began = NOW - timedelta(minutes=minutes)
    ended = began + timedelta(minutes=4) if status.ended else None
    return Deploy(f"dep-{minutes}", service, status, commit_id, "A commit", "new_commit", began, began, ended)


@dataclass
class FakeHosting:
    """Services and deploys; `broken` ids raise."""

    services: dict[str, ServiceInfo]
    latest: dict[str, tuple[Deploy, ...]]
    broken: dict[str, HostingError] = field(default_factory=dict)

    async def now(self) -> datetime:
        return NOW

    async def service(self, service_id: str) -> ServiceInfo:
        if service_id in self.broken:
            raise self.broken[service_id]
        return self.services[service_id]

    async def deploys(self, service_id: str, *, limit: int = 20) -> tuple[Deploy, ...]:
        if service_id in self.broken:
            raise self.broken[service_id]
        return self.latest[service_id][:limit]

    async def deploy(self, service_id: str, deploy_id: str) -> Deploy:
        raise AssertionError("the preflight does not follow a deploy")

    async def start_deploy(self, service_id: str, commit: str) -> Deploy | None:
        raise AssertionError("the preflight changes nothing")

    async def cancel_deploy(self, service_id: str, deploy_id: str) -> Deploy:
        raise AssertionError("the preflight changes nothing")

    async def roll_back(self, service_id: str, deploy_id: str) -> Deploy:
        raise AssertionError("the preflight changes nothing")

    async def set_auto_deploy(self, service_id: str, trigger: str) -> ServiceInfo:
        raise AssertionError("the preflight changes nothing")

    def change(self, service_id: str, **changes: object) -> None:
        self.services[service_id] = replace(self.services[service_id], **changes)  # type: ignore[arg-type]


@dataclass
class FakeBackups:
    instance: PostgresInfo
    kept: tuple[Export, ...]
    window: RecoveryWindow

    async def postgres(self, postgres_id: str) -> PostgresInfo:
        return self.instance

    async def exports(self, postgres_id: str) -> tuple[Export, ...]:
        return self.kept

    async def request_export(self, postgres_id: str) -> None:
        raise AssertionError("the preflight changes nothing")

    async def download(self, export: Export, destination: Path, report: Report) -> Download:
        raise AssertionError("the preflight changes nothing")

    async def recovery(self, postgres_id: str) -> RecoveryWindow:
        return self.window


@dataclass
class FakeRepository:
    """Branches and trees by hash; `contains` are the (ancestor, descendant) pairs that hold."""

    branches: dict[str, str]
    trees: dict[str, dict[str, bytes]]
    contains: set[tuple[str, str]]
    merged: MergePreview
    down: RepositoryError | None = None

    async def fetch(self) -> None:
        if self.down is not None:
            raise self.down

    async def tip(self, branch: str) -> str:
        if self.down is not None:
            raise self.down
        if branch not in self.branches:
            raise RepositoryError(f"There is no branch {branch} at the remote.")
        return self.branches[branch]

    async def resolve(self, rev: str) -> Commit:
        known = [each for each in (MAIN, STAGING, FIX) if each.startswith(rev)]
        if not known:
            raise RepositoryError(f"There is no commit {rev}.")
        return commit(known[0])

    async def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        return ancestor == descendant or (ancestor, descendant) in self.contains

    async def commits(self, base: str, head: str) -> tuple[Commit, ...]:
        return self.merged.commits

    async def changes(self, base: str, head: str) -> tuple[FileChange, ...]:
        return self.merged.files

    async def preview_merge(self, source: str, target: str) -> MergePreview:
        return self.merged

    async def merge(self, source: str, target: str, message: str) -> Commit:
        raise AssertionError("the preflight changes nothing")

    async def tree(self, commit: str) -> str:
        raise AssertionError("the preflight compares no trees")

    async def revert(self, commits: Sequence[str], onto: str, *, messages: Sequence[str] = ()) -> Commit:
        raise AssertionError("the preflight changes nothing")

    async def push(self, commit: str, branch: str, *, expected_tip: str) -> None:
        raise AssertionError("the preflight changes nothing")

    async def read(self, commit: str, path: str) -> bytes:
        if path not in self.trees[commit]:
            raise RepositoryError(f"{path} is not in {commit[:7]}.")
        return self.trees[commit][path]

    async def paths(self, commit: str) -> tuple[str, ...]:
        return tuple(self.trees[commit])


class WatchedDatabase(LiveDatabase):
    """The real database, with an identity and sessions that a test can set."""

    who = DatabaseIdentity(
        "db.example.com", 5432, "crm", "crm", "18.4", "TLSv1.3, verify-full", False, "1", False, 0.1, NOW
    )
    sessions: tuple[Backend, ...] = ()

    async def identity(self) -> DatabaseIdentity:
        return self.who

    async def backends(self) -> tuple[Backend, ...]:
        return self.sessions


@dataclass
class World:
    """The plan and the ports that the preflight is given."""

    plan: Plan
    hosting: FakeHosting
    backups: FakeBackups
    repository: FakeRepository
    database: WatchedDatabase
    record: RecordPlace | None = None


def healthy(database: WatchedDatabase) -> World:
    """Nothing is wrong here."""
    plan = loaded(EXAMPLE)
    infos = {
        service.id: ServiceInfo(
            service.id, service.name, service.branch, "commit", False, "https://github.com/example/crm", url=service.url
        )
        for service in plan.services
    }
    old, new = tree("main"), tree("release")
    merged = MergePreview(STAGING, MAIN, (commit(FIX),), _changes(plan.release.files), conflicts=(), ahead=())
    repository = FakeRepository(
        branches={"main": MAIN, "staging": STAGING, "devtest": STAGING},
        trees={MAIN: old, STAGING: {**old, **new}},
        contains={(MAIN, STAGING), (FIX, STAGING)},
        merged=merged,
    )
    latest = {service.id: (deploy(service.id),) for service in plan.services}
    backups = FakeBackups(
        PostgresInfo("dpg-1", "crm-db", "available", "18", NOW),
        (Export("exp-1", NOW - timedelta(days=1), "https://signed.example.com/x"),),
        RecoveryWindow("AVAILABLE", NOW - timedelta(days=3)),
    )
    return World(plan, FakeHosting(infos, latest), backups, repository, database)


def _changes(paths: Sequence[str]) -> tuple[FileChange, ...]:
    return tuple(FileChange(path, "M") for path in paths)


async def findings(world: World) -> dict[str, Finding]:
    """All findings by code; no code comes twice."""
    found = await run(world.plan, world)
    assert len({finding.code for finding in found}) == len(found)
    return {finding.code: finding for finding in found}


def file_in_release(path: str, content: bytes | None) -> Callable[[World], None]:
    def change(world: World) -> None:
        files = world.repository.trees[STAGING]
        if content is None:
            del files[path]
        else:
            files[path] = content

    return change
