"""Fencing writes off, and then counting what is lost: the figure that no user can change any more.

In this order: how it was is on record, users see the maintenance page, the database takes no writes, the sessions from
before are ended. What always holds: each part may be done again, and a second attempt never takes the console's own
switches for how it was.
"""

from console.actions.databases import Databases
from console.actions.handover import recorded_before
from console.actions.production import in_production
from console.actions.rollback.database_ground import (
    WAYS_ON,
    BeforeFence,
    before_fence,
    fenced_instance,
    fenced_off,
    maintain,
)
from console.actions.rollback.database_lock import (
    ServerSession,
    end_earlier_sessions,
    is_read_only,
    read_only_setting,
    refuse_exceptions,
    sees_others,
    server_time,
    sessions,
    set_read_only,
)
from console.actions.rollback.database_price import EXPORT, MOMENT, loss_lines, mark_of
from console.actions.rollback.loss import measure
from console.actions.wording import counted, listed
from console.domain.loss import Loss
from console.domain.outcome import (
    Done,
    Evidence,
    Fact,
    Line,
    NotDone,
    Preview,
    Probe,
    Progress,
    Reading,
    Section,
    Tone,
)
from console.domain.plan import Json, Plan, Service
from console.domain.standing import Way
from console.domain.wire import encode
from console.errors import HostingError, Stopped, VerificationFailed
from console.migration.marks import sample
from console.ports import Context, Database, Hosting, Report, Switches


class RollbackFence:
    """`rollback.fence`: nothing is written to the database in use from here on, and what is lost is counted.

    before: `postgres_id`, `maintenance` ({service key: bool}), `read_only_before`: how it was.
    Durable progress: `read_only_since` (the server's time).
    Evidence: those of `before`, `fenced_at` (the server's time), `loss` (`console.domain.loss.Loss`), `counters` (of
    the fenced instance, by table), `ended` (sessions), `remarks` (sentences: what could not be shut or ended, and need
    not be).
    """

    destructive = True

    def __init__(self, hosting: Hosting, switches: Switches, databases: Databases) -> None:
        self._hosting = hosting
        self._switches = switches
        self._databases = databases

    async def preview(self, ctx: Context) -> Preview:
        """What will be shut, who is working now, what would be lost by now."""
        with in_production(ctx, WAYS_ON, production=fenced_off(ctx)):
            before = await self._before(ctx)
            database = await self._databases.of(ctx.plan, before.postgres_id)
            await refuse_exceptions(database)
            others = await sessions(database, await server_time(database))
            unseen = () if await sees_others(database) else (_UNSEEN,)
            loss = await measure(database, mark_of(ctx.state, source_of(ctx)), ctx.state)
        services = _services(ctx)
        return Preview(
            summary=f"Fence off writes to {ctx.plan.database.name} ({before.postgres_id}), and count what is lost",
            facts=(
                Fact("database instance", before.postgres_id),
                *(Fact(service.name, _page(before.maintenance.get(service.key, False))) for service in services),
                Fact("database", f"{ctx.plan.database.name}: default_transaction_read_only = on"),
            ),
            readings=(
                Reading("rows lost by now", f"{loss.rows:,}", Tone.DANGER if loss.rows else Tone.GOOD),
                Reading("sessions to be ended", f"{len(others):,}"),
            ),
            consequences=(
                Line(f"Users of {listed(s.name for s in services)} see the maintenance page.", tone=Tone.DANGER),
                Line("Nothing can be written to the database, by nobody.", tone=Tone.DANGER),
                Line("Every other session with the database is ended."),
                *unseen,
                Line("Nothing is lost by this: it is undone by letting users in again.", tone=Tone.GOOD),
            ),
            sections=(
                Section("Lost by now", loss_lines(loss)),
                *((Section("Sessions", tuple(Line(str(each)) for each in others)),) if others else ()),
            ),
            before=before.data(),
        )

    async def probe(self, ctx: Context) -> Probe:
        """Done when users are kept out, the database is read only, and nobody from before is left."""
        since = str(next((d["read_only_since"] for d in reversed(ctx.recorded) if "read_only_since" in d), ""))
        with in_production(ctx, WAYS_ON):
            open_doors = await self._open_doors(ctx)
            if open_doors:
                return NotDone(f"{listed(open_doors)} {'serves' if len(open_doors) == 1 else 'serve'} users.")
            database = await self._databases.of(ctx.plan, recorded_before(ctx).text("postgres_id"))
            if not since or not await is_read_only(database):
                return NotDone("Users see the maintenance page; the database still takes writes.")
            left = [each for each in await sessions(database, since) if each.earlier or each.writes]
            if left:
                return NotDone(f"Sessions from before are still there: {listed(map(str, left))}.")
            return Done(await self._counted(ctx, database, 0, ()))

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Shut the doors, the database, the sessions; then count. Raises StepFailed when somebody can still write."""
        with in_production(ctx, WAYS_ON, production=_HALF):
            without = await self._shut_doors(ctx, report)
            database = await self._databases.of(ctx.plan, recorded_before(ctx).text("postgres_id"))
            await report(Progress(f"{ctx.plan.database.name}: read only"))
            await set_read_only(database, "on")
            since = await server_time(database)
            await report(Progress("read only", data={"read_only_since": since}, durable=True))
            ended, stay = await end_earlier_sessions(database, since, ctx.clock, report)
            await report(Progress("counting what is lost"))
            return await self._counted(ctx, database, ended, (*map(_stays, stay), *without))

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """Users are kept out, and a new session cannot write."""
        with in_production(ctx, WAYS_ON, production=fenced_off(ctx)):
            open_doors = await self._open_doors(ctx)
            if open_doors:
                raise VerificationFailed(f"{listed(open_doors)} is not in maintenance mode.")
            database = await self._databases.of(ctx.plan, fenced_instance(ctx))
            if not await is_read_only(database):
                raise VerificationFailed("A new session with the database may write.")

    async def _before(self, ctx: Context) -> BeforeFence:
        """How it was before the fence that stands, or is now."""
        standing = before_fence(ctx.state)
        if standing is not None:
            return standing
        instance = fenced_instance(ctx)
        database = await self._databases.of(ctx.plan, instance)
        doors = {s.key: (await self._hosting.service(s.id)).maintenance for s in _services(ctx)}
        return BeforeFence(instance, doors, await read_only_setting(database))

    async def _open_doors(self, ctx: Context) -> list[str]:
        """The services that must be shut and are not."""
        return [s.name for s in must_be_shut(ctx.plan) if not (await self._hosting.service(s.id)).maintenance]

    async def _shut_doors(self, ctx: Context, report: Report) -> tuple[Line, ...]:
        """Maintenance mode on, everywhere; a remark for each that has none and does not use the database itself."""
        without: list[Line] = []
        for service in _services(ctx):
            if ctx.stopping():
                raise Stopped("Stopped before everything was fenced off.", remedy=WAYS_ON)
            await report(Progress(f"{service.name}: maintenance page"))
            try:
                await maintain(self._switches, service, True)
            except HostingError as error:
                if service in must_be_shut(ctx.plan):
                    raise
                without.append(Line(f"{service.name} shows no maintenance page", note=error.message, tone=Tone.WARNING))
        return tuple(without)

    async def _counted(self, ctx: Context, database: Database, ended: int, remarks: tuple[Line, ...]) -> Evidence:
        loss = await measure(database, mark_of(ctx.state, source_of(ctx)), ctx.state)
        counters = (await sample(database)).counters
        data: dict[str, Json] = {
            **{key: recorded_before(ctx).data[key] for key in ("postgres_id", "maintenance", "read_only_before")},
            "fenced_at": loss.counted_at,
            "loss": encode(loss),
            "counters": encode(counters),
            "ended": ended,
            "remarks": [each.text for each in remarks],
        }
        return Evidence(
            f"Nothing is written any more; {counted(loss.rows, 'row')} written since would be lost",
            data,
            _sections(loss, ended, remarks),
        )


_HALF = (
    "Fencing off was under way: users may see the maintenance page, and the database may be read only. Nothing is lost."
)

_UNSEEN = Line(
    "The console's role does not see what sessions of other roles do: each counts as one that writes.",
    note="GRANT pg_read_all_stats",
    tone=Tone.WARNING,
)


def source_of(ctx: Context) -> str:
    """Where this way leads: to the moment before the migration, or to the exported backup."""
    way = ctx.state.rollback
    return EXPORT if way is not None and way.way is Way.BACKUP else MOMENT


def _services(ctx: Context) -> tuple[Service, ...]:
    return ctx.plan.services_in("production")


def must_be_shut(plan: Plan) -> tuple[Service, ...]:
    """The services that write to the database; all, where the plan does not say which do."""
    services = plan.services_in("production")
    return tuple(each for each in services if each.database_env) or services


def _page(already: bool) -> str:
    return "shows the maintenance page already; letting users in opens it" if already else "shows the maintenance page"


def _stays(session: ServerSession) -> Line:
    writes = "whether it writes is not seen" if session.hidden else "writes nothing"
    return Line(f"{session}, a superuser's, cannot be ended by this role, and {writes}", tone=Tone.WARNING)


def _sections(loss: Loss, ended: int, remarks: tuple[Line, ...]) -> tuple[Section, ...]:
    lines = (Line(f"{counted(ended, 'session')} ended", tone=Tone.GOOD), *remarks)
    return Section("Counted at the fence", loss_lines(loss)), Section("Fenced off", lines)
