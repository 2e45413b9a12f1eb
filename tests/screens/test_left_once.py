"""Two keys in one breath: the second one finds the screen left, and neither leaves the one below nor answers again."""

from screens.dialogs.choose import ChooseDialog
from screens.help import HelpScreen
from screens.run import RunScreen
from tests.screens.driving import press, ready, until
from tests.screens.fakes import FakeHelm, app_for
from tests.screens.moments import MOMENTS


async def test_a_screen_that_is_left_twice_leaves_the_run_in_sight() -> None:
    app, _ = app_for(MOMENTS["push"](), driving=False)
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "question_mark")
        left = app.screen
        assert isinstance(left, HelpScreen)
        left.action_back()
        left.action_back()
        await ready(pilot)
        assert isinstance(app.screen, RunScreen)


async def test_an_answer_that_is_given_twice_is_sent_once() -> None:
    helm = FakeHelm()
    app, _ = app_for(MOMENTS["ways-out"](), helm)
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "enter")
        dialog = app.screen
        assert isinstance(dialog, ChooseDialog)
        dialog.action_pick(0)
        dialog.action_pick(0)
        await ready(pilot)
        await until(pilot, lambda: bool(helm.sent), "an intent")
        await ready(pilot)
        assert len(helm.sent) == 1
        assert isinstance(app.screen, RunScreen)
