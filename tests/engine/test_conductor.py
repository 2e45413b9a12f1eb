"""What the conductor does with intents, steps and a world that changes, over a fake world."""

import asyncio
from datetime import date
from pathlib import Path

import pytest

from console.domain import intents as i
from console.domain.events import Kind
from console.domain.outcome import Evidence, Line, Progress, Reading
from console.domain.state import RunStatus, StepStatus
from console.engine.desk import Limits
from console.errors import (
    HostingError,
    Refused,
    StepFailed,
    Stopped,
    VerificationFailed,
)
from console.ports import Context, Report, StepNews, Update
from tests.domain.plans import plan, step
from tests.engine.driving import ARMING, ASKING, ONE, driving, in_the_middle_of_it, kinds, status, yes
from tests.engine.world import FakeAction, FakeWorld, console, until


class TestAStep:
    async def test_looks_starts_performs_verifies_and_ends(self, tmp_path: Path) -> None:
        async with driving(ONE, tmp_path) as run:
            state = await until(run.feed, status("a", StepStatus.SUCCEEDED))
            assert kinds(run, "a") == [
                Kind.STEP_PREVIEWED,
                Kind.STEP_STARTED,
                Kind.STEP_PROGRESSED,
                Kind.STEP_SUCCEEDED,
            ]
            assert run.world.calls == {"a.preview": 1, "a.perform": 1, "a.verify": 1}
            assert state.steps["a"].before == {"count": 0}
            assert state.steps["a"].evidence == Evidence("a is done", {"count": 1})

    async def test_shows_progress_that_is_not_worth_a_line(self, tmp_path: Path) -> None:
        news: list[Update] = []
        async with driving(ONE, tmp_path, start=False) as run:
            run.feed.subscribe(news.append)
            await run.conductor.send(i.Start())
            await until(run.feed, status("a", StepStatus.SUCCEEDED))
        assert [each.progress.text for each in news if isinstance(each, StepNews)] == ["begun", "done"]
        assert kinds(run).count(Kind.STEP_PROGRESSED) == 1

    @pytest.mark.parametrize(
        ("error", "message", "production"),
        [
            (StepFailed("no", production="as before", remedy="do this"), "no", "as before"),
            (HostingError("refused", status=403), "refused", "The step had begun"),
        ],
    )
    async def test_that_fails_says_so_and_the_conductor_lives(
        self, tmp_path: Path, error: Exception, message: str, production: str
    ) -> None:
        world = FakeWorld(perform_errors={"a": [error]})
        async with driving(ONE, tmp_path, world=world) as run:
            state = await until(run.feed, status("a", StepStatus.FAILED))
            failure = state.steps["a"].failure
            assert failure is not None
            assert message in failure.message
            assert production in failure.production
            assert failure.remedy
            await run.conductor.send(i.Retry("a"))
            state = await until(run.feed, status("a", StepStatus.SUCCEEDED))
            assert state.steps["a"].attempt == 2

    async def test_that_cannot_even_begin_has_changed_nothing(self, tmp_path: Path) -> None:
        world = FakeWorld(preview_errors={"a": [StepFailed("the branch is gone")]})
        async with driving(ONE, tmp_path, world=world) as run:
            state = await until(run.feed, status("a", StepStatus.FAILED))
            assert state.steps["a"].failure is not None
            assert "changed nothing" in state.steps["a"].failure.production
            assert Kind.STEP_STARTED not in kinds(run)

    async def test_whose_verification_fails_keeps_its_evidence(self, tmp_path: Path) -> None:
        world = FakeWorld(
            verify_errors={
                "a": [VerificationFailed("449 rows", lines=("row 7",), data={"row": 7, "moment": date(2026, 1, 1)})]
            }
        )
        async with driving(ONE, tmp_path, world=world) as run:
            state = await until(run.feed, status("a", StepStatus.FAILED))
            assert state.steps["a"].evidence == Evidence("a is done", {"count": 1})
            assert state.steps["a"].failure is not None
            assert state.steps["a"].failure.lines == ("row 7",)
            assert run.journal.events()[-1].data["data"] == {"row": 7, "moment": "2026-01-01"}

    async def test_that_changes_production_never_runs_without_a_yes(self, tmp_path: Path) -> None:
        async with driving(plan(step("a", action="migrate.run")), tmp_path) as run:
            state = await until(run.feed, status("a", StepStatus.FAILED))
            assert state.steps["a"].failure is not None
            assert "asks nobody to confirm" in state.steps["a"].failure.message
            assert run.world.done["a"] == 0

    async def test_runs_beside_others(self, tmp_path: Path) -> None:
        world = FakeWorld(gates={"a": asyncio.Event(), "b": asyncio.Event()})
        async with driving(plan(step("a"), step("b")), tmp_path, world=world) as run:
            await until(run.feed, lambda state: len(state.running) == 2)
            world.gates["b"].set()
            await until(run.feed, status("b", StepStatus.SUCCEEDED))
            world.gates["a"].set()
            await until(run.feed, status("a", StepStatus.SUCCEEDED))

    async def test_an_error_is_freed_of_secrets(self, tmp_path: Path) -> None:
        world = FakeWorld(perform_errors={"a": [StepFailed("token s3cret", lines=("s3cret",), data={"k": "s3cret"})]})
        run = console(ONE, tmp_path, world=world, redact=lambda text: text.replace("s3cret", "•••"))
        task = asyncio.create_task(run.conductor.run())
        await run.conductor.send(i.Start())
        state = await until(run.feed, status("a", StepStatus.FAILED))
        assert "s3cret" not in repr(run.journal.events())
        assert "s3cret" not in repr(state)
        await run.conductor.close()
        await task

    async def test_what_it_says_on_the_way_is_freed_of_secrets(self, tmp_path: Path) -> None:
        class Talking(FakeAction):
            async def perform(self, ctx: Context, report: Report) -> Evidence:
                await report(
                    Progress("s3cret", data={"url": "s3cret"}, lines=(Line("s3cret", "s3cret"),), safe_point="s3cret")
                )
                return Evidence("done")

        news: list[Update] = []
        redact = {"s3cret": "•••"}
        run = console(ONE, tmp_path, world=FakeWorld(kind=Talking), redact=lambda text: redact.get(text, text))
        run.feed.subscribe(news.append)
        task = asyncio.create_task(run.conductor.run())
        await run.conductor.send(i.Start())
        await until(run.feed, status("a", StepStatus.SUCCEEDED))
        said = [each.progress for each in news if isinstance(each, StepNews)]
        assert said == [Progress("•••", data={"url": "•••"}, lines=(Line("•••", "•••"),), safe_point="•••")]
        await run.conductor.close()
        await task


class TestConfirmation:
    async def test_a_yes_lets_the_step_act_once(self, tmp_path: Path) -> None:
        async with driving(ASKING, tmp_path) as run:
            await yes(run, "a")
            await until(run.feed, status("a", StepStatus.SUCCEEDED))
            assert run.world.done["a"] == 1
            assert run.world.calls["a.preview"] == 2, "looked at again just before"

    async def test_a_world_that_changed_voids_it_and_asks_again_with_the_difference(self, tmp_path: Path) -> None:
        async with driving(ARMING, tmp_path, world=FakeWorld(gates={"a": asyncio.Event()})) as run:
            await until(run.feed, status("a", StepStatus.RUNNING))
            await yes(run, "b", "main")
            run.world.facts["b"] = "2"
            run.world.gates["a"].set()
            state = await until(run.feed, lambda state: bool(state.steps["b"].void))
            assert state.steps["b"].void == "The world has changed since this was confirmed.\nfact: 1 → 2"
            state = await until(run.feed, status("b", StepStatus.READY))
            assert run.world.done["b"] == 0
            await run.conductor.send(i.Confirm("b", run.feed.state.steps["b"].preview_digest or "", typed="main"))
            await until(run.feed, status("b", StepStatus.SUCCEEDED))

    async def test_readings_may_move_up_to_the_limit_that_was_accepted(self, tmp_path: Path) -> None:
        async with driving(ASKING, tmp_path) as run:
            run.world.readings["a"] = (Reading("rows lost", "10", limit=40, amount=10),)
            await run.conductor.send(i.Look("a"))
            run.world.readings["a"] = (Reading("rows lost", "41", limit=40, amount=41),)
            await run.conductor.send(i.Confirm("a", run.feed.state.steps["a"].preview_digest or ""))
            state = await until(run.feed, lambda state: bool(state.steps["a"].void))
            assert state.steps["a"].void == "A limit that was confirmed is passed.\nrows lost: 41, confirmed up to 40"
            run.world.readings["a"] = (Reading("rows lost", "39", limit=40, amount=39),)
            await run.conductor.send(i.Confirm("a", run.feed.state.steps["a"].preview_digest or ""))
            await until(run.feed, status("a", StepStatus.SUCCEEDED))

    @pytest.mark.parametrize(
        ("readings", "said"),
        [
            ((), "rows lost: can no longer be read, confirmed up to 40"),
            ((Reading("rows lost", "?", limit=40, amount=float("nan")),), "rows lost: ?, confirmed up to 40"),
            (
                (Reading("rows lost", "1", limit=40, amount=1), Reading("files lost", "7", limit=9, amount=7)),
                "files lost: 7, which was not shown",
            ),
        ],
        ids=["gone", "no number", "another price"],
    )
    async def test_a_price_that_the_yes_does_not_cover_voids_it(
        self, tmp_path: Path, readings: tuple[Reading, ...], said: str
    ) -> None:
        async with driving(ASKING, tmp_path) as run:
            run.world.readings["a"] = (Reading("rows lost", "10", limit=40, amount=10),)
            await run.conductor.send(i.Look("a"))
            run.world.readings["a"] = readings
            await run.conductor.send(i.Confirm("a", run.feed.state.steps["a"].preview_digest or ""))
            state = await until(run.feed, lambda state: bool(state.steps["a"].void))
            assert state.steps["a"].void == f"A limit that was confirmed is passed.\n{said}"
            assert run.world.done["a"] == 0

    async def test_a_look_that_shows_another_world_voids_an_armed_yes_at_once(self, tmp_path: Path) -> None:
        world = FakeWorld(gates={"a": asyncio.Event()})
        async with driving(ARMING, tmp_path, world=world) as run:
            await yes(run, "b", "main")
            await run.conductor.send(i.Look("b"))
            assert run.feed.state.steps["b"].status is StepStatus.ARMED, "the same world: the yes stands"
            world.facts["b"] = "2"
            await run.conductor.send(i.Look("b"))
            seen = run.feed.state.steps["b"]
            assert seen.yes is None
            assert seen.void == "The world has changed since this was confirmed.\nfact: 1 → 2"
            world.gates["a"].set()
            await until(run.feed, status("b", StepStatus.READY))
            assert world.done["b"] == 0

    async def test_an_armed_step_starts_by_itself(self, tmp_path: Path) -> None:
        async with driving(ARMING, tmp_path, world=FakeWorld(gates={"a": asyncio.Event()})) as run:
            await until(run.feed, status("a", StepStatus.RUNNING))
            await yes(run, "b", "main")
            assert run.feed.state.steps["b"].status is StepStatus.ARMED
            run.world.gates["a"].set()
            await until(run.feed, status("b", StepStatus.SUCCEEDED))

    async def test_a_yes_taken_back_while_the_step_is_looked_at_counts(self, tmp_path: Path) -> None:
        async with driving(ASKING, tmp_path) as run:
            await yes(run, "a")
            await run.conductor.send(i.Disarm("a"))
            await until(run.feed, status("a", StepStatus.READY))
            assert run.world.done["a"] == 0


class TestLooking:
    async def test_a_look_at_a_ready_step_that_fails_is_a_failure_that_did_nothing(self, tmp_path: Path) -> None:
        world = FakeWorld(preview_errors={"a": [StepFailed("conflict in a.js", remedy="resolve it")]})
        async with driving(ASKING, tmp_path, world=world) as run:
            with pytest.raises(Refused, match=r"conflict in a\.js"):
                await run.conductor.send(i.Look("a"))
            failure = run.feed.state.steps["a"].failure
            assert failure is not None
            assert (failure.message, failure.remedy) == ("conflict in a.js", "resolve it")
            assert "changed nothing" in failure.production

    async def test_a_look_ahead_that_fails_changes_nothing(self, tmp_path: Path) -> None:
        world = FakeWorld(preview_errors={"b": [StepFailed("nothing merged yet")]}, gates={"a": asyncio.Event()})
        async with driving(ARMING, tmp_path, world=world) as run:
            with pytest.raises(Refused, match="nothing merged yet"):
                await run.conductor.send(i.Look("b"))
            assert run.feed.state.steps["b"].status is StepStatus.WAITING

    async def test_before_the_start_it_is_allowed_and_harmless(self, tmp_path: Path) -> None:
        world = FakeWorld(preview_errors={"a": [StepFailed("no")]})
        async with driving(ASKING, tmp_path, world=world, start=False) as run:
            with pytest.raises(Refused):
                await run.conductor.send(i.Look("a"))
            assert run.feed.state.steps["a"].failure is None
            await run.conductor.send(i.Look("a"))
            assert run.feed.state.steps["a"].preview is not None

    async def test_two_looks_at_once_are_one(self, tmp_path: Path) -> None:
        async with driving(ASKING, tmp_path) as run:
            await asyncio.gather(run.conductor.send(i.Look("a")), run.conductor.send(i.Look("a")))
            assert run.world.calls["a.preview"] == 1

    async def test_a_look_that_takes_too_long_is_given_up(self, tmp_path: Path) -> None:
        async with driving(ASKING, tmp_path, limits=Limits(preview=0.0)) as run:
            with pytest.raises(Refused, match="cannot be done as things are"):
                await run.conductor.send(i.Look("a"))
            failure = run.feed.state.steps["a"].failure
            assert failure is not None
            assert failure.message == "A: no answer in time."


class TestAbort:
    async def test_it_is_honoured_at_the_next_safe_point_and_holds_the_run(self, tmp_path: Path) -> None:
        world = FakeWorld(gates={"a": asyncio.Event()}, perform_errors={"a": [Stopped("stopped after the export")]})
        async with driving(plan(step("a"), step("b", after=("a",))), tmp_path, world=world) as run:
            await until(run.feed, status("a", StepStatus.RUNNING))
            await run.conductor.send(i.Abort(reason="wrong day"))
            assert run.feed.state.steps["a"].stopping
            assert run.feed.state.status is RunStatus.HELD
            world.gates["a"].set()
            state = await until(run.feed, status("a", StepStatus.FAILED))
            assert state.steps["a"].failure is not None
            assert state.steps["a"].failure.stopped
            await run.conductor.send(i.Skip("a", "later"))
            assert run.feed.state.steps["b"].status is StepStatus.READY
            await run.conductor.send(i.Resume())
            await until(run.feed, status("b", StepStatus.SUCCEEDED))

    async def test_the_action_hears_it(self, tmp_path: Path) -> None:
        heard: list[bool] = []

        class Listening(FakeAction):
            async def perform(self, ctx: Context, report: Report) -> Evidence:
                await report(Progress("begun", durable=True))
                heard.append(ctx.stopping())
                await self.world.gates["a"].wait()
                heard.append(ctx.stopping())
                raise Stopped("at the safe point")

        world = FakeWorld(kind=Listening, gates={"a": asyncio.Event()})
        async with driving(ONE, tmp_path, world=world) as run:
            await until(run.feed, in_the_middle_of_it)
            await run.conductor.send(i.Abort("a"))
            world.gates["a"].set()
            await until(run.feed, status("a", StepStatus.FAILED))
        assert heard == [False, True]
