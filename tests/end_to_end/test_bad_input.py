"""Bad input: each gets one clear message, an exit code that says so, no traceback; and nothing is lost."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.rehearsals import PLAN, Console, Place, Result
from tests.end_to_end.terminals import Terminal
from tests.end_to_end.test_killed import assert_same_end


def assert_told(result: Result, code: int, *words: str) -> None:
    """One message, on standard error, with what is wrong and what to do; the exit code; no traceback."""
    assert result.code == code, result
    assert "Traceback" not in result.stderr, result
    assert "defect of its own" not in result.stderr, result
    assert result.stderr.count("✗") == 1, result
    missing = [word for word in words if word not in result.stderr]
    assert not missing, f"{missing} are missing: {result}"
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rehearse", "--fault", "push-rase"), ("push-rase", "push-race")),
        (("rehearse", "--fault", "build-fails=fronted"), ("fronted", "frontend")),
        (("rehearse", "--config", "/nowhere/config.toml"), ("/nowhere/config.toml", "--config")),
        (("plan", "check", "--config", "/nowhere/config.toml"), ("/nowhere/config.toml", "--config")),
        (("sandbox", "up", "--fault", "ws-dorp"), ("ws-dorp", "ws-drop")),
        (("preflight", "--config", str(PLAN)), ("RENDER_API_KEY",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_what_was_asked_for_makes_no_sense(here: Place, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert_told(here.run(*arguments), 2, *words)
    assert not here.state.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("rehearse", "--pace", "fast"),
        ("rehearse", "--pace", "0"),
        ("rehearse", "--accounts", "0"),
        ("rehearse", "--accounts", "many"),
        ("rehearce",),
        ("rehearse", "--faults", "ws-drop"),
    ],
    ids=" ".join,
)
def test_usage_is_explained(here: Place, arguments: tuple[str, ...]) -> None:
    result = here.run(*arguments)
    assert result.code == 2, result
    assert arguments[-1] in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"title = [", ("config.toml:1", "TOML")),
        (b"\xff\xfe\x00binary", ("UTF-8",)),
        (b'extends = "missing.toml"\n', ("missing.toml",)),
        (b"", ("name",)),
    ],
)
def test_a_plan_that_cannot_be_read(here: Place, content: bytes, words: tuple[str, ...]) -> None:
    plan = here.base / "config.toml"
    plan.write_bytes(content)
    assert_told(here.run("rehearse", "--auto", "--config", str(plan)), 2, *words)


def test_every_misspelt_key_is_named_with_its_line_and_the_nearest_right_word(here: Place) -> None:
    plan = here.base / "config.toml"
    text = PLAN.read_text()
    mistakes = {"merge_message": "merge_mesage", "lock_timeout": "lock_timout", "saved_copy": "savedcopy"}
    for right, wrong in mistakes.items():
        assert text.count(f"\n{right} ") == 1
        text = text.replace(f"\n{right} ", f"\n{wrong} ")
    plan.write_text(text)
    lines = {wrong: text[: text.index(f"\n{wrong} ")].count("\n") + 2 for wrong in mistakes.values()}
    words = [word for wrong, line in lines.items() for word in (wrong, str(line))]
    assert_told(here.run("plan", "check", "--config", str(plan)), 2, *words, *mistakes, str(plan))


def test_the_directory_of_runs_is_a_file(here: Place) -> None:
    file = here.base / "file"
    file.write_text("")
    assert_told(here.run("rehearse", "--auto", "--directory", str(file)), 1, str(file))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_the_directory_of_runs_may_not_be_written(here: Place) -> None:
    here.state.mkdir(mode=0o500)
    assert_told(here.run("rehearse", "--auto", "--directory", str(here.state)), 1, str(here.state))


def test_a_deployment_needs_a_terminal(here: Place) -> None:
    assert_told(here.run("--config", str(PLAN)), 1, "terminal", "rehearse --auto")


def test_there_is_no_git(here: Place) -> None:
    empty = here.base / "bin"
    empty.mkdir()
    here.environment["PATH"] = str(empty)
    assert_told(here.rehearse().end(), 1, "git is not installed")


def test_there_is_no_run_to_tell_of(here: Place) -> None:
    directory = ("--directory", str(here.state))
    assert_told(here.run("report", "last", *directory), 1, "no runs")
    assert_told(here.run("verify", "20260204", *directory), 1, "no runs")
    assert here.run("runs", *directory).code == 0


def test_a_terminal_of_40_by_10(here: Place) -> None:
    """It says that it is too small, and can be left; the run stays open."""
    terminal = Terminal(here, "rehearse", "--pace", "600", "--directory", str(here.state), columns=40, rows=10)
    try:
        terminal.see("too small", "^q")
        terminal.press("ctrl+q")
        assert terminal.end() == 3
    finally:
        terminal.close()


def fill_up(console: Console, file: Path, room: int) -> None:
    """From now on no file of the console may grow beyond `room` bytes more than this one: a disk that is full."""
    most = file.stat().st_size + room
    resource.prlimit(console.process.pid, resource.RLIMIT_FSIZE, (most, most))


@pytest.mark.slow
def test_the_disk_is_full_in_the_midst_of_a_run(here: Place) -> None:
    """The backup cannot be stored, then the record cannot be written: each time it stops, and goes on with room."""
    console = here.rehearse()
    console.until("step.started", "backup.export")
    fill_up(console, here.run_folder / "journal.jsonl", room=10_000)
    stopped = console.end()
    assert stopped.code == 3, stopped
    (failed,) = [event for event in stopped.events if event["kind"] == "step.failed"]
    assert failed["step"] == "backup.verify"
    assert "cannot be written: File too large" in failed["data"]["message"]

    again = here.resume()
    again.until("step.started", "code.backend")
    fill_up(again, here.run_folder / "journal.jsonl", room=100)
    stopped = again.end()
    assert stopped.code == 3, stopped
    assert not [event for event in stopped.events if event["kind"] == "step.failed"]
    assert "The journal in" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    verified = here.run("verify", "last", "--directory", str(here.state))
    assert verified.code == 0, verified
    assert_same_end(here, here.resume().end())


@pytest.mark.slow
def test_there_is_hardly_any_room_from_the_start(here: Place) -> None:
    """A file system of 64 kB, where this user may make one."""
    here.state.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(here.state)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True, timeout=10).returncode != 0:
        pytest.skip("only root may mount a small file system")
    try:
        result = here.rehearse().end()
    finally:
        here.clear()
        subprocess.run(["umount", str(here.state)], check=True, timeout=10)
    assert_told(result, 1, "No space left on device")


@pytest.mark.slow
def test_a_journal_that_was_edited_is_told_apart_and_left_as_it_is(here: Place) -> None:
    console = here.rehearse()
    console.until("step.succeeded", "checks.before")
    assert console.interrupt().code == 3
    journal, directory = here.run_folder / "journal.jsonl", ("--directory", str(here.state))
    written = journal.read_bytes()
    lines = written.splitlines(keepends=True)
    edited = b"".join([*lines[:3], lines[3].replace(b'"seq":4', b'"seq": 4'), *lines[4:]])
    assert edited != written
    journal.write_bytes(edited)
    verified = here.run("verify", "last", *directory)
    assert (verified.code, "Line 5" in verified.stdout) == (1, True), verified
    assert_told(here.run("report", "last", *directory), 1, "Line 5")
    (listed,) = here.run("runs", "--json", *directory).lines
    assert listed["state"] == "unreadable"
    assert journal.read_bytes() == edited
    journal.write_bytes(written)
    assert_same_end(here, here.resume().end())


@pytest.mark.slow
def test_a_second_driver_is_told_who_drives(here: Place) -> None:
    console = here.rehearse()
    console.until("run.started")
    second = here.resume().end()
    assert_told(second, 1, "already driven", str(console.process.pid))
    assert_same_end(here, console.end())


def test_it_is_run_outside_of_the_project(here: Place) -> None:
    """There is no config.toml where it is started: it says how to name one."""
    command = [sys.executable, "-m", "console", "rehearse", "--auto"]
    environment = {**here.environment, "PYTHONPATH": str(PLAN.parent)}
    ended = subprocess.run(
        command, cwd=here.base, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert_told(Result(ended.returncode, ended.stdout, ended.stderr), 2, "config.toml", "--config")
