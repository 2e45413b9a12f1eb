"""The palette takes keys also before it stands and while it goes: fingers are faster than a busy machine."""

import pytest
from textual.command import CommandList

from screens.palette import TablePaletteScreen
from screens.run import RunScreen
from tests.screens.driving import press, until
from tests.screens.fakes import FakeHelm, app_for
from tests.screens.moments import MOMENTS


@pytest.mark.parametrize("key", ["pageup", "pagedown"])
async def test_a_page_key_before_the_list_has_its_place_does_nothing(key: str) -> None:
    app, _ = app_for(MOMENTS["push"](), FakeHelm())
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "f12")
        await until(pilot, lambda: isinstance(app.screen, TablePaletteScreen), "the palette")
        commands = app.screen.query_one(CommandList)
        await until(pilot, lambda: commands.option_count > 1, "its commands")
        commands.display = False
        await until(pilot, lambda: not commands.scrollable_content_region, "a list without a place")
        options = list(commands.options)
        commands.clear_options()
        commands.add_options(options)
        commands.highlighted = 0
        await press(pilot, key)
        assert commands.highlighted == 0
        commands.display = True
        await until(pilot, lambda: bool(commands.scrollable_content_region), "the list in its place")
        await press(pilot, key)
        assert app.return_code is None


async def test_a_second_escape_leaves_the_run_in_sight() -> None:
    app, _ = app_for(MOMENTS["push"](), FakeHelm())
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "f12")
        palette = app.screen
        assert isinstance(palette, TablePaletteScreen)
        await palette.run_action("escape")
        await palette.run_action("escape")
        await until(pilot, lambda: not palette.is_attached, "the palette gone")
        assert isinstance(app.screen, RunScreen)


async def test_whoever_quits_as_it_opens_has_quit() -> None:
    app, _ = app_for(MOMENTS["push"](), FakeHelm())
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot)
        app.action_command_palette()
        app.action_leave_now()
    assert app.return_code == 0
