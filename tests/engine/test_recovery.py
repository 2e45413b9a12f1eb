"""Steps whose end nobody saw, and steps that people did elsewhere: looked for, verified, decided."""

import asyncio
from pathlib import Path

import pytest

from console.domain import intents as i
from console.domain.events import Kind
from console.domain.outcome import Done, Evidence, Probe, Unknown
from console.domain.state import StepStatus
from console.errors import (
    HostingError,
    OutcomeUnknown,
    Refused,
    StepFailed,
    VerificationFailed,
)
from console.ports import Context
from tests.engine.driving import ASKING, ONE, driving, kinds, status, yes
from tests.engine.world import FakeAction, FakeWorld, until


class TestLostAnswers:
    async def test_a_lost_answer_is_looked_for_and_never_asked_twice(self, tmp_path: Path) -> None:
        world = FakeWorld(lost_answers={"a": [OutcomeUnknown("the answer was lost")]})
        async with driving(ONE, tmp_path, world=world) as run:
            state = await until(run.feed, status("a", StepStatus.SUCCEEDED))
            assert world.done["a"] == 1
            assert state.steps["a"].by == "probe"
            assert kinds(run, "a")[-2:] == [Kind.STEP_UNCERTAIN, Kind.STEP_RECONCILED]

    async def test_a_request_that_never_arrived_is_sent_again(self, tmp_path: Path) -> None:
        world = FakeWorld(perform_errors={"a": [HostingError("no answer", sent=True)]})
        async with driving(ONE, tmp_path, world=world) as run:
            state = await until(run.feed, status("a", StepStatus.SUCCEEDED))
            assert world.done["a"] == 1
            assert state.steps["a"].attempt == 2

    async def test_one_that_never_arrives_fails_in_the_end(self, tmp_path: Path) -> None:
        world = FakeWorld(perform_errors={"a": [OutcomeUnknown("lost")] * 3})
        async with driving(ONE, tmp_path, world=world) as run:
            state = await until(run.feed, status("a", StepStatus.FAILED))
            assert state.steps["a"].failure is not None
            assert state.steps["a"].failure.message == "lost (after 3 attempts)"
            assert "It was not done" in state.steps["a"].failure.production

    async def test_what_was_found_done_is_still_verified(self, tmp_path: Path) -> None:
        world = FakeWorld(
            lost_answers={"a": [OutcomeUnknown("lost")]}, verify_errors={"a": [VerificationFailed("rows differ")]}
        )
        async with driving(ONE, tmp_path, world=world) as run:
            state = await until(run.feed, status("a", StepStatus.FAILED))
            assert state.steps["a"].failure is not None
            assert state.steps["a"].failure.message == "rows differ"
            assert state.steps["a"].evidence is not None

    async def test_what_nobody_can_tell_is_for_a_person(self, tmp_path: Path) -> None:
        world = FakeWorld(lost_answers={"a": [OutcomeUnknown("lost")]}, probes={"a": [Unknown("two exports")]})
        async with driving(ONE, tmp_path, world=world) as run:
            state = await until(run.feed, lambda state: bool(state.steps["a"].unknown))
            assert state.steps["a"].unknown == "two exports"
            await run.conductor.send(i.Reconcile("a", "probe"))
            state = await until(run.feed, status("a", StepStatus.SUCCEEDED))

    async def test_a_person_who_says_it_was_done_is_believed_and_the_difference_kept(self, tmp_path: Path) -> None:
        world = FakeWorld(
            lost_answers={"a": [OutcomeUnknown("lost")]},
            probes={"a": [Unknown("two exports"), Unknown("two exports")]},
            verify_errors={"a": [VerificationFailed("no export named")]},
        )
        async with driving(ONE, tmp_path, world=world) as run:
            await until(run.feed, lambda state: bool(state.steps["a"].unknown))
            await run.conductor.send(i.Reconcile("a", "done", "it is the second"))
            done = run.feed.state.steps["a"]
            assert (done.status, done.by, done.note) == (StepStatus.SUCCEEDED, "hand", "it is the second")
            assert done.accepted == "it is the second (verification says: no export named)"

    async def test_a_probe_that_fails_knows_nothing(self, tmp_path: Path) -> None:
        class Blind(FakeAction):
            async def probe(self, ctx: Context) -> Probe:
                raise HostingError("unreachable")

        world = FakeWorld(kind=Blind, lost_answers={"a": [OutcomeUnknown("lost")]})
        async with driving(ONE, tmp_path, world=world) as run:
            state = await until(run.feed, lambda state: bool(state.steps["a"].unknown))
            assert state.steps["a"].unknown == "Looking for it failed: unreachable"


DEFECTS = [
    (HostingError("the provider has a defect", status=500, sent=True), "the provider has a defect"),
    (ValueError("surprise"), "A ended with a defect of the console: ValueError: surprise"),
    (TimeoutError(), "A: no answer in time."),
]


class TestDefects:
    @pytest.mark.parametrize(("error", "message"), DEFECTS)
    async def test_one_before_the_work_is_a_failure_that_says_so_and_is_tried_again_by_a_person_alone(
        self, tmp_path: Path, error: Exception, message: str
    ) -> None:
        async with driving(ONE, tmp_path, world=FakeWorld(perform_errors={"a": [error]})) as run:
            state = await until(run.feed, status("a", StepStatus.FAILED))
            assert state.steps["a"].failure is not None
            assert state.steps["a"].failure.message == message
            assert state.steps["a"].failure.production == "It was not done: the world's counter did not move"
            await run.conductor.send(i.Retry("a"))
            state = await until(run.feed, status("a", StepStatus.SUCCEEDED))
            assert state.steps["a"].attempt == 2

    @pytest.mark.parametrize(("error", "message"), DEFECTS)
    async def test_one_after_the_work_does_not_let_it_be_done_twice(
        self, tmp_path: Path, error: Exception, message: str
    ) -> None:
        async with driving(ONE, tmp_path, world=FakeWorld(lost_answers={"a": [error]})) as run:
            await until(run.feed, status("a", StepStatus.SUCCEEDED))
            assert run.world.done["a"] == 1
            assert kinds(run, "a")[-2:] == [Kind.STEP_UNCERTAIN, Kind.STEP_RECONCILED]

    @pytest.mark.parametrize("where", ["preview", "perform", "probe", "verify"])
    async def test_work_that_ends_its_own_task_leaves_no_step_without_anybody(self, tmp_path: Path, where: str) -> None:
        class Cancelled(FakeAction):
            def _called(self, what: str) -> None:
                super()._called(what)
                if what == where and self.world.calls[f"a.{what}"] == 1:
                    raise asyncio.CancelledError

        lost = {"a": [OutcomeUnknown("lost")]} if where == "probe" else {}
        world = FakeWorld(kind=Cancelled, lost_answers=lost)
        async with driving(ONE, tmp_path, world=world) as run:
            state = await until(run.feed, lambda state: bool(state.steps["a"].failure or state.steps["a"].unknown))
            step = state.steps["a"]
            said = step.failure.message if step.failure is not None else step.unknown
            assert "its work was cancelled from within" in said
            assert (step.failure is None) == (where == "probe")


class TestByHand:
    async def test_what_was_done_elsewhere_is_looked_for_and_verified(self, tmp_path: Path) -> None:
        world = FakeWorld(
            perform_errors={"a": [StepFailed("no")]}, probes={"a": [Done(Evidence("found", {"commit": "abc"}))]}
        )
        async with driving(ONE, tmp_path, world=world) as run:
            await until(run.feed, status("a", StepStatus.FAILED))
            await run.conductor.send(i.DoneByHand("a", "typed it myself"))
            done = run.feed.state.steps["a"]
            assert (done.status, done.by, done.note) == (StepStatus.SUCCEEDED, "hand", "typed it myself")
            assert run.feed.state.evidence("a") == {"commit": "abc"}
            assert world.calls["a.verify"] == 1

    async def test_verification_that_disagrees_needs_an_acceptance_on_record(self, tmp_path: Path) -> None:
        world = FakeWorld(
            perform_errors={"a": [StepFailed("no")]},
            verify_errors={"a": [VerificationFailed("column missing"), VerificationFailed("column missing")]},
        )
        async with driving(ONE, tmp_path, world=world) as run:
            await until(run.feed, status("a", StepStatus.FAILED))
            with pytest.raises(Refused, match="column missing"):
                await run.conductor.send(i.DoneByHand("a", "typed it"))
            failure = run.feed.state.steps["a"].failure
            assert failure is not None
            assert failure.message == "column missing"
            await run.conductor.send(i.DoneByHand("a", "typed it", accept="added tomorrow"))
            done = run.feed.state.steps["a"]
            assert done.status is StepStatus.SUCCEEDED
            assert done.accepted == "added tomorrow (verification says: column missing)"

    async def test_a_step_that_is_being_started_is_not_done_by_hand_too(self, tmp_path: Path) -> None:
        async with driving(ASKING, tmp_path) as run:
            await yes(run, "a")
            with pytest.raises(Refused):
                await run.conductor.send(i.DoneByHand("a", "x"))
            await until(run.feed, status("a", StepStatus.SUCCEEDED))
