"""A step of the way back that is reopened: how it was before the console's own switches is never forgotten."""

import pytest

from console.actions.rollback.database_ground import BeforeFence, before_fence
from console.actions.rollback.hold import HoldDeploys
from console.actions.rollback.journaled import held_settings
from console.domain import intents as i
from console.domain.events import Kind
from console.domain.outcome import Evidence
from console.domain.plan import Json
from console.domain.standing import Way
from console.domain.state import StepState
from console.domain.wire import encode_evidence
from tests.actions.rolling_back import Back
from tests.domain.history import History
from tests.domain.incidents import choose, declared, go

HELD: dict[str, Json] = {"settings": {"backend": "commit"}}
OPEN: dict[str, Json] = {"postgres_id": "dpg-1", "maintenance": {"backend": False}, "read_only_before": ""}
AS_IT_WAS = BeforeFence("dpg-1", {"backend": False}, "")


def fenced() -> History:
    """Autodeploy is held and writes are fenced off, with how it was on record before."""
    history = choose(declared(), Way.DATABASE)
    done(history, "back.hold", HELD)
    go(history, "revert", "push")
    return done(history, "back.fence", OPEN)


def done(history: History, step: str, before: dict[str, Json]) -> History:
    """A step began with this on record, and succeeded."""
    evidence = encode_evidence(Evidence("done", before))
    history.start(step, **before)
    return history.happen(Kind.STEP_SUCCEEDED, step, evidence=evidence, by="action", note="", accepted="")


@pytest.mark.parametrize("reopened", ["back.fence", "back.hold"])
def test_how_it_was_before_the_fence_stays_known_when_it_is_reopened(reopened: str) -> None:
    history = fenced().ask(i.Reopen(reopened, "the old instance takes writes again"))
    assert before_fence(history.state) == AS_IT_WAS
    assert history.step("back.fence").unfinished is None


def test_how_autodeploy_was_stays_known_through_every_reopening_and_a_failed_attempt() -> None:
    history = fenced().ask(i.Reopen("back.hold", "autodeploy of one service is on again"))
    assert held_settings(history.state) == {"backend": "commit"}
    history.fail("back.hold").ask(i.Retry("back.hold"))
    assert held_settings(history.state) == {"backend": "commit"}
    done(history, "back.hold", HELD).ask(i.Reopen("back.hold", "again"))
    assert held_settings(history.state) == {"backend": "commit"}


async def test_a_reopened_hold_does_not_take_the_consoles_own_off_for_the_setting_from_before() -> None:
    back = Back()
    action = HoldDeploys(back.hosting)
    before = (await action.preview(back.context("back.hold"))).before
    await action.perform(back.context("back.hold", before), back.reports)
    back.hosting.setting(back.backend, "commit")
    back.steps["back.hold"] = StepState(back.plan.step("back.hold"), attempt=1, undone=before)
    again = await action.preview(back.context("back.hold"))
    assert again.before == {"settings": {"backend": "commit", "frontend": "commit"}}
