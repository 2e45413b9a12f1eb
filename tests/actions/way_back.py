"""A run whose migration is in a real database, and that goes a way back from there."""

import itertools
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from msgspec import structs

from console.actions.backup import BackupExport
from console.actions.migrate import MigrateRun
from console.actions.own_rows import OwnRows
from console.actions.registry import Ports
from console.actions.rollback.database import database_actions
from console.domain.hosting import PostgresInfo
from console.domain.incident import RollbackState
from console.domain.outcome import Evidence, Preview
from console.domain.plan import Json, Plan
from console.domain.rollback_plan import extended, rollback_plan
from console.domain.standing import Assessment, Runs, Schema, ServiceStanding, Standing, Way
from console.domain.state import Attempt, RunState, StepState, StepStatus
from console.ports import Action, Context
from tests.actions.fakes import START, FakeBackups, FakeClock, FakeScratch, FakeTelemetry, FakeWeb, Lost, Reports
from tests.actions.fakes_rollback import FakeInstances, FakeSwitches, no_documents
from tests.actions.releasing import Release
from tests.migration.postgres import LiveDatabase

DATABASE_ENV = "DATABASE_URL"
MIGRATE, EXPORT = "db.migrate", "backup.export"


def on_loopback(plan: Plan) -> Plan:
    """The plan for a database without TLS, whose backend says where it reads its database."""
    services = tuple(replace(s, database_env=DATABASE_ENV) if s.key == "backend" else s for s in plan.services)
    return replace(plan, database=replace(plan.database, tls="disable"), services=services)


@dataclass
class Provider(FakeInstances):
    """Instances whose requests meet `fates`, in order; what is carried out `becomes` its status after some seconds."""

    clock: FakeClock = field(default_factory=FakeClock)
    fates: list[Lost] = field(default_factory=list)
    becomes: str = "available"
    takes: float = 3.0
    asked: list[str] = field(default_factory=list)

    async def recover(self, postgres_id: str, moment: datetime, *, name: str) -> PostgresInfo:
        self.moments.append(moment)
        return self._asked(postgres_id, name)

    async def create(self, like: str, *, name: str) -> PostgresInfo:
        return self._asked(like, name)

    def _asked(self, like: str, name: str) -> PostgresInfo:
        self.asked.append(name)
        fate = self.fates.pop(0) if self.fates else None
        if fate is None or fate.done:
            made = self._new(like, name)
            becomes = self.becomes
            self.known[made.id] = replace(made, status="creating")
            self.clock.after(self.clock.monotonic() + self.takes, lambda: self.turn(made.id, becomes))
        if fate is not None:
            raise fate.error()
        return self.known[made.id]

    def turn(self, postgres_id: str, status: str) -> None:
        """An instance changes its status."""
        self.known[postgres_id] = replace(self.known[postgres_id], status=status)


class Incident(Release):
    """Production on the new code; `live` is the database of the run. The way back's steps are called `back.…`."""

    def __init__(self, live: LiveDatabase, way: Way = Way.DATABASE, pace: float = 600.0) -> None:
        super().__init__(pace)
        self.run.plan = on_loopback(self.run.plan)
        self.clock: FakeClock = self.run.clock
        if isinstance(live, LiveDatabase):
            # A real server's marks are of now.
            self.clock.start = datetime.now(UTC)
        self.live = live
        self.commit = self.pushed()
        for key, service_id in (("backend", self.backend), ("frontend", self.frontend)):
            self.hosting.add(service_id, self.commit)
            self.run.left(f"code.{key}", {"commit": self.commit})
        self.old_id = self.run.plan.database.postgres_id
        self.instances = Provider(
            {self.old_id: PostgresInfo(self.old_id, "crm", "available", "18", START)},
            {self.old_id: live},
            clock=self.clock,
        )
        self.switches = FakeSwitches(self.hosting, self.instances, {(self.backend, DATABASE_ENV): self.old_id})
        self.web = FakeWeb()
        self.backups = FakeBackups(self.clock, takes=1.0)
        self.way = way
        self.rows: int | None = None

    @property
    def ports(self) -> Ports:
        return Ports(
            hosting=self.hosting,
            backups=self.backups,
            telemetry=FakeTelemetry(self.clock),
            repository=self.repository,
            database=self.live,
            scratch=FakeScratch([]),
            web=self.web,
            switches=self.switches,
            instances=self.instances,
            documents=no_documents,
        )

    def action(self, name: str) -> Action:
        """An action of the way back."""
        return database_actions(self.ports)[f"rollback.{name}"]

    async def backed_up(self) -> None:
        """The export is made, with its marks."""
        action = BackupExport(self.hosting, self.backups, self.live)
        preview = await action.preview(self.run.context(EXPORT))
        evidence = await action.perform(self.run.context(EXPORT, preview.before), Reports())
        self.run.left(EXPORT, evidence.data)

    async def migrated(self) -> Evidence:
        """Migration 020 runs."""
        action = MigrateRun(self.live, self.repository, self.hosting)
        preview = await action.preview(self.run.context(MIGRATE))
        evidence = await action.perform(self.run.context(MIGRATE, preview.before), self.reports)
        self.run.left(MIGRATE, evidence.data)
        return evidence

    @property
    def state(self) -> RunState:
        return self.context("db.migrate").state

    def own_rows(self, marker: str, tables: Sequence[str]) -> OwnRows:
        """What follows the rows of the console's checks."""
        return OwnRows(self.live, marker, tables, self.reports, {})

    def chosen(self) -> "Chosen":
        """The way is chosen: its steps are in the plan."""
        return Chosen(self)

    def context(self, step_id: str) -> Context:
        return self.run.context(step_id)


@dataclass
class Chosen:
    """A way back that is being gone: its steps by their short names."""

    incident: Incident
    fenced: bool = False
    standing: Standing = field(init=False)

    def __post_init__(self) -> None:
        run = self.incident.run
        services = tuple(
            ServiceStanding(s.key, s.name, self.incident.commit, Runs.NEW) for s in run.plan.services_in("production")
        )
        self.standing = Standing(
            pushed=True,
            services=services,
            schema=Schema.NEW,
            postgres_id=self.incident.old_id,
            database="crm",
            saved_copy=run.plan.migration.saved_copy,
            fenced=self.fenced,
            recoverable=True,
            backup=True,
        )
        added = rollback_plan(run.plan, self.standing, self.incident.way)
        run.plan = extended(run.plan, added)
        self.ids = tuple(step.id for step in added.steps)

    def context(
        self, step: str, before: Mapping[str, Json] | None = None, recorded: tuple[Mapping[str, Json], ...] = ()
    ) -> Context:
        """What the action of a step of the way is given."""
        made = self.incident.run.context(f"back.{step}", before, recorded)
        way = RollbackState(self.incident.way, START, "ops", "", self.ids, self.incident.rows)
        state = structs.replace(made.state, assessment=Assessment("", self.standing, ()), rollbacks=(way,))
        return replace(made, state=state)

    def preview_of(self, step: str) -> Awaitable[Preview]:
        """A look at a step of the way."""
        return self.action(step).preview(self.context(step))

    def action(self, step: str) -> Action:
        """The action of a step of the way."""
        name = self.incident.run.plan.step(f"back.{step}").action or ""
        return self.incident.action(name.removeprefix("rollback."))

    async def done(self, step: str, reports: Reports | None = None) -> Evidence:
        """A step of the way is looked at, done, and verified; its evidence is left."""
        action = self.action(step)
        preview = await action.preview(self.context(step))
        evidence = await action.perform(self.context(step, preview.before), reports or Reports())
        await action.verify(self.context(step, preview.before), evidence)
        self.incident.run.left(f"back.{step}", evidence.data, before=preview.before)
        return evidence

    def interrupted(self, step: str, before: Mapping[str, Json], reports: Reports) -> None:
        """An attempt at a step ended without success, and was found not to have been done."""
        run = self.incident.run
        run.steps[f"back.{step}"] = StepState(
            run.plan.step(f"back.{step}"), attempt=1, unfinished=Attempt(before, reports.durable)
        )

    def succeeded(self, step: str, data: Mapping[str, Json]) -> None:
        self.incident.run.left(f"back.{step}", data, status=StepStatus.SUCCEEDED)


async def settled(database: LiveDatabase, *statements: str) -> None:
    """Statements of users, whose counters the server shows when this returns."""
    async with database.session("crm-backend") as session:
        for statement in itertools.chain(statements, ["SELECT pg_stat_force_next_flush()"]):
            await session.execute(statement)
