"""`report` prints the record of a run, or one of its incident's papers; nothing in them is obeyed by a terminal."""

from pathlib import Path

import pytest

from console.cli.commands import parser
from console.domain import intents as i
from console.domain.events import Draft
from console.domain.standing import Way
from console.domain.wire import encode_plan
from console.engine.driver import Driver
from console.engine.epochs import Held, write_foreign
from console.engine.journal import FileJournal
from tests.domain.incidents import channel_plan, choose, declared, go


@pytest.fixture
async def kept(tmp_path: Path) -> Path:
    """A folder with one run that has gone back."""
    history = go(choose(declared(), Way.SCHEMA), until="prove").ask(i.Note("\x1b[2J"))
    journal = FileJournal.create(tmp_path / "runs" / "r1", "r1", encode_plan(channel_plan()), Driver.here("ops@laptop"))
    for event in history.events:
        await journal.append(Draft(event.kind, event.step, event.data), at=event.at, actor=event.actor)
    await journal.close()
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    parsed = parser().parse_args(["report", *arguments])
    assert parsed.run(parsed) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "title"),
    [
        ((), "# Account Status"),
        (("--incident",), "# Incident summary: Account Status"),
        (("--post-mortem",), "# Post-mortem: Account Status"),
    ],
)
def test_each_paper_is_printed_by_its_option(
    kept: Path, capsys: pytest.CaptureFixture[str], option: tuple[str, ...], title: str
) -> None:
    paper = printed(capsys, "r1", *option, "--directory", str(kept))
    assert paper.splitlines()[0] == title
    assert "The revert ddddddd must be reverted before these commits can be released again" in paper
    assert "\x1b" not in paper
    assert paper.endswith("\n")


def test_one_paper_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parser().parse_args(["report", "--incident", "--post-mortem"])
    assert left.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["report", "verify"])
def test_a_run_that_was_taken_over_is_not_told_as_if_its_record_were_here(
    kept: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    parsed = parser().parse_args([command, "r1", "--directory", str(kept)])
    assert parsed.run(parsed) == 0
    whole = capsys.readouterr()
    assert whole.err == ""
    write_foreign(kept / "runs" / "r1", Held(1))
    assert parsed.run(parsed) == 0
    partial = capsys.readouterr()
    assert partial.out == whole.out
    assert "Somebody else has driven r1 since" in partial.err
    assert "release-console watch r1" in partial.err
