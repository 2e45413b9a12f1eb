"""Row counts before and after an export, and what a restored copy may therefore hold.

A table is written to while it is dumped. Its count in the dump lies between the counts before and after,
widened by what was inserted and deleted meanwhile: no narrower statement is true, no wider one is needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.actions.handover import Record
from console.domain.databases import TableCount
from console.domain.plan import Json


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most rows that a copy may hold."""

    low: int
    high: int

    def __contains__(self, rows: int) -> bool:
        return self.low <= rows <= self.high

    def __str__(self) -> str:
        return f"{self.low:,}" if self.low == self.high else f"{self.low:,} to {self.high:,}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A restored copy against the counts: `proven` tables, `wrong` ones and `unproven` ones as sentences."""

    proven: Mapping[str, tuple[int, Bounds]]
    wrong: tuple[str, ...]
    unproven: tuple[str, ...]


def counts_json(counts: Sequence[TableCount]) -> dict[str, Json]:
    """Counts as evidence holds them: `{table: [rows, inserted, updated, deleted]}`."""
    return {count.table: [count.rows, count.inserted, count.updated, count.deleted] for count in counts}


def counts_from(record: Record) -> dict[str, TableCount]:
    """The reverse of `counts_json`; entries of another shape are left out."""
    counts: dict[str, TableCount] = {}
    for table, value in record.data.items():
        numbers = [n for n in value if isinstance(n, int)] if isinstance(value, list) else []
        if len(numbers) == 4:
            counts[table] = TableCount(table, *numbers)
    return counts


def bounds(before: TableCount, after: TableCount) -> Bounds | None:
    """What a copy made between two counts may hold; None when the counters were reset in between."""
    inserted, deleted = after.inserted - before.inserted, after.deleted - before.deleted
    if inserted < 0 or deleted < 0:
        return None
    low = min(before.rows, after.rows) - deleted
    return Bounds(max(low, 0), max(before.rows, after.rows) + inserted)


def compare(
    before: Mapping[str, TableCount],
    after: Mapping[str, TableCount],
    restored: Mapping[str, int],
    not_restored: Sequence[str],
) -> Comparison:
    """Judge a restored copy table by table.

    `not_restored` are the restore's own statements of what it could not bring back here; a table that one
    of them names is unproven, not wrong.
    """
    proven: dict[str, tuple[int, Bounds]] = {}
    wrong: list[str] = []
    unproven = list(not_restored)
    for table in sorted(before.keys() | after.keys()):
        rows = restored.get(table)
        limits = bounds(before[table], after[table]) if table in before and table in after else None
        if rows is None and any(table in statement for statement in not_restored):
            continue
        if table not in before or table not in after:
            unproven.append(f"{table}: created or dropped while the export was made")
        elif limits is None:
            unproven.append(f"{table}: its insert and delete counters were reset while the export was made")
        elif rows is None:
            wrong.append(f"{table}: not in the copy; {limits} rows expected")
        elif rows in limits:
            proven[table] = (rows, limits)
        else:
            wrong.append(f"{table}: {rows:,} rows in the copy; {limits} expected")
    return Comparison(proven, tuple(wrong), tuple(unproven))
