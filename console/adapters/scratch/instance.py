"""Restoring a backup into an instance at the provider, from which production will be served.

What always holds: it goes into an empty database only, so that nothing is overwritten; no service uses it yet.
"""

from pathlib import Path

from console.adapters.database.connecting import Target
from console.adapters.database.database import PostgresDatabase
from console.adapters.scratch.restoring import Manner, restore, unpacked
from console.domain.databases import RestoreReport
from console.domain.outcome import Progress
from console.errors import DatabaseError, StepFailed
from console.ports import Clock, Report
from console.secrets import Secret

_ANALYZE_MS = 30 * 60 * 1000
_NO_SERVICE = "No service uses the new instance yet."

# What an extension brought with it is there from the beginning on some providers.
_RELATIONS = """
SELECT count(*) AS relations FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
"""


async def restore_into(url: Secret, archive: Path, report: Report, *, clock: Clock, tls: str) -> RestoreReport:
    """Restore a directory archive into the empty database that `url` leads to, and gather its statistics.

    Everything becomes the connecting role's own; grants that fail (their role is missing, say) are named as unproven.
    Raises StepFailed when the database is not empty, or the archive cannot be read or restored; DatabaseError.
    """
    database = PostgresDatabase(url, clock, tls=tls)
    version = (await database.identity()).version
    await _check_empty(database)
    began = clock.monotonic()
    async with unpacked(archive, report) as dump:
        unproven = await restore(dump, Target(url, tls), report, _manner(f"the new instance (PostgreSQL {version})"))
        objects = len(dump.contents.entries)
    await report(Progress("gathering statistics for the planner"))
    unproven += await _analyzed(database)
    return RestoreReport(f"PostgreSQL {version}", clock.monotonic() - began, objects, unproven)


def _manner(into: str) -> Manner:
    return Manner(
        # A restored subscription could connect to what the old instance's publisher feeds.
        ("--no-owner", "--no-tablespaces", "--no-subscriptions"),
        into=into,
        production=f"{_NO_SERVICE} It holds a part of the backup.",
        remedy="Look at the lines; have another instance made and restore into that, or recover a moment instead.",
        whole=True,
        lenient=("ACL", "DEFAULT ACL", "COMMENT"),
    )


async def _check_empty(database: PostgresDatabase) -> None:
    (row,) = await database.fetch(_RELATIONS)
    if row["relations"] != 0:
        raise StepFailed(
            f"The instance is not empty: it holds {row['relations']} tables, views and sequences.",
            production=_NO_SERVICE,
            remedy="Have another instance made and restore into that; a restore never overwrites anything.",
        )


async def _analyzed(database: PostgresDatabase) -> tuple[str, ...]:
    """Without statistics the first queries of production would be planned badly; the data are there without them."""
    try:
        async with database.session("release-console", settings={"statement_timeout": f"{_ANALYZE_MS}ms"}) as session:
            await session.execute("ANALYZE")
    except DatabaseError as error:
        return (f"the planner's statistics: {error.message}",)
    return ()
