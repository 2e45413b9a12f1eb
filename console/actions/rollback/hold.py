"""Autodeploy is held: nothing but the console deploys until the rollback gives it back.

What always holds: the settings from before are on record before the first of them is changed, and a second attempt, or
a second way, never takes the console's own “off” for the setting from before.
"""

import asyncio

from console.actions.handover import recorded_before
from console.actions.production import in_production
from console.actions.rollback.journaled import held_settings
from console.actions.wording import listed
from console.domain.hosting import ServiceInfo
from console.domain.outcome import Done, Evidence, Fact, Line, NotDone, Preview, Probe, Progress, Section, Tone
from console.domain.plan import Json, Service
from console.errors import HostingError, VerificationFailed
from console.ports import Context, Hosting, Report

OFF = "off"
_REMEDY = "See that the provider can be reached and that the key may change services, then retry."


class HoldDeploys:
    """`rollback.hold_deploys`: switch autodeploy off on every production service.

    before: `settings` ({key: commit|checksPass|off}), as they were before the rollback.
    Durable progress: `held` (key), one a service that was switched.
    Evidence: `settings`, the same.
    """

    destructive = False

    def __init__(self, hosting: Hosting) -> None:
        self._hosting = hosting

    async def preview(self, ctx: Context) -> Preview:
        """Each service's setting, now and as it will be given back."""
        with in_production(ctx, _REMEDY):
            now = await autodeploy_now(ctx, self._hosting)
        earlier = held_settings(ctx.state)
        settings: dict[str, Json] = {
            service.key: earlier.get(service.key, OFF) if info.auto_deploy == OFF else info.auto_deploy
            for service, info in now
        }
        return Preview(
            summary=f"Switch autodeploy off on {listed(service.name for service, _ in now)}",
            facts=tuple(Fact(service.name, f"autodeploy {info.auto_deploy}") for service, info in now),
            consequences=(
                Line("No push deploys anything until the rollback gives the settings back."),
                Line("A deploy that is under way goes on.", tone=Tone.QUIET),
            ),
            sections=(_section(ctx, settings),),
            before={"settings": settings},
        )

    async def probe(self, ctx: Context) -> Probe:
        """Done when it is off everywhere."""
        with in_production(ctx, _REMEDY):
            on = await self._not_off(ctx)
        if on:
            return NotDone(f"Autodeploy is still on: {listed(on)}.")
        return Done(_evidence(ctx))

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Switch it off where it is on. Raises HostingError."""
        with in_production(ctx, _REMEDY):
            for service, info in await autodeploy_now(ctx, self._hosting):
                if info.auto_deploy != OFF:
                    await report(Progress(f"switching autodeploy of {service.name} off"))
                    await set_autodeploy(self._hosting, service, OFF)
                    text = f"autodeploy of {service.name} is off"
                    await report(Progress(text, data={"held": service.key}, durable=True))
        return _evidence(ctx)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The provider says off, for every service."""
        with in_production(ctx, _REMEDY):
            on = await self._not_off(ctx)
            if on:
                raise VerificationFailed(f"Autodeploy is still on: {listed(on)}.")

    async def _not_off(self, ctx: Context) -> list[str]:
        now = await autodeploy_now(ctx, self._hosting)
        return [f"{service.name} ({info.auto_deploy})" for service, info in now if info.auto_deploy != OFF]


async def autodeploy_now(ctx: Context, hosting: Hosting) -> list[tuple[Service, ServiceInfo]]:
    """Every production service as the provider has it."""
    services = ctx.plan.services_in("production")
    found = await asyncio.gather(*(hosting.service(service.id) for service in services))
    return list(zip(services, found, strict=True))


async def set_autodeploy(hosting: Hosting, service: Service, trigger: str) -> None:
    """Set it, and look when the answer was lost: asking twice for the same changes nothing. Raises HostingError."""
    try:
        await hosting.set_auto_deploy(service.id, trigger)
    except HostingError as error:
        if not error.sent or (await hosting.service(service.id)).auto_deploy != trigger:
            raise


def _section(ctx: Context, settings: dict[str, Json]) -> Section:
    lines = (Line(f"{ctx.plan.service(key).name}: {value}") for key, value in settings.items())
    return Section("Given back afterwards", tuple(lines))


def _evidence(ctx: Context) -> Evidence:
    settings = dict(recorded_before(ctx).record("settings").data)
    was = listed(f"{ctx.plan.service(key).name} {value}" for key, value in settings.items())
    return Evidence(
        f"off everywhere; before: {was}", {"settings": settings}, (_section(ctx, settings),) if settings else ()
    )
