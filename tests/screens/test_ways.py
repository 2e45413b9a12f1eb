"""The ways out of trouble: what the failure names first, what gives up a guard last, and what is lost by name."""

from console.domain import intents
from console.domain.events import Kind
from console.domain.plan import Json
from screens.dialogs.ask import AskDialog
from screens.dialogs.choose import ChooseDialog
from screens.moment import Moment as Instant
from screens.run import RunScreen
from screens.view import View
from screens.ways import ways
from screens.widgets.panes import Detail
from tests.screens.driving import press
from tests.screens.fakes import FakeHelm, app_for
from tests.screens.moments import COMMIT, MOMENTS, Moment
from tests.screens.plan import plan_020
from tests.screens.story import Story

SIZE = (120, 36)


def push_race(*, named: bool = True) -> Story:
    """The target moved under the push; the failure names the merge."""
    story = Story(plan_020()).begin()
    for step in story.plan.steps:
        if step.id == "code.push":
            break
        story.run(step.id, 1)
    story.start("code.push").wait(3)
    reopens: list[Json] = ["code.merge"] if named else []
    return story.tell(
        Kind.STEP_FAILED,
        "code.push",
        message="main has moved meanwhile.",
        production="Nothing was pushed.",
        remedy="Merge once more.",
        lines=["main has moved meanwhile.", "main is 3ab0000"],
        reopens=reopens,
        stopped=False,
    )


def signed_all() -> Moment:
    moment = MOMENTS["signoff"]()
    return Moment(moment.state, moment.now, moment.news, moment.log)


def test_the_way_that_the_failure_names_comes_first_and_is_recommended() -> None:
    story = push_race()
    options = ways(Instant(View(story.state, story.now, driving=True), step=story.state.steps["code.push"]))
    assert options[0].label.startswith("Go back to “Merge staging")
    assert [option.recommended for option in options] == [True, *[False] * (len(options) - 1)]
    assert options[1].label == "Try again"
    assert "fails again unless its cause is gone" in options[1].consequence


def test_a_failure_that_names_nothing_is_tried_again_first() -> None:
    story = push_race(named=False)
    options = ways(Instant(View(story.state, story.now, driving=True), step=story.state.steps["code.push"]))
    assert options[0].label == "Try again"
    assert not any(option.recommended for option in options)


def test_going_on_without_a_guard_comes_last_and_names_what_is_given_up() -> None:
    story = push_race()
    options = ways(Instant(View(story.state, story.now, driving=True), step=story.state.steps["code.push"]))
    without = [option for option in options if option.label.startswith("Go on to")]
    assert without
    assert list(options[-len(without) :]) == without
    assert all("the release is not on the branch" in option.consequence for option in without)


async def test_the_recommended_way_is_marked_in_the_step_and_a_line_stands_once() -> None:
    story = push_race()
    app, _ = app_for(Moment(story.state, story.now))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        text = "\n".join(line.plain for line in app.screen.query_one(Detail).lines)
        assert "recommended" in text
        assert text.count("main has moved meanwhile.") == 1
        assert "main is 3ab0000" in text
        await press(pilot, "enter")
        assert "recommended" in " ".join(str(each.render()) for each in app.screen.query("Button"))


async def test_doing_a_step_again_names_the_steps_and_the_signatures_that_are_lost() -> None:
    app, _ = app_for(signed_all())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, RunScreen)
        screen.selected = "db.verify"
        await press(pilot, "u")
        assert isinstance(app.screen, AskDialog)
        text = " ".join(str(each.render()) for each in app.screen.query("Static"))
        for part in ("Check data integrity", "Verify no orphaned columns", "and 6 more"):
            assert part in text
        assert "Signatures that are lost (2): Database owner (Petra Lindqvist)" in text


async def test_a_refused_signature_is_no_dead_end() -> None:
    moment = MOMENTS["signoff"]()
    story = Story(moment.state.plan)
    for step in story.begin().plan.steps:
        if step.role is None:
            story.run(step.id, 1)
    story.tell(Kind.SIGNOFF_REFUSED, role="owner", name="Dana", reason="counts", plan="5f0c9a1e77b24c01", commit=COMMIT)
    helm = FakeHelm()
    app, _ = app_for(Moment(story.state, story.now), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        assert isinstance(app.screen, ChooseDialog)
        await press(pilot, "2", *"no", "enter", "right", "enter")
        assert helm.sent == [intents.Finish("failed", "no")]
