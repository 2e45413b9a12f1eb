"""The runner against a real server: it commits what it has proven, and nothing else."""

import re
from dataclasses import replace

import pytest

from console.domain.plan import Claim, HistoryTable, MappingRule, Migration
from console.errors import StepFailed, Stopped, VerificationFailed
from console.migration.dependents import leftovers
from console.migration.integrity import Baseline, check_rows
from console.migration.probe import probe
from console.migration.result import MigrationResult
from console.migration.runner import MigrationRunner
from console.migration.script import Script, parse_script
from tests.migration.conftest import Heard, assert_untouched, changed_script, mapping_with
from tests.migration.postgres import PATH, LiveDatabase

MARKER = "rc/run-1/db.migrate"


async def run(
    database: LiveDatabase, migration: Migration, script: Script, heard: Heard | None = None, stop_at: int | None = None
) -> MigrationResult:
    """One attempt; `stop_at`: the person asks to stop while that statement runs."""
    heard = heard or Heard()

    def stopping() -> bool:
        return any(stop_at is not None and progress.data.get("statement") == stop_at for progress in heard.all)

    async with database.session(MARKER) as session:
        runner = MigrationRunner(session, migration, script, marker=MARKER, report=heard, stopping=stopping)
        return await runner.run()


async def test_the_right_mapping_is_committed_with_its_history_row_and_its_saved_copy(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    before = await database.fetch("SELECT id, license_status, account_type, is_trial, deleted_at FROM accounts")
    heard = Heard()
    result = await run(database, migration, script, heard)

    assert result.rows_saved == 449
    assert sum(rows for _, rows in result.new_counts) == 449
    counted = await database.fetch("SELECT account_status AS value, count(*) AS rows FROM accounts GROUP BY 1")
    assert dict(result.new_counts) == {row["value"]: row["rows"] for row in counted}
    assert sum(item.rows for item in result.transitions) == 449
    assert {(item.old, item.new) for item in result.transitions} >= {("pending", "on_hold"), (None, "active")}
    assert len(result.statements) == 12
    assert result.own_xids == (result.began.transaction,)
    saved = await database.fetch(
        "SELECT id, license_status, account_type, is_trial, deleted_at FROM accounts_before_020"
    )
    assert sorted(map(repr, saved)) == sorted(map(repr, before))
    history = await database.fetch("SELECT filename, checksum FROM schema_migrations WHERE version = 20")
    assert history == [{"filename": PATH.rpartition("/")[2], "checksum": script.checksum}]
    assert [set(progress.data) for progress in heard.durable] == [{"began"}, {"committing"}]


async def test_claims_are_counted_and_do_not_stop_anything(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    promised = await database.value(
        "SELECT count(*) FROM accounts WHERE account_type = 'trial' "
        "AND (deleted_at IS NOT NULL OR license_status IS DISTINCT FROM 'pending')"
    )
    result = await run(database, migration, script)
    assert result.claims[0].rows == promised
    assert "active" in result.claims[0].instead


async def test_a_wrong_mapping_in_the_plan_is_rolled_back_with_the_rows_that_differ(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    rules = (MappingRule("pending", "inactive"), *migration.mapping.rules[2:])
    with pytest.raises(VerificationFailed) as failure:
        await run(database, mapping_with(migration, rules=rules), script)

    pending = await database.value(
        "SELECT count(*) FROM accounts WHERE license_status = 'pending' AND deleted_at IS NULL"
    )
    assert failure.value.data["total"] == pending
    assert len(failure.value.lines) == 21
    assert failure.value.lines[0] == "key 1: was 'pending', expected 'inactive', found 'on_hold'"
    assert "rolled back" in failure.value.production
    await assert_untouched(database)


async def test_wrong_sql_in_the_file_is_rolled_back_with_the_rows_that_differ(
    database: LiveDatabase, migration: Migration
) -> None:
    with pytest.raises(VerificationFailed, match="rows differ from the plan's mapping") as failure:
        await run(database, migration, changed_script("= 'expired' THEN 'inactive'", "= 'expired' THEN 'on_hold'"))
    assert "was 'expired', expected 'inactive', found 'on_hold'" in failure.value.lines[0]
    await assert_untouched(database)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("ALTER TABLE accounts DROP COLUMN IF EXISTS is_trial;", "", "column public.accounts.is_trial is still there"),
        (
            "ALTER TABLE accounts DROP COLUMN IF EXISTS is_trial;",
            "ALTER TABLE accounts DROP COLUMN IF EXISTS trial_flag;",
            "column public.accounts.is_trial is still there",
        ),
        ("CREATE VIEW deleted_accounts", "CREATE VIEW removed_accounts", "view deleted_accounts is missing"),
        ("ELSE 'active'", "ELSE NULL", "expected 'active', found NULL"),
        ("\nCOMMIT;", "\nDELETE FROM accounts WHERE id = 5;\nCOMMIT;", "the row is gone"),
        (
            "\nCOMMIT;",
            "\nINSERT INTO accounts (reference, organisation_id, owner_id, name) VALUES ('N', 1, 1, 'N');\nCOMMIT;",
            "a row that was not there before",
        ),
    ],
)
async def test_a_file_that_does_not_do_what_the_plan_says_is_not_committed(
    database: LiveDatabase, migration: Migration, old: str, new: str, says: str
) -> None:
    with pytest.raises(VerificationFailed) as failure:
        await run(database, migration, changed_script(old, new))
    assert any(says in line for line in failure.value.lines)
    await assert_untouched(database)


async def test_a_value_outside_the_domain_is_not_committed(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    narrow = mapping_with(migration, domain=("active", "inactive", "suspended", "cancelled"))
    with pytest.raises(VerificationFailed, match="outside its domain: 'on_hold'"):
        await run(database, narrow, script)
    await assert_untouched(database)


async def test_a_statement_that_fails_in_the_middle_names_file_line_and_state(
    database: LiveDatabase, migration: Migration
) -> None:
    with pytest.raises(StepFailed) as failure:
        await run(database, migration, changed_script("ON accounts (account_status)", "ON accounts (account_state)"))
    assert "020_consolidate_account_status.sql:30:" in failure.value.message
    assert failure.value.data["sqlstate"] == "42703"
    assert "rolled back" in failure.value.production
    await assert_untouched(database)


async def test_a_view_that_the_file_forgets_is_told_as_what_depends(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await database.run("CREATE VIEW trials AS SELECT id FROM accounts WHERE is_trial")
    with pytest.raises(StepFailed, match="2BP01") as failure:
        await run(database, migration, script)
    assert "depends on" in failure.value.remedy
    await assert_untouched(database)


async def test_a_lock_that_is_not_to_be_had_in_time_names_its_holder(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    async with database.session("crm-report") as other:
        await other.execute("BEGIN")
        await other.execute("UPDATE accounts SET name = 'busy' WHERE id = 1")
        with pytest.raises(StepFailed, match="55P03") as failure:
            await run(database, replace(migration, lock_timeout=0.2), script)
        assert any("crm-report" in line and f"pid {other.pid}" in line for line in failure.value.lines)
        await other.execute("ROLLBACK")
    await assert_untouched(database)


async def test_a_second_console_is_told_who_migrates(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    async with database.session("rc/other/db.migrate") as other:
        await other.execute("BEGIN")
        await other.execute("SELECT pg_advisory_xact_lock(1380142407, 1)")
        with pytest.raises(StepFailed, match=re.escape("rc/other/db.migrate")):
            await run(database, migration, script)
        await other.execute("ROLLBACK")
    await assert_untouched(database)


async def test_a_stop_is_honoured_before_the_next_statement(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    heard = Heard()
    with pytest.raises(Stopped) as stopped:
        await run(database, migration, script, heard, stop_at=4)
    assert max(int(str(progress.data.get("statement", 0))) for progress in heard.all) == 4
    assert "rolled back" in stopped.value.production
    await assert_untouched(database)


async def test_a_migration_that_is_recorded_is_not_repeated(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await run(database, migration, script)
    with pytest.raises(StepFailed, match="already recorded"):
        await run(database, migration, script)
    assert await database.value("SELECT count(*) FROM schema_migrations WHERE version = 20") == 1


async def test_a_saved_copy_of_somebody_else_is_never_replaced(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await database.run("CREATE TABLE accounts_before_020 (precious int)")
    with pytest.raises(StepFailed, match="the console did not make it"):
        await run(database, migration, script)


async def test_a_saved_copy_of_an_earlier_run_is_kept_and_named(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await run(database, migration, script)
    await database.run("DELETE FROM schema_migrations WHERE version = 20")
    with pytest.raises(StepFailed, match=f"earlier run of migration 020 .{MARKER}"):
        await run(database, migration, script)


async def test_a_file_that_empties_the_search_path_misleads_nothing(
    database: LiveDatabase, migration: Migration
) -> None:
    script = changed_script("\nCOMMIT;", "\nSELECT set_config('search_path', '', false);\nCOMMIT;")
    assert (await run(database, migration, script)).rows_saved == 449


async def test_a_key_that_does_not_tell_rows_apart_is_refused_before_the_lock(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    for key in ("name", "primary_contact_id", "nothing"):
        with pytest.raises(StepFailed, match=f"{key} is not a key"):
            await run(database, replace(migration, key=key), script)


async def test_odd_names_and_another_schema_are_quoted_throughout(database: LiveDatabase, migration: Migration) -> None:
    await database.run(
        'CREATE SCHEMA "Sales"',
        'CREATE TABLE "Sales"."My ""Rows" ("Key" uuid PRIMARY KEY DEFAULT gen_random_uuid(), "is %s" boolean)',
        'INSERT INTO "Sales"."My ""Rows" ("is %s") SELECT (ARRAY[true, false, NULL])[1 + n % 3] '
        "FROM generate_series(1, 30) AS n",
        'CREATE TABLE "Sales"."History" (version text PRIMARY KEY, "at" timestamptz, note text)',
    )
    script = parse_script(
        "m/021.sql",
        b"""
        ALTER TABLE "Sales"."My ""Rows" ADD COLUMN "State" text;
        UPDATE "Sales"."My ""Rows" SET "State" = CASE WHEN "is %s" THEN 'it''s \\' ELSE 'no' END;
        ALTER TABLE "Sales"."My ""Rows" DROP COLUMN "is %s";
        """,
    )
    plan = replace(
        migration,
        version="021%",
        table='Sales.My "Rows',
        key="Key",
        removed=("is %s",),
        added=("State",),
        views=(),
        claims=(Claim("all", '"is %s" IS NULL', "other"),),
        saved_copy="My 'Copy",
        history=HistoryTable("Sales.History", "version", {"at": "{now}", "note": "{file}: it's \\ {checksum}"}),
        mapping=replace(
            migration.mapping,
            source="is %s",
            target="State",
            overrides=(),
            rules=(MappingRule("true", "it's \\"),),
            otherwise="no",
            domain=("it's \\", "no"),
        ),
    )
    result = await run(database, plan, script)
    assert result.saved_copy == "Sales.My 'Copy"
    assert result.claims[0].rows == 10
    history = (await database.fetch('SELECT note, "at" <= now() AS past FROM "Sales"."History"'))[0]
    assert history == {"note": f"021.sql: it's \\ {script.checksum}", "past": True}
    assert (await check_rows(database, plan, Baseline.from_data(result.data()))).right == 30
    assert (await probe(database, plan, MARKER)).applied
    assert await leftovers(database, plan) == ()


async def test_a_history_row_written_by_the_file_itself_is_kept(database: LiveDatabase, migration: Migration) -> None:
    own = "\nINSERT INTO schema_migrations VALUES (20, 'own', 'own');\nCOMMIT;"
    result = await run(database, migration, changed_script("\nCOMMIT;", own))
    assert result.history_by_file
    assert await database.value("SELECT filename FROM schema_migrations WHERE version = 20") == "own"


async def test_rows_that_a_policy_hides_from_the_role_end_the_run_instead_of_being_lost(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await database.run(
        "CREATE ROLE row_reader",
        "ALTER TABLE accounts OWNER TO row_reader",
        "ALTER TABLE accounts FORCE ROW LEVEL SECURITY",
        "ALTER TABLE accounts ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY few ON accounts USING (id < 10)",
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO row_reader",
        "GRANT ALL ON SCHEMA public TO row_reader",
    )
    async with database.session(MARKER) as session:
        await session.execute("SET ROLE row_reader")
        with pytest.raises(StepFailed, match="row-level security"):
            await MigrationRunner(session, migration, script, marker=MARKER, report=Heard()).run()
    await database.run("ALTER TABLE accounts OWNER TO postgres", "DROP OWNED BY row_reader", "DROP ROLE row_reader")
    await assert_untouched(database)
