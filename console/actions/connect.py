"""Connecting to the database that is to be migrated: who answers, as whom, how protected, who else is there."""

from console.actions.guards import database_guards, identity_guard, require
from console.actions.production import in_production
from console.actions.read_only import ReadOnly
from console.actions.sessions import others, session_text
from console.actions.wording import counted
from console.domain.outcome import Evidence, Fact, Line, Preview, Progress, Section, Tone
from console.errors import VerificationFailed
from console.ports import Context, Database, Report

_REMEDY = "See that the database can be reached and is the right one, then retry."
_WORST_OFFSET = 5.0


class MigrateConnect(ReadOnly):
    """`migrate.connect`: who answers, as whom, how protected, who else is there.

    Evidence: `host`, `port`, `database`, `role`, `version`, `tls`, `system_identifier`, `superuser`,
    `clock_offset` (seconds, server minus console), `sessions`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def preview(self, ctx: Context) -> Preview:
        """Which database, with which protection."""
        return Preview(
            summary=f"Connect to {ctx.plan.database.name}: who answers, as whom, how protected",
            facts=(Fact("database", ctx.plan.database.name), Fact("TLS", ctx.plan.database.tls)),
            consequences=(Line("Reads only.", tone=Tone.GOOD),),
        )

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Connect and look. Raises StepFailed with every guard that does not hold."""
        await report(Progress("connecting"))
        with in_production(ctx, _REMEDY):
            guards = await database_guards(ctx.plan, self._database)
            require(guards, f"{ctx.plan.database.name} cannot be migrated as it is")
            identity = await self._database.identity()
            backends = others(await self._database.backends())
        offset = identity.clock_offset
        lines = (
            *(guard.line for guard in guards),
            Line(f"clock: {offset:+.2f} s", tone=Tone.WARNING if abs(offset) > _WORST_OFFSET else Tone.PLAIN),
        )
        return Evidence(
            f"{identity.database} at {identity.host} as {identity.role}, PostgreSQL {identity.version}, "
            f"{identity.tls or 'no TLS'}, {counted(len(backends), 'other session')}",
            {
                "host": identity.host,
                "port": identity.port,
                "database": identity.database,
                "role": identity.role,
                "version": identity.version,
                "tls": identity.tls,
                "system_identifier": identity.system_identifier,
                "superuser": identity.superuser,
                "clock_offset": offset,
                "sessions": len(backends),
            },
            (
                Section("Database", lines),
                Section("Who else is connected", tuple(Line(session_text(backend)) for backend in backends[:20])),
            ),
        )

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The same server still answers, protected as the plan wants it."""
        with in_production(ctx, _REMEDY):
            identity = await self._database.identity()
            guard = identity_guard(ctx.plan, identity)
            if guard.problem:
                raise VerificationFailed(f"{guard.label}: {guard.problem}.", remedy=guard.remedy)
            known = evidence.data.get("system_identifier", identity.system_identifier)
            if known != identity.system_identifier:
                raise VerificationFailed("Another server answers now than a moment ago.")
