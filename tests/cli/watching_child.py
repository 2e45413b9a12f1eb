"""A process that watches, and tells on standard error what it did: run as `python -m … lines|screens RUN DIRECTORY …`.

`screens` goes through everything that can be opened, headless; `lines` is the command itself with `--json`, and with
whatever else was given.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = (
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.chmod",
    "os.chown",
    "os.truncate",
    "os.link",
    "os.symlink",
    "os.utime",
    "os.setxattr",
    "os.system",
    "os.exec",
    "os.fork",
    "os.kill",
    "os.posix_spawn",
    "os.spawn",
    "pty.spawn",
    "shutil.",
    "socket.connect",
    "socket.bind",
    "socket.sendto",
    "socket.getaddrinfo",
    "sqlite3.",
    "subprocess.Popen",
    "fcntl.lockf",
    "tempfile.",
    "webbrowser.open",
)
did: dict[str, list[str]] = {"changed": [], "read": [], "shown": []}


def heard(event: str, arguments: tuple[Any, ...]) -> None:
    """Note what is opened, and whatever else would leave a trace."""
    if event == "open":
        writes = isinstance(arguments[2], int) and arguments[2] & WRITES
        did["changed" if writes else "read"].append(str(arguments[0]))
    elif event.startswith(CHANGES):
        did["changed"].append(f"{event} {arguments}")


async def everything_opened(app: Any) -> None:
    """Open every screen there is, and the palette; move in each and come back."""
    from textual import _wait

    from screens.commands import READING

    _wait.SLEEP_GRANULARITY /= 4  # as in the screens' own tests
    _wait.SLEEP_IDLE /= 4
    async with app.run_test(headless=True, size=(120, 36)) as pilot:
        while len(app.screen_stack) < 2:
            await pilot.pause()
        keys = [command.keys[0] for command in READING if command.group not in ("Moving", "Time")]
        for key in ["", *(key for key in keys if key not in ("q", "escape"))]:
            await pilot.press(*([key] if key else []), "down")
            await pilot.pause()
            did["shown"].append(getattr(app.screen, "SCREEN", type(app.screen).__name__))
            await pilot.press("escape", "escape")
        for command in READING:
            if command.group == "Time":
                await pilot.press(command.keys[0])
        await pilot.press("q")


def screens(run: str, directory: str) -> int:
    """Watch on the screens; the exit code."""
    from console.cli.watch import watch
    from screens.app import ConsoleApp

    ConsoleApp.run_async = everything_opened  # type: ignore[assignment, method-assign]
    return int(watch(run, Path("config.toml"), Path(directory), as_json=False, terminal=True))


def lines(run: str, directory: str) -> int:
    """Watch as the command does with `--json`; the exit code."""
    from console.cli import main

    sys.argv = ["release-console", "watch", run, "--directory", directory, "--json", *sys.argv[4:]]
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


if __name__ == "__main__":
    sys.addaudithook(heard)
    open(os.devnull, "w").close()
    code = (screens if sys.argv[1] == "screens" else lines)(sys.argv[2], sys.argv[3])
    told = json.dumps({**did, "modules": sorted(sys.modules)})
    print("did", told, file=sys.stderr)
    sys.exit(code)
