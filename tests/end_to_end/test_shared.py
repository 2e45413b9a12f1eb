"""A rehearsal whose record is shared, against a real store: watched past its silence, taken over, never doubled."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from console.cli.account import actor
from tests.end_to_end.rehearsals import PLAN, Line, Place
from tests.end_to_end.terminals import Terminal

pytestmark = pytest.mark.slow


def told(line: Line) -> list[object]:
    """What a line says, without the chain of the journal."""
    return [line[key] for key in ("seq", "at", "run", "actor", "kind", "step", "data")]


def address(here: Place, who: str) -> str:
    return f"file:{here.world / f'journal-url-{who}'}"


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def silent(world: Path) -> Iterator[None]:
    """The store's server answers nothing meanwhile, and no connection to it ends: a network that drops everything."""
    place = f"{os.sep}journal{os.sep}data"
    commands = {int(each.parent.name): each.read_bytes().decode() for each in Path("/proc").glob("[0-9]*/cmdline")}
    port = (world / "journal-admin-url").read_text().rsplit(":", 1)[1].split("/")[0]
    (server,) = [pid for pid, said in commands.items() if place in said and f"-p\0{port}\0" in said]
    stopped = [server, *children(server)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)


def test_a_watcher_elsewhere_sees_all_of_a_rehearsal_whose_store_was_silent_for_a_while(here: Place) -> None:
    console = here.rehearse("--shared")
    console.until("run.created")
    watcher = here.start("watch", "--json", "--journal", address(here, "observer"), "--journal-tls", "disable")
    watcher.until("run.created")
    console.until("step.succeeded", "backup.verify")
    with silent(here.world):
        lost = console.until("store.lost")
        assert "did not answer" in lost["data"]["reason"]
    console.until("store.regained")
    driven = console.end()
    assert driven.code == 0, driven
    seen = watcher.end(within=60)
    assert seen.code == 0, seen
    assert [told(line) for line in seen.lines] == [told(line) for line in here.journal]
    assert "The shared record is reached again." in seen.stderr
    pushed = [line["kind"] for line in here.journal if line["step"] == "code.push"]
    assert Counter(pushed)["step.started"] == 1


@contextmanager
def shared_world(here: Place) -> Iterator[Path]:
    """A world with a shared record, alone; its folder."""
    folder = here.base / "world"
    options = ("--json", "--shared", "--config", str(PLAN), "--pace", "600", "--directory", str(folder))
    up = here.start("sandbox", "up", *options)
    up.events(1)
    try:
        yield folder
    finally:
        up.interrupt()


@contextmanager
def machine(here: Place, name: str, world: Path) -> Iterator[Terminal]:
    """A console on a machine of its own: a folder with the plan, in which its runs are kept."""
    folder = here.base / name
    folder.mkdir()
    (folder / "config.toml").write_text(f'extends = "{world / "overlay.toml"}"\n[journal]\ndirectory = "runs"\n')
    terminal = Terminal(here, cwd=folder)
    try:
        yield terminal
    finally:
        terminal.close()


def test_a_run_is_taken_over_from_a_console_that_lives_and_it_watches_on(here: Place) -> None:
    """Two machines, one world, one store: by keys, in two terminals."""
    who = actor()
    with shared_world(here) as world:
        with machine(here, "ann", world) as ann:
            ann.see("Not started", "begin the run")
            ann.press_until("enter", lambda screen: "Begin “" in screen, "the question")
            ann.press_until("1", lambda screen: "Begin “" not in screen, "the run begun")
            ann.see("Waits for you: Merge staging")
            with machine(here, "bob", world) as bob:
                bob.see("Take this run over?", "Their console begins nothing more")
                bob.fill(f"Type {who}", who)
                bob.press_until("enter", lambda screen: "Waits for you: Merge staging" in screen, "the run taken over")
                ann.see("WATCHING", "You watch it now.")
                bob.press_until("enter", lambda screen: "Yes, do it" in screen, "the merge looked at")
                bob.focus_on("Yes, do it", by="tab")
                bob.press("enter")
                bob.see("Waits for you: Push to GitHub")
                ann.see("Waits for", "Push to GitHub")
        epochs, lines = stored(world)
    assert epochs == [1, 2]
    (taken,) = (here.base / "bob" / "runs" / "runs").iterdir()
    assert (taken / "journal.jsonl").read_text().splitlines()[: len(lines)] == lines
    assert sum('"kind":"step.started","step":"code.merge"' in line for line in lines) == 1


def stored(world: Path) -> tuple[list[int], list[str]]:
    """The epochs and the lines that the store holds."""
    with psycopg.connect((world / "journal-admin-url").read_text().strip()) as link:
        epochs = link.execute("SELECT epoch FROM release_console.epochs ORDER BY epoch").fetchall()
        lines = link.execute("SELECT line FROM release_console.events ORDER BY seq").fetchall()
    return [epoch for (epoch,) in epochs], [line for (line,) in lines]


def test_a_second_driver_may_watch_instead_and_somebody_who_died_is_followed_by_name(here: Place) -> None:
    who = actor()
    with shared_world(here) as world:
        with machine(here, "ann", world) as ann:
            ann.see("Not started", "begin the run")
            with machine(here, "bob", world) as bob:
                bob.see("Take this run over?")
                bob.focus_on("Watch it", by="tab")
                bob.press("enter")
                bob.see("WATCHING", "Not started", f"driven by {who}")
        with machine(here, "cem", world) as cem:
            cem.see("Take this run over?", "has not left it", "Ask them first")
        epochs, lines = stored(world)
    assert epochs == [1]
    assert not any('"kind":"driver.left"' in line for line in lines), "a window that is closed says nothing"
