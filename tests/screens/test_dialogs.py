"""What every dialog tells of its keys, and what it takes away when there is nothing to say yes to."""

import pytest
from textual.widgets import Button, Input

from console.domain import intents
from console.domain.intents import Intent
from console.errors import StepFailed
from screens.dialogs.ask import AskDialog
from screens.dialogs.confirm import ConfirmDialog
from screens.run import RunScreen
from screens.widgets.keybar import KeyBar
from screens.widgets.sheet import Sheet
from tests.screens.driving import press, until
from tests.screens.fakes import FakeHelm, app_for
from tests.screens.moments import MOMENTS
from tests.screens.test_confirm import merge_waits

SIZE = (120, 36)


def edge(app: object) -> str:
    return str(app.screen.query_one("#dialog").border_subtitle)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("moment", "keys", "said"),
    [
        ("migrating", ["a"], "⏎ stop it"),
        ("migrating", ["i"], "⏎ declare it"),
        ("uncertain", ["2"], "⇥ or → to the answer, then ⏎"),
        ("failed-build", ["enter"], "its key picks one"),
        ("push", ["enter"], "type it, then ⏎"),
        ("migrating", ["q"], "esc stay"),
    ],
)
async def test_a_dialog_tells_its_keys_and_the_screen_behind_it_none(moment: str, keys: list[str], said: str) -> None:
    app, _ = app_for(MOMENTS[moment]())
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, *keys)
        assert said in edge(app)
        assert app.screen_stack[1].query_one(KeyBar).entries == ()
        await press(pilot, "escape")
        assert app.screen.query_one(KeyBar).entries


async def test_y_walks_to_the_answer_and_says_nothing_by_itself() -> None:
    helm = FakeHelm()
    app, _ = app_for(merge_waits(), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter", "y", "y")
        assert isinstance(app.screen, ConfirmDialog)
        assert app.focused is app.screen.query_one("#yes", Button)
        assert [type(intent) for intent in helm.sent] == [intents.Look]


async def test_what_cannot_be_done_has_nothing_to_type_and_names_its_details_once() -> None:
    class Conflict(FakeHelm):
        async def send(self, intent: Intent) -> None:
            raise StepFailed("1 file in conflict.", remedy="Resolve it.", lines=("conflict in services/kpi.js",))

    app, _ = app_for(MOMENTS["push"](), Conflict())
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        dialog = app.screen
        assert isinstance(dialog, ConfirmDialog)
        await until(pilot, lambda: not dialog.query_one("#yes").display, "the yes is gone")
        text = "\n".join(line.plain for line in dialog.query_one(Sheet).lines)
        for part in ("1 file in conflict.", "conflict in services/kpi.js", "Resolve it."):
            assert text.count(part) == 1
        assert not dialog.query_one("#phrase", Input).display
        assert not dialog.query_one("#instruction").display
        await press(pilot, "enter")
        assert isinstance(app.screen, RunScreen)


async def test_a_toast_never_hides_the_answers_of_a_dialog() -> None:
    app, _ = app_for(MOMENTS["migrating"]())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.notify("something was refused")
        await press(pilot, "a")
        assert isinstance(app.screen, AskDialog)
        assert not app._notifications


async def test_words_that_may_be_missing_say_so() -> None:
    app, _ = app_for(MOMENTS["migrating"]())
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "a")
        assert "may be empty" in " ".join(str(each.render()) for each in app.screen.query("Static"))
