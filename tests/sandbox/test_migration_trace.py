"""What the write-ahead log tells of a migration, and the state just before it."""

from pathlib import Path

import psycopg
import pytest

from console.sandbox.contracts import DatabaseInstance
from console.sandbox.databases import SandboxDatabases
from console.sandbox.migration_trace import Birth, find_migration, note_birth
from console.sandbox.old_values import OldValues
from console.sandbox.release import new_migration
from console.sandbox.seeding import apply_migration, fill


@pytest.fixture
async def birth(databases: SandboxDatabases, database: DatabaseInstance) -> Birth:
    await fill(database, 200)
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as link:
        born = await note_birth(link)
    await databases.protect(database.id)
    return born


async def test_only_a_committed_change_of_the_tables_shape_is_a_migration(
    databases: SandboxDatabases, database: DatabaseInstance, birth: Birth
) -> None:
    """Not a lock, nor a migration that was rolled back, nor writes, nor a vacuum that gives space back."""
    cluster = databases.cluster(database.id)
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as link:
        await link.execute("BEGIN; LOCK TABLE accounts; UPDATE accounts SET name = name; COMMIT")
        await link.execute("BEGIN; ALTER TABLE accounts DROP COLUMN is_trial CASCADE; ROLLBACK")
        await link.execute("ALTER TABLE leads ADD COLUMN note text")
        await link.execute("DELETE FROM leads; DELETE FROM accounts WHERE id > 3")
        await link.execute("VACUUM (ANALYZE) accounts")
        assert await find_migration(cluster, birth) is None
        await link.execute("ALTER DATABASE crm SET default_transaction_read_only = on")
        row = await (await link.execute("SELECT clock_timestamp()")).fetchone()
        await apply_migration(link, new_migration().name, new_migration().read_bytes())
        after = await (await link.execute("SELECT clock_timestamp()")).fetchone()
    assert row is not None
    assert after is not None
    found = await find_migration(cluster, birth)
    assert found is not None
    assert row[0] <= found.at <= after[0]
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as link:
        await link.execute("SET default_transaction_read_only = off")
        await link.execute("ALTER TABLE accounts DROP account_status CASCADE")
    await databases.set_suspended(database.id, True)
    assert await find_migration(cluster, birth) == found


async def test_the_state_just_before_a_migration_is_recovered_once(
    databases: SandboxDatabases, database: DatabaseInstance, birth: Birth, tmp_path: Path
) -> None:
    cluster, values = databases.cluster(database.id), OldValues(tmp_path)
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as link:
        await link.execute("UPDATE accounts SET license_status = 'changed before' WHERE id = 5")
        await link.execute("CREATE TABLE kept AS SELECT id, license_status, account_type, is_trial FROM accounts")
        await apply_migration(link, new_migration().name, new_migration().read_bytes())
        migrated = await find_migration(cluster, birth)
        assert await values.compare(cluster, "crm", migrated, database.url, ()) is None
        await link.execute("DROP VIEW active_accounts, deleted_accounts; DROP TABLE accounts CASCADE")
        await link.execute(
            "ALTER TABLE kept RENAME TO accounts; UPDATE accounts SET is_trial = NULL WHERE id IN (2, 4)"
        )
        await link.execute("DELETE FROM accounts WHERE id IN (1, 20); INSERT INTO accounts VALUES (999, 'new')")
        found = await values.compare(cluster, "crm", migrated, database.url, (4, 7, 999))
    assert found is not None
    assert (found.equal, found.differ, found.changed_since) == (195, (1, 2, 20), (4, 7))
    spare = [path.name for path in cluster.home.parent.iterdir() if path.name.startswith("before-")]
    assert spare == []


async def test_a_column_that_is_only_added_is_the_first_step_of_a_migration(
    databases: SandboxDatabases, database: DatabaseInstance, birth: Birth
) -> None:
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as link:
        await link.execute("ALTER TABLE accounts ADD COLUMN account_status varchar(50)")
    assert await find_migration(databases.cluster(database.id), birth) is not None
