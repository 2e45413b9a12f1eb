"""What the status line and the step say where a run stands still, was stopped, or was taken up after a death."""

from datetime import timedelta

import pytest
from msgspec import structs

from console.domain.events import Kind
from console.domain.state import RunStatus
from screens.app import ConsoleApp
from screens.paint.checklist import rows
from screens.paint.detail import Way, detail
from screens.paint.situation import situation
from screens.view import View
from screens.widgets.keybar import Entry, KeyBar
from screens.widgets.panes import Detail
from tests.screens.fakes import app_for
from tests.screens.moments import MIGRATE, MOMENTS, PUSH, Moment
from tests.screens.plan import plan_020
from tests.screens.story import DRIVER, Story


def up_to(step_id: str) -> Story:
    """Everything before a step is done."""
    story = Story(plan_020()).begin()
    for step in story.plan.steps:
        if step.id == step_id:
            break
        story.run(step.id, 1)
    return story


def view(story: Story, *, driving: bool = True) -> View:
    return View(story.state, story.now, driving=driving)


def text_of(story: Story, step: str) -> str:
    shown = view(story)
    return "\n".join(line.plain for line in detail(shown, shown.state.steps[step], 100))


def test_when_every_step_is_over_the_run_is_to_be_closed() -> None:
    finished = MOMENTS["finished"]()
    state = structs.replace(finished.state, status=RunStatus.RUNNING, finished_at=None, outcome="")
    assert situation(View(state, finished.now, driving=True)).text == "Every step is over: ⏎ closes the run"
    assert situation(View(state, finished.now)).text == f"Every step is over: {DRIVER} closes the run"


def test_a_hold_while_steps_run_says_that_nothing_more_starts() -> None:
    story = up_to("code.backend").start("code.backend").start("code.frontend")
    story.tell(Kind.RUN_PAUSED, reason="")
    assert situation(view(story)).text == "Held: nothing more starts; 2 still run   h resumes"
    one = up_to("code.backend").start("code.backend").tell(Kind.RUN_PAUSED, reason="")
    assert "Held: nothing more starts; Render backend rebuilds still runs" in situation(view(one)).text


def test_a_run_that_is_held_names_why_and_the_key() -> None:
    story = up_to("code.push").tell(Kind.RUN_PAUSED, reason="lunch")
    assert situation(view(story)).text == "Held: lunch. Nothing starts by itself.   h resumes"
    assert "h resumes" not in situation(view(story, driving=False)).text


def test_a_hold_of_an_incident_that_is_closed_does_not_read_as_if_it_were_open() -> None:
    story = up_to("code.push").tell(Kind.RUN_PAUSED, reason="incident: tiles broken")
    story.tell(Kind.INCIDENT_DECLARED, reason="tiles broken").tell(Kind.INCIDENT_CLOSED, reason="fixed")
    assert "since the incident: tiles broken, closed meanwhile" in situation(view(story)).text
    assert situation(view(story)).text.endswith("h resumes")


def test_a_step_that_was_stopped_is_no_failure() -> None:
    story = up_to("code.push").start("code.push").tell(Kind.RUN_PAUSED, reason="aborted")
    story.tell(
        Kind.STEP_FAILED,
        "code.push",
        message="Stopped, as asked.",
        production="Nothing was pushed.",
        remedy="",
        lines=[],
        reopens=[],
        stopped=True,
    )
    now = situation(view(story))
    assert now.text == "Push to GitHub was stopped, as asked   h resumes"
    listed = [row.content.plain for row in rows(view(story), "code.push", 60, 60) if row.step == "code.push"]
    assert any("■" in line and line.rstrip().endswith("stopped") for line in listed)


def test_beside_an_incident_the_step_in_trouble_is_named() -> None:
    story = up_to("code.push").start("code.push")
    story.fail("code.push", "main has moved.", "Nothing was pushed.", "Merge again.")
    story.tell(Kind.INCIDENT_DECLARED, reason="kpis down")
    assert situation(view(story)).text == "Push to GitHub failed · Incident: kpis down"


def test_after_an_interruption_the_step_says_what_was_looked_for_and_found() -> None:
    story = up_to("db.migrate").preview("db.migrate", MIGRATE).start("db.migrate").wait(9)
    story.tell(Kind.DRIVER_JOINED, actor=DRIVER, host="laptop")
    died = f"The console of {DRIVER} ended without leaving the run; its last word was at 15:01:02 UTC."
    story.tell(Kind.NOTE_ADDED, text=died)
    story.tell(Kind.STEP_UNCERTAIN, "db.migrate", why="the console was killed")
    assert died in text_of(story, "db.migrate").replace("\n", " ")
    story.tell(Kind.STEP_RECONCILED, "db.migrate", answer="not_done", why="No history row.", by="probe")
    text = text_of(story, "db.migrate").replace("\n", " ")
    for part in ("Looked for after the interruption: it was not done.", "No history row.", died):
        assert part in text
    assert "Nobody has looked yet" not in text
    assert "⏎ looks at what it would do" in text


@pytest.mark.parametrize(("recorded", "told"), [(True, True), (False, False)])
def test_while_new_code_is_live_on_the_old_schema_the_step_says_since_when(recorded: bool, told: bool) -> None:
    story = up_to("db.migrate").preview("db.migrate", PUSH)
    if recorded:
        story.tell(
            Kind.FINDING_RECORDED, code="window.code_first", severity="warning", message="", evidence="", remedy=""
        )
    story.wait(125)
    text = text_of(story, "db.migrate")
    assert ("! Users may see errors since" in text) is told
    story.run("db.migrate", 5)
    assert "Users may see errors" not in text_of(story, "db.verify")


async def test_on_a_small_terminal_every_way_out_of_a_failed_step_is_in_sight() -> None:
    app: ConsoleApp
    app, _ = app_for(MOMENTS["failed-build"]())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.pause()
        pane = app.screen.query_one(Detail)
        in_sight = [line.plain for line in pane.lines[: pane.size.height]]
        for number in "1234":
            assert any(line.lstrip().startswith(f"{number}  ") for line in in_sight)


def test_with_room_for_all_nothing_of_a_failed_step_is_shortened() -> None:
    moment: Moment = MOMENTS["failed-build"]()
    shown = View(moment.state, moment.now, driving=True)
    step = moment.state.steps["code.backend"]
    ways = (Way("1", "Try again", "looks first"),)
    assert detail(shown, step, 100, ways, 80) == detail(shown, step, 100, ways)
    shortened = [line.plain for line in detail(shown, step, 40, ways, 10)]
    assert any(line.lstrip().startswith("1  Try again") for line in shortened[:6])


def test_keys_that_do_not_fit_with_their_words_stand_there_alone() -> None:
    bar = KeyBar()
    bar.set_reactive(
        KeyBar.entries,
        (Entry("next", "⏎", "look, then confirm", keep=True), *(Entry(k, k, "a long label") for k in "hnlwsprq")),
    )
    shown = bar.shown(60)
    assert [entry.key for entry, _ in shown] == ["⏎", *"hnlwsprq"]
    assert [labelled for _, labelled in shown] == [True, True, *[False] * 7]
    assert all(labelled for _, labelled in bar.shown(400))


def test_a_moment_later_the_time_of_exposure_is_longer() -> None:
    story = up_to("db.migrate").preview("db.migrate", MIGRATE)
    story.tell(Kind.FINDING_RECORDED, code="window.x", severity="warning", message="", evidence="", remedy="")
    step = story.state.steps["db.migrate"]
    first = detail(view(story), step, 100)
    later = detail(View(story.state, story.now + timedelta(minutes=3), driving=True), step, 100)
    assert [line.plain for line in first] != [line.plain for line in later]
