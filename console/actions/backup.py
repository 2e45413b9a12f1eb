"""The export at the provider: asked for once, recognised as ours, waited for within bounds.

The provider's answer to the request names no export. Ours is the one that was not in the list before and
was created since; two such are nobody's until a person says so. A request whose answer was lost is looked
for before it is sent again.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from console.actions.counting import counts_json
from console.actions.handover import Record, json_texts, moment_text, recorded_before, unfinished
from console.actions.production import in_production
from console.actions.waiting import looks, patience
from console.actions.wording import at, counted, lasting
from console.domain.hosting import Export, RecoveryWindow
from console.domain.outcome import Done, Evidence, Fact, Line, NotDone, Preview, Probe, Progress, Reading, Section, Tone
from console.domain.outcome import Unknown as UnknownOutcome
from console.domain.plan import Json
from console.errors import HostingError, OutcomeUnknown, StepFailed, Stopped, VerificationFailed
from console.ports import Backups, Context, Database, Hosting, Report

# The provider's time comes from a header of whole seconds.
_GRAIN = timedelta(seconds=1)
_SENDS = 3
_SECONDS_TO_APPEAR = 6.0
_TIMES_PLANNED = 3.0
_LEAST_PATIENCE = 45.0
_REMEDY = "Look at the database's exports in the provider's dashboard, then retry."


class BackupExport:
    """`backup.export`: ask for a logical backup and wait until it is ready.

    before: `exports` (ids), `provider_time`, `server_time` (the database's), `snapshot` (pg_current_snapshot),
    `counts`, and `adopt` (id) when an unfinished attempt's own export goes on. Durable progress: `known` (ids when it
    was asked for), `export`.
    Evidence: `export`, `created_at`, `postgres`, `provider_time`, `server_time`, `snapshot_before`, `snapshot_after`,
    `counts_before`, `counts_after` (see `console.actions.counting`), `recovery` (`status`, `starts_at`).
    """

    destructive = False

    def __init__(self, hosting: Hosting, backups: Backups, database: Database) -> None:
        self._hosting = hosting
        self._backups = backups
        self._database = database

    async def preview(self, ctx: Context) -> Preview:
        """What will be exported, the recovery window, who else exports; records the world as it is."""
        with in_production(ctx, _REMEDY):
            instance = await self._backups.postgres(ctx.plan.database.postgres_id)
            window = await self._backups.recovery(instance.id)
            exports = await self._backups.exports(instance.id)
            adopted = await self._unfinished(ctx, exports)
            before = adopted if adopted is not None else await self._world(exports)
            tables = Record("", before).record("counts").data
        running = [export for export in exports if export.url is None]
        return Preview(
            summary=f"Ask the provider for a logical backup of {instance.name} and wait until it is ready",
            facts=(
                Fact("database instance", f"{instance.name} ({instance.id})"),
                Fact("PostgreSQL", instance.version),
            ),
            readings=(
                Reading("instance", instance.status),
                Reading("tables counted", str(len(tables))),
                Reading("exports kept by the provider", str(len(exports))),
                Reading("point-in-time recovery", _recovery_text(window)),
            ),
            consequences=(Line("Reads the database; changes nothing in it.", tone=Tone.GOOD),),
            sections=(Section("Exports that are being made now", tuple(_export_line(e) for e in running)),)
            if running
            else (),
            before=before,
        )

    async def probe(self, ctx: Context) -> Probe:
        """Done when exactly one export was made since `before` and is ready."""
        with in_production(ctx, _REMEDY):
            ours = _new(await self._exports(ctx), ctx.before, _known(ctx.before, ctx.recorded))
            recognised = {str(data["export"]) for data in ctx.recorded if "export" in data}
            ours = [export for export in ours if export.id in recognised] or ours
            if len(ours) > 1:
                return _two(ours)
            if not ours:
                return NotDone("No export was made since this step started.")
            if ours[0].url is None:
                return NotDone(f"The export of {at(ours[0].created_at)} is still being made; waiting goes on.")
            return Done(await self._evidence(ctx, ours[0]))

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Ask, recognise, wait. Raises StepFailed when it is not ready in three times the planned time."""
        with in_production(ctx, _REMEDY):
            known = _known(ctx.before, ctx.recorded)
            if "adopt" not in ctx.before:
                await self._let_others_finish(ctx, report)
                known |= {export.id for export in await self._exports(ctx)}
                await self._ask(ctx, known, report)
            return await self._evidence(ctx, await self._ready(ctx, known, report))

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The export is in the provider's list, ready, and not older than this run."""
        with in_production(ctx, _REMEDY):
            exports = await self._exports(ctx)
        wanted = evidence.data.get("export")
        since = ctx.state.created_at
        for export in exports:
            ours = export.id == wanted if wanted else since is None or export.created_at >= since - _GRAIN
            if ours and export.url is not None:
                return
        raise VerificationFailed(
            f"The provider lists no finished export {wanted}."
            if wanted
            else "The provider lists no finished export that was made during this run.",
            remedy=_REMEDY,
            lines=tuple(_export_line(export).text for export in exports),
        )

    async def _world(self, exports: Sequence[Export]) -> dict[str, Json]:
        provider_time = await self._hosting.now()
        return {
            "exports": json_texts(export.id for export in exports),
            "provider_time": moment_text(provider_time),
            "server_time": moment_text((await self._database.identity()).server_time),
            "snapshot": await _snapshot(self._database),
            "counts": counts_json(await self._database.counts()),
        }

    async def _unfinished(self, ctx: Context, exports: Sequence[Export]) -> dict[str, Json] | None:
        """The `before` of an attempt that ended without success and whose export may still become ready."""
        earlier = unfinished(ctx)
        if "provider_time" not in earlier.before:
            return None
        ours = _new(exports, earlier.before, _known(earlier.before, earlier.progress))
        if len(ours) != 1:
            return None
        age = (await self._hosting.now() - ours[0].created_at).total_seconds()
        if ours[0].url is None and age > _limit(ctx):
            return None
        return {**earlier.before, "adopt": ours[0].id}

    async def _let_others_finish(self, ctx: Context, report: Report) -> None:
        """Wait while somebody else's export is being made: the provider makes one at a time.

        One that is older than our patience is taken for stalled; then the provider decides.
        """
        limit = _limit(ctx)
        async for elapsed in looks(ctx.clock, limit):
            _may_stop(ctx, "Nothing was asked for.")
            now = await self._hosting.now()
            running = [e for e in await self._exports(ctx) if e.url is None]
            young = [e for e in running if (now - e.created_at).total_seconds() <= limit]
            if not young:
                return
            text = f"somebody else's export of {at(young[0].created_at)} is being made: waiting for it"
            await report(Progress(text, share=min(elapsed / limit, 1.0)))
        raise StepFailed(
            f"Somebody else's export has been in the way for {lasting(limit)}; the provider makes one at a time.",
            remedy="Wait for it in the provider's dashboard, then retry.",
        )

    async def _ask(self, ctx: Context, known: set[str], report: Report) -> None:
        data: dict[str, Json] = {"known": json_texts(sorted(known))}
        await report(Progress("asking the provider for an export", data=data, durable=True))
        message = ""
        for _ in range(_SENDS):
            try:
                await self._backups.request_export(ctx.plan.database.postgres_id)
                return
            except HostingError as error:
                if error.status is not None and error.status < 500:
                    raise
                if error.sent and await self._appeared(ctx, known):
                    return
                message = error.message
        raise StepFailed(
            f"The provider did not take the request for an export: {_SENDS} times without an answer that says so, "
            f"and none has appeared in its list. Last: {message}",
            remedy=_REMEDY,
        )

    async def _appeared(self, ctx: Context, known: set[str]) -> bool:
        """Whether a request whose answer was lost was carried out, seen in the list within some seconds."""
        try:
            async for _ in looks(ctx.clock, _SECONDS_TO_APPEAR):
                if _new(await self._exports(ctx), ctx.before, known):
                    return True
        except HostingError as error:
            raise OutcomeUnknown(
                f"An export was asked for and the answer was lost; the list cannot be read either: {error.message}",
                remedy="When the provider answers again, let the console look for it.",
            ) from error
        return False

    async def _ready(self, ctx: Context, known: set[str], report: Report) -> Export:
        limit = _limit(ctx)
        mine = str(ctx.before.get("adopt", ""))
        async for elapsed in looks(ctx.clock, limit):
            new = _new(await self._exports(ctx), ctx.before, known)
            ours = [export for export in new if not mine or export.id == mine]
            if len(ours) > 1:
                unknown = _two(ours)
                raise OutcomeUnknown(unknown.known, remedy=_REMEDY, lines=tuple(x.text for x in unknown.lines))
            if ours and not mine:
                mine = ours[0].id
                await report(Progress(f"export {mine} is being made", data={"export": mine}, durable=True))
            if ours and ours[0].url is not None:
                return ours[0]
            _may_stop(ctx, "The export itself goes on at the provider.")
            await report(Progress(f"the export is being made, {lasting(elapsed)}", share=min(elapsed / limit, 1.0)))
        raise StepFailed(
            f"The export {mine or 'that was asked for'} is not ready after {lasting(limit)}"
            + (f" (planned: at most {lasting(ctx.step.planned.high / ctx.clock.pace)})." if ctx.step.planned else "."),
            remedy="Look at the export in the provider's dashboard. Retry asks for another one; without an export, "
            "point-in-time recovery is the only way back.",
        )

    async def _evidence(self, ctx: Context, export: Export) -> Evidence:
        before = recorded_before(ctx)
        snapshot = await _snapshot(self._database)
        counts = await self._database.counts()
        window = await self._backups.recovery(ctx.plan.database.postgres_id)
        recovery: dict[str, Json] = {"status": window.status}
        if window.starts_at is not None:
            recovery["starts_at"] = moment_text(window.starts_at)
        data: dict[str, Json] = {
            "export": export.id,
            "created_at": moment_text(export.created_at),
            "postgres": ctx.plan.database.postgres_id,
            "provider_time": before.text("provider_time"),
            # A `before` of an older console has no time of the server's.
            "server_time": str(before.data.get("server_time", before.text("provider_time"))),
            "snapshot_before": before.text("snapshot"),
            "snapshot_after": snapshot,
            "counts_before": dict(before.record("counts").data),
            "counts_after": counts_json(counts),
            "recovery": recovery,
        }
        rows = sum(count.rows for count in counts)
        return Evidence(
            f"Export {export.id} of {at(export.created_at)} is ready; recovery {_recovery_text(window)}",
            data,
            (Section("Counted around it", (Line(f"{counted(len(counts), 'table')}, {counted(rows, 'row')}"),)),),
        )

    async def _exports(self, ctx: Context) -> tuple[Export, ...]:
        return await self._backups.exports(ctx.plan.database.postgres_id)


def _known(before: Mapping[str, Json], progress: Sequence[Mapping[str, Json]]) -> set[str]:
    """The exports that were there before ours was asked for: at the preview and, where that was waited for, after."""
    records = [Record("the list of exports", data) for data in progress]
    later = {export_id for record in records for export_id in record.texts("known")}
    return later | set(Record("the list of exports", before).texts("exports"))


def _new(exports: Sequence[Export], before: Mapping[str, Json], known: set[str]) -> list[Export]:
    """The exports that were not there before, and were made since."""
    since = Record("this step", before).moment("provider_time") - _GRAIN
    return [export for export in exports if export.id not in known and export.created_at >= since]


def _two(exports: Sequence[Export]) -> UnknownOutcome:
    return UnknownOutcome(
        f"{len(exports)} exports were made since this step started; which is ours cannot be told.",
        tuple(_export_line(export) for export in exports),
    )


def _limit(ctx: Context) -> float:
    return patience(ctx.step.planned, ctx.clock, times=_TIMES_PLANNED, floor=_LEAST_PATIENCE)


def _may_stop(ctx: Context, what_goes_on: str) -> None:
    if ctx.stopping():
        raise Stopped(f"Stopped while waiting for the export. {what_goes_on}", remedy="Retry when you are ready.")


def _export_line(export: Export) -> Line:
    state = "ready" if export.url is not None else "being made"
    return Line(f"{export.id} of {export.created_at:%Y-%m-%d} {at(export.created_at)}", note=state)


def _recovery_text(window: RecoveryWindow) -> str:
    if window.starts_at is None:
        return window.status
    return f"{window.status} since {window.starts_at:%Y-%m-%d} {at(window.starts_at)}"


async def _snapshot(database: Database) -> str:
    rows = await database.fetch("SELECT pg_current_snapshot()::text AS snapshot")
    return str(rows[0]["snapshot"])
