"""The fence, looked at again: minutes lie between it and what rests on it.

What always holds: where users can write to the instance that was fenced off, nothing goes on; where somebody has
written to it since, what is lost is counted anew, so that nobody says yes to a figure that is no longer true.
"""

from dataclasses import dataclass

from console.actions.databases import Databases
from console.actions.handover import Record, left_by
from console.actions.rollback.database_fence import must_be_shut, source_of
from console.actions.rollback.database_ground import FENCE, fenced_instance
from console.actions.rollback.database_lock import is_read_only
from console.actions.rollback.database_price import loss_lines, mark_of
from console.actions.rollback.loss import measure
from console.actions.rollback.loss_marks import counts_of
from console.actions.wording import listed
from console.domain.loss import Loss
from console.domain.outcome import Line, Reading, Section, Tone
from console.domain.wire import WireError, decode
from console.errors import StepFailed
from console.migration.marks import sample
from console.ports import Context, Database, Hosting


@dataclass(frozen=True, slots=True)
class LostByNow:
    """What is lost behind a fence that stands, `where` it was counted, and who `wrote` since, a sentence a table."""

    loss: Loss
    where: str
    wrote: tuple[str, ...] = ()

    def reading(self, label: str) -> Reading:
        """The figure under this label; a yes stands for these rows and for none more."""
        rows = self.loss.rows
        tone = Tone.DANGER if rows else Tone.GOOD
        return Reading(label, f"{rows:,}, {self.where}", tone, limit=rows, amount=rows)

    def sections(self) -> tuple[Section, ...]:
        """The loss by table, and what was written since the fence."""
        lost = Section(f"Lost, {self.where}", loss_lines(self.loss))
        since = tuple(Line(each, tone=Tone.DANGER) for each in self.wrote)
        return (lost, *((Section("Written since the fence", since),) if since else ()))


async def lost_by_now(ctx: Context, hosting: Hosting, databases: Databases) -> LostByNow:
    """What is lost, as counted at the fence, or anew where that does not hold any more.

    Raises StepFailed when users can write to the fenced instance, HostingError, DatabaseError.
    """
    postgres_id = fenced_instance(ctx)
    database = await databases.of(ctx.plan, postgres_id)
    services = must_be_shut(ctx.plan)
    doors = [f"{s.name} serves users" for s in services if not (await hosting.service(s.id)).maintenance]
    takes = [] if await is_read_only(database) else [f"{postgres_id} takes writes"]
    if doors or takes:
        raise StepFailed(
            f"The fence does not stand: {listed([*doors, *takes])}.",
            production=f"{listed([*doors, *takes])}: what users write there now is not in the new instance.",
            remedy="Shut it again by hand (maintenance mode on; ALTER DATABASE … SET default_transaction_read_only = "
            "on), then look again: what was written is counted. Or reopen the fence.",
            lines=(*doors, *takes),
        )
    fence = left_by(ctx, FENCE)
    if fence is None or "loss" not in fence or "counters" not in fence:
        return LostByNow(await measure(database, mark_of(ctx.state, source_of(ctx)), ctx.state), "counted now")
    wrote = await written_since(database, fence)
    if wrote:
        loss = await measure(database, mark_of(ctx.state, source_of(ctx)), ctx.state)
        return LostByNow(loss, "counted now: somebody wrote since the fence", wrote)
    try:
        return LostByNow(decode(Loss, fence.data["loss"]), "counted at the fence")
    except WireError as error:
        raise StepFailed(f"The count at the fence cannot be read: {error}", remedy="Reopen the fence.") from error


async def written_since(database: Database, fence: Record | None) -> tuple[str, ...]:
    """The tables whose counters are above those of the fence, a sentence each. Raises DatabaseError."""
    then = fence.record("counters").data if fence is not None else {}
    written: list[str] = []
    for table, now in (await sample(database)).counters.items():
        early = counts_of(then.get(table)) if table in then else now
        if early is not None and any(late > before for late, before in zip(now, early, strict=True)):
            written.append(f"{table}: inserted, updated, deleted {early} at the fence, {now} now")
    return tuple(written)
