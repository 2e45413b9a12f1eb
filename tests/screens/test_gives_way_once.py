"""A second Escape that was pressed before the first had its effect takes no other screen along."""

from screens.dialogs.base import Dialog
from screens.palette import TablePaletteScreen
from screens.run import RunScreen
from tests.screens.driving import press, until
from tests.screens.fakes import FakeHelm, app_for
from tests.screens.moments import MOMENTS


async def test_the_palette_gives_way_once() -> None:
    app, _ = app_for(MOMENTS["push"](), FakeHelm())
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "f12")
        await until(pilot, lambda: isinstance(app.screen, TablePaletteScreen), "the palette")
        palette = app.screen
        await palette.run_action("escape")
        await palette.run_action("escape")
        await until(pilot, lambda: not palette.is_attached, "the palette gone")
        assert isinstance(app.screen, RunScreen)


async def test_a_question_gives_way_once() -> None:
    app, _ = app_for(MOMENTS["migrating"](), FakeHelm())
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "n")
        question = app.screen
        assert isinstance(question, Dialog)
        question.action_decline()
        question.action_decline()
        await until(pilot, lambda: not question.is_attached, "the question gone")
        assert isinstance(app.screen, RunScreen)
