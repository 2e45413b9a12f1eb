"""An observer sees everything and has nothing to send with."""

import pytest
from textual.pilot import Pilot

from console.domain import intents
from screens.app import ConsoleApp
from screens.base import ConsoleScreen
from screens.commands import READING, STEERING
from screens.incident import IncidentScreen
from screens.leads import Act, ConfirmStep, Send, Show, SignRole, Travel
from screens.moment import Moment as Instant
from screens.run import RunScreen
from screens.widgets.keybar import KeyBar
from screens.widgets.panes import Detail, Header
from tests.screens.fakes import app_for
from tests.screens.moments import MOMENTS

SIZE = (120, 36)


async def every_key(pilot: Pilot[None]) -> None:
    for command in STEERING:
        for key in command.keys:
            await pilot.press(key)


@pytest.mark.parametrize("name", ["start", "push", "migrating", "failed-build", "uncertain", "incident"])
async def test_no_key_of_steering_does_anything(name: str) -> None:
    app, _ = app_for(MOMENTS[name](), driving=False)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await every_key(pilot)
        await pilot.pause()
        assert isinstance(app.screen, RunScreen | IncidentScreen), "no dialog was opened"


@pytest.mark.parametrize("name", ["push", "failed-build"])
async def test_footer_detail_and_help_offer_no_steering(name: str) -> None:
    app, _ = app_for(MOMENTS[name](), driving=False)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        steering = {command.id for command in STEERING}
        assert not {entry.command for entry in app.screen.query_one(KeyBar).entries} & steering
        assert "What you can do" not in "\n".join(line.plain for line in app.screen.query_one(Detail).lines)
        assert isinstance(app.screen, ConsoleScreen)
        assert not {command.id for command in app.screen.desk.commands} & steering
        assert "WATCHING" in app.screen.query_one(Header).lines[0].plain


async def test_an_observers_desk_follows_no_lead_to_the_helm() -> None:
    app, _ = app_for(MOMENTS["push"](), driving=False)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, ConsoleScreen)
        assert app.screen.desk.commands == READING
        for lead in (Send(intents.Hold()), ConfirmStep("code.push"), SignRole("qa")):
            with pytest.raises(TypeError):
                app.screen.desk.pursue(lead)


async def test_the_signature_screen_is_read_only() -> None:
    app, _ = app_for(MOMENTS["signoff"](), driving=False)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("s")
        await pilot.pause()
        before = app.screen
        await pilot.press("enter", "space")
        assert app.screen is before


async def test_an_observer_leaves_without_being_asked() -> None:
    app: ConsoleApp
    app, _ = app_for(MOMENTS["migrating"](), driving=False)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("q")
        assert app.return_code == 0


def test_no_command_for_reading_leads_to_the_helm() -> None:
    from screens.view import View

    moment = MOMENTS["push"]()
    instant = Instant(View(moment.state, moment.now), doors=frozenset({"logs"}))
    for command in READING:
        assert isinstance(command.leads(instant), Show | Act | Travel), command.id
