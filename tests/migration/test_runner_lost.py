"""Connections that go, servers that fall silent, tasks that are cancelled: what was not proven is not there."""

import asyncio
from dataclasses import replace

import pytest

from console.domain.plan import Migration
from console.errors import DatabaseError, OutcomeUnknown, StepFailed
from console.migration import bounded
from console.migration.bounded import BoundedSession
from console.migration.probe import probe
from console.migration.runner import MigrationRunner
from console.migration.script import Script
from tests.migration.conftest import Heard, assert_untouched, changed_script
from tests.migration.postgres import AnswerLost, Interference, LiveDatabase, WatchedSession

MARKER = "rc/run-1/db.migrate"
SLOW = changed_script("\nCREATE INDEX", "\nSELECT pg_sleep(60);\nCREATE INDEX")
SLEEPS = "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"


async def run(
    database: LiveDatabase,
    migration: Migration,
    script: Script,
    heard: Heard | None = None,
    interferences: tuple[Interference, ...] = (),
) -> None:
    async with database.session(MARKER) as session:
        watched = WatchedSession(session, list(interferences))
        await MigrationRunner(watched, migration, script, marker=MARKER, report=heard or Heard()).run()


class EndsOurBackend(Interference):
    """The server ends our session."""

    def __init__(self, database: LiveDatabase, prefix: str) -> None:
        super().__init__(prefix)
        self.database = database

    async def interfere(self) -> None:
        await end(self.database)


async def end(database: LiveDatabase) -> None:
    async with database.session("rc/ending") as session:
        await session.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %(name)s",
            {"name": MARKER},
        )


@pytest.mark.parametrize("prefix", ["LOCK TABLE", "CREATE TABLE", "UPDATE accounts", 'INSERT INTO "public"."schema'])
async def test_a_connection_lost_before_commit_changes_nothing(
    database: LiveDatabase, migration: Migration, script: Script, prefix: str
) -> None:
    with pytest.raises(StepFailed) as failure:
        await run(database, migration, script, interferences=(EndsOurBackend(database, prefix),))
    assert not isinstance(failure.value, OutcomeUnknown)
    assert "Nothing was committed" in failure.value.production
    await assert_untouched(database)


async def test_a_connection_killed_while_a_statement_runs_changes_nothing(
    database: LiveDatabase, migration: Migration
) -> None:
    running = asyncio.create_task(run(database, migration, SLOW))
    await database.until(SLEEPS)
    await end(database)
    with pytest.raises(StepFailed, match=r"020_consolidate_account_status.sql:\d+: .*terminating connection"):
        await running
    await assert_untouched(database)


async def test_a_cancelled_task_leaves_nothing_behind(database: LiveDatabase, migration: Migration) -> None:
    running = asyncio.create_task(run(database, migration, SLOW))
    await database.until(SLEEPS)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await database.until(f"SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = '{MARKER}'")
    await assert_untouched(database)


async def test_a_statement_that_takes_too_long_is_cancelled_by_the_server(
    database: LiveDatabase, migration: Migration
) -> None:
    with pytest.raises(StepFailed, match="57014") as failure:
        await run(database, replace(migration, statement_timeout=0.5), SLOW)
    assert "statement_timeout" in failure.value.remedy
    await assert_untouched(database)


async def test_a_connection_lost_at_commit_is_an_unknown_outcome_and_the_server_knows(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    with pytest.raises(OutcomeUnknown) as unknown:
        await run(database, migration, script, interferences=(EndsOurBackend(database, "COMMIT"),))
    found = await probe(database, migration, MARKER, transaction=str(unknown.value.data["transaction"]))
    assert found.transaction == "aborted"
    assert found.untouched
    await assert_untouched(database)


async def test_a_commit_whose_answer_is_lost_is_found_committed(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    async with database.session(MARKER) as session:
        losing = AnswerLost(session, [])
        with pytest.raises(OutcomeUnknown) as unknown:
            await MigrationRunner(losing, migration, script, marker=MARKER, report=Heard()).run()
    found = await probe(database, migration, MARKER, transaction=str(unknown.value.data["transaction"]))
    assert found.transaction == "committed"
    assert found.applied
    assert found.ours(MARKER)


async def test_a_journal_that_fails_rolls_the_migration_back(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    class FullDisk(Heard):
        async def __call__(self, progress: object) -> None:
            if "committing" in str(progress):
                raise StepFailed("No space left on device.")

    with pytest.raises(StepFailed, match="No space left") as failure:
        await run(database, migration, script, FullDisk())
    assert "rolled back" in failure.value.production
    await assert_untouched(database)


async def test_a_server_that_never_answers_is_given_up(database: LiveDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "GRACE", 0.1)
    async with database.session(MARKER) as session:
        with pytest.raises(DatabaseError, match="not answered") as silence:
            await BoundedSession(session, 0.1).execute("SELECT pg_sleep(60)")
        assert bounded.connection_lost(silence.value)


async def test_the_limits_hold_while_the_file_runs(database: LiveDatabase, migration: Migration) -> None:
    """Asked from inside the file: after it changed them itself, they are the console's again."""
    asserted = " AND ".join(
        f"current_setting('{name}') = '{value}'"
        for name, value in {
            "lock_timeout": "3s",
            "statement_timeout": "1min",
            "idle_in_transaction_session_timeout": "1min",
            "client_connection_check_interval": "5s",
            "row_security": "off",
            "transaction_isolation": "read committed",
            "application_name": MARKER,
        }.items()
    )
    script = changed_script(
        "\nBEGIN;", f"\nBEGIN;\nSET lock_timeout = 0;\nSET row_security = on;\nDO $$ BEGIN ASSERT {asserted}; END $$;"
    )
    await run(database, migration, script)
