"""The previous build serves meanwhile: asked for once, followed to its end, and refused where it would harm."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from console.actions import waiting
from console.actions.databases import Databases
from console.actions.rollback.previous_build import PreviousBuild
from console.domain.hosting import DeployStatus
from console.domain.outcome import Done, NotDone
from console.domain.plan import Json
from console.domain.standing import Schema, Way
from console.domain.state import Attempt, StepState, StepStatus
from console.errors import RepositoryError, StepFailed
from tests.actions.fakes import Lost
from tests.actions.rolling_back import Back, columns

PREVIOUS = "back.previous"


def previous(back: Back) -> PreviousBuild:
    return PreviousBuild(back.hosting, back.repository, back.switches, Databases(back.database, back.instances))


async def test_the_previous_build_serves_on_both_services_side_by_side() -> None:
    back = Back()
    preview = await previous(back).preview(back.context(PREVIOUS))
    old = {s: next(d for d in back.hosting.all[s] if d.commit == back.old) for s in (back.backend, back.frontend)}
    assert [fact.value.split(",")[0] for fact in preview.facts] == [deploy.id for deploy in old.values()]
    assert any("environment variables" in line.text for line in preview.consequences)
    assert isinstance(await previous(back).probe(back.context(PREVIOUS, preview.before)), NotDone)
    back.turn_newest_live(5)
    evidence = await previous(back).perform(back.context(PREVIOUS, preview.before), back.reports)
    assert sorted(back.hosting.rolled_back) == sorted(deploy.id for deploy in old.values())
    services = evidence.data["services"]
    assert isinstance(services, dict)
    assert {key: value["commit"] for key, value in services.items()} == {  # type: ignore[index, call-overload]
        "backend": back.old,
        "frontend": back.old,
    }
    await previous(back).verify(back.context(PREVIOUS), evidence)
    assert isinstance(await previous(back).probe(back.context(PREVIOUS, preview.before)), Done)


async def test_only_services_that_run_the_release_are_rolled_back() -> None:
    back = Back()
    back.hosting.add(back.frontend, back.old, trigger="api")
    preview = await previous(back).preview(back.context(PREVIOUS))
    assert [fact.label for fact in preview.facts] == ["crm-backend"]


async def test_a_lost_answer_is_looked_for_before_it_is_asked_again() -> None:
    back = Back()
    preview = await previous(back).preview(back.context(PREVIOUS))
    back.hosting.lost_rollbacks = [Lost(done=True), Lost(status=503, done=True)]
    back.turn_newest_live(5)
    await previous(back).perform(back.context(PREVIOUS, preview.before), back.reports)
    assert len(back.hosting.rolled_back) == 2


@pytest.mark.parametrize("hangs", [False, True])
async def test_the_previous_build_needs_no_answer_of_the_repositorys_host(
    monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    back = Back()
    back.repository.down = RepositoryError("The repository's host cannot be reached.")
    if hangs:
        monkeypatch.setattr(waiting, "SECONDS_TO_LOOK", 0.1)
        monkeypatch.setattr(back.repository, "fetch", asyncio.Event().wait)
    preview = await previous(back).preview(back.context(PREVIOUS))
    assert set(preview.before["targets"]) == {"backend", "frontend"}  # type: ignore[arg-type]
    why = "no answer within 0.1 s" if hangs else "The repository's host cannot be reached."
    assert preview.readings[-1].value == f"as last fetched: {why}"
    back.turn_newest_live(5)
    evidence = await previous(back).perform(back.context(PREVIOUS, preview.before), back.reports)
    await previous(back).verify(back.context(PREVIOUS, preview.before), evidence)


def died(back: Back, step: str, before: Mapping[str, Json]) -> None:
    """The console was killed during a step, which was then found not to be done."""
    back.steps[step] = StepState(back.plan.step(step), attempt=1, unfinished=Attempt(before))


async def test_a_previous_build_that_a_dead_attempt_asked_for_is_followed_and_not_asked_for_again() -> None:
    back = Back()
    before = (await previous(back).preview(back.context(PREVIOUS))).before
    for service, target in ((back.backend, "backend"), (back.frontend, "frontend")):
        await back.hosting.roll_back(service, before["targets"][target]["deploy"])  # type: ignore[call-overload, index, arg-type]
    assert isinstance(await previous(back).probe(back.context(PREVIOUS, before)), NotDone)
    died(back, PREVIOUS, before)
    again = (await previous(back).preview(back.context(PREVIOUS))).before
    assert again["deploys"] == before["deploys"]
    back.turn_newest_live(5)
    await previous(back).perform(back.context(PREVIOUS, again), back.reports)
    assert len(back.hosting.rolled_back) == 2


async def test_a_previous_build_that_failed_before_is_asked_for_again() -> None:
    back = Back()
    before = (await previous(back).preview(back.context(PREVIOUS))).before
    await back.hosting.roll_back(back.backend, before["targets"]["backend"]["deploy"])  # type: ignore[call-overload, index, arg-type]
    back.turn(back.backend, DeployStatus.UPDATE_FAILED)
    died(back, PREVIOUS, before)
    again = (await previous(back).preview(back.context(PREVIOUS))).before
    back.turn_newest_live(5)
    await previous(back).perform(back.context(PREVIOUS, again), back.reports)
    assert len(back.hosting.rolled_back) == 3


async def test_a_previous_build_that_does_not_come_names_the_service_and_that_it_can_be_left_out() -> None:
    back = Back()
    preview = await previous(back).preview(back.context(PREVIOUS))
    back.clock.after(5, lambda: back.turn(back.backend, DeployStatus.LIVE))
    back.clock.after(5, lambda: back.turn(back.frontend, DeployStatus.UPDATE_FAILED))
    with pytest.raises(
        StepFailed, match="crm-frontend: the previous build is not live: switching over failed"
    ) as failed:
        await previous(back).perform(back.context(PREVIOUS, preview.before), back.reports)
    assert "Leave this step out" in failed.value.remedy


def switched(back: Back) -> None:
    back.instances.known["dpg-9"] = replace(back.instances.known[back.home], id="dpg-9")
    back.switches.points[back.backend, "DATABASE_URL"] = "dpg-9"


def switch_was_begun(back: Back) -> None:
    back.choose(Way.DATABASE)
    back.steps["back2.switch"] = StepState(back.plan.step("back2.switch"), StepStatus.FAILED, attempt=1)


def migrated(back: Back) -> None:
    back.database.answers.update(columns(Schema.NEW))


def forgotten(back: Back) -> None:
    back.hosting.all[back.backend] = back.hosting.all[back.backend][:1]


@pytest.mark.parametrize(
    ("arrange", "message"),
    [
        (switched, "crm-backend uses dpg-9:5432/crm, not crm"),
        (switch_was_begun, "pointed at another database"),
        (migrated, "does not have the columns from before"),
        (forgotten, "no longer lists a deploy of crm-backend from before"),
    ],
)
async def test_the_previous_build_is_refused_where_it_would_harm(arrange: Callable[[Back], None], message: str) -> None:
    back = Back()
    arrange(back)
    with pytest.raises(StepFailed, match=message):
        await previous(back).preview(back.context(PREVIOUS))
