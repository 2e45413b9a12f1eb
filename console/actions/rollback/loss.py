"""The data-loss meter: which rows users inserted, updated and deleted since a mark, by table.

Reads only, in one snapshot of the database. Rows that are there are told by their `xmin`, exactly; what the migration
and the console's checks wrote is taken out by their transactions; the saved copy and the table of the migrations are
nobody's loss. In the migrated table the saved copy's keys tell new, changed and deleted rows apart; elsewhere the
counters do. What always holds: a figure may be too high by what its remarks say, never knowingly too low.
"""

import asyncio
from dataclasses import dataclass

from console.actions.rollback.loss_figures import Figures, by_counters, difference, together
from console.actions.rollback.loss_marks import NO_COUNTS, OwnWork, mark_of_migration, migration_data, own_work
from console.actions.wording import counted
from console.domain.loss import Loss, Mark, TableLoss
from console.domain.payload import number
from console.domain.plan import Plan
from console.domain.state import RunState
from console.errors import DatabaseError
from console.migration.marks import Window, sample, shown, without
from console.migration.names import QualifiedName, quote_identifier
from console.migration.reading import whole
from console.migration.saved_copy import existing_origin
from console.ports import Database, Session

_SECONDS = 80.0
_SETTINGS = {"statement_timeout": "75s", "lock_timeout": "5s", "row_security": "off"}
_TABLES = """
SELECT n.nspname::text AS schema, c.relname::text AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY n.nspname, c.relname
"""


async def measure(database: Database, mark: Mark, state: RunState) -> Loss:
    """What going back to the mark would lose, as of now.

    Raises DatabaseError, and StepFailed when the database is not the one in which the mark was taken.
    """
    try:
        async with (
            asyncio.timeout(_SECONDS),
            database.session(f"rc/{state.run}/loss", settings=_SETTINGS, read_only=True) as session,
        ):
            await session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return await (await Meter.of(session, mark, state)).read()
    except TimeoutError as late:
        raise DatabaseError(
            f"Counting what would be lost took more than {_SECONDS:.0f} s.",
            remedy="See what keeps the database busy, then look again.",
            retryable=True,
        ) from late


@dataclass(frozen=True, slots=True)
class Meter:
    """One reading: the mark, the moment that it is compared with, and what is known of the console's own work.

    `copy` is the saved copy where it is there and the migration's; `migrated` the mark of a migration that began.
    """

    session: Session
    plan: Plan
    mark: Mark
    now: Mark
    own: OwnWork
    migrated: Mark | None
    hidden: int
    copy: QualifiedName | None
    by_time: bool

    @classmethod
    async def of(cls, session: Session, mark: Mark, state: RunState) -> "Meter":
        """Ready to read, inside the session's open transaction."""
        data = migration_data(state)
        migrated = mark_of_migration(state) if data else None
        timed = await session.fetch("SELECT current_setting('track_commit_timestamp') = 'on' AS timed")
        return cls(
            session=session,
            plan=state.plan,
            mark=mark,
            now=await sample(session),
            own=own_work(state, mark),
            migrated=migrated,
            hidden=int(number(data, "hidden")),
            copy=await _saved_copy(session, state.plan) if migrated is not None else None,
            by_time=timed[0]["timed"] is True,
        )

    async def read(self) -> Loss:
        """All tables, one after the other."""
        figures: list[Figures] = []
        present: set[str] = set()
        for row in await self.session.fetch(_TABLES):
            table = QualifiedName(str(row["schema"]), str(row["name"]))
            present.add(shown(table.schema, table.name))
            if not self._ours(table):
                figures.append(await (self._of_migrated(table) if self._is_migrated(table) else self._of(table)))
        gone = sorted(name for name in self.mark.counters if name not in present)
        remarks = [figure.remark for figure in figures if figure.remark]
        remarks += [f"{name} was there at the mark and is gone; what it held is not counted." for name in gone]
        if self.migrated is not None and self.mark != self.migrated:
            remarks.append("What was written while the export was being made counts as lost, and may be in it.")
        elif self.hidden:
            rows = counted(self.hidden, "row")
            remarks.append(f"{rows} written while the migration waited for its lock: counted as updated, may be new.")
        return Loss(
            since=self.mark.at,
            counted_at=self.now.at,
            tables=tuple(figure.loss for figure in figures if figure.loss.rows),
            method=self._method(),
            remarks=(*remarks, *self._doubts(), *self._taken_out()),
        )

    def _ours(self, table: QualifiedName) -> bool:
        migration = self.plan.migration
        names = (migration.saved_copy, migration.history.table)
        is_copy = table.name.startswith(QualifiedName.parse(migration.saved_copy).name)
        return is_copy or any(QualifiedName.parse(name).matches(table) for name in names)

    def _is_migrated(self, table: QualifiedName) -> bool:
        return QualifiedName.parse(self.plan.migration.table).matches(table)

    async def _of(self, table: QualifiedName) -> Figures:
        """A table that the migration left alone."""
        written = await self._written(table, self.mark)
        return by_counters(shown(table.schema, table.name), written, self._since(table, self.mark, self.now))

    async def _of_migrated(self, table: QualifiedName) -> Figures:
        """The migrated table: every row has the migration's version, so what was before it only counters show."""
        if self.migrated is None:
            return await self._of(table)
        name = shown(table.schema, table.name)
        since = await self._since_migration(table, name)
        if self.mark == self.migrated:
            # Between the mark and the lock: whether new or changed, the migration's own versions hide.
            return Figures(together(since.loss, TableLoss(name, updated=self.hidden)), since.remark)
        before = self._since(table, self.mark, self.migrated)
        if before is None or min(before) < 0:
            remark = f"{name}: what was written between the mark and the migration is not known."
            return Figures(since.loss, f"{since.remark} {remark}".strip())
        remark = f"{name}: before the migration operations are counted, so a row that was written twice counts twice."
        loss = together(since.loss, TableLoss(name, *before))
        return Figures(loss, f"{since.remark} {remark if sum(before) else ''}".strip())

    async def _since_migration(self, table: QualifiedName, name: str) -> Figures:
        mark = self.migrated or self.mark
        written = await self._written(table, mark)
        if self.copy is None:
            return by_counters(name, written, self._since(table, mark, self.now))
        key = quote_identifier(self.plan.migration.key)
        new = await self._count(
            f"SELECT count(*) AS rows FROM ONLY {table.sql} AS t WHERE {self._condition(mark)} "  # noqa: S608
            f"AND NOT EXISTS (SELECT FROM {self.copy.sql} AS was WHERE was.{key} = t.{key})"
        )
        deleted = await self._count(
            f"SELECT count(*) AS rows FROM {self.copy.sql} AS was "  # noqa: S608
            f"WHERE NOT EXISTS (SELECT FROM ONLY {table.sql} AS t WHERE t.{key} = was.{key})"
        )
        return Figures(TableLoss(name, new, written - new, deleted))

    async def _written(self, table: QualifiedName, mark: Mark) -> int:
        return await self._count(
            f"SELECT count(*) AS rows FROM ONLY {table.sql} AS t WHERE {self._condition(mark)}"  # noqa: S608
        )

    def _condition(self, mark: Mark) -> str:
        """Written since, and not by the console."""
        window = Window.between(mark.snapshot, self.now.snapshot)
        since = window.sql_by_commit_time("t", mark.at) if self.by_time else window.sql("t")
        return f"{since} AND {without(self.own.xids, 't')}"

    def _since(self, table: QualifiedName, mark: Mark, until: Mark) -> tuple[int, int, int] | None:
        """What the counters show of others between two marks; None when they were not recorded."""
        name = shown(table.schema, table.name)
        if name not in until.counters or (name not in mark.counters and mark.partial):
            return None
        # What the console wrote it wrote since the migration's mark, but for checks between that and the backup's.
        own = self.own.counts.get(name, NO_COUNTS) if until is self.now else NO_COUNTS
        return difference(until.counters[name], mark.counters.get(name, NO_COUNTS), own)

    async def _count(self, sql: str) -> int:
        return whole((await self.session.fetch(sql))[0]["rows"])

    def _method(self) -> str:
        first = Window.between(self.mark.snapshot, self.now.snapshot).low
        rows = (
            "Rows by the commit time of the transaction that wrote them (track_commit_timestamp)"
            if self.by_time
            else f"Rows by the transaction that wrote them (xmin, from {first} on)"
        )
        keys = f", in {self.plan.migration.table} by the keys of the saved copy" if self.copy is not None else ""
        return f"{rows}; which are new, and deleted ones, by the tables' counters{keys}."

    def _taken_out(self) -> tuple[str, ...]:
        out = f"Taken out: what {counted(len(self.own.xids), 'transaction')} of the console's own wrote."
        return (*((out,) if self.own.xids else ()), *self.own.troubles)

    def _doubts(self) -> tuple[str, ...]:
        """What makes the figures too high: transactions that were open at a mark hide which others had committed."""
        marks = {mark.snapshot for mark in (self.mark, self.migrated or self.mark)}
        most = max(Window.between(each, self.now.snapshot).doubtful for each in marks)
        if self.by_time or not most:
            return ()
        return (f"Transactions were open at the mark: up to {most:,} that had ended shortly before it count as later.",)


async def _saved_copy(session: Session, plan: Plan) -> QualifiedName | None:
    """The saved copy's full name, where it is there and the console's; None otherwise."""
    rows = await session.fetch(
        "SELECT n.nspname::text AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.oid = to_regclass(%(name)s)",
        {"name": QualifiedName.parse(plan.migration.saved_copy).sql},
    )
    if not rows:
        return None
    name = QualifiedName(str(rows[0]["schema"]), QualifiedName.parse(plan.migration.saved_copy).name)
    _, origin = await existing_origin(session, name)
    return name if origin is not None else None
