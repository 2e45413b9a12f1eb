"""What the way back over another database costs: the rows that it would lose, and from when on it can begin."""

from datetime import datetime

from console.actions.rollback.loss import measure
from console.actions.rollback.loss_marks import mark_of_backup, mark_of_migration, moment_to_recover, reachable_at
from console.actions.wording import at, counted
from console.domain.loss import Loss, Mark
from console.domain.outcome import Line, Tone
from console.domain.state import RunState
from console.errors import StepFailed
from console.ports import Clock, Database

MOMENT = "moment"
EXPORT = "export"


def mark_of(state: RunState, source: str) -> Mark:
    """The mark to which a way leads: of the migration (`moment`) or of the backup (`export`).

    Raises StepFailed when this run recorded none.
    """
    mark = mark_of_migration(state) if source == MOMENT else mark_of_backup(state)
    if mark is None:
        what = "the moment before the migration" if source == MOMENT else "the backup"
        raise StepFailed(
            f"This run has no record of {what}: what would be lost since cannot be counted.",
            remedy="Look in the provider's dashboard which moments it can recover; count by the tables' own dates.",
        )
    return mark


async def price_of_database(
    database: Database, state: RunState, clock: Clock, *, source: str
) -> tuple[Loss, tuple[Line, ...]]:
    """What going back to the migration's moment (`moment`) or to the backup (`export`) would lose, as of now.

    Raises StepFailed when this run has no mark of it, DatabaseError when the database cannot be asked.
    """
    loss = await measure(database, mark_of(state, source), state)
    moment = moment_to_recover(state) if source == MOMENT else None
    lines = loss_lines(loss)
    if moment is not None:
        lines = (*lines, moment_line(moment, clock))
    return loss, lines


def loss_lines(loss: Loss) -> tuple[Line, ...]:
    """The loss a line a table, with its method and its remarks."""
    if not loss.rows:
        tables: tuple[Line, ...] = (Line("No row of users' was written since.", tone=Tone.GOOD),)
    else:
        tables = tuple(
            Line(
                f"{each.table}: {counted(each.rows, 'row')}",
                note=f"{each.inserted:,} inserted, {each.updated:,} updated, {each.deleted:,} deleted",
                tone=Tone.DANGER,
            )
            for each in loss.tables
        )
    since = datetime.fromisoformat(loss.since)
    method = Line(f"Counted since {since:%Y-%m-%d} {at(since)}", note=loss.method, tone=Tone.QUIET)
    return (*tables, method, *(Line(remark, tone=Tone.QUIET) for remark in loss.remarks))


def moment_line(moment: datetime, clock: Clock) -> Line:
    """Which moment is recovered, and from when on the provider can."""
    when = reachable_at(moment, clock)
    note = f"reachable from {at(when)} on" if when > clock.now() else "reachable now"
    return Line(f"The moment to recover: {moment:%Y-%m-%d %H:%M:%S.%f} UTC", note=note)
