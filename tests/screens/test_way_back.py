"""A way back that is gone: the run screen's widgets with its steps, one next thing, leaving it, its end."""

import re
from dataclasses import replace

import pytest
from msgspec import structs

from console.domain import intents
from console.domain.events import Kind
from console.domain.state import RunStatus, StepStatus
from console.ports import StateChanged
from screens.app import ConsoleApp
from screens.dialogs.confirm import ConfirmDialog
from screens.dialogs.message import MessageDialog
from screens.dialogs.postmortem import PostmortemDialog
from screens.incident import IncidentScreen
from screens.widgets.incident import NextThing, StepOfTheWay, Summary
from screens.widgets.keybar import KeyBar
from screens.widgets.panes import Checklist, Detail, Header
from screens.widgets.sheet import Sheet
from tests.screens.driving import press, typed, until
from tests.screens.fakes import FakeHelm, app_for, tell_news
from tests.screens.incidents import INCIDENTS, draft, rolled_back_story, send, to_what_has_time
from tests.screens.moments import Moment
from tests.screens.story import Story

SIZE = (120, 36)


def at(name: str) -> Moment:
    return replace(INCIDENTS[name](), keys=())


def text_of(app: ConsoleApp, kind: type[Sheet]) -> str:
    return "\n".join(line.plain for line in app.screen.query_one(kind).lines)


def keys_of(app: ConsoleApp) -> dict[str, str]:
    return {entry.key: entry.label for entry in app.screen.query_one(KeyBar).entries}


async def test_only_the_steps_of_the_way_stand_in_its_checklist() -> None:
    moment = at("rollback-running")
    app, feed = app_for(moment)
    async with app.run_test(size=(120, 60)) as pilot:
        await press(pilot, "i")
        tell_news(feed, moment)
        app.frame()
        await pilot.pause()
        shown = text_of(app, Checklist)
        assert "▶ Build back what migration" in shown
        assert "Database backup" not in shown
        assert "statement 3 of 6" in text_of(app, StepOfTheWay)
        assert "step 4 of 14" in text_of(app, StepOfTheWay)
        assert "3 of 14 are over" in text_of(app, Summary)
        assert "0:29 of 3–10 min" in text_of(app, Summary)
        assert "mail ✗ not delivered" in text_of(app, Summary)
        assert "confirm ahead: Serve the previous build meanwhile" in text_of(app, NextThing)
        assert "“Build back what migration 020 dropped” runs meanwhile" in text_of(app, NextThing)
        await press(pilot, "enter")
        assert isinstance(app.screen, ConfirmDialog)


async def test_while_the_fence_goes_up_the_restore_is_confirmed_ahead() -> None:
    moment = at("rollback-confirm-database")
    steps = dict(moment.state.steps)
    steps["back.fence"] = structs.replace(steps["back.fence"], status=StepStatus.RUNNING, started_at=moment.now)
    helm = FakeHelm()
    app, _ = app_for(replace(moment, state=structs.replace(moment.state, steps=steps)), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        text = "confirm ahead: Recover the moment before the migration into a new instance"
        assert text in " ".join(text_of(app, NextThing).split())
        await press(pilot, "enter")
        assert isinstance(app.screen, ConfirmDialog)
        await until(pilot, lambda: bool(helm.sent), "it is looked at")
        assert helm.sent == [intents.Look("back.recover")]


async def test_the_header_says_by_when_production_is_back_and_how_late_it_is() -> None:
    moment = at("rollback-running")
    app, feed = app_for(moment)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        assert "back by 15:01" in text_of(app, Header)
        feed.clock.now = moment.now.replace(hour=15, minute=7)
        feed.publish(StateChanged(moment.state, ()))
        app.frame()
        await pilot.pause()
        assert "was due back 15:01 +6 min" in text_of(app, Header)
        assert "! 6 min late" in text_of(app, Summary)


async def test_enter_confirms_the_step_that_waits_with_its_price_and_limit() -> None:
    helm = FakeHelm()
    app, _ = app_for(at("rollback-confirm-database"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        assert "look, then confirm: Fence off writes and count what is lost" in text_of(app, NextThing)
        await press(pilot, "enter")
        assert isinstance(app.screen, ConfirmDialog)
        await press(pilot, "right", "enter")
        confirm = helm.sent[-1]
        assert isinstance(confirm, intents.Confirm)
        assert (confirm.step, dict(confirm.limits)) == ("back.fence", {"Rows lost by going back to 14:48:43": 350})


async def test_a_cursor_that_was_moved_leads_back_to_what_waits() -> None:
    app, _ = app_for(at("rollback-confirm-database"))
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i", "up")
        assert "go to “Fence off writes and count what is lost”" in text_of(app, NextThing)
        await press(pilot, "g")
        screen = app.screen
        assert isinstance(screen, IncidentScreen)
        assert (screen.selected, screen.following) == ("back.fence", True)


@pytest.mark.parametrize(
    ("key", "intent"),
    [
        ("1", intents.Retry("back.schema")),
        ("h", intents.Hold()),
    ],
)
async def test_a_failed_step_is_steered_from_here(key: str, intent: intents.Intent) -> None:
    helm = FakeHelm()
    app, _ = app_for(at("rollback-failed"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i", key)
        assert helm.sent == [intent]


@pytest.mark.parametrize("key", ["4", "o"])
async def test_a_way_can_be_left_and_production_is_looked_at_anew(key: str) -> None:
    helm = FakeHelm()
    app, _ = app_for(at("rollback-failed"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        assert "Leave this way back" in text_of(app, StepOfTheWay)
        await press(pilot, key)
        await typed(pilot, "locked")
        await press(pilot, "enter")
        assert helm.sent == [], "it is a grave answer: Enter alone does not give it"
        await press(pilot, "right", "enter")
        await until(pilot, lambda: len(helm.sent) == 2, "it is looked anew")
        assert helm.sent == [intents.DropWay("locked"), intents.Assess()]


async def test_steps_that_are_set_aside_cannot_be_steered() -> None:
    helm = FakeHelm()
    app, _ = app_for(at("rollback-failed"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "escape")
        ids = list(at("rollback-failed").state.steps)
        ups = ids.index("back.schema") - ids.index("test.leads")
        await press(pilot, *["up"] * ups)
        assert "Lead conversion works" in text_of(app, Detail)
        assert "A way back is gone instead" in text_of(app, Detail)
        await press(pilot, "enter", "1", "u", "x", "b", "v")
        assert helm.sent == []
        assert len(app.screen_stack) == 2, "no dialog was opened"


async def test_the_post_mortem_needs_an_owner_and_a_day_to_come() -> None:
    helm = FakeHelm()
    app, _ = app_for(at("rollback-postmortem"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        assert "name owner and day: Plan post-mortem" in text_of(app, NextThing)
        await press(pilot, "enter")
        assert isinstance(app.screen, PostmortemDialog)
        await press(pilot, "enter", "enter")
        assert "needs an owner" in str(app.screen.query_one("#refusal").render())
        await typed(pilot, "Petra")
        for day, refusal in (("tomorrow", "is no day"), ("2026-01-30", "is over already")):
            await press(pilot, "enter")
            await typed(pilot, day)
            await press(pilot, "enter")
            assert refusal in str(app.screen.query_one("#refusal").render())
            await press(pilot, *["backspace"] * len(day), "shift+tab")
        await press(pilot, "enter")
        await typed(pilot, "2026-02-06")
        await press(pilot, "enter")
        assert helm.sent == [intents.PlanPostmortem("back.postmortem", "Petra", "2026-02-06")]


async def test_at_the_end_it_says_what_is_left_and_closes_the_incident_first() -> None:
    helm = FakeHelm()
    app, _ = app_for(at("rolled-back"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        shown = text_of(app, StepOfTheWay)
        for part in (
            "✔ Rolled back: Schema and code back, nothing lost",
            "must be reverted before these commits can be",
            "2 rows could not be decided",
            "1 message did not arrive",
            "2026-02-06, Petra Lindqvist",
        ):
            assert part in shown, part
        assert "⏎ close the incident" in text_of(app, NextThing)
        await press(pilot, "enter", "enter")
        assert helm.sent == [intents.CloseIncident("Schema and code back, nothing lost")]


async def test_then_its_end_is_told_and_the_run_is_closed_last() -> None:
    helm = FakeHelm()
    app, feed = app_for(at("rolled-back"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")

        async def goes_on(story: Story) -> None:
            feed.publish(StateChanged(story.state, ()))
            app.frame()
            await pilot.pause()

        story = rolled_back_story()
        await goes_on(story.tell(Kind.INCIDENT_CLOSED, reason="the users are back"))
        assert "is being written" in text_of(app, NextThing)
        assert "⏎" not in keys_of(app)
        await goes_on(draft(story, "closed:1", "closed", "The incident is closed"))
        assert "⏎ send the message to the stakeholders" in text_of(app, NextThing)
        await press(pilot, "enter")
        assert isinstance(app.screen, MessageDialog)
        await press(pilot, "ctrl+s")
        assert isinstance(helm.sent[-1], intents.SendMessage)
        await goes_on(send(story, "closed:1"))
        assert "⏎ close the run as rolled back" in text_of(app, NextThing)
        await press(pilot, "enter", "enter")
        assert helm.sent[-1] == intents.Finish("rolled_back", "the users are back")


async def test_the_stakeholders_are_told_with_one_key_and_what_has_time_is_left_out_with_two() -> None:
    helm = FakeHelm()
    app, feed = app_for(at("rollback-telling"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        assert "⏎ send the message to the stakeholders" in text_of(app, NextThing)
        await press(pilot, "enter")
        assert isinstance(app.screen, MessageDialog)
        await press(pilot, "escape")
        feed.publish(StateChanged(to_what_has_time().state, ()))
        app.frame()
        await pilot.pause()
        assert "do it or leave it out: Offer a branch that brings the release again" in text_of(app, NextThing)
        await press(pilot, "enter", "1")
        assert isinstance(app.screen, ConfirmDialog)
        await press(pilot, "escape", "down")
        assert "do it or leave it out: Remove the saved copy" in text_of(app, NextThing)
        await press(pilot, "enter", "2")
        assert helm.sent[-1] == intents.Skip("back.discard_copy", "kept: nothing needs it gone")


async def test_a_closed_rollback_is_shown_as_such_on_both_screens() -> None:
    moment = at("rolled-back-closed")
    assert moment.state.status is RunStatus.FINISHED
    app, _ = app_for(moment)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "↩ Rolled back" in text_of(app, Detail)
        assert "Left to be done" in text_of(app, Detail)
        assert "INCIDENT" not in text_of(app, Header), "its clock stands"
        await press(pilot, "i")
        assert "Closed: rolled back" in text_of(app, NextThing)
        assert "⏎" not in keys_of(app)


async def test_an_observer_watches_the_way_and_steers_nothing() -> None:
    app, _ = app_for(at("rollback-failed"), driving=False)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        assert "ops@laptop goes a way back" in text_of(app, NextThing)
        assert "What you can do" not in text_of(app, StepOfTheWay)
        assert not {"⏎", "h", "o", "n"} & set(keys_of(app))
        await press(pilot, "enter", "1", "4", "o", "h")
        assert isinstance(app.screen, IncidentScreen)


@pytest.mark.parametrize("size", [(61, 15), (80, 24), (120, 36), (200, 60)])
@pytest.mark.parametrize("name", ["rollback-running", "rollback-failed", "rolled-back"])
async def test_clock_next_thing_and_step_are_in_sight_at_every_size(name: str, size: tuple[int, int]) -> None:
    app, _ = app_for(at(name))
    async with app.run_test(size=size) as pilot:
        await press(pilot, "i")
        assert re.search(r"INCIDENT 00:0\d:\d\d ", text_of(app, Header)), "the clock is never cut"
        for kind in (NextThing, Checklist, StepOfTheWay, KeyBar):
            assert app.screen.query_one(kind).region.area > 0, kind


async def test_the_run_screen_looks_the_same_after_the_incident_was_seen() -> None:
    app, _ = app_for(at("rollback-running"))
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "escape")
        before = app.screen.query_one("#left").region
        await press(pilot, "i", "escape")
        assert app.screen.query_one("#left").region == before
