"""Runs a migration in one transaction of the console's own, and commits only what it has proven.

The order: time-outs; the table locked; old values counted and what will be dropped saved; the file's statements one
by one; every row held against the saved copy, columns, views, values; the history row; COMMIT. Whatever goes wrong
before COMMIT leaves the database as it was. Only a connection that is lost during COMMIT leaves a question, which is
raised as OutcomeUnknown. A cancelled task leaves the transaction to the end of the session, which rolls it back.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from console.domain.outcome import Progress
from console.domain.plan import Migration
from console.errors import ConsoleError, DatabaseError, StepFailed, Stopped
from console.migration import catalog, failures, mapping, saved_copy, transaction, verification
from console.migration.bounded import BoundedSession, connection_lost
from console.migration.history import record_history
from console.migration.marks import own_counters
from console.migration.names import QualifiedName
from console.migration.result import Began, MigrationResult, StatementTiming
from console.migration.row_versions import own_versions
from console.migration.script import Script, Statement
from console.ports import Report, Session


class MigrationRunner:
    """One attempt at one migration over one session. `monotonic` gives wall seconds.

    `stopping` is asked at every safe point: between statements, and before and after whatever else takes long. Two
    reports are durable, because a probe needs them after a crash: `{"began": Began.data()}` once the table is locked
    and before anything is changed, and `{"committing": MigrationResult.own()}` just before COMMIT.
    """

    def __init__(
        self,
        session: Session,
        migration: Migration,
        script: Script,
        *,
        marker: str,
        report: Report,
        stopping: Callable[[], bool] = lambda: False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = BoundedSession(session, migration.statement_timeout)
        self._migration = migration
        self._script = script
        self._marker = marker
        self._report = report
        self._stopping = stopping
        self._monotonic = monotonic
        self._doing: Statement | str = "before the transaction"
        self._warning = ""

    async def run(self) -> MigrationResult:
        """Run it. Raises StepFailed (VerificationFailed, Stopped, OutcomeUnknown) with what state production is in."""
        started = self._monotonic()
        table, history = await self._ready()
        try:
            began = await self._begin(table)
            locked_at = self._monotonic()
            result = await self._inside(began, table, history)
        except DatabaseError as error:
            raise await self._failed(error, table) from error
        except ConsoleError as error:
            error.production = await self._roll_back()
            raise
        await self._commit(began)
        ended = self._monotonic()
        return replace(result, locked=ended - locked_at, seconds=ended - started)

    async def _ready(self) -> tuple[QualifiedName, QualifiedName]:
        """Refuse, before any lock is asked for, what can be known to fail. The table and the history table, in full."""
        try:
            table = await catalog.resolve_table(self._session, self._migration.table)
            history = await catalog.resolve_table(self._session, self._migration.history.table)
            await self._refuse_repetition(table, history)
            await catalog.require_key(self._session, table, self._migration.key)
            saved_copy.saved_columns(self._migration)
            self._warning = await transaction.watch_for_loss(self._session)
        except DatabaseError as error:
            raise failures.before_transaction(error) from error
        if self._stopping():
            raise Stopped("Stopped before the transaction began.", production="Nothing was changed.", remedy="Retry.")
        return table, history

    async def _refuse_repetition(self, table: QualifiedName, history: QualifiedName) -> None:
        if await catalog.history_row(self._session, self._migration, history) is not None:
            raise StepFailed(
                f"Migration {self._migration.version} is already recorded in {history}.",
                production="Nothing was changed now; the migration was applied earlier.",
                remedy="Look at that row. If it is right, mark the step as done by hand: its verification still runs.",
            )
        await saved_copy.refuse_existing(self._session, self._migration, saved_copy.copy_name(self._migration, table))

    async def _begin(self, table: QualifiedName) -> Began:
        """Open the transaction and take the lock that it keeps to its end."""
        self._doing = f"locking {table}"
        await self._report(Progress(f"waiting for the lock on {table}, {self._migration.lock_timeout:g} s at most"))
        began = await transaction.begin(self._session, self._migration, table, self._monotonic)
        text = f"{table} locked after {began.lock_wait:.1f} s, transaction {began.transaction}"
        await self._report(Progress(text, data={"began": began.data()}, durable=True))
        return began

    async def _inside(self, began: Began, table: QualifiedName, history: QualifiedName) -> MigrationResult:
        """Everything between the lock and COMMIT."""
        await self._refuse_repetition(table, history)
        path = await transaction.search_path(self._session)
        saved = await self._save(began, table)
        timings = [await self._execute(statement) for statement in self._script.statements]
        await transaction.restore(self._session, self._migration, path)
        result = await self._proven(began, table, history, saved, tuple(timings))
        self._stop_if_asked()
        await self._report(Progress("committing", share=1.0, data={"committing": result.own()}, durable=True))
        return result

    async def _save(self, began: Began, table: QualifiedName) -> saved_copy.SavedCopy:
        await self._step(f"saving what will be dropped to {self._migration.saved_copy}")
        facts = saved_copy.OriginFacts(self._marker, began.at, began.transaction)
        saved = await saved_copy.make(self._session, self._migration, table, facts)
        await self._report(
            Progress(
                f"{saved.rows} rows saved to {saved.name}", data={"saved_copy": str(saved.name), "rows": saved.rows}
            )
        )
        return saved

    async def _execute(self, statement: Statement) -> StatementTiming:
        self._stop_if_asked()
        self._doing = statement
        total = len(self._script.statements)
        await self._report(
            Progress(
                f"statement {statement.number} of {total}: {statement.title}",
                share=(statement.number - 1) / total,
                data={"statement": statement.number, "line": statement.line},
            )
        )
        started = self._monotonic()
        rows = await self._session.execute(statement.text)
        seconds = self._monotonic() - started
        if statement.sets:
            await transaction.set_limits(self._session, self._migration)
        return StatementTiming(statement.number, statement.line, statement.title, rows, seconds)

    async def _proven(
        self,
        began: Began,
        table: QualifiedName,
        history: QualifiedName,
        saved: saved_copy.SavedCopy,
        timings: tuple[StatementTiming, ...],
    ) -> MigrationResult:
        """Prove the rows, write the history row, and count. The times are known only after COMMIT."""
        session, migration = self._session, self._migration
        await self._step(f"holding {saved.rows} rows against the saved copy")
        new_counts = await verification.prove(session, migration, saved.name, table)
        await self._step("writing the history row")
        by_file = await record_history(session, migration, self._script, history, began.at)
        self._doing = "counting the rows"
        moved = await mapping.transitions(session, migration, saved.name)
        notices = await session.notices()
        return MigrationResult(
            began=began,
            saved_copy=str(saved.name),
            rows_saved=saved.rows,
            old_counts=mapping.old_counts(moved),
            new_counts=new_counts,
            transitions=moved,
            claims=await mapping.claim_counts(session, migration, saved.name),
            statements=timings,
            own_xids=await own_versions(session, table, began.transaction),
            locked=0.0,
            seconds=0.0,
            notices=(*notices, self._warning) if self._warning else notices,
            history_by_file=by_file,
            own_counters=await own_counters(session),
        )

    async def _step(self, doing: str) -> None:
        self._stop_if_asked()
        self._doing = doing
        await self._report(Progress(doing))

    def _stop_if_asked(self) -> None:
        if self._stopping():
            where = self._doing.title if isinstance(self._doing, Statement) else self._doing
            raise Stopped(f"Stopped after: {where}.", remedy="Retry when it should run; it starts from the beginning.")

    async def _commit(self, began: Began) -> None:
        try:
            await transaction.commit(self._session, began.transaction, failures.ROLLED_BACK)
        except DatabaseError as error:
            raise failures.during(error, "COMMIT", self._script, failures.ROLLED_BACK, ()) from error

    async def _failed(self, error: DatabaseError, table: QualifiedName) -> StepFailed:
        """The error in the step's words, after the transaction is over."""
        production = failures.LOST if connection_lost(error) else await self._roll_back()
        blockers: tuple[str, ...] = ()
        if failures.is_lock_timeout(error) and production == failures.ROLLED_BACK:
            try:
                blockers = await failures.lock_holders(self._session, table, self._migration)
            except DatabaseError as unread:
                blockers = (f"who holds the lock could not be read: {unread.message}",)
        return failures.during(error, self._doing, self._script, production, blockers)

    async def _roll_back(self) -> str:
        """End the transaction; what state that leaves production in."""
        try:
            await self._session.execute("ROLLBACK")
        except DatabaseError:
            # Not hidden: the words say that the connection went, and what the server does about it.
            return failures.LOST
        return failures.ROLLED_BACK
