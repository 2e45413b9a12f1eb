"""Consoles started as a person or a script starts them: `python -m console …` in a process of its own.

A `Place` is a machine's worth of folders (state, home, temporary files) for one test; whatever was started in it
can be found by these folders, and nothing of it outlives the test.
"""

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PLAN = ROOT / "config.toml"
PACE = "600"
DEADLINE_S = 240.0
_DOWN_S = 90.0

Line = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """How a console ended: its exit code and everything that it wrote."""

    code: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[Line]:
        """Standard output, a JSON object a line; with `--json` nothing else may be on it."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def events(self) -> list[Line]:
        return [line for line in self.lines if "seq" in line]

    @property
    def summary(self) -> Line:
        last = self.lines[-1]
        assert "outcome" in last, f"the last line is no summary: {last}"
        return last

    def __str__(self) -> str:
        return f"exit {self.code}\n--- stdout (end)\n{self.stdout[-4000:]}\n--- stderr (end)\n{self.stderr[-4000:]}"


class Console:
    """A console that runs: its lines can be read as they come, and it can be killed or interrupted meanwhile."""

    def __init__(self, arguments: tuple[str, ...], place: "Place") -> None:
        self._errors = tempfile.TemporaryFile("w+", dir=place.temporary)  # noqa: SIM115 - read after the process ended
        self.process = subprocess.Popen(
            [sys.executable, "-m", "console", *arguments],
            cwd=ROOT,
            env=place.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._said: list[str] = []
        self._news: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._news.put(line)
        self._news.put(None)

    def next_line(self, deadline: float) -> str | None:
        """The next line of standard output; None at its end. Fails when none comes before `deadline`."""
        try:
            line = self._news.get(timeout=max(deadline - time.monotonic(), 0))
        except queue.Empty:
            raise AssertionError(f"nothing came in time; so far:\n{''.join(self._said[-20:])}") from None
        if line is not None:
            self._said.append(line)
        return line

    def until(self, kind: str, step: str | None = None, *, says: str = "", within: float = DEADLINE_S) -> Line:
        """Read to the first event of a kind (of a step, with these words in its data). Fails when there is none."""
        deadline = time.monotonic() + within
        while (text := self.next_line(deadline)) is not None:
            line: Line = json.loads(text)
            if line.get("kind") == kind and line["step"] == step and says in json.dumps(line["data"]):
                return line
        raise AssertionError(f"it ended without {kind} {step or ''} {says}: {self.end()}")

    def events(self, number: int) -> None:
        """Read `number` more lines, or to the end."""
        deadline = time.monotonic() + DEADLINE_S
        for _ in range(number):
            if self.next_line(deadline) is None:
                return

    def kill(self) -> Result:
        """`kill -9`."""
        self.process.kill()
        return self.end()

    def interrupt(self) -> Result:
        """What Ctrl+C sends."""
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def end(self, *, within: float = DEADLINE_S) -> Result:
        """Wait for its end. One that hangs is killed, and fails the test."""
        deadline = time.monotonic() + within
        try:
            while self.next_line(deadline) is not None:
                pass
            code = self.process.wait(max(deadline - time.monotonic(), 1))
            self._errors.seek(0)
            return Result(code, "".join(self._said), self._errors.read())
        finally:
            self.dispose()

    def dispose(self) -> None:
        """Leave nothing of it: a process that still runs is killed."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self._reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._errors.close()


class Place:
    """The folders of one test, and the consoles that were started in them."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.state = base / "state"
        self.temporary = base / "tmp"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(base / "home"),
            "TMPDIR": str(self.temporary),
            "XDG_STATE_HOME": str(base / "home" / "state"),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "error::ResourceWarning",
        }
        (base / "home").mkdir()
        self.temporary.mkdir()
        # Started by root, PostgreSQL's programs run as another user, who has to be able to come here.
        base.chmod(0o711)
        self.temporary.chmod(0o1777)
        self._started: list[Console] = []

    def start(self, *arguments: str) -> Console:
        """Start a console with these arguments."""
        console = Console(arguments, self)
        self._started.append(console)
        return console

    def run(self, *arguments: str, within: float = DEADLINE_S) -> Result:
        """Run a console to its end."""
        return self.start(*arguments).end(within=within)

    def rehearse(self, *arguments: str) -> Console:
        """Start an unattended rehearsal."""
        return self.start("rehearse", "--auto", "--json", "--pace", PACE, "--directory", str(self.state), *arguments)

    def resume(self) -> Console:
        """Go on with the rehearsal that is open."""
        return self.rehearse("--resume")

    @property
    def run_folder(self) -> Path:
        """The folder of the only rehearsal."""
        (folder,) = (self.state / "rehearsals").iterdir()
        return folder

    @property
    def journal(self) -> list[Line]:
        """The journal's lines."""
        return [json.loads(line) for line in (self.run_folder / "journal.jsonl").read_text().splitlines()]

    @property
    def world(self) -> Path:
        """The folder of the rehearsal's world."""
        return self.run_folder / "sandbox"

    @property
    def world_info(self) -> Mapping[str, Any]:
        """How the running world is reached."""
        info: dict[str, Any] = json.loads((self.world / "world.json").read_text())
        return info

    def clear(self) -> list[str]:
        """End everything that was started here, first as a person would; what had to be killed."""
        for console in self._started:
            console.dispose()
        if self.state.exists():
            self.run("sandbox", "down", "--directory", str(self.state), within=_DOWN_S)
        return [_end(pid) for pid in processes_of(self.base)]


@contextmanager
def place() -> Iterator[Place]:
    """A place of its own for a test; afterwards nothing may be left of what ran in it."""
    base = Path(tempfile.mkdtemp(prefix="rc-e2e-"))
    here = Place(base)
    try:
        yield here
    finally:
        left = here.clear()
        shutil.rmtree(base, ignore_errors=True)
    assert not left, f"was left running: {left}"


def processes_of(base: Path) -> list[int]:
    """Every process that was started in a place, by its command line, its environment or where it works."""
    marks = str(base)
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _mentions(entry, marks)]


def _mentions(process: Path, text: str) -> bool:
    if int(process.name) == os.getpid():
        return False
    try:
        known = [(process / "cmdline").read_bytes(), (process / "environ").read_bytes()]
        return any(text.encode() in each for each in known) or text in str((process / "cwd").readlink())
    except OSError:
        return False


def _end(pid: int) -> str:
    try:
        said = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        os.kill(pid, signal.SIGKILL)
    except OSError:
        return f"{pid} (gone meanwhile)"
    return f"{pid} {said}"
