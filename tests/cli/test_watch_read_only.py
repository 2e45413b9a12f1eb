"""Whoever watches could change nothing: what the watching process loads, what it opens, and what it never holds."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.domain.wire import encode_plan
from console.engine.journal import FileJournal
from tests.engine.following import ME, PLAN
from tests.engine.test_death import live
from tests.engine.world import FakeWorld
from tests.screens.watching import RUN, STORIES, keep

ROOT = Path(__file__).parents[2]
FORBIDDEN = ("httpx", "psycopg", "git", "pydantic", "starlette", "uvicorn", "websockets", "apprise")

ROOMS = {"cli", "domain", "engine", "errors", "ports", "report"}
"""What a watching process is made of. Who watches a shared record needs the observer's half of its adapter as well."""
CLI = {
    *("by_hand", "commands", "event_output", "exits", "folders", "plan_file", "shared", "watch", "watch_screens"),
    *("account", "options", "watched", "which_run", "web"),
}
ENGINE = {
    *("chain", "clock", "driver", "driver_news", "feed", "follow", "followed", "glance", "history_check", "holding"),
    "uncollected",
    *("journal", "journal_reader", "runs", "sharing", "tail", "tail_reader"),
}
REPORT = {"event_lines", "record"}
SHOWN = {"run", "incident", "messages", "logs", "alerts", "signoff", "report", "help", "TablePaletteScreen"}
DRIVING_SCREENS = {"screens.steering"}
RUN_FILES = {"driver.json", "journal.jsonl", "plan.json", "tail.jsonl"}
CODE = tuple(os.path.realpath(place) + os.sep for place in (ROOT, sys.prefix, sys.base_prefix))
OF_THE_MACHINE = ("/usr/share/zoneinfo/", "/etc/", "/proc/self/", "/dev/null")


def did(
    how: str, state: Path, home: Path, *arguments: str, run: str = RUN, **variables: str
) -> tuple[int, dict[str, list[str]]]:
    """Watch in a process of its own: its exit code, and what it said that it did."""
    command = (sys.executable, "-B", "-m", "tests.cli.watching_child", how, run, str(state), *arguments)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm-256color", **variables}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, cwd=ROOT)
    told = [line for line in done.stderr.splitlines() if line.startswith("did ")]
    assert told, done.stderr
    parsed: dict[str, list[str]] = json.loads(told[0].removeprefix("did "))
    return done.returncode, parsed


def assert_could_change_nothing(told: dict[str, list[str]], folder: Path) -> None:
    """It loaded nothing that drives, opened nothing but what is watched, and left no trace anywhere."""
    modules = set(told["modules"])
    rooms = {name.split(".")[1] for name in modules if name.startswith("console.")}
    assert rooms <= ROOMS, rooms - ROOMS
    for room, allowed in (("cli", CLI), ("engine", ENGINE), ("report", REPORT)):
        inside = {name.split(".")[2] for name in modules if name.startswith(f"console.{room}.")}
        assert inside <= allowed, f"console.{room}: {inside - allowed}"
    assert not {name for name in modules if name.startswith("console.cli.web.")}, "nobody watches in a browser here"
    assert not modules & DRIVING_SCREENS
    assert {name for name in modules if name.startswith("screens.dialogs.")} <= {"screens.dialogs.base"}
    assert not {name for name in modules if name.split(".")[0] in FORBIDDEN}
    assert told["changed"] == [os.devnull], "the process itself opens this one, to show that it would be noticed"
    opened = {path for path in map(os.path.realpath, told["read"]) if not path.startswith((*CODE, *OF_THE_MACHINE))}
    assert opened <= {os.path.realpath(folder / name) for name in RUN_FILES}
    assert os.path.realpath(folder / "journal.jsonl") in opened, "something was watched"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where a process would leave what it leaves at home; it is not there."""
    return tmp_path / "home"


def test_the_screens_with_everything_opened_could_change_nothing(tmp_path: Path, home: Path) -> None:
    state = tmp_path / "state"
    folder = keep(state, STORIES["going back"]())
    code, told = did("screens", state, home)
    assert code == 3, "the run is open"
    assert set(told["shown"]) >= SHOWN
    assert_could_change_nothing(told, folder)
    assert not home.exists()


async def test_the_lines_of_a_whole_run_could_change_nothing(tmp_path: Path, home: Path) -> None:
    folder = tmp_path / "state" / "runs" / RUN
    journal = FileJournal.create(folder, RUN, encode_plan(PLAN), ME)
    await live(journal, FakeWorld())
    await journal.close()
    code, told = await asyncio.to_thread(did, "lines", tmp_path / "state", home)
    assert code == 0
    assert_could_change_nothing(told, folder)
    assert not home.exists()
