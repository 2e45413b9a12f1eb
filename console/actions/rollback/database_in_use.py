"""Which database each service really uses, proven while users are still kept out.

A service uses the new instance when its variable leads there and its live deploy was created after that; a deploy from
before, and the provider's rollback, bring the old variable with them. The sessions on both servers are looked at as
well. What always holds: what cannot be proven before users are let in is said, and looked at again then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.actions.databases import Databases
from console.actions.handover import Record, left_by, must_have_left
from console.actions.production import in_production
from console.actions.read_only import ReadOnly
from console.actions.rollback.database_ground import (
    FENCE,
    SWITCH,
    WAYS_ON,
    fenced_off,
    services_with_database,
)
from console.actions.rollback.database_lock import ServerSession, is_read_only, server_time, sessions
from console.actions.wording import at, counted, listed
from console.domain.hosting import Deploy, DeployStatus
from console.domain.outcome import Evidence, Fact, Line, Preview, Progress, Section, Tone
from console.domain.plan import Json, Service
from console.errors import StepFailed, VerificationFailed
from console.ports import Context, Database, Hosting, Report, Switches

# The provider's time comes from a header of whole seconds.
_GRAIN = timedelta(seconds=1)
_REMEDY = "Reopen the deploy of the service: it must be deployed anew to read its variable. Or choose another way back."


@dataclass(frozen=True, slots=True)
class ServiceUse:
    """What is known of one service: where its variable leads, what is live, its sessions on both servers."""

    service: Service
    place: str
    leads_there: bool
    live: Deploy | None
    switched_at: datetime
    new: tuple[ServerSession, ...]
    old: tuple[ServerSession, ...]

    @property
    def problem(self) -> str:
        """Why it does not, or cannot be said to, use the new instance; empty when it does."""
        name = self.service.name
        if not self.leads_there:
            return f"{name}: its variable leads to {self.place}, not to the new instance"
        if self.live is None:
            return f"{name}: no deploy is live"
        if self.live.trigger == "rollback":
            return f"{name}: the provider's rollback {self.live.id} is live; its variables are those of an older deploy"
        if self.live.created_at < self.switched_at - _GRAIN:
            return f"{name}: deploy {self.live.id} of {at(self.live.created_at)} is live, from before the switch"
        if self.old:
            return f"{name}: still has {counted(len(self.old), 'session')} with the old instance"
        return ""

    @property
    def proof(self) -> str:
        """What proves it, in words."""
        seen = f"{counted(len(self.new), 'session')} there" if self.new else "no session yet: users are kept out"
        deploy = f"deploy {self.live.id} of {at(self.live.created_at)}" if self.live is not None else "no deploy"
        return f"{self.place}; {deploy}, after the switch; {seen}"

    def data(self) -> dict[str, Json]:
        """As plain JSON."""
        return {
            "place": self.place,
            "deploy": self.live.id if self.live is not None else "",
            "sessions": len(self.new),
            "sessions_old": len(self.old),
        }


class RollbackDatabaseInUse(ReadOnly):
    """`rollback.database_in_use`: prove for every service which database it talks to.

    Evidence: `postgres_id`, `old_postgres_id`, `services` ({key: {`place`, `deploy`, `sessions`, `sessions_old`}}),
    `others_on_old` (sessions of clients that are none of these services).
    """

    def __init__(self, hosting: Hosting, switches: Switches, databases: Databases) -> None:
        self._hosting = hosting
        self._switches = switches
        self._databases = databases

    async def preview(self, ctx: Context) -> Preview:
        """Which services, which instance."""
        with in_production(ctx, WAYS_ON, production=fenced_off(ctx)):
            switch = must_have_left(ctx, SWITCH)
            services = services_with_database(ctx.plan)
        return Preview(
            summary=f"Prove that {listed(s.name for s, _ in services)} use {switch.text('postgres_id')}",
            facts=(Fact("new instance", switch.text("postgres_id")), Fact("place", switch.text("place"))),
            consequences=(Line("Reads only; users are still kept out.", tone=Tone.GOOD),),
        )

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Look at variables, deploys and sessions. Raises StepFailed with every service that uses another database."""
        with in_production(ctx, _REMEDY, production=fenced_off(ctx)):
            await report(Progress("looking at variables, deploys and sessions"))
            uses, strangers, old_id = await self._look(ctx)
            problems = [use.problem for use in uses if use.problem]
            if problems:
                raise StepFailed(
                    f"{problems[0]}" + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""),
                    lines=tuple(problems),
                )
        return _evidence(must_have_left(ctx, SWITCH), uses, strangers, old_id)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """It is still so."""
        with in_production(ctx, _REMEDY, production=fenced_off(ctx)):
            uses, _, _ = await self._look(ctx)
            problems = tuple(use.problem for use in uses if use.problem)
            if problems:
                raise VerificationFailed(problems[0], lines=problems)

    async def _look(self, ctx: Context) -> tuple[list[ServiceUse], tuple[ServerSession, ...], str]:
        switch = must_have_left(ctx, SWITCH)
        new_id, old_id = switch.text("postgres_id"), switch.text("old_postgres_id")
        new, old = await self._databases.of(ctx.plan, new_id), await self._databases.of(ctx.plan, old_id)
        if not await is_read_only(old):
            raise StepFailed(f"The old instance {old_id} takes writes again.", remedy="Reopen the fence.")
        on_new, on_old = await _all_sessions(new), await _since_fence(ctx, old)
        places = await self._databases.places(new_id)
        uses = []
        for service, variable in services_with_database(ctx.plan):
            place = await self._switches.database_of(service.id, variable)
            deploys = await self._hosting.deploys(service.id)
            uses.append(
                ServiceUse(
                    service=service,
                    place=str(place),
                    leads_there=place in places,
                    live=next((each for each in deploys if each.status is DeployStatus.LIVE), None),
                    switched_at=switch.moment("switched_at"),
                    new=tuple(each for each in on_new if names(each, service)),
                    old=tuple(each for each in on_old if names(each, service)),
                )
            )
        known = {each.pid for use in uses for each in use.old}
        return uses, tuple(each for each in on_old if each.pid not in known), old_id


def names(session: ServerSession, service: Service) -> bool:
    """Whether a session's application name names the service."""
    application = session.application.lower()
    return bool(application) and any(each.lower() in application for each in (service.name, service.key))


async def _all_sessions(database: Database) -> Sequence[ServerSession]:
    return await sessions(database, await server_time(database))


async def _since_fence(ctx: Context, database: Database) -> Sequence[ServerSession]:
    fence = left_by(ctx, FENCE)
    since = fence.text("fenced_at") if fence is not None and "fenced_at" in fence else await server_time(database)
    return await sessions(database, since)


def _evidence(switch: Record, uses: Sequence[ServiceUse], strangers: Sequence[ServerSession], old_id: str) -> Evidence:
    services: dict[str, Json] = {use.service.key: use.data() for use in uses}
    data: dict[str, Json] = {
        "postgres_id": switch.text("postgres_id"),
        "old_postgres_id": old_id,
        "services": services,
        "others_on_old": [str(each) for each in strangers],
    }
    proofs = tuple(Line(use.service.name, note=use.proof, tone=Tone.GOOD) for use in uses)
    others = tuple(
        Line(f"{each} has a session with the old instance, which is read only", tone=Tone.WARNING) for each in strangers
    )
    sections = (Section("Database in use", proofs), Section("Other clients", others))
    return Evidence(
        f"{listed(use.service.name for use in uses)} use {switch.text('place')}; none is on the old instance",
        data,
        tuple(section for section in sections if section.lines),
    )
