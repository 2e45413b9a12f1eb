"""What runs in a process of its own for the benchmarks of the screens: `python -m tests.benchmarks.screen_child WHAT`.

Run in a terminal (a pty); results are written as JSON to the file named by the environment variable RESULT.
"""

import asyncio
import json
import os
import resource
import sys
import time
from pathlib import Path

FIRST_TEXT = "first-content"
"""What the smallest application shows."""
OPENING_TEXT = "opening-content"
"""What the console shows first here."""
IDLE_SECONDS = 8.0
TAIL_SECONDS = 6.0
BATCH_SECONDS = 0.01
MEMORY_LINES = 5_000_000


def smallest() -> None:
    """The yardstick: a Textual application with one line in it."""
    from textual.app import App, ComposeResult
    from textual.widgets import Static

    class Smallest(App[None]):
        def compose(self) -> ComposeResult:
            yield Static(FIRST_TEXT)

    Smallest().run()


def opening() -> None:
    """The console as it is started: the opening frame, before there is a run; ends when it is killed."""
    from screens.app import ConsoleApp
    from screens.opening import Glimpse

    ConsoleApp(glimpse=Glimpse(title=OPENING_TEXT)).run()


def console() -> None:
    """The console with a run that has not begun; ends when it is killed."""
    from tests.benchmarks.screen_probe import Probe

    Probe.of("start").app.run()


def idle() -> None:
    """The share of one core that a migration at rest on the screen takes, the clock ticking."""
    from tests.benchmarks.screen_probe import Probe

    probe = Probe.of("migrating")

    async def measure() -> None:
        await asyncio.sleep(2.0)
        begun, used = time.monotonic(), time.process_time()
        await asyncio.sleep(IDLE_SECONDS)
        _write({"share": (time.process_time() - used) / (time.monotonic() - begun)})

    probe.run_beside(measure)


def tail(rate: int) -> None:
    """Lines at a rate: how late they are painted, whether all are there, how fast a key is answered meanwhile."""
    from tests.benchmarks.screen_probe import Probe

    probe = Probe.of("migrating")

    async def measure() -> None:
        await asyncio.sleep(1.0)
        probe.begin()
        keys = asyncio.create_task(probe.press_now_and_then())
        begun, used = time.monotonic(), time.process_time()
        sent = 0
        while (gone := time.monotonic() - begun) < TAIL_SECONDS:
            due = int(gone * rate)
            probe.log(sent, due - sent)
            sent = due
            await asyncio.sleep(BATCH_SECONDS)
        lasted = time.monotonic() - begun
        share = (time.process_time() - used) / lasted
        await asyncio.sleep(0.5)
        keys.cancel()
        _write(
            {
                "lines_per_second": sent / lasted,
                "share": share,
                "lags": probe.lags,
                "key_lags": probe.key_lags,
                "lost": sent - probe.received(),
            }
        )

    probe.run_beside(measure)


def memory() -> None:
    """Resident memory after five million lines, in MiB."""
    from tests.benchmarks.screen_probe import Probe

    probe = Probe.of("migrating")

    async def measure() -> None:
        await asyncio.sleep(1.0)
        probe.begin()
        for start in range(0, MEMORY_LINES, 5_000):
            probe.log(start, 5_000)
            if start % 50_000 == 0:
                await asyncio.sleep(0.08)
        await asyncio.sleep(0.5)
        _write({"mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "held": probe.held()})

    probe.run_beside(measure)


def _write(result: dict[str, object]) -> None:
    Path(os.environ["RESULT"]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    {"smallest": smallest, "opening": opening, "console": console, "idle": idle, "memory": memory}.get(
        what, lambda: tail(int(arguments[0]))
    )()
