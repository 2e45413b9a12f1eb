"""What to say when PostgreSQL says no in the middle of a migration: where it happened, what holds now, what to do."""

from console.domain.plan import Migration
from console.errors import DatabaseError, OutcomeUnknown, StepFailed
from console.migration.bounded import connection_lost
from console.migration.names import QualifiedName
from console.migration.reading import Reader, whole
from console.migration.script import Script, Statement

ROLLED_BACK = "Nothing was changed: the transaction was rolled back, with its history row and its saved copy."
LOST = (
    "Nothing was committed: the connection was lost before COMMIT. The server rolls the transaction back as soon as it "
    "notices; until then the table may stay locked."
)

_LOCK_TIMEOUT = "55P03"
_REMEDIES = {
    "57014": "Raise statement_timeout in config.toml, or look with the dress rehearsal how long the statement takes.",
    "2BP01": "Something else depends on what the file drops: see the detail; drop or change it in the file, in order.",
    "42501": "The role lacks a right. Migrate with the role that owns the table.",
    "53100": "The server's disk is full. Make room there before anything else.",
    "40P01": "Another session waited for us while we waited for it. Retry; if it comes again, stop that session first.",
}
_CORRECT = "Correct the file on the source branch, merge it again, and retry; the database waits unchanged."


def before_transaction(error: DatabaseError) -> StepFailed:
    """The database could not be read before anything began."""
    return StepFailed(
        f"The database could not be read before the migration: {error.message}",
        production="Nothing was changed.",
        remedy=error.remedy or "Check the connection and the role's rights, then retry.",
        data={"sqlstate": error.sqlstate},
    )


def during(
    error: DatabaseError, doing: Statement | str, script: Script, production: str, blockers: tuple[str, ...]
) -> StepFailed:
    """A statement failed inside the transaction; `doing` is it, or what the console did of its own."""
    if isinstance(doing, Statement):
        where = f"{script.name}:{doing.line}: {error.message}"
        lines = (f"statement {doing.number} of {len(script.statements)}, line {doing.line}:", *doing.text.splitlines())
    else:
        where, lines = f"{doing}: {error.message}", ()
    known = _REMEDIES.get(error.sqlstate) or (error.remedy if connection_lost(error) else "")
    remedy = known or (_CORRECT if isinstance(doing, Statement) else error.remedy or "Retry.")
    if is_lock_timeout(error):
        remedy = "Wait for those sessions to end their transactions, or end them, then retry."
        lines = (*lines, *(blockers or ("whoever held the lock has let go of it since",)))
    return StepFailed(where, production=production, remedy=remedy, lines=lines, data={"sqlstate": error.sqlstate})


def is_lock_timeout(error: DatabaseError) -> bool:
    """Whether a lock was not to be had in time."""
    return error.sqlstate == _LOCK_TIMEOUT


def commit_unanswered(error: DatabaseError, transaction: int) -> OutcomeUnknown:
    """The connection was lost between sending COMMIT and its answer."""
    return OutcomeUnknown(
        f"COMMIT was sent and its answer lost: {error.message}",
        production=f"Transaction {transaction} is either committed whole or not at all.",
        remedy="Probe the step: the server knows how the transaction ended.",
        data={"transaction": str(transaction)},
    )


async def lock_holders(reader: Reader, table: QualifiedName, migration: Migration) -> tuple[str, ...]:
    """Who kept the lock from us, in words, and how to end it; read after our own transaction has ended.

    Whoever blocks for the whole time-out is in a transaction for at least as long: sessions that merely read the table
    just now are left out, unless nobody else is there.
    """
    rows = await reader.fetch(
        "SELECT pid, application_name, usename, state, array_agg(DISTINCT mode ORDER BY mode)::text AS modes, "
        "coalesce(floor(extract(epoch FROM clock_timestamp() - xact_start)), 0)::int AS seconds, "
        "left(query, 200) AS query "
        "FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE relation = to_regclass(%(table)s) AND granted AND pid <> pg_backend_pid() GROUP BY pid, 2, 3, 4, 6, 7 "
        "ORDER BY 6 DESC",
        {"table": table.sql},
    )
    waited = f"the lock was not to be had within {migration.lock_timeout:g} s"
    long_enough = [row for row in rows if whole(row["seconds"]) >= int(migration.lock_timeout)]
    return tuple(
        f"{waited}: pid {row['pid']} ({row['application_name'] or row['usename']}, {row['state']}, "
        f"in a transaction for {row['seconds']} s) holds {row['modes']}: {row['query']}"
        f" — to end it: SELECT pg_terminate_backend({row['pid']});"
        for row in long_enough or rows
    )
