"""Looks at the migrated table from outside, after COMMIT: is every saved row right, and who has written since.

Rows that nobody has written since the migration must be as the mapping has it. Rows that were written since (told by
their `xmin`) are the users', counted apart and never called wrong; their values must still lie in the domain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.domain.plan import Json, Migration
from console.errors import DatabaseError, StepFailed
from console.migration import catalog
from console.migration.bounded import connection_lost
from console.migration.mapping import Difference, Transition, expected_rows, transitions
from console.migration.names import QualifiedName, quote_identifier
from console.migration.reading import Reader, text_or_none, whole
from console.migration.row_versions import written_by_others_since
from console.migration.saved_copy import copy_name, existing_origin
from console.ports import Row


@dataclass(frozen=True, slots=True)
class Baseline:
    """By what the migration's own rows are told from those written since: its transaction and its row versions."""

    transaction: int
    own_xids: tuple[int, ...]

    @classmethod
    def from_data(cls, data: Mapping[str, Json]) -> "Baseline | None":
        """Read it from the evidence of the migration (`MigrationResult.data`); None when it is not there."""
        transaction, own = data.get("transaction"), data.get("own_xids")
        if transaction is None or not isinstance(own, list):
            return None
        return cls(whole(transaction), tuple(whole(xid) for xid in own))


@dataclass(frozen=True, slots=True)
class RowsCheck:
    """Saved rows against the table.

    `right`: unwritten since and as mapped. `wrong`: unwritten since and not as mapped (`differing` shows the first).
    `written_since` and, among them, `changed_since`: now with another value than the mapping gave. `deleted_since`:
    saved, and gone now. `inserted_since`: there now, and never saved.
    """

    saved: int
    right: int
    wrong: int
    written_since: int
    changed_since: int
    deleted_since: int
    inserted_since: int
    differing: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        """Whether no row is wrong, and every saved one is accounted for."""
        return self.wrong == 0 and self.right + self.written_since + self.deleted_since == self.saved


@dataclass(frozen=True, slots=True)
class DomainCheck:
    """The new column's values now: how many rows are NULL, and the values outside the domain with their rows."""

    counts: tuple[tuple[str | None, int], ...]
    nulls: int
    outside: tuple[tuple[str, int], ...]

    @property
    def passed(self) -> bool:
        """Whether every row has a value, and one of the domain."""
        return self.nulls == 0 and not self.outside


@dataclass(frozen=True, slots=True)
class CountsCheck:
    """How many rows each value should have had by the mapping of the saved copy, and has now; users move rows."""

    transitions: tuple[Transition, ...]
    mapped: tuple[tuple[str, int], ...]
    now: tuple[tuple[str | None, int], ...]


@dataclass(frozen=True, slots=True)
class ShapeCheck:
    """Columns, views, indexes, the history row as they are; `saved_copy`: whether ours is there."""

    columns: catalog.ColumnsState
    views: catalog.ViewsState
    unusable_views: tuple[tuple[str, str], ...]
    indexes: tuple[catalog.IndexState, ...]
    history: Row | None
    saved_copy: bool

    @property
    def problems(self) -> tuple[str, ...]:
        """What is not as the plan has it, in words; empty when all is well."""
        return (
            *(f"column {name} is still there" for name in self.columns.still_there),
            *(f"column {name} is missing" for name in self.columns.missing),
            *(f"view {name} is missing" for name in self.views.missing),
            *(f"view {name} is still there" for name in self.views.still_there),
            *(f"view {name} cannot be read: {why}" for name, why in self.unusable_views),
            *(f"index {index.name} is missing" for index in self.indexes if not index.present),
            *(f"index {index.name} is invalid" for index in self.indexes if index.present and not index.valid),
            *(() if self.history is not None else ("the history row is missing",)),
            *(() if self.saved_copy else ("the saved copy is missing",)),
        )


async def check_rows(
    reader: Reader, migration: Migration, baseline: Baseline | None = None, *, limit: int = 20
) -> RowsCheck:
    """Hold every saved row against the table. Without a baseline, the saved copy's own word on its transaction is used.

    Raises StepFailed when the saved copy is gone, DatabaseError.
    """
    table, saved, known = await _sources(reader, migration, baseline)
    joined = _joined(migration, saved, table, known)
    right = "found IS NOT DISTINCT FROM new"
    row = (
        await reader.fetch(
            "SELECT count(*) FILTER (WHERE was) AS saved, "  # noqa: S608
            f"count(*) FILTER (WHERE was AND present AND NOT since AND {right}) AS right_rows, "
            f"count(*) FILTER (WHERE was AND present AND NOT since AND NOT ({right})) AS wrong, "
            "count(*) FILTER (WHERE was AND present AND since) AS written, "
            f"count(*) FILTER (WHERE was AND present AND since AND NOT ({right})) AS changed, "
            "count(*) FILTER (WHERE was AND NOT present) AS deleted, "
            f"count(*) FILTER (WHERE NOT was) AS inserted FROM ({joined}) AS joined"
        )
    )[0]
    return RowsCheck(
        saved=whole(row["saved"]),
        right=whole(row["right_rows"]),
        wrong=whole(row["wrong"]),
        written_since=whole(row["written"]),
        changed_since=whole(row["changed"]),
        deleted_since=whole(row["deleted"]),
        inserted_since=whole(row["inserted"]),
        differing=await _differing(reader, joined, limit) if whole(row["wrong"]) else (),
    )


async def check_domain(reader: Reader, migration: Migration) -> DomainCheck:
    """Whether every row of the table, whoever wrote it, has a value of the domain."""
    table = await catalog.resolve_table(reader, migration.table)
    counts = await catalog.value_counts(reader, table, migration.mapping.target)
    return DomainCheck(
        counts=counts,
        nulls=sum(rows for value, rows in counts if value is None),
        outside=tuple(
            (value, rows) for value, rows in counts if value is not None and value not in migration.mapping.domain
        ),
    )


async def check_counts(reader: Reader, migration: Migration) -> CountsCheck:
    """The counts by value: what the mapping makes of the saved copy, beside what the table holds now."""
    table = await catalog.resolve_table(reader, migration.table)
    moved = await transitions(reader, migration, copy_name(migration, table))
    mapped: dict[str, int] = {}
    for item in moved:
        mapped[str(item.new)] = mapped.get(str(item.new), 0) + item.rows
    now = await catalog.value_counts(reader, table, migration.mapping.target)
    return CountsCheck(moved, tuple(mapped.items()), now)


async def check_shape(reader: Reader, migration: Migration, indexes: Sequence[str] = ()) -> ShapeCheck:
    """Columns, views (each is read once), `indexes` (the names that the file creates), history, saved copy.

    Outside a transaction: a view that cannot be read is an answer, not the end. Raises StepFailed, DatabaseError.
    """
    table = await catalog.resolve_table(reader, migration.table)
    _, origin = await existing_origin(reader, copy_name(migration, table))
    views = await catalog.views_state(reader, migration)
    readable = [name for name in migration.views if name not in views.missing]
    tried = [(name, await _why_unreadable(reader, QualifiedName.parse(name))) for name in readable]
    return ShapeCheck(
        columns=await catalog.columns_state(reader, migration, table),
        views=views,
        unusable_views=tuple((name, why) for name, why in tried if why),
        indexes=await catalog.index_states(reader, table, indexes),
        history=await catalog.history_row(reader, migration),
        saved_copy=origin is not None,
    )


async def _sources(
    reader: Reader, migration: Migration, baseline: Baseline | None
) -> tuple[QualifiedName, QualifiedName, Baseline]:
    table = await catalog.resolve_table(reader, migration.table)
    saved = copy_name(migration, table)
    _, origin = await existing_origin(reader, saved)
    if origin is None:
        raise StepFailed(
            f"The saved copy {saved} is gone, or it is not the console's: the rows cannot be held against it.",
            remedy="Find out who dropped or renamed it; until then the backup alone holds the old values.",
        )
    return table, saved, baseline or Baseline(origin.transaction, (origin.transaction % (1 << 32),))


def _joined(migration: Migration, saved: QualifiedName, table: QualifiedName, baseline: Baseline) -> str:
    """Every key, saved or present, with its old, mapped and found value, and whether it was written since."""
    key, target = quote_identifier(migration.key), quote_identifier(migration.mapping.target)
    since = written_by_others_since(baseline.transaction, baseline.own_xids, "t")
    now = f"SELECT t.{key} AS key, t.{target}::text AS found, {since} AS since FROM {table.sql} AS t"  # noqa: S608
    return (
        "SELECT coalesce(saved.key, now.key) AS key, saved.old, saved.new, now.found, now.since, "  # noqa: S608
        "saved.key IS NOT NULL AS was, now.key IS NOT NULL AS present "
        f"FROM ({expected_rows(migration, saved)}) AS saved FULL JOIN ({now}) AS now ON now.key = saved.key"
    )


async def _differing(reader: Reader, joined: str, limit: int) -> tuple[Difference, ...]:
    rows = await reader.fetch(
        f"SELECT key::text AS key, old, new, found FROM ({joined}) AS joined "  # noqa: S608
        f"WHERE was AND present AND NOT since AND found IS DISTINCT FROM new ORDER BY joined.key LIMIT {limit:d}"
    )
    return tuple(
        Difference(str(row["key"]), text_or_none(row["old"]), str(row["new"]), text_or_none(row["found"]), "different")
        for row in rows
    )


async def _why_unreadable(reader: Reader, view: QualifiedName) -> str:
    """Why a view cannot be read; empty when it can."""
    try:
        await reader.fetch(f"SELECT * FROM {view.sql} LIMIT 1")  # noqa: S608
    except DatabaseError as error:
        if connection_lost(error):
            raise
        return error.message
    return ""
