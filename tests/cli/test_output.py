"""What the command line prints: errors with their three answers, lines for machines, nothing that a terminal obeys."""

import errno
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from console.cli.commands import _awaited, main
from console.cli.exits import Exit, code_of, describe, from_os, json_line
from console.cli.folders import state_directory
from console.errors import ConfigError, ConsoleError, JournalError, SecretError


def test_an_error_tells_what_failed_what_state_production_is_in_and_what_to_do() -> None:
    error = ConsoleError("two\nlines \x1b[2J", production="as before", remedy="do this")
    assert describe(error).splitlines() == [
        "✗ two",
        "lines ␛[2J",
        "  production  as before",
        "  next        do this",
    ]
    assert describe(ConsoleError("alone")) == "✗ alone"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError(["x"]), Exit.USAGE),
        (SecretError("x"), Exit.USAGE),
        (JournalError("x"), Exit.FAILED),
        (from_os(OSError(errno.ENOSPC, "No space left on device", "/var/x"), "It"), Exit.FAILED),
    ],
)
def test_the_exit_code_tells_configuration_from_the_rest(error: ConsoleError, code: Exit) -> None:
    assert code_of(error) is code


def test_an_error_of_the_system_claims_nothing_about_production() -> None:
    error = from_os(OSError(errno.ENOSPC, "No space left on device", "/var/x"), "The console could not go on")
    assert error.message == "The console could not go on: No space left on device (/var/x)."
    assert "Untouched" not in error.production
    assert "release-console report" in error.production
    assert "Free some space" in error.remedy


def test_a_line_for_machines_is_ascii_and_reads_back() -> None:
    line = json_line({"text": "é\x9b2J\n"})
    assert line.isascii()
    assert json.loads(line) == {"text": "é\x9b2J\n"}


def test_a_plan_that_was_named_and_is_not_there_is_refused_also_where_only_runs_are_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no plan at"):
        state_directory(tmp_path / "nope.toml", None)
    assert state_directory(tmp_path / "nope.toml", tmp_path) == tmp_path


ROOT = Path(__file__).parents[2]
COMMANDS = [
    (["--config", "nope.toml"], 2, "There is no plan at nope.toml."),
    (["plan", "check", "--config", "nope.toml"], 2, "There is no plan at nope.toml."),
    (["preflight", "--config", "nope.toml"], 2, "There is no plan at nope.toml."),
    (["rehearse", "--auto", "--config", "nope.toml"], 2, "There is no plan at nope.toml."),
    (["rehearse", "--auto", "--fault", "build-fials"], 2, "build-fails"),
    (["runs", "--config", "nope.toml"], 2, "There is no plan at nope.toml."),
    (["report", "--directory", "."], 1, "There are no runs"),
    (["verify", "2026", "--directory", "."], 1, "There are no runs"),
    (["sandbox", "down", "here"], 1, "No sandbox is up."),
    (["--config", "nope.toml", "plan", "check"], 2, "There is no plan at nope.toml."),
    (["rehearse", "--pace", "nan"], 2, "argument --pace: nan is not a number from 1 to 10000"),
    (["rehearse", "--accounts", "1.5"], 2, "argument --accounts: 1.5 is not a number"),
    (["rehearse", "--res"], 2, "unrecognized arguments: --res"),
    (["sandbox"], 2, "build the sandbox"),
    (["nonsense"], 2, "nonsense"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), COMMANDS, ids=lambda value: str(value)[:40])
def test_bad_input_gets_one_message_and_the_right_exit_code(
    arguments: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["release-console", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    out, err = capsys.readouterr()
    assert left.value.code == code
    assert said in err
    assert out == ""
    assert "Traceback" not in err


def test_a_defect_is_told_with_its_place_and_without_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> Exit:
        raise KeyError("postgresql://crm:s3cret@db/crm")

    monkeypatch.setattr("console.cli.run_list.list_runs", broken)
    monkeypatch.setattr("sys.argv", ["release-console", "runs"])
    with pytest.raises(SystemExit) as left:
        main()
    err = capsys.readouterr().err
    assert left.value.code == Exit.FAILED
    assert "in broken" in err
    assert "KeyError: 'postgresql://crm:•••@db/crm'" in err
    assert "release-console report" in err


def test_a_reader_that_goes_away_is_no_error_worth_a_word(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "console", "plan", "check"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == Exit.FAILED


def test_an_interrupt_says_whether_something_stays_open(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(**more: str) -> Exit:
        async def work() -> Exit:
            raise KeyboardInterrupt

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: _awaited(work(), **more)).result()

    assert interrupted(again="release-console rehearse --resume") is Exit.OPEN
    assert "`release-console rehearse --resume` goes on with it" in capsys.readouterr().err
    assert interrupted() is Exit.FAILED
    assert "Nothing was changed" in capsys.readouterr().err


def test_runs_that_cannot_be_read_are_listed_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "runs" / "20260204-200000-abcd"
    broken.mkdir(parents=True)
    (broken / "journal.jsonl").write_text("junk\n")
    monkeypatch.setattr("sys.argv", ["release-console", "runs", "--directory", str(tmp_path)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    assert "unreadable" in (line := capsys.readouterr().out)
    assert "Line 1 of the journal is broken" in line
