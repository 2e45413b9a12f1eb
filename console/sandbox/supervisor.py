"""The process that owns a world: `python -m console.sandbox.supervisor STATE_DIR`.

It runs in a session of its own and outlives the console. It ends when it is told to, on SIGTERM, or half an
hour after the last sign of life from a console; only the first deletes anything. What always holds: at most
one supervisor works in a folder, and `world.json` is there exactly while its world can be used.
"""

import asyncio
import fcntl
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from console.errors import ConsoleError
from console.sandbox.control import Attendance, Control
from console.sandbox.overlay import Endpoints, write_overlay
from console.sandbox.private_files import write_private
from console.sandbox.render.http_server import LoopbackServer
from console.sandbox.state_files import ENDED, LOCK, PROGRESS, WORLD, WorldInfo
from console.sandbox.world import World
from console.sandbox.world_spec import WorldSpec, load_spec

LIFE_WITHOUT_CONSOLE_S = 30 * 60.0
USERS_REST_AFTER_S = 150.0
_LOOK_EVERY_S = 0.2
_LOCK_TRIES = 20
_LOCK_PAUSE_S = 0.05

_log = logging.getLogger(__name__)


def main() -> None:
    """Own the world in the folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m console.sandbox.supervisor STATE_DIR")
    state_dir = Path(sys.argv[1]).resolve()
    os.umask(0o077)
    if os.getsid(0) != os.getpid():
        os.setsid()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Their lines name every request of the traffic, and every start of a server.
    for chatty in ("httpx", "uvicorn.error"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    with _only_one(state_dir):
        sys.exit(asyncio.run(_supervise(state_dir)))


async def _supervise(state_dir: Path) -> int:
    progress = Progress(state_dir / PROGRESS)
    spec = load_spec(state_dir)
    if spec is None:
        progress.failed(f"{state_dir} holds no order for a world")
        return 2
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    attendance = Attendance()
    try:
        world = World(state_dir, spec, lambda: attendance.idle_seconds < USERS_REST_AFTER_S)
    except ConsoleError as error:
        progress.failed(f"{error.message} {error.remedy}")
        return 1
    control = Control(world.report, spec.control_token, attendance)
    server = LoopbackServer(control.application())
    try:
        await world.start(progress.say)
        await server.start([spec.control_port])
        await _publish(state_dir, spec, world)
        progress.ready()
        await _until_the_end(control, attendance, told_to_stop)
    except Exception as error:
        # Whatever it was, the waiting client must hear of it; the log has the rest.
        _log.exception("the world did not come up")
        progress.failed(_in_words(error))
        return 1
    finally:
        (state_dir / WORLD).unlink(missing_ok=True)
        await server.stop()
        await world.stop()
    if control.ended.is_set():
        await world.remove()
        (state_dir / ENDED).touch()
    return 0


class Progress:
    """Tells the starting client, line by line, how far the start is."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def say(self, text: str) -> None:
        """What is being done now."""
        _log.info("%s", text)
        self._write("doing", text)

    def ready(self) -> None:
        """The world can be used."""
        self._write("ready", "")

    def failed(self, reason: str) -> None:
        """The world will not come up."""
        _log.error("%s", reason)
        self._write("failed", reason)

    def _write(self, kind: str, text: str) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps([os.getpid(), kind, text]) + "\n")


async def _publish(state_dir: Path, spec: WorldSpec, world: World) -> None:
    database = await world.database()
    endpoints = Endpoints(world.render_url, database.url, world.remote.url)
    overlay = write_overlay(state_dir, spec, endpoints)
    info = WorldInfo(
        render_url=endpoints.render_url,
        render_token=spec.render_token,
        owner_id=spec.owner_id,
        services=tuple(
            {
                "key": service.key,
                "id": service.id,
                "name": service.name,
                "environment": service.environment,
                "branch": service.branch,
                "url": service.url,
            }
            for service in spec.services
        ),
        postgres_id=spec.postgres_id,
        database_url=endpoints.database_url,
        git_remote=endpoints.git_remote,
        overlay=str(overlay),
        state_dir=str(state_dir),
        control_url=f"http://127.0.0.1:{spec.control_port}",
        control_token=spec.control_token,
        pid=os.getpid(),
    )
    write_private(state_dir / WORLD, json.dumps(asdict(info), indent=1))


async def _until_the_end(control: Control, attendance: Attendance, told_to_stop: asyncio.Event) -> None:
    while not (control.ended.is_set() or told_to_stop.is_set()):
        if attendance.idle_seconds > LIFE_WITHOUT_CONSOLE_S:
            _log.info("no console was heard of for half an hour")
            return
        await asyncio.sleep(_LOOK_EVERY_S)


@contextmanager
def _only_one(state_dir: Path) -> Iterator[None]:
    """Hold the folder's lock, which dies with the process; exit 3 when another supervisor has it."""
    with (state_dir / LOCK).open("w") as lock:
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # A client that looks whether the folder is owned holds the lock for an instant.
                time.sleep(_LOCK_PAUSE_S)
        else:
            sys.exit(3)
        yield


def _in_words(error: Exception) -> str:
    if isinstance(error, ExceptionGroup):
        return "; ".join(_in_words(one) for one in error.exceptions)
    return str(error) or type(error).__name__


if __name__ == "__main__":
    main()
