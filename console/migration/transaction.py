"""The console's transaction: its limits, the lock that keeps other consoles out, the lock on the table.

What always holds: a server that loses us ends the transaction by itself. It looks for a lost client while a statement
runs (`client_connection_check_interval`), and gives up on a client that falls silent between statements
(`idle_in_transaction_session_timeout`), so a dead console never keeps the table locked.
"""

from collections.abc import Callable

from console.domain.loss import Mark
from console.domain.plan import Migration
from console.errors import DatabaseError, StepFailed
from console.migration import catalog, marks
from console.migration.bounded import connection_lost
from console.migration.failures import commit_unanswered
from console.migration.names import QualifiedName, quote_literal
from console.migration.reading import Reader, whole
from console.migration.result import Began
from console.ports import Session

ADVISORY_LOCK = (0x52434D47, 1)
"""The two keys of the advisory lock: one migration by a console at a time in a database."""

IDLE_LIMIT = 60.0
CONNECTION_CHECK = 5.0


def session_settings(migration: Migration) -> dict[str, str]:
    """Settings for the session that runs the migration; the transaction sets its own limits again."""
    return {
        "lock_timeout": _milliseconds(migration.lock_timeout),
        "statement_timeout": _milliseconds(migration.statement_timeout),
        "idle_in_transaction_session_timeout": _milliseconds(IDLE_LIMIT),
    }


async def watch_for_loss(session: Session) -> str:
    """Have the server look for a lost client while a statement runs; what to say where it cannot, else empty.

    Outside a transaction: a server on a platform without this refuses the setting.
    """
    value = _milliseconds(CONNECTION_CHECK)
    try:
        await session.fetch(f"SELECT set_config('client_connection_check_interval', {quote_literal(value)}, false)")
    except DatabaseError as error:
        if connection_lost(error):
            raise
        return f"This server cannot look for a lost client while a statement runs: {error.message}"
    return ""


async def begin(session: Session, migration: Migration, table: QualifiedName, monotonic: Callable[[], float]) -> Began:
    """Open the transaction and lock the table. Raises StepFailed when another console migrates, DatabaseError."""
    await session.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
    await set_limits(session, migration)
    await _keep_others_out(session)
    counters = await catalog.counters(session, table)
    mark = await marks.sample(session)
    asked = monotonic()
    await session.execute(f"LOCK TABLE {table.sql} IN ACCESS EXCLUSIVE MODE")
    waited = monotonic() - asked
    row = (
        await session.fetch(
            "SELECT pg_current_xact_id()::text AS transaction, pg_current_snapshot()::text AS snapshot, "
            "to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS at"
        )
    )[0]
    transaction = whole(row["transaction"])
    return Began(
        transaction=transaction,
        snapshot=str(row["snapshot"]),
        pid=session.pid,
        at=str(row["at"]),
        table=str(table),
        lock_wait=waited,
        counters=counters,
        mark=mark,
        hidden=await _written_meanwhile(session, table, mark, str(row["snapshot"]), transaction),
    )


async def _written_meanwhile(
    session: Session, table: QualifiedName, mark: Mark, snapshot: str, transaction: int
) -> int:
    """Rows of the locked table that others wrote, or may have written, after the mark: a recovery to it loses them."""
    window = marks.Window.between(mark.snapshot, snapshot)
    if window.since.upto == transaction and not window.since.open:
        return 0
    rows = await session.fetch(f"SELECT count(*) AS rows FROM ONLY {table.sql} AS t WHERE {window.sql('t')}")  # noqa: S608
    return whole(rows[0]["rows"])


async def set_limits(session: Session, migration: Migration) -> None:
    """The time-outs of this transaction; and no policy may hide rows from it (the server raises an error instead)."""
    settings = {**session_settings(migration), "row_security": "off"}
    calls = (f"set_config({quote_literal(name)}, {quote_literal(value)}, true)" for name, value in settings.items())
    await session.fetch(f"SELECT {', '.join(calls)}")


async def commit(session: Session, transaction: int, rolled_back: str) -> None:
    """COMMIT, and then ask the server whether it did: an answer alone has been known to mean a rollback.

    Raises OutcomeUnknown when the answer was lost, DatabaseError when the server refused, StepFailed with
    `rolled_back` as production's state when it did not do what it answered.
    """
    try:
        await session.execute("COMMIT")
        rows = await session.fetch(f"SELECT pg_xact_status('{transaction:d}'::xid8) AS status")
    except DatabaseError as error:
        if connection_lost(error):
            raise commit_unanswered(error, transaction) from error
        raise
    if rows[0]["status"] != "committed":
        raise StepFailed(
            f"COMMIT was answered, but transaction {transaction} is {rows[0]['status']}.",
            production=rolled_back,
            remedy="Look at the server's log for what ended the transaction.",
        )


async def search_path(reader: Reader) -> str:
    """The search path as it stands."""
    return str((await reader.fetch("SELECT current_setting('search_path') AS path"))[0]["path"])


async def restore(session: Session, migration: Migration, path: str) -> None:
    """Undo what the file may have set: whatever follows it looks names up as before it."""
    await set_limits(session, migration)
    await session.fetch(f"SELECT set_config('search_path', {quote_literal(path)}, true)")


async def _keep_others_out(session: Session) -> None:
    """Take the advisory lock, which ends with the transaction. Raises StepFailed naming the holder."""
    first, second = ADVISORY_LOCK
    rows = await session.fetch(f"SELECT pg_try_advisory_xact_lock({first}, {second}) AS taken")
    if rows[0]["taken"]:
        return
    holders = await session.fetch(
        "SELECT pid, application_name, extract(epoch FROM clock_timestamp() - xact_start)::int AS seconds "
        "FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted "
        "AND classid = %(first)s AND objid = %(second)s AND objsubid = 2",
        {"first": first, "second": second},
    )
    named = ", ".join(f"pid {row['pid']} ({row['application_name']}, for {row['seconds']} s)" for row in holders)
    raise StepFailed(
        f"Another console is migrating this database: {named or 'it has just ended'}.",
        remedy="Wait until it has ended, look what it did, then retry.",
    )


def _milliseconds(seconds: float) -> str:
    # Zero would mean "no limit" to the server.
    return f"{max(1, round(seconds * 1000))}ms"
