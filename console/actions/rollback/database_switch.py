"""Pointing the services at the new instance: their variables, which the next deploy reads.

What always holds: what is pointed at was compared first; the fence stands when the first variable is set, and what was
written behind it is shown as lost; the place that a service left is on record, without secrets; an answer that was lost
is looked for before the variable is set again.
"""

from console.actions.databases import Databases
from console.actions.handover import Record, moment_text, must_have_left, recorded_before
from console.actions.production import in_production
from console.actions.rollback.database_fenced import lost_by_now
from console.actions.rollback.database_ground import RECOVER, WAYS_ON, fenced_off, services_with_database
from console.actions.rollback.database_recover import ROWS_LOST
from console.actions.wording import listed
from console.domain.hosting import DatabasePlace
from console.domain.outcome import Done, Evidence, Fact, Line, NotDone, Preview, Probe, Progress, Section, Tone
from console.domain.plan import Json
from console.errors import HostingError, StepFailed, VerificationFailed, WorldChanged
from console.ports import Context, Hosting, Report, Switches

_SENDS = 3


class RollbackSwitch:
    """`rollback.switch`: the variable of every service that uses the database leads to the new instance.

    before: `places` ({service key: where it leads now}), `postgres_id` (new), `old_postgres_id`.
    Evidence: `postgres_id`, `old_postgres_id`, `services` (keys), `place`, `places_before`, `switched_at` (the
    provider's time when all were set: a deploy from then on reads the new value).
    """

    destructive = True

    def __init__(self, hosting: Hosting, switches: Switches, databases: Databases) -> None:
        self._hosting = hosting
        self._switches = switches
        self._databases = databases

    async def preview(self, ctx: Context) -> Preview:
        """Which variable of which service, from where to where, and what is lost. Raises StepFailed without a fence."""
        with in_production(ctx, WAYS_ON, production=fenced_off(ctx)):
            new = must_have_left(ctx, RECOVER)
            lost = await lost_by_now(ctx, self._hosting, self._databases)
            place = (await self._databases.places(new.text("postgres_id")))[0]
            services = services_with_database(ctx.plan)
            now = {s.key: await self._switches.database_of(s.id, variable) for s, variable in services}
        names = listed(service.name for service, _ in services)
        return Preview(
            summary=f"Point {names} at {new.text('name')} ({new.text('postgres_id')})",
            facts=(
                Fact("new instance", f"{new.text('name')} ({new.text('postgres_id')})"),
                Fact("place", str(place)),
                *(Fact(f"{service.name} {variable}", f"→ {place}") for service, variable in services),
            ),
            readings=(lost.reading(ROWS_LOST),),
            consequences=(
                Line(f"{names} use the new instance from their next deploy on.", tone=Tone.DANGER),
                Line("What users wrote since that state is not in it.", tone=Tone.WARNING),
                Line(f"The old instance {new.text('old_postgres_id')} is kept.", tone=Tone.GOOD),
            ),
            sections=(
                *lost.sections(),
                Section("Now", tuple(Line(f"{s.name}: {variable} → {now[s.key]}") for s, variable in services)),
            ),
            before={
                "places": {key: str(each) for key, each in now.items()},
                "postgres_id": new.text("postgres_id"),
                "old_postgres_id": new.text("old_postgres_id"),
            },
        )

    async def probe(self, ctx: Context) -> Probe:
        """Done when every variable leads to the new instance."""
        before = recorded_before(ctx)
        with in_production(ctx, WAYS_ON):
            elsewhere = await self._elsewhere(ctx, before.text("postgres_id"))
            if elsewhere:
                return NotDone(f"Not every service is pointed at it: {listed(elsewhere)}.")
            return Done(await self._evidence(ctx, before))

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Set them one after the other. Raises StepFailed when the fence does not stand, HostingError."""
        with in_production(ctx, WAYS_ON, production=fenced_off(ctx)):
            lost = await lost_by_now(ctx, self._hosting, self._databases)
            if lost.loss.rows > ctx.limits.get(ROWS_LOST, lost.loss.rows):
                raise WorldChanged("More rows are lost than were confirmed.", remedy="Look again.", lines=lost.wrote)
            before = recorded_before(ctx)
            places = await self._databases.places(before.text("postgres_id"))
            for service, variable in services_with_database(ctx.plan):
                await report(Progress(f"{service.name}: {variable} → {places[0]}"))
                await self._point(service.id, variable, before.text("postgres_id"), places)
            return await self._evidence(ctx, before)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """Every variable leads to the new instance."""
        record = Record(f"“{ctx.step.title}”", evidence.data)
        with in_production(ctx, WAYS_ON, production=fenced_off(ctx)):
            new = record if "postgres_id" in record else must_have_left(ctx, RECOVER)
            elsewhere = await self._elsewhere(ctx, new.text("postgres_id"))
            if elsewhere:
                raise VerificationFailed(
                    f"Not every service is pointed at {new.text('postgres_id')}.", lines=tuple(elsewhere)
                )

    async def _point(self, service_id: str, variable: str, postgres_id: str, places: tuple[DatabasePlace, ...]) -> None:
        """Set a variable; after a lost answer look whether it was set, then set it again."""
        message = ""
        for _ in range(_SENDS):
            try:
                await self._switches.point_at(service_id, variable, postgres_id)
                return
            except HostingError as error:
                if error.status is not None and error.status < 500:
                    raise
                message = error.message
                if error.sent and await self._switches.database_of(service_id, variable) in places:
                    return
        raise StepFailed(
            f"The provider did not take the new value of {variable}: {message}",
            remedy="Retry: what was set already is left as it is.",
        )

    async def _elsewhere(self, ctx: Context, postgres_id: str) -> list[str]:
        """The services whose variable leads to another place than this instance."""
        places = await self._databases.places(postgres_id)
        found = [
            (service.name, await self._switches.database_of(service.id, variable))
            for service, variable in services_with_database(ctx.plan)
        ]
        return [f"{name} → {place}" for name, place in found if place not in places]

    async def _evidence(self, ctx: Context, before: Record) -> Evidence:
        place = (await self._databases.places(before.text("postgres_id")))[0]
        services = services_with_database(ctx.plan)
        keys: list[Json] = [service.key for service, _ in services]
        data: dict[str, Json] = {
            "postgres_id": before.text("postgres_id"),
            "old_postgres_id": before.text("old_postgres_id"),
            "services": keys,
            "place": str(place),
            "places_before": dict(before.record("places").data),
            "switched_at": moment_text(await self._hosting.now()),
        }
        names = listed(service.name for service, _ in services)
        return Evidence(f"{names} lead to {place} from the next deploy on", data)
