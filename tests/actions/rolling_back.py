"""A release that went wrong and is taken back: a repository whose commits hold files, and a provider that obeys."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from console.actions.registry import Ports
from console.domain.hosting import Deploy, DeployStatus, PostgresInfo, ServiceInfo
from console.domain.incident import RollbackState
from console.domain.outcome import Evidence
from console.domain.plan import Json, Plan
from console.domain.rollback_plan import extended, rollback_plan
from console.domain.source import Commit, FileChange
from console.domain.standing import Assessment, Runs, Schema, ServiceStanding, Standing, Way
from console.domain.state import RunState, StepState, StepStatus
from console.errors import HostingError, MergeConflict, PushRejected, RepositoryError
from console.ports import Context, Row
from tests.actions.fakes import (
    START,
    FakeBackups,
    FakeClock,
    FakeDatabase,
    FakeHosting,
    FakeRepository,
    FakeScratch,
    FakeTelemetry,
    FakeWeb,
    Lost,
    Reports,
    the_plan,
)
from tests.actions.fakes_rollback import FakeInstances, FakeSwitches, no_documents

Files = Mapping[str, str]
SERVICE, REPORT, LEADS = (
    "services/queryBuilderService.js",
    "services/reportingService.js",
    "services/leadConversionService.js",
)
OLD: Files = {SERVICE: "license_status", REPORT: "license_status", LEADS: "license_status", "README.md": "hello"}


def columns(schema: Schema) -> dict[str, list[Row]]:
    """What a database of this schema answers when it is asked for its columns."""
    plan = the_plan().migration
    names = {Schema.OLD: plan.removed, Schema.NEW: plan.added, Schema.UNKNOWN: (plan.removed[0], *plan.added)}[schema]
    column = {"type": "text", "not_null": False, "default": None}
    return {
        "nspname AS schema": [{"schema": "public", "name": "accounts"}],
        "attname AS name": [{"name": name, **column} for name in ("id", *names)],
    }


class FileRepository(FakeRepository):
    """Commits with whole trees: reverts take back what a commit changed, and conflict where the lines are others'."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.files: dict[str, Files] = {}
        self.down: RepositoryError | None = None

    def holds(self, subject: str, files: Files, *parents: str, author: str = "Priya Raman", message: str = "") -> str:
        """A commit with these files."""
        commit = self.commit(subject, *parents, author=author, message=message)
        self.files[commit] = dict(files)
        return commit

    async def fetch(self) -> None:
        if self.down is not None:
            raise self.down

    async def tip(self, branch: str) -> str:
        if branch not in self.branches:
            raise RepositoryError(f"There is no branch {branch}.")
        return self.branches[branch]

    async def resolve(self, rev: str) -> Commit:
        wanted = self.branches.get(rev, rev)
        for commit in self.known.values():
            if commit.id.startswith(wanted) or commit.subject == wanted:
                return commit
        raise RepositoryError(f"The repository holds no commit {rev}.")

    async def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        if not {ancestor, descendant} <= set(self.known):
            raise RepositoryError("The repository holds no such commit.")
        return await super().is_ancestor(ancestor, descendant)

    async def tree(self, commit: str) -> str:
        if commit not in self.files:
            raise RepositoryError(f"The repository holds no commit {commit}.")
        return str(sorted(self.files[commit].items()))

    async def changes(self, base: str, head: str) -> tuple[FileChange, ...]:
        old, new = self.files[base], self.files[head]
        return tuple(FileChange(path, "M", 1, 1) for path in sorted({*old, *new}) if old.get(path) != new.get(path))

    async def revert(self, commits: Sequence[str], onto: str, *, messages: Sequence[str] = ()) -> Commit:
        for number, reverted in enumerate(commits):
            commit = self.known[reverted]
            was, now, here = self.files[commit.parents[0]], self.files[reverted], self.files[onto]
            changed = [change.path for change in await self.changes(commit.parents[0], reverted)]
            conflicts = tuple(p for p in changed if here.get(p) not in (now.get(p), was.get(p)))
            if conflicts:
                raise MergeConflict("in conflict", files=conflicts)
            files = {**here, **{path: was[path] for path in changed if path in was}}
            message = messages[number] if messages else f"This reverts commit {reverted}."
            subject = f"{message.partition(chr(10))[0]} on {onto[:7]}"
            onto = self.holds(subject, files, onto, message=message)
        return self.known[onto]

    async def push(self, commit: str, branch: str, *, expected_tip: str) -> None:
        if not expected_tip:
            if branch in self.branches:
                raise PushRejected(f"{branch} is already there")
            self.branches[branch] = ""
        await super().push(commit, branch, expected_tip=expected_tip)


class ObedientHosting(FakeHosting):
    """Deploys, previous builds and settings: what is asked for is done, and begins a deploy where it must.

    `asked` are the settings that were asked for; a deploy that was begun stays queued until the test turns it.
    """

    def __init__(self, clock: FakeClock, plan: Plan) -> None:
        super().__init__(clock, plan)
        self.asked: list[tuple[str, str]] = []
        self.lost_settings: list[Lost] = []
        self.lost_rollbacks: list[Lost] = []
        self.rolled_back: list[str] = []
        self.down: HostingError | None = None

    def setting(self, service_id: str, trigger: str) -> None:
        self.services[service_id] = replace(self.services[service_id], auto_deploy=trigger)

    async def service(self, service_id: str) -> ServiceInfo:
        if self.down is not None:
            raise self.down
        return await super().service(service_id)

    async def deploys(self, service_id: str, *, limit: int = 20) -> tuple[Deploy, ...]:
        if self.down is not None:
            raise self.down
        return await super().deploys(service_id, limit=limit)

    async def set_auto_deploy(self, service_id: str, trigger: str) -> ServiceInfo:
        fate = self.lost_settings.pop(0) if self.lost_settings else None
        self.asked.append((service_id, trigger))
        if fate is None or fate.done:
            self.setting(service_id, trigger)
        if fate is not None:
            raise fate.error()
        return self.services[service_id]

    async def roll_back(self, service_id: str, deploy_id: str) -> Deploy:
        fate = self.lost_rollbacks.pop(0) if self.lost_rollbacks else None
        earlier = next(each for each in self.all[service_id] if each.id == deploy_id)
        self.rolled_back.append(deploy_id)
        begun = earlier
        if fate is None or fate.done:
            begun = self.add(service_id, earlier.commit, DeployStatus.UPDATE, "rollback")
        if fate is not None:
            raise fate.error()
        return begun


class Back:
    """An incident after the release went live: `main` holds the merge, both services run it, a way back was chosen."""

    def __init__(self, way: Way = Way.CODE, pace: float = 1.0, *, schema: Schema = Schema.OLD) -> None:
        self.clock = FakeClock(pace)
        base = the_plan()
        services = tuple(replace(s, database_env="DATABASE_URL" if s.key == "backend" else "") for s in base.services)
        self.base = replace(base, services=services, release=replace(base.release, fix_commit="fix 3"))
        self.repository = FileRepository(self.base)
        self.hosting = ObedientHosting(self.clock, self.base)
        self.instances = FakeInstances({self.home: PostgresInfo(self.home, "crm", "available", "16", START)})
        self.switches = FakeSwitches(self.hosting, self.instances)
        self.backend, self.frontend = self.base.service("backend").id, self.base.service("frontend").id
        self.switches.points[self.backend, "DATABASE_URL"] = self.home
        self.database = FakeDatabase(columns(schema))
        self.reports = Reports()
        self.stop = False
        self.steps: dict[str, StepState] = {}
        self.ways: list[RollbackState] = []
        self.standing = Standing(True, (), schema, self.home, "crm")
        self.plan = self.base
        self._release()
        self.choose(way)

    @property
    def home(self) -> str:
        return self.base.database.postgres_id

    def _release(self) -> None:
        """Three commits, merged and pushed, live on both services."""
        git = self.repository
        self.old = git.holds("old release", OLD)
        first = git.holds("fix 1", {**OLD, SERVICE: "account_status"}, self.old)
        second = git.holds("fix 2", {**git.files[first], REPORT: "account_status"}, first)
        self.fix = git.holds("fix 3", {**git.files[second], LEADS: "account_status"}, second)
        self.parts = [self.fix, second, first]
        self.merge = git.holds("Merge staging", git.files[self.fix], self.old, self.fix)
        git.branches = {"main": self.merge, "staging": self.fix, "devtest": self.fix}
        ids: dict[str, Json] = {}
        for service in self.base.services_in("production"):
            self.hosting.add(service.id, self.old)
            ids[service.key] = [deploy.id for deploy in self.hosting.all[service.id]]
            self.hosting.add(service.id, self.merge, message="Merge staging")
        self.left("code.merge", {"commit": self.merge, "target": self.old, "source": self.fix})
        self.left("code.push", {"commit": self.merge, "old_tip": self.old, "deploys_before": ids, "services": {}})

    def choose(self, way: Way) -> None:
        """A way is chosen on the standing; a second one drops the first."""
        if self.ways:
            self.ways[-1] = replace(self.ways[-1], dropped="it failed")
        runs = Runs.NEW if self.standing.pushed else Runs.OLD
        services = tuple(ServiceStanding(s.key, s.name, self.merge, runs) for s in self.base.services_in("production"))
        self.standing = replace(self.standing, services=services)
        added = rollback_plan(self.plan, self.standing, way, number=len(self.ways) + 1)
        self.plan = extended(self.plan, added)
        self.ways.append(RollbackState(way, self.clock.now(), "ops", "", tuple(s.id for s in added.steps)))

    def left(self, step_id: str, data: Mapping[str, Json] | None = None, **state: object) -> None:
        """A step has succeeded and left this."""
        done = StepState(
            self.plan.step(step_id), StepStatus.SUCCEEDED, attempt=1, evidence=Evidence("done", data or {})
        )
        self.steps[step_id] = structs.replace(done, **state)  # type: ignore[arg-type]

    def state(self) -> RunState:
        steps = {step.id: self.steps.get(step.id, StepState(step)) for step in self.plan.steps}
        return RunState(
            self.plan,
            run="r1",
            created_at=START,
            steps=steps,
            assessment=Assessment("", self.standing, ()),
            rollbacks=tuple(self.ways),
        )

    def context(
        self, step_id: str, before: Mapping[str, Json] | None = None, recorded: tuple[Mapping[str, Json], ...] = ()
    ) -> Context:
        """What the action of a step is given."""
        return Context(
            plan=self.plan,
            step=self.plan.step(step_id),
            run="r1",
            state=self.state(),
            clock=self.clock,
            artifacts=Path("/nonexistent"),
            before=before or {},
            recorded=recorded,
            stopping=lambda: self.stop,
        )

    def turn(self, service_id: str, status: DeployStatus, *, after: float = 0.0) -> None:
        """The newest deploy of a service changes its status, now or so many seconds from the beginning."""

        def happens() -> None:
            self.hosting.turn(self.hosting.all[service_id][0], status)

        if after:
            self.clock.after(after, happens)
        else:
            happens()

    def turn_newest_live(self, seconds: float) -> None:
        """The newest deploys of both services are live so many seconds from the beginning."""
        for service_id in (self.backend, self.frontend):
            self.turn(service_id, DeployStatus.LIVE, after=seconds)

    def ports(self) -> Ports:
        """Everything as the registry takes it."""
        return Ports(
            hosting=self.hosting,
            backups=FakeBackups(self.clock),
            telemetry=FakeTelemetry(self.clock),
            repository=self.repository,
            database=self.database,
            scratch=FakeScratch(()),
            web=FakeWeb(),
            switches=self.switches,
            instances=self.instances,
            documents=no_documents,
        )
