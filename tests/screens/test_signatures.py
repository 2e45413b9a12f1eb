"""Signatures on the screens: how they were given, what is void and why, what was not accepted, and four eyes."""

import pytest

from console.domain import intents
from screens.app import ConsoleApp
from screens.dialogs.sign import SignDialog
from screens.paint.detail import detail
from screens.paint.situation import situation
from screens.signoff import SignoffScreen
from screens.view import View
from screens.widgets.sheet import Sheet
from tests.screens.driving import press, typed
from tests.screens.fakes import FakeHelm, app_for
from tests.screens.moments import MOMENTS
from tests.screens.signatures import signed_from_afar, void

SIZES = [(80, 24), (200, 60)]


def shown(app: ConsoleApp) -> str:
    """The texts of the sign-off screen, on one line."""
    screen = next(each for each in app.screen_stack if isinstance(each, SignoffScreen))
    lines = [line.plain for sheet in screen.query(Sheet) for line in sheet.lines]
    return " ".join(" ".join(lines).split())


@pytest.mark.parametrize("size", SIZES)
async def test_one_from_afar_says_with_which_login(size: tuple[int, int]) -> None:
    app, _ = app_for(signed_from_afar())
    async with app.run_test(size=size) as pilot:
        await press(pilot, "s", "up", "up")
        assert "How signed as petra" in shown(app)
        await press(pilot, "down")
        assert "How by voice, recorded by ops@laptop" in shown(app)


async def test_an_open_one_says_how_it_can_be_given_and_what_was_not_accepted() -> None:
    app, _ = app_for(signed_from_afar())
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "s")
        text = shown(app)
        assert "release-console sign qa, as ines; or by voice" in text
        assert "asked for: not by ops@laptop, who drove" in text
        assert "Not accepted ! ines: It was given for 26c5a9f, and what is released now is 9f31c07." in text
        await press(pilot, "down")
        assert "Not accepted" not in shown(app)


@pytest.mark.parametrize("size", SIZES)
async def test_a_void_one_is_seen_on_every_screen(size: tuple[int, int]) -> None:
    moment = void()
    view = View(moment.state, moment.now, driving=True)
    assert situation(view).text == "2 signatures are void: Database owner signs again"
    assert situation(view).then == "it was given for another commit than 77aa01b"
    step = "\n".join(line.plain for line in detail(view, moment.state.steps["signoff.owner"], 100))
    assert "! What Petra Lindqvist signed is void: it was given for another commit than 77aa01b." in step
    app, _ = app_for(moment)
    async with app.run_test(size=size) as pilot:
        await press(pilot, "s")
        assert "Petra Lindqvist, 14:58: it was given for another commit than 77aa01b" in shown(app)


def test_what_was_signed_anew_is_void_no_more() -> None:
    moment = MOMENTS["signoff"]()
    assert situation(View(moment.state, moment.now, driving=True)).text == "Waits for you: QA lead signs and 1 other"


async def test_the_drivers_own_name_is_not_taken_where_four_eyes_are_asked_for() -> None:
    helm = FakeHelm()
    app, _ = app_for(signed_from_afar(), helm)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "s", "enter")
        dialog = app.screen
        assert isinstance(dialog, SignDialog)
        texts = " ".join(str(each.render()) for each in dialog.query("Static"))
        assert "Recorded as given by voice, by ops@laptop." in texts
        assert "Four eyes are asked for: nobody who has driven signs." in texts
        await typed(pilot, "Ops")
        await press(pilot, "enter", "enter", "right", "enter")
        assert app.screen is dialog
        assert "Four eyes are asked for: Ops has driven this run." in str(dialog.query_one("#refusal").render())
        assert helm.sent == []
        await typed(pilot, "Ines Roth")
        await press(pilot, "enter", "enter", "right", "enter")
        assert helm.sent == [intents.Sign("qa", "Ines Roth", approve=True)]
