"""The first frame comes first: what is heavy loads behind it, and what goes wrong there ends as it would without it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from console.cli.by_hand import LateHelm, steer
from console.cli.drive import drive_production
from console.cli.exits import Exit
from console.cli.go_no_go import GoNoGo
from console.cli.session import Front, Session, recorded
from console.domain.intents import Hold, Intent
from console.errors import ConfigError, SecretError
from screens.app import ConsoleApp
from screens.opening import Glimpse, OpeningScreen
from screens.run import RunScreen
from tests.cli.headless import no_terminal
from tests.domain.plans import plan, step
from tests.test_layers import HEAVY

ROOT = Path(__file__).parents[2]
PLAN = plan(step("a"))

PROBE = """
import atexit, sys
from console.cli import main
def loaded(*_):
    print(*sorted(sys.modules), file=sys.__stdout__)
    raise SystemExit(0)
if "--help" in sys.argv:
    atexit.register(lambda: print(*sorted(sys.modules)))
else:
    sys.stdin.isatty = sys.stdout.isatty = lambda: True
    from console.cli import by_hand
    from screens.app import ConsoleApp
    run = ConsoleApp.run_async
    ConsoleApp.run_async = lambda self: run(self, headless=True)
    by_hand.Behind._all_loaded = loaded
main()
"""


def loaded_by(*arguments: str) -> set[str]:
    """The modules that a command holds in the end, or at its first frame."""
    command = [sys.executable, "-c", PROBE, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    loaded = set(done.stdout.split())
    assert "console.cli.commands" in loaded, done.stderr
    return loaded


@pytest.mark.parametrize("arguments", [(), ("rehearse", "--fault", "build-fails")], ids=["drive", "rehearse"])
def test_nothing_heavy_is_loaded_before_the_first_frame(arguments: tuple[str, ...]) -> None:
    loaded = loaded_by(*arguments)
    assert "screens.opening" in loaded
    assert not {name.split(".")[0] for name in loaded} & HEAVY
    assert not loaded & {"console.domain.state", "console.domain.plan", "console.engine", "screens.run"}


def test_help_loads_next_to_nothing() -> None:
    assert not {name.split(".")[0] for name in loaded_by("--help")} & (HEAVY | {"textual", "rich"})


async def test_a_mistake_in_the_plan_is_raised_once_the_screens_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('title = "Something"\nnmae = "x"\n')
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with no_terminal(monkeypatch), pytest.raises(ConfigError, match=r"nmae.*Did you mean .name"):
        await drive_production(config)


async def test_a_file_that_is_not_there_is_told_without_a_single_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames: list[ConsoleApp] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with no_terminal(monkeypatch, pilot=frames.append), pytest.raises(ConfigError, match="no plan"):
        await drive_production(tmp_path / "config.toml")
    assert not frames


async def test_the_record_is_shown_before_the_world_is_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screens: list[str] = []
    application: list[ConsoleApp] = []

    @asynccontextmanager
    async def opening(front: Front) -> AsyncIterator[Session]:
        screens.append(type(application[0].screen).__name__)
        front.say("Reading the plan")
        async with recorded(tmp_path / "run", PLAN) as run:
            front.show(run)
            run_is_shown = asyncio.Event()
            application[0].call_after_refresh(run_is_shown.set)
            await run_is_shown.wait()
            screens.append(type(application[0].screen).__name__)
            raise SecretError("RENDER_API_KEY is not set.")
            yield

    with no_terminal(monkeypatch, pilot=application.append), pytest.raises(SecretError):
        await steer(Glimpse("Something"), lambda: opening)
    assert screens == [OpeningScreen.__name__, RunScreen.__name__]


async def test_leaving_while_the_run_is_being_opened_stops_opening_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    application: list[ConsoleApp] = []
    ended: list[str] = []

    @asynccontextmanager
    async def opening(front: Front) -> AsyncIterator[Session]:
        application[0].exit()
        try:
            await asyncio.Event().wait()
            yield
        finally:
            ended.append("opening")

    with no_terminal(monkeypatch, pilot=application.append):
        code: Exit | None = await steer(Glimpse("Something"), lambda: opening)
    assert code is None
    assert ended == ["opening"]


async def test_what_is_asked_before_the_run_can_be_driven_waits_until_it_can() -> None:
    class Helm:
        def __init__(self) -> None:
            self.sent: list[Intent] = []

        async def send(self, intent: Intent) -> None:
            self.sent.append(intent)

    late, real = LateHelm(), Helm()
    asked = asyncio.create_task(late.send(Hold()))
    await asyncio.sleep(0)
    assert not asked.done()
    late.take(cast(GoNoGo, real))
    await asked
    assert real.sent == [Hold()]
