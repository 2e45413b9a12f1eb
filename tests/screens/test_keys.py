"""A key leads to an intent, to a question whose answer becomes one, or to a screen."""

from collections.abc import Callable

import pytest

from console.domain import intents
from console.domain.events import Kind
from console.domain.outcome import Line
from console.errors import JournalError, Refused
from console.ports import JournalFailed, StateChanged
from screens.app import ConsoleApp
from screens.dialogs.ask import AskDialog
from screens.dialogs.choose import ChooseDialog
from screens.dialogs.trouble import TroubleDialog
from screens.run import RunScreen
from screens.widgets.keybar import KeyBar
from screens.widgets.panes import Checklist, Detail, Header
from tests.screens.driving import press, typed, until
from tests.screens.fakes import FakeHelm, app_for
from tests.screens.moments import MOMENTS, Moment
from tests.screens.plan import plan_020
from tests.screens.story import Story

SIZE = (120, 36)


def shown(app: ConsoleApp, kind: type[Detail] | type[Header] | type[Checklist] = Detail) -> str:
    return "\n".join(line.plain for line in app.screen_stack[1].query_one(kind).lines)


def at(name: str) -> Moment:
    return MOMENTS[name]()


@pytest.mark.parametrize(
    ("moment", "keys", "intent"),
    [
        ("start", ["enter", "1"], intents.Start()),
        ("push", ["h"], intents.Hold()),
        ("building", ["down", "down", "down", "d"], intents.Disarm("db.migrate")),
        ("push", ["v"], intents.Look("code.push")),
        ("failed-build", ["1"], intents.Retry("code.backend")),
        ("failed-build", ["enter", "1"], intents.Retry("code.backend")),
        ("uncertain", ["1"], intents.Reconcile("db.migrate", "probe")),
    ],
)
async def test_a_key_sends_its_intent(moment: str, keys: list[str], intent: intents.Intent) -> None:
    helm = FakeHelm()
    app, _ = app_for(at(moment), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, *keys)
        assert helm.sent == [intent]


@pytest.mark.parametrize(
    ("moment", "keys", "words", "intent"),
    [
        ("migrating", ["n"], "queue", intents.Note("queue", "db.migrate")),
        ("push", ["x"], "", None),
        ("start", ["n"], "early", intents.Note("early", "baseline")),
        ("failed-build", ["2"], "via", intents.DoneByHand("code.backend", "via")),
        ("migrating", ["a"], "why", intents.Abort(None, "why")),
        ("migrating", ["a"], "", intents.Abort(None, "")),
        ("migrating", ["i"], "errors", intents.DeclareIncident("errors")),
    ],
)
async def test_words_become_an_intent(moment: str, keys: list[str], words: str, intent: intents.Intent | None) -> None:
    helm = FakeHelm()
    app, _ = app_for(at(moment), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, *keys)
        if intent is None:
            assert not isinstance(app.screen, AskDialog), "a guard cannot be left out with a key"
            return
        await typed(pilot, words)
        await press(pilot, "enter")
        assert helm.sent[0] == intent


@pytest.mark.parametrize(
    ("moment", "keys", "build"),
    [
        ("uncertain", ["2"], lambda words: intents.Reconcile("db.migrate", "done", words)),
        ("uncertain", ["3"], lambda words: intents.Reconcile("db.migrate", "not_done", words)),
    ],
)
async def test_a_grave_answer_needs_a_move_to_its_button(
    moment: str, keys: list[str], build: Callable[[str], intents.Intent]
) -> None:
    """Enter in the line of words only moves to the safe answer; the other one has to be walked to."""
    helm = FakeHelm()
    app, _ = app_for(at(moment), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, *keys)
        await typed(pilot, "why")
        await press(pilot, "enter")
        assert helm.sent == []
        assert app.focused is not None
        assert app.focused.id == "safe"
        await press(pilot, "right", "enter")
        assert helm.sent == [build("why")]


async def test_a_guard_is_overridden_only_by_typing_it() -> None:
    helm = FakeHelm()
    app, _ = app_for(at("failed-build"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "4")
        await typed(pilot, "unused")
        await press(pilot, "enter")
        await typed(pilot, "code.frontend")
        await press(pilot, "enter")
        assert helm.sent == []
        await press(pilot, *["backspace"] * len("code.frontend"))
        await typed(pilot, "code.backend")
        await press(pilot, "enter")
        assert helm.sent == [intents.OverrideGuard("db.migrate", "code.backend", "unused", "code.backend")]


async def test_an_incident_can_be_declared_from_every_screen() -> None:
    for door in ("l", "w", "s", "p", "r", "question_mark"):
        app, _ = app_for(at("migrating"), FakeHelm())
        async with app.run_test(size=SIZE) as pilot:
            await press(pilot, door, "i")
            assert isinstance(app.screen, AskDialog), door


async def test_a_signature_carries_name_and_words() -> None:
    helm = FakeHelm()
    app, _ = app_for(at("signoff"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "s", "enter")
        await typed(pilot, "Ines")
        await press(pilot, "enter")
        await typed(pilot, "seen")
        await press(pilot, "enter", "right", "enter")
        assert helm.sent == [intents.Sign("qa", "Ines", True, "seen")]


async def test_a_refusal_to_sign_needs_a_reason() -> None:
    helm = FakeHelm()
    app, _ = app_for(at("signoff"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "s", "enter")
        await typed(pilot, "Ines")
        await press(pilot, "enter", "enter", "right", "right", "enter")
        assert helm.sent == []
        await typed(pilot, "KPIs")
        await press(pilot, "enter", "right", "right", "enter")
        assert helm.sent == [intents.Sign("qa", "Ines", False, "KPIs")]


async def test_a_finding_is_gone_on_despite_with_a_reason() -> None:
    helm = FakeHelm()
    app, _ = app_for(at("push"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "w", "enter")
        await typed(pilot, "short")
        await press(pilot, "enter", "right", "enter")
        assert helm.sent == [intents.OverrideFinding("window.code-before-schema", "short")]


async def test_a_refused_intent_is_told_in_passing() -> None:
    helm = FakeHelm(error=Refused("There is nothing to hold.", remedy="Start it."))
    app, _ = app_for(at("push"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "h")
        assert [toast.message for toast in app._notifications] == ["There is nothing to hold.\nStart it."]


async def test_any_other_error_says_what_failed_production_and_remedy() -> None:
    error = JournalError("The disk is full.", production="Nothing was started.", remedy="Free some space.")
    app, _ = app_for(at("push"), FakeHelm(error=error))
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "h")
        assert isinstance(app.screen, TroubleDialog)
        text = " ".join(str(child.render()) for child in app.screen.query("Static"))
        for part in ("The disk is full.", "Nothing was started.", "Free some space."):
            assert part in text


async def test_what_was_done_by_hand_and_fails_verification_can_be_accepted_on_the_record() -> None:
    helm = FakeHelm(error=Refused("verification says: not live", remedy="Put it right."))
    app, _ = app_for(at("failed-build"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "2")
        await typed(pilot, "via")
        await press(pilot, "enter")
        assert isinstance(app.screen, ChooseDialog)
        await press(pilot, "1")
        await typed(pilot, "seen")
        await press(pilot, "enter", "right", "enter")
        assert helm.sent[-1] == intents.DoneByHand("code.backend", "via", accept="seen")


async def test_the_cursor_follows_the_current_step_until_it_is_moved() -> None:
    moment = at("push")
    app, feed = app_for(moment)
    story = at("building")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, RunScreen)
        assert screen.selected == "code.push"
        await press(pilot, "up")
        assert (screen.selected, screen.following) == ("code.merge", False)
        feed.publish(StateChanged(story.state, ()))
        app.frame()
        await pilot.pause()
        assert screen.selected == "code.merge"
        await press(pilot, "g")
        assert (screen.selected, screen.following) == ("code.backend", True)


async def test_a_click_selects_a_step_and_a_click_on_the_footer_is_its_key() -> None:
    helm = FakeHelm()
    app, _ = app_for(at("push"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        checklist = app.screen.query_one(Checklist)
        row = next(y for y, line in enumerate(checklist.lines) if "All fixes deployed to staging" in line.plain)
        await pilot.click(checklist, offset=(8, row))
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, RunScreen)
        assert screen.selected == "code.staging"
        bar = screen.query_one(KeyBar)
        column = bar.render().plain.index("hold")
        await pilot.click(bar, offset=(column + 2, 0))
        await pilot.pause()
        assert helm.sent == [intents.Hold()]


async def test_the_header_says_when_the_record_cannot_be_written() -> None:
    app, feed = app_for(at("push"))
    async with app.run_test(size=SIZE) as pilot:
        feed.publish(JournalFailed("No space left on device.", "Free some space."))
        app.frame()
        await pilot.pause()
        assert "The record cannot be written: No space left on device." in shown(app, Header)


async def test_a_guard_that_was_left_out_is_a_persons_turn() -> None:
    story = Story(plan_020()).begin()
    for step in story.plan.steps:
        if step.id == "code.push":
            break
        if step.id == "backup.verify":
            story.tell(Kind.STEP_SKIPPED, step.id, reason="no scratch server", guard_overridden_by="code.push")
        else:
            story.run(step.id, 1)
    helm = FakeHelm()
    app, _ = app_for(Moment(story.state, story.now), helm)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "whose guard was left out" in shown(app, Header)
        await press(pilot, "enter")
        assert isinstance(app.screen, ChooseDialog)


async def test_a_doubt_lists_what_is_known_before_the_person_decides() -> None:
    story = Story(plan_020()).begin().start("baseline")
    story.doubt("baseline", "Two candidates were made since.", Line("dep-1"), Line("dep-2"))
    app, _ = app_for(Moment(story.state, story.now))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        text = shown(app)
        for part in ("Two candidates were made since.", "dep-1", "dep-2", "Look once more", "It was not carried out"):
            assert part in text


async def test_the_palette_finds_a_command_by_its_name() -> None:
    app, _ = app_for(at("migrating"))
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "ctrl+p")
        await typed(pilot, "incident")
        await until(pilot, lambda: bool(app.screen.query("CommandList").first().option_count), "a command is found")
        await press(pilot, "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, AskDialog), "the question is put")


async def test_leaving_says_what_goes_on_and_asks() -> None:
    app, _ = app_for(at("migrating"))
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "q")
        assert "Run migration 020" in " ".join(str(child.render()) for child in app.screen.query("Static"))
        await press(pilot, "enter")
        assert app.return_code is None, "the safe answer stays"
        await press(pilot, "q", "right", "enter")
        assert app.return_code == 0
