"""Rehearsals: a sandbox is brought up under the run's folder, and the plan is driven against it."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from console.cli.exits import Exit, describe
from console.cli.folders import fresh_run_id, state_directory
from console.cli.production import load_plan
from console.cli.session import Session, opened
from console.domain.plan import Json
from console.domain.state import RunStatus
from console.domain.summary import production_sentence
from console.engine.journal import JOURNAL_FILE
from console.errors import SandboxError

if TYPE_CHECKING:
    from console.sandbox.client import WorldHandle

_ORDER_FILE = "rehearsal.json"
_WORLD = "sandbox"
_TOUCH_S = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """What `rehearse` was asked for on the command line."""

    config: Path
    auto: bool
    json: bool
    faults: tuple[str, ...]
    pace: float
    accounts: int
    resume: bool
    directory: Path | None


@dataclass(frozen=True, slots=True)
class Order:
    """What a rehearsal is: kept beside its journal, so that it can be resumed from any moment of its life."""

    config: str
    faults: list[str]
    pace: float
    accounts: int


async def rehearse_plan(options: Options) -> Exit:
    """Bring a world up (or find the last open one), drive the plan in it, and end it when the run is finished."""
    from console.sandbox.faults import KINDS, parse_fault

    if "list" in options.faults:
        print("\n".join(f"{kind.name:<22}{kind.description}" for kind in KINDS))
        return Exit.DONE
    for fault in options.faults:
        parse_fault(fault)
    state = state_directory(options.config, options.directory)
    folder = _last_open(state) if options.resume else None
    resumed = folder is not None
    if folder is None:
        folder = _new_folder(state, options)
    order = Order(**json.loads((folder / _ORDER_FILE).read_text()))
    if options.resume and not options.json:
        _say(f"Going on with {folder.name}." if resumed else "No rehearsal is open: this is a new one.")
    async with _world(folder, order, quiet=options.json) as world:
        plan = None if _has_journal(folder) else load_plan(Path(world.info.overlay))
        async with opened(folder, plan, pace=order.pace, rehearsal=True) as session:
            if options.auto:
                code = await _unattended(session, world, options, resumed=resumed)
            else:
                code = await _by_hand(session)
        if code is not Exit.OPEN:
            await world.down()
    return code


async def _unattended(session: Session, world: "WorldHandle", options: Options, *, resumed: bool) -> Exit:
    from console.cli.unattended import exit_of, fly, say_where_it_stopped
    from console.report.summary import summary

    outcome = await fly(session, as_json=options.json, retry_failed=resumed)
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
    if options.json:
        print(json.dumps(report, separators=(",", ":")), flush=True)
    else:
        print(json.dumps(report, indent=2, ensure_ascii=False), flush=True)
    if code is Exit.OPEN and not options.json:
        say_where_it_stopped(session, outcome)
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


async def _by_hand(session: Session) -> Exit:
    from console.cli.by_hand import steer

    return await steer(session)


@asynccontextmanager
async def _world(folder: Path, order: Order, *, quiet: bool) -> AsyncIterator["WorldHandle"]:
    """The rehearsal's world, kept alive meanwhile. It outlives this process unless it is told to end."""
    from console.sandbox.client import attach, up
    from console.sandbox.world_spec import load_spec

    say = (lambda text: None) if quiet else _say
    place = folder / _WORLD
    if load_spec(place) is not None:
        world = await attach(place, say=say)
    else:
        world = await up(
            place, faults=order.faults, pace=order.pace, accounts=order.accounts, plan=Path(order.config), say=say
        )
    keeping = asyncio.create_task(_keep_alive(world))
    try:
        yield world
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping


async def _keep_alive(world: "WorldHandle") -> None:
    while True:
        await asyncio.sleep(_TOUCH_S)
        with contextlib.suppress(SandboxError):  # the run itself will say that its world is gone
            await world.touch()


async def sandbox_until_interrupted(
    config: Path, *, json: bool, faults: tuple[str, ...], pace: float, accounts: int, directory: Path | None
) -> Exit:
    """Build a world, print where it is reached, and end it on an interrupt."""
    import json as encoder
    import signal

    from console.sandbox.client import up

    place = (directory or state_directory(config, None) / "sandboxes" / fresh_run_id()).resolve()
    load_plan(config)
    interrupted = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    say = (lambda text: None) if json else _say
    world = await up(place, faults=faults, pace=pace, accounts=accounts, plan=config.resolve(), say=say)
    print(encoder.dumps(world.endpoints(), indent=None if json else 2), flush=True)
    if not json:
        _say(f"Drive it: release-console --config {world.info.overlay}")
        _say("Ctrl+C ends it.")
    keeping = asyncio.create_task(_keep_alive(world))
    await interrupted.wait()
    keeping.cancel()
    await world.down()
    return Exit.DONE


async def sandbox_down(directory: Path | None, state: Path) -> Exit:
    """End the world in a folder, or every world that is up under the state directory."""
    from console.sandbox.client import attach, is_owned
    from console.sandbox.state_files import read_world_info

    places = [directory.resolve()] if directory else [*state.glob("sandboxes/*"), *state.glob(f"rehearsals/*/{_WORLD}")]
    ended = 0
    for place in places:
        # A supervisor that was killed left its file and its servers: it is started again to end them in order.
        if is_owned(place) or read_world_info(place) is not None:
            await (await attach(place)).down()
            ended += 1
            _say(f"Ended {place}.")
    if not ended:
        _say("No sandbox is up.")
    return Exit.DONE if ended or directory is None else Exit.FAILED


def _new_folder(state: Path, options: Options) -> Path:
    from console.sandbox.private_files import write_private

    load_plan(options.config)
    folder = state / "rehearsals" / fresh_run_id()
    folder.mkdir(mode=0o700, parents=True)
    order = Order(str(options.config.resolve()), list(options.faults), options.pace, options.accounts)
    write_private(folder / _ORDER_FILE, json.dumps(asdict(order), indent=1))
    return folder


def _last_open(state: Path) -> Path | None:
    """The newest rehearsal that is not finished, or whose world a dying console left standing; None without any."""
    for order in sorted(state.glob(f"rehearsals/*/{_ORDER_FILE}"), reverse=True):
        folder = order.parent
        if not _has_journal(folder) or _is_open(folder) or _has_world(folder):
            return folder
    return None


def _has_world(folder: Path) -> bool:
    from console.sandbox.client import is_owned
    from console.sandbox.state_files import read_world_info

    place = folder / _WORLD
    return read_world_info(place) is not None and is_owned(place)


def _is_open(folder: Path) -> bool:
    from console.domain.fold import fold
    from console.domain.wire import decode_plan
    from console.engine.journal import read

    record = read(folder)
    return fold(decode_plan(record.plan_json), record.events).status is not RunStatus.FINISHED


def _has_journal(folder: Path) -> bool:
    return (folder / JOURNAL_FILE).is_file()


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)
