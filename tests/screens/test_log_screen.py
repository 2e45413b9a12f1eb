"""The full log: what its filters find, what it counts, and what Escape does first."""

from textual.pilot import Pilot
from textual.widgets import Input

from console.domain.hosting import LogEntry
from screens.app import ConsoleApp
from screens.logs import LogsScreen
from screens.ring import Mark
from screens.run import RunScreen
from screens.widgets.keybar import KeyBar
from screens.widgets.logpane import Pulse
from screens.widgets.tail import Tail
from tests.screens.driving import press
from tests.screens.fakes import FakeFeed, app_for
from tests.screens.moments import MOMENTS, Moment
from tests.screens.story import BEGIN
from tests.screens.test_tail import entries, entry

SIZE = (120, 36)


def build(number: int, text: str, level: str = "info") -> LogEntry:
    return LogEntry(f"build-{number}", BEGIN, "srv-b", text, kind="build", level=level)


def quiet() -> Moment:
    moment = MOMENTS["push"]()
    return Moment(moment.state, moment.now)


async def opened(pilot: Pilot[None], app: ConsoleApp, feed: FakeFeed, *lines: LogEntry) -> Tail:
    await pilot.pause()
    feed.log(*lines)
    app.frame()
    await press(pilot, "l")
    return app.screen.query_one(Tail)


async def test_the_lines_that_say_why_a_build_failed_are_errors_to_the_filters_and_to_the_jump() -> None:
    app, feed = app_for(quiet())
    async with app.run_test(size=SIZE) as pilot:
        lines = [build(0, "==> Building"), build(1, "error: the bundle exceeds 5 MB"), build(2, "==> Build failed")]
        tail = await opened(pilot, app, feed, *lines, *entries(range(300)))
        await press(pilot, "x")
        assert tail.found == 1
        await press(pilot, "e")
        shown = [tail.sieve.ring[tail.sieve.number(row)] for row in range(len(tail.sieve))]
        assert [line.text for line in shown] == ["error: the bundle exceeds 5 MB", "==> Build failed"]
        assert {line.mark for line in shown} == {Mark.ERROR}
        await press(pilot, "e", "e", "slash", *"==>", "enter")
        assert len(tail.sieve) == 2


async def test_what_is_new_below_counts_only_lines_that_the_filters_let_through() -> None:
    app, feed = app_for(quiet())
    async with app.run_test(size=SIZE) as pilot:
        errors = [entry(1000 + n, f"ERROR: {n}", level="error") for n in range(80)]
        tail = await opened(pilot, app, feed, *errors)
        await press(pilot, "e")
        tail.scroll_relative(y=-10, animate=False, immediate=True)
        await pilot.pause()
        feed.log(*entries(range(500)), entry(2000, "ERROR: one more", level="error"))
        app.frame()
        await pilot.pause()
        assert app.screen.query_one(Pulse).lines[0].plain.endswith("paused, 1 new below")


async def test_filters_that_let_nothing_through_say_so() -> None:
    app, feed = app_for(quiet())
    async with app.run_test(size=SIZE) as pilot:
        tail = await opened(pilot, app, feed, *entries(range(5)))
        await press(pilot, "e")
        assert "No line passes these filters." in tail.render_line(0).text


async def test_escape_ends_the_search_first_and_the_key_line_says_so() -> None:
    app, feed = app_for(quiet())
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, app, feed, *entries(range(5)))

        def back() -> str:
            return next(each.label for each in app.screen.query_one(KeyBar).entries if each.command == "back")

        assert back() == "back to the run"
        await press(pilot, "slash", *"line", "enter")
        assert back() == "end the search"
        await press(pilot, "escape")
        assert isinstance(app.screen, LogsScreen)
        assert app.screen.query_one(Input).value == ""
        assert back() == "back to the run"
        await press(pilot, "escape")
        assert isinstance(app.screen, RunScreen)
