"""The proof before COMMIT: columns, views and every single row, inside the transaction that is still open."""

from console.domain.plan import Migration
from console.errors import VerificationFailed
from console.migration import catalog, mapping
from console.migration.names import QualifiedName
from console.migration.reading import Reader

ValueCounts = tuple[tuple[str | None, int], ...]

SHOWN = 20
"""How many differing rows are shown; all are counted."""

_REMEDY = "The plan's mapping and the file do not say the same. Decide which is right, correct the other, and retry."


async def prove(reader: Reader, migration: Migration, saved: QualifiedName, table: QualifiedName) -> ValueCounts:
    """The counts by new value. Raises VerificationFailed with the difference unless all is as the plan has it."""
    await _prove_shape(reader, migration, table)
    await _prove_rows(reader, migration, saved, table)
    return await _prove_domain(reader, migration, table)


async def _prove_shape(reader: Reader, migration: Migration, table: QualifiedName) -> None:
    columns = await catalog.columns_state(reader, migration, table)
    views = await catalog.views_state(reader, migration)
    lines = (
        *(f"column {table}.{name} is still there" for name in columns.still_there),
        *(f"column {table}.{name} is missing" for name in columns.missing),
        *(f"view {name} is still there" for name in views.still_there),
        *(f"view {name} is missing" for name in views.missing),
    )
    if lines:
        raise VerificationFailed(
            f"After the file's last statement the schema is not as the plan has it: {lines[0]}.",
            remedy="Correct the file, or what the plan says about columns and views, and retry.",
            lines=lines,
        )


async def _prove_rows(reader: Reader, migration: Migration, saved: QualifiedName, table: QualifiedName) -> None:
    found = await mapping.differences(reader, migration, saved, table, limit=SHOWN)
    if not found.total:
        return
    lines = tuple(str(row) for row in found.rows)
    if found.total > len(lines):
        lines = (*lines, f"… and {found.total - len(lines)} more")
    rows = "row differs" if found.total == 1 else "rows differ"
    raise VerificationFailed(
        f"{found.total} {rows} from the plan's mapping of {migration.mapping.source} to {migration.mapping.target}.",
        remedy=_REMEDY,
        lines=lines,
        data={
            "total": found.total,
            "rows": [
                {"key": row.key, "old": row.old, "expected": row.expected, "found": row.found, "kind": row.kind}
                for row in found.rows
            ],
        },
    )


async def _prove_domain(reader: Reader, migration: Migration, table: QualifiedName) -> ValueCounts:
    counts = await catalog.value_counts(reader, table, migration.mapping.target)
    outside = [(value, rows) for value, rows in counts if value not in migration.mapping.domain]
    if not outside:
        return counts
    lines = tuple(
        f"{'NULL' if value is None else repr(value)}: {rows} row{'s' if rows != 1 else ''}" for value, rows in outside
    )
    raise VerificationFailed(
        f"{migration.mapping.target} holds values outside its domain: {', '.join(lines)}.",
        remedy=f"The domain is {', '.join(migration.mapping.domain)}. Correct the mapping or the domain, and retry.",
        lines=lines,
        data={"total": sum(rows for _, rows in outside)},
    )
