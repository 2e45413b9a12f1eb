"""Words and papers: what did not arrive is said and fails nothing; the papers are whole, and their owner's alone."""

import stat
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest

from console.actions.communicate import CommunicatePapers, CommunicateStakeholders
from console.domain import intents as i
from console.domain.outcome import NotDone, Tone
from console.domain.standing import Way
from console.domain.state import RunState
from console.errors import StepFailed, VerificationFailed
from console.ports import Context
from tests.actions.fakes import START, FakeClock, Reports
from tests.domain.history import History
from tests.domain.incidents import choose, declared, go, tell


def context(history: History, step: str, artifacts: Path = Path("/nonexistent/artifacts")) -> Context:
    state = history.state
    return Context(state.plan, state.plan.step(step), "r1", state, FakeClock(), artifacts)


def told() -> History:
    """A run that has gone back, with messages in every condition."""
    history = go(choose(declared(), Way.SCHEMA), until="prove")
    tell(history, "declared:1", board="the channel refused it (HTTP 503)")
    tell(history, "chosen:1")
    return history


class Papers:
    """Documents as the action asks for them."""

    def __init__(self, **texts: str) -> None:
        self.texts = {f"{name}.md": text for name, text in texts.items()}
        self.asked: list[tuple[RunState, datetime]] = []

    def __call__(self, state: RunState, now: datetime) -> Mapping[str, str]:
        self.asked.append((state, now))
        return self.texts


async def test_who_was_told_what_is_stated_and_what_did_not_arrive_is_a_warning() -> None:
    ctx = context(told(), "back.told")
    evidence = await CommunicateStakeholders().perform(ctx, Reports())
    assert evidence.summary == (
        "1 message told everywhere; 1 message did not arrive on board; 1 message still to be sent"
    )
    assert {key: evidence.data[key] for key in ("sent", "undelivered", "waiting")} == {
        "sent": 1,
        "undelivered": 1,
        "waiting": 1,
    }
    first, second, third = evidence.sections
    assert first.title.startswith("Account Status: incident in production")
    assert [(line.text, line.tone) for line in first.lines] == [
        ("team: told", Tone.GOOD),
        ("board: the channel refused it (HTTP 503)", Tone.WARNING),
    ]
    assert [line.tone for line in second.lines] == [Tone.GOOD, Tone.GOOD]
    assert [line.text for line in third.lines] == ["waits to be sent: nobody has been told this yet"]
    assert third.lines[0].tone is Tone.WARNING
    await CommunicateStakeholders().verify(ctx, evidence)


async def test_a_channel_of_which_nothing_is_on_record_did_not_arrive() -> None:
    history = go(choose(declared(), Way.SCHEMA), until="prove")
    tell(history, "declared:1")
    deliveries = history.state.messages["declared:1"].deliveries
    del deliveries["board"]  # type: ignore[attr-defined] # a console died between two channels
    evidence = await CommunicateStakeholders().perform(context(history, "back.told"), Reports())
    assert "1 message did not arrive on board" in evidence.summary
    assert evidence.sections[0].lines[-1].text == "board: not known whether it was told"


async def test_a_message_that_was_dropped_says_why() -> None:
    history = declared().ask(i.DropMessage("declared:1", "everybody sits in the room"))
    choose(history, Way.SCHEMA)
    evidence = await CommunicateStakeholders().perform(context(history, "back.told"), Reports())
    assert evidence.sections[0].lines[0].text == "not sent: everybody sits in the room"
    assert evidence.summary == "0 messages told everywhere; 1 message still to be sent; 1 not sent"


async def test_looking_at_the_words_changes_nothing() -> None:
    action, ctx = CommunicateStakeholders(), context(told(), "back.told")
    preview = await action.preview(ctx)
    assert preview.digest == (await action.preview(ctx)).digest
    assert (preview.facts[0].label, preview.facts[0].value) == ("channels", "team and board")
    assert not action.destructive
    assert isinstance(await action.probe(ctx), NotDone)


async def test_the_papers_are_written_beside_the_journal_for_their_owner_alone(tmp_path: Path) -> None:
    papers = Papers(summary="# Ä\n", post="# B\n")
    action, ctx = CommunicatePapers(papers), context(told(), "back.papers", tmp_path / "artifacts")
    assert (await action.preview(ctx)).facts[0].value == str(tmp_path)
    evidence = await action.perform(ctx, Reports())
    assert papers.asked[-1] == (ctx.state, START)
    assert (tmp_path / "summary.md").read_text(encoding="utf-8") == "# Ä\n"
    assert {path.name for path in tmp_path.iterdir()} == {"summary.md", "post.md"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tmp_path.iterdir())
    assert [line.text for line in evidence.sections[0].lines][:2] == [
        str(tmp_path / "summary.md"),
        str(tmp_path / "post.md"),
    ]
    await action.verify(ctx, evidence)


async def test_written_again_they_are_what_the_record_says_now(tmp_path: Path) -> None:
    ctx = context(told(), "back.papers", tmp_path / "artifacts")
    (tmp_path / ".summary.md.new").write_text("half a pap")  # of a console that died here
    (tmp_path / "summary.md").write_text("old")
    (tmp_path / "summary.md").chmod(0o644)
    action = CommunicatePapers(Papers(summary="new"))
    evidence = await action.perform(ctx, Reports())
    await action.verify(ctx, evidence)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"summary.md": "new"}
    assert isinstance(await action.probe(ctx), NotDone)


async def test_a_disk_that_refuses_leaves_the_old_paper_and_says_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    ctx = context(told(), "back.papers", folder / "artifacts")
    with pytest.raises(StepFailed, match="could not be written") as failed:
        await CommunicatePapers(Papers(summary="new")).perform(ctx, Reports())
    assert failed.value.remedy
    assert failed.value.production
    assert failed.value.retry


async def test_a_paper_that_was_changed_opened_or_removed_is_seen(tmp_path: Path) -> None:
    ctx = context(told(), "back.papers", tmp_path / "artifacts")
    action = CommunicatePapers(Papers(a="a", b="b", c="c"))
    evidence = await action.perform(ctx, Reports())
    (tmp_path / "a.md").write_text("forged")
    (tmp_path / "b.md").chmod(0o640)
    (tmp_path / "c.md").unlink()
    with pytest.raises(VerificationFailed) as failed:
        await action.verify(ctx, evidence)
    assert [line.rpartition(": ")[2] for line in failed.value.lines] == [
        "it holds something else",
        "others can read it",
        "No such file or directory",
    ]
