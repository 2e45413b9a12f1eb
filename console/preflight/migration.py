"""Migration: the file can be run, on this database, and nothing is left behind that it breaks."""

from collections.abc import AsyncIterator, Iterator

from console.domain.findings import Finding, Severity
from console.domain.plan import Migration
from console.errors import RepositoryError
from console.migration import catalog
from console.migration.code_references import Place, code_references
from console.migration.dependents import find_dependents
from console.migration.mapping import claim_counts, transitions
from console.migration.names import QualifiedName
from console.migration.reading import whole
from console.migration.references import HARMLESS, Fate, Reference
from console.migration.script import LockMode, MigrationRefused, Script, parse_script
from console.ports import Database
from console.preflight.ground import Ground, listed

_SIZE = """
SELECT pg_total_relation_size(c.oid) AS bytes, greatest(c.reltuples, 0)::bigint AS estimate
FROM pg_class AS c WHERE c.oid = to_regclass(%(name)s)
"""
_FATES = {
    Fate.BLOCKS: (Severity.BLOCKER, "keeps the column from being dropped: the migration would fail"),
    Fate.CASCADES: (Severity.BLOCKER, "would be dropped with the column, and nobody says so"),
    Fate.BREAKS: (Severity.BLOCKER, "would fail when it is next used: nothing stops the migration"),
    Fate.NAMES: (Severity.WARNING, "goes on naming a column that is gone"),
}


async def look(ground: Ground) -> AsyncIterator[Finding]:
    """The file, the table as it stands, what depends on the columns, the code, and what becomes of the rows."""
    script, problems = await _script(ground)
    for finding in problems:
        yield finding
    migration, database = ground.plan.migration, ground.ports.database
    table = await catalog.resolve_table(database, migration.table)
    columns = await catalog.columns_state(database, migration, table)
    for finding in _columns(migration, columns):
        yield finding
    if await catalog.resolve(database, migration.saved_copy) is not None:
        message = f"The table {migration.saved_copy}, which is to keep what is dropped, exists already."
        remedy = "See what it holds; drop it, or name another saved_copy in the plan."
        yield Finding("migration.saved_copy", Severity.BLOCKER, message, remedy=remedy)
    for finding in _dependents(await find_dependents(database, migration, script)):
        yield finding
    async for finding in _code(ground):
        yield finding
    if columns.untouched:
        async for finding in _rows(migration, database, table, script):
            yield finding


async def _script(ground: Ground) -> tuple[Script | None, list[Finding]]:
    """The file as the release has it, or what is wrong with it."""
    path, commit = ground.plan.migration.file, ground.tips.source
    try:
        return parse_script(path, await ground.ports.repository.read(commit, path)), []
    except RepositoryError as error:
        message = f"{path} is not in {ground.plan.release.source} ({commit[:7]})."
        remedy = "See that the file is in the release under the plan's name."
        return None, [Finding("migration.file", Severity.BLOCKER, message, error.message, remedy)]
    except MigrationRefused as refused:
        return None, [
            Finding(
                f"migration.file.{problem.line}",
                Severity.BLOCKER,
                f"{path} cannot be run: {problem.message}",
                f"line {problem.line}",
                problem.remedy,
            )
            for problem in refused.problems
        ]


def _columns(migration: Migration, columns: catalog.ColumnsState) -> Iterator[Finding]:
    remedy = "See whether the migration, or a part of it, was run by hand; see that this is the right database."
    if columns.gone:
        message = f"{migration.table} has no {listed(columns.gone)}, which the migration is to remove."
        yield Finding("migration.columns_gone", Severity.BLOCKER, message, remedy=remedy)
    if columns.present:
        message = f"{migration.table} has {listed(columns.present)} already, which the migration is to add."
        yield Finding("migration.columns_present", Severity.BLOCKER, message, remedy=remedy)


def _dependents(references: tuple[Reference, ...]) -> Iterator[Finding]:
    """One finding an object and fate; its mentions are the evidence."""
    grouped: dict[tuple[str, str, Fate], list[Reference]] = {}
    for reference in references:
        if reference.fate not in HARMLESS:
            grouped.setdefault((reference.kind, reference.name, reference.fate), []).append(reference)
    for (kind, name, fate), found in grouped.items():
        severity, words = _FATES[fate]
        yield Finding(
            f"migration.dependent.{name}.{fate}",
            severity,
            f"The {kind} {name} {words}.",
            listed([str(reference) for reference in found], 3),
            "Change or drop it in the migration file, in front of the columns.",
        )


async def _code(ground: Ground) -> AsyncIterator[Finding]:
    migration = ground.plan.migration
    found = code_references(await ground.code(ground.tips.source, migration.code_paths), migration.removed)
    living = [reference for reference in found if reference.place is not Place.COMMENT]
    if living:
        yield Finding(
            "migration.code",
            Severity.BLOCKER,
            f"The release's own code still names columns that are dropped, in {len(living)} places.",
            listed(living),
            "Bring that code in line with the new column before the release.",
        )
    elif found:
        message = "Comments in the release's code still name columns that are dropped."
        yield Finding("migration.comments", Severity.NOTE, message, listed(found))


async def _rows(
    migration: Migration, database: Database, table: QualifiedName, script: Script | None
) -> AsyncIterator[Finding]:
    size = (await database.fetch(_SIZE, {"name": table.sql}))[0]
    moves = await transitions(database, migration, table)
    total = sum(move.rows for move in moves)
    words = f"{total:,} rows, {whole(size['bytes']) / 2**20:,.1f} MiB with indexes"
    if script is not None and any(lock.mode is LockMode.ACCESS_EXCLUSIVE for lock in script.locks):
        message = f"{migration.table} is locked for readers and writers from the first statement to COMMIT."
        yield Finding("migration.lock", Severity.NOTE, message, words)
    known = {rule.value for rule in migration.mapping.rules}
    unruled = [move for move in moves if move.new == migration.mapping.otherwise and move.old not in known]
    if unruled:
        yield Finding(
            "migration.otherwise",
            Severity.WARNING,
            f"Rows without a rule of their own become {migration.mapping.otherwise}.",
            listed([f"{'NULL' if move.old is None else repr(move.old)}: {move.rows:,} rows" for move in unruled]),
            "See that this is meant.",
        )
    for place, claim in enumerate(await claim_counts(database, migration, table)):
        if claim.rows:
            yield Finding(
                f"migration.claim.{place}",
                Severity.WARNING,
                f"Promised, and not done by the SQL: {claim.title}.",
                f"{claim.rows:,} rows become {listed(claim.instead)} instead of {claim.promised}",
                "A person decides: change the migration, or let it be known.",
            )
