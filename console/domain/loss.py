"""What going back to an earlier moment would lose: the loss meter's figures, plain and journaled as they are.

What always holds: a figure never stands without the method that it rests on, and what the migration and the
console itself wrote is not in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of the database, recorded so that what is written from then on can be counted.

    `at` is the server's time (ISO 8601), `snapshot` as `pg_current_snapshot()` gives it; `counters` are inserted,
    updated and deleted by table, cumulative; a table of which nothing is known is not in it. `partial`: the counters
    are of some tables alone.
    """

    at: str
    snapshot: str
    counters: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    partial: bool = False


@dataclass(frozen=True, slots=True)
class TableLoss:
    """Rows of a table that users inserted, updated and deleted since the moment."""

    table: str
    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def rows(self) -> int:
        """All of them together."""
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True, slots=True)
class Loss:
    """What would be lost by going back to `since` (ISO 8601, the server's time), as counted at `counted_at`.

    `tables` holds only tables with a loss; `method` says in one sentence how it was counted; `remarks` what the
    figures leave open, and what was taken out of them.
    """

    since: str
    counted_at: str
    tables: tuple[TableLoss, ...]
    method: str
    remarks: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows of all tables: inserted, updated and deleted together."""
        return sum(table.rows for table in self.tables)
