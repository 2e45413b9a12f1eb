"""An earlier state of the database in a new instance: the moment before the migration, or the exported backup.

What always holds: the instance in use is left as it is, whatever becomes of the new one; nothing uses the new one yet.
A backup is restored into an empty instance only: one that was half filled is left lying, and named.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.actions.backup_copy import intact_copy
from console.actions.databases import Databases
from console.actions.handover import Record, left_by, moment_text, must_have_left, recorded_before, unfinished
from console.actions.production import in_production
from console.actions.rollback.database_fence import source_of
from console.actions.rollback.database_ground import FENCE, WAYS_ON, fenced_instance, fenced_off
from console.actions.rollback.database_new import (
    AVAILABLE,
    Wanted,
    answering,
    available,
    begun,
    failed,
    free_name,
    named,
    planned_time,
)
from console.actions.rollback.database_price import EXPORT, MOMENT, loss_lines, mark_of
from console.actions.rollback.loss import measure
from console.actions.rollback.loss_marks import moment_to_recover, reachable_at
from console.actions.wording import at, lasting
from console.domain.hosting import PostgresInfo
from console.domain.loss import Loss
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
from console.domain.plan import Json
from console.domain.wire import WireError, decode
from console.errors import OutcomeUnknown, StepFailed, Stopped, VerificationFailed
from console.ports import Backups, Context, Instances, Report

ROWS_LOST = "Rows lost"
_LEAST_MARGIN = 20
_MARGIN = 0.2
_LONGEST_WAIT = 5.0
_SHORTEST_WAIT = 0.1


def limit_for(rows: int) -> int:
    """Up to how many lost rows a yes for `rows` stands: users go on writing until the fence."""
    return rows + max(_LEAST_MARGIN, math.ceil(rows * _MARGIN))


@dataclass(frozen=True, slots=True)
class _Aim:
    """What is to be made: from which instance, under which name, of which moment (None: from the backup)."""

    old: PostgresInfo
    name: str
    moment: datetime | None


class RollbackRecover:
    """`rollback.recover` {"from": "moment" | "export"}: a new instance with the state from before.

    before: `name` (of the new instance), `old_postgres_id`, `moment`, `requested_at`, `filled` (an unfinished attempt
    has restored the backup into it already).
    Durable progress: `asked` (name), `instance` (id), and for a backup `restoring`, `restored` (id).
    Evidence: `postgres_id`, `name`, `from`, `moment`, `requested_at`, `available_at`, `old_postgres_id`; `unproven` and
    `export` for a backup.
    """

    destructive = True

    def __init__(self, backups: Backups, instances: Instances, databases: Databases) -> None:
        self._backups = backups
        self._instances = instances
        self._databases = databases

    async def preview(self, ctx: Context) -> Preview:
        """The moment, when it can be reached, what is lost, what the new instance is called, what is kept."""
        with in_production(ctx, WAYS_ON, production=fenced_off(ctx)):
            known = await self._instances.all()
            aim = await self._aim(ctx, known)
            loss, where = await self._loss(ctx)
            reachable = await self._possible(ctx, aim)
        before: dict[str, Json] = {
            "name": aim.name,
            "old_postgres_id": aim.old.id,
            "moment": moment_text(aim.moment) if aim.moment is not None else "",
            "requested_at": moment_text(ctx.clock.now()),
            "filled": _filled_earlier(ctx, aim.name),
        }
        return _preview(ctx, aim, loss, where, reachable, before)

    async def probe(self, ctx: Context) -> Probe:
        """Done when the instance of the recorded name is available and, from a backup, was restored to its end."""
        before = recorded_before(ctx)
        name = before.text("name")
        with in_production(ctx, WAYS_ON):
            try:
                found = named(await self._instances.all(), name)
            except OutcomeUnknown as two:
                return Unknown(two.message, tuple(Line(line) for line in two.lines))
            if found is None:
                return NotDone(f"The provider has no instance called {name}.")
            if failed(found):
                return NotDone(f"{name} ({found.id}) has failed: {found.status}. Another one is asked for.")
            if found.status != AVAILABLE:
                return NotDone(f"{name} ({found.id}) is {found.status}; waiting for it goes on.")
            if source_of(ctx) == EXPORT and not (before.data.get("filled") or _said(ctx.recorded, "restored")):
                spoilt = _said(ctx.recorded, "restoring")
                return NotDone(f"{name} ({found.id}) is {'half filled: another is made' if spoilt else 'empty yet'}.")
            return Done(_evidence(ctx, found, _recorded_proof(ctx)))

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Wait until it is possible, ask once, wait until it is there; fill it from a backup."""
        with in_production(ctx, WAYS_ON, production=fenced_off(ctx)):
            before = recorded_before(ctx)
            old, name = before.text("old_postgres_id"), before.text("name")
            if before.text("moment"):
                moment = before.moment("moment")
                await _until_reachable(ctx, moment, report)

                async def recover() -> PostgresInfo:
                    return await self._instances.recover(old, moment, name=name)

                wanted = Wanted(name, recover, reachable_at(moment, ctx.clock))
            else:
                await report(Progress("hashing the copy of the backup"))
                await intact_copy(ctx, must_have_left(ctx, "backup.verify"))

                async def create() -> PostgresInfo:
                    return await self._instances.create(old, name=name)

                wanted = Wanted(name, create)
            new = await begun(ctx, self._instances, wanted, report)
            await report(Progress(f"{name} is {new.id}", data={"instance": new.id}, durable=True))
            new = await available(ctx, self._instances, new, report)
            await answering(ctx, self._databases, new, report)
            proof = {} if before.text("moment") else await self._fill(ctx, new, report)
            return _evidence(ctx, new, proof)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The new instance answers and takes writes; the old one is still there."""
        record = Record(f"“{ctx.step.title}”", evidence.data)
        with in_production(ctx, WAYS_ON, production=fenced_off(ctx)):
            if "postgres_id" not in record:
                raise VerificationFailed("Which instance was made is not on record.", remedy=WAYS_ON)
            database = await self._databases.of(ctx.plan, record.text("postgres_id"))
            identity = await database.identity()
            if identity.in_recovery:
                raise VerificationFailed("The new instance is still in recovery: it takes no writes.")
            ids = {each.id for each in await self._instances.all()}
            if fenced_instance(ctx) not in ids:
                raise VerificationFailed(f"The old instance {fenced_instance(ctx)} is not in the provider's list.")

    async def _aim(self, ctx: Context, known: Sequence[PostgresInfo]) -> _Aim:
        old_id = fenced_instance(ctx)
        old = next((each for each in known if each.id == old_id), None)
        if old is None:
            raise StepFailed(f"The provider has no instance {old_id}.", remedy="Look in the provider's dashboard.")
        moment = moment_to_recover(ctx.state) if source_of(ctx) == MOMENT else None
        label = "before" if source_of(ctx) == MOMENT else "backup"
        half_filled = _said(unfinished(ctx).progress, "restoring") and not _said(unfinished(ctx).progress, "restored")
        name = free_name(ctx, f"{old.name}-{label}-{ctx.plan.migration.version}", known, spoilt=half_filled)
        if source_of(ctx) == MOMENT and moment is None:
            mark_of(ctx.state, MOMENT)
        return _Aim(old, name, moment)

    async def _possible(self, ctx: Context, aim: _Aim) -> str:
        """From when on it can begin, in words. Raises StepFailed when it never can."""
        if aim.moment is None:
            copy = must_have_left(ctx, "backup.verify")
            return f"now, from the verified copy of {copy.number('size') / 1e6:,.1f} MB"
        window = await self._backups.recovery(aim.old.id)
        if window.status != "AVAILABLE" or (window.starts_at is not None and window.starts_at > aim.moment):
            since = f", since {at(window.starts_at)}" if window.starts_at is not None else ""
            raise StepFailed(
                f"The provider cannot recover {aim.moment:%Y-%m-%d %H:%M:%S} UTC: {window.status}{since}.",
                remedy="Choose another way back: the exported backup, or the schema from the saved copy.",
            )
        when = reachable_at(aim.moment, ctx.clock)
        left = (when - ctx.clock.now()).total_seconds()
        return f"from {at(when)} on, in {lasting(left)}" if left > 0 else "now"

    async def _loss(self, ctx: Context) -> tuple[Loss, str]:
        """What is lost: as counted at the fence, else as of now; and which of both it is."""
        fence = left_by(ctx, FENCE)
        if fence is not None and "loss" in fence:
            try:
                return decode(Loss, fence.data["loss"]), "counted at the fence"
            except WireError as error:
                raise StepFailed(
                    f"The count at the fence cannot be read: {error}", remedy="Reopen the fence."
                ) from error
        database = await self._databases.of(ctx.plan, fenced_instance(ctx))
        return await measure(database, mark_of(ctx.state, source_of(ctx)), ctx.state), "by now; users go on writing"

    async def _fill(self, ctx: Context, new: PostgresInfo, report: Report) -> dict[str, Json]:
        """Restore the backup into the new instance, once; what it could not prove."""
        if ctx.before.get("filled"):
            return {}
        path = await intact_copy(ctx, must_have_left(ctx, "backup.verify"))
        await report(Progress(f"restoring the backup into {new.name}", data={"restoring": new.id}, durable=True))
        proof = await self._instances.restore(new.id, path, report)
        data: dict[str, Json] = {"restored": new.id, "unproven": list(proof.unproven)}
        await report(Progress(f"restored in {lasting(proof.seconds)}", data=data, durable=True))
        return {"unproven": list(proof.unproven)}


async def _until_reachable(ctx: Context, moment: datetime, report: Report) -> None:
    """Wait until the provider can recover the moment: a planned wait, which a rehearsal's pace divides."""
    when, began = reachable_at(moment, ctx.clock), ctx.clock.now()
    whole = (when - began).total_seconds()
    while (left := (when - ctx.clock.now()).total_seconds()) > 0:
        if ctx.stopping():
            raise Stopped("Stopped while waiting for the moment to be reachable. Nothing was asked for.")
        text = f"the provider cannot recover the last ten minutes: {lasting(left)} until it can, at {at(when)}"
        await report(Progress(text, share=1 - left / whole, safe_point="at once: nothing was asked for yet"))
        await ctx.clock.sleep(min(max(left, _SHORTEST_WAIT), _LONGEST_WAIT))


def _preview(ctx: Context, aim: _Aim, loss: Loss, where: str, reachable: str, before: Mapping[str, Json]) -> Preview:
    span = planned_time(ctx.plan)
    what = f"{aim.moment:%Y-%m-%d %H:%M:%S.%f} UTC" if aim.moment is not None else "the exported backup"
    summary = f"Recover {what} into {aim.name}" if aim.moment is not None else f"Restore the backup into {aim.name}"
    return Preview(
        summary=summary,
        facts=(
            Fact("from", f"{aim.old.name} ({aim.old.id})"),
            Fact("state of", what),
            Fact("new instance", aim.name),
        ),
        readings=(
            Reading(
                ROWS_LOST,
                f"{loss.rows:,}, {where}",
                Tone.DANGER if loss.rows else Tone.GOOD,
                limit=limit_for(loss.rows),
                amount=loss.rows,
            ),
            Reading("can begin", reachable),
            Reading("expected to take", f"{lasting(span.low)} to {lasting(span.high)}"),
        ),
        consequences=(
            Line("What users wrote since is not in the new instance.", tone=Tone.DANGER if loss.rows else Tone.PLAIN),
            Line(f"{aim.old.name} ({aim.old.id}) is kept as it is, with every row.", tone=Tone.GOOD),
            Line("No service uses the new instance yet; it costs money from now on."),
        ),
        sections=(Section(f"Lost, {where}", loss_lines(loss)),),
        before=before,
    )


def _evidence(ctx: Context, new: PostgresInfo, proof: Mapping[str, Json]) -> Evidence:
    before = recorded_before(ctx)
    moment = before.text("moment")
    backup = left_by(ctx, "backup.export")
    data: dict[str, Json] = {
        "postgres_id": new.id,
        "name": new.name,
        "from": EXPORT if not moment else MOMENT,
        "moment": moment or (backup.text("created_at") if backup is not None else ""),
        "requested_at": before.text("requested_at"),
        "available_at": moment_text(ctx.clock.now()),
        "old_postgres_id": before.text("old_postgres_id"),
        **proof,
    }
    what = f"the state of {before.moment('moment'):%H:%M:%S} UTC" if moment else "the exported backup"
    took = (ctx.clock.now() - before.moment("requested_at")).total_seconds()
    return Evidence(f"{new.name} ({new.id}) holds {what}, after {lasting(took)}", data)


def _filled_earlier(ctx: Context, name: str) -> bool:
    earlier = unfinished(ctx)
    return earlier.before.get("name") == name and (
        earlier.before.get("filled") is True or _said(earlier.progress, "restored")
    )


def _said(progress: Sequence[Mapping[str, Json]], key: str) -> bool:
    return any(key in data for data in progress)


def _recorded_proof(ctx: Context) -> dict[str, Json]:
    found = next((data for data in reversed(ctx.recorded) if "unproven" in data), {})
    return {"unproven": found["unproven"]} if "unproven" in found else {}
