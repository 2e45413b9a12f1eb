"""Signatures from other machines: recorded once and answered, whatever dies or is cut in between."""

from dataclasses import replace
from pathlib import Path

import pytest

from console.domain import intents as i
from console.domain.events import Kind
from console.domain.plan import SignOff
from console.domain.shared import Answer, Lease
from console.domain.wire import plan_digest
from console.errors import StoreLost
from tests.engine.shared_store import AT, MemoryDriver, Record
from tests.engine.signing import PLAN, RUN, desk, put
from tests.engine.world import FakeWorld


def answers(record: Record) -> dict[int, Answer]:
    return record.of(RUN).answers


async def test_a_signature_is_recorded_as_the_logins_and_answered(tmp_path: Path) -> None:
    record = Record()
    async with desk(tmp_path, record, FakeWorld()) as here:
        number = put(record)
        await here.inbox.take()
        assert here.state.signoffs["qa"].how == "signed as grace"
        assert [each.actor for each in here.events(Kind.SIGNOFF_GIVEN)] == ["grace"]
        assert answers(record) == {number: Answer(True, "", AT)}
        await here.inbox.take()
        assert len(here.events(Kind.SIGNOFF_GIVEN)) == 1


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"login": "mallory"}, "another login than mallory"),
        ({"commit": "d" * 40}, "given for ddddddd"),
        ({"plan": "d" * 64}, "another plan"),
    ],
)
async def test_one_that_is_not_accepted_is_answered_with_the_reason_and_noted(
    tmp_path: Path, other: dict[str, str], says: str
) -> None:
    record = Record()
    async with desk(tmp_path, record, FakeWorld()) as here:
        number = put(record, **other)
        await here.inbox.take()
        await here.inbox.take()
        assert not answers(record)[number].accepted
        assert says in answers(record)[number].reason
        assert [says in note.text for note in here.state.notes] == [True]
        assert here.state.signoffs["qa"].given is None
        good = put(record)
        await here.inbox.take()
        assert answers(record)[good].accepted


@pytest.mark.parametrize("call", [1, 2, 3, 4])
@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("login", ["grace", "mallory"])
async def test_a_store_that_is_lost_at_any_call_loses_and_doubles_nothing(
    tmp_path: Path, call: int, answered: bool, login: str
) -> None:
    """The calls are: the inbox, the line's append, the look whether it is there, the answer."""
    record = Record()
    async with desk(tmp_path, record, FakeWorld()) as here:
        number = put(record, login=login)
        here.store.wire.cut_at(call, answered=answered)
        try:
            await here.inbox.take()
        except StoreLost:
            assert call != 2 or number not in answers(record)
        here.store.wire.mend()
        assert await here.console.journal.reach()
        await here.inbox.take()
        recorded = here.events(Kind.SIGNOFF_GIVEN, Kind.NOTE_ADDED)
        assert [each.data.get("inbox") for each in recorded] == [number]
        assert answers(record)[number].accepted is (login == "grace")


@pytest.mark.parametrize("call", [2, 3, 4])
async def test_a_console_that_dies_before_its_answer_answers_when_it_is_back(tmp_path: Path, call: int) -> None:
    record, world = Record(), FakeWorld()
    async with desk(tmp_path, record, world) as here:
        number = put(record)
        here.store.wire.cut_at(call)
        with pytest.raises(StoreLost):
            await here.inbox.take()
        assert here.state.signoffs["qa"].given
    assert number not in answers(record)
    async with desk(tmp_path, record, world) as again:
        await again.inbox.take()
        assert answers(record)[number].accepted
        assert len(again.events(Kind.SIGNOFF_GIVEN)) == 1


async def test_a_driver_who_was_taken_over_from_answers_nothing(tmp_path: Path) -> None:
    """What they recorded stands here alone; the new driver takes the signature from the inbox and answers it."""
    record = Record()
    async with desk(tmp_path / "here", record, FakeWorld()) as here:
        number = put(record)
        here.store.wire.cut()
        lost = here.store.wire.calls.count("append")
        other = MemoryDriver(record, name="other")
        await other.claim(RUN, Lease(0, "ben@desk", "desk", 8, AT), expected=1)
        here.store.wire.mend()
        await here.inbox.take()
        assert here.state.signoffs["qa"].given
        assert here.store.wire.calls.count("append") == lost + 1
        assert here.console.journal.taken_over is not None
        assert number not in answers(record)
        await here.inbox.take()
        assert number not in answers(record)


async def test_a_number_that_is_given_out_anew_answers_nobody_with_what_another_signed(tmp_path: Path) -> None:
    """A store that was restored from a backup counts its signatures from where it was then."""
    record = Record()
    async with desk(tmp_path, record, FakeWorld()) as here:
        number = put(record)
        await here.inbox.take()
        assert answers(record)[number].accepted
        for other in ({"login": "mallory"}, {"approve": False}, {"commit": "d" * 40}):
            answers(record).clear()
            record.of(RUN).inbox.clear()
            assert put(record) == number
            record.of(RUN).inbox[number] = replace(record.of(RUN).inbox[number], **other)
            await here.inbox.take()
            assert answers(record)[number].accepted is False, other
            assert "Sign again" in answers(record)[number].reason
        answers(record).clear()
        record.of(RUN).inbox.clear()
        assert put(record) == number
        await here.inbox.take()
        assert answers(record)[number].accepted
        assert len(here.events(Kind.SIGNOFF_GIVEN)) == 1


async def test_in_a_closed_run_nothing_is_signed(tmp_path: Path) -> None:
    record = Record()
    async with desk(tmp_path, record, FakeWorld()) as here:
        await here.console.conductor.send(i.Finish("failed", "enough"))
        number = put(record)
        await here.inbox.take()
        assert answers(record)[number] == Answer(False, answers(record)[number].reason, AT)
        assert "The run is closed (failed)" in answers(record)[number].reason
        assert not here.events(Kind.NOTE_ADDED)


async def test_four_eyes_are_kept_towards_other_machines(tmp_path: Path) -> None:
    asked = replace(PLAN, four_eyes=True, signoffs=(SignOff("qa", "QA lead", login="ops"),))
    record = Record()
    async with desk(tmp_path, record, FakeWorld(), plan=asked) as here:
        number = put(record, login="ops", plan=plan_digest(asked))
        await here.inbox.take()
        assert "Four eyes are asked for: ops has driven this run" in answers(record)[number].reason


async def test_many_are_taken_a_few_at_a_time(tmp_path: Path) -> None:
    record = Record()
    async with desk(tmp_path, record, FakeWorld()) as here:
        for _ in range(25):
            put(record, login="mallory")
        await here.inbox.take()
        assert len(answers(record)) == 20
        await here.inbox.take()
        assert len(answers(record)) == 25
