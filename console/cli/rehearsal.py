"""Rehearsals: a sandbox is brought up under the run's folder, and the plan is driven against it."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from console.cli.drive import Options
from console.cli.exits import Exit, describe, json_line
from console.cli.folders import fresh_run_id, must_be_enterable, state_directory
from console.cli.production import load_plan
from console.cli.sandbox import WORLD, say_aloud, say_nothing, world
from console.cli.session import Front, Session, driven, recorded
from console.cli.shared_rehearsal import DRIVER, address_of, set_up, shared_in, watch_command
from console.cli.shared_run import Shared
from console.domain.plan import Json, Plan
from console.domain.state import RunStatus
from console.domain.summary import production_sentence
from console.domain.untrusted import safe
from console.engine.journal import JOURNAL_FILE, read
from console.engine.runs import replay
from console.errors import JournalError, Refused, SandboxError

if TYPE_CHECKING:
    from console.sandbox.client import WorldHandle

_ORDER_FILE = "rehearsal.json"


@dataclass(frozen=True, slots=True)
class Order:
    """What a rehearsal is: kept beside its journal, so that it can be resumed from any moment of its life."""

    config: str
    faults: list[str]
    pace: float
    accounts: int
    way_back: str | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rehearsal lives; whether it is one that was open; what is to be said about others."""

    folder: Path
    resumed: bool
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A run that is open, and the world that it is driven in."""

    session: Session
    world: "WorldHandle"


async def rehearse_unattended(options: Options) -> Exit:
    """Drive the plan without a person, printing its events and what came of it."""
    place = _place(options)
    say = say_nothing if options.json else say_aloud
    for remark in place.remarks:
        say(remark)
    way_back = options.way_back or _order(place.folder).way_back
    async with _opened(place.folder, Front(say)) as rehearsal:
        return await _unattended(rehearsal, options, way_back, resumed=place.resumed)


def _place(options: Options) -> Place:
    """The folder of the rehearsal that is meant: the last open one, or a new one."""
    state = state_directory(options.config, options.directory)
    if not options.resume:
        return Place(_new_folder(state, options), resumed=False)
    folder, remarks = _last_open(state)
    if folder is not None:
        return Place(folder, True, (*remarks, f"Going on with {folder.name}."))
    if not options.terminal:
        raise Refused(
            f"No rehearsal is open under {state}.",
            production="Untouched: nothing was started.",
            remedy="Name its folder with --directory, or start a new one: release-console rehearse --auto.",
        )
    return Place(_new_folder(state, options), False, (*remarks, "No rehearsal is open: this is a new one."))


@asynccontextmanager
async def _opened(folder: Path, front: Front) -> AsyncIterator[Rehearsal]:
    """Open a rehearsal: its record first where it has one, then its world. A finished run's world is ended."""
    order = _order(folder)
    async with contextlib.AsyncExitStack() as stack:
        run = None
        if _has_journal(folder):
            shared = await asyncio.to_thread(shared_in, folder, front) if order.shared else None
            run = await stack.enter_async_context(recorded(folder, None, shared=shared))
            front.show(run)
        place = world(
            folder / WORLD,
            faults=order.faults,
            pace=order.pace,
            accounts=order.accounts,
            plan=Path(order.config),
            say=front.say,
            shared=order.shared,
        )
        handle = await stack.enter_async_context(place)
        if run is None:
            plan, shared = await _new_record(folder, Path(handle.info.overlay), front, shared=order.shared)
            run = await stack.enter_async_context(recorded(folder, plan, shared=shared))
            front.show(run)
        if order.shared:
            front.tell(f"Watch it from another terminal:\n{watch_command(folder)}")
        try:
            async with driven(run, pace=order.pace, rehearsal=True) as session:
                yield Rehearsal(session, handle)
        finally:
            if run.feed.state.status is RunStatus.FINISHED:
                await handle.down()


async def _new_record(folder: Path, overlay: Path, front: Front, *, shared: bool) -> tuple[Plan, Shared | None]:
    """The plan of a new rehearsal, and the store in which its record is shared; None where it is not.

    A rehearsal never speaks with the store that the plan itself names.
    """
    plan = await asyncio.to_thread(load_plan, overlay)
    if not shared:
        return replace(plan, journal_url_source=""), None
    world = folder / WORLD
    if not address_of(world, DRIVER).is_file():
        await set_up(world, plan)
    front.say(f"Watch it: {watch_command(folder)}")
    return plan, await asyncio.to_thread(shared_in, folder, front)


@asynccontextmanager
async def opened_by_hand(options: Options, front: Front) -> AsyncIterator[Session]:
    """Open a rehearsal that a person steers."""
    front.say("Preparing the rehearsal")
    place = await asyncio.to_thread(_place, options)
    for remark in place.remarks:
        front.say(remark)
    async with _opened(place.folder, front) as rehearsal:
        yield rehearsal.session


async def _unattended(rehearsal: Rehearsal, options: Options, way_back: str | None, *, resumed: bool) -> Exit:
    from console.cli.unattended import exit_of, fly, say_where_it_stopped
    from console.report.summary import summary

    session, world = rehearsal.session, rehearsal.world
    outcome = await fly(session, as_json=options.json, retry_failed=resumed, way_back=way_back)
    code = exit_of(session, outcome)
    state = session.feed.state
    report = summary(
        state,
        outcome=state.outcome if code is not Exit.OPEN else "open",
        production=outcome.production or production_sentence(state),
        journal=str(session.journal.directory),
        world=await _what_happened(world, needed=code is not Exit.OPEN),
        now=datetime.now(UTC),
    )
    # A machine reads it in the events, unless it is no step that stopped the run.
    if code is Exit.OPEN and (outcome.step is None or not options.json):
        say_where_it_stopped(session, outcome)
    if options.json:
        print(json_line(report), flush=True)
    else:
        print("\n".join(map(safe, json.dumps(report, indent=2, ensure_ascii=False).splitlines())), flush=True)
    return code


async def _what_happened(world: "WorldHandle", *, needed: bool) -> dict[str, Json] | None:
    """What the world says of itself. A run that stopped because its world is gone is told all the same: None."""
    try:
        return cast(dict[str, Json], await world.world())
    except SandboxError as error:
        if needed:
            raise
        print(describe(error), file=sys.stderr)
        return None


def _new_folder(state: Path, options: Options) -> Path:
    from console.sandbox.private_files import write_private

    must_be_enterable(load_plan(options.config), state)
    kept = state / "rehearsals"
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = kept / fresh_run_id()
    folder.mkdir(mode=0o700)
    order = Order(
        config=str(options.config.resolve()),
        faults=list(options.faults),
        pace=options.pace,
        accounts=options.accounts,
        way_back=options.way_back,
        shared=options.shared,
    )
    write_private(folder / _ORDER_FILE, json.dumps(asdict(order), indent=1))
    return folder


def _order(folder: Path) -> Order:
    """What a rehearsal was begun with. Raises JournalError."""
    try:
        return Order(**json.loads((folder / _ORDER_FILE).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise JournalError(
            f"What the rehearsal {folder.name} was begun with cannot be read: {error}.",
            production="Production is not concerned: this was a rehearsal.",
            remedy="Start a new rehearsal.",
        ) from error


def _last_open(state: Path) -> tuple[Path | None, tuple[str, ...]]:
    """The newest rehearsal that is not finished, or whose world a dying console left standing; None without any.

    Beside it what is to be said about rehearsals that cannot be read, and so not be gone on with.
    """
    remarks: list[str] = []
    for order in sorted(state.glob(f"rehearsals/*/{_ORDER_FILE}"), reverse=True):
        folder = order.parent
        try:
            if not _has_journal(folder) or _is_open(folder) or _has_world(folder):
                return folder, tuple(remarks)
        except JournalError as error:
            remarks.append(f"The rehearsal {folder.name} is left alone: {error.message}")
    return None, tuple(remarks)


def _has_world(folder: Path) -> bool:
    from console.sandbox.client import is_owned
    from console.sandbox.state_files import read_world_info

    place = folder / WORLD
    return read_world_info(place) is not None and is_owned(place)


def _is_open(folder: Path) -> bool:
    """Whether a rehearsal is not finished. Raises JournalError."""
    record = read(folder)
    return replay(record.plan_json, record.events)[1].status is not RunStatus.FINISHED


def _has_journal(folder: Path) -> bool:
    return (folder / JOURNAL_FILE).is_file()
