"""The opening frame: it stands at once, tells what is being done, and gives way to the run."""

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from screens.app import ConsoleApp
from screens.opening import Glimpse
from screens.run import RunScreen
from screens.too_small import TooSmall
from screens.widgets.panes import Header
from tests.screens.driving import until
from tests.screens.fakes import READS, FakeFeed, FakeHelm
from tests.screens.moments import MOMENTS

SIZE = (120, 36)
GLIMPSE = Glimpse("Account Status Consolidation", "production", ("api.render.com",), "config.toml")


def text(app: ConsoleApp) -> str:
    return "\n".join(str(each.content) for each in app.screen.query(Static))


async def taken_up(app: ConsoleApp, pilot: Pilot[None], moment: str = "push") -> None:
    """Have the application take up a run."""
    app.take_up(FakeFeed(MOMENTS[moment]().state), FakeHelm(), READS)
    await pilot.pause()


async def test_says_which_plan_it_is_before_anything_is_known_of_the_run() -> None:
    app = ConsoleApp(glimpse=GLIMPSE)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, app.shown.is_set, "the first frame is painted")
        assert "Account Status Consolidation" in text(app)
        assert "production · api.render.com · config.toml" in text(app)


async def test_tells_what_is_being_done_and_what_was() -> None:
    app = ConsoleApp(glimpse=GLIMPSE)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app.say("Reading the plan")
        app.say("Starting \x1b[31mPostgreSQL")
        await pilot.pause()
        assert "✔ Reading the plan\n▶ Starting ␛[31mPostgreSQL" in text(app)


async def test_gives_way_to_the_run_which_is_then_steered() -> None:
    app = ConsoleApp(glimpse=GLIMPSE)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await taken_up(app, pilot)
        assert isinstance(app.screen, RunScreen)
        assert "WATCHING" not in app.screen.query_one(Header).lines[0].plain
        app.say("connecting to the provider")
        assert app.listening is not None
        assert app.listening.view().tail.reason == "connecting to the provider"


async def test_gives_way_also_below_what_stands_over_it() -> None:
    app = ConsoleApp(glimpse=GLIMPSE)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, TooSmall)
        await taken_up(app, pilot)
        assert isinstance(app.screen, TooSmall)
        await pilot.resize_terminal(*SIZE)
        await pilot.pause()
        assert isinstance(app.screen, RunScreen)


async def test_is_left_without_being_asked() -> None:
    for key in ("q", "ctrl+q"):
        app = ConsoleApp(glimpse=GLIMPSE)
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            await pilot.press(key)
            await pilot.pause()
            assert not app.is_running


async def test_a_defect_says_where_it_is_and_not_what_the_variables_held(capsys: pytest.CaptureFixture[str]) -> None:
    app = ConsoleApp(glimpse=GLIMPSE)

    def fails() -> None:
        password = "hunter" + "2" * 3
        raise ZeroDivisionError(f"a defect beside {len(password)} characters")

    async def shown() -> None:
        async with app.run_test(size=SIZE) as pilot:
            app.call_later(fails)
            await pilot.pause()

    with pytest.raises(ZeroDivisionError):
        await shown()
    app._print_error_renderables()
    said = capsys.readouterr().err
    assert "a defect beside 9 characters" in said
    assert "hunter222" not in said
