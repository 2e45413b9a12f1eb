"""From what was counted to the figures of a loss: pure arithmetic, with what it leaves open.

`written` rows are there now and were inserted or updated since the mark: that is exact. Which of them are new, and
how many were deleted, only the counters tell. They count operations, also those that were rolled back, and come up to
some seconds late, so they show at least what happened. What always holds: inserted and updated together are `written`.
"""

from dataclasses import dataclass

from console.domain.loss import TableLoss
from console.migration.marks import Counts


@dataclass(frozen=True, slots=True)
class Figures:
    """A table's loss, and what is not certain of it, in a sentence; empty when nothing is."""

    loss: TableLoss
    remark: str = ""


def by_counters(table: str, written: int, since: Counts | None) -> Figures:
    """Split the written rows by the counters since the mark, without the console's own; None: not known."""
    if since is None:
        remark = (
            f"{table}: nothing tells inserted from updated rows, and deleted ones are not known." if written else ""
        )
        return Figures(TableLoss(table, updated=written), remark)
    if min(since) < 0:
        remark = f"{table}: its counters were reset since, so deleted rows are not known."
        return Figures(TableLoss(table, updated=written), remark)
    inserted, updated, deleted = since
    most_new, least_new = min(written, inserted), max(0, written - updated)
    loss = TableLoss(table, most_new, written - most_new, deleted)
    if deleted and inserted > most_new:
        return Figures(loss, f"{table}: of the {deleted:,} deleted rows some may be rows that were inserted since.")
    if deleted and least_new < most_new:
        return Figures(loss, f"{table}: of the {written:,} written rows {least_new:,} to {most_new:,} are new.")
    return Figures(loss)


def together(one: TableLoss, other: TableLoss) -> TableLoss:
    """The losses of two spans of time."""
    return TableLoss(one.table, one.inserted + other.inserted, one.updated + other.updated, one.deleted + other.deleted)


def difference(now: Counts, then: Counts, own: Counts) -> Counts:
    """What others did between two readings of the counters; negative when they were reset in between.

    What the console did and the counters do not (yet) show is no reason to call them reset.
    """
    if any(late < early for late, early in zip(now, then, strict=True)):
        return (-1, -1, -1)
    inserted, updated, deleted = (max(0, a - b - c) for a, b, c in zip(now, then, own, strict=True))
    return inserted, updated, deleted
