"""The schema's way back as a step, on a real PostgreSQL: seen and priced before, done once, found again, cleaned up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from console.actions.rollback.schema import schema_actions
from console.actions.rollback.schema_price import price_of_schema
from console.domain.outcome import Done, Evidence, NotDone, Preview, Unknown
from console.domain.standing import Way
from console.engine.clock import WallClock
from console.errors import OutcomeUnknown, StepFailed, VerificationFailed, WorldChanged
from console.ports import Action, Context, Session
from tests.actions.fakes import FakeClock, Reports
from tests.actions.way_back import Chosen, Incident
from tests.migration.postgres import AnswerLost, LiveDatabase

NEW = """
INSERT INTO accounts (reference, organisation_id, owner_id, name, account_status) VALUES ('{0}', 1, 1, '{0}', {1})
"""
OLD = "SELECT id, license_status, account_type, is_trial FROM accounts ORDER BY id"


class Scene:
    """The migration has run by the console, and the way back over the schema is chosen."""

    def __init__(self, incident: Incident, chosen: Chosen) -> None:
        self.incident = incident
        self.chosen = chosen
        actions = schema_actions(incident.ports)
        self.back: Action = actions["rollback.schema"]
        self.discard: Action = actions["rollback.discard_copy"]
        self.reports = Reports()

    @classmethod
    async def begin(cls, database: LiveDatabase) -> "Scene":
        incident = Incident(database, Way.SCHEMA)
        incident.run.clock = WallClock(1.0)  # type: ignore[assignment]
        await incident.migrated()
        return cls(incident, incident.chosen())

    async def preview(self) -> Preview:
        return await self.back.preview(self.chosen.context("schema"))

    async def started(self) -> Context:
        return self.chosen.context("schema", (await self.preview()).before)

    def again(self, context: Context) -> Context:
        """The step after a restart: what was journaled of it is there."""
        return self.chosen.context("schema", context.before, self.reports.durable)

    async def brought_back(self) -> Evidence:
        evidence = await self.back.perform(await self.started(), self.reports)
        self.incident.run.left("back.schema", evidence.data)
        return evidence

    async def discarding(self) -> Context:
        preview = await self.discard.preview(self.chosen.context("discard_copy"))
        return self.chosen.context("discard_copy", preview.before)


@pytest.fixture
async def scene(database: LiveDatabase) -> Scene:
    return await Scene.begin(database)


def section(found: Preview | Evidence, title: str) -> list[str]:
    return [line.text for each in found.sections if each.title == title for line in each.lines]


async def test_the_preview_says_what_becomes_of_every_row(scene: Scene, database: LiveDatabase) -> None:
    await database.run(
        NEW.format("n1", "'on_hold'"),
        NEW.format("n2", "'archived'"),
        "UPDATE accounts SET account_status = 'suspended' WHERE id IN (16, 24)",
        "DELETE FROM accounts WHERE id = 18",
    )
    preview = await scene.preview()
    assert section(preview, "Rows") == [
        "446 rows nobody changed: exactly as before the migration",
        "suspended → suspended: 2 rows changed since",
        "archived → ?: 1 row written since",
        "on_hold → pending: 1 row written since",
        "1 row deleted since: they stay deleted",
    ]
    assert len(section(preview, "Left to a person")) == 1
    assert section(preview, "Left to a person")[0].endswith(": archived")
    assert {each.label: each.value for each in preview.readings} == {
        "come back exactly as they were": "446 rows",
        "changed or written since": "4 rows",
        "by the inverse table": "3 rows",
        "left to a person": "1 row",
    }
    assert any(line.text.startswith("Nothing is lost") for line in preview.consequences)
    assert section(preview, "Statements")[:4] == [
        "1. DROP VIEW active_accounts",
        "2. DROP VIEW deleted_accounts",
        "3. ALTER TABLE public.accounts: add license_status, account_type, is_trial",
        "4. UPDATE public.accounts: saved values back",
    ]
    assert "public.accounts: ACCESS EXCLUSIVE" in section(preview, "Locks")


async def test_it_is_digested_alike_under_traffic_and_not_when_the_ground_moves(
    scene: Scene, database: LiveDatabase
) -> None:
    preview = await scene.preview()
    assert any("rc/r1/db.migrate" in fact.value for fact in preview.facts)
    await database.run(NEW.format("n1", "'active'"), "UPDATE accounts SET account_status = 'archived' WHERE id = 16")
    assert (await scene.preview()).digest == preview.digest
    await database.run("CREATE INDEX of_today ON accounts (account_status, name)")
    changed = await scene.preview()
    assert changed.digest != preview.digest
    assert any("of_today" in line for line in section(changed, "Goes with the new columns"))


async def test_more_undecided_rows_than_can_be_shown_are_counted(scene: Scene, database: LiveDatabase) -> None:
    await database.run("UPDATE accounts SET account_status = 'archived' WHERE id <= 25")
    lines = section(await scene.preview(), "Left to a person")
    assert len(lines) == 21
    assert lines[-1] == "… and 5 rows more"
    evidence = await scene.brought_back()
    assert isinstance(evidence.data["undecided"], list)
    assert len(evidence.data["undecided"]) == 25
    assert evidence.summary.startswith("424 rows exactly as before, 0 by the inverse table, 25 rows left to a person")


@pytest.mark.parametrize(
    ("arrange", "says"),
    [
        ("CREATE VIEW held AS SELECT id FROM accounts WHERE account_status = 'on_hold'", "view public.held needs"),
        ("DROP TABLE accounts_before_020", "does not exist"),
        ("DELETE FROM schema_migrations WHERE version = 20", "neither the old schema nor the new one"),
    ],
)
async def test_what_is_in_the_way_is_named_before_anything_is_confirmed(
    scene: Scene, database: LiveDatabase, arrange: str, says: str
) -> None:
    await database.run(arrange)
    with pytest.raises(StepFailed, match=says) as failed:
        await scene.preview()
    assert failed.value.production
    assert failed.value.remedy


async def test_a_trigger_that_runs_on_the_filling_is_told(scene: Scene, database: LiveDatabase) -> None:
    await database.run(
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$",
        "CREATE TRIGGER touch BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION touch()",
    )
    (line,) = section(await scene.preview(), "Runs on the filling, as it did in the migration")
    assert "CREATE TRIGGER touch" in line
    assert (await scene.brought_back()).data["rows_rebuilt"] == 449


async def test_the_price_is_the_one_of_the_preview(scene: Scene, database: LiveDatabase) -> None:
    plan = scene.incident.run.plan
    sentence, lines = await price_of_schema(database, plan)
    assert sentence == "nothing is lost"
    assert lines[0].text == "449 rows nobody changed: exactly as before the migration"
    assert "whatever reads accounts fails" in lines[1].text, "the gap is part of the price"
    await database.run(
        "UPDATE accounts SET account_status = 'archived' WHERE id <= 3",
        "CREATE VIEW held AS SELECT id FROM accounts WHERE account_status = 'on_hold'",
    )
    sentence, lines = await price_of_schema(database, plan)
    assert sentence == "nothing is lost; 3 rows to decide"
    assert "key 1: archived" in [line.text for line in lines]
    assert "view public.held is in the way: it needs account_status" in [line.text for line in lines]


async def test_it_brings_everything_back_and_leaves_what_later_steps_need(scene: Scene, database: LiveDatabase) -> None:
    await database.run(NEW.format("n1", "'on_hold'"), NEW.format("n2", "'archived'"))
    evidence = await scene.brought_back()
    data = evidence.data
    assert (data["rows_rebuilt"], data["rows_mapped"], data["rows_new"]) == (449, 1, 2)
    assert data["saved_copy"] == "public.accounts_before_020"
    assert data["kept_copy"] == "public.accounts_before_020_reverted_1"
    assert isinstance(data["undecided"], list)
    assert [(each["value"], each["given"]) for each in data["undecided"] if isinstance(each, dict)] == [
        ("archived", "pending")
    ]
    assert isinstance(data["history"], dict)
    assert data["history"]["version"] == 20
    assert isinstance(data["began"], dict)
    assert str(data["committed_at"]) > str(data["began"]["at"])
    assert [list(each) for each in scene.reports.durable] == [["began"], ["committing"]]
    assert section(evidence, "Changed or written since") == ["archived → ?: 1", "on_hold → pending: 1"]
    await scene.back.verify(scene.chosen.context("schema"), evidence)
    with pytest.raises(StepFailed, match="nothing to be brought back"):
        await scene.preview()


async def test_verifying_before_it_was_done_names_what_is_missing(scene: Scene) -> None:
    with pytest.raises(VerificationFailed, match="The schema is not back"):
        await scene.back.verify(scene.chosen.context("schema"), Evidence("by hand"))


async def test_a_view_that_cannot_be_read_is_told(scene: Scene, database: LiveDatabase) -> None:
    evidence = await scene.brought_back()
    await database.run("DROP VIEW active_accounts")
    with pytest.raises(VerificationFailed, match="view active_accounts cannot be read"):
        await scene.back.verify(scene.chosen.context("schema"), evidence)


async def test_a_commit_whose_answer_was_lost_is_found_done(scene: Scene, database: LiveDatabase) -> None:
    await database.run(NEW.format("n1", "'archived'"))
    context = await scene.started()
    opened = database.session

    @asynccontextmanager
    async def session(application: str, **options: object) -> AsyncIterator[Session]:
        async with opened(application, **options) as real:  # type: ignore[arg-type]
            yield AnswerLost(real, []) if application == context.marker else real

    database.session = session  # type: ignore[assignment, method-assign]
    with pytest.raises(OutcomeUnknown):
        await scene.back.perform(context, scene.reports)
    found = await scene.back.probe(scene.again(context))
    assert isinstance(found, Done)
    data = found.evidence.data
    assert (data["rows_rebuilt"], data["rows_mapped"]) == (449, 0)
    assert data["kept_copy"] == "public.accounts_before_020_reverted_1"
    assert isinstance(data["undecided"], list)
    assert len(data["undecided"]) == 1
    assert data["own_xids"]
    await scene.back.verify(scene.again(context), found.evidence)


async def test_what_was_never_done_is_found_not_done(scene: Scene) -> None:
    context = await scene.started()
    assert isinstance(await scene.back.probe(context), NotDone)


async def test_the_same_by_somebody_else_is_not_ours(scene: Scene, database: LiveDatabase) -> None:
    context = await scene.started()
    await scene.brought_back()
    await database.run("DROP TABLE accounts_before_020_reverted_1")
    found = await scene.back.probe(context)
    assert isinstance(found, Unknown)
    assert "not by this run" in found.known


async def test_half_a_schema_is_for_a_person(scene: Scene, database: LiveDatabase) -> None:
    context = await scene.started()
    await database.run("ALTER TABLE accounts ADD COLUMN is_trial boolean")
    found = await scene.back.probe(context)
    assert isinstance(found, Unknown)
    assert any("is_trial" in line.text for line in found.lines)


async def test_while_its_session_lives_nobody_can_say(scene: Scene, database: LiveDatabase) -> None:
    context = await scene.started()
    scene.incident.run.clock = FakeClock()
    context = scene.again(context)
    async with database.session(context.marker) as session:
        await session.execute("BEGIN")
        await session.execute("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE")
        found = await scene.back.probe(context)
        assert isinstance(found, Unknown)
        assert f"pid {session.pid}" in found.known
        assert scene.incident.run.clock.monotonic() >= 15
    await database.until(f"SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = '{context.marker}'")
    assert isinstance(await scene.back.probe(context), NotDone)


async def test_the_kept_copy_is_removed_after_it_was_shown(scene: Scene, database: LiveDatabase) -> None:
    await database.run(NEW.format("n1", "'archived'"))
    await scene.brought_back()
    old = await database.fetch(OLD)
    preview = await scene.discard.preview(scene.chosen.context("discard_copy"))
    assert preview.summary.startswith("Remove public.accounts_before_020_reverted_1: 449 rows as they were before")
    assert any("rc/r1/back.schema" in fact.value for fact in preview.facts)
    assert section(preview, "Left to a person by the way back")[0].endswith(": archived, got pending")
    context = scene.chosen.context("discard_copy", preview.before)
    assert isinstance(await scene.discard.probe(context), NotDone)
    evidence = await scene.discard.perform(context, Reports())
    await scene.discard.verify(context, evidence)
    assert (evidence.data["table"], evidence.data["rows"]) == ("public.accounts_before_020_reverted_1", 449)
    assert isinstance(await scene.discard.probe(context), Done)
    assert await database.fetch(OLD) == old
    with pytest.raises(StepFailed, match="not there any more"):
        await scene.discard.preview(scene.chosen.context("discard_copy"))


async def test_without_a_record_the_only_copy_that_was_put_aside_is_found(scene: Scene, database: LiveDatabase) -> None:
    with pytest.raises(StepFailed, match="none was put aside"):
        await scene.discarding()
    await scene.brought_back()
    scene.incident.run.left("back.schema")
    assert (await scene.discarding()).before["table"] == "public.accounts_before_020_reverted_1"


async def test_another_copy_than_the_one_shown_is_not_removed(scene: Scene, database: LiveDatabase) -> None:
    await scene.brought_back()
    context = await scene.discarding()
    await database.run("COMMENT ON TABLE accounts_before_020_reverted_1 IS 'mine now'")
    found = await scene.discard.probe(context)
    assert isinstance(found, Unknown)
    with pytest.raises(StepFailed, match="not the copy that this run put aside"):
        await scene.discard.perform(context, Reports())
    stale = scene.chosen.context("discard_copy", {**context.before, "transaction": "1"})
    scene.incident.run.left("back.schema")
    with pytest.raises((StepFailed, WorldChanged)):
        await scene.discard.perform(stale, Reports())
    assert await database.value("SELECT count(*) FROM accounts_before_020_reverted_1") == 449


async def test_a_copy_that_something_depends_on_stays(scene: Scene, database: LiveDatabase) -> None:
    await scene.brought_back()
    context = await scene.discarding()
    await database.run("CREATE VIEW looks AS SELECT id FROM accounts_before_020_reverted_1")
    with pytest.raises(Exception, match="2BP01") as failed:
        await scene.discard.perform(context, Reports())
    assert "the copy is still there" in failed.value.production  # type: ignore[attr-defined]
    assert isinstance(await scene.discard.probe(context), NotDone)
