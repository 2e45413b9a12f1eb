"""The sandbox's PostgreSQL: real servers, real archives, real recovery."""

import asyncio
import json
import os
import signal
import stat
import tarfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from console.errors import SandboxError
from console.sandbox import leftovers
from console.sandbox.contracts import DatabaseInstance
from console.sandbox.databases import REPORTING_ROLE, SandboxDatabases
from console.sandbox.postgres_tools import find_tools
from console.sandbox.release import new_migration, old_migrations
from console.sandbox.seeding import add_dependent_view, apply_migration, fill
from console.sandbox.waiting import wait_until

MAPPING = {"active": "active", "pending": "on_hold", "expired": "inactive"} | {
    "suspended": "suspended",
    "cancelled": "cancelled",
}


def rows(instance: DatabaseInstance, query: str, **options: str) -> list[tuple[object, ...]]:
    with psycopg.connect(instance.url, autocommit=True, connect_timeout=5, **options) as link:  # type: ignore[arg-type]
        cursor = link.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


async def migrate(instance: DatabaseInstance) -> None:
    async with await psycopg.AsyncConnection.connect(instance.url, autocommit=True) as link:
        await apply_migration(link, new_migration().name, new_migration().read_bytes())


async def test_the_seed_is_the_old_release_with_a_realistic_mix(database: DatabaseInstance) -> None:
    await fill(database, 449)
    assert rows(database, "SELECT count(*) FROM accounts") == [(449,)]
    versions = [row[0] for row in rows(database, "SELECT version FROM schema_migrations ORDER BY 1")]
    assert versions == list(range(1, 20)) == [int(path.name[:3]) for path in old_migrations()]
    seen = {row[0] for row in rows(database, "SELECT DISTINCT license_status FROM accounts")}
    assert set(MAPPING) | {None} < seen
    ((deleted, trials, active_trials),) = rows(
        database,
        "SELECT count(deleted_at), count(*) FILTER (WHERE is_trial), "
        "count(*) FILTER (WHERE is_trial AND license_status = 'active') FROM accounts",
    )
    assert all(isinstance(count, int) and count > 0 for count in (deleted, trials, active_trials))
    ((columns,),) = rows(database, "SELECT count(*) FROM information_schema.columns WHERE table_name = 'accounts'")
    assert columns == 24


async def test_the_migration_maps_every_row_and_leaves_nothing_behind(database: DatabaseInstance) -> None:
    await fill(database, 449)
    before = rows(database, "SELECT id, license_status, deleted_at IS NOT NULL FROM accounts ORDER BY id")
    expected = [(key, "cancelled" if gone else MAPPING.get(str(old), "active")) for key, old, gone in before]
    await migrate(database)
    assert rows(database, "SELECT id, account_status FROM accounts ORDER BY id") == expected
    left = rows(
        database,
        "SELECT column_name FROM information_schema.columns "
        "WHERE column_name IN ('license_status', 'account_type', 'is_trial')",
    )
    assert left == []
    indexes = {row[0] for row in rows(database, "SELECT indexname FROM pg_indexes WHERE tablename = 'accounts'")}
    assert "idx_accounts_account_status" in indexes
    assert not indexes & {"idx_accounts_license_status", "idx_accounts_account_type"}
    assert rows(database, "SELECT count(*) FROM active_accounts") > [(0,)]
    assert rows(database, "SELECT count(*) FROM deleted_accounts") > [(0,)]


async def test_soft_delete_after_the_migration_still_writes_its_history(database: DatabaseInstance) -> None:
    """In a healthy world no trigger function names a dropped column."""
    await fill(database, 20)
    await migrate(database)
    rows(database, "UPDATE accounts SET deleted_at = now(), account_status = 'cancelled' WHERE id = 1")
    history = rows(database, "SELECT operation FROM account_history WHERE account_id = 1 ORDER BY id DESC LIMIT 1")
    assert history == [("delete",)]


async def test_a_report_made_by_hand_stops_the_migration_with_2bp01(database: DatabaseInstance) -> None:
    """The fault migration-error; the file's own transaction leaves nothing half done."""
    await fill(database, 20)
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as link:
        await add_dependent_view(link)
    with pytest.raises(psycopg.errors.DependentObjectsStillExist) as refused:
        await migrate(database)
    assert refused.value.sqlstate == "2BP01"
    assert rows(database, "SELECT count(license_status) FROM accounts") > [(0,)]
    assert rows(database, "SELECT count(*) FROM schema_migrations") == [(19,)]


async def test_the_reporting_role_reads_and_cannot_write(database: DatabaseInstance) -> None:
    await fill(database, 20)
    assert rows(database, "SELECT count(*) FROM accounts", user=REPORTING_ROLE) == [(20,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(database, "DELETE FROM accounts", user=REPORTING_ROLE)


async def test_an_export_is_a_directory_archive_that_pg_restore_lists(
    databases: SandboxDatabases, database: DatabaseInstance, tmp_path: Path
) -> None:
    await fill(database, 50)
    archive = tmp_path / "2026-02-04T20:10Z.dir.tar.gz"
    size = await databases.dump(database.id, archive)
    assert size == archive.stat().st_size > 0
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "out", filter="data")
    inside = tmp_path / "out" / "2026-02-04T20:10Z" / "crm"
    lister = await asyncio.create_subprocess_exec(
        find_tools().bin / "pg_restore", "--list", inside, stdout=asyncio.subprocess.PIPE
    )
    listing = (await lister.communicate())[0].decode()
    assert lister.returncode == 0
    for entry in ("TABLE DATA public accounts", "VIEW public active_accounts", "TRIGGER public accounts"):
        assert entry in listing


async def test_recovery_shows_the_rows_of_the_moment_and_not_the_later_ones(
    databases: SandboxDatabases, database: DatabaseInstance
) -> None:
    await fill(database, 20)
    await databases.protect(database.id)
    rows(database, "INSERT INTO organisations (name) VALUES ('before')")
    ((moment,),) = rows(database, "SELECT clock_timestamp()")
    assert isinstance(moment, datetime)
    await migrate(database)
    rows(database, "INSERT INTO organisations (name) VALUES ('after')")
    second = await databases.recover(database.id, new_id="dpg-second", new_name="back", restore_time=moment)
    assert second.port != database.port
    assert rows(second, "SELECT name FROM organisations WHERE name IN ('before', 'after')") == [("before",)]
    assert rows(second, "SELECT count(license_status) FROM accounts") > [(0,)]
    rows(second, "INSERT INTO organisations (name) VALUES ('it takes writes')")
    assert await databases.earliest_recovery(second.id) > second.created_at
    assert rows(database, "SELECT name FROM organisations WHERE name = 'after'") == [("after",)]


async def test_an_export_is_restored_into_a_new_instance(
    databases: SandboxDatabases, database: DatabaseInstance, tmp_path: Path
) -> None:
    """By its owner over the connection string; the new instance can be recovered, too."""
    await fill(database, 20)
    archive = tmp_path / "2026-02-04T20:10Z.dir.tar.gz"
    await databases.dump(database.id, archive)
    await asyncio.to_thread(unpack, archive, tmp_path / "out")
    second = await databases.create("dpg-2", "from-backup", database="crm", user="crm_owner", protect=True)
    assert await databases.earliest_recovery(second.id) > second.created_at
    restorer = await asyncio.create_subprocess_exec(
        *(find_tools().bin / "pg_restore", "--no-owner", "--exit-on-error", f"--dbname={second.url}"),
        tmp_path / "out" / "2026-02-04T20:10Z" / "crm",
    )
    assert await restorer.wait() == 0
    assert rows(second, "SELECT count(*) FROM accounts") == [(20,)]
    assert rows(second, "SELECT count(*) FROM accounts", user=REPORTING_ROLE) == [(20,)]


def unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")


async def test_a_suspended_server_can_be_recovered_to_its_last_moment(
    databases: SandboxDatabases, database: DatabaseInstance
) -> None:
    await fill(database, 20)
    await databases.protect(database.id)
    rows(database, "INSERT INTO organisations (name) VALUES ('last')")
    await databases.set_suspended(database.id, True)
    with pytest.raises(psycopg.OperationalError):
        rows(database, "SELECT 1")
    second = await databases.recover(database.id, new_id="dpg-second", new_name="back", restore_time=datetime.now(UTC))
    assert rows(second, "SELECT name FROM organisations WHERE name = 'last'") == [("last",)]
    await databases.set_suspended(database.id, False)
    assert rows(database, "SELECT name FROM organisations WHERE name = 'last'") == [("last",)]


async def test_moments_out_of_reach_are_refused(databases: SandboxDatabases, database: DatabaseInstance) -> None:
    with pytest.raises(SandboxError, match="no base backup"):
        await databases.earliest_recovery(database.id)
    await databases.protect(database.id)
    earliest = await databases.earliest_recovery(database.id)
    for moment in (earliest - timedelta(seconds=1), datetime.now(UTC) + timedelta(hours=1)):
        with pytest.raises(SandboxError, match="cannot be recovered"):
            await databases.recover(database.id, new_id="dpg-x", new_name="x", restore_time=moment)


async def test_a_second_register_adopts_the_running_server_and_starts_a_dead_one(
    databases: SandboxDatabases, database: DatabaseInstance, tmp_path: Path
) -> None:
    rows(database, "CREATE TABLE kept (id int)")
    pid = databases.cluster(database.id).postmaster.pid()
    assert pid is not None
    again = SandboxDatabases(tmp_path)
    await again.start_all()
    assert again.cluster(database.id).postmaster.pid() == pid
    os.kill(pid, signal.SIGQUIT)
    await wait_until(lambda: databases.cluster(database.id).postmaster.pid() is None, 10)
    third = SandboxDatabases(tmp_path)
    await third.start_all()
    assert third.cluster(database.id).postmaster.pid() not in (None, pid)
    assert rows(database, "SELECT * FROM kept") == []


async def test_the_register_is_its_owners_alone(database: DatabaseInstance, tmp_path: Path) -> None:
    file = tmp_path / "databases.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [record["id"] for record in json.loads(file.read_text())] == [database.id]


async def test_a_hundred_thousand_accounts_are_seeded(
    database: DatabaseInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    started = time.perf_counter()
    await fill(database, 100_000)
    with capsys.disabled():
        print(f"\n100,000 accounts seeded in {time.perf_counter() - started:.1f} s")
    assert rows(database, "SELECT count(*) FROM accounts") == [(100_000,)]


def test_only_data_of_deleted_worlds_are_swept_away(tmp_path: Path) -> None:
    world = tmp_path / "world"
    world.mkdir()
    folders = {name: tmp_path / f"{leftovers.PREFIX}{name}" for name in ("kept", "abandoned", "unmarked", "foreign")}
    for folder in folders.values():
        (folder / "dpg-x" / "data").mkdir(parents=True)
    leftovers.mark(folders["kept"], world)
    leftovers.mark(folders["abandoned"], tmp_path / "deleted")
    leftovers.sweep(tmp_path, {os.geteuid() + 1})
    assert folders["abandoned"].exists()
    leftovers.sweep(tmp_path, {os.geteuid()})
    assert [name for name, folder in folders.items() if not folder.exists()] == ["abandoned"]
