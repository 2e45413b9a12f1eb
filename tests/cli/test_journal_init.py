"""`release-console journal init`: sets the plan's shared record up, says whom to let in, refuses the wrong place."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.adapters.database.database import PostgresDatabase
from console.adapters.scratch.programs import Programs, Runner, embedded_bin
from console.adapters.scratch.server import Running, private_server, scratch_folder
from console.cli.commands import parser
from console.cli.exits import Exit, code_of
from console.cli.journal import init
from console.engine.clock import WallClock
from console.errors import ConfigError, SecretError

EXAMPLE = Path("config.toml")
JOURNAL = """
[journal]
url_env = "RC_TEST_JOURNAL_URL"
tls     = "disable"
"""


@pytest.fixture
async def server() -> AsyncIterator[Running]:
    """A real PostgreSQL with two databases: one to be migrated, one for the record."""
    place = embedded_bin()
    assert place is not None
    runner = Runner.choose()
    async with (
        scratch_folder(runner) as folder,
        private_server(Programs(place, "18", True), runner, folder, WallClock()) as running,
    ):
        async with PostgresDatabase(running.url("postgres"), WallClock(), tls="disable").session("tests") as session:
            await session.execute("CREATE DATABASE crm")
            await session.execute("CREATE DATABASE record")
        yield running


def plan(folder: Path) -> Path:
    """The example with a shared record, a login for one signature, and a database on this machine."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in (
        ('tls         = "verify-full"', 'tls         = "disable"'),
        ('title = "QA Lead"', 'title = "QA Lead"\nlogin = "quality \\"q\\""'),
    ):
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / "config.toml"
    path.write_text(text + JOURNAL, encoding="utf-8")
    return path


async def test_a_record_is_set_up_and_it_is_said_whom_to_let_in(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = plan(tmp_path)
    monkeypatch.setenv("RC_TEST_JOURNAL_URL", server.url("record").reveal())
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert await init(config) is Exit.DONE
    said = capsys.readouterr().out
    assert said.startswith("✔ The shared record in record is set up: schema release_console, version 1.\n")
    assert "was not seen (The environment variable DATABASE_URL is not set)" in said
    assert "  GRANT release_console_driver TO <login>;" in said
    assert "  GRANT release_console_observer TO <login>;" in said
    assert '  GRANT release_console_signer TO "quality ""q""";  -- signs as ' in said
    assert "pg_signal_backend" not in said, "a superuser's functions may end sessions already"
    assert server.password.reveal() not in said

    monkeypatch.setenv("DATABASE_URL", server.url("crm").reveal())
    assert await init(config) is Exit.DONE
    said = capsys.readouterr().out
    assert said.startswith("✔ The shared record in record is up to date: schema release_console, version 1.\n")
    assert "! The shared record lies on the server of the database to be migrated" in said

    monkeypatch.setenv("RC_TEST_JOURNAL_URL", server.url("crm").reveal())
    with pytest.raises(ConfigError, match="leads to the database that is to be migrated") as refused:
        await init(config)
    assert code_of(refused.value) is Exit.USAGE
    assert refused.value.remedy
    database = PostgresDatabase(server.url("crm"), WallClock(), tls="disable")
    assert await database.fetch("SELECT 1 FROM pg_namespace WHERE nspname = 'release_console'") == []


async def test_a_plan_without_a_shared_record_is_told_how_to_name_one() -> None:
    with pytest.raises(ConfigError, match="names no shared record") as refused:
        await init(EXAMPLE)
    assert "[journal] url_env" in refused.value.remedy


def test_the_command_reads_the_file_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RC_TEST_JOURNAL_URL", raising=False)
    arguments = parser().parse_args(["journal", "init", "--config", str(plan(tmp_path))])
    with pytest.raises(SecretError, match="RC_TEST_JOURNAL_URL is not set"):
        arguments.run(arguments)
    assert "RC_TEST_JOURNAL_URL" not in os.environ
