"""Running the migration: once, in one transaction, with everything seen before.

What always holds: nothing is committed that was not proven row by row (`console.migration.runner`); a migration
whose end nobody saw is probed and never blindly repeated; while its session is still alive, nobody can say.
"""

from collections.abc import Mapping
from datetime import timedelta

from console.actions.blockages import Narrator
from console.actions.guards import Guard, database_guards, guard_section, migration_guards, require
from console.actions.handover import Record, left_by, moment_text, recorded_before, states_of
from console.actions.migration_preview import MigrationOutlook, look_ahead
from console.actions.production import in_production, state_of_code
from console.actions.released import released_commit
from console.actions.sessions import session_text
from console.actions.waiting import looks
from console.actions.wording import counted, lasting, listed, quoted, short
from console.domain.outcome import (
    Done,
    Evidence,
    Fact,
    Line,
    NotDone,
    Preview,
    Probe,
    Reading,
    Section,
    Tone,
    Unknown,
)
from console.domain.plan import Json
from console.errors import StepFailed, VerificationFailed, WorldChanged
from console.migration import catalog, mapping
from console.migration.names import QualifiedName
from console.migration.probe import MigrationProbe
from console.migration.probe import probe as probe_migration
from console.migration.result import MigrationResult
from console.migration.runner import MigrationRunner
from console.migration.script import Script
from console.migration.transaction import CONNECTION_CHECK, session_settings
from console.ports import Context, Database, Hosting, Report, Repository

_REMEDY = "See that the database can be reached and is the right one, then retry."
_SECONDS_TO_END = 3 * CONNECTION_CHECK


class MigrateRun:
    """`migrate.run`: the file of the released commit, in the console's own transaction.

    before: `commit`, `checksum`, `system_identifier`.
    Durable progress: `began` (`console.migration.result.Began`), `committing` (`MigrationResult.own`).
    Evidence: that of `console.migration.result.MigrationResult.data`, and `version`, `commit`, `checksum`, `xid`,
    `committed_at` (server's time), `rows`; found by a probe it lacks the timings of the statements.
    """

    destructive = True

    def __init__(self, database: Database, repository: Repository, hosting: Hosting) -> None:
        self._database = database
        self._repository = repository
        self._hosting = hosting

    async def preview(self, ctx: Context) -> Preview:
        """Statements, locks, rows, mapping, claims, what depends. Raises StepFailed when a guard is broken."""
        with in_production(ctx, _REMEDY):
            commit = await released_commit(ctx, self._repository)
            files, script = await migration_guards(ctx, self._repository, commit)
            guards = [*files, *await database_guards(ctx.plan, self._database)]
            require(guards, f"Migration {ctx.plan.migration.version} cannot run")
            if script is None:
                raise StepFailed(f"{ctx.plan.migration.file} could not be read at {short(commit)}.")
            identity = await self._database.identity()
            outlook = await look_ahead(self._database, ctx.plan.migration, script)
            services = await self._services(ctx, commit)
        return _preview(ctx, commit, script, outlook, guards, services, identity.system_identifier)

    async def probe(self, ctx: Context) -> Probe:
        """Done: history row, columns, and the saved copy made under our marker. Unknown while a session lives."""
        began = {**_recorded(ctx.recorded, "began"), **_recorded(ctx.recorded, "committing")}
        transaction = str(began["transaction"]) if "transaction" in began else None
        with in_production(ctx, _REMEDY):
            found = await self._look(ctx, transaction)
            lines = _found_lines(ctx, found)
            if found.backend is not None:
                return Unknown(
                    f"The migration's session is still alive: pid {found.backend.pid}, in its transaction for "
                    f"{lasting(found.backend.transaction_seconds)}. Wait and look again, or end it: "
                    f"SELECT pg_terminate_backend({found.backend.pid}).",
                    lines,
                )
            if found.transaction == "in progress":
                return Unknown(f"Transaction {transaction} is still in progress; wait and look again.", lines)
            if found.applied and found.ours(ctx.marker):
                return Done(await self._found(ctx, found, began))
            if found.applied:
                return Unknown(
                    f"Migration {ctx.plan.migration.version} is in the database, but not by this run: "
                    f"{found.saved_copy} is not ours.",
                    lines,
                )
            if found.untouched:
                return NotDone("No history row, the columns are as before, and no session of ours is left.")
        return Unknown("The database is neither as before nor as after the migration.", lines)

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Run the file that was previewed. Raises StepFailed with what state the database is in."""
        before, migration = recorded_before(ctx), ctx.plan.migration
        with in_production(ctx, _REMEDY, beside=state_of_code(ctx)):
            script = await self._script(ctx, before)
            async with (
                self._database.session(ctx.marker, settings=session_settings(migration)) as session,
                Narrator(self._database, session.pid, ctx.clock, report) as narrator,
            ):
                runner = MigrationRunner(
                    session,
                    migration,
                    script,
                    marker=ctx.marker,
                    report=narrator.report,
                    stopping=ctx.stopping,
                    monotonic=ctx.clock.monotonic,
                )
                result = await runner.run()
        return _evidence(ctx, result)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The history row is there, and the columns are as after the migration."""
        with in_production(ctx, "Look at the database before anything else."):
            found = await probe_migration(self._database, ctx.plan.migration, ctx.marker)
            if not found.applied:
                raise VerificationFailed(
                    f"Migration {ctx.plan.migration.version} is not wholly in the database.",
                    lines=tuple(line.text for line in _found_lines(ctx, found)),
                )

    async def _look(self, ctx: Context, transaction: str | None) -> MigrationProbe:
        """What the world says; a session that a dead console left is given the time that its server needs to see it."""
        migration = ctx.plan.migration
        found = await probe_migration(self._database, migration, ctx.marker, transaction=transaction)
        async for _ in looks(ctx.clock, _SECONDS_TO_END):
            if found.backend is None and found.transaction != "in progress":
                break
            found = await probe_migration(self._database, migration, ctx.marker, transaction=transaction)
        return found

    async def _script(self, ctx: Context, before: Record) -> Script:
        guards, script = await migration_guards(ctx, self._repository, before.text("commit"))
        require(guards, f"Migration {ctx.plan.migration.version} was not run")
        if script is None or script.checksum != before.text("checksum"):
            raise WorldChanged("The migration file is not the one that was previewed.", remedy="Look at it again.")
        return script

    async def _services(self, ctx: Context, commit: str) -> tuple[Line, ...]:
        """What each service runs; once the builds are over, anything but the release is refused."""
        over = all(state.over for state in states_of(ctx, "build.follow"))
        lines: list[Line] = []
        strangers: list[str] = []
        pushed = left_by(ctx, "source.push")
        unchanged = pushed.record("services").data if pushed is not None else {}
        for service in ctx.plan.services_in("production"):
            live = next((d for d in await self._hosting.deploys(service.id) if d.status == "live"), None)
            runs = live.commit if live is not None else ""
            fits = runs == commit or unchanged.get(service.key) == "unchanged"
            lines.append(Line(f"{service.name} runs {short(runs)}", tone=Tone.GOOD if fits else Tone.WARNING))
            if not fits:
                strangers.append(f"{service.name} ({short(runs)})")
        if over and strangers:
            raise StepFailed(
                f"{listed(strangers)} {'does' if len(strangers) == 1 else 'do'} not run the release {short(commit)}: "
                "old code would meet the new schema.",
                remedy="Get the release live on every service first: reopen the push.",
            )
        return tuple(lines)

    async def _found(self, ctx: Context, found: MigrationProbe, began: Mapping[str, Json]) -> Evidence:
        """Evidence of a migration that committed while nobody listened."""
        migration = ctx.plan.migration
        table = await catalog.resolve_table(self._database, migration.table)
        saved = QualifiedName.parse(found.saved_copy)
        old = await catalog.value_counts(self._database, saved, migration.mapping.source)
        new = await catalog.value_counts(self._database, table, migration.mapping.target)
        claims = await mapping.claim_counts(self._database, migration, saved)
        before, rows = recorded_before(ctx), sum(count for _, count in old)
        at = found.saved.at if found.saved is not None else ""
        data: dict[str, Json] = {
            **began,
            "version": migration.version,
            "commit": before.text("commit"),
            "checksum": before.text("checksum"),
            "saved_copy": found.saved_copy,
            "rows": rows,
            "rows_saved": rows,
            "old_counts": [[value, count] for value, count in old],
            "new_counts": [[value, count] for value, count in new],
            "claims": [{"title": claim.title, "promised": claim.promised, "rows": claim.rows} for claim in claims],
            "committed_at": str(began.get("at", at)),
        }
        if found.saved is not None:
            data["xid"] = str(found.saved.transaction)
        return Evidence(
            f"{migration.version} is in the database, committed by this run; {counted(rows, 'row')}",
            data,
            (_count_section("Now", new),),
        )


def _preview(
    ctx: Context,
    commit: str,
    script: Script,
    outlook: MigrationOutlook,
    guards: list[Guard],
    services: tuple[Line, ...],
    system_identifier: str,
) -> Preview:
    migration = ctx.plan.migration
    return Preview(
        summary=f"Run {script.name} on {ctx.plan.database.name}: {counted(len(script.statements), 'statement')}, "
        "one transaction",
        facts=(
            Fact("commit", commit),
            Fact("file (SHA-256)", script.checksum),
            Fact("server", system_identifier),
            *outlook.facts,
            *(guard.fact for guard in guards),
        ),
        readings=(*outlook.readings, *(Reading("live", line.text, line.tone) for line in services)),
        consequences=(
            Line(f"Drops {listed(migration.removed)} of {migration.table}.", tone=Tone.DANGER),
            Line(f"Adds {listed(migration.added)}; what is dropped is saved to {migration.saved_copy}."),
            Line(
                f"Locks {migration.table} against readers and writers until COMMIT; gives up after "
                f"{lasting(migration.lock_timeout)} without the lock.",
                tone=Tone.WARNING,
            ),
            Line("Commits only if every row is as the plan's mapping has it; else nothing is changed."),
        ),
        sections=(*outlook.sections, guard_section(guards)),
        before={"commit": commit, "checksum": script.checksum, "system_identifier": system_identifier},
    )


def _evidence(ctx: Context, result: MigrationResult) -> Evidence:
    before = recorded_before(ctx)
    began = Record("the migration", {"at": result.began.at}).moment("at")
    committed = began + timedelta(seconds=result.locked)
    data: dict[str, Json] = {
        **result.data(),
        "version": ctx.plan.migration.version,
        "commit": before.text("commit"),
        "checksum": before.text("checksum"),
        "xid": str(result.began.transaction),
        "rows": result.rows_saved,
        "committed_at": moment_text(committed),
    }
    statements = tuple(
        Line(each.title, note=f"{_touched(each.rows)}{each.seconds * 1000:.0f} ms", tone=Tone.GOOD)
        for each in result.statements
    )
    claims = tuple(
        Line(f"{claim.title}: {counted(claim.rows, 'row')} became {listed(claim.instead)}", tone=Tone.WARNING)
        for claim in result.claims
        if claim.rows
    )
    sections = (
        Section("Statements", statements),
        _count_section("Before", result.old_counts),
        _count_section("After", result.new_counts),
        Section("Promised, and not done by the file", claims),
        Section("Notices", tuple(Line(notice) for notice in result.notices)),
    )
    return Evidence(
        f"{counted(result.rows_saved, 'row')} migrated and proven in {lasting(result.seconds)}, "
        f"{ctx.plan.migration.table} locked for {lasting(result.locked)}",
        data,
        tuple(section for section in sections if section.lines),
    )


def _touched(rows: int) -> str:
    return f"{counted(rows, 'row')}, " if rows >= 0 else ""


def _count_section(title: str, counts: tuple[tuple[str | None, int], ...]) -> Section:
    return Section(title, tuple(Line(f"{quoted(value)}: {rows:,}") for value, rows in counts))


def _recorded(recorded: tuple[Mapping[str, Json], ...], key: str) -> Mapping[str, Json]:
    """What the transaction said of itself, as journaled: `began`, and `committing` with what it has written."""
    for data in reversed(recorded):
        said = data.get(key)
        if isinstance(said, dict):
            return said
    return {}


def _found_lines(ctx: Context, found: MigrationProbe) -> tuple[Line, ...]:
    migration = ctx.plan.migration
    lines = [
        Line(f"history: {'has' if found.history is not None else 'does not have'} {migration.version}"),
        Line(f"columns still there: {listed(found.columns.still_there)}; missing: {listed(found.columns.missing)}"),
        Line(f"saved copy {found.saved_copy}: {found.saved.marker if found.saved is not None else 'none of ours'}"),
    ]
    if found.transaction is not None:
        lines.append(Line(f"the recorded transaction is {found.transaction}"))
    if found.backend is not None:
        lines.append(Line(session_text(found.backend)))
    return tuple(lines)
