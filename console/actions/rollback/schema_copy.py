"""Removing the saved copy, once nobody needs it: an explicit step of its own, after what is in it was shown.

What always holds: only a copy that the console made and that was used for a way back is dropped, by its name, and only
the one that was shown.
"""

from console.actions.handover import left_by, moment_text, recorded_before
from console.actions.production import in_production
from console.actions.rollback.schema_outlook import SHOWN
from console.actions.wording import counted, listed, quoted
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
    Unknown,
)
from console.errors import StepFailed, VerificationFailed, WorldChanged
from console.migration import catalog, kept_copy
from console.migration.bounded import BoundedSession
from console.migration.kept_copy import Kept
from console.migration.names import QualifiedName
from console.migration.probe import live_backend
from console.migration.transaction import session_settings
from console.ports import Context, Database, Report

_REMEDY = "Look whether the copy is there and not in use, then retry; or leave the step out: the copy does no harm."


class DiscardCopy:
    """`rollback.discard_copy`: drop the copy from which the schema was brought back.

    before: `table`, `transaction` (of the way back that used it).
    Evidence: `table`, `rows`, `transaction`, `discarded_at` (console's clock).
    """

    destructive = True

    def __init__(self, database: Database) -> None:
        self._database = database

    async def preview(self, ctx: Context) -> Preview:
        """What is in it, since when, and who used it. Raises StepFailed without a copy that was used."""
        with in_production(ctx, _REMEDY):
            kept = await self._kept(ctx)
            size = await self._database.fetch(
                "SELECT pg_size_pretty(pg_total_relation_size(to_regclass(%(name)s))) AS size", {"name": kept.name.sql}
            )
            rows = await self._rows(kept.name)
        return _preview(kept, rows, str(size[0]["size"]))

    async def probe(self, ctx: Context) -> Probe:
        """Done: the copy that was shown is gone. NotDone: it is there as it was. Unknown while a session of ours is."""
        before = recorded_before(ctx)
        name = QualifiedName.parse(before.text("table"))
        with in_production(ctx, _REMEDY):
            backend = await live_backend(self._database, ctx.marker)
            if backend is not None:
                return Unknown(f"A session of ours is still at work: pid {backend.pid}. Wait and look again.")
            exists = await catalog.resolve(self._database, str(name)) is not None
            kept = await kept_copy.find_kept(self._database, name)
        if not exists:
            return Done(_evidence(ctx, str(name), before.text("transaction"), rows=None))
        if _transaction(kept) == before.text("transaction"):
            return NotDone(f"{name} is there as it was shown.")
        return Unknown(f"{name} is there, but it is not the copy that was shown.")

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Drop it. Raises StepFailed (WorldChanged, OutcomeUnknown)."""
        migration, before = ctx.plan.migration, recorded_before(ctx)
        with in_production(ctx, _REMEDY):
            kept = await self._kept(ctx)
            if (str(kept.name), _transaction(kept)) != (before.text("table"), before.text("transaction")):
                raise WorldChanged(
                    f"The copy that was shown is {before.text('table')}; there is {kept.name} now.",
                    remedy="Look at it again.",
                )
            rows = await self._rows(kept.name)
            await report(Progress(f"dropping {kept.name}"))
            async with self._database.session(ctx.marker, settings=session_settings(migration)) as session:
                await kept_copy.discard(BoundedSession(session, migration.statement_timeout), migration, kept)
        return _evidence(ctx, str(kept.name), before.text("transaction"), rows)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """No relation bears the copy's name."""
        name = str(evidence.data.get("table") or ctx.before.get("table") or "")
        with in_production(ctx, _REMEDY):
            if name and await catalog.resolve(self._database, name) is not None:
                raise VerificationFailed(f"{name} is still there.")

    async def _kept(self, ctx: Context) -> Kept:
        """The copy that this run's way back put aside; without its record, the only one that there is."""
        left = left_by(ctx, "rollback.schema")
        if left is not None and "kept_copy" in left:
            name = QualifiedName.parse(left.text("kept_copy"))
            kept = await kept_copy.find_kept(self._database, name)
            if kept is None or kept.reverted is None:
                raise StepFailed(f"{name} is not there any more, or it is not the copy that this run put aside.")
            return kept
        table = await catalog.resolve_table(self._database, ctx.plan.migration.table)
        near = QualifiedName(table.schema, ctx.plan.migration.saved_copy.rpartition(".")[2])
        found = await kept_copy.kept_copies(self._database, ctx.plan.migration, near)
        if len(found) != 1:
            names = listed(str(each.name) for each in found)
            raise StepFailed(
                f"Which copy is to be removed is not known: {names} {'was' if not found else 'were'} put aside.",
                remedy="Drop by hand what nobody needs, and leave this step out.",
            )
        return found[0]

    async def _rows(self, name: QualifiedName) -> int:
        rows = await self._database.fetch(f"SELECT count(*) AS rows FROM {name.sql}")  # noqa: S608
        return int(str(rows[0]["rows"]))


def _transaction(kept: Kept | None) -> str:
    return str(kept.reverted.transaction) if kept is not None and kept.reverted is not None else ""


def _preview(kept: Kept, rows: int, size: str) -> Preview:
    origin, reverted = kept.origin, kept.reverted
    undecided = reverted.undecided if reverted is not None else ()
    used = f"by {reverted.marker} at {reverted.at}" if reverted is not None else "not yet"
    columns = tuple(Line(f"{column.name} {column.type}") for column in origin.columns)
    open_rows = [
        Line(
            f"key {row.get('key')}: {quoted(_text(row.get('value')))}, got {quoted(_text(row.get('given')))}",
            tone=Tone.WARNING,
        )
        for row in undecided[:SHOWN]
    ]
    if len(undecided) > SHOWN:
        open_rows.append(Line(f"… and {counted(len(undecided) - SHOWN, 'row')} more", tone=Tone.WARNING))
    left = (
        Line(
            f"{counted(len(undecided), 'row')} may still wait for a person: this list goes with the copy, and stays in "
            "the record of the run.",
            tone=Tone.WARNING,
        ),
    )
    found = (
        Section(f"Columns, by {origin.key}", columns),
        Section("Left to a person by the way back", tuple(open_rows)),
    )
    return Preview(
        summary=f"Remove {kept.name}: {counted(rows, 'row')} as they were before migration {origin.migration}",
        facts=(
            Fact("table", str(kept.name)),
            Fact("made", f"by {origin.marker} at {origin.at}, transaction {origin.transaction}"),
            Fact("brought back", used),
        ),
        readings=(Reading("rows", f"{rows:,}"), Reading("size", size)),
        consequences=(
            Line(f"Drops the table {kept.name}: it cannot be brought back from it again.", tone=Tone.DANGER),
            Line(f"{origin.table} has all that it held, but for what users changed since.", tone=Tone.GOOD),
            *(left if undecided else ()),
        ),
        sections=tuple(section for section in found if section.lines),
        before={"table": str(kept.name), "transaction": _transaction(kept)},
    )


def _evidence(ctx: Context, table: str, transaction: str, rows: int | None) -> Evidence:
    what = counted(rows, "row") if rows is not None else "its rows were not counted"
    return Evidence(
        f"{table} is removed ({what})",
        {"table": table, "rows": rows, "transaction": transaction, "discarded_at": moment_text(ctx.clock.now())},
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
