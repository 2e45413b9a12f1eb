"""An incident, from its declaration to the choice of a way back: what is shown, what is next, what is sent."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot
from textual.widgets import Button

from console.domain import intents
from console.domain.events import Kind
from console.domain.intents import Intent
from console.domain.standing import Code, Runs, Schema, Way
from console.domain.state import RunStatus
from console.errors import HostingError, Refused
from console.ports import StateChanged
from screens.app import ConsoleApp
from screens.dialogs.ask import AskDialog
from screens.dialogs.choose import ChooseDialog
from screens.dialogs.way import WayDialog
from screens.incident import IncidentScreen
from screens.run import RunScreen
from screens.widgets.incident import NextThing, StandingPane, WayPane, WaysPane
from screens.widgets.keybar import KeyBar
from screens.widgets.panes import Checklist, Detail, Gist, Header
from screens.widgets.sheet import Sheet
from tests.screens.driving import press, typed, until
from tests.screens.fakes import FakeHelm, app_for
from tests.screens.incidents import INCIDENTS, STANDING, assess, assessment_of, declared
from tests.screens.moments import MOMENTS, Moment, log_of

SIZE = (120, 36)


class SlowHelm(FakeHelm):
    """Looking where production stands takes until `seen` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = asyncio.Event()

    async def send(self, intent: Intent) -> None:
        """Record it; wait for the look."""
        await super().send(intent)
        if isinstance(intent, intents.Assess):
            await self.seen.wait()


def at(name: str) -> Moment:
    return replace({**MOMENTS, **INCIDENTS}[name](), keys=())


def text_of(app: ConsoleApp, kind: type[Sheet]) -> str:
    return "\n".join(line.plain for line in app.screen.query_one(kind).lines)


def keys_of(app: ConsoleApp) -> dict[str, str]:
    return {entry.key: entry.label for entry in app.screen.query_one(KeyBar).entries}


async def show(pilot: Pilot[None], feed_update: Callable[[], None], app: ConsoleApp) -> None:
    feed_update()
    app.frame()
    await pilot.pause()


async def test_declaring_opens_the_incident_and_looks_by_itself() -> None:
    helm = SlowHelm()
    app, feed = app_for(at("failed-build"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        assert isinstance(app.screen, AskDialog)
        await press(pilot, "enter")
        failure = app.listening.state.steps["code.backend"].failure if app.listening is not None else None
        reason = f"Render backend rebuilds: {failure.message if failure is not None else ''}"
        await until(pilot, lambda: len(helm.sent) == 2, "it is looked")
        assert helm.sent == [intents.DeclareIncident(reason), intents.Assess()], "the alert's words stand there already"
        story = declared().wait(3)
        feed.clock.now = story.now
        await show(pilot, lambda: feed.publish(StateChanged(story.state, ())), app)
        assert isinstance(app.screen, IncidentScreen)
        assert "looking…" in text_of(app, StandingPane)
        assert "Looking where production stands" in text_of(app, NextThing)
        assert "⏎" not in keys_of(app), "nothing is next but to wait"
        assess(story)
        helm.seen.set()
        await show(pilot, lambda: feed.publish(StateChanged(story.state, ())), app)
        await until(pilot, lambda: "choose the recommended way" in text_of(app, NextThing), "the ways are there")


async def test_an_incident_needs_no_word() -> None:
    helm = FakeHelm()
    app, _ = app_for(at("migrating"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i", "enter")
        assert helm.sent[0] == intents.DeclareIncident("")


async def test_a_look_that_fails_says_why_where_the_ways_would_stand_and_can_be_repeated() -> None:
    class BlindHelm(FakeHelm):
        async def send(self, intent: Intent) -> None:
            await super().send(intent)
            raise HostingError("No answer within 20 s.", remedy="Look again in a minute.")

    helm = BlindHelm()
    app, _ = app_for(at("incident-declared"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i", "enter")
        app.frame()
        await pilot.pause()
        shown = text_of(app, StandingPane)
        assert "The look failed: No answer within 20 s." in shown
        assert "Look again in a minute." in shown
        assert "look again where production stands" in text_of(app, NextThing)
        await press(pilot, "enter")
        assert helm.sent == [intents.Assess(), intents.Assess()]


async def test_where_production_stands_is_told_in_words() -> None:
    app, _ = app_for(at("incident-assessed"))
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        shown = text_of(app, StandingPane)
        for part in ("crm-backend", "9f31c07", "▲\u00a0new", "migration 020 has run", "dpg-1", "holds the release"):
            assert part in shown
        assert "INCIDENT 00:00:54" in text_of(app, Header)


async def test_old_other_fenced_switched_and_maintenance_have_words() -> None:
    services = (
        replace(STANDING.services[0], runs=Runs.OLD, maintenance=True),
        replace(STANDING.services[1], runs=Runs.OTHER, building="c0ffee1d2a5b"),
    )
    standing = replace(STANDING, services=services, schema=Schema.UNKNOWN, switched=True, fenced=True)
    assert standing.code is Code.MIXED
    story = assess(declared().wait(14), standing)
    app, _ = app_for(Moment(story.state, story.now))
    async with app.run_test(size=(200, 60)) as pilot:
        await press(pilot, "i")
        shown = text_of(app, StandingPane)
        for part in ("✔\u00a0old", "!\u00a0other", "▶ deploying c0ffee1", "maintenance", "?\u00a0not known", "fenced"):
            assert part in shown
        assert "another instance than the plan's" in shown


async def test_every_way_stands_there_with_verdict_and_price_the_recommended_first() -> None:
    app, _ = app_for(at("incident-assessed"))
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        lines = text_of(app, WaysPane).splitlines()
        assert "▸1 Schema and code back, nothing lost" in lines[1]
        assert lines[1].endswith("★ recommended")
        assert "restores service · nothing is lost" in lines[2]
        assert sum("★" in line for line in lines) == 1
        assert sum("! loses 318 rows" in line for line in lines) == 2
        assert sum("✗ does not restore service" in line for line in lines) == 2
        assert "reachable in 6:02" in "\n".join(lines)
        assert lines[-1].endswith("does not apply")


async def test_enter_shows_the_recommended_way_and_chooses_it_only_after_a_move() -> None:
    helm = FakeHelm()
    moment = at("incident-assessed")
    app, _ = app_for(moment, helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i", "enter")
        assert isinstance(app.screen, WayDialog)
        assert app.focused is app.screen.query_one("#safe", Button)
        await press(pilot, "enter")
        assert helm.sent == []
        await press(pilot, "enter", "right", "enter")
        assessed = moment.state.assessment
        assert assessed is not None
        assert helm.sent == [intents.ChooseWay("schema", assessed.at, "")]


async def test_another_way_needs_a_reason() -> None:
    helm = FakeHelm()
    moment = at("incident-assessed")
    app, _ = app_for(moment, helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i", "2")
        assert isinstance(app.screen, WayDialog)
        await press(pilot, "tab", "tab", "enter")
        assert helm.sent == []
        assert "Say why this way is chosen" in str(app.screen.query_one("#refusal").render())
        await typed(pilot, "data")
        await press(pilot, "enter", "right", "enter")
        assessed = moment.state.assessment
        assert assessed is not None
        assert helm.sent == [intents.ChooseWay("database", assessed.at, "data")]


@pytest.mark.parametrize(
    ("key", "said"),
    [("4", "This way does not restore service."), ("2", "318 rows that users wrote are lost.")],
)
async def test_the_dialog_says_what_stands_against_a_way(key: str, said: str) -> None:
    app, _ = app_for(at("incident-assessed"))
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i", key)
        assert said in str(app.screen.query_one("#against").render())
        assert app.screen.query_one("#dialog").has_class("-danger")


async def test_a_new_look_under_the_dialog_is_read_again_and_chosen_as_it_is_now() -> None:
    helm = FakeHelm()
    story = assess(declared().wait(14)).wait(5)
    app, feed = app_for(Moment(story.state, story.now), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i", "enter")
        assess(story.wait(20))
        await show(pilot, lambda: feed.publish(StateChanged(story.state, ())), app)
        assert "looked at anew" in str(app.screen.query_one("#refusal").render())
        await press(pilot, "right", "enter")
        assert helm.sent == [intents.ChooseWay("schema", assessment_of(story).at, "")]


async def test_the_cursor_stays_where_a_person_put_it_when_production_is_looked_at_anew() -> None:
    story = assess(declared().wait(14)).wait(5)
    app, feed = app_for(Moment(story.state, story.now))
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i", "down")
        assess(story.wait(20))
        await show(pilot, lambda: feed.publish(StateChanged(story.state, ())), app)
        screen = app.screen
        assert isinstance(screen, IncidentScreen)
        assert screen.chosen == Way.DATABASE.value
        assert "Not the recommended one" in text_of(app, NextThing)
        assert "Database back to before the migration" in text_of(app, WayPane)


async def test_a_way_that_does_not_apply_is_no_next_thing() -> None:
    helm = FakeHelm()
    app, _ = app_for(at("incident-assessed"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i", *["down"] * 5)
        assert "does not apply from here" in text_of(app, NextThing)
        assert "⏎" not in keys_of(app)
        await press(pilot, "enter", "6")
        assert isinstance(app.screen, IncidentScreen)


async def test_a_step_in_doubt_is_decided_before_a_way_is_chosen() -> None:
    story = declared().start("test.fields").wait(3).doubt("test.fields", "It may have left an account behind.")
    assess(story.wait(4))
    app, _ = app_for(Moment(story.state, story.now))
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        assert "say whether “Field mapping shows the new column” was carried out" in text_of(app, NextThing)
        await press(pilot, "enter")
        assert isinstance(app.screen, ChooseDialog)


async def test_while_it_is_looked_whether_a_step_took_effect_nothing_is_to_be_pressed() -> None:
    story = declared().start("test.fields").wait(3)
    story.tell(Kind.STEP_UNCERTAIN, "test.fields", why="the console ended while it ran")
    assess(story.wait(4))
    app, _ = app_for(Moment(story.state, story.now))
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        assert "Looking whether “Field mapping shows the new column” was carried out" in text_of(app, NextThing)
        assert "⏎" not in keys_of(app)


async def test_what_was_looked_at_in_an_earlier_incident_is_not_shown_as_of_now() -> None:
    story = assess(declared().wait(14)).wait(60).tell(Kind.INCIDENT_CLOSED, reason="put right")
    story.wait(300).tell(Kind.INCIDENT_DECLARED, reason="it is back")
    app, _ = app_for(Moment(story.wait(5).state, story.now))
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        assert "Nobody has looked yet." in text_of(app, StandingPane)
        assert "look where production stands" in text_of(app, NextThing)
        assert "INCIDENT 00:00:05" in text_of(app, Header)


async def test_once_the_incident_is_closed_the_screen_leads_back_to_the_run() -> None:
    story = assess(declared().wait(14)).wait(60)
    app, feed = app_for(Moment(story.state, story.now))
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        story.tell(Kind.INCIDENT_CLOSED, reason="put right")
        await show(pilot, lambda: feed.publish(StateChanged(story.state, ())), app)
        assert "esc back to the run" in text_of(app, NextThing)
        await press(pilot, "enter", "escape")
        assert isinstance(app.screen, RunScreen)


async def test_what_still_runs_is_stopped_before_a_way_is_chosen() -> None:
    story = declared().start("test.fields").wait(3)
    assess(story.wait(4))
    helm = FakeHelm()
    app, feed = app_for(Moment(story.state, story.now), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        assert "NEXT   a stop “Field mapping shows the new column”" in text_of(app, NextThing)
        await press(pilot, "a", "enter")
        assert helm.sent == [intents.Abort(None, "")]
        story.tell(Kind.RUN_ABORTING, "test.fields")
        await show(pilot, lambda: feed.publish(StateChanged(story.state, ())), app)
        assert "NOW" in text_of(app, NextThing)


async def test_from_a_screen_that_was_opened_in_the_incident_one_comes_back_to_it() -> None:
    app, _ = app_for(at("incident-assessed"))
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i", "m", "escape")
        assert isinstance(app.screen, IncidentScreen)
        await press(pilot, "l", "m", "i")
        assert isinstance(app.screen, IncidentScreen)
        await press(pilot, "escape")
        assert isinstance(app.screen, RunScreen)


async def test_the_key_leads_to_the_incident_and_back_from_every_screen() -> None:
    for door in ("", "l", "w", "s", "p", "r", "m", "question_mark"):
        app, _ = app_for(at("incident-assessed"))
        async with app.run_test(size=SIZE) as pilot:
            await press(pilot, *([door] if door else []))
            assert "INCIDENT 00:00:54" in text_of(app, Header)
            await press(pilot, "i")
            assert isinstance(app.screen, IncidentScreen), door
            await press(pilot, "escape")
            assert isinstance(app.screen, RunScreen), door


async def test_an_alert_that_may_be_an_incident_says_which_key_declares_it() -> None:
    app, _ = app_for(at("failed-build"))
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        assert "i declares an incident" in text_of(app, Header)
        assert "i declares an incident" in text_of(app, Gist)
        await press(pilot, "w")
        assert "i declares it, from any screen" in str(app.screen.query(".item").first(Sheet).lines)


async def test_a_run_taken_up_in_an_incident_opens_where_the_incident_is() -> None:
    """Whoever takes it up is led to the way back at once; an observer is not taken anywhere."""
    app, _ = app_for(at("rollback-running"))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, IncidentScreen)
        await press(pilot, "escape")
        assert not isinstance(app.screen, IncidentScreen)


async def test_the_run_screen_offers_the_ways_back_among_what_can_be_done() -> None:
    app, _ = app_for(at("incident-assessed"))
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "escape")
        assert "Look at the ways back" in text_of(app, Detail)
        assert keys_of(app)["i"] == "ways back"
        await press(pilot, "4")
        assert isinstance(app.screen, IncidentScreen)


async def test_closing_the_incident_without_a_way_back_is_a_key_away() -> None:
    helm = FakeHelm()
    app, _ = app_for(at("incident-assessed"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i", "c")
        await typed(pilot, "fixed")
        await press(pilot, "enter")
        assert helm.sent == [intents.CloseIncident("fixed")]


async def test_a_refused_choice_is_told_and_nothing_is_lost() -> None:
    helm = FakeHelm(error=Refused("Still running: Lead conversion works.", remedy="Wait for it, or abort it first."))
    app, _ = app_for(at("incident-assessed"), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i", "enter", "right", "enter")
        assert "Still running" in next(toast.message for toast in app._notifications)
        assert isinstance(app.screen, IncidentScreen)


async def test_an_observer_sees_the_ways_and_steers_none_of_them() -> None:
    app, _ = app_for(at("incident-assessed"), driving=False)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        assert isinstance(app.screen, IncidentScreen)
        assert "ops@laptop decides which way is gone" in text_of(app, NextThing)
        assert not {"⏎", "v", "c", "o"} & set(keys_of(app))
        await press(pilot, "down")
        assert "Database back to before the migration" in text_of(app, WayPane)
        await press(pilot, "enter", "1", "v", "c", "o")
        assert isinstance(app.screen, IncidentScreen)


@pytest.mark.parametrize("size", [(61, 15), (80, 24), (120, 36), (200, 60)])
async def test_the_next_thing_and_the_price_are_in_sight_at_every_size(size: tuple[int, int]) -> None:
    app, _ = app_for(at("incident-assessed"))
    async with app.run_test(size=size) as pilot:
        await press(pilot, "i")
        assert app.screen.query_one(NextThing).region.height > 0
        assert "choose the recommended way" in text_of(app, NextThing)
        assert app.screen.query_one(WaysPane).region.height >= 3
        assert "nothing is lost" in text_of(app, WaysPane)


async def test_steps_that_are_set_aside_are_said_to_be_so_on_the_run_screen() -> None:
    moment = at("rollback-running")
    app, _ = app_for(Moment(moment.state, moment.now, log=log_of(moment.now)))
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "escape")
        lines = text_of(app, Checklist).splitlines()
        assert any(line.startswith("‖ Monitoring") and line.endswith("set aside") for line in lines)
        assert any("Rebuild the schema" in line for line in lines), "the way's own phases stand there too"
        assert moment.state.status is RunStatus.RUNNING
