"""Keys that do nothing now say why; a no-go is told where one begins, and leads to what stands against it."""

from dataclasses import replace

import pytest
from msgspec import structs

from console.domain import intents
from console.domain.events import Kind
from console.domain.state import RunState, SignOffState
from console.errors import Refused
from console.ports import StateChanged
from screens.alerts import AlertsScreen
from screens.dialogs.ask import AskDialog
from screens.dialogs.choose import ChooseDialog
from screens.dialogs.sign import SignDialog
from screens.preflight import PreflightScreen
from screens.widgets.panes import Header
from screens.widgets.sheet import Sheet
from tests.screens.driving import press, typed, until
from tests.screens.fakes import FINDINGS, FakeHelm, app_for
from tests.screens.moments import MOMENTS, Moment
from tests.screens.plan import plan_020
from tests.screens.story import Story

SIZE = (120, 36)


def no_go() -> Moment:
    """The preflight has found a blocker."""
    story = Story(plan_020())
    for each in FINDINGS:
        finding = {"code": each.code, "severity": each.severity, "message": each.message}
        story.tell(Kind.FINDING_RECORDED, **finding, evidence=each.evidence, remedy=each.remedy)
    return Moment(story.state, story.now)


def told(app: object) -> list[str]:
    return [toast.message for toast in app._notifications]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("moment", "key", "why"),
    [
        ("start", "i", "has not begun"),
        ("start", "h", "has not begun"),
        ("start", "f", "has not begun"),
        ("push", "a", "Nothing runs that could be stopped."),
        ("migrating", "f", "Still running: Run migration 020"),
        ("incident", "h", "until it is closed (c)"),
    ],
)
async def test_a_key_that_does_nothing_now_says_why(moment: str, key: str, why: str) -> None:
    helm = FakeHelm()
    app, _ = app_for(MOMENTS[moment](), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, key)
        assert len(told(app)) == 1
        assert why in told(app)[0]
        assert helm.sent == []


async def test_for_an_observer_such_a_key_stays_silent() -> None:
    app, _ = app_for(MOMENTS["start"](), driving=False)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "h", "i", "f")
        assert told(app) == []


async def test_a_signature_that_cannot_be_given_yet_says_what_it_waits_for() -> None:
    app, _ = app_for(MOMENTS["migrating"]())
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "s")
        text = "\n".join(line.plain for sheet in app.screen.query(Sheet) for line in sheet.lines)
        assert "Waits for" in text
        assert "Monitor Render logs for 30 minutes" in text
        await press(pilot, "enter")
        assert not isinstance(app.screen, SignDialog)
        assert "Database owner signs when these are over: Monitor Render logs" in told(app)[0]


async def test_a_no_go_stands_in_the_status_line_with_the_key_that_shows_it() -> None:
    app, _ = app_for(no_go())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "No-go: 1 blocker   w shows it" in app.screen.query_one(Header).lines[1].plain


@pytest.mark.parametrize(("key", "screen"), [("w", AlertsScreen), ("1", AlertsScreen), ("p", PreflightScreen)])
async def test_beginning_against_a_blocker_names_it_and_leads_to_it(key: str, screen: type) -> None:
    helm = FakeHelm(error=Refused("The preflight says no-go."))
    app, _ = app_for(no_go(), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter", "1")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog) and len(app.screen_stack) == 3, "the no-go")
        text = " ".join(str(each.render()) for each in app.screen.query("Static"))
        assert "No-go: 1 blocker" in text
        assert FINDINGS[0].message in text
        assert FINDINGS[0].remedy in text
        await press(pilot, key)
        assert isinstance(app.screen, screen)


async def test_a_finding_is_gone_on_despite_from_the_preflight_too() -> None:
    helm = FakeHelm()
    app, feed = app_for(no_go(), helm)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "p", "enter")
        assert isinstance(app.screen, AskDialog)
        await typed(pilot, "agreed")
        await press(pilot, "enter", "right", "enter")
        assert helm.sent == [intents.OverrideFinding("services.branch", "agreed")]
        feed.publish(StateChanged(_waived(feed.state), ()))
        app.frame()
        await pilot.pause()
        text = "\n".join(line.plain for sheet in app.screen.query(Sheet) for line in sheet.lines)
        assert "waived" in text
        assert "GO" in str(app.screen.query_one("#verdict").render())
        assert "NO-GO" not in str(app.screen.query_one("#verdict").render())


def _waived(state: RunState) -> RunState:
    found = replace(state.findings["services.branch"], overridden="agreed")
    return structs.replace(state, findings={**state.findings, found.code: found})


def test_a_role_without_a_step_waits_for_nothing() -> None:
    from screens.not_now import waits_for

    assert waits_for(MOMENTS["push"]().state, SignOffState("nobody", "Nobody", required=False)) == ()
