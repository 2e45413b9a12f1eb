"""The database as it answers and as it is, the migration file, and the code that it would break."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from console.domain.databases import Backend
from console.domain.findings import Severity
from tests.preflight.world import BLOCKER, NOTE, WARNING, World, file_in_release, findings

MIGRATION = "database/migrations/020_consolidate_account_status.sql"


def identity(**changes: object) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.database.who = replace(world.database.who, **changes)  # type: ignore[arg-type]

    return change


def weak_tls(mode: str) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.plan = replace(world.plan, database=replace(world.plan.database, tls=mode))

    return change


def open_transaction(world: World) -> None:
    world.database.sessions = (Backend(7, "psql", "ann", "idle in transaction", 900.0, 900.0, "", (), "SELECT 1"),)


@pytest.mark.parametrize(
    ("change", "code", "severity", "words"),
    [
        (identity(tls="none"), "database.tls", BLOCKER, "is not protected"),
        (weak_tls("require"), "database.tls", WARNING, "certificate"),
        (identity(in_recovery=True), "database.replica", BLOCKER, "replica"),
        (identity(database="staging"), "database.name", BLOCKER, "leads to the database staging"),
        (identity(clock_offset=-40.0), "database.clock", WARNING, "clocks"),
        (open_transaction, "database.long_transactions", WARNING, "longer than 30 s"),
    ],
)
async def test_database_as_it_answers(
    world: World, change: Callable[[World], None], code: str, severity: Severity, words: str
) -> None:
    change(world)
    finding = (await findings(world))[code]
    assert finding.severity is severity
    assert words in finding.message


TRIGGER = """
CREATE OR REPLACE FUNCTION note_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO account_history (account_id, operation, changes) VALUES (NEW.id, NEW.license_status, '{}');
    RETURN NEW;
END $$;
CREATE TRIGGER noted AFTER UPDATE OF deleted_at ON accounts FOR EACH ROW EXECUTE FUNCTION note_deletion()
"""


@pytest.mark.parametrize(
    ("statement", "code", "severity", "words"),
    [
        ("INSERT INTO schema_migrations VALUES (20, 'x', 'y')", "database.history", BLOCKER, "is recorded"),
        ("DROP TABLE schema_migrations", "database.history", BLOCKER, "no table schema_migrations"),
        ("CREATE TABLE accounts_before_020 (id int)", "migration.saved_copy", BLOCKER, "exists already"),
        (
            "ALTER TABLE accounts ADD COLUMN account_status text",
            "migration.columns_present",
            BLOCKER,
            "has account_status",
        ),
        ("ALTER TABLE accounts DROP COLUMN is_trial CASCADE", "migration.columns_gone", BLOCKER, "has no is_trial"),
        (
            "CREATE VIEW trials AS SELECT id FROM accounts WHERE is_trial",
            "migration.dependent.public.trials.blocks",
            BLOCKER,
            "the migration would fail",
        ),
        (TRIGGER, "migration.dependent.public.note_deletion().breaks", BLOCKER, "would fail when it is next used"),
    ],
)
async def test_database_and_migration_as_they_are(
    own_world: World, statement: str, code: str, severity: Severity, words: str
) -> None:
    """The trigger is the one that failed every soft delete for a month: nothing but reading it tells."""
    await own_world.database.run(*([statement] if "$$" not in statement else statement.rsplit(";\n", 1)))
    found = await findings(own_world)
    assert code in found, list(found)
    assert found[code].severity is severity
    assert words in found[code].message


async def test_a_role_that_may_do_nothing_is_told(own_world: World) -> None:
    database = own_world.database
    name = await database.value("SELECT current_database()")
    await database.run("CREATE ROLE stranger", f"ALTER ROLE postgres IN DATABASE {name} SET role TO stranger")
    found = await findings(own_world)
    assert found["database.owner"].severity is BLOCKER
    assert "active_accounts" in found["database.owner"].message
    assert found["database.create"].severity is BLOCKER
    assert found["database.history"].message == "This role may not write into schema_migrations."
    assert "permission denied" in found["migration.not_seen"].evidence


@pytest.mark.parametrize(
    ("change", "code", "severity", "words"),
    [
        (file_in_release(MIGRATION, None), "migration.file", BLOCKER, "is not in staging"),
        (file_in_release(MIGRATION, b"ALTER TABLE acounts ADD;"), "migration.file.1", BLOCKER, "cannot be run"),
        (file_in_release(MIGRATION, b"SELECT 1;\nVACUUM;\n"), "migration.file.2", BLOCKER, "VACUUM"),
        (
            file_in_release("routes/old.js", b"query('SELECT license_status FROM accounts')"),
            "migration.code",
            BLOCKER,
            "still names columns that are dropped, in 1 places",
        ),
        (file_in_release("routes/old.js", b"// license_status was here"), "migration.comments", NOTE, "Comments"),
    ],
)
async def test_migration_file_and_code(
    world: World, change: Callable[[World], None], code: str, severity: Severity, words: str
) -> None:
    change(world)
    found = await findings(world)
    assert code in found, list(found)
    assert found[code].severity is severity
    assert words in found[code].message
