"""The way back with connections that go and tasks that are cancelled: the schema is back whole, or not at all."""

import asyncio
from dataclasses import replace

import pytest

from console.domain.plan import MappingRule, Migration
from console.errors import DatabaseError, OutcomeUnknown, StepFailed
from console.migration.kept_copy import Kept, discard, find_kept, kept_copies
from console.migration.names import QualifiedName
from console.migration.reversal import Reversal
from console.migration.reversal_probe import probe_reversal
from console.migration.runner import MigrationRunner
from console.migration.script import Script
from tests.migration.conftest import Heard
from tests.migration.postgres import AnswerLost, Interference, LiveDatabase, WatchedSession

BACK = "rc/run-1/back.schema"
STATUSES = "SELECT id, account_status FROM accounts ORDER BY id"
ENDED = f"SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = '{BACK}'"
SLOWLY = (
    "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$",
    "CREATE TRIGGER slowly AFTER UPDATE ON accounts FOR EACH STATEMENT EXECUTE FUNCTION slowly()",
)
SLEEPS = "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"


@pytest.fixture
async def migrated(database: LiveDatabase, migration: Migration, script: Script) -> Migration:
    """The migration has run; the plan, with its way back."""
    async with database.session("rc/run-1/db.migrate") as session:
        await MigrationRunner(session, migration, script, marker="rc/run-1/db.migrate", report=Heard()).run()
    values = ("active", "active"), ("on_hold", "pending"), ("inactive", "expired")
    return replace(migration, inverse=tuple(MappingRule(*each) for each in values))


async def back(
    database: LiveDatabase, migration: Migration, heard: Heard | None = None, *interferences: Interference
) -> None:
    async with database.session(BACK) as session:
        watched = WatchedSession(session, list(interferences))
        await Reversal(watched, migration, marker=BACK, report=heard or Heard()).run()


async def end(database: LiveDatabase) -> None:
    async with database.session("rc/ending") as session:
        await session.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %(name)s",
            {"name": BACK},
        )


class EndsOurBackend(Interference):
    """The server ends our session."""

    def __init__(self, database: LiveDatabase, prefix: str) -> None:
        super().__init__(prefix)
        self.database = database

    async def interfere(self) -> None:
        await end(self.database)


async def assert_still_migrated(database: LiveDatabase, migration: Migration, before: object) -> None:
    await database.until(ENDED)
    assert await database.fetch(STATUSES) == before
    found = await probe_reversal(database, migration, BACK)
    assert found.still_migrated
    assert (found.backend, found.kept) == (None, ())
    assert await database.value("SELECT count(account_status) > 0 FROM active_accounts")


@pytest.mark.parametrize(
    "prefix",
    [
        "LOCK TABLE",
        "DROP VIEW",
        'ALTER TABLE "public"."accounts" ADD',
        'UPDATE "public"."accounts"',
        'ALTER TABLE "public"."accounts" DROP',
        "CREATE INDEX",
        "CREATE VIEW",
        "DELETE FROM",
        'ALTER TABLE "public"."accounts_before_020" RENAME',
        "COMMENT",
    ],
)
async def test_a_connection_lost_before_commit_changes_nothing(
    database: LiveDatabase, migrated: Migration, prefix: str
) -> None:
    before = await database.fetch(STATUSES)
    ends = EndsOurBackend(database, prefix)
    with pytest.raises(StepFailed) as failed:
        await back(database, migrated, None, ends)
    assert ends.fired
    assert not isinstance(failed.value, OutcomeUnknown)
    assert "Nothing was committed" in failed.value.production
    await assert_still_migrated(database, migrated, before)


async def test_a_cancelled_task_leaves_nothing_behind(database: LiveDatabase, migrated: Migration) -> None:
    before = await database.fetch(STATUSES)
    await database.run(*SLOWLY)
    running = asyncio.create_task(back(database, migrated))
    await database.until(SLEEPS)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await assert_still_migrated(database, migrated, before)


async def test_a_statement_that_takes_too_long_is_cancelled_by_the_server(
    database: LiveDatabase, migrated: Migration
) -> None:
    before = await database.fetch(STATUSES)
    await database.run(*SLOWLY)
    with pytest.raises(StepFailed, match=r"saved values back: .*57014"):
        await back(database, replace(migrated, statement_timeout=0.5))
    await assert_still_migrated(database, migrated, before)


async def test_a_connection_lost_at_commit_is_an_unknown_outcome_and_the_server_knows(
    database: LiveDatabase, migrated: Migration
) -> None:
    before = await database.fetch(STATUSES)
    with pytest.raises(OutcomeUnknown) as unknown:
        await back(database, migrated, None, EndsOurBackend(database, "COMMIT"))
    assert "either committed whole or not at all" in unknown.value.production
    found = await probe_reversal(database, migrated, BACK, transaction=str(unknown.value.data["transaction"]))
    assert found.transaction == "aborted"
    await assert_still_migrated(database, migrated, before)


async def test_a_commit_whose_answer_is_lost_is_found_committed(database: LiveDatabase, migrated: Migration) -> None:
    async with database.session(BACK) as session:
        with pytest.raises(OutcomeUnknown) as unknown:
            await Reversal(AnswerLost(session, []), migrated, marker=BACK, report=Heard()).run()
    found = await probe_reversal(database, migrated, BACK, transaction=str(unknown.value.data["transaction"]))
    assert (found.brought_back, found.transaction) == (True, "committed")
    assert found.by(BACK) is not None


async def test_while_its_session_lives_it_is_seen(database: LiveDatabase, migrated: Migration) -> None:
    await database.run(*SLOWLY)
    heard = Heard()
    running = asyncio.create_task(back(database, migrated, heard))
    await database.until(SLEEPS)
    began = heard.durable[0].data["began"]
    assert isinstance(began, dict)
    found = await probe_reversal(database, migrated, BACK, transaction=str(began["transaction"]))
    assert found.backend is not None
    assert (found.transaction, found.still_migrated) == ("in progress", True)
    await end(database)
    with pytest.raises(StepFailed):
        await running


async def test_a_journal_that_fails_rolls_it_back(database: LiveDatabase, migrated: Migration) -> None:
    class FullDisk(Heard):
        async def __call__(self, progress: object) -> None:
            if "committing" in str(progress):
                raise StepFailed("No space left on device.")

    before = await database.fetch(STATUSES)
    with pytest.raises(StepFailed, match="No space left") as failed:
        await back(database, migrated, FullDisk())
    assert "with the migrated schema" in failed.value.production
    await assert_still_migrated(database, migrated, before)


@pytest.fixture
async def kept(database: LiveDatabase, migrated: Migration) -> Kept:
    """The schema is back, and its copy is put aside."""
    await back(database, migrated)
    (kept,) = await kept_copies(database, migrated, QualifiedName("public", "accounts_before_020"))
    return kept


@pytest.mark.parametrize("prefix", ["LOCK TABLE", "DROP TABLE"])
async def test_a_copy_is_not_dropped_by_halves(
    database: LiveDatabase, migrated: Migration, kept: Kept, prefix: str
) -> None:
    with pytest.raises(DatabaseError) as failed:
        await drop(database, migrated, kept, EndsOurBackend(database, prefix))
    assert "the copy is still there" in failed.value.production
    assert await find_kept(database, kept.name) == kept


async def test_a_drop_whose_connection_went_at_commit_is_an_unknown_outcome(
    database: LiveDatabase, migrated: Migration, kept: Kept
) -> None:
    with pytest.raises(OutcomeUnknown):
        await drop(database, migrated, kept, EndsOurBackend(database, "COMMIT"))
    assert await find_kept(database, kept.name) == kept


async def test_a_copy_that_changed_since_it_was_shown_stays(
    database: LiveDatabase, migrated: Migration, kept: Kept
) -> None:
    with pytest.raises(StepFailed, match="not the copy any more"):
        await drop(database, migrated, replace(kept, reverted=None))
    assert await find_kept(database, kept.name) == kept
    await drop(database, migrated, kept)
    assert await find_kept(database, kept.name) is None


async def drop(database: LiveDatabase, migration: Migration, kept: Kept, *interferences: Interference) -> None:
    async with database.session(BACK) as session:
        await discard(WatchedSession(session, list(interferences)), migration, kept)
