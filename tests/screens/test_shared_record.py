"""A record that is shared: a run taken over before it is shown, and driven on while the shared record is lost."""

import asyncio

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from console.domain import intents
from console.domain.events import Kind
from screens.app import ConsoleApp
from screens.dialogs.ask import AskDialog
from screens.dialogs.take_over import Reply, Rival, TakeOverDialog
from screens.opening import Glimpse
from screens.widgets.panes import Detail
from tests.screens.driving import press, ready, typed, until
from tests.screens.fakes import FakeHelm, app_for
from tests.screens.moments import Moment
from tests.screens.plan import plan_020
from tests.screens.story import Story

SIZE = (120, 36)
ANN = "ann@laptop"


def rival(*, held: bool) -> Rival:
    return Rival("20260204-201403-a1b2", ANN, f"{ANN} drives run 20260204-201403-a1b2 from laptop (process 41).", held)


async def asked(app: ConsoleApp, pilot: Pilot[None], *, held: bool) -> "asyncio.Task[Reply | None]":
    """Have the application ask."""
    await until(pilot, app.shown.is_set, "the first frame is painted")
    asking = asyncio.create_task(app.asks_to_take_over(rival(held=held)))
    await until(pilot, lambda: isinstance(app.screen, TakeOverDialog), "it asks")
    await ready(pilot)
    return asking


def text(app: ConsoleApp) -> str:
    return " ".join(str(each.content) for each in app.screen.query(Static)).replace("\n", " ")


@pytest.mark.parametrize(("held", "words"), [(True, "begins nothing more"), (False, "Ask them first")])
async def test_a_run_is_taken_over_only_by_typing_who_drives_it(held: bool, words: str) -> None:
    app = ConsoleApp(glimpse=Glimpse("Something"), settle=0.0)
    async with app.run_test(size=SIZE) as pilot:
        asking = await asked(app, pilot, held=held)
        assert words in text(app)
        await press(pilot, "enter")
        await typed(pilot, "bob")
        await press(pilot, "enter")
        assert not asking.done()
        assert f"Type {ANN} exactly" in text(app)
        await press(pilot, *["backspace"] * 3)
        await typed(pilot, ANN)
        await press(pilot, "enter")
        assert await asking is Reply.TAKE_OVER


@pytest.mark.parametrize(("keys", "reply"), [(["escape"], None), (["tab", "enter"], Reply.WATCH)])
async def test_it_is_left_alone_by_escape_and_watched_by_the_other_button(keys: list[str], reply: Reply | None) -> None:
    app = ConsoleApp(glimpse=Glimpse("Something"), settle=0.0)
    async with app.run_test(size=SIZE) as pilot:
        asking = await asked(app, pilot, held=True)
        await press(pilot, *keys)
        assert await asking is reply


def apart(*, waived: bool = False) -> Moment:
    """The push waits for a yes, and the shared record is lost."""
    from tests.screens.moments import push

    before = push()
    story = Story(plan_020())
    story.tell(Kind.RUN_STARTED).wait(60)
    story.tell(Kind.STORE_LOST, reason="no answer within 5 s", epoch=1)
    if waived:
        story.tell(Kind.STORE_WAIVED, reason="ops@laptop says that nobody else drives: asked everybody")
    return Moment(story.state, story.now, (), before.log)


async def test_driving_on_alone_asks_for_the_run_and_how_that_is_known() -> None:
    helm, moment = FakeHelm(), apart()
    app, _ = app_for(moment, helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "z")
        assert isinstance(app.screen, AskDialog)
        await typed(pilot, "asked everybody")
        await press(pilot, "enter")
        await typed(pilot, moment.state.run)
        await press(pilot, "enter")
        assert helm.sent == [intents.DriveApart(moment.state.run, "asked everybody")]


async def test_it_is_offered_only_while_the_record_is_lost_and_nobody_said_so() -> None:
    for moment in (apart(waived=True), Moment(Story(plan_020()).state, Story(plan_020()).now)):
        helm = FakeHelm()
        app, _ = app_for(moment, helm)
        async with app.run_test(size=SIZE) as pilot:
            await press(pilot, "z")
            assert not isinstance(app.screen, AskDialog)
            assert helm.sent == []


async def test_a_step_that_changes_production_says_what_it_waits_for() -> None:
    story = Story(plan_020())
    story.tell(Kind.RUN_STARTED).wait(60)
    for step in story.plan.steps:
        if step.id == "code.merge":
            break
        story.succeed(step.id, "done")
    story.tell(Kind.STORE_LOST, reason="no answer within 5 s", epoch=1)
    app, _ = app_for(Moment(story.state, story.now))
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        shown = "\n".join(line.plain for line in app.screen.query_one(Detail).lines)
        assert "Waits for the shared record" in shown
        assert "(z)" in shown
