"""Who else is there is said in the header of every screen, and only while there is something to say."""

from datetime import timedelta

import pytest
from textual.pilot import Pilot

from console.ports import SharedStatus, StateChanged
from screens.app import ConsoleApp
from screens.base import ConsoleScreen
from screens.help import HelpPane
from screens.incident import IncidentScreen
from screens.paint.header import header
from screens.run import RunScreen
from screens.widgets.panes import Header
from tests.screens.company import APART, COMPANY, DIED, EVE, LEFT, LOST, REACHED, REASON, app_in, view_in
from tests.screens.fakes import FakeFeed, app_for
from tests.screens.incidents import INCIDENTS
from tests.screens.moments import MOMENTS

NARROW, WIDE, HUGE = 78, 118, 198
"""Cells of a header in terminals of 80, 120 and 200."""


def painted(name: str, width: int) -> list[str]:
    """The header at a moment."""
    return [line.plain for line in header(view_in(COMPANY[name]), width)]


def lines_of(app: ConsoleApp) -> list[str]:
    assert isinstance(app.screen, ConsoleScreen)
    shown = app.screen.query_one(Header)
    assert shown.size.height == len(shown.lines), "all of it is to be seen"
    return [line.plain for line in shown.lines]


@pytest.mark.parametrize(
    ("name", "people", "notice"),
    [
        ("watch-driven", "driven by ops@laptop", ""),
        ("watch-died", "nobody drives", "✗ Nobody drives: the console of ops@laptop died."),
        (
            "watch-apart",
            "ops@laptop is not seen",
            "○ ops@laptop is not at the shared record: they may go",
        ),
        ("watch-left", "nobody drives", "○ Nobody drives: ops@laptop left."),
        ("watch-taken-over", "driven by eve@desk", "▶ eve@desk drives: took over from ops@laptop."),
        (
            "watch-lost",
            "driven by ops@laptop",
            "✗ The shared record is not reached since 14:48:41: what is shown may be old.",
        ),
        ("drive-lost", "driving ops@laptop", "✗ Shared record lost 20 s ago · 3 events wait"),
        ("drive-watched", "driving ops@laptop · 2 watch", ""),
    ],
)
def test_what_the_header_says(name: str, people: str, notice: str) -> None:
    for width in (NARROW, WIDE, HUGE):
        lines = painted(name, width)
        assert people in f"{lines[0]} {lines[1]}" or width == NARROW
        assert len(lines) == (3 if notice else 2)
        assert all(len(line) <= width for line in lines)
        assert not notice or (lines[2].startswith(notice) if width == NARROW else lines[2][:8] == notice[:8])


def test_in_a_wide_terminal_the_whole_sentence_is_said() -> None:
    for name, status in (("watch-died", DIED), ("watch-apart", APART), ("watch-left", LEFT), ("watch-taken-over", EVE)):
        assert painted(name, HUGE)[2][2:] == status.text
    assert painted("watch-lost", HUGE)[2].endswith(REASON)
    assert painted("drive-lost", WIDE)[2].endswith("What changes production waits.")


def test_how_many_watch_is_said_in_the_narrowest_terminal_and_who_in_a_wide_one() -> None:
    assert "2 watch" in painted("drive-watched", NARROW)[0]
    assert "2 watch: bob@home, quinn@office" in painted("drive-watched", HUGE)[0]


def test_a_record_that_cannot_be_followed_is_told_to_a_watcher_as_that() -> None:
    situation = painted("watch-broken", WIDE)[1]
    assert "What is shown stands still: Line 41 of the journal is broken" in situation
    assert "cannot be written" not in situation


def test_with_the_file_store_nothing_is_said_of_others() -> None:
    lines = painted("alone", HUGE)
    assert len(lines) == 2
    assert "watch" not in lines[0]


async def test_it_is_said_whatever_screen_is_open() -> None:
    app, _, tell = app_in(COMPANY["watch-lost"])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        tell()
        for key in ("l", "w", "s", "r", "question_mark"):
            await pilot.press(key)
            await pilot.pause()
            assert not isinstance(app.screen, RunScreen)
            assert "what is shown may be old" in lines_of(app)[2]


async def test_who_watches_is_named_in_the_help() -> None:
    app, _, tell = app_in(COMPANY["drive-watched"])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        tell()
        await pilot.press("question_mark")
        await pilot.pause()
        text = "\n".join(line.plain for line in app.screen.query_one(HelpPane).lines)
    assert "Watching now" in text
    assert "quinn@office  as quinn, since" in text


async def test_a_loss_ages_and_is_over_when_the_record_is_reached_again() -> None:
    app, feed, tell = app_in(COMPANY["drive-lost"])
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        tell()
        feed.clock.now += timedelta(seconds=25)
        feed.publish(SharedStatus(connected=False, reason=REASON, unsent=4))
        app.frame()
        await pilot.pause()
        assert lines_of(app)[2].startswith("✗ Shared record lost 45 s ago · 4 events wait")
        feed.publish(REACHED)
        app.frame()
        await pilot.pause()
        assert len(lines_of(app)) == 2


class TestIncident:
    """Whoever watches is led to an incident's screen when one is declared, once."""

    async def declare(self, app: ConsoleApp, feed: FakeFeed, pilot: Pilot[None]) -> None:
        feed.publish(StateChanged(INCIDENTS["incident-assessed"]().state, ()))
        app.frame()
        await pilot.pause()

    async def test_once_and_not_again_from_whatever_screen(self) -> None:
        app, feed = app_for(MOMENTS["migrating"](), driving=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.pause()
            await pilot.press("l")
            await pilot.pause()
            await self.declare(app, feed, pilot)
            assert isinstance(app.screen, IncidentScreen)
            await pilot.press("escape")
            await pilot.pause()
            assert isinstance(app.screen, RunScreen)
            await self.declare(app, feed, pilot)
            assert isinstance(app.screen, RunScreen), "they left it"

    async def test_a_question_that_lies_above_is_not_covered(self) -> None:
        app, feed = app_for(MOMENTS["migrating"](), driving=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.pause()
            await pilot.press("f12")
            await pilot.pause()
            palette = app.screen
            await self.declare(app, feed, pilot)
            assert app.screen is palette
            await pilot.press("escape")
            await pilot.pause()
            feed.publish(LOST)
            app.frame()
            await pilot.pause()
            assert isinstance(app.screen, IncidentScreen)

    async def test_a_late_joiner_is_led_there_at_once(self) -> None:
        app, _ = app_for(INCIDENTS["incident-assessed"](), driving=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.pause()
            assert isinstance(app.screen, IncidentScreen)

    async def test_whoever_drives_is_not_led_by_the_feed(self) -> None:
        app, feed = app_for(MOMENTS["migrating"]())
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.pause()
            await self.declare(app, feed, pilot)
            assert isinstance(app.screen, RunScreen)
