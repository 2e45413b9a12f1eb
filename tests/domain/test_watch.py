"""Deploys that were seen, alerts that depend on time or on what follows from a failed step."""

from datetime import timedelta

import pytest

from console.domain import intents as i
from console.domain.consequences import consequences
from console.domain.events import Draft, Kind
from console.domain.health import LogClass
from console.domain.hosting import Deploy, DeployStatus
from console.domain.standing import Way
from console.domain.watch import (
    BURST,
    EXPECTED,
    SCHEMA_GAP,
    errors_count_since,
    raised,
    schema_gap,
    watch_deploys,
    watch_errors,
    watch_schema_gap,
)
from tests.domain.history import BEGIN, History, over, pushed
from tests.domain.incidents import choose, declared
from tests.domain.plans import release_plan

RELEASED = "c" * 40
FOREIGN = "f" * 40


def release() -> History:
    return History(release_plan())


def deploy(
    commit: str, status: DeployStatus = DeployStatus.LIVE, *, minutes: float = 60.0, name: str = "dep-1"
) -> Deploy:
    return Deploy(name, "srv-1", status, commit, "subject", "new_commit", BEGIN + timedelta(minutes=minutes))


def kinds(drafts: tuple[Draft, ...]) -> list[Kind]:
    return [each.kind for each in drafts]


class TestSchemaGap:
    def test_it_begins_with_the_first_build_that_is_live_and_ends_with_the_migration(self) -> None:
        history = pushed(release())
        assert schema_gap(history.state, history.now) is None
        history.succeed("backend").wait(100)
        assert schema_gap(history.state, history.now) == pytest.approx(100)
        history.succeed("frontend").confirm("migrate").succeed("migrate")
        assert schema_gap(history.state, history.now) is None

    def test_beyond_the_plans_limit_it_is_said_once_and_offers_an_incident(self) -> None:
        history = pushed(release()).succeed("backend", "frontend").wait(500)
        assert watch_schema_gap(history.state, history.now) == ()
        history.wait(200).append(*watch_schema_gap(history.state, history.now))
        alert = history.state.alerts[SCHEMA_GAP]
        assert (alert.severity, alert.offer) == ("danger", "incident")
        assert "live on the old schema for 12 min; the plan accepts 10" in alert.message
        assert watch_schema_gap(history.state, history.now) == ()

    def test_the_migration_clears_it(self) -> None:
        history = pushed(release()).succeed("backend", "frontend").wait(700)
        history.append(*watch_schema_gap(history.state, history.now)).confirm("migrate").succeed("migrate")
        history.append(*watch_schema_gap(history.state, history.now))
        assert not raised(history.state, SCHEMA_GAP)


class TestDeploys:
    def test_a_deploy_is_noted_when_it_is_new_or_has_moved_on(self) -> None:
        history = pushed(release())
        building = deploy(RELEASED, DeployStatus.BUILD)
        history.append(*watch_deploys(history.state, "backend", [building]))
        assert history.state.deploys["backend"].status == "build_in_progress"
        assert watch_deploys(history.state, "backend", [building]) == ()
        assert kinds(watch_deploys(history.state, "backend", [deploy(RELEASED)])) == [Kind.DEPLOY_OBSERVED]

    def test_one_of_another_commit_after_the_push_raises_an_alert(self) -> None:
        history = pushed(release())
        history.append(*watch_deploys(history.state, "backend", [deploy(FOREIGN, DeployStatus.BUILD)]))
        assert "a deploy of fffffff, which is not the release" in history.state.alerts["deploy:backend"].message
        history.append(*watch_deploys(history.state, "backend", [deploy(RELEASED, name="dep-2")]))
        assert not raised(history.state, "deploy:backend")

    @pytest.mark.parametrize(
        "seen",
        [
            deploy(FOREIGN, minutes=-60),
            deploy(FOREIGN, DeployStatus.CANCELED),
            deploy(RELEASED, DeployStatus.BUILD),
            deploy("", DeployStatus.BUILD),
        ],
        ids=["from before the push", "cancelled", "ours", "of no commit"],
    )
    def test_others_do_not(self, seen: Deploy) -> None:
        history = pushed(release())
        assert kinds(watch_deploys(history.state, "backend", [seen])) == [Kind.DEPLOY_OBSERVED]

    def test_before_the_push_every_deploy_is_as_it_should_be(self) -> None:
        history = release().begin()
        assert kinds(watch_deploys(history.state, "backend", [deploy(FOREIGN)])) == [Kind.DEPLOY_OBSERVED]

    def test_where_there_is_none_there_is_nothing_to_note(self) -> None:
        assert watch_deploys(release().begin().state, "backend", []) == ()


class TestErrors:
    def test_schema_errors_are_expected_while_new_code_waits_for_its_schema_up_to_a_limit(self) -> None:
        history = pushed(release()).succeed("backend")
        schema = {("srv-1", LogClass.SCHEMA_ERROR): EXPECTED}
        assert watch_errors(history.state, schema, history.now) == ()
        schema = {("srv-1", LogClass.SCHEMA_ERROR): EXPECTED + 1}
        history.append(*watch_errors(history.state, schema, history.now))
        assert "more than code that waits" in history.state.alerts["schema-errors:backend"].message

    def test_behind_the_migration_a_single_one_is_too_many(self) -> None:
        history = over(release())
        history.append(*watch_errors(history.state, {("srv-1", LogClass.SCHEMA_ERROR): 1}, history.now))
        assert raised(history.state, "schema-errors:backend")
        history.append(*watch_errors(history.state, {}, history.now))
        assert not raised(history.state, "schema-errors:backend")
        assert errors_count_since(history.state) == history.step("migrate").ended_at

    def test_a_burst_of_other_errors_raises_an_alert_until_it_has_ebbed(self) -> None:
        history = release().begin()
        assert watch_errors(history.state, {("srv-1", LogClass.ERROR): BURST - 1}, history.now) == ()
        history.append(*watch_errors(history.state, {("srv-1", LogClass.ERROR): BURST}, history.now))
        assert raised(history.state, "errors:backend")
        assert watch_errors(history.state, {("srv-1", LogClass.ERROR): BURST - 1}, history.now) == ()
        history.append(*watch_errors(history.state, {("srv-1", LogClass.ERROR): 1}, history.now))
        assert not raised(history.state, "errors:backend")


class TestConsequences:
    def test_a_step_that_fails_in_production_raises_an_alert_until_it_succeeds(self) -> None:
        history = pushed(release()).fail("backend", "build failed")
        alert = history.state.alerts["step:backend"]
        assert (alert.message, alert.offer) == ("Backend failed: build failed", "incident")
        history.ask(i.Retry("backend")).succeed("backend")
        assert not raised(history.state, "step:backend")

    def test_one_that_fails_before_anything_reached_production_does_not(self) -> None:
        assert release().begin().fail("backup").state.alerts == {}

    def test_one_that_was_asked_to_stop_does_not(self) -> None:
        assert pushed(release()).fail("backend", "stopped", stopped=True).state.alerts == {}

    def test_criteria_are_judged_when_the_last_step_that_proves_them_is_over(self) -> None:
        history = pushed(release()).succeed("backend")
        assert history.state.criteria["deployed"].met is None
        history.succeed("frontend")
        criterion = history.state.criteria["deployed"]
        assert criterion.met
        assert criterion.evidence == "Backend: backend is done; Frontend: frontend is done"

    def test_one_whose_step_was_accepted_against_verification_has_not_enough_to_say(self) -> None:
        history = pushed(release()).succeed("backend")
        history.happen(Kind.STEP_SUCCEEDED, "frontend", by="hand", accepted="looks fine to me")
        criterion = history.state.criteria["deployed"]
        assert criterion.met is None
        assert "accepted although its verification failed: looks fine to me" in criterion.evidence

    def test_they_are_said_once(self) -> None:
        assert consequences(over(release()).state) == ()


def test_a_way_back_deploys_by_itself_and_is_no_stranger() -> None:
    history = choose(declared(), Way.CODE)
    deploy = Deploy("dep-9", "srv-1", DeployStatus.BUILD, "f" * 40, "Revert", "api", history.now + timedelta(hours=1))
    drafts = watch_deploys(history.state, "backend", [deploy])
    assert [each.kind for each in drafts] == [Kind.DEPLOY_OBSERVED]
