"""`[journal] readable_by = "group"`: refused where the group could not get there, and watched by another user."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.cli.drive import Options
from console.cli.exits import Exit
from console.cli.production import load_plan, opened
from console.cli.records import check_plan
from console.cli.rehearsal import rehearse_unattended
from console.cli.session import Front
from console.domain.wire import encode_plan
from console.engine.journal import FileJournal
from console.errors import ConfigError
from tests.config.conftest import EXAMPLE
from tests.engine.following import CREATED, ME, PLAN

GROUP = 54321
NOBODY = 65534


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """The example, whose runs a group may read; where they are kept, the group cannot go."""
    state = tmp_path / "closed" / "state"
    state.mkdir(parents=True)
    state.parent.chmod(0o700)
    config = tmp_path / "config.toml"
    journal = f'\n[journal]\ndirectory = "{state}"\nreadable_by = "group"\n'
    config.write_text(EXAMPLE.read_text(encoding="utf-8") + journal, encoding="utf-8")
    enterable(tmp_path)
    return config


def enterable(folder: Path) -> None:
    """Let everybody pass through the folders down to this one, which pytest keeps closed."""
    for each in (folder, *folder.parents):
        if each.stat().st_uid == os.geteuid() and each.stat().st_mode & 0o011 != 0o011:
            each.chmod(each.stat().st_mode | 0o011)


def options(config: Path) -> Options:
    return Options(config, auto=True, json=True, faults=(), pace=60, accounts=1, resume=False, directory=None)


def test_the_plan_says_who_may_read(plan: Path) -> None:
    assert load_plan(plan).readable_by == "group"
    assert load_plan(EXAMPLE).readable_by == "owner"


async def test_it_is_refused_before_anything_starts_with_the_folder_and_the_command(plan: Path) -> None:
    closed = plan.parent / "closed"
    said = f"cannot enter the folder {closed} (mode 0700)"
    with pytest.raises(ConfigError) as checked:
        check_plan(plan, json=False)
    with pytest.raises(ConfigError) as driven:
        async with opened(plan, Front(say=lambda text: None)):
            pytest.fail("it was opened")
    with pytest.raises(ConfigError) as rehearsed:
        await rehearse_unattended(options(plan))
    for error in (checked, driven, rehearsed):
        assert said in error.value.message
        assert f"`chmod g+x {closed}`" in error.value.remedy
        assert error.value.production == "Nothing was started."
    assert list((closed / "state").iterdir()) == [], "nothing was made"


def test_a_group_that_one_is_not_in_cannot_be_let_in(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    monkeypatch.setattr(os, "getegid", lambda: 4711)
    monkeypatch.setattr(os, "getgroups", lambda: [4712])
    with pytest.raises(ConfigError, match="which you are not in") as refused:
        check_plan(plan, json=False)
    assert f"`chgrp GROUP {plan.parent / 'closed' / 'state'}`" in refused.value.remedy


def test_machines_are_told_too(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_plan(plan, json=True) is Exit.USAGE
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False
    assert "cannot enter the folder" in said["problems"][0]


def test_where_the_way_is_open_the_plan_is_fine(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (plan.parent / "closed").chmod(0o710)
    assert check_plan(plan, json=True) is Exit.DONE


AS_SOMEBODY_ELSE = """
import os, sys
import console.cli.event_output, console.cli.records, console.cli.watch, encodings.idna, platformdirs, platformdirs.unix
from console.cli import main
os.setgroups([int(sys.argv[1])])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
sys.argv = ["release-console", *sys.argv[3:]]
main()
"""


def as_somebody_else(*arguments: str, group: int = GROUP) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-B", "-c", AS_SOMEBODY_ELSE, str(group), str(NOBODY), *arguments)
    return subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_another_user_of_the_group_watches_and_no_other(tmp_path: Path) -> None:
    enterable(tmp_path)
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, -1, GROUP)
    state.chmod(0o750)
    owners = state / "runs" / "20260203-080000-0000"
    for folder, group in ((owners, False), (state / "runs" / "20260204-201403-a1b2", True)):
        journal = FileJournal.create(folder, folder.name, encode_plan(PLAN), ME, group=group)
        await journal.append(CREATED, at=datetime.now(UTC), actor="ops@laptop")
    place = ("--directory", str(state))
    watcher = await asyncio.create_subprocess_exec(
        *(sys.executable, "-B", "-c", AS_SOMEBODY_ELSE, str(GROUP), str(NOBODY), "watch", "--json", *place),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    assert watcher.stdout is not None
    assert watcher.stderr is not None
    try:
        async with asyncio.timeout(60):
            assert json.loads(await watcher.stdout.readline())["kind"] == "run.created"
            assert b"ops@laptop drives" in await watcher.stderr.readline(), "also the driver is seen"
    finally:
        watcher.kill()
        await watcher.communicate()
    closed = await asyncio.to_thread(as_somebody_else, "watch", owners.name, *place)
    assert closed.returncode == 1
    assert "cannot be read: " in closed.stderr
    listed = await asyncio.to_thread(as_somebody_else, "runs", *place)
    assert listed.returncode == 0, listed.stderr
    assert [line.split()[1] for line in listed.stdout.splitlines()] == ["open", "unreadable"]
    foreign = await asyncio.to_thread(lambda: as_somebody_else("watch", *place, group=NOBODY))
    assert foreign.returncode == 1
    assert "Permission denied" in foreign.stderr
