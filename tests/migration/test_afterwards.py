"""After COMMIT, or after a crash: the probe, the integrity of the rows, who waits for whom."""

import asyncio
from dataclasses import replace

import pytest

from console.domain.databases import Backend
from console.domain.plan import Migration
from console.errors import StepFailed
from console.migration.blockers import blockage, statement_progress, watch_blockers
from console.migration.integrity import Baseline, check_counts, check_domain, check_rows, check_shape
from console.migration.names import QualifiedName
from console.migration.probe import probe, transaction_status
from console.migration.result import MigrationResult
from console.migration.runner import MigrationRunner
from console.migration.saved_copy import Origin, existing_origin
from console.migration.script import Script
from tests.migration.conftest import Heard, changed_script, mapping_with
from tests.migration.postgres import LiveDatabase

MARKER = "rc/run-1/db.migrate"
SAVED = QualifiedName("public", "accounts_before_020")


async def migrate(database: LiveDatabase, migration: Migration, script: Script) -> MigrationResult:
    async with database.session(MARKER) as session:
        return await MigrationRunner(session, migration, script, marker=MARKER, report=Heard()).run()


async def test_a_probe_before_finds_nothing_done(database: LiveDatabase, migration: Migration) -> None:
    found = await probe(database, migration, MARKER)
    assert found.untouched
    assert not found.applied
    assert (found.history, found.backend, found.saved, found.transaction) == (None, None, None, None)


async def test_a_probe_after_finds_it_applied_and_ours(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    result = await migrate(database, migration, script)
    found = await probe(database, migration, MARKER, transaction=str(result.began.transaction))
    assert found.applied
    assert found.ours(MARKER)
    assert not found.ours("rc/run-2/db.migrate")
    assert found.transaction == "committed"
    assert found.history is not None
    assert found.history["checksum"] == script.checksum


async def test_a_probe_of_an_ended_attempt_finds_it_aborted(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    heard = Heard()
    async with database.session(MARKER) as session:
        bad = mapping_with(migration, otherwise="inactive")
        with pytest.raises(StepFailed):
            await MigrationRunner(session, bad, script, marker=MARKER, report=heard).run()
    began = heard.durable[0].data["began"]
    assert isinstance(began, dict)
    found = await probe(database, migration, MARKER, transaction=str(began["transaction"]))
    assert found.transaction == "aborted"
    assert found.untouched


async def test_a_probe_while_the_backend_lives_names_it(database: LiveDatabase, migration: Migration) -> None:
    async with database.session(MARKER) as session:
        await session.execute("BEGIN")
        transaction = str((await session.fetch("SELECT pg_current_xact_id()::text AS id"))[0]["id"])
        found = await probe(database, migration, MARKER, transaction=transaction)
        assert found.backend is not None
        assert found.backend.pid == session.pid
        assert found.transaction == "in progress"


async def test_a_transaction_of_the_future_is_not_known(database: LiveDatabase) -> None:
    assert await transaction_status(database, "99999999999") is None


async def test_the_saved_copy_holds_what_a_way_back_needs(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    result = await migrate(database, migration, script)
    exists, origin = await existing_origin(database, SAVED)
    assert exists
    assert isinstance(origin, Origin)
    assert (origin.marker, origin.transaction, origin.table) == (MARKER, result.began.transaction, "public.accounts")
    status = origin.columns[0]
    assert (status.name, status.type, status.default) == (
        "license_status",
        "character varying(50)",
        "'pending'::character varying",
    )
    assert [column.name for column in origin.columns] == ["license_status", "account_type", "is_trial", "deleted_at"]
    assert len(origin.indexes) == 2
    assert "license_status" in dict(origin.views)["active_accounts"]
    assert (
        await database.value(
            "SELECT count(*) FROM pg_index WHERE indisprimary AND indrelid = 'accounts_before_020'::regclass"
        )
        == 1
    )


async def test_untouched_rows_are_right_and_users_rows_are_told_apart(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    result = await migrate(database, migration, script)
    await database.run(
        "UPDATE accounts SET account_status = 'suspended' WHERE id IN (1, 2)",
        "UPDATE accounts SET name = 'renamed' WHERE id = 3",
        "DELETE FROM accounts WHERE id = 4",
        "INSERT INTO accounts (reference, organisation_id, owner_id, name) VALUES ('N1', 1, 1, 'New')",
    )
    for baseline in (Baseline.from_data(result.data()), None):
        rows = await check_rows(database, migration, baseline)
        assert rows.passed
        assert (rows.saved, rows.right, rows.wrong, rows.written_since) == (449, 445, 0, 3)
        assert (rows.changed_since, rows.deleted_since, rows.inserted_since) == (2, 1, 1)


async def test_rows_that_a_subtransaction_of_the_migration_wrote_are_its_own(
    database: LiveDatabase, migration: Migration
) -> None:
    script = changed_script(
        "\nCOMMIT;",
        "\nDO $$ BEGIN UPDATE accounts SET name = name WHERE id < 10; EXCEPTION WHEN others THEN RAISE; END $$;"
        "\nCOMMIT;",
    )
    result = await migrate(database, migration, script)
    assert len(result.own_xids) == 2
    rows = await check_rows(database, migration, Baseline.from_data(result.data()))
    assert (rows.right, rows.written_since) == (449, 0)


async def test_a_row_that_is_wrong_and_unwritten_since_is_shown(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await migrate(database, migration, script)
    await database.run("UPDATE accounts_before_020 SET license_status = 'suspended', deleted_at = NULL WHERE id = 1")
    rows = await check_rows(database, migration)
    assert not rows.passed
    assert [str(row) for row in rows.differing] == ["key 1: was 'suspended', expected 'suspended', found 'on_hold'"]


async def test_without_the_saved_copy_the_rows_cannot_be_checked(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await migrate(database, migration, script)
    await database.run("DROP TABLE accounts_before_020")
    with pytest.raises(StepFailed, match="saved copy"):
        await check_rows(database, migration)


async def test_values_outside_the_domain_and_nulls_are_counted(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await migrate(database, migration, script)
    assert (await check_domain(database, migration)).passed
    await database.run("UPDATE accounts SET account_status = CASE WHEN id < 3 THEN 'odd' END WHERE id < 5")
    domain = await check_domain(database, migration)
    assert not domain.passed
    assert (domain.nulls, domain.outside) == (2, (("odd", 2),))


async def test_counts_by_value_stand_beside_the_mapped_ones(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await migrate(database, migration, script)
    counts = await check_counts(database, migration)
    assert dict(counts.mapped) == dict(counts.now)
    assert sum(rows for _, rows in counts.mapped) == 449


async def test_the_shape_is_as_the_plan_wants_it(database: LiveDatabase, migration: Migration, script: Script) -> None:
    before = await check_shape(database, migration, ("idx_accounts_account_status",))
    assert before.problems == (
        "column license_status is still there",
        "column account_type is still there",
        "column is_trial is still there",
        "column account_status is missing",
        "index idx_accounts_account_status is missing",
        "the history row is missing",
        "the saved copy is missing",
    )
    await migrate(database, migration, script)
    assert (await check_shape(database, migration, ("idx_accounts_account_status",))).problems == ()
    await database.run(
        "DROP VIEW deleted_accounts",
        "CREATE OR REPLACE VIEW active_accounts AS SELECT id, reference, name, organisation_id, owner_id, "
        "account_status, (now() + (1 / (id - id)) * interval '1 day')::timestamptz AS created_at FROM accounts",
    )
    wanted = replace(migration, dropped_views=("active_accounts",), views=("deleted_accounts", "active_accounts"))
    problems = (await check_shape(database, wanted)).problems
    assert problems[:2] == ("view deleted_accounts is missing", "view active_accounts is still there")


async def test_who_waits_for_whom_is_seen_from_outside(database: LiveDatabase) -> None:
    async with database.session(MARKER) as us, database.session("reader") as reader, database.session("old") as old:
        await old.execute("BEGIN")
        await old.execute("SELECT count(*) FROM accounts")
        await us.execute("BEGIN")
        ours = asyncio.create_task(us.execute("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE"))
        await database.until("SELECT count(*) = 1 FROM pg_locks WHERE NOT granted")
        theirs = asyncio.create_task(reader.fetch("SELECT count(*) FROM accounts"))
        await database.until("SELECT count(*) = 2 FROM pg_locks WHERE NOT granted")
        seen = await watch_blockers(database, us.pid)
        assert [one.application for one in seen.blocking] == ["old"]
        assert [one.application for one in seen.waiting] == ["reader"]
        assert seen.longest_wait > 0
        assert await statement_progress(database, us.pid) is None
        await old.execute("ROLLBACK")
        await ours
        await us.execute("ROLLBACK")
        await theirs


def test_those_who_wait_behind_others_are_counted_too() -> None:
    def backend(pid: int, *waits_for: int) -> Backend:
        return Backend(pid, f"b{pid}", "u", "active", float(pid), 1.0, "", waits_for, "")

    seen = blockage([backend(1, 9), backend(2, 1), backend(3, 2), backend(4), backend(9)], 1)
    assert [one.pid for one in seen.blocking] == [9]
    assert [one.pid for one in seen.waiting] == [3, 2]
    assert seen.longest_wait == 3.0
    assert blockage([], 1).longest_wait == 0.0


async def test_a_hundred_thousand_rows_are_migrated_and_checked_within_seconds(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await database.run(
        "SET session_replication_role = replica",
        "INSERT INTO accounts (reference, organisation_id, owner_id, name, license_status, is_trial) "
        "SELECT 'B' || n, 1, 1, 'Big ' || n, (ARRAY['active', 'pending', 'expired', NULL])[1 + n % 4], n % 9 = 0 "
        "FROM generate_series(1, 100000) AS n",
    )
    async with asyncio.timeout(60):
        result = await migrate(database, migration, script)
        rows = await check_rows(database, migration, Baseline.from_data(result.data()))
    assert (result.rows_saved, rows.right) == (100449, 100449)
