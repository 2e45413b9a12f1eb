"""Whoever watches could change nothing: what the watching process loads and what it opens."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.domain.wire import encode_plan
from console.engine.journal import FileJournal
from tests.engine.following import ME, PLAN, RUN
from tests.engine.test_death import live
from tests.engine.world import FakeWorld

READ_ONLY = """
import os, sys

TOUCHES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "os.truncate", "os.link",
           "os.symlink", "os.utime", "socket.connect", "socket.bind", "subprocess.Popen", "os.exec", "os.fork",
           "os.posix_spawn", "shutil.", "fcntl.lockf")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
found = []

def heard(event, arguments):
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES:
        found.append(("open", str(arguments[0]), arguments[2]))
    elif event.startswith(TOUCHES):
        found.append((event, str(arguments)))

sys.addaudithook(heard)
if sys.argv[1] == "screens":
    import asyncio
    from screens.app import ConsoleApp
    run = ConsoleApp.run_async

    async def headless(self):
        async def keys(pilot):
            while self.listening is None:
                await asyncio.sleep(0.02)
            await pilot.pause()
            for key in ("down", "l", "escape", "r", "escape", "question_mark", "escape", "i", "enter", "t",
                        "home", "space", "right", "l", "t", "q"):
                await pilot.press(key)
                await pilot.pause()
            self.exit()
        async with self.run_test(headless=True, size=(120, 36)) as pilot:
            await keys(pilot)

    ConsoleApp.run_async = headless
    from pathlib import Path
    from console.cli.watch import watch
    code = int(watch(sys.argv[2], Path("config.toml"), Path(sys.argv[3]), as_json=False, terminal=True))
else:
    sys.argv = ["release-console", "watch", sys.argv[2], "--directory", sys.argv[3], "--json"]
    from console.cli import main
    try:
        main()
    except SystemExit as end:
        code = end.code
print("modules", *sorted(sys.modules), file=sys.stderr)
print("touched", found, file=sys.stderr)
sys.exit(code)
"""

FORBIDDEN = ("httpx", "psycopg", "git", "pydantic", "starlette", "uvicorn", "websockets", "apprise")
ROOMS = ("adapters", "actions", "preflight", "sandbox", "migration", "secrets", "config")
DRIVING = ("console.engine.conductor", "console.engine.writer", "console.engine.desk", "console.cli.session")


@pytest.mark.parametrize("how", ["lines", "screens"])
async def test_whoever_watches_holds_nothing_that_could_change_anything(tmp_path: Path, how: str) -> None:
    """What the process loaded, and what it opened: nothing for writing, no connection, no process, no lock kept."""
    journal = FileJournal.create(tmp_path / "runs" / RUN, RUN, encode_plan(PLAN), ME)
    await live(journal, FakeWorld())
    await journal.close()
    command = (sys.executable, "-B", "-c", READ_ONLY, how, RUN, str(tmp_path))
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "TERM": "xterm-256color"}
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=120, env=environment, cwd=Path.cwd()
    )
    assert done.returncode == 0, done.stderr
    modules = set(next(line for line in done.stderr.splitlines() if line.startswith("modules ")).split()[1:])
    assert "console.engine.follow" in modules
    loaded = {name for name in modules if name.split(".")[0] in FORBIDDEN or name in DRIVING}
    loaded |= {name for name in modules if name.startswith("console.") and name.split(".")[1] in ROOMS}
    assert not loaded
    assert "touched []" in done.stderr
    assert not (tmp_path / "home").exists()
