"""Opening a long run: from the start of the process to the first full frame, turn by turn with an empty run."""

import os
import pty
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.long_runs import CONFIG, deeds, empty, keep, notes, talk

ROUNDS = 7
PATIENCE = 60.0

LONG, SHORT = 100_000, 10_000


def measure() -> list[Figure]:
    """Ratios; each opening in a process and a terminal of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return [*watched(Path(folder) / "watched"), *taken_up(Path(folder))]


def watched(state: Path) -> list[Figure]:
    """`release-console watch` of an empty run, of one in which everything happened, and of one with as many notes."""
    runs = {"empty": empty(), "deeds": deeds(LONG), "notes": notes(LONG)}
    for name, told in runs.items():
        keep(state / "runs" / name, told)
    watch = [sys.executable, "-m", "console", "watch", "--directory", str(state)]
    begin, with_deeds, with_notes = _medians({name: [*watch, name] for name in runs}, "WATCHING")
    return [
        Figure("watch an empty run: first full frame", begin * 1000, "ms"),
        Figure(f"watch {LONG:,} events of all kinds, ratio", with_deeds / begin, "×", budget=1.5),
        Figure(f"watch {LONG:,} notes, ratio", with_notes / begin, "×", budget=1.5),
    ]


def taken_up(root: Path) -> list[Figure]:
    """A run that is gone on with, from its plan's file on: found, read, checked, shown to whoever drives."""
    runs = {"empty": empty(), "talk": talk(SHORT)}
    for name, told in runs.items():
        keep(root / name / "runs" / name, told)
    child = [sys.executable, "-m", "tests.benchmarks.open_child", str(CONFIG)]
    begin, long = _medians({name: [*child, str(root / name)] for name in runs}, "Not started")
    return [
        Figure("take up an empty run: first frame of the run", begin * 1000, "ms"),
        Figure(f"take up a run of {SHORT:,} events, ratio", long / begin, "×", budget=1.2),
    ]


def _medians(commands: dict[str, list[str]], text: str) -> list[float]:
    """Seconds from the start of each command's process until its terminal shows the text."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            times[name].append(_until(command, text.encode()))
    return [statistics.median(each) for each in times.values()]


def _until(command: list[str], text: bytes) -> float:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "36"}
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True)
    os.close(theirs)
    seen = b""
    try:
        while text not in seen:
            if not select.select([ours], [], [], PATIENCE)[0]:
                raise TimeoutError(f"{command} did not show {text!r}")
            seen += os.read(ours, 65536)
        return time.perf_counter() - begun
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        os.close(ours)
