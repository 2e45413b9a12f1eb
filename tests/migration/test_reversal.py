"""The way back of the schema against a real server: what was saved comes back, nothing is lost in silence."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from console.domain.plan import MappingRule, Migration
from console.errors import StepFailed, Stopped, VerificationFailed
from console.migration.dependents import find_dependents
from console.migration.kept_copy import find_kept, kept_copies
from console.migration.names import QualifiedName
from console.migration.probe import probe
from console.migration.reversal import Reversal, ReversalResult
from console.migration.reversal_probe import probe_reversal
from console.migration.runner import MigrationRunner
from console.migration.script import Script
from console.ports import Row
from tests.migration.conftest import Heard
from tests.migration.postgres import Interference, LiveDatabase, WatchedSession

FORWARD = "rc/run-1/db.migrate"
BACK = "rc/run-1/back.schema"
INVERSE = (
    MappingRule("active", "active"),
    MappingRule("on_hold", "pending"),
    MappingRule("inactive", "expired"),
    MappingRule("suspended", "suspended"),
    MappingRule("cancelled", "cancelled"),
)
ROWS = "SELECT id, license_status, account_type, is_trial, deleted_at, name FROM accounts ORDER BY id"
NEW = (
    "INSERT INTO accounts (reference, organisation_id, owner_id, name, account_status) VALUES ('{0}', 1, 1, '{0}', {1})"
)


@pytest.fixture
def migration(migration: Migration) -> Migration:
    """The plan of migration 020 with its way back."""
    return replace(migration, inverse=INVERSE)


async def forward(database: LiveDatabase, migration: Migration, script: Script, marker: str = FORWARD) -> None:
    async with database.session(marker) as session:
        await MigrationRunner(session, migration, script, marker=marker, report=Heard()).run()


async def back(
    database: LiveDatabase,
    migration: Migration,
    heard: Heard | None = None,
    *,
    marker: str = BACK,
    stopping: Callable[[], bool] = lambda: False,
    interferences: tuple[Interference, ...] = (),
) -> ReversalResult:
    async with database.session(marker) as session:
        watched = WatchedSession(session, list(interferences))
        return await Reversal(watched, migration, marker=marker, report=heard or Heard(), stopping=stopping).run()


async def catalog_of(database: LiveDatabase) -> list[Row]:
    """Everything that the catalog says of the table and its views, the columns by name."""
    return await database.fetch("""
        SELECT 'column' AS kind, attname::text AS name, concat_ws(' ', format_type(atttypid, atttypmod), attnotnull,
            pg_get_expr(adbin, adrelid)) AS definition
        FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid = 'accounts'::regclass AND attnum > 0 AND NOT attisdropped
        UNION ALL SELECT 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid)
        FROM pg_index WHERE indrelid = 'accounts'::regclass
        UNION ALL SELECT 'view', viewname::text, definition FROM pg_views WHERE schemaname = 'public'
        UNION ALL SELECT 'constraint', conname::text, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE conrelid = 'accounts'::regclass
        ORDER BY 1, 2
    """)


async def assert_migrated(database: LiveDatabase, rows: list[Row]) -> None:
    """Nothing of the way back is there."""
    assert await database.fetch("SELECT id, account_status FROM accounts ORDER BY id") == rows
    assert await database.value("SELECT count(*) FROM schema_migrations WHERE version = 20") == 1
    assert await database.value("SELECT count(*) FROM accounts_before_020") == 449
    assert await database.value("SELECT count(account_status) FROM active_accounts") > 0  # type: ignore[operator]
    assert await database.value("SELECT count(*) FROM pg_class WHERE relname ~ 'reverted'") == 0


async def test_what_nobody_touched_comes_back_exactly_and_so_does_the_schema(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    rows, catalog = await database.fetch(ROWS), await catalog_of(database)
    history = await database.fetch("SELECT * FROM schema_migrations ORDER BY version")
    await forward(database, migration, script)
    heard = Heard()
    result = await back(database, migration, heard)

    assert await database.fetch(ROWS) == rows
    assert await catalog_of(database) == catalog
    assert await database.fetch("SELECT * FROM schema_migrations ORDER BY version") == history
    assert (result.rows.unchanged, result.rows.groups, result.rows.deleted, result.undecided) == (449, (), 0, ())
    assert result.history["version"] == 20
    assert result.history["checksum"] == script.checksum
    assert result.own_xids == (result.began.transaction,)
    assert [set(progress.data) for progress in heard.durable] == [{"began"}, {"committing"}]


async def test_what_belongs_to_columns_and_views_comes_back_with_them(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await database.run(
        "DROP ROLE IF EXISTS back_reader",
        "CREATE ROLE back_reader",
        "DROP VIEW active_accounts",
        'ALTER TABLE accounts ALTER account_type TYPE varchar(50) COLLATE "POSIX"',
        "CREATE VIEW active_accounts AS SELECT id, account_type FROM accounts WHERE license_status = 'active'",
        "GRANT SELECT ON active_accounts TO back_reader WITH GRANT OPTION",
        "GRANT UPDATE ON deleted_accounts TO PUBLIC",
        "GRANT SELECT (is_trial) ON accounts TO PUBLIC",
        "ALTER VIEW active_accounts SET (security_barrier = true)",
        "COMMENT ON VIEW active_accounts IS 'who pays: it''s \\ these'",
        "ALTER VIEW deleted_accounts OWNER TO back_reader",
        "COMMENT ON COLUMN accounts.account_type IS 'standard, or better'",
        "ALTER TABLE accounts ADD CONSTRAINT known_type CHECK (account_type <> 'none')",
        "ALTER TABLE accounts ADD CONSTRAINT one_type UNIQUE (reference, account_type)",
        "CREATE INDEX on_trial ON accounts (name) WHERE is_trial",
        "CREATE INDEX by_letter ON accounts (lower(license_status), id)",
    )
    try:
        catalog, rights = await catalog_of(database), await rights_of(database)
        assert len(rights) > 8
        await forward(database, migration, script)
        assert await rights_of(database) != rights
        await back(database, migration)
        assert await catalog_of(database) == catalog
        assert await rights_of(database) == rights
    finally:
        await database.run("DROP OWNED BY back_reader CASCADE", "DROP ROLE back_reader")


async def test_a_materialized_view_comes_back_as_one(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await database.run(
        "DROP VIEW deleted_accounts",
        "CREATE MATERIALIZED VIEW deleted_accounts AS SELECT id, license_status FROM accounts",
        "CREATE UNIQUE INDEX of_deleted ON deleted_accounts (id)",
    )
    text = script_text(script)
    await forward(database, migration, text)
    await back(database, migration)
    assert await database.value("SELECT relkind = 'm' FROM pg_class WHERE relname = 'deleted_accounts'")
    assert await database.value("SELECT to_regclass('of_deleted') IS NOT NULL")


def script_text(script: Script) -> Script:
    """The file, with the materialized view dropped as one."""
    old = "DROP VIEW IF EXISTS deleted_accounts"
    return replace(
        script,
        statements=tuple(
            replace(each, text=each.text.replace(old, "DROP MATERIALIZED VIEW deleted_accounts"))
            for each in script.statements
        ),
    )


async def rights_of(database: LiveDatabase) -> list[Row]:
    """Owners, rights, options and comments of the table's columns and of its views."""
    return await database.fetch("""
        SELECT relname::text AS name, relowner::regrole::text AS owner, relacl::text AS rights,
            reloptions::text AS options, obj_description(oid) AS comment
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
        UNION ALL SELECT attname::text, attcollation::regcollation::text, attacl::text, NULL,
            col_description(attrelid, attnum)
        FROM pg_attribute WHERE attrelid = 'accounts'::regclass AND attnum > 0 AND NOT attisdropped
        ORDER BY 1
    """)


async def test_the_copy_is_kept_under_a_name_that_says_what_became_of_it(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await forward(database, migration, script)
    result = await back(database, migration)
    assert (result.saved_copy, result.kept_copy) == (
        "public.accounts_before_020",
        "public.accounts_before_020_reverted_1",
    )
    assert await database.value("SELECT to_regclass('accounts_before_020') IS NULL")
    kept = await find_kept(database, QualifiedName.parse(result.kept_copy))
    assert kept is not None
    assert kept.reverted is not None
    assert kept.origin.marker == FORWARD
    assert (kept.reverted.marker, kept.reverted.role) == (BACK, "postgres")
    assert (kept.reverted.transaction, kept.reverted.at) == (result.began.transaction, result.began.at)
    assert kept.reverted.history["filename"] == "020_consolidate_account_status.sql"
    assert await database.value(f"SELECT count(*) FROM {result.kept_copy}") == 449


async def test_forward_back_and_forward_again_leaves_what_one_run_leaves(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    before = await database.fetch(ROWS)
    await forward(database, migration, script)
    after = await database.fetch("SELECT id, account_status FROM accounts ORDER BY id")
    await back(database, migration)
    await forward(database, migration, script, "rc/run-2/db.migrate")
    assert await database.fetch("SELECT id, account_status FROM accounts ORDER BY id") == after
    found = await probe(database, migration, "rc/run-2/db.migrate")
    assert found.applied
    assert found.ours("rc/run-2/db.migrate")
    second = await back(database, migration, marker="rc/run-2/back.schema")
    assert second.kept_copy == "public.accounts_before_020_reverted_2"
    assert await database.fetch(ROWS) == before
    kept = await kept_copies(database, migration, QualifiedName("public", "accounts_before_020"))
    assert [each.reverted.marker for each in kept if each.reverted] == [BACK, "rc/run-2/back.schema"]


async def test_a_copy_put_aside_hides_nobody_who_names_the_columns(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await database.run(
        "CREATE FUNCTION standing(what record) RETURNS text LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN what.license_status; END $$"
    )
    before = await find_dependents(database, migration)
    await forward(database, migration, script)
    await back(database, migration)
    assert sorted(await find_dependents(database, migration), key=str) == sorted(before, key=str)
    assert any("standing" in reference.name for reference in before)


async def test_rows_written_or_changed_since_get_the_inverse_and_keep_their_other_saved_values(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    before = {row["id"]: row for row in await database.fetch(ROWS)}
    await forward(database, migration, script)
    await database.run(
        NEW.format("n1", "'on_hold'"),
        NEW.format("n2", "'inactive'"),
        "UPDATE accounts SET account_status = 'suspended' WHERE id = 16",
        "UPDATE accounts SET name = 'another name' WHERE id = 17",
        "UPDATE accounts SET account_status = 'active', deleted_at = NULL WHERE id = 7",
        "DELETE FROM accounts WHERE id = 18",
    )
    result = await back(database, migration)
    after = {row["id"]: row for row in await database.fetch(ROWS)}
    assert 18 not in after
    assert {key for key in before if key in after and after[key] != before[key]} == {7, 16, 17}
    assert after[16] == {**before[16], "license_status": "suspended"}
    assert after[17] == {**before[17], "name": "another name"}
    assert after[7] == {**before[7], "license_status": "active", "deleted_at": None}
    new = [row for key, row in after.items() if key not in before]
    assert [(row["license_status"], row["account_type"], row["is_trial"]) for row in new] == [
        ("pending", "standard", False),
        ("expired", "standard", False),
    ]
    assert (result.rows.unchanged, result.rows.changed, result.rows.written, result.rows.deleted) == (446, 2, 2, 1)
    assert (result.rows.mapped, result.undecided) == (4, ())


async def test_a_soft_deleted_row_that_nobody_changed_takes_its_saved_status_back(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    statuses = "SELECT license_status FROM accounts WHERE deleted_at IS NOT NULL ORDER BY id"
    before = await database.fetch(statuses)
    assert len({row["license_status"] for row in before}) > 5
    await forward(database, migration, script)
    await back(database, migration)
    assert await database.fetch(statuses) == before


async def test_what_the_inverse_cannot_decide_is_given_the_default_and_listed(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    before = {row["id"]: row for row in await database.fetch(ROWS)}
    await forward(database, migration, script)
    await database.run(
        NEW.format("n1", "'on_hold'"),
        NEW.format("n2", "'archived'"),
        "UPDATE accounts SET account_status = NULL WHERE id = 16",
        "UPDATE accounts SET account_status = 'inactive' WHERE id = 17",
    )
    twofold = (*INVERSE[:2], MappingRule("inactive", "expired"), MappingRule("inactive", "cancelled"))
    result = await back(database, replace(migration, inverse=twofold))
    assert [(row.value, row.given, row.new) for row in result.undecided] == [
        (None, "pending", False),
        ("inactive", "pending", False),
        ("archived", "pending", True),
    ]
    assert [row.key for row in result.undecided][:2] == ["16", "17"]
    after = {row["id"]: row for row in await database.fetch(ROWS)}
    assert after[16] == {**before[16], "license_status": "pending"}
    kept = await find_kept(database, QualifiedName.parse(result.kept_copy))
    assert kept is not None
    assert kept.reverted is not None
    assert [row["key"] for row in kept.reverted.undecided] == [row.key for row in result.undecided]


async def test_without_an_inverse_only_what_was_written_since_is_undecided(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    before = await database.fetch(ROWS)
    await forward(database, migration, script)
    await database.run(NEW.format("n1", "'active'"))
    result = await back(database, replace(migration, inverse=()))
    assert (await database.fetch(ROWS))[:-1] == before
    assert [(row.value, row.given) for row in result.undecided] == [("active", "pending")]


async def test_a_row_that_cannot_be_null_and_has_no_default_ends_the_way_back(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await database.run(
        "UPDATE accounts SET license_status = 'odd' WHERE license_status IS NULL",
        "ALTER TABLE accounts ALTER license_status SET NOT NULL, ALTER license_status DROP DEFAULT",
    )
    before = await catalog_of(database)
    await forward(database, migration, script)
    await database.run(NEW.format("n1", "'archived'"))
    with pytest.raises(StepFailed, match="does not decide: archived") as failed:
        await back(database, migration)
    assert "with the migrated schema" in failed.value.production
    await database.run("UPDATE accounts SET account_status = 'active' WHERE account_status = 'archived'")
    await back(database, migration)
    assert await catalog_of(database) == before


@pytest.mark.parametrize(
    ("arrange", "says"),
    [
        ("DROP TABLE accounts_before_020", "does not exist"),
        ("COMMENT ON TABLE accounts_before_020 IS 'mine'", "was not made by the console"),
        ("DELETE FROM schema_migrations WHERE version = 20", "neither the old schema nor the new one"),
        ("ALTER TABLE accounts ADD COLUMN is_trial boolean", "neither the old schema nor the new one"),
        ("CREATE VIEW held AS SELECT id FROM accounts WHERE account_status = 'on_hold'", "view public.held needs"),
        ("CREATE VIEW few AS SELECT id FROM active_accounts LIMIT 3", "view public.few needs account_status"),
        (
            "CREATE FUNCTION held() RETURNS bigint LANGUAGE sql AS "
            "$$ SELECT count(*) FROM accounts WHERE account_status = 'on_hold' $$",
            r"function public.held\(\) needs account_status",
        ),
    ],
)
async def test_what_cannot_be_brought_back_is_refused_before_any_lock(
    database: LiveDatabase, migration: Migration, script: Script, arrange: str, says: str
) -> None:
    await forward(database, migration, script)
    await database.run(arrange)
    heard = Heard()
    with pytest.raises(StepFailed, match=says) as failed:
        await back(database, migration, heard)
    assert failed.value.production
    assert failed.value.remedy
    assert heard.all == []


async def test_a_schema_that_never_went_is_not_brought_back(database: LiveDatabase, migration: Migration) -> None:
    with pytest.raises(StepFailed, match="nothing to be brought back"):
        await back(database, migration)


async def test_the_copy_of_another_plan_is_refused(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await forward(database, migration, script)
    with pytest.raises(StepFailed, match="its key is id") as failed:
        await back(database, replace(migration, key="reference"))
    assert "config.toml" in failed.value.remedy


async def test_a_trigger_that_changes_what_is_written_ends_the_way_back(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await forward(database, migration, script)
    rows = await database.fetch("SELECT id, account_status FROM accounts ORDER BY id")
    await database.run(
        """CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN IF NEW.id = 10 THEN RETURN NULL; END IF; RETURN NEW; END $$""",
        "CREATE TRIGGER meddle BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION meddle()",
    )
    with pytest.raises(VerificationFailed, match="1 row has another value") as failed:
        await back(database, migration)
    assert failed.value.lines == ("key 10",)
    assert "with the migrated schema" in failed.value.production
    await assert_migrated(database, rows)


async def test_a_deferred_check_does_not_keep_the_table_from_being_altered(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await forward(database, migration, script)
    await database.run(
        "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        "CREATE CONSTRAINT TRIGGER look AFTER UPDATE ON accounts DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION look()",
    )
    assert (await back(database, migration)).rows.unchanged == 449


async def test_a_reader_waits_for_the_transaction_alone_and_then_sees_the_old_schema(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await forward(database, migration, script)
    writes: list[asyncio.Task[None]] = []

    class Writes(Interference):
        async def interfere(self) -> None:
            statement = "UPDATE accounts SET name = 'written while it ran' WHERE id = 5"
            writes.append(asyncio.create_task(database.run(statement)))
            await database.until(
                "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'while it ran'"
            )

    await back(database, migration, interferences=(Writes("ALTER TABLE"),))
    await asyncio.gather(*writes)
    assert await database.value("SELECT name || license_status FROM accounts WHERE id = 5") == (
        "written while it ran" + "Active"
    )


async def test_a_lock_that_is_not_to_be_had_in_time_names_its_holder(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await forward(database, migration, script)
    rows = await database.fetch("SELECT id, account_status FROM accounts ORDER BY id")
    async with database.session("crm-report") as other:
        await other.execute("BEGIN")
        await other.execute("LOCK TABLE accounts IN ACCESS SHARE MODE")
        with pytest.raises(StepFailed, match="55P03") as failed:
            await back(database, replace(migration, lock_timeout=0.2))
        assert any("crm-report" in line for line in failed.value.lines)
        await other.execute("ROLLBACK")
    await assert_migrated(database, rows)


async def test_a_stop_is_honoured_between_statements(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await forward(database, migration, script)
    rows = await database.fetch("SELECT id, account_status FROM accounts ORDER BY id")
    heard = Heard()
    with pytest.raises(Stopped, match="UPDATE") as stopped:
        await back(database, migration, heard, stopping=lambda: any(p.data.get("statement") == 4 for p in heard.all))
    assert "with the migrated schema" in stopped.value.production
    await assert_migrated(database, rows)


async def test_who_did_it_is_found_by_the_marker(database: LiveDatabase, migration: Migration, script: Script) -> None:
    await forward(database, migration, script)
    found = await probe_reversal(database, migration, BACK)
    assert (found.brought_back, found.still_migrated, found.by(BACK)) == (False, True, None)
    result = await back(database, migration)
    found = await probe_reversal(database, migration, BACK, transaction=str(result.began.transaction))
    assert (found.brought_back, found.still_migrated, found.transaction) == (True, False, "committed")
    kept = found.by(BACK)
    assert kept is not None
    assert str(kept.name) == result.kept_copy
    assert found.by("rc/run-9/back.schema") is None
