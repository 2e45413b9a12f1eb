"""The rehearsal's world as the command line uses it: brought up, kept alive, ended; also alone, without a run."""

import asyncio
import contextlib
import importlib
import json as encoder
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from console.cli.exits import Exit, describe
from console.cli.folders import fresh_run_id, state_directory
from console.cli.production import load_plan
from console.errors import SandboxError

if TYPE_CHECKING:
    from console.sandbox.client import WorldHandle

WORLD = "sandbox"
"""The folder of a rehearsal's world, in the rehearsal's own."""

_TOUCH_S = 60.0


@asynccontextmanager
async def world(
    place: Path,
    *,
    faults: list[str],
    pace: float,
    accounts: int,
    plan: Path,
    say: Callable[[str], None],
    shared: bool = False,
) -> AsyncIterator["WorldHandle"]:
    """The world in a folder, brought up where there is none, and kept alive meanwhile.

    It outlives this process unless it is told to end; `shared`: one with a server for a shared record.

    Raises ConfigError, SandboxError.
    """
    await asyncio.to_thread(importlib.import_module, "console.sandbox.client")

    from console.sandbox.client import attach, up
    from console.sandbox.world_spec import load_spec

    if load_spec(place) is not None:
        handle = await attach(place, say=say)
    else:
        handle = await up(place, faults=faults, pace=pace, accounts=accounts, plan=plan, shared=shared, say=say)
    keeping = asyncio.create_task(_keep_alive(handle))
    try:
        yield handle
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
    config: Path,
    *,
    json: bool,
    faults: tuple[str, ...],
    pace: float,
    accounts: int,
    directory: Path | None,
    shared: bool = False,
) -> Exit:
    """Build a world, print where it is reached, and end it on an interrupt."""
    from console.sandbox.client import up

    place = (directory or state_directory(config, None) / "sandboxes" / fresh_run_id()).resolve()
    load_plan(config)
    interrupted = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    say = say_nothing if json else say_aloud
    world = await up(place, faults=faults, pace=pace, accounts=accounts, plan=config.resolve(), shared=shared, say=say)
    if shared:
        from console.cli.shared_rehearsal import set_up

        await set_up(place, load_plan(Path(world.info.overlay)))
    endpoints = world.endpoints()
    if shared:
        from console.cli.shared_rehearsal import addresses

        endpoints["journal_url_files"] = {login: str(file) for login, file in addresses(place).items()}
    print(encoder.dumps(endpoints, indent=None if json else 2), flush=True)
    if not json:
        say_aloud(f"Drive it: release-console --config {world.info.overlay}")
        say_aloud("Ctrl+C ends it.")
    keeping = asyncio.create_task(_keep_alive(world))
    await interrupted.wait()
    keeping.cancel()
    await world.down()
    return Exit.DONE


async def sandbox_down(directory: Path | None, state: Path) -> Exit:
    """End the world in a folder, or every world that is up under the state directory."""
    from console.sandbox.client import attach, is_owned
    from console.sandbox.state_files import read_world_info

    places = [directory.resolve()] if directory else [*state.glob("sandboxes/*"), *state.glob(f"rehearsals/*/{WORLD}")]
    # A supervisor that was killed left its file and its servers: it is started again to end them in order.
    standing = [place for place in places if is_owned(place) or read_world_info(place) is not None]
    failed = False
    for place in standing:
        try:
            await (await attach(place)).down()
            say_aloud(f"Ended {place}.")
        except SandboxError as error:
            failed = True
            print(describe(error), file=sys.stderr)
    if not standing:
        say_aloud("No sandbox is up.")
    return Exit.FAILED if failed or (directory is not None and not standing) else Exit.DONE


def say_aloud(text: str) -> None:
    """Tell on standard error what is being done."""
    print(f"  {text}", file=sys.stderr, flush=True)


def say_nothing(text: str) -> None:
    """For those who want machine-readable lines only."""
