"""Restoring real dumps into a real throw-away server, and judging damaged ones."""

import asyncio
import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from console.adapters.database.connecting import Target
from console.adapters.database.database import PostgresDatabase
from console.adapters.scratch import ScratchServer
from console.adapters.scratch.archive import Contents
from console.adapters.scratch.complaints import Complaint, complaints, judge
from console.adapters.scratch.programs import Programs, Runner, embedded_bin
from console.adapters.scratch.restoring import fit
from console.adapters.scratch.server import PREFIX, Running
from console.domain.outcome import Progress
from console.engine.clock import WallClock
from console.errors import StepFailed
from console.secrets import Secret
from tests.adapters.conftest import Reports

Dump = Callable[[], Awaitable[Path]]

TABLES = """
CREATE TABLE accounts (id int PRIMARY KEY, name text);
INSERT INTO accounts SELECT n, repeat('account ' || n, 20) FROM generate_series(1, 2000) n;
CREATE TABLE leads (id int PRIMARY KEY, account int REFERENCES accounts);
INSERT INTO leads VALUES (1, 1), (2, 2);
CREATE VIEW active AS SELECT id FROM accounts;
"""


@pytest.fixture
async def dump(database: PostgresDatabase, database_url: Secret, tmp_path: Path) -> Dump:
    """Fills the test's database and gives it as the provider does: a directory archive in a compressed tar file."""
    async with database.session("tests") as session:
        await session.execute(TABLES)

    async def make() -> Path:
        place = embedded_bin()
        assert place is not None
        folder = tmp_path / "2026-02-04T20:00Z"
        environment = {**os.environ, **Target(database_url, "disable").environment()}
        command = [str(place / "pg_dump"), "--format=directory", f"--file={folder}"]
        await asyncio.to_thread(subprocess.run, command, env=environment, check=True, timeout=60, cwd="/")
        archive = tmp_path / "2026-02-04T20:00Z.dir.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(folder, folder.name)
        return archive

    return make


def leftovers() -> set[str]:
    return {path.name for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}{os.getpid()}-*")}


async def test_a_dump_is_restored_and_gone_afterwards(dump: Dump, clock: WallClock, reports: Reports) -> None:
    archive, before = await dump(), leftovers()
    scratch = ScratchServer(clock)
    async with scratch.restored(archive, reports) as (database, report):
        counts = {count.table: count.rows for count in await database.counts()}
        assert counts == {"accounts": 2000, "leads": 2}
        assert report.server.startswith("PostgreSQL 18")
        assert report.unproven == ()
        assert report.objects > 5
        assert report.seconds > 0
        assert (await database.identity()).tls == "none"
    assert leftovers() == before
    assert any(progress.text.startswith("starting a scratch server") for progress in reports.heard)
    entries = await scratch.listing(archive)
    assert any("TABLE DATA public accounts" in entry for entry in entries)


async def test_what_the_scratch_server_lacks_is_unproven_and_not_corrupt(
    dump: Dump, database: PostgresDatabase, server: Running, clock: WallClock, reports: Reports
) -> None:
    home = server.socket / "share" / "extension"
    home.mkdir(parents=True, exist_ok=True)
    (home / "crm_extra.control").write_text("default_version = '1.0'\n")
    (home / "crm_extra--1.0.sql").write_text("CREATE TYPE shade AS ENUM ('light', 'dark');\n")
    Runner.choose().give(home)
    async with database.session("tests") as session:
        await session.execute(f"SET extension_control_path = '{home.parent}:$system'")
        await session.execute("CREATE EXTENSION crm_extra")
        await session.execute("CREATE TABLE painted (id int, hue shade)")
        await session.execute("INSERT INTO painted VALUES (1, 'dark')")
        await session.execute("CREATE ROLE auditor")
        await session.execute("ALTER TABLE leads ENABLE ROW LEVEL SECURITY")
        await session.execute("CREATE POLICY audit ON leads TO auditor USING (true)")
        await session.execute("GRANT SELECT ON leads TO auditor")
    try:
        archive = await dump()
        async with ScratchServer(clock).restored(archive, reports) as (restored, report):
            assert {count.table for count in await restored.counts()} == {"accounts", "leads"}
        unproven = "\n".join(report.unproven)
        assert "EXTENSION crm_extra: needs crm_extra, which this server lacks" in unproven
        assert "TABLE painted: rests on what this server lacks" in unproven
        assert "TABLE DATA painted" in unproven
        assert "POLICY leads audit: needs auditor" in unproven
        assert "1 grants: not restored" in unproven
    finally:
        async with database.session("tests") as session:
            await session.execute("DROP OWNED BY auditor")
            await session.execute("DROP ROLE auditor")


async def test_a_servers_own_url_gets_a_database_and_loses_it(
    dump: Dump, server: Running, clock: WallClock, reports: Reports
) -> None:
    archive = await dump()
    admin = PostgresDatabase(server.url("postgres"), clock, tls="disable")
    sql = "SELECT count(*)::int AS n FROM pg_database WHERE datname LIKE 'rc_scratch_%'"
    scratch = ScratchServer(clock, url=server.url("postgres"), tls="disable")
    async with scratch.restored(archive, reports) as (database, report):
        assert {count.table: count.rows for count in await database.counts()} == {"accounts": 2000, "leads": 2}
        assert "of the plan" in report.server
        assert await admin.fetch(sql) == [{"n": 1}]
    assert await admin.fetch(sql) == [{"n": 0}]


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.99])
async def test_a_truncated_archive_is_said_to_be_one(
    dump: Dump, clock: WallClock, reports: Reports, share: float
) -> None:
    archive = await dump()
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(StepFailed, match="truncated or corrupt") as damaged:
        await ScratchServer(clock).listing(archive)
    assert "Production is unchanged" in damaged.value.production
    assert "another" in damaged.value.remedy


@pytest.mark.parametrize(
    ("what", "words"), [("rows", "could not"), ("contents", "pg_restore ended"), ("missing", "No such file")]
)
async def test_a_corrupt_member_is_found_by_restoring(
    dump: Dump, clock: WallClock, reports: Reports, what: str, words: str
) -> None:
    archive = await dump()
    with tarfile.open(archive) as tar:
        members = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        contents = {name: file.read() for name, file in members.items() if file is not None}
    largest = max((name for name in contents if name.endswith(".dat.gz")), key=lambda name: len(contents[name]))
    if what == "rows":
        middle = len(contents[largest]) // 2
        contents[largest] = contents[largest][:middle] + b"\x00" * 40 + contents[largest][middle + 40 :]
    elif what == "contents":
        toc = next(name for name in contents if name.endswith("toc.dat"))
        contents[toc] = contents[toc][:200] + b"\xff" * 200 + contents[toc][400:]
    else:
        del contents[largest]
    rewrite(archive, contents)
    before = leftovers()
    with pytest.raises(StepFailed, match="truncated or corrupt") as damaged:
        async with ScratchServer(clock).restored(archive, reports):
            pass
    assert words in damaged.value.message
    assert PREFIX not in damaged.value.message
    assert leftovers() == before


@pytest.mark.parametrize("name", ["../evil", "/tmp/rc-evil", "a/../../evil"])
async def test_no_member_leaves_its_folder(tmp_path: Path, clock: WallClock, name: str) -> None:
    archive = tmp_path / "evil.dir.tar.gz"
    rewrite(archive, {name: b"x", "dump/toc.dat": b"PGDMP"})
    with pytest.raises(StepFailed, match="truncated or corrupt"):
        await ScratchServer(clock).listing(archive)
    assert not Path("/tmp/rc-evil").exists()


async def test_an_archive_without_a_dump_is_refused(tmp_path: Path, clock: WallClock) -> None:
    archive = tmp_path / "other.dir.tar.gz"
    rewrite(archive, {"holiday.jpg": b"x"})
    with pytest.raises(StepFailed, match="holds no dump"):
        await ScratchServer(clock).listing(archive)


async def test_cancelling_leaves_no_server_and_no_rows(dump: Dump, clock: WallClock) -> None:
    archive, before = await dump(), leftovers()
    running = asyncio.Event()

    async def report(progress: Progress) -> None:
        if progress.text.startswith("restoring"):
            running.set()

    async def restore() -> None:
        async with ScratchServer(clock).restored(archive, report):
            running.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(restore())
    async with asyncio.timeout(60):
        await running.wait()
    (folder,) = leftovers() - before
    pid = int((Path(tempfile.gettempdir()) / folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert leftovers() == before
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_what_a_killed_console_left_is_swept(dump: Dump, clock: WallClock, reports: Reports) -> None:
    gone = await asyncio.create_subprocess_exec("true")
    await gone.wait()
    left = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{gone.pid}-"))
    (left / "rows").write_text("private")
    await ScratchServer(clock).listing(await dump())
    assert not left.exists()


def test_the_fullest_installation_that_is_new_enough_is_taken() -> None:
    full15, full17 = Programs(Path("/a"), "15.18", False), Programs(Path("/b"), "17.2", False)
    embedded = Programs(Path("/c"), "18.4", True)
    found = (full15, full17, embedded)
    assert fit(found, 14) == full15
    assert fit(found, 16) == full17
    assert fit(found, 18) == embedded
    with pytest.raises(StepFailed, match="needs PostgreSQL 19"):
        fit(found, 19)


def test_the_listing_tells_the_version_that_it_takes() -> None:
    lines = (
        ";     Dumped from database version: 15.4",
        ";     Dumped by pg_dump version: 17.2",
        "215; 1259 16391 TABLE public accounts crm",
        "3381; 0 0 ACL public TABLE accounts crm",
    )
    contents = Contents.of(lines)
    assert contents.major == 17
    assert contents.count("ACL") == 1
    assert contents.count("TABLE") == 1


def test_a_refusal_of_rows_is_a_fault_of_the_backup() -> None:
    lines = (
        'pg_restore: creating TABLE "public.accounts"',
        "pg_restore: while PROCESSING TOC:",
        "pg_restore: from TOC entry 3381; 2606 16397 FK CONSTRAINT leads leads_account_fkey crm",
        'pg_restore: error: could not execute query: ERROR:  insert or update on table "leads" violates foreign key',
        "Command was: ALTER TABLE …",
        "pg_restore: warning: errors ignored on restore: 1",
    )
    found = complaints(lines)
    assert found == (Complaint(lines[3].removeprefix("pg_restore: error: "), "FK CONSTRAINT leads leads_account_fkey"),)
    verdict = judge(found)
    assert verdict.unproven == ()
    assert verdict.damaged == ()
    assert "violates foreign key" in verdict.faults[0]


def rewrite(archive: Path, contents: dict[str, bytes]) -> None:
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
