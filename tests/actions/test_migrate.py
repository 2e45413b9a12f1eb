"""The migration as a step, on a real PostgreSQL: seen before, done once, found again, verified from outside."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from console.actions.connect import MigrateConnect
from console.actions.handover import step_of
from console.actions.migrate import MigrateRun
from console.actions.registry import Ports, build
from console.actions.verify import VerifyIntegrity, VerifyOrphans, VerifySchema
from console.domain.outcome import Done, Evidence, NotDone, Preview, Unknown
from console.domain.plan import Plan
from console.domain.state import StepStatus
from console.engine.clock import WallClock
from console.errors import ConfigError, OutcomeUnknown, StepFailed, VerificationFailed, WorldChanged
from console.ports import Context, Session
from tests.actions.fakes import FakeBackups, FakeClock, FakeScratch, FakeTelemetry, FakeWeb, Reports
from tests.actions.fakes_rollback import FakeInstances, FakeSwitches, no_documents
from tests.actions.releasing import MIGRATION, Release
from tests.migration.postgres import AnswerLost, LiveDatabase

STEP = "db.migrate"


class Scene(Release):
    """A release that is pushed and live, in front of a real database."""

    def __init__(self, database: LiveDatabase, changes: Callable[[Plan], Plan] = lambda plan: plan) -> None:
        super().__init__()
        plan = self.run.plan
        self.run.plan = changes(replace(plan, database=replace(plan.database, tls="disable")))
        self.run.clock = WallClock(1.0)  # type: ignore[assignment]
        self.live = database
        self.commit = self.pushed()
        for key, service_id in (("backend", self.backend), ("frontend", self.frontend)):
            self.hosting.add(service_id, self.commit)
            self.run.left(f"code.{key}", {"commit": self.commit})
        self.action = MigrateRun(database, self.repository, self.hosting)

    async def started(self) -> Context:
        preview = await self.preview()
        return self.run.context(STEP, preview.before)

    async def preview(self) -> Preview:
        return await self.action.preview(self.run.context(STEP))

    async def migrated(self) -> Evidence:
        evidence = await self.action.perform(await self.started(), self.reports)
        self.run.left(STEP, evidence.data)
        return evidence


def section(found: Preview | Evidence, title: str) -> list[str]:
    return [line.text for each in found.sections if each.title == title for line in each.lines]


async def test_connecting_says_who_answers_and_who_else_is_there(database: LiveDatabase) -> None:
    scene = Scene(database)
    action = MigrateConnect(database)
    evidence = await action.perform(scene.run.context("db.connect"), Reports())
    assert evidence.data["role"] == "postgres"
    await action.verify(scene.run.context("db.connect"), evidence)
    other = Evidence("elsewhere", {**evidence.data, "system_identifier": "1"})
    with pytest.raises(VerificationFailed, match="Another server answers"):
        await action.verify(scene.run.context("db.connect"), other)


async def test_a_connection_without_tls_is_refused_unless_the_plan_says_so(database: LiveDatabase) -> None:
    scene = Scene(database, lambda plan: replace(plan, database=replace(plan.database, tls="verify-full")))
    with pytest.raises(StepFailed, match="the plan asks for verify-full"):
        await MigrateConnect(database).perform(scene.run.context("db.connect"), Reports())


async def test_the_preview_shows_everything_and_is_digested_alike_under_traffic(database: LiveDatabase) -> None:
    scene = Scene(database)
    preview = await scene.preview()
    assert len(section(preview, "Statements")) == 12
    assert "accounts: ACCESS EXCLUSIVE" in section(preview, "Locks")
    assert "NULL: 56" in section(preview, "Values now")
    assert "pending → on_hold: 49" in section(preview, "Expected")
    assert len(section(preview, "Promised, and not done by the file")) == 2
    await database.run("UPDATE accounts SET license_status = 'expired' WHERE id = 1")
    assert (await scene.preview()).digest == preview.digest
    await database.run("ALTER TABLE accounts ADD COLUMN fax text")
    assert (await scene.preview()).digest != preview.digest


@pytest.mark.parametrize(
    ("arrange", "message"),
    [
        ("CREATE VIEW trials AS SELECT id FROM accounts WHERE is_trial", "view public.trials needs is_trial"),
        ("CREATE TABLE accounts_before_020 (id int)", "already exists and the console did not make it"),
        ("INSERT INTO schema_migrations VALUES (20, '020.sql', 'x')", "020 is already in schema_migrations"),
        ("DROP TABLE schema_migrations", "there is no table schema_migrations"),
    ],
)
async def test_what_would_fail_is_refused_before_anything_is_changed(
    database: LiveDatabase, arrange: str, message: str
) -> None:
    scene = Scene(database)
    await database.run(arrange)
    with pytest.raises(StepFailed, match=message) as failed:
        await scene.preview()
    assert "The database is not migrated." in failed.value.production


async def test_old_code_on_a_service_is_refused_once_the_builds_are_over(database: LiveDatabase) -> None:
    scene = Scene(database)
    scene.hosting.add(scene.backend, scene.old)
    with pytest.raises(StepFailed, match=r"crm-backend .* does not run the release"):
        await scene.preview()
    scene.run.left("code.backend", status=StepStatus.RUNNING)
    armed = await scene.preview()
    scene.hosting.add(scene.backend, scene.commit)
    scene.run.left("code.backend", {"commit": scene.commit})
    assert (await scene.preview()).digest == armed.digest


async def test_it_runs_once_and_leaves_what_later_steps_need(database: LiveDatabase) -> None:
    scene = Scene(database)
    evidence = await scene.migrated()
    assert (evidence.data["version"], evidence.data["rows"]) == ("020", 449)
    assert str(evidence.data["committed_at"]) > str(evidence.data["at"])
    assert [list(data) for data in scene.reports.durable] == [["began"], ["committing"]]
    assert section(evidence, "Statements")[3].startswith("UPDATE accounts")
    assert "NULL: 56" in section(evidence, "Before")
    await scene.action.verify(scene.run.context(STEP), evidence)
    with pytest.raises(StepFailed, match="already in schema_migrations"):
        await scene.preview()


async def test_another_file_than_the_previewed_one_is_not_run(database: LiveDatabase) -> None:
    scene = Scene(database)
    context = await scene.started()
    scene.repository.trees[""] = {scene.run.plan.migration.file: MIGRATION + b"-- changed\n"}
    with pytest.raises(WorldChanged, match="not the one that was previewed"):
        await scene.action.perform(context, Reports())
    assert isinstance(await scene.action.probe(context), NotDone)


async def test_a_wrong_mapping_fails_before_commit_and_the_probe_finds_nothing(database: LiveDatabase) -> None:
    def wrong(plan: Plan) -> Plan:
        mapping = replace(plan.migration.mapping, otherwise="inactive")
        return replace(plan, migration=replace(plan.migration, mapping=mapping))

    scene = Scene(database, wrong)
    context = await scene.started()
    with pytest.raises(VerificationFailed, match="rows differ from the plan's mapping") as failed:
        await scene.action.perform(context, scene.reports)
    assert "rolled back" in failed.value.production
    assert "backend and frontend run it" in failed.value.production
    again = scene.run.context(STEP, context.before, scene.reports.durable)
    assert isinstance(await scene.action.probe(again), NotDone)
    with pytest.raises(VerificationFailed, match="not wholly in the database"):
        await scene.action.verify(context, Evidence("by hand"))


async def test_a_commit_whose_answer_was_lost_is_found_done(database: LiveDatabase) -> None:
    scene = Scene(database)
    context = await scene.started()
    opened = database.session

    @asynccontextmanager
    async def session(application: str, **options: object) -> AsyncIterator[Session]:
        async with opened(application, **options) as real:  # type: ignore[arg-type]
            yield AnswerLost(real, []) if application == context.marker else real

    database.session = session  # type: ignore[assignment, method-assign]
    with pytest.raises(OutcomeUnknown):
        await scene.action.perform(context, scene.reports)
    found = await scene.action.probe(scene.run.context(STEP, context.before, scene.reports.durable))
    assert isinstance(found, Done)
    assert (found.evidence.data["rows"], found.evidence.data["commit"]) == (449, scene.commit)
    scene.run.left(STEP, found.evidence.data)
    evidence = await VerifyIntegrity(database).perform(scene.run.context("db.integrity"), Reports())
    assert evidence.data["right"] == 449


async def test_the_same_migration_by_somebody_else_is_not_ours(database: LiveDatabase) -> None:
    scene = Scene(database)
    context = await scene.started()
    await database.run(MIGRATION.decode(), "INSERT INTO schema_migrations VALUES (20, '020.sql', 'x')")
    found = await scene.action.probe(context)
    assert isinstance(found, Unknown)
    assert "not by this run" in found.known


async def test_half_a_migration_is_for_a_person(database: LiveDatabase) -> None:
    scene = Scene(database)
    context = await scene.started()
    await database.run("ALTER TABLE accounts ADD COLUMN account_status text")
    found = await scene.action.probe(context)
    assert isinstance(found, Unknown)
    assert "neither as before nor as after" in found.known


async def test_while_its_session_lives_nobody_can_say(database: LiveDatabase) -> None:
    scene = Scene(database)
    scene.run.clock = FakeClock()
    context = await scene.started()
    async with database.session(context.marker) as session:
        await session.execute("BEGIN")
        await session.execute("LOCK TABLE accounts IN ACCESS SHARE MODE")
        found = await scene.action.probe(context)
        assert isinstance(found, Unknown)
        assert f"pid {session.pid}" in found.known
        assert scene.run.clock.monotonic() >= 15
    await database.until(f"SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = '{context.marker}'")
    assert isinstance(await scene.action.probe(context), NotDone)


async def test_who_waits_for_whom_is_told_while_it_waits(database: LiveDatabase) -> None:
    scene = Scene(database)
    context = await scene.started()
    async with database.session("monthly-report") as blocker:
        await blocker.execute("BEGIN")
        await blocker.execute("LOCK TABLE accounts IN ACCESS SHARE MODE")
        with pytest.raises(StepFailed, match="lock timeout"):
            await scene.action.perform(context, scene.reports)
    told = [line.text for progress in scene.reports.heard for line in progress.lines]
    assert any("we wait for" in text and "monthly-report" in text for text in told)


async def test_the_looks_from_outside_pass_after_the_migration(database: LiveDatabase) -> None:
    scene = Scene(database)
    await scene.migrated()
    await database.run(
        "UPDATE accounts SET account_status = 'suspended' WHERE id = 3", "DELETE FROM accounts WHERE id = 4"
    )
    schema = VerifySchema(database, scene.repository)
    evidence = await schema.perform(scene.run.context("db.verify"), Reports())
    assert evidence.data["indexes"] == ["idx_accounts_account_status"]
    await schema.verify(scene.run.context("db.verify"), evidence)
    integrity = VerifyIntegrity(database)
    evidence = await integrity.perform(scene.run.context("db.integrity"), Reports())
    assert (evidence.data["right"], evidence.data["written_since"], evidence.data["deleted_since"]) == (447, 1, 1)
    await integrity.verify(scene.run.context("db.integrity"), evidence)
    orphans = VerifyOrphans(database, scene.repository, scene.hosting)
    evidence = await orphans.perform(scene.run.context("db.orphans"), Reports())
    assert evidence.data["commits"] == {"backend": scene.commit, "frontend": scene.commit}
    await orphans.verify(scene.run.context("db.orphans"), evidence)


@pytest.mark.parametrize(
    ("arrange", "message"),
    [
        ("DROP VIEW active_accounts", "view active_accounts is missing"),
        ("DROP INDEX idx_accounts_account_status", "index idx_accounts_account_status is missing"),
        ("ALTER TABLE accounts ADD COLUMN is_trial boolean", "column is_trial is still there"),
        ("DELETE FROM schema_migrations WHERE version = 20", "the history row is missing"),
        ("DROP TABLE accounts_before_020", "the saved copy is missing"),
    ],
)
async def test_a_schema_that_is_not_as_planned_is_told(database: LiveDatabase, arrange: str, message: str) -> None:
    scene = Scene(database)
    await scene.migrated()
    await database.run(arrange)
    with pytest.raises(StepFailed, match=message) as failed:
        await VerifySchema(database, scene.repository).perform(scene.run.context("db.verify"), Reports())
    assert "Migration 020 is in the database." in failed.value.production


async def test_values_outside_the_domain_are_told(database: LiveDatabase) -> None:
    scene = Scene(database)
    await scene.migrated()
    await database.run(
        "UPDATE accounts SET account_status = 'paused' WHERE id = 3",
        "UPDATE accounts SET account_status = NULL WHERE id = 5",
    )
    with pytest.raises(StepFailed, match="1 row without a value") as failed:
        await VerifyIntegrity(database).perform(scene.run.context("db.integrity"), Reports())
    assert "'paused' is outside the domain: 1 row" in failed.value.lines


ORPHAN = """
CREATE FUNCTION note_trial() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.is_trial THEN RAISE NOTICE 'trial'; END IF;
    RETURN NEW;
END $$
"""


async def test_a_function_that_names_a_dropped_column_is_an_orphan(database: LiveDatabase) -> None:
    scene = Scene(database)
    await scene.migrated()
    trigger = "CREATE TRIGGER note BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION note_trial()"
    await database.run(ORPHAN, trigger)
    orphans = VerifyOrphans(database, scene.repository, scene.hosting)
    with pytest.raises(StepFailed, match="note_trial"):
        await orphans.perform(scene.run.context("db.orphans"), Reports())
    with pytest.raises(VerificationFailed, match="note_trial"):
        await orphans.verify(scene.run.context("db.orphans"), Evidence("by hand"))


@pytest.mark.parametrize(
    ("text", "orphan"),
    [
        (b"const q = 'SELECT license_status FROM accounts';\n", True),
        (b"// license_status is gone\nconst q = 1;\n", False),
    ],
)
async def test_deployed_code_that_names_a_dropped_column_is_an_orphan(
    database: LiveDatabase, text: bytes, orphan: bool
) -> None:
    scene = Scene(database)
    await scene.migrated()
    scene.repository.trees[scene.commit] = {"services/a.js": text, "docs/b.md": b"license_status"}
    orphans = VerifyOrphans(database, scene.repository, scene.hosting)
    if orphan:
        with pytest.raises(StepFailed, match=r"services/a\.js:1"):
            await orphans.perform(scene.run.context("db.orphans"), Reports())
    else:
        evidence = await orphans.perform(scene.run.context("db.orphans"), Reports())
        assert evidence.data["comments"] == 1


async def test_every_step_of_the_plan_has_its_action(database: LiveDatabase) -> None:
    scene = Scene(database)
    clock = scene.run.clock
    ports = Ports(
        hosting=scene.hosting,
        backups=FakeBackups(clock),
        telemetry=FakeTelemetry(clock),
        repository=scene.repository,
        database=database,
        scratch=FakeScratch([]),
        web=FakeWeb(),
        switches=FakeSwitches(scene.hosting, FakeInstances()),
        instances=FakeInstances(),
        documents=no_documents,
    )
    action_of = build(ports)
    plan = scene.run.plan
    found = {step.action: action_of(step) for step in plan.steps if step.action is not None}
    destructive = {name for name, action in found.items() if action.destructive}
    assert destructive == {"source.push", "migrate.run"}
    step = step_of(scene.run.context(STEP), "migrate.run")
    assert step is not None
    with pytest.raises(ConfigError, match="has no action that exists"):
        action_of(replace(step, action="migrate.walk"))
    for key in ("test.kpis", "baseline", "monitor.users", "db.orphans"):
        assert (await action_of(plan.step(key)).preview(scene.run.context(key))).summary
