"""A new instance at the provider: asked for once, found by its name, followed until it is available.

What always holds: its name is on record before it is asked for and holds the run, so that after a lost answer, or a
crash, it is found and not asked for again. Two of one name are nobody's until a person says so.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.actions.databases import Databases
from console.actions.handover import unfinished
from console.actions.waiting import looks, paced, patience
from console.actions.wording import lasting
from console.domain.hosting import PostgresInfo
from console.domain.outcome import Progress
from console.domain.plan import DurationRange, Json, Plan
from console.errors import DatabaseError, HostingError, OutcomeUnknown, StepFailed, Stopped
from console.ports import Context, Instances, Report

AVAILABLE = "available"
_FAILED = frozenset({"recovery_failed", "suspended"})
_SENDS = 3
_SECONDS_TO_APPEAR = 6.0
_TIMES_PLANNED = 3.0
_LEAST_PATIENCE = 300.0
_PLANNED = DurationRange(600.0, 1800.0)
_PLANNED_TOO_EARLY = 180.0
_LEAST_TOO_EARLY = 20.0
_PLANNED_TO_ANSWER = 120.0
_LEAST_TO_ANSWER = 20.0
_LOOK = "Look at the databases in the provider's dashboard, then retry."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: the name of the new instance and, for a recovery, from when on that is possible."""

    name: str
    ask: Callable[[], Awaitable[PostgresInfo]]
    reachable: datetime | None = None


def free_name(ctx: Context, base: str, known: Sequence[PostgresInfo], *, spoilt: bool) -> str:
    """The name for this attempt: that of an unfinished one whose instance may still become good, else an unused one.

    `spoilt`: the unfinished attempt's instance must not be used, whatever it looks like.
    """
    way = len(ctx.state.rollbacks)
    stem = f"{base}-{ctx.run.rpartition('-')[2]}" + (f"-way{way}" if way > 1 else "")
    by_name = {each.name: each for each in known}
    asked = unfinished(ctx).before.get("name")
    if isinstance(asked, str) and not spoilt and (asked not in by_name or by_name[asked].status not in _FAILED):
        return asked
    number = 1
    while (name := stem if number == 1 else f"{stem}-{number}") in by_name:
        number += 1
    return name


def named(known: Sequence[PostgresInfo], name: str) -> PostgresInfo | None:
    """The instance of that name; None when there is none. Raises OutcomeUnknown when there are two."""
    found = [each for each in known if each.name == name]
    if len(found) > 1:
        raise OutcomeUnknown(
            f"{len(found)} instances are called {name}; which is ours cannot be told.",
            remedy="Delete the one that is not needed in the provider's dashboard, then retry.",
            lines=tuple(f"{each.id}: {each.status}, {each.created_at:%H:%M:%S} UTC" for each in found),
        )
    return found[0] if found else None


async def begun(ctx: Context, instances: Instances, wanted: Wanted, report: Report) -> PostgresInfo:
    """The new instance, as it is: found, or asked for. Raises StepFailed, OutcomeUnknown, HostingError."""
    there = named(await instances.all(), wanted.name)
    if there is not None:
        await report(Progress(f"{wanted.name} is there: {there.status}"))
        return there
    data: dict[str, Json] = {"asked": wanted.name}
    await report(Progress(f"asking the provider for {wanted.name}", data=data, durable=True))
    message, sent = "", 0
    too_early = paced(_PLANNED_TOO_EARLY, ctx.clock, floor=_LEAST_TOO_EARLY)
    # The provider's clock may be behind ours; long after the moment became reachable a refusal has another reason.
    latest = (wanted.reachable or ctx.clock.now()) + timedelta(seconds=too_early)
    async for _ in looks(ctx.clock, too_early):
        _may_stop(ctx, "Nothing was asked for that goes on.")
        try:
            return await wanted.ask()
        except HostingError as error:
            message = error.message
            if error.status == 400 and wanted.reachable is not None and ctx.clock.now() < latest:
                await report(Progress(f"the provider refuses, perhaps for being too early: {message}"))
                continue
            if error.status is not None and error.status < 500:
                raise
            found = await _appeared(ctx, instances, wanted.name) if error.sent else None
            if found is not None:
                return found
            sent += 1
            if sent == _SENDS:
                break
    raise StepFailed(f"The provider did not take the request for {wanted.name}. Last: {message}", remedy=_LOOK)


async def available(ctx: Context, instances: Instances, new: PostgresInfo, report: Report) -> PostgresInfo:
    """Wait until an instance is available. Raises StepFailed when it fails, is gone, or takes too long."""
    limit = patience(planned_time(ctx.plan), ctx.clock, times=_TIMES_PLANNED, floor=_LEAST_PATIENCE)
    expected = planned_time(ctx.plan).high / ctx.clock.pace
    status = new.status
    async for elapsed in looks(ctx.clock, limit):
        now = next((each for each in await instances.all() if each.id == new.id), None)
        status = now.status if now is not None else "not in the provider's list"
        if now is not None and status == AVAILABLE:
            return now
        if status in _FAILED:
            raise StepFailed(
                f"The new instance {new.name} ({new.id}) did not come to be: {status}.",
                remedy="Retry asks for another one; or choose another way back. Delete the failed one by hand.",
            )
        _may_stop(ctx, f"{new.name} goes on being made at the provider.")
        text = f"{new.name}: {status.replace('_', ' ')}, {lasting(elapsed)}"
        await report(Progress(text, share=min(elapsed / max(expected, 1.0), 0.99)))
    raise StepFailed(
        f"The new instance {new.name} ({new.id}) is not available after {lasting(limit)}: {status}.",
        remedy="Retry goes on waiting for it; or choose another way back.",
    )


async def answering(ctx: Context, databases: Databases, new: PostgresInfo, report: Report) -> None:
    """Wait until an available instance can be connected to: its name and its door may take a moment longer.

    Raises HostingError, DatabaseError: what the last try said.
    """
    limit = paced(_PLANNED_TO_ANSWER, ctx.clock, floor=_LEAST_TO_ANSWER)
    async for elapsed in looks(ctx.clock, limit):
        try:
            await (await databases.of(ctx.plan, new.id)).identity()
        except (HostingError, DatabaseError) as error:
            if elapsed >= limit:
                raise
            await report(Progress(f"{new.name} does not answer yet: {error.message}"))
        else:
            return


def failed(instance: PostgresInfo) -> bool:
    """Whether nothing more will come of it."""
    return instance.status in _FAILED


def planned_time(plan: Plan) -> DurationRange:
    """How long the plan expects the database's way back to take, in seconds."""
    return next((r.planned for r in plan.rollback if r.part == "database" and r.planned is not None), _PLANNED)


async def _appeared(ctx: Context, instances: Instances, name: str) -> PostgresInfo | None:
    """Whether a request whose answer was lost was carried out, seen in the list within some seconds."""
    try:
        async for _ in looks(ctx.clock, _SECONDS_TO_APPEAR):
            found = named(await instances.all(), name)
            if found is not None:
                return found
    except HostingError as error:
        raise OutcomeUnknown(
            f"{name} was asked for and the answer was lost; the list cannot be read either: {error.message}",
            remedy="When the provider answers again, let the console look for it.",
        ) from error
    return None


def _may_stop(ctx: Context, what_goes_on: str) -> None:
    if ctx.stopping():
        raise Stopped(f"Stopped while waiting for the new instance. {what_goes_on}", remedy="Retry when you are ready.")
