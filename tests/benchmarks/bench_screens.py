"""The screens: first frame against the smallest Textual application, the log tail, a key under load, idling."""

import json
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
from typing import Any

from tests.benchmarks.figures import Figure
from tests.benchmarks.screen_child import FIRST_TEXT, OPENING_TEXT

ROUNDS = 7
PATIENCE = 120.0


def measure() -> list[Figure]:
    """Ratios and milliseconds; each measurement in a process and a terminal of its own."""
    return [*first_frame(), *log_tail(), *at_rest(), *much_log()]


def first_frame() -> list[Figure]:
    """From the start of the process to the first content on the terminal, turn by turn with the yardstick."""
    texts = {"smallest": FIRST_TEXT, "opening": OPENING_TEXT, "console": "Not started"}
    times: dict[str, list[float]] = {what: [] for what in texts}
    for _ in range(ROUNDS):
        for what, text in texts.items():
            times[what].append(_until_text(what, text))
    smallest, opening, console = (statistics.median(times[what]) for what in texts)
    return [
        Figure("first frame of the smallest Textual application", smallest * 1000, "ms"),
        Figure("first frame of the console", opening * 1000, "ms"),
        Figure("first frame of the console, ratio", opening / smallest, "×", budget=1.5),
        Figure("first frame of a run that is at hand, ratio", console / smallest, "×"),
    ]


def log_tail() -> list[Figure]:
    """The tail at 50,000 lines a second; keys at 10,000."""
    fast, slow = _result("tail", "50000"), _result("tail", "10000")
    keys = [lag * 1000 for lag in slow["key_lags"]]
    return [
        Figure("log tail: lines a second", fast["lines_per_second"], "lines/s", budget=49_000, at_least=True),
        Figure("log tail: lag, p95", _share([lag * 1000 for lag in fast["lags"]], 0.95), "ms", budget=100),
        Figure("log tail: share of a core, making the lines included", fast["share"] * 100, "% core"),
        Figure("log tail: lines lost", float(fast["lost"] + slow["lost"]), "lines", budget=0),
        Figure("key to paint at 10,000 lines/s, p50", _share(keys, 0.5), "ms", budget=50),
        Figure("key to paint at 10,000 lines/s, p95", _share(keys, 0.95), "ms", budget=100),
    ]


def at_rest() -> list[Figure]:
    """The clock ticks and nothing else happens."""
    return [Figure("idle", _result("idle")["share"] * 100, "% core", budget=3)]


def much_log() -> list[Figure]:
    """Memory after five million lines."""
    result = _result("memory")
    note = f"{result['held']:,} lines kept"
    return [Figure("memory after 5,000,000 lines", result["mib"], "MiB", budget=150, note=note)]


def _share(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def _until_text(what: str, text: str) -> float:
    """Seconds from the start of the process until the terminal shows the text."""
    begun = time.perf_counter()
    child, terminal = _start(what)
    seen = b""
    try:
        while text.encode() not in seen:
            if not select.select([terminal], [], [], PATIENCE)[0]:
                raise TimeoutError(f"{what} showed nothing")
            seen += os.read(terminal, 65536)
        return time.perf_counter() - begun
    finally:
        _end(child, terminal)


def _result(what: str, *arguments: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "result.json"
        child, terminal = _start(what, *arguments, result=str(target))
        deadline = time.monotonic() + PATIENCE
        try:
            while child.poll() is None and time.monotonic() < deadline:
                if select.select([terminal], [], [], 0.1)[0]:
                    try:
                        os.read(terminal, 65536)
                    except OSError:
                        break
            child.wait(timeout=10)
            result: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
            return result
        finally:
            _end(child, terminal)


def _start(what: str, *arguments: str, result: str = "") -> tuple[subprocess.Popen[bytes], int]:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "36", "RESULT": result}
    command = [sys.executable, "-m", "tests.benchmarks.screen_child", what, *arguments]
    child = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True)
    os.close(theirs)
    return child, ours


def _end(child: subprocess.Popen[bytes], terminal: int) -> None:
    if child.poll() is None:
        child.send_signal(signal.SIGKILL)
    child.wait()
    os.close(terminal)
