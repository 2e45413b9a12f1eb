"""A run in a real folder, watched as `release-console watch` watches it, and what of it must stay as it was."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from textual.pilot import Pilot

from console.cli.watch import watch
from console.domain import intents
from console.domain.events import Draft, Kind
from console.domain.hosting import LogEntry
from console.domain.standing import Way
from console.domain.wire import encode_plan, plan_digest
from console.engine.driver import Driver
from console.engine.journal import FileJournal
from console.engine.tail import TailWriter
from screens.app import ConsoleApp
from screens.dialogs.base import Dialog
from tests.screens.incidents import FENCE, assess, choose, declared
from tests.screens.moments import MIGRATE, PUSH, log_of
from tests.screens.plan import plan_020
from tests.screens.story import Story

RUN = "20260204-201403-a1b2"
PATIENCE_S = 30.0

Tried = Callable[[Pilot[Any]], Awaitable[None]]


def upto(step: str) -> Story:
    """Everything before a step is done."""
    story = Story(plan_020()).begin()
    for each in story.plan.steps:
        if each.id == step:
            return story
        story.run(each.id, 3)
    raise AssertionError(f"the plan has no step {step}")


def not_begun() -> Story:
    """A run that waits to be begun, with a blocker in its way."""
    return Story(plan_020()).tell(
        Kind.FINDING_RECORDED, code="services.branch", severity="blocker", message="m", evidence="e", remedy="r"
    )


def asking() -> Story:
    """The push waits for its yes."""
    return upto("code.push").preview("code.push", PUSH)


def armed() -> Story:
    """Two builds run, and the migration starts by itself behind them."""
    story = upto("code.backend").start("code.backend").start("code.frontend")
    return story.run("db.connect", 2).preview("db.migrate", MIGRATE).say_yes("db.migrate", MIGRATE, ahead=True)


def broken() -> Story:
    """A step failed, and it can be gone on in several ways."""
    story = upto("db.verify").start("db.verify").fail("db.verify", "a column is still there", "half done", "look", "l")
    return story.tell(
        Kind.ALERT_RAISED, "db.verify", alert="step:db.verify", severity="danger", message="failed", offer="incident"
    )


def going_back() -> Story:
    """An incident: the database goes back, and the fence waits for its yes."""
    story = choose(assess(declared().wait(14)).wait(40), Way.DATABASE, "the data itself is damaged")
    return story.run("back.hold", 2).run("back.revert", 1).run("back.push", 3).preview("back.fence", FENCE)


STORIES: dict[str, Callable[[], Story]] = {
    "not begun": not_begun,
    "asking": asking,
    "armed": armed,
    "broken": broken,
    "incident": lambda: assess(declared().wait(14)),
    "going back": going_back,
    "signing": lambda: upto("signoff.owner"),
}
"""Runs that wait for somebody: in each of them whoever drives could do much."""


def keep(state: Path, story: Story) -> Path:
    """Keep a story as a run whose driver left: journal, plan, log and an artifact."""
    folder = state / "runs" / RUN
    asyncio.run(_written(folder, story))
    artifacts = folder / "artifacts"
    artifacts.mkdir(mode=0o700, exist_ok=True)
    (artifacts / "crm.dump").write_bytes(b"PGDMP")
    return folder


async def _written(folder: Path, story: Story) -> None:
    journal = FileJournal.create(folder, RUN, encode_plan(story.plan), Driver.here("ops@laptop"))
    for event in story.events:
        data = dict(event.data)
        if event.kind is Kind.RUN_CREATED:
            data["plan"] = {"name": story.plan.name, "digest": plan_digest(story.plan)}
        await journal.append(Draft(event.kind, event.step, data), at=event.at, actor=event.actor)
    await journal.append(Draft(Kind.DRIVER_LEFT, data={"reason": "closed"}), at=story.now, actor="ops@laptop")
    await journal.close()
    tail = TailWriter(folder)
    tail.add(tuple(_again(log_of(story.now, trouble=True))))
    await tail.flush()


def _again(log: tuple[LogEntry, ...]) -> Iterator[LogEntry]:
    """A log that fills more than a screen."""
    for turn in range(4):
        for entry in log:
            yield replace(entry, id=f"{entry.id}-{turn}", at=entry.at + timedelta(seconds=40 * turn))


def everything_in(state: Path) -> dict[str, tuple[int, int, int, int, str]]:
    """Every file and folder: mode, owner, when it and its entry were changed, and its bytes."""

    def described(path: Path) -> tuple[int, int, int, int, str]:
        about = path.lstat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        return about.st_mode, about.st_uid, about.st_mtime_ns, about.st_ctime_ns, digest

    return {str(path.relative_to(state)): described(path) for path in (state, *sorted(state.rglob("*")))}


def watched(state: Path, tried: Tried) -> ConsoleApp:
    """Watch the run as the command does, but headless; `tried` begins when the run is in sight. The application then.

    An application that breaks raises what broke it.
    """
    seen: list[ConsoleApp] = []

    async def headless(app: ConsoleApp) -> None:
        seen.append(app)
        async with app.run_test(headless=True, size=(120, 36)) as pilot:
            await _in_sight(pilot)
            await tried(pilot)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ConsoleApp, "run_async", headless)
        watch(RUN, state / "config.toml", state, as_json=False, terminal=True)
    return seen[0]


async def _in_sight(pilot: Pilot[Any]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(pilot.app.screen_stack) < 2:
            await pilot.pause(0.01)
    await pilot.pause(0)


def dialogs(app: ConsoleApp) -> list[Dialog[Any]]:
    """The questions that are put: whoever watches is asked nothing."""
    return [screen for screen in app.screen_stack if isinstance(screen, Dialog)]


@contextmanager
def intents_made() -> Iterator[list[str]]:
    """The names of the intents that are made meanwhile."""
    made: list[str] = []
    with pytest.MonkeyPatch.context() as patched:
        for kind in get_args(intents.Intent):
            patched.setattr(kind, "__init__", _noting(kind.__name__, kind.__init__, made))
        yield made


def _noting(name: str, make: Callable[..., None], made: list[str]) -> Callable[..., None]:
    def noted(self: object, *args: object, **named: object) -> None:
        made.append(name)
        make(self, *args, **named)

    return noted
