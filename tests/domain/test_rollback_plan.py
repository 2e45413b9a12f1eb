"""The rollback's own plan, for every way from everywhere: the conductor can carry it out, in an order that is safe."""

from collections.abc import Iterator
from functools import cache
from itertools import product

import pytest

from console.actions.catalogue import CATALOGUE, ROLLBACK_CATALOGUE
from console.config import load
from console.domain.plan import DurationRange, Plan, Step, StepKind, Strength
from console.domain.rollback import verdicts
from console.domain.rollback_plan import POSTMORTEM, RollbackPlan, extended, planned, rollback_plan
from console.domain.standing import Code, Schema, Standing, Way
from tests.actions.fakes import ROOT
from tests.domain.test_rollback import standing

STRENGTH = {None: 0, Strength.ASK: 1, Strength.TYPE: 2}
DATABASES = (Way.DATABASE, Way.BACKUP)


@cache
def the_plan() -> Plan:
    return load(ROOT / "config.toml", CATALOGUE)


def every_plan() -> Iterator[tuple[Standing, Way, int, RollbackPlan]]:
    """Each way from each standing that changes its steps, whether it applies there or not."""
    for code, schema, pushed, switched, fenced in product(Code, Schema, *[(False, True)] * 3):
        where = standing(
            code, schema, saved_copy="accounts_before_020", pushed=pushed, switched=switched, fenced=fenced
        )
        for way, number in product(Way, (1, 2)):
            yield where, way, number, rollback_plan(the_plan(), where, way, number=number)


EVERY = list(every_plan())


def steps_named(plan: RollbackPlan) -> dict[str, Step]:
    """The steps by their id without the prefix."""
    return {each.id.partition(".")[2]: each for each in plan.steps}


def waits_for(plan: RollbackPlan, step: Step) -> set[str]:
    """The ids, without prefix, of every step that must be over before this one starts."""
    by_id = {each.id: each for each in plan.steps}
    ahead, seen = list(step.after), set[str]()
    while ahead:
        here = ahead.pop()
        seen.add(here.partition(".")[2])
        ahead += by_id[here].after
    return seen


def test_every_step_names_only_earlier_steps_and_no_two_bear_one_id() -> None:
    for _, _, number, plan in EVERY:
        ids = [each.id for each in plan.steps]
        assert len(set(ids)) == len(ids)
        assert all(each.startswith("back." if number == 1 else "back2.") for each in ids)
        for place, step in enumerate(plan.steps):
            # Only earlier ones: so there can be no cycle either.
            assert {*step.after, *step.guards, *step.reopens} <= set(ids[:place])
            assert set(step.guards) <= {f"{step.id.partition('.')[0]}.{each}" for each in waits_for(plan, step)}


def test_every_step_has_a_phase_with_a_row_and_no_phase_is_empty() -> None:
    for _, _, _, plan in EVERY:
        phases = [each.id for each in plan.phases]
        assert {each.phase for each in plan.steps} == set(phases)
        assert [row.phase for row in plan.rows] == phases
        assert [each for row in plan.rows for each in row.steps] == [each.id for each in plan.steps]


def test_the_extended_plan_has_unique_ids_and_its_own_steps_first() -> None:
    for _, _, _, added in EVERY:
        whole = extended(the_plan(), added)
        assert whole.steps[: len(the_plan().steps)] == the_plan().steps
        assert len({each.id for each in whole.steps}) == len(whole.steps)
        assert len({each.id for each in whole.phases}) == len(whole.phases)


def test_every_action_exists_takes_its_parameters_and_is_confirmed_as_strongly_as_it_must_be() -> None:
    known = {**ROLLBACK_CATALOGUE, "checks.run": CATALOGUE["checks.run"]}
    for _, _, _, plan in EVERY:
        for step in plan.steps:
            if step.kind is StepKind.MANUAL:
                assert (step.action, step.params) == (None, {"asks": POSTMORTEM})
                continue
            spec = known[step.action or ""]
            assert set(step.params) - {"asks"} == set(spec.params)
            given = step.confirmation.strength if step.confirmation is not None else None
            assert STRENGTH[given] >= STRENGTH[spec.least]
            assert given is not None or not spec.destructive
            assert given is not Strength.TYPE or (step.confirmation is not None and step.confirmation.phrase)


ORDER = [
    ("push", "hold"),
    ("push", "revert"),
    ("previous", "hold"),
    ("schema", "push"),
    ("recover", "fence"),
    ("fence", "hold"),
    ("compare", "recover"),
    ("switch", "compare"),
    ("switch", "push"),
    ("open", "in_use"),
    ("deploy.backend", "hold"),
    ("deploy.backend", "push"),
    ("deploy.backend", "previous"),
    ("deploy.frontend", "switch"),
    ("deploy.frontend", "schema"),
    ("in_use", "deploy.backend"),
    ("restore_settings", "deploy.frontend"),
    ("restore_settings", "open"),
    ("checks", "open"),
    ("checks", "deploy.backend"),
    ("prove", "checks"),
    ("prove", "restore_settings"),
    ("discard_copy", "papers"),
    ("reapply", "papers"),
    ("told", "prove"),
    ("papers", "prove"),
    ("postmortem", "papers"),
]


@pytest.mark.parametrize(("later", "earlier"), ORDER)
def test_no_step_comes_before_what_makes_it_safe(later: str, earlier: str) -> None:
    seen = 0
    for _, _, _, plan in EVERY:
        named = steps_named(plan)
        if later in named and earlier in named:
            assert earlier in waits_for(plan, named[later])
            seen += 1
    assert seen


@pytest.mark.parametrize(
    ("needs", "needed"),
    [("push", "hold"), ("push", "revert"), ("switch", "compare"), ("switch", "fence"), ("deploy.backend", "hold")],
)
def test_what_must_have_been_done_first_is_part_of_the_plan(needs: str, needed: str) -> None:
    for _, _, _, plan in EVERY:
        assert needs not in steps_named(plan) or needed in steps_named(plan)


def test_push_and_switch_cannot_start_when_what_guards_them_was_left_out() -> None:
    for _, _, _, plan in EVERY:
        named = steps_named(plan)
        for step, guard in (("push", "hold"), ("push", "revert"), ("switch", "compare"), ("open", "in_use")):
            if step in named and guard in named:
                assert f"{named[step].id.partition('.')[0]}.{guard}" in named[step].guards


def test_the_previous_build_is_served_only_on_the_old_schema_and_before_any_switch() -> None:
    served = 0
    for where, way, _, plan in EVERY:
        named = steps_named(plan)
        if "previous" not in named:
            continue
        served += 1
        assert way in (Way.CODE, Way.SCHEMA)
        assert not where.switched
        assert "switch" not in named
        assert where.schema is Schema.OLD or "schema" in waits_for(plan, named["previous"])
    assert served


def test_whoever_is_kept_out_is_let_in_again() -> None:
    for where, way, _, plan in EVERY:
        named = steps_named(plan)
        assert ("open" in named) == (where.fenced or way in DATABASES)
        assert "fence" not in named or "open" in named


def test_what_holds_autodeploy_gives_it_back() -> None:
    for _, _, number, plan in EVERY:
        named = steps_named(plan)
        assert "hold" not in named or "restore_settings" in named
        assert number == 1 or "restore_settings" in named


def test_every_production_service_is_deployed_where_any_is() -> None:
    for _, way, _, plan in EVERY:
        deployed = {each.params["service"] for each in plan.steps if each.action == "rollback.deploy"}
        assert deployed in (set(), {"backend", "frontend"})
        assert way not in DATABASES or deployed


def test_each_way_ends_with_its_proof_and_the_words() -> None:
    for _, way, _, plan in EVERY:
        named = steps_named(plan)
        assert {"prove", "told", "papers", "postmortem"} <= set(named)
        assert ("checks" in named) == (way is not Way.NOTHING)
        assert ("reapply" in named) == ("push" in named)


def test_the_whole_way_back_of_code() -> None:
    plan = rollback_plan(the_plan(), standing(Code.MIXED), Way.CODE)
    assert list(steps_named(plan)) == [
        *("hold", "previous", "revert", "push", "deploy.backend", "deploy.frontend", "restore_settings"),
        *("checks", "prove", "told", "papers", "postmortem", "reapply"),
    ]
    assert steps_named(plan)["revert"].params == {"scope": "release"}
    assert plan.phases[0].title == "Revert Code"


def test_the_fix_alone_is_reverted_alone() -> None:
    plan = rollback_plan(the_plan(), standing(Code.NEW), Way.FIX_ONLY)
    assert steps_named(plan)["revert"].params == {"scope": "fix"}
    assert steps_named(plan)["revert"].title == f"Revert {the_plan().release.fix_commit}"


def test_the_whole_way_back_of_the_database() -> None:
    plan = rollback_plan(the_plan(), standing(Code.NEW, Schema.NEW, recoverable=True), Way.DATABASE)
    named = steps_named(plan)
    assert list(named) == [
        *("hold", "revert", "push", "fence", "recover", "compare", "switch", "deploy.backend", "deploy.frontend"),
        *("in_use", "open", "restore_settings", "checks", "prove", "told", "papers", "postmortem", "reapply"),
    ]
    assert named["recover"].params == named["compare"].params == {"from": "moment"}


def test_nothing_has_nothing_to_deploy() -> None:
    plan = rollback_plan(the_plan(), standing(Code.OLD, pushed=False), Way.NOTHING)
    assert list(steps_named(plan)) == ["prove", "told", "papers", "postmortem"]


def test_the_schema_alone_needs_no_deploy_where_the_old_code_runs() -> None:
    where = standing(Code.OLD, Schema.NEW, pushed=False, saved_copy="accounts_before_020")
    plan = rollback_plan(the_plan(), where, Way.SCHEMA)
    assert list(steps_named(plan))[:3] == ["schema", "checks", "prove"]
    assert steps_named(plan)["schema"].after == ()


def test_what_applies_has_steps_and_a_planned_time() -> None:
    for where, way, _, plan in EVERY:
        if next(v for v in verdicts(where) if v.way is way).applies:
            assert plan.steps
            assert (planned(the_plan(), way) is None) == (way is Way.NOTHING)


def test_a_build_is_given_the_time_that_the_team_planned_for_it() -> None:
    for _, _, _, plan in EVERY:
        for step in plan.steps:
            if step.action == "rollback.deploy":
                assert step.planned == the_plan().step(f"code.{step.params['service']}").planned
            if step.action in ("rollback.recover", "rollback.schema"):
                assert step.planned is not None


def test_the_rows_add_up_to_the_planned_time_of_the_way() -> None:
    for where, way, _, plan in EVERY:
        if not next(v for v in verdicts(where) if v.way is way).applies:
            continue
        total = sum((row.planned for row in plan.rows), DurationRange(0, 0))
        assert total == (planned(the_plan(), way) or DurationRange(0, 0)), (where, way)
        named = {row.phase.rpartition(".")[2]: row.planned.high for row in plan.rows}
        assert {named.get(each, 0.0) for each in ("words", "later")} == {0.0}
        assert "deploy.backend" not in steps_named(plan) or named["services"] >= 300, "builds take their time"


def test_planned_times_come_from_the_plan_of_the_team() -> None:
    assert planned(the_plan(), Way.CODE) == DurationRange(120, 300)
    assert planned(the_plan(), Way.DATABASE) == DurationRange(120 + 600, 300 + 1800)
