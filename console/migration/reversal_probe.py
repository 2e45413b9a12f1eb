"""What the world says about a way back that was started: read only, for a step whose end nobody saw.

The pieces are told apart, and nothing is decided here: the columns, the history row, the saved copy under its old and
its new name, what the server knows of the transaction, and whether a session of ours is still at work.
"""

from dataclasses import dataclass

from console.domain.databases import Backend
from console.domain.plan import Migration
from console.migration import catalog, kept_copy
from console.migration.kept_copy import Kept
from console.migration.probe import live_backend, transaction_status
from console.migration.saved_copy import Origin, copy_name, existing_origin
from console.ports import Database, Row


@dataclass(frozen=True, slots=True)
class ReversalProbe:
    """What was found.

    `transaction` as in `MigrationProbe`. `saved` is where the copy under its old name comes from, None without one of
    ours; `kept` the copies of this migration that were put aside, oldest first.
    """

    table: str
    history: Row | None
    columns: catalog.ColumnsState
    backend: Backend | None
    transaction: str | None
    saved_copy: str
    saved: Origin | None
    kept: tuple[Kept, ...]

    @property
    def brought_back(self) -> bool:
        """The columns as before the migration, and no history row."""
        return self.history is None and self.columns.untouched

    @property
    def still_migrated(self) -> bool:
        """History row present, the columns as after the migration, the saved copy under its own name."""
        return self.history is not None and self.columns.migrated and self.saved is not None

    def by(self, marker: str) -> Kept | None:
        """The copy that was put aside, in the transaction of the way back, under this marker; the newest of them."""
        mine = [kept for kept in self.kept if kept.reverted is not None and kept.reverted.marker == marker]
        return mine[-1] if mine else None


async def probe_reversal(
    database: Database, migration: Migration, marker: str, *, transaction: str | None = None
) -> ReversalProbe:
    """Look. `transaction` is the 64-bit id that was journaled, if any. Raises DatabaseError, StepFailed."""
    table = await catalog.resolve_table(database, migration.table)
    saved = copy_name(migration, table)
    # The session first: one that ends while we look has then ended before the rest is read.
    backend = await live_backend(database, marker)
    status = await transaction_status(database, transaction) if transaction else None
    _, origin = await existing_origin(database, saved)
    return ReversalProbe(
        table=str(table),
        history=await catalog.history_row(database, migration),
        columns=await catalog.columns_state(database, migration, table),
        backend=backend,
        transaction=status,
        saved_copy=str(saved),
        saved=origin,
        kept=await kept_copy.kept_copies(database, migration, saved),
    )
