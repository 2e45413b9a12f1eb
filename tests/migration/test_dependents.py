"""What names a dropped column is found in a real catalog, with what becomes of it."""

import pytest

from console.domain.plan import Migration
from console.migration.dependents import find_dependents, leftovers
from console.migration.function_bodies import Function, mentions
from console.migration.references import Fate, Method, Reference
from console.migration.runner import MigrationRunner
from console.migration.script import Script
from tests.migration.conftest import Heard, changed_script
from tests.migration.postgres import LiveDatabase

SOFT_DELETE = """
CREATE FUNCTION on_soft_delete() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- license_status is only spoken of here
    was text := OLD.license_status;
BEGIN
    IF NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL THEN
        NEW.license_status := 'cancelled'; -- is_trial stays
    END IF;
    EXECUTE 'UPDATE accounts SET is_trial = false WHERE id = $1' USING NEW.id;
    RETURN NEW;
END
$$;
"""

OBJECTS = (
    "CREATE VIEW trials AS SELECT id, is_trial FROM accounts",
    "CREATE VIEW trial_names AS SELECT t.id, name FROM trials t JOIN accounts USING (id)",
    "CREATE MATERIALIZED VIEW types AS SELECT account_type, count(*) FROM accounts GROUP BY 1",
    "ALTER TABLE accounts ADD CONSTRAINT known_type CHECK (account_type <> 'unknown')",
    "ALTER TABLE accounts ADD COLUMN label text GENERATED ALWAYS AS (upper(account_type)) STORED",
    "CREATE POLICY no_trials ON accounts USING (NOT is_trial)",
    "CREATE STATISTICS status_and_type ON license_status, account_type FROM accounts",
    "CREATE RULE keep AS ON DELETE TO accounts WHERE OLD.license_status = 'active' DO INSTEAD NOTHING",
    SOFT_DELETE,
    "CREATE TRIGGER soft_delete BEFORE UPDATE OF license_status ON accounts "
    "FOR EACH ROW EXECUTE FUNCTION on_soft_delete()",
    "CREATE FUNCTION trials() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM accounts WHERE is_trial $$",
    "CREATE FUNCTION types() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(account_type) FROM accounts; END",
)


def by_name(found: tuple[Reference, ...], name: str) -> list[Reference]:
    return [reference for reference in found if reference.name.partition("(")[0] == name]


async def test_every_kind_of_dependent_is_found_with_its_fate(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await database.run(*OBJECTS)
    found = await find_dependents(database, migration, script)
    fates = {(reference.kind, reference.name.partition("(")[0]): reference.fate for reference in found}
    assert fates == {
        ("view", "public.active_accounts"): Fate.DROPPED,
        ("view", "public.deleted_accounts"): Fate.DROPPED,
        ("view", "public.trials"): Fate.BLOCKS,
        ("view", "public.trial_names"): Fate.BLOCKS,
        ("materialized view", "public.types"): Fate.BLOCKS,
        ("index", "public.idx_accounts_license_status"): Fate.DROPPED,
        ("index", "public.idx_accounts_account_type"): Fate.DROPPED,
        ("constraint", "public.accounts.known_type"): Fate.GOES,
        ("generated column", "public.accounts.label"): Fate.BLOCKS,
        ("policy", "public.accounts.no_trials"): Fate.BLOCKS,
        ("statistics", "public.status_and_type"): Fate.GOES,
        ("rule", "public.accounts.keep"): Fate.BLOCKS,
        ("trigger", "public.accounts.soft_delete"): Fate.BLOCKS,
        ("default", "public.accounts.license_status"): Fate.GOES,
        ("default", "public.accounts.account_type"): Fate.GOES,
        ("default", "public.accounts.is_trial"): Fate.GOES,
        ("function", "public.types"): Fate.BLOCKS,
        ("function", "public.on_soft_delete"): Fate.BREAKS,
        ("function", "public.trials"): Fate.BREAKS,
    }
    assert by_name(found, "public.trial_names")[0].through == "through trials"
    assert by_name(found, "public.active_accounts")[0].handled_on == 9


async def test_what_the_catalog_says_blocks_does_block_and_what_goes_does_go(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    """The fates are PostgreSQL's: with everything that blocks dropped, the columns drop and take along what goes."""
    await database.run(*OBJECTS)
    found = await find_dependents(database, migration, script)
    table_parts = {"policy": "POLICY", "rule": "RULE", "trigger": "TRIGGER"}
    for reference in found:
        kind, name = reference.kind, reference.name
        if reference.fate is Fate.BLOCKS or reference.fate is Fate.DROPPED:
            table, _, part = name.rpartition(".")
            if kind in table_parts:
                await database.run(f"DROP {table_parts[kind]} IF EXISTS {part} ON {table}")
            elif kind == "generated column":
                await database.run(f"ALTER TABLE {table} DROP COLUMN {part}")
            elif kind != "index":
                await database.run(f"DROP {kind.upper()} IF EXISTS {name} CASCADE")
    for column in migration.removed:
        await database.run(f"ALTER TABLE accounts DROP COLUMN {column}")
    assert await database.value("SELECT count(*) FROM pg_constraint WHERE conname = 'known_type'") == 0
    assert await database.value("SELECT count(*) FROM pg_statistic_ext") == 0


async def test_a_trigger_function_is_read_line_by_line(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await database.run(*OBJECTS)
    found = by_name(await find_dependents(database, migration, script), "public.on_soft_delete")
    assert [(one.line, one.column, one.method) for one in found] == [
        (4, "license_status", Method.PARSED),
        (7, "license_status", Method.PARSED),
        (9, "is_trial", Method.TEXT),
    ]
    assert found[0].through == "trigger soft_delete on accounts"
    assert "NEW.license_status := 'cancelled'" in found[1].where


async def test_after_the_migration_the_forgotten_function_is_left_over_and_the_saved_copy_is_not(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await database.run(
        SOFT_DELETE,
        "CREATE TRIGGER soft_delete BEFORE UPDATE OF deleted_at ON accounts "
        "FOR EACH ROW EXECUTE FUNCTION on_soft_delete()",
    )
    async with database.session("rc/r/s") as session:
        await MigrationRunner(session, migration, script, marker="rc/r/s", report=Heard()).run()
    await database.run(
        "CREATE FUNCTION way_back() RETURNS bigint LANGUAGE sql AS "
        "'SELECT count(license_status) FROM accounts_before_020'",
        "CREATE VIEW for_old_reports AS SELECT id, account_status AS license_status FROM accounts",
    )
    found = await leftovers(database, migration)
    assert {(one.kind, one.name, one.fate) for one in found} == {
        ("function", "public.on_soft_delete()", Fate.BREAKS),
        ("view", "public.for_old_reports", Fate.NAMES),
    }
    with pytest.raises(Exception, match="license_status"):
        await database.run("UPDATE accounts SET deleted_at = now() WHERE id = 1")


async def test_a_clean_migration_leaves_nothing(database: LiveDatabase, migration: Migration, script: Script) -> None:
    async with database.session("rc/r/s") as session:
        await MigrationRunner(session, migration, script, marker="rc/r/s", report=Heard()).run()
    assert await leftovers(database, migration) == ()


async def test_another_tables_column_of_the_same_name_is_not_ours(
    database: LiveDatabase, migration: Migration, script: Script
) -> None:
    await database.run(
        "ALTER TABLE contacts ADD COLUMN is_trial boolean",
        "CREATE FUNCTION contact_trials() RETURNS bigint LANGUAGE sql AS 'SELECT count(is_trial) FROM contacts'",
        "CREATE FUNCTION tell(is_trial boolean) RETURNS bool LANGUAGE sql AS 'SELECT NOT is_trial'",
        "CREATE FUNCTION lonely() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN 'license_status'; END $$",
    )
    found = await find_dependents(database, migration, script)
    assert [one.name for one in found if one.kind == "function"] == ["public.lonely()"]


async def test_what_the_file_replaces_or_cascades_is_told(database: LiveDatabase, migration: Migration) -> None:
    await database.run(
        "CREATE VIEW trials AS SELECT id FROM accounts WHERE is_trial",
        "CREATE FUNCTION count_trials() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM accounts WHERE is_trial'",
    )
    script = changed_script(
        "DROP COLUMN IF EXISTS is_trial;",
        "DROP COLUMN IF EXISTS is_trial CASCADE;\n"
        "CREATE OR REPLACE FUNCTION count_trials() RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';",
    )
    found = await find_dependents(database, migration, script)
    assert by_name(found, "public.trials")[0].fate is Fate.CASCADES
    assert by_name(found, "public.count_trials")[0].fate is Fate.REPLACED
    assert by_name(found, "public.count_trials")[0].handled_on == 29


def plpgsql(body: str, *, trigger: bool = False, arguments: str = "") -> Function:
    returns = "trigger" if trigger else "text"
    definition = f"CREATE FUNCTION f({arguments}) RETURNS {returns} LANGUAGE plpgsql AS $body${body}$body$"
    names = tuple(part.split()[0] for part in arguments.split(",") if part)
    return Function("f", "plpgsql", body, definition, names, trigger)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (plpgsql("BEGIN RETURN NEW; END", trigger=True), []),
        (plpgsql("BEGIN\n NEW.is_trial := 1; RETURN NEW; END", trigger=True), [("is_trial", 2, "parsed")]),
        (plpgsql("DECLARE is_trial text; BEGIN RETURN is_trial; END"), []),
        (plpgsql("BEGIN RETURN is_trial; END", arguments="is_trial text"), []),
        (plpgsql('BEGIN RETURN r."is_trial"; END', arguments="r record"), [("is_trial", 1, "parsed")]),
        (plpgsql("BEGIN RETURN 'x is_trial y'; END"), [("is_trial", 1, "text")]),
        (plpgsql("BEGIN RETURN 'not_is_trial_here'; END"), []),
        (plpgsql("BEGIN /* is_trial */ RETURN 1; -- is_trial\nEND"), []),
        (plpgsql("BEGIN this is not IS_TRIAL plpgsql; END x"), [("is_trial", 1, "text")]),
        (plpgsql("é is_trial 'open"), [("is_trial", 1, "text")]),
        (Function("f", "plpython3u", "return plan['is_trial']", "", (), False), [("is_trial", 1, "text")]),
    ],
)
def test_bodies(function: Function, expected: list[tuple[str, int, str]]) -> None:
    found = mentions(function, ("license_status", "is_trial"))
    assert [(one.column, one.line, one.method.value) for one in found] == expected
