"""One rehearsal as a person drives it: in a terminal of 120×36, by keys alone, from the first frame to the last."""

import json
from collections.abc import Iterator

import pytest

from tests.end_to_end.rehearsals import PACE, Place
from tests.end_to_end.terminals import Terminal

pytestmark = pytest.mark.slow

ROLES = {
    "Database Owner": "Database owner signs",
    "DevOps/Render Admin": "DevOps / Render admin signs",
    "QA Lead": "QA lead signs",
    "Product Lead": "Product lead signs",
}
"""Each role, and the title of its step."""


@pytest.fixture
def terminal(here: Place) -> Iterator[Terminal]:
    terminal = Terminal(here, "rehearse", "--pace", PACE, "--directory", str(here.state))
    yield terminal
    terminal.close()


def test_a_whole_rehearsal_by_keys(here: Place, terminal: Terminal) -> None:
    terminal.see("REHEARSAL", "Account Status Consolidation", "0 of 31", "begin the run")
    begin(terminal)
    merge(terminal)
    push(terminal)
    arm_the_migration(terminal)
    for role, step in ROLES.items():
        sign(terminal, role, step)
    finish(terminal)
    terminal.press("q")
    assert terminal.end() == 0
    assert_done_by_a_person(here)


def begin(terminal: Terminal) -> None:
    """The first dialog says where this is and what will be asked; its safe answer has the focus."""
    terminal.press("enter")
    terminal.see("nothing outside this machine is touched", "Asks before")
    terminal.highlighted("Not now", unlike="1  Begin")
    terminal.press_until("1", lambda screen: "The run has begun" in screen, "the beginning")


def previewed(terminal: Terminal, question: str, *texts: str) -> None:
    """The dialog stands there, and what it will do was looked at for it."""
    terminal.see(question)
    terminal.wait(
        lambda screen: all(text in screen for text in (question, *texts)) and "Looking at what" not in screen,
        f"a preview with {texts}",
    )


def merge(terminal: Terminal) -> None:
    """Enter alone confirms nothing: the person has to go to the other answer."""
    terminal.see("Waits for you: Merge staging → main", "look, then confirm")
    terminal.press("enter")
    previewed(terminal, "Yes, do it", "3 commits to main", "26c5a9f")
    terminal.has_focus("Not now")
    terminal.focus_on("Yes, do it", by="right")
    terminal.press("enter")
    terminal.gone("Yes, do it")


def push(terminal: Terminal) -> None:
    """The wrong word pushes nothing; the branch's name does."""
    terminal.see("Waits for you: Push to GitHub", "look, then confirm")
    terminal.press("enter")
    previewed(terminal, "To say yes, type main", "crm-backend: tracks main", "new code meets the old schema")
    terminal.fill("To say yes", "mani")
    terminal.press("enter")
    terminal.see("“mani” is not “main”")
    terminal.fill("To say yes", "main")
    terminal.press("enter")
    terminal.gone("To say yes")


def arm_the_migration(terminal: Terminal) -> None:
    """Confirmed while the services build or right after: the statements stand there, and it starts by itself."""
    terminal.see("Run migration 020", "confirm")
    terminal.wait(lambda screen: "confirm ahead" in screen or "look, then confirm" in screen, "the migration's turn")
    terminal.press("enter")
    previewed(terminal, "To say yes, type crm", "12 statements, one transaction", "ALTER TABLE accounts ADD COLUMN")
    terminal.fill("To say yes", "crm")
    terminal.press("enter")
    terminal.gone("To say yes")


def sign(terminal: Terminal, role: str, step: str) -> None:
    """Nothing is signed before a name stands there."""
    terminal.see(f"Waits for you: {step}", "⏎ sign")
    terminal.press("enter")
    terminal.see(f"Signature: {role}", "7 of 7 success criteria are met", "Approve")
    terminal.fill("Name", f"Ada of {role}")
    terminal.focus_on("✔ Approve", by="tab")
    terminal.press("enter")
    terminal.gone(f"Signature: {role}")


def finish(terminal: Terminal) -> None:
    """Completed is among the ways to close the run now."""
    terminal.see("31 of 31", "close the run")
    terminal.press("enter")
    terminal.see("Close the run", "31 of 31 steps are over", "Completed")
    terminal.highlighted("Not now", unlike="1  Completed")
    terminal.press_until("1", lambda screen: "Close the run: completed" in screen, "the last question")
    terminal.press_until("enter", lambda screen: "Close the run" not in screen, "the end")
    terminal.see("31 of 31", "completed", "quit")


def assert_done_by_a_person(here: Place) -> None:
    journal = here.journal
    signed = [line["data"]["name"] for line in journal if line["kind"] == "signoff.given"]
    assert signed == [f"Ada of {role}" for role in ROLES]
    finished = next(line for line in journal if line["kind"] == "run.finished")
    assert finished["data"]["outcome"] == "completed"
    confirmed = {line["step"] for line in journal if line["kind"] in ("step.confirmed", "step.armed")}
    assert confirmed >= {"code.merge", "code.push", "db.migrate"}
    assert not (here.world / "world.json").exists()
    listed = here.run("runs", "--json", "--directory", str(here.state))
    assert json.loads(listed.stdout)["state"] == "completed"
