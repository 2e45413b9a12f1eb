"""The database port against a real PostgreSQL."""

import asyncio
import re
import shutil
import ssl
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from console.adapters.database.database import PostgresDatabase
from console.engine.clock import WallClock
from console.errors import DatabaseError
from console.secrets import Secret


async def test_identity_tells_who_answers_and_how_the_line_is_protected(database: PostgresDatabase) -> None:
    found = await database.identity()
    assert found.database.startswith("test_")
    assert found.role == "postgres"
    assert found.version.startswith("18.")
    assert found.tls == "none"
    assert found.superuser
    assert not found.in_recovery
    assert found.system_identifier.isdigit()
    assert abs(found.clock_offset) < 1


async def test_a_percent_sign_is_itself_where_there_are_no_parameters(database: PostgresDatabase) -> None:
    assert await database.fetch("SELECT 'ab' LIKE 'a%' AS hit, '100%s' AS text") == [{"hit": True, "text": "100%s"}]
    rows = await database.fetch("SELECT %(a)s::int + 1 AS next, '%%' AS sign", {"a": 41})
    assert rows == [{"next": 42, "sign": "%"}]


async def test_fetch_reads_only(database: PostgresDatabase) -> None:
    with pytest.raises(DatabaseError) as refused:
        await database.fetch("CREATE TABLE t (id int)")
    assert refused.value.sqlstate == "25006"
    with pytest.raises(DatabaseError) as smuggled:
        await database.fetch("COMMIT; CREATE TABLE t (id int)")
    assert smuggled.value.sqlstate == "25006"


async def test_a_session_rolls_back_what_was_open(database: PostgresDatabase) -> None:
    async with database.session("rc/run/step") as session:
        await session.execute("CREATE TABLE kept (id int)")
        await session.execute("BEGIN")
        await session.execute("CREATE TABLE lost (id int)")
        assert await session.execute("INSERT INTO kept VALUES (1), (2)") == 2
    found = await database.counts()
    assert [(count.table, count.rows) for count in found] == [("kept", 0)]


async def test_a_session_carries_its_name_settings_and_watch_over_the_console(database: PostgresDatabase) -> None:
    async with database.session("rc/run/db.migrate", settings={"lock_timeout": "3s"}) as session:
        (row,) = await session.fetch(
            "SELECT current_setting('lock_timeout') AS lock, current_setting('application_name') AS name,"
            " current_setting('client_connection_check_interval') AS watch, pg_backend_pid() AS pid"
        )
        assert row == {"lock": "3s", "name": "rc/run/db.migrate", "watch": "5s", "pid": session.pid}


async def test_notices_are_kept_until_asked_for(database: PostgresDatabase) -> None:
    async with database.session("tests") as session:
        await session.execute("DO $$ BEGIN RAISE NOTICE 'half way'; END $$")
        assert await session.notices() == ("NOTICE: half way",)
        assert await session.notices() == ()


async def test_errors_carry_the_sqlstate_and_leave_the_session_usable(database: PostgresDatabase) -> None:
    async with database.session("tests") as session:
        with pytest.raises(DatabaseError, match=r"column \"license_status\" does not exist") as failed:
            await session.fetch("SELECT license_status FROM (SELECT 1 AS a) AS t")
        assert failed.value.sqlstate == "42703"
        assert await session.fetch("SELECT 1 AS one") == [{"one": 1}]


async def test_counts_are_exact_and_bring_the_counters(database: PostgresDatabase) -> None:
    async with database.session("tests") as session:
        await session.execute('CREATE SCHEMA "Odd"')
        await session.execute('CREATE TABLE "Odd"."Ta""ble" (id int)')
        await session.execute("CREATE TABLE accounts (id int)")
        await session.execute("INSERT INTO accounts SELECT generate_series(1, 5)")
        await session.execute("UPDATE accounts SET id = 9 WHERE id = 1")
        await session.execute("DELETE FROM accounts WHERE id = 2")
        await session.execute("CREATE VIEW v AS SELECT 1")
        await session.execute("SELECT pg_stat_force_next_flush()")
    found = {count.table: count for count in await database.counts()}
    assert set(found) == {'Odd.Ta"ble', "accounts"}
    accounts = found["accounts"]
    assert (accounts.rows, accounts.inserted, accounts.updated, accounts.deleted) == (4, 5, 1, 1)


async def test_counts_refuse_to_count_what_row_security_hides(database: PostgresDatabase, clock: WallClock) -> None:
    role = f"limited_{time.monotonic_ns()}"
    async with database.session("tests") as session:
        await session.execute("CREATE TABLE secret_rows (id int)")
        await session.execute("ALTER TABLE secret_rows ENABLE ROW LEVEL SECURITY")
        await session.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'pw-limited'")
        await session.execute(f"GRANT SELECT ON secret_rows TO {role}")
        await session.execute(f"ALTER DATABASE {(await database.identity()).database} SET row_security = on")
    try:
        identity = await database.identity()
        url = f"postgresql://{role}:pw-limited@/{identity.database}?host={identity.host}"
        limited = PostgresDatabase(Secret(url, "tests"), clock, tls="disable")
        with pytest.raises(DatabaseError) as refused:
            await limited.counts()
        assert refused.value.sqlstate == "42501"
        assert (await limited.identity()).superuser is False
    finally:
        async with database.session("tests") as session:
            await session.execute(f"DROP OWNED BY {role}")
            await session.execute(f"DROP ROLE {role}")


async def test_backends_show_who_waits_for_whom(database: PostgresDatabase) -> None:
    async with database.session("holder") as holder, database.session("waiter") as waiter:
        await holder.execute("CREATE TABLE accounts (id int)")
        await holder.execute("BEGIN")
        await holder.execute("LOCK TABLE accounts")
        waiting = asyncio.create_task(waiter.fetch("SELECT count(*) FROM accounts"))
        found = {}
        async with asyncio.timeout(10):
            while not (found.get("waiter") and found["waiter"].waits_for):
                found = {backend.application: backend for backend in await database.backends()}
        assert found["waiter"].waits_for == (holder.pid,)
        assert found["waiter"].state == "active"
        assert "release-console" not in found
        assert await database.end_backend(holder.pid)
        assert await waiting == [{"count": 0}]
    assert not await database.end_backend(2**31 - 1)


async def test_an_ended_session_says_so(database: PostgresDatabase) -> None:
    async with database.session("victim") as victim:
        await database.end_backend(victim.pid)
        with pytest.raises(DatabaseError) as ended:
            await victim.fetch("SELECT 1")
    assert ended.value.sqlstate in ("57P01", "")
    assert not ended.value.retryable


async def test_cancelling_cancels_the_statement_in_the_server(database: PostgresDatabase) -> None:
    async with database.session("sleeper") as session:
        task = asyncio.create_task(session.fetch("SELECT pg_sleep(60)"))
        async with asyncio.timeout(10):
            while not any(b.application == "sleeper" and b.state == "active" for b in await database.backends()):
                pass
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await session.fetch("SELECT 1 AS one") == [{"one": 1}]


async def test_tls_that_the_server_does_not_offer_is_refused(database_url: Secret, clock: WallClock) -> None:
    """Unix sockets know no TLS; over TCP the server must refuse before a password is sent."""
    listener = await asyncio.start_server(no_tls, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with listener:
        for mode in ("verify-full", "verify-ca", "require"):
            url = Secret(f"postgresql://me:pa55-word@127.0.0.1:{port}/crm?sslmode=disable", "DATABASE_URL")
            with pytest.raises(DatabaseError, match="SSL") as refused:
                await PostgresDatabase(url, clock, tls=mode).identity()
            assert 'tls = "disable"' in refused.value.remedy
            assert "pa55-word" not in everything(refused.value)


async def no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(8)
    writer.write(b"N")
    await reader.read()
    writer.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for the host `db.test`, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "server.crt", folder / "server.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=db.test"]
    command += ["-addext", "subjectAltName=DNS:db.test", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return certificate, key


@pytest.mark.parametrize(
    ("tls", "trusted", "words"),
    [
        ("verify-full", False, "certificate verify failed"),
        ("verify-ca", False, "certificate verify failed"),
        ("verify-full", True, "does not match host name"),
    ],
)
async def test_a_certificate_that_proves_nothing_is_refused(
    certificate: tuple[Path, Path], clock: WallClock, tls: str, trusted: bool, words: str
) -> None:
    """Also where the connection string itself asks for less."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    async def offer_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"S")
        with suppress(ssl.SSLError, ConnectionError):
            await writer.start_tls(context)
            assert await reader.read() == b"", "nothing is sent to a server that is not proven"
        writer.close()

    listener = await asyncio.start_server(offer_tls, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    roots = f"&sslrootcert={certificate[0]}" if trusted else ""
    url = Secret(f"postgresql://me:pa55-word@127.0.0.1:{port}/crm?sslmode=prefer{roots}", "DATABASE_URL")
    async with listener:
        with pytest.raises(DatabaseError, match=words) as refused:
            await PostgresDatabase(url, clock, tls=tls).identity()
    assert "certificate cannot be verified" in refused.value.remedy


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:pa55-word@127.0.0.1:1/crm",
        "postgresql://me:pa55-word@127.0.0.1:notaport/crm",
        "postgres//me:pa55-word@host/crm",
        "postgresql://me:pa55-word@[::1/crm",
    ],
)
async def test_no_error_holds_the_password(address: str, clock: WallClock) -> None:
    with pytest.raises(DatabaseError) as failed:
        await PostgresDatabase(Secret(address, "DATABASE_URL"), clock, tls="disable").identity()
    assert "pa55-word" not in everything(failed.value)
    assert failed.value.remedy


async def test_a_wrong_password_is_named_and_not_shown(database: PostgresDatabase, clock: WallClock) -> None:
    identity = await database.identity()
    url = f"postgresql://postgres:wrong-pass@/{identity.database}?host={identity.host}"
    with pytest.raises(DatabaseError, match="password authentication failed") as refused:
        await PostgresDatabase(Secret(url, "DATABASE_URL"), clock, tls="disable").fetch("SELECT 1")
    assert refused.value.sqlstate in ("28P01", "")
    assert "wrong-pass" not in everything(refused.value)


def test_an_unknown_tls_mode_is_a_programming_error(clock: WallClock) -> None:
    with pytest.raises(ValueError, match="perhaps"):
        PostgresDatabase(Secret("postgresql://h/d", "X"), clock, tls="perhaps")


def everything(error: BaseException) -> str:
    """All that a traceback of the error could show, its chain included."""
    chain, parts = error, []
    while chain is not None:
        parts += [str(chain), repr(chain), str(vars(chain))]
        chain = chain.__cause__ or chain.__context__  # type: ignore[assignment]
    return re.sub(r"\s+", " ", " ".join(parts))
