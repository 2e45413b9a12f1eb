"""Whatever somebody who watches presses, picks, runs or sends: nothing is asked for, and nothing of the run changes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.pilot import Pilot

from console.domain import intents
from screens.app import ConsoleApp
from screens.base import ConsoleScreen
from screens.commands import STEERING
from screens.help import help_lines
from screens.palette import TablePalette
from tests.screens.attempts import Attempt, everything
from tests.screens.watching import STORIES, dialogs, everything_in, intents_made, keep, watched

ATTEMPTS = everything()


@contextmanager
def unchanged(story: str) -> Iterator[Path]:
    """A run that is kept; afterwards every byte, mode and time of it is as it was, and nobody asked for anything."""
    with TemporaryDirectory(prefix="rc-watched-") as folder:
        state = Path(folder)
        keep(state, STORIES[story]())
        before = everything_in(state)
        assert len(before) > 5, "there is a run to be spoilt"
        with intents_made() as made:
            yield state
        assert made == []
        assert everything_in(state) == before


async def tried(pilot: Pilot[Any], attempts: Sequence[Attempt], *, at_once: int = 1) -> int:
    """Try one thing after the other, so many in one breath, until one of them leaves; how many were tried."""
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    for number, attempt in enumerate(attempts, 1):
        await attempt.make(pilot)
        if number % at_once and number < len(attempts):
            continue
        await pilot.pause(0)
        assert not dialogs(app), f"{attempt} put a question"
        if app.return_code is not None:
            assert app.return_code == 0, f"{attempt} broke it"
            return number
    return len(attempts)


def test_everything_that_can_be_tried_is_tried_and_changes_nothing() -> None:
    staying = [attempt for attempt in ATTEMPTS if not attempt.leaves]
    assert len(staying) > 400
    counted: list[int] = []

    async def each(pilot: Pilot[Any]) -> None:
        counted.append(await tried(pilot, staying, at_once=10))

    with unchanged("broken") as state:
        watched(state, each)
    assert counted == [len(staying)], "something left before the others were tried"


@settings(max_examples=5, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(sorted(STORIES)), st.lists(st.sampled_from(ATTEMPTS), min_size=20, max_size=60))
def test_whatever_is_tried_in_whatever_order_changes_nothing(story: str, attempts: list[Attempt]) -> None:
    async def each(pilot: Pilot[Any]) -> None:
        await tried(pilot, attempts, at_once=4)

    with unchanged(story) as state:
        watched(state, each)


def test_an_intent_that_is_made_does_not_escape_notice() -> None:
    """What the tests above find nothing of would be found."""
    with intents_made() as made:
        intents.Hold()
        intents.Note("words", None)
    assert made == ["Hold", "Note"]


@pytest.mark.parametrize("story", sorted(STORIES))
def test_neither_palette_nor_help_offers_what_needs_a_helm(story: str) -> None:
    steering = {command.id for command in STEERING}
    helps = {command.help for command in STEERING}

    async def look(pilot: Pilot[Any]) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, ConsoleScreen)
        hits = [hit async for hit in TablePalette(screen).discover()]
        assert hits
        assert not {hit.help for hit in hits} & helps
        assert not [hit async for hit in TablePalette(screen).search("incident") if hit.help in helps]
        assert not {command.id for command in screen.desk.working(screen.moment())} & steering
        told = " ".join(line.plain for line in help_lines(screen.desk.commands, screen.moment(), 10_000))
        assert not [text for text in helps if text in told]

    with unchanged(story) as state:
        watched(state, look)
