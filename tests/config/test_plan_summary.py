"""The plan in a screenful: every phase and step, what has to be confirmed, and the timeline with both totals."""

from dataclasses import replace

import pytest

from console.domain.plan import DurationRange, Step, StepKind
from console.report.plan_summary import plan_summary, words
from tests.config.conftest import EXAMPLE, loaded


def test_every_phase_and_step_is_told_once_and_in_order() -> None:
    plan = loaded(EXAMPLE)
    lines = plan_summary(plan).splitlines()
    told = [line.split()[0] for line in lines if line.split() and line.split()[0] in {step.id for step in plan.steps}]
    assert told == [step.id for step in plan.steps]
    assert [line for line in lines if line in {phase.title for phase in plan.phases}] == [p.title for p in plan.phases]
    assert all(len(line) <= 100 for line in lines)


def test_what_a_person_must_do_is_told() -> None:
    lines = {line.split()[0]: line for line in plan_summary(loaded(EXAMPLE)).splitlines() if line.strip()}
    assert lines["code.merge"].endswith("ask")
    assert lines["code.push"].endswith("type main")
    assert lines["db.migrate"].endswith("type crm")
    assert lines["signoff.qa"].endswith("signature")
    assert lines["declared"] == "  declared 60-90 min; one after the other the rows add up to 59-81 min"


def test_a_manual_step_is_ticked() -> None:
    plan = loaded(EXAMPLE)
    manual = Step("by.hand", "Feed the cat", "pre", StepKind.MANUAL)
    assert "tick" in plan_summary(replace(plan, steps=(*plan.steps, manual)))


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (15, 15, "15 s"),
        (10, 20, "10-20 s"),
        (60, 60, "1 min"),
        (60, 180, "1-3 min"),
        (7200, 18000, "2-5 h"),
        (0, 90, "0-1.5 min"),
    ],
)
def test_a_range_is_told_in_one_unit(low: float, high: float, text: str) -> None:
    assert words(DurationRange(low, high)) == text
