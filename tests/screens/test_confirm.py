"""The yes to a destructive step: hard to give by accident, bound to what was shown."""

import asyncio
from dataclasses import replace

import pytest
from msgspec import structs
from textual.pilot import Pilot
from textual.widgets import Button, Input

from console.domain import intents
from console.domain.intents import Intent
from console.domain.outcome import Fact
from console.errors import Refused
from console.ports import StateChanged
from screens.app import ConsoleApp
from screens.dialogs.confirm import ConfirmDialog
from screens.dialogs.leave import LeaveDialog
from screens.run import RunScreen
from screens.widgets.sheet import Sheet
from tests.screens.driving import press
from tests.screens.fakes import FakeHelm, app_for
from tests.screens.moments import MIGRATE, MOMENTS, PUSH, Moment
from tests.screens.plan import plan_020
from tests.screens.story import Story

SIZE = (120, 36)
LONG = 3600.0
YES = intents.Confirm("code.push", PUSH.digest, "main", {})
LOOKED = intents.Look("code.push")


def merge_waits() -> Moment:
    """A step that only asks: the merge."""
    story = Story(plan_020()).begin()
    for step in story.plan.steps:
        if step.id == "code.merge":
            break
        story.run(step.id, 1)
    story.preview("code.merge", replace(PUSH, summary="Merges 26c5a9f into main in the console's own clone."))
    return Moment(story.state, story.now)


async def open_dialog(pilot: Pilot[None]) -> ConfirmDialog:
    await press(pilot, "enter")
    dialog = pilot.app.screen
    assert isinstance(dialog, ConfirmDialog)
    return dialog


def read(dialog: ConfirmDialog) -> str:
    return "\n".join(line.plain for line in dialog.query_one(Sheet).lines)


async def test_the_phrase_must_be_typed_exactly() -> None:
    helm = FakeHelm()
    app, _ = app_for(MOMENTS["push"](), helm)
    async with app.run_test(size=SIZE) as pilot:
        dialog = await open_dialog(pilot)
        for wrong in ("", "Main", "main "):
            dialog.query_one(Input).value = wrong
            await press(pilot, "enter")
            assert app.screen is dialog, f"{wrong!r} is not the phrase"
        dialog.query_one(Input).value = ""
        await press(pilot, *"main", "enter")
        assert helm.sent == [LOOKED, YES]
        assert isinstance(app.screen, RunScreen)


async def test_the_confirm_button_asks_for_the_phrase_too() -> None:
    helm = FakeHelm()
    app, _ = app_for(MOMENTS["push"](), helm)
    async with app.run_test(size=SIZE) as pilot:
        dialog = await open_dialog(pilot)
        await pilot.click("#yes")
        assert app.screen is dialog
        assert helm.sent == [LOOKED]


async def test_the_safe_button_has_the_focus_and_does_nothing() -> None:
    helm = FakeHelm()
    app, _ = app_for(merge_waits(), helm)
    async with app.run_test(size=SIZE) as pilot:
        dialog = await open_dialog(pilot)
        assert dialog.focused is dialog.query_one("#safe", Button)
        await press(pilot, "enter")
        assert helm.sent == [intents.Look("code.merge")]
        assert isinstance(app.screen, RunScreen)


async def test_asking_takes_a_move_and_then_enter() -> None:
    helm = FakeHelm()
    app, _ = app_for(merge_waits(), helm)
    async with app.run_test(size=SIZE) as pilot:
        await open_dialog(pilot)
        await press(pilot, "right", "enter")
        assert [type(intent) for intent in helm.sent] == [intents.Look, intents.Confirm]


@pytest.mark.parametrize("key", ["enter", "space", "tab", "right", "escape", "m"])
async def test_no_key_counts_before_the_dialog_has_settled(key: str) -> None:
    """A key that is held down, or was typed ahead, arrives now; it goes nowhere."""
    helm = FakeHelm()
    app, _ = app_for(merge_waits(), helm, settle=LONG)
    async with app.run_test(size=SIZE) as pilot:
        dialog = await open_dialog(pilot)
        await press(pilot, *[key] * 8)
        assert app.screen is dialog
        assert dialog.focused is None
        assert [type(intent) for intent in helm.sent] == [intents.Look]


@pytest.mark.parametrize("key", ["enter", "space", "right", "tab"])
async def test_a_held_key_never_confirms(key: str) -> None:
    """Even without any settling, one key alone does not say yes, however often it repeats."""
    helm = FakeHelm()
    app, _ = app_for(merge_waits(), helm)
    async with app.run_test(size=SIZE) as pilot:
        await open_dialog(pilot)
        await press(pilot, *[key] * 8)
        assert not [intent for intent in helm.sent if isinstance(intent, intents.Confirm)]


async def test_a_click_before_the_dialog_has_settled_does_not_count() -> None:
    helm = FakeHelm()
    app, _ = app_for(merge_waits(), helm, settle=LONG)
    async with app.run_test(size=SIZE) as pilot:
        dialog = await open_dialog(pilot)
        await pilot.click("#yes")
        assert app.screen is dialog
        assert [type(intent) for intent in helm.sent] == [intents.Look]


async def test_the_dialog_settles_anew_when_a_key_comes_too_early() -> None:
    app, _ = app_for(merge_waits(), settle=LONG)
    async with app.run_test(size=SIZE) as pilot:
        dialog = await open_dialog(pilot)
        before = dialog._timer
        await press(pilot, "x")
        assert dialog._timer is not before


async def test_everything_that_it_will_do_stands_there() -> None:
    app, _ = app_for(MOMENTS["push"]())
    async with app.run_test(size=(200, 60)) as pilot:
        text = read(await open_dialog(pilot))
        for part in (
            PUSH.summary,
            "Remote tip of main",
            "Requests a minute",
            "dashboards fail",
            "e1093b9 Update references",
            "services/reportingService.js",
            "Services that will rebuild",
        ):
            assert part in text


async def test_the_statements_and_their_locks_stand_there() -> None:
    app, _ = app_for(MOMENTS["confirm-migrate"]())
    async with app.run_test(size=(200, 60)) as pilot:
        text = read(await open_dialog(pilot))
        assert "DROP VIEW IF EXISTS active_accounts" in text
        assert "ACCESS EXCLUSIVE" in text
        assert "a yes accepts up to 500" in text


async def test_the_yes_carries_the_limits_that_were_shown() -> None:
    helm = FakeHelm()
    app, _ = app_for(MOMENTS["confirm-migrate"](), helm)
    async with app.run_test(size=SIZE) as pilot:
        await open_dialog(pilot)
        await press(pilot, *"crm", "enter")
        assert helm.sent[-1] == intents.Confirm("db.migrate", MIGRATE.digest, "crm", {"Rows in accounts": 500})


async def test_a_step_can_be_confirmed_ahead() -> None:
    story = Story(plan_020()).begin()
    for step in story.plan.steps:
        if step.id == "code.backend":
            break
        story.run(step.id, 1)
    story.start("code.backend").start("code.frontend").run("db.connect", 1).preview("db.migrate", MIGRATE)
    helm = FakeHelm()
    app, _ = app_for(Moment(story.state, story.now), helm)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await press(pilot, "down", "down", "down")
        await open_dialog(pilot)
        await press(pilot, *"crm", "enter")
        assert [type(intent) for intent in helm.sent] == [intents.Look, intents.Confirm]


async def test_facts_that_change_under_the_dialog_void_what_was_typed() -> None:
    helm = FakeHelm()
    app, feed = app_for(MOMENTS["push"](), helm)
    async with app.run_test(size=SIZE) as pilot:
        dialog = await open_dialog(pilot)
        await press(pilot, *"mai")
        moved = replace(PUSH, facts=(Fact("Commit", "0000000"), *PUSH.facts[1:]))
        step = structs.replace(feed.state.steps["code.push"], preview=moved, preview_digest=moved.digest)
        feed.publish(StateChanged(structs.replace(feed.state, steps={**feed.state.steps, "code.push": step}), ()))
        app.frame()
        await pilot.pause()
        assert dialog.query_one(Input).value == ""
        assert "has changed while you were reading" in str(dialog.query_one("#refusal").render())
        await press(pilot, *"main", "enter")
        assert helm.sent[-1] == intents.Confirm("code.push", moved.digest, "main", {})


class SlowHelm(FakeHelm):
    """Answers only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = asyncio.Event()

    async def send(self, intent: Intent) -> None:
        self.sent.append(intent)
        await self.answer.wait()


async def test_no_yes_is_taken_while_it_is_still_looked_at() -> None:
    helm = SlowHelm()
    app, _ = app_for(MOMENTS["push"](), helm)
    async with app.run_test(size=SIZE) as pilot:
        dialog = await open_dialog(pilot)
        await press(pilot, *"main", "enter")
        assert app.screen is dialog
        helm.answer.set()
        await pilot.pause()
        await press(pilot, "enter")
        assert helm.sent == [LOOKED, YES]


async def test_the_first_look_is_no_change_under_the_dialog() -> None:
    """The preview that the look brings is what the person reads first, whenever its picture comes."""
    moment = MOMENTS["push"]()
    unseen = structs.replace(moment.state.steps["code.push"], preview=None, preview_digest=None)
    before = structs.replace(moment.state, steps={**moment.state.steps, "code.push": unseen})
    helm = SlowHelm()
    app, feed = app_for(Moment(before, moment.now), helm)
    async with app.run_test(size=SIZE) as pilot:
        dialog = await open_dialog(pilot)
        assert "Looking at what it will do" in read(dialog)
        feed.publish(StateChanged(moment.state, ()))
        helm.answer.set()
        await pilot.pause()
        app.frame()
        await pilot.pause()
        assert PUSH.summary in read(dialog)
        assert "changed" not in str(dialog.query_one("#refusal").render())
        await press(pilot, *"main", "enter")
        assert helm.sent == [LOOKED, YES]


async def test_a_look_that_fails_leaves_nothing_to_say_yes_to() -> None:
    helm = FakeHelm(error=Refused("crm-frontend tracks release.", remedy="Set its branch to main."))
    app, _ = app_for(MOMENTS["push"](), helm)
    async with app.run_test(size=SIZE) as pilot:
        dialog = await open_dialog(pilot)
        assert "Set its branch to main." in read(dialog)
        await press(pilot, *"main", "enter")
        assert helm.sent == [LOOKED]


async def test_the_dialog_closes_when_the_step_moves_on() -> None:
    app, feed = app_for(MOMENTS["push"]())
    async with app.run_test(size=SIZE) as pilot:
        await open_dialog(pilot)
        feed.publish(StateChanged(MOMENTS["building"]().state, ()))
        app.frame()
        await pilot.pause()
        assert isinstance(app.screen, RunScreen)


async def test_the_leave_dialog_takes_no_early_key_either() -> None:
    app: ConsoleApp
    app, _ = app_for(MOMENTS["migrating"](), settle=LONG)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await press(pilot, "q", "q", "right", "enter")
        assert isinstance(app.screen, LeaveDialog)
        assert app.return_code is None
