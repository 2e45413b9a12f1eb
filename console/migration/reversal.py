"""Brings the schema back in one transaction of the console's own, and commits only what it has proven.

The order: time-outs; the table and its saved copy locked; the plan's views dropped, the old columns added, every row
filled and proven; the new columns dropped, indexes and views as they were; the history row taken out, the copy renamed
with the word of it; the schema proven; COMMIT. Whatever goes wrong before COMMIT leaves the database migrated, as it
was. Triggers of the table run on the filling as on any UPDATE, as they did when the migration filled the new column;
what they change in the filled columns ends the transaction.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from console.domain.outcome import Progress
from console.domain.plan import Json, Migration
from console.domain.wire import encode
from console.errors import ConsoleError, DatabaseError, StepFailed, Stopped
from console.migration import failures, kept_copy, reversal_checks, transaction
from console.migration.bounded import BoundedSession, connection_lost
from console.migration.inverse import RowsBack, Undecided, rows_back, undecided_rows
from console.migration.marks import Counts, own_counters
from console.migration.names import QualifiedName, quote_identifier, quote_literal
from console.migration.rebuilding import Act, given, present_views, rebuilding
from console.migration.result import Began
from console.migration.reversal_checks import UNCHANGED, Ground
from console.migration.row_versions import own_versions
from console.ports import Report, Session

LOST = (
    "Nothing was committed: the connection was lost before COMMIT. The server rolls the transaction back as soon as it "
    "notices; until then the table may stay locked, with the migrated schema."
)


@dataclass(frozen=True, slots=True)
class ReversalResult:
    """A committed way back. `history` is the row that was taken out; the rest as in `MigrationResult`."""

    began: Began
    saved_copy: str
    kept_copy: str
    rows: RowsBack
    undecided: tuple[Undecided, ...]
    history: Mapping[str, Json]
    own_xids: tuple[int, ...]
    own_counters: Mapping[str, Counts]
    locked: float
    seconds: float
    notices: tuple[str, ...]

    def own(self) -> dict[str, Json]:
        """What the transaction itself wrote, as plain JSON: known, and journaled, just before COMMIT."""
        return {"own_xids": list(self.own_xids), "own_counters": encode(self.own_counters)}


class Reversal:
    """One attempt over one session. `monotonic` gives wall seconds; `stopping` is asked at every safe point.

    Two reports are durable, because a probe needs them after a crash: `{"began": Began.data()}` once the table is
    locked and before anything is changed, and `{"committing": ReversalResult.own()}` just before COMMIT.
    """

    def __init__(
        self,
        session: Session,
        migration: Migration,
        *,
        marker: str,
        report: Report,
        stopping: Callable[[], bool] = lambda: False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = BoundedSession(session, migration.statement_timeout)
        self._migration = migration
        self._marker = marker
        self._report = report
        self._stopping = stopping
        self._monotonic = monotonic
        self._doing = "before the transaction"
        self._warning = ""

    async def run(self) -> ReversalResult:
        """Run it. Raises StepFailed (VerificationFailed, Stopped, OutcomeUnknown) with what state production is in."""
        started = self._monotonic()
        on = await self._ready()
        try:
            began = await self._begin(on)
            locked_at = self._monotonic()
            result = await self._inside(began)
            self._doing = "COMMIT"
            await transaction.commit(self._session, began.transaction, UNCHANGED)
        except DatabaseError as error:
            raise await self._failed(error, on.table) from error
        except ConsoleError as error:
            # After COMMIT was sent there is nothing left to roll back, and its error says what is known.
            error.production = error.production if self._doing == "COMMIT" else await self._roll_back()
            raise
        ended = self._monotonic()
        return replace(result, locked=ended - locked_at, seconds=ended - started)

    async def _ready(self) -> Ground:
        """Refuse, before any lock is asked for, what can be known to fail."""
        try:
            on = await reversal_checks.ground(self._session, self._migration)
            await self._refuse_dependents()
            self._warning = await transaction.watch_for_loss(self._session)
        except DatabaseError as error:
            raise StepFailed(
                f"The database could not be read before the way back: {error.message}",
                production=UNCHANGED,
                remedy=error.remedy or "Check the connection and the role's rights, then retry.",
                data={"sqlstate": error.sqlstate},
            ) from error
        if self._stopping():
            raise Stopped("Stopped before the transaction began.", production=UNCHANGED, remedy="Retry.")
        return on

    async def _refuse_dependents(self) -> None:
        found = await reversal_checks.dependents_back(self._session, self._migration)
        reversal_checks.refuse_dependents(self._migration, found)

    async def _begin(self, on: Ground) -> Began:
        self._doing = f"locking {on.table}"
        await self._report(Progress(f"waiting for the lock on {on.table}, {self._migration.lock_timeout:g} s at most"))
        began = await transaction.begin(self._session, self._migration, on.table, self._monotonic)
        await self._session.execute(f"LOCK TABLE {on.saved.sql} IN ACCESS EXCLUSIVE MODE")
        # A deferred check that waits for COMMIT would keep the table from being altered.
        await self._session.execute("SET CONSTRAINTS ALL IMMEDIATE")
        text = f"{on.table} locked after {began.lock_wait:.1f} s, transaction {began.transaction}"
        await self._report(Progress(text, data={"began": began.data()}, durable=True))
        return began

    async def _inside(self, began: Began) -> ReversalResult:
        """Everything between the lock and COMMIT; what was found before the lock is found anew."""
        session, migration = self._session, self._migration
        on = await reversal_checks.ground(session, migration)
        await self._refuse_dependents()
        before = await reversal_checks.shape(session, migration, on.table)
        await self._step("counting what was written since")
        rows = await rows_back(session, migration, on.saved, on.table)
        reversal_checks.refuse_unfillable(migration, on.origin, rows)
        acts = rebuilding(migration, on.origin, on.saved, on.table, await present_views(session, migration))
        for number, act in enumerate(acts.first, 1):
            await self._do(act, number, len(acts.acts))
        await self._step(f"holding every row against {on.saved}")
        await reversal_checks.prove_rows(session, migration, on)
        undecided = await undecided_rows(session, migration, on.saved, on.table, given(migration))
        for number, act in enumerate(acts.later, len(acts.first) + 1):
            await self._do(act, number, len(acts.acts))
        await self._step("taking the history row out, and putting the copy aside")
        history = await self._forget(on)
        kept = await self._put_aside(on, began, rows, undecided, history)
        await self._step("holding the schema against what it was")
        await reversal_checks.prove_shape(session, migration, on, before)
        notices = await session.notices()
        result = ReversalResult(
            began=began,
            saved_copy=str(on.saved),
            kept_copy=str(kept),
            rows=rows,
            undecided=undecided,
            history=history,
            own_xids=await own_versions(session, on.table, began.transaction),
            own_counters=await own_counters(session),
            locked=0.0,
            seconds=0.0,
            notices=(*notices, self._warning) if self._warning else notices,
        )
        self._stop_if_asked()
        await self._report(Progress("committing", share=1.0, data={"committing": result.own()}, durable=True))
        return result

    async def _do(self, act: Act, number: int, total: int) -> None:
        self._stop_if_asked()
        self._doing = act.title
        text = f"statement {number} of {total}: {act.title}"
        await self._report(Progress(text, share=(number - 1) / total, data={"statement": number}))
        await self._session.execute(act.sql)

    async def _forget(self, on: Ground) -> Mapping[str, Json]:
        """Take the migration out of the application's history; the row, as it was."""
        column = quote_identifier(self._migration.history.version_column)
        where = f"{column} = {quote_literal(self._migration.version)}"
        rows = await self._session.fetch(f"SELECT to_jsonb(h) AS content FROM {on.history.sql} AS h WHERE {where}")  # noqa: S608
        gone = await self._session.execute(f"DELETE FROM {on.history.sql} WHERE {where}")  # noqa: S608
        content = rows[0]["content"] if rows else None
        if gone != 1 or not isinstance(content, dict):
            raise StepFailed(
                f"{on.history} has {len(rows)} rows for migration {self._migration.version}, of which {gone} could be "
                "taken out; it must be one.",
                remedy="Look at these rows, and for a trigger or a rule that keeps them.",
            )
        return content

    async def _put_aside(
        self, on: Ground, began: Began, rows: RowsBack, undecided: tuple[Undecided, ...], history: Mapping[str, Json]
    ) -> QualifiedName:
        role = str((await self._session.fetch("SELECT current_user::text AS role"))[0]["role"])
        reverted = kept_copy.Reverted(
            marker=self._marker,
            role=role,
            at=began.at,
            transaction=began.transaction,
            rows_rebuilt=rows.unchanged,
            rows_mapped=rows.mapped,
            history=history,
            undecided=tuple(row.data() for row in undecided),
        )
        kept = await kept_copy.free_name(self._session, on.saved)
        await kept_copy.put_aside(self._session, on.saved, kept, kept_copy.comment_of(on.origin, reverted))
        return kept

    async def _step(self, doing: str) -> None:
        self._stop_if_asked()
        self._doing = doing
        await self._report(Progress(doing))

    def _stop_if_asked(self) -> None:
        if self._stopping():
            raise Stopped(f"Stopped after: {self._doing}.", remedy="Retry when it should run; it starts anew.")

    async def _failed(self, error: DatabaseError, table: QualifiedName) -> StepFailed:
        """The error in the step's words, after the transaction is over."""
        production = LOST if connection_lost(error) else await self._roll_back()
        lines: tuple[str, ...] = ()
        remedy = error.remedy or "Correct what the message names, then retry; the database waits unchanged."
        if failures.is_lock_timeout(error) and production == UNCHANGED:
            remedy = "Wait for those sessions to end their transactions, or end them, then retry."
            try:
                lines = await failures.lock_holders(self._session, table, self._migration)
            except DatabaseError as unread:
                lines = (f"who holds the lock could not be read: {unread.message}",)
        return StepFailed(
            f"{self._doing}: {error.message}",
            production=production,
            remedy=remedy,
            lines=lines,
            data={"sqlstate": error.sqlstate},
        )

    async def _roll_back(self) -> str:
        """End the transaction; what state that leaves production in."""
        try:
            await self._session.execute("ROLLBACK")
        except DatabaseError:
            # Not hidden: the words say that the connection went, and what the server does about it.
            return LOST
        return UNCHANGED
