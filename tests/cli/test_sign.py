"""`release-console sign`: what is shown, what has to be typed or pinned, and what the driver's answer becomes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from console.cli.exits import Exit
from console.cli.shared import SharedPlace
from console.cli.sign import Wish, as_seen, confirmed, drawn_up, given, sign
from console.domain import intents as i
from console.domain.wire import plan_digest
from console.engine import signer
from console.engine.signer import Stores, look
from console.errors import ConfigError, JournalError, Refused, StoreLost
from tests.engine.shared_store import MemoryObserver, Record
from tests.engine.signing import COMMIT, PLAN, RUN, Desk, MemorySigner, desk
from tests.engine.world import FakeClock, FakeWorld

WISH = Wish("qa", "Grace Hopper", note="reports compared")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signer, "ASK_AGAIN", 0.01)


def stores(record: Record, login: str = "grace") -> Stores:
    """The shared record as a signer opens it."""
    return Stores(MemoryObserver(record, login=login), MemorySigner(record, login))


@asynccontextmanager
async def serving(here: Desk) -> AsyncIterator[None]:
    """The driver's console serves its inbox, as its keeper does."""

    async def serve() -> None:
        while True:
            await here.inbox.take()
            await here.store.wait(RUN, 5.0)

    task = asyncio.create_task(serve())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_what_is_signed_is_shown_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = Record()
    async with desk(tmp_path, record, FakeWorld()) as here:
        await here.console.conductor.send(i.Note("x"))
        signature = await drawn_up(WISH, stores(record))
    text = capsys.readouterr().out
    assert (signature.plan, signature.commit, signature.login) == (plan_digest(PLAN), COMMIT, "grace")
    for part in (
        f"{RUN}: A small release",
        "production (a rehearsal)",
        plan_digest(PLAN),
        COMMIT,
        "ops@laptop drives",
        "QA lead (qa): open",
        "No alert is raised.",
        "Grace Hopper (grace) signs as QA lead.",
    ):
        assert part in text
    assert max(map(len, text.splitlines())) <= 100


async def test_an_accepted_signature_is_told_with_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = Record()
    async with desk(tmp_path, record, FakeWorld()) as here, serving(here):
        signature = await drawn_up(WISH, stores(record))
        assert await given(signature, stores(record), patience=5.0) is Exit.DONE
        assert here.state.signoffs["qa"].how == "signed as grace"
        assert here.state.signoffs["qa"].note == "reports compared"
    assert "✔ On record: your signature as qa, signed as grace." in capsys.readouterr().out


async def test_a_refusal_to_sign_is_recorded_with_its_reason(tmp_path: Path) -> None:
    record = Record()
    async with desk(tmp_path, record, FakeWorld()) as here, serving(here):
        signature = await drawn_up(replace(WISH, refuse="KPIs are off", note=""), stores(record))
        assert await given(signature, stores(record), patience=5.0) is Exit.DONE
        assert (here.state.signoffs["qa"].given, here.state.signoffs["qa"].note) == (False, "KPIs are off")


async def test_what_no_terminal_may_obey_does_not_reach_the_record(tmp_path: Path) -> None:
    record = Record()
    async with desk(tmp_path, record, FakeWorld()):
        signature = await drawn_up(replace(WISH, name="Gr\x1b[2Jace\nHopper \udcff", note="a\u202eb"), stores(record))
    assert (signature.name, signature.note) == ("Gr␛[2Jace Hopper ‹dcff›", "a‹202e›b")


async def test_what_changed_meanwhile_is_not_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = Record()
    async with desk(tmp_path, record, FakeWorld()) as here, serving(here):
        signature = replace(await drawn_up(WISH, stores(record)), commit="d" * 40)
        assert await given(signature, stores(record), patience=5.0) is Exit.FAILED
        assert here.state.signoffs["qa"].given is None
    assert "✗ Not accepted: It was given for ddddddd" in capsys.readouterr().err


async def test_what_nobody_takes_waits_in_the_inbox(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record, world = Record(), FakeWorld()
    async with desk(tmp_path, record, world):
        signature = await drawn_up(WISH, stores(record))
    assert await given(signature, stores(record), patience=0.1) is Exit.OPEN
    told = capsys.readouterr()
    assert "Nobody drives: ops@laptop left" in told.err
    assert "waits in the inbox (number 1)" in told.out
    async with desk(tmp_path, record, world) as again:
        await again.inbox.take()
        assert again.state.signoffs["qa"].given


async def test_without_waiting_nothing_is_asked(tmp_path: Path) -> None:
    record = Record()
    async with desk(tmp_path, record, FakeWorld()):
        own = stores(record)
        signature = await drawn_up(WISH, own)
        assert await given(signature, own, patience=0.0) is Exit.OPEN
        assert isinstance(own.signer, MemorySigner)
        assert "answer_to" not in own.signer.wire.calls


async def test_a_run_that_is_closed_meanwhile_is_not_waited_for(tmp_path: Path) -> None:
    record = Record()
    async with desk(tmp_path, record, FakeWorld()) as here:
        signature = await drawn_up(WISH, stores(record))
        await here.console.conductor.send(i.Finish("failed", "enough"))
    async with asyncio.timeout(5):
        assert await given(signature, stores(record), patience=60.0) is Exit.OPEN


async def test_what_would_not_be_accepted_is_not_put_there(tmp_path: Path) -> None:
    record = Record()
    async with desk(tmp_path, record, FakeWorld()):
        with pytest.raises(Refused, match="another login than mallory"):
            await drawn_up(WISH, stores(record, "mallory"))
        with pytest.raises(Refused, match="no signature of ceo"):
            await drawn_up(replace(WISH, role="ceo"), stores(record))
    assert not record.of(RUN).inbox


async def test_a_lost_answer_to_the_signature_itself_is_said(tmp_path: Path) -> None:
    record = Record()
    async with desk(tmp_path, record, FakeWorld()):
        own = stores(record)
        signature = await drawn_up(WISH, own)
        assert isinstance(own.signer, MemorySigner)
        own.signer.wire.cut_at(1, answered=False)
        with pytest.raises(StoreLost, match="Whether your signature has arrived is not known"):
            await given(signature, own, patience=0.0)


async def test_a_record_that_is_lost_while_waiting_is_asked_again(tmp_path: Path) -> None:
    record = Record()
    async with desk(tmp_path, record, FakeWorld()) as here, serving(here):
        own = stores(record)
        signature = await drawn_up(WISH, own)
        assert isinstance(own.signer, MemorySigner)
        own.signer.wire.cut_at(2, once=True)
        assert await given(signature, own, patience=5.0) is Exit.DONE


@pytest.mark.parametrize(
    ("plan", "commit", "says"),
    [
        ("", COMMIT[:7], "The plan that was seen"),
        (plan_digest(PLAN)[:11], COMMIT[:7], "at least 12"),
        ("d" * 64, COMMIT[:7], "The plan that was seen is dddd"),
        (plan_digest(PLAN)[:12], "d" * 7, "The commit that was seen is ddddddd"),
        (plan_digest(PLAN)[:12], COMMIT[:6], "at least 7"),
        (plan_digest(PLAN)[:12], "none", "The commit that was seen is none"),
    ],
)
async def test_what_is_pinned_must_be_what_stands_there(tmp_path: Path, plan: str, commit: str, says: str) -> None:
    record = Record()
    async with desk(tmp_path, record, FakeWorld()) as here:
        with pytest.raises(Refused) as refused:
            as_seen(replace(WISH, plan=plan, commit=commit), here.state)
        assert says in f"{refused.value.message} {refused.value.remedy}"
        as_seen(replace(WISH, plan=plan_digest(PLAN)[:12].upper(), commit=COMMIT[:7]), here.state)


def _answers(text: str) -> Callable[[str], str]:
    return lambda _: text


def _ends(_: str) -> str:
    raise EOFError


@pytest.mark.parametrize(("typed", "yes"), [("qa", True), (" qa ", True), ("", False), ("QA", False), ("yes", False)])
def test_the_role_is_typed(typed: str, *, yes: bool) -> None:
    assert confirmed(WISH, _answers(typed)) is yes


def test_an_end_of_input_signs_nothing() -> None:
    assert not confirmed(WISH, _ends)


@pytest.mark.parametrize(
    "wish", [WISH, replace(WISH, plan="d" * 12), replace(WISH, commit="d" * 7)], ids=["nothing", "plan", "commit"]
)
def test_without_a_terminal_what_was_seen_is_pinned(wish: Wish) -> None:
    with pytest.raises(ConfigError, match="has to say what was seen"):
        sign(wish, SharedPlace("env:NOWHERE"), terminal=False)


def test_without_a_shared_record_nothing_is_signed() -> None:
    with pytest.raises(ConfigError, match="no shared record"):
        sign(WISH, None, terminal=True)


class TestWhichRun:
    async def test_the_only_open_one(self, tmp_path: Path) -> None:
        record = Record()
        async with desk(tmp_path, record, FakeWorld()):
            assert (await look(stores(record), "", FakeClock())).state.run == RUN
            assert (await look(stores(record), RUN[:10], FakeClock())).state.run == RUN
            assert (await look(stores(record), "last", FakeClock())).state.run == RUN
            with pytest.raises(JournalError, match="No runs are called 2027"):
                await look(stores(record), "2027", FakeClock())

    async def test_among_several_it_is_named(self, tmp_path: Path) -> None:
        record = Record()
        async with desk(tmp_path, record, FakeWorld()):
            record.kept["20260205-080000-late"] = replace(record.of(RUN), lines=list(record.of(RUN).lines))
            with pytest.raises(JournalError, match="2 runs are open") as error:
                await look(stores(record), "", FakeClock())
            assert "20260205-080000-late, 20260204-200000-test" in error.value.remedy

    async def test_closed_ones_do_not_count(self, tmp_path: Path) -> None:
        record = Record()
        async with desk(tmp_path, record, FakeWorld()) as here:
            await here.console.conductor.send(i.Finish("failed", "enough"))
        with pytest.raises(JournalError, match="No run is open"):
            await look(stores(record), "", FakeClock())
