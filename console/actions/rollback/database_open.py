"""Users are let in again: the fence is taken down where the services are, and stays where they are not.

What always holds: no instance takes writes while the variable of a service leads to another; every door is open
afterwards, also one that somebody had shut before the fence, which is said; an old instance that is no longer in use
stays read only, and the counters that were read at the fence show that nobody has written to it since.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from console.actions.databases import Databases
from console.actions.handover import left_by
from console.actions.production import in_production
from console.actions.rollback.database_fenced import written_since
from console.actions.rollback.database_ground import (
    FENCE,
    WAYS_ON,
    BeforeFence,
    before_fence,
    fenced_off,
    instance_of_services,
    led_elsewhere,
    maintain,
    own_switch,
)
from console.actions.rollback.database_in_use import names
from console.actions.rollback.database_lock import (
    ServerSession,
    is_read_only,
    means_read_only,
    read_only_setting,
    server_time,
    sessions,
    set_read_only,
)
from console.actions.rollback.front_door import FrontDoor, ask, front_doors, knock
from console.actions.wording import counted, listed
from console.domain.outcome import Done, Evidence, Fact, Line, NotDone, Preview, Probe, Progress, Section, Tone
from console.domain.plan import Json, Service
from console.domain.state import StepStatus
from console.errors import HostingError, ServiceError, StepFailed, VerificationFailed
from console.ports import Context, Database, Hosting, Report, Switches, Web

_REMEDY = "Retry: what is open already stays open. Or choose another way back."


@dataclass(frozen=True, slots=True)
class _Doors:
    """The instance that the services use, how it was before the fence, and the instance that stays fenced (or "")."""

    in_use: str
    before: BeforeFence
    stays: str

    @property
    def read_only(self) -> str:
        """What the database in use is to set `default_transaction_read_only` to: as before, but never shut."""
        return "" if means_read_only(self.before.read_only) else self.before.read_only

    def shut_before(self, services: tuple[Service, ...]) -> tuple[Line, ...]:
        """What somebody had shut before the fence already, a line each."""
        doors = [f"{s.name} showed its maintenance page" for s in services if self.before.maintenance.get(s.key)]
        base = [f"{self.before.postgres_id} was read only"] if means_read_only(self.before.read_only) else []
        note = "it is opened all the same"
        return tuple(Line(f"{each} before the fence already", note=note, tone=Tone.WARNING) for each in (*doors, *base))


class RollbackOpen:
    """`rollback.open`: the database in use takes writes, the services serve, and requests show it.

    before: how it was before the fence (`console.actions.rollback.database_ground.BeforeFence`).
    Evidence: `postgres_id` (in use), `maintenance` ({service key: bool}, now), `answers` ({request: status}),
    `sessions` ({service key: sessions with the database in use}), `old_postgres_id` (stays fenced; empty without one).
    """

    destructive = False

    def __init__(self, hosting: Hosting, switches: Switches, databases: Databases, web: Web) -> None:
        self._hosting = hosting
        self._switches = switches
        self._databases = databases
        self._web = web

    async def preview(self, ctx: Context) -> Preview:
        """What is opened, also what was shut before the fence; and what stays shut."""
        with in_production(ctx, _REMEDY, production=fenced_off(ctx)):
            found = _doors(ctx)
            doubts = await self._led_there(ctx, found)
        served = listed(service.name for service in _services(ctx))
        stays = Line(f"The old instance {found.stays} stays read only, with every row.", tone=Tone.GOOD)
        return Preview(
            summary=f"Let users in again, on {found.in_use}",
            facts=(Fact("database in use", found.in_use), Fact("served again", served)),
            consequences=(
                Line(f"Users of {served} are served again, and write to {found.in_use}.", tone=Tone.WARNING),
                *found.shut_before(_services(ctx)),
                *((stays,) if found.stays else ()),
                *doubts,
            ),
            sections=(Section("Asked afterwards", tuple(Line(str(door)) for door in _front(ctx))),),
            before=found.before.data(),
        )

    async def probe(self, ctx: Context) -> Probe:
        """Done when the doors are open, the database takes writes, and every service answers."""
        with in_production(ctx, _REMEDY):
            found = _doors(ctx)
            shut = await self._shut(ctx)
            if shut:
                return NotDone(f"Users are still kept out of {listed(shut)}.")
            if await is_read_only(await self._in_use(ctx, found)):
                return NotDone("The database in use is still read only.")
            answers: dict[str, int] = {}
            for door in _front(ctx):
                try:
                    answers[str(door)] = (await ask(ctx, self._web, door)).status
                except ServiceError as error:
                    return NotDone(f"{door}: {error.message}")
                if not door.fits(answers[str(door)]):
                    return NotDone(f"{door} answers {answers[str(door)]}.")
            return Done(await self._evidence(ctx, found, answers))

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Writes first, then the doors; then knock. Raises StepFailed when a service does not answer."""
        found = _doors(ctx)
        with in_production(ctx, _REMEDY, production=fenced_off(ctx)):
            await self._led_there(ctx, found)
            await report(Progress(f"{found.in_use} takes writes"))
            database = await self._in_use(ctx, found)
            if await read_only_setting(database) != found.read_only:
                await set_read_only(database, found.read_only)
            if await is_read_only(database):
                raise StepFailed(
                    f"A new session with {found.in_use} still may not write: the role, or the server, is read only.",
                    remedy="ALTER ROLE … RESET default_transaction_read_only (also IN DATABASE), then retry.",
                )
            for service in _services(ctx):
                await report(Progress(f"{service.name}: open"))
                if await self._is_shut(service):
                    await maintain(self._switches, service, False)
        with in_production(ctx, _REMEDY, production=f"Users are let in, on {found.in_use}."):
            answers = {str(d): (await knock(ctx, self._web, d, report)).status for d in _front(ctx)}
            return await self._evidence(ctx, found, answers)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The doors are open; nobody writes to an instance that is no longer in use, and no service is there."""
        found = _doors(ctx)
        with in_production(ctx, _REMEDY, production=f"Users are let in, on {found.in_use}."):
            shut = await self._shut(ctx)
            if shut:
                raise VerificationFailed(f"{listed(shut)} still shows the maintenance page.")
            if await is_read_only(await self._in_use(ctx, found)):
                raise VerificationFailed(f"A new session with {found.in_use} may not write.")
            if found.stays:
                await self._untouched(ctx, found.stays)

    async def _led_there(self, ctx: Context, found: _Doors) -> tuple[Line, ...]:
        """Raise StepFailed unless every service's variable leads to the instance that is opened.

        Where the services were pointed there by hand, a variable that cannot be read as a place is a remark.
        """
        places = await self._databases.places(found.in_use)
        try:
            other = await led_elsewhere(self._switches, ctx.plan, places)
        except HostingError as error:
            if not _by_hand(ctx):
                raise
            said = f"By hand, services were pointed at {found.in_use}; their variables do not show it"
            return (Line(said, note=error.message, tone=Tone.WARNING),)
        if other:
            raise StepFailed(
                f"Not every service is pointed at {found.in_use}: users would write to two databases.",
                remedy=f"Point them all at one instance, deploy them, and look again. {WAYS_ON}",
                lines=other,
            )
        return ()

    async def _untouched(self, ctx: Context, postgres_id: str) -> None:
        """Raise VerificationFailed when an instance is written to although no service should use it."""
        database = await self._databases.of(ctx.plan, postgres_id)
        if not await is_read_only(database):
            raise VerificationFailed(f"The old instance {postgres_id} takes writes again.", remedy="Make it read only.")
        written = await written_since(database, left_by(ctx, FENCE))
        there = [str(each) for each in await self._sessions(ctx, postgres_id, _services(ctx))]
        if written or there:
            raise VerificationFailed(
                f"The old instance {postgres_id} is still used.",
                remedy="Find out which service still has the old connection string: deploy it anew.",
                lines=(*written, *there),
            )

    async def _sessions(self, ctx: Context, postgres_id: str, services: tuple[Service, ...]) -> list[ServerSession]:
        """The sessions with an instance whose names are those of services."""
        database = await self._databases.of(ctx.plan, postgres_id)
        found = await sessions(database, await server_time(database))
        return [each for each in found if any(names(each, service) for service in services)]

    async def _evidence(self, ctx: Context, found: _Doors, answers: Mapping[str, int]) -> Evidence:
        with_database = [service for service in _services(ctx) if service.database_env]
        seen: dict[str, Json] = {
            service.key: len(await self._sessions(ctx, found.in_use, (service,))) for service in with_database
        }
        shut = await self._shut(ctx)
        data: dict[str, Json] = {
            "postgres_id": found.in_use,
            "maintenance": {service.key: service.name in shut for service in _services(ctx)},
            "answers": dict(answers),
            "sessions": seen,
            "old_postgres_id": found.stays,
        }
        lines = [Line(f"{door}: {status}", tone=Tone.GOOD) for door, status in answers.items()]
        lines += [Line(f"{key}: {counted(int(str(n)), 'session')} with {found.in_use}") for key, n in seen.items()]
        kept = f"; {found.stays} is kept, read only" if found.stays else ""
        served = f"Users are served again, on {found.in_use}"
        still = f", but for {listed(shut)}, which is shut" if shut else ""
        remarks = found.shut_before(_services(ctx))
        sections = (Section("Asked", tuple(lines)), *((Section("Opened all the same", remarks),) if remarks else ()))
        return Evidence(f"{served}{still}{kept}", data, sections)

    async def _in_use(self, ctx: Context, found: _Doors) -> Database:
        return await self._databases.of(ctx.plan, found.in_use)

    async def _shut(self, ctx: Context) -> list[str]:
        """The names of the services that show their maintenance page now."""
        return [service.name for service in _services(ctx) if await self._is_shut(service)]

    async def _is_shut(self, service: Service) -> bool:
        return (await self._hosting.service(service.id)).maintenance


def _services(ctx: Context) -> tuple[Service, ...]:
    return ctx.plan.services_in("production")


def _doors(ctx: Context) -> _Doors:
    """What is to be opened. Raises StepFailed when no fence is on record."""
    before = before_fence(ctx.state)
    if before is None:
        raise StepFailed(
            "No fence is on record: how it was before cannot be told.",
            remedy="Let users in by hand: maintenance mode off, ALTER DATABASE … RESET default_transaction_read_only.",
        )
    in_use = instance_of_services(ctx)
    if not in_use:
        raise StepFailed(
            "The services were pointed at another instance by hand, and no record says at which.",
            remedy="Let users in by hand, on the instance that the services use, and mark this step as done by hand.",
        )
    return _Doors(in_use, before, before.postgres_id if before.postgres_id != in_use else "")


def _by_hand(ctx: Context) -> bool:
    """Whether the services were pointed at their instance by hand on this way."""
    switch = own_switch(ctx)
    if switch is None or switch.status is not StepStatus.SUCCEEDED:
        return False
    return switch.evidence is None or not switch.evidence.data


def _front(ctx: Context) -> tuple[FrontDoor, ...]:
    """The requests to the services that are served again."""
    return tuple(door for service in _services(ctx) for door in front_doors(ctx.plan, service))
