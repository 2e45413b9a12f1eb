"""Marks: a moment of a database, by which what was written since can be told from what was there.

A mark holds the server's time, the snapshot of that moment and every table's counters. What always holds: what the
snapshot shows was committed before `at`, so a recovery to `at` loses nothing that the snapshot shows. `xmin` has 32
bits and wraps; within a window of transactions ids are told apart by their distance from its beginning. A snapshot
names no subtransactions, so what was open at the mark makes the window begin earlier: never is a commit left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from console.domain.loss import Mark
from console.errors import StepFailed
from console.migration.names import quote_literal
from console.migration.reading import Reader, whole

CIRCLE = 1 << 32
_FIRST_NORMAL = 3

# clock_timestamp() is read after the statement took its snapshot: never is a commit shown that is later than `at`.
_MOMENT = """
SELECT pg_current_snapshot()::text AS snapshot,
       to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at
"""
_COUNTERS = """
SELECT schemaname::text AS schema, relname::text AS name, n_tup_ins AS inserted, n_tup_upd AS updated,
       n_tup_del AS deleted
FROM pg_stat_user_tables
"""
_OWN = """
SELECT schemaname::text AS schema, relname::text AS name, n_tup_ins AS inserted, n_tup_upd AS updated,
       n_tup_del AS deleted
FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0
"""

Counts = tuple[int, int, int]
"""Inserted, updated, deleted."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`pg_current_snapshot()` read: ids from `upto` on, and those in `open`, were not committed (64 bits)."""

    oldest: int
    upto: int
    open: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> "Snapshot":
        """Read `xmin:xmax:xip,xip`. Raises ValueError."""
        oldest, upto, running = text.split(":")
        return cls(int(oldest), int(upto), tuple(int(each) for each in running.split(",") if each))


@dataclass(frozen=True, slots=True)
class Window:
    """The transactions that had not committed at `since` and may have by `now`, told by their 32-bit ids.

    While others were open then, their subtransactions cannot be told from what had committed: all of them are in it.
    """

    since: Snapshot
    now: Snapshot

    @classmethod
    def between(cls, since: str, now: str) -> "Window":
        """From two snapshots as the server writes them. Raises StepFailed when they are not of one server's history."""
        window = cls(Snapshot.parse(since), Snapshot.parse(now))
        if window.now.upto < window.since.upto or window.length >= CIRCLE >> 1:
            raise StepFailed(
                f"The server is at transaction {window.now.upto}, and the mark was taken at {window.since.upto}: "
                "this is not the database in which the mark was taken.",
                remedy="See that the connection string leads to the database of this run.",
            )
        return window

    @property
    def low(self) -> int:
        """The first id that may have committed since (64 bits)."""
        return self.since.oldest if self.since.open else self.since.upto

    @property
    def length(self) -> int:
        """How many transactions are in it."""
        return self.now.upto - self.low

    @property
    def doubtful(self) -> int:
        """How many of them may have committed before `since` already."""
        return self.since.upto - self.low - len(self.since.open)

    def __contains__(self, xmin: int) -> bool:
        """Whether a row version with this 32-bit `xmin` was, or may have been, committed since."""
        return xmin >= _FIRST_NORMAL and (xmin - self.low) % CIRCLE < self.length

    def sql(self, row: str) -> str:
        """The same as a SQL condition on the row version under the alias `row`."""
        xmin = f"{row}.xmin::text::bigint"
        later = f"({xmin} - {self.low % CIRCLE} + {CIRCLE}) % {CIRCLE} < {self.length}"
        return f"({xmin} >= {_FIRST_NORMAL} AND {later})"

    def sql_by_commit_time(self, row: str, since: str) -> str:
        """The same, by the time of commit where the server knows it (`track_commit_timestamp`)."""
        known = f"pg_xact_commit_timestamp({row}.xmin) > {quote_literal(since)}::timestamptz"
        wide = Window(Snapshot(self.since.oldest, self.since.oldest, ()), self.now).sql(row)
        # Only what may be later is asked: the server keeps no times of ids that it has frozen.
        return f"(CASE WHEN {wide} THEN coalesce({known}, {self.sql(row)}) ELSE false END)"


def without(own: frozenset[int], row: str) -> str:
    """A SQL condition: the row version was not written by one of these 32-bit ids."""
    listed = ", ".join(map(str, sorted(own)))
    return f"{row}.xmin::text::bigint NOT IN ({listed})" if own else "true"


async def sample(reader: Reader) -> Mark:
    """The mark of now. Raises DatabaseError."""
    moment = (await reader.fetch(_MOMENT))[0]
    return Mark(str(moment["at"]), str(moment["snapshot"]), await _counted(reader, _COUNTERS))


async def own_counters(session: Reader) -> Mapping[str, Counts]:
    """What the open transaction of this session has itself written, by table. Raises DatabaseError."""
    return await _counted(session, _OWN)


async def _counted(reader: Reader, sql: str) -> dict[str, Counts]:
    return {
        shown(str(row["schema"]), str(row["name"])): (
            whole(row["inserted"]),
            whole(row["updated"]),
            whole(row["deleted"]),
        )
        for row in await reader.fetch(sql)
    }


def shown(schema: str, name: str) -> str:
    """A table's name with its schema, which goes without saying where it is `public`."""
    return name if schema == "public" else f"{schema}.{name}"
