"""The copy of the backup: downloaded, restored for proof, counted, and still intact at the end.

A backup counts as verified only when it was restored into a scratch server and every table's rows were
counted there. What cannot be proven on that server is said by name; it is not called corrupt.
"""

import asyncio
import hashlib
import re
import stat
from datetime import timedelta
from pathlib import Path

from console.actions.counting import Comparison, compare, counts_from
from console.actions.handover import Record, json_texts, left_by, moment_text, must_have_left
from console.actions.production import in_production
from console.actions.wording import at, counted, lasting, size
from console.domain.hosting import Export
from console.domain.outcome import Evidence, Fact, Line, NotDone, Preview, Probe, Progress, Section, Tone
from console.domain.plan import Json
from console.errors import StepFailed, VerificationFailed
from console.ports import Backups, Context, Report, ScratchPostgres

_CHUNK = 1 << 20
_REMEDY = "Reopen the backup: a new export is made and verified."


class BackupVerify:
    """`backup.verify`: download the export and prove that it can be restored with every row in it.

    Evidence: `path`, `size` (bytes), `sha256`, `tables` ({name: rows}), `unproven` (sentences), `server`,
    `seconds` (of the restore), `archive_entries`.
    """

    destructive = False

    def __init__(self, backups: Backups, scratch: ScratchPostgres) -> None:
        self._backups = backups
        self._scratch = scratch

    async def preview(self, ctx: Context) -> Preview:
        """Which export goes where, and what it is compared with."""
        export = must_have_left(ctx, "backup.export")
        tables = len(export.record("counts_after").data)
        return Preview(
            summary="Download the export, restore it into a scratch server and compare every table's count",
            facts=(Fact("export", export.text("export")), Fact("kept at", str(_place(ctx, export.text("export"))))),
            consequences=(
                Line("Production is not touched; the copy stays on this machine, readable by you alone."),
                Line(f"{counted(tables, 'table')} must hold what was counted around the export."),
            ),
        )

    async def probe(self, ctx: Context) -> Probe:
        """Nothing outside is changed by this step, so nothing of it needs to be found."""
        return NotDone("Downloading and restoring again changes nothing but the copy.")

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Download, list, restore, count. Raises StepFailed with the tables that differ."""
        with in_production(ctx, _REMEDY):
            taken = must_have_left(ctx, "backup.export")
            export = await self._export(ctx, taken.text("export"))
            await report(Progress("downloading the export"))
            copy = await self._backups.download(export, _place(ctx, export.id), report)
            await report(Progress(f"downloaded {size(copy.size)}; reading the archive's table of contents"))
            path = Path(copy.path)
            entries = await self._scratch.listing(path)
            if not entries:
                raise StepFailed("The archive's table of contents is empty: there is nothing in this backup.")
            async with self._scratch.restored(path, report) as (restored, proof):
                counts = {count.table: count.rows for count in await restored.counts()}
            result = compare(
                counts_from(taken.record("counts_before")),
                counts_from(taken.record("counts_after")),
                counts,
                proof.unproven,
            )
            _judge(ctx, result)
        data: dict[str, Json] = {
            "path": copy.path,
            "size": copy.size,
            "sha256": copy.sha256,
            "tables": {table: rows for table, (rows, _) in result.proven.items()},
            "unproven": json_texts(result.unproven),
            "server": proof.server,
            "seconds": proof.seconds,
            "archive_entries": len(entries),
        }
        unproven = f"; {len(result.unproven)} not provable here" if result.unproven else ""
        return Evidence(
            f"{size(copy.size)}, restored into {proof.server} in {lasting(proof.seconds)}; "
            f"{counted(len(result.proven), 'table')} as counted{unproven}",
            data,
            _sections(result),
        )

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The copy lies where it was put, with its size, readable by its owner alone."""
        record = Record(f"“{ctx.step.title}”", evidence.data)
        with in_production(ctx, _REMEDY):
            if "path" not in record:
                raise VerificationFailed("There is no copy of the console's own to look at.")
            await asyncio.to_thread(_check_file, ctx, record)

    async def _export(self, ctx: Context, export_id: str) -> Export:
        for export in await self._backups.exports(ctx.plan.database.postgres_id):
            if export.id == export_id and export.url is not None:
                return export
        raise StepFailed(f"The provider lists no finished export {export_id} any more (it keeps them 7 days).")


class BackupRecord:
    """`backup.record`: the lines of the plan document: size, location, time; and the copy hashed anew.

    Evidence: `size` (bytes), `location`, `created_at`, `path`, `sha256`, `keep_until`, `recovery`.
    """

    destructive = False

    async def preview(self, ctx: Context) -> Preview:
        """Which copy is recorded."""
        copy = must_have_left(ctx, "backup.verify")
        return Preview(
            summary="Hash the copy once more and record its size, location and time",
            facts=(Fact("copy", copy.text("path")), Fact("SHA-256", copy.text("sha256"))),
        )

    async def probe(self, ctx: Context) -> Probe:
        """Nothing outside is changed by this step."""
        return NotDone("This step only reads the copy.")

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Hash the file. Raises VerificationFailed when it is not the one that was verified."""
        await report(Progress("hashing the copy"))
        with in_production(ctx, _REMEDY):
            return await self._record(ctx)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The copy is still there, as large as recorded, readable by its owner alone."""
        copy = left_by(ctx, "backup.verify")
        with in_production(ctx, _REMEDY):
            if copy is None:
                raise VerificationFailed("There is no copy of the console's own to look at.")
            await asyncio.to_thread(_check_file, ctx, copy)

    async def _record(self, ctx: Context) -> Evidence:
        taken, copy = must_have_left(ctx, "backup.export"), must_have_left(ctx, "backup.verify")
        path, octets, digest = await intact_copy(ctx, copy), int(copy.number("size")), copy.text("sha256")
        created = taken.moment("created_at")
        keep_until = ctx.clock.now() + timedelta(seconds=ctx.plan.database.keep_backup_for)
        location = f"Render PostgreSQL exports of {taken.text('postgres')}, {taken.text('export')}"
        recovery = taken.record("recovery")
        lines = (
            Line(f"Size: {size(octets)}", note=f"{octets:,} bytes"),
            Line(f"Location: {location}", note=f"copy: {path}"),
            Line(f"Time: {created:%Y-%m-%d} {at(created)}"),
            Line(f"SHA-256: {digest}"),
            Line(f"Point-in-time recovery: {recovery.data.get('status', 'not known')}"),
            Line(f"The copy is kept until {keep_until:%Y-%m-%d %H:%M} UTC"),
        )
        return Evidence(
            f"{size(octets)} of {at(created)}, intact",
            {
                "size": octets,
                "location": location,
                "created_at": moment_text(created),
                "path": str(path),
                "sha256": digest,
                "keep_until": moment_text(keep_until),
                "recovery": dict(recovery.data),
            },
            (Section("Backup", lines),),
        )


async def intact_copy(ctx: Context, copy: Record) -> Path:
    """Where the verified copy lies, hashed anew; `copy` is what `backup.verify` left.

    Whoever took the run over on another machine may have brought it into the run's folder there. Raises
    VerificationFailed when it is not there, or not the file that was verified.
    """
    path = await asyncio.to_thread(_check_file, ctx, copy)
    digest = await asyncio.to_thread(_sha256, path)
    if digest != copy.text("sha256"):
        raise VerificationFailed(
            "The copy is not the file that was verified.", lines=(f"verified: {copy.text('sha256')}", f"now: {digest}")
        )
    return path


def _place(ctx: Context, export_id: str) -> Path:
    # The id comes from outside: it must not lead out of the folder.
    return ctx.artifacts / f"{re.sub(r'[^A-Za-z0-9_-]', '_', export_id)}.dir.tar.gz"


def _judge(ctx: Context, result: Comparison) -> None:
    table = ctx.plan.migration.table
    if result.wrong:
        raise StepFailed(
            f"The backup does not hold what was in the database: {counted(len(result.wrong), 'table')} differ.",
            lines=result.wrong,
        )
    if not any(name == table or name.endswith(f".{table}") for name in result.proven):
        raise StepFailed(
            f"That {table} can be restored, the table which the migration changes, could not be proven.",
            remedy="Name a fuller scratch server in the plan (scratch_url_source), then retry.",
            lines=result.unproven,
        )


def _sections(result: Comparison) -> tuple[Section, ...]:
    proven = tuple(
        Line(f"{table}: {rows:,} rows", note=f"{limits} expected", tone=Tone.GOOD)
        for table, (rows, limits) in result.proven.items()
    )
    unproven = tuple(Line(statement, tone=Tone.WARNING) for statement in result.unproven)
    sections = (Section("Restored and counted", proven), Section("Not provable on this server", unproven))
    return tuple(section for section in sections if section.lines)


def _check_file(ctx: Context, copy: Record) -> Path:
    """Where the copy lies: as large as it was, and its owner's alone."""
    kept, octets = Path(copy.text("path")), int(copy.number("size"))
    brought = ctx.artifacts / kept.name
    path = kept if kept.is_file() else brought
    if not path.is_file():
        raise VerificationFailed(
            f"The copy of the backup is not at {kept} any more. If another machine made it, bring it from there to "
            f"{brought} (mode 0600) and retry."
        )
    status = path.stat()
    if status.st_size != octets:
        raise VerificationFailed(f"The copy has {status.st_size:,} bytes; it was verified with {octets:,}.")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise VerificationFailed(f"The copy at {path} can be read by others: make it mode 0600.")
    return path


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
