"""Bringing the schema back: once, in one transaction, with everything seen before.

What always holds: nothing is committed that was not proven (`console.migration.reversal`); a way back whose end nobody
saw is probed and never blindly repeated; while its session is still alive, nobody can say.
"""

from collections.abc import Mapping
from datetime import timedelta

from console.actions.blockages import Narrator
from console.actions.handover import Record, moment_text
from console.actions.production import in_production, state_of_code
from console.actions.rollback.database_ground import led_elsewhere
from console.actions.rollback.schema_outlook import (
    SHOWN,
    SchemaOutlook,
    facts,
    look_back,
    readings,
    sections,
    undecided_lines,
)
from console.actions.waiting import looks
from console.actions.wording import counted, lasting, listed, quoted
from console.domain.outcome import (
    Done,
    Evidence,
    Fact,
    Line,
    NotDone,
    Preview,
    Probe,
    Section,
    Tone,
    Unknown,
)
from console.domain.plan import Json
from console.errors import DatabaseError, StepFailed, VerificationFailed
from console.migration import reversal_checks
from console.migration.bounded import connection_lost
from console.migration.kept_copy import Kept, Reverted
from console.migration.names import QualifiedName
from console.migration.reversal import Reversal, ReversalResult
from console.migration.reversal_probe import ReversalProbe, probe_reversal
from console.migration.transaction import CONNECTION_CHECK, session_settings
from console.ports import Context, Database, Instances, Report, Switches

_REMEDY = "See that the database can be reached and is the right one, then retry."
_SECONDS_TO_END = 3 * CONNECTION_CHECK


class SchemaBack:
    """`rollback.schema`: what the migration dropped is built again from the saved copy, in one transaction.

    before: `system_identifier`, `saved_copy`, `copy_transaction`.
    Durable progress: `began` (`console.migration.result.Began`), `committing` (`ReversalResult.own`).
    Evidence: `rows_rebuilt`, `rows_mapped` (changed or written since, by the inverse table), `rows_changed`,
    `rows_new`, `rows_deleted`, `undecided` ([{key, value, given, new}], all of them), `saved_copy`, `kept_copy`,
    `history` (the row that was taken out), `began`, `committed_at` (server's time), `transaction`, `own_xids`,
    `own_counters`, `locked`, `seconds`; found by a probe it lacks times and all counts of rows but the first two.
    """

    destructive = True

    def __init__(self, database: Database, switches: Switches, instances: Instances) -> None:
        self._database = database
        self._switches = switches
        self._instances = instances

    async def preview(self, ctx: Context) -> Preview:
        """Statements, locks, rows by what becomes of them. Raises StepFailed when something is in the way."""
        with in_production(ctx, _REMEDY):
            await self._refuse_another_database(ctx)
            outlook = await look_back(self._database, ctx.plan.migration)
            reversal_checks.refuse_dependents(ctx.plan.migration, outlook.dependents)
            reversal_checks.refuse_unfillable(ctx.plan.migration, outlook.on.origin, outlook.rows)
            identity = await self._database.identity()
        return _preview(ctx, outlook, identity.system_identifier)

    async def probe(self, ctx: Context) -> Probe:
        """Done: old columns, no history row, and the copy put aside under our marker. Unknown while a session lives."""
        began = _began(ctx.recorded)
        transaction = str(began["transaction"]) if "transaction" in began else None
        with in_production(ctx, _REMEDY):
            found = await self._look(ctx, transaction)
        lines, kept = _found_lines(ctx, found), found.by(ctx.marker)
        if found.backend is not None:
            return Unknown(
                f"The session of the way back is still alive: pid {found.backend.pid}, in its transaction for "
                f"{lasting(found.backend.transaction_seconds)}. Wait and look again, or end it: "
                f"SELECT pg_terminate_backend({found.backend.pid}).",
                lines,
            )
        if found.transaction == "in progress":
            return Unknown(f"Transaction {transaction} is still in progress; wait and look again.", lines)
        if found.brought_back and kept is not None and kept.reverted is not None:
            return Done(_found(ctx, found, kept, kept.reverted, began))
        if found.brought_back:
            return Unknown("The old schema is back, but not by this run: no copy that was put aside is ours.", lines)
        if found.still_migrated:
            return NotDone("The migrated schema, its history row and the saved copy are there; no session of ours is.")
        return Unknown("The database has neither the old schema nor the migrated one.", lines)

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Bring it back. Raises StepFailed with what state the database is in."""
        migration = ctx.plan.migration
        with in_production(ctx, _REMEDY, beside=state_of_code(ctx)):
            async with (
                self._database.session(ctx.marker, settings=session_settings(migration)) as session,
                Narrator(self._database, session.pid, ctx.clock, report) as narrator,
            ):
                result = await Reversal(
                    session,
                    migration,
                    marker=ctx.marker,
                    report=narrator.report,
                    stopping=ctx.stopping,
                    monotonic=ctx.clock.monotonic,
                ).run()
        return _evidence(ctx, result)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The old columns are there, the history does not know the migration, and each view of before can be read."""
        with in_production(ctx, "Look at the database before anything else."):
            found = await probe_reversal(self._database, ctx.plan.migration, ctx.marker)
            kept = found.by(ctx.marker)
            problems = [] if found.brought_back else [line.text for line in _found_lines(ctx, found)]
            for name, _ in kept.origin.views if kept is not None else ():
                problems += await self._unreadable(QualifiedName.parse(name))
            if problems:
                raise VerificationFailed(
                    f"The schema is not back: {problems[0]}.",
                    lines=tuple(problems),
                )

    async def _refuse_another_database(self, ctx: Context) -> None:
        """Raise StepFailed when a service uses another database than the one that is built back."""
        home = ctx.plan.database
        other = await led_elsewhere(self._switches, ctx.plan, await self._instances.places(home.postgres_id))
        if other:
            raise StepFailed(
                f"Not every service uses {home.name} ({home.postgres_id}): building it back would not restore them.",
                remedy="Look where production stands, and choose again.",
                lines=other,
            )

    async def _unreadable(self, view: QualifiedName) -> list[str]:
        try:
            await self._database.fetch(f"SELECT * FROM {view.sql} LIMIT 1")  # noqa: S608
        except DatabaseError as error:
            if connection_lost(error):
                raise
            return [f"view {view} cannot be read: {error.message}"]
        return []

    async def _look(self, ctx: Context, transaction: str | None) -> ReversalProbe:
        """What the world says; a session that a dead console left is given the time that its server needs to see it."""
        migration = ctx.plan.migration
        found = await probe_reversal(self._database, migration, ctx.marker, transaction=transaction)
        async for _ in looks(ctx.clock, _SECONDS_TO_END):
            if found.backend is None and found.transaction != "in progress":
                break
            found = await probe_reversal(self._database, migration, ctx.marker, transaction=transaction)
        return found


def _preview(ctx: Context, outlook: SchemaOutlook, system_identifier: str) -> Preview:
    migration, on, rows = ctx.plan.migration, outlook.on, outlook.rows
    left = (
        Line(
            f"{counted(rows.undecided, 'row')} cannot be decided by the inverse table: listed below and in the record, "
            "for a person.",
            tone=Tone.WARNING,
        ),
    )
    return Preview(
        summary=f"Build back {listed(migration.removed)} of {on.table} on {ctx.plan.database.name}, in one transaction",
        facts=(Fact("server", system_identifier), *facts(outlook)),
        readings=readings(outlook),
        consequences=(
            Line("Nothing is lost: no row is removed, and the saved copy is kept under another name.", tone=Tone.GOOD),
            *(left if rows.undecided else ()),
            Line(
                f"Drops {listed(migration.added)}: code of the release fails from then on, until the code from before "
                "serves. Confirm the step that serves it ahead, so that nobody waits for you.",
                tone=Tone.DANGER,
            ),
            Line(
                f"Locks {on.table} against readers and writers until COMMIT; gives up after "
                f"{lasting(migration.lock_timeout)} without the lock.",
                tone=Tone.WARNING,
            ),
            Line(f"{on.history} forgets {migration.version} in the same transaction: it can be run again later."),
            Line(f"{listed(migration.removed)} come back as the last columns of {on.table}.", tone=Tone.QUIET),
        ),
        sections=sections(outlook),
        before={
            "system_identifier": system_identifier,
            "saved_copy": str(on.saved),
            "copy_transaction": str(on.origin.transaction),
        },
    )


def _evidence(ctx: Context, result: ReversalResult) -> Evidence:
    began = Record("the way back", {"at": result.began.at}).moment("at")
    rows, undecided = result.rows, [row.data() for row in result.undecided]
    data: dict[str, Json] = {
        "rows_rebuilt": rows.unchanged,
        "rows_changed": rows.changed,
        "rows_new": rows.written,
        "rows_deleted": rows.deleted,
        "rows_mapped": rows.mapped,
        "undecided": [*undecided],
        "saved_copy": result.saved_copy,
        "kept_copy": result.kept_copy,
        "history": {**result.history},
        "began": result.began.data(),
        "committed_at": moment_text(began + timedelta(seconds=result.locked)),
        "transaction": str(result.began.transaction),
        "locked": result.locked,
        "seconds": result.seconds,
        **result.own(),
    }
    groups = tuple(
        Line(
            f"{quoted(group.value)} → {quoted(group.becomes) if group.decided else '?'}: {group.rows:,}",
            note="written since" if group.new else "changed since",
            tone=Tone.PLAIN if group.decided else Tone.WARNING,
        )
        for group in rows.groups
    )
    found = (
        Section("Changed or written since", groups),
        Section("Left to a person", undecided_lines(result.undecided[:SHOWN], len(result.undecided))),
        Section("Kept", (Line(result.kept_copy, note=f"was {result.saved_copy}"),)),
        Section("Notices", tuple(Line(notice) for notice in result.notices)),
    )
    return Evidence(
        _summary(rows.unchanged, rows.mapped, len(undecided)) + f"; {ctx.plan.migration.table} locked for "
        f"{lasting(result.locked)}",
        data,
        tuple(section for section in found if section.lines),
    )


def _found(ctx: Context, found: ReversalProbe, kept: Kept, reverted: Reverted, began: Mapping[str, Json]) -> Evidence:
    """Evidence of a way back that committed while nobody listened: what the copy that was put aside says of it."""
    data: dict[str, Json] = {
        "rows_rebuilt": reverted.rows_rebuilt,
        "rows_mapped": reverted.rows_mapped,
        "undecided": [dict(row) for row in reverted.undecided],
        "saved_copy": found.saved_copy,
        "kept_copy": str(kept.name),
        "history": {**reverted.history},
        "began": {**began},
        "committed_at": reverted.at,
        "transaction": str(reverted.transaction),
    }
    for said in ctx.recorded:
        own = said.get("committing")
        data |= own if isinstance(own, dict) else {}
    lines = (Line(str(kept.name), note=f"was {found.saved_copy}"),)
    return Evidence(
        f"{_summary(reverted.rows_rebuilt, reverted.rows_mapped, len(reverted.undecided))}; committed by this run",
        data,
        (Section("Kept", lines),),
    )


def _summary(rebuilt: int, mapped: int, undecided: int) -> str:
    left = f", {counted(undecided, 'row')} left to a person" if undecided else ""
    return f"{counted(rebuilt, 'row')} exactly as before, {mapped:,} by the inverse table{left}"


def _began(recorded: tuple[Mapping[str, Json], ...]) -> Mapping[str, Json]:
    """What the transaction said of itself, as journaled (`console.migration.result.Began.data`)."""
    for data in reversed(recorded):
        began = data.get("began")
        if isinstance(began, dict):
            return began
    return {}


def _found_lines(ctx: Context, found: ReversalProbe) -> tuple[Line, ...]:
    migration = ctx.plan.migration
    lines = [
        Line(f"history: {'has' if found.history is not None else 'does not have'} {migration.version}"),
        Line(f"old columns there: {listed(found.columns.still_there)}; missing: {listed(found.columns.gone)}"),
        Line(f"new columns there: {listed(found.columns.present)}"),
        Line(f"saved copy {found.saved_copy}: {found.saved.marker if found.saved is not None else 'none of ours'}"),
        *(Line(f"put aside: {kept.name}", note=kept.reverted.marker if kept.reverted else "") for kept in found.kept),
    ]
    if found.transaction is not None:
        lines.append(Line(f"the recorded transaction is {found.transaction}"))
    return tuple(lines)
