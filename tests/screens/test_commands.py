"""The one table of commands: no dead key, no key with two meanings, nothing that leads nowhere."""

from collections import Counter
from dataclasses import replace

import pytest
from msgspec import structs

from console.domain.state import RunStatus
from screens.commands import READING, STEERING, Command
from screens.desk import Desk
from screens.help import help_lines
from screens.leads import Choose
from screens.moment import Moment as Instant
from screens.next_thing import close_run
from screens.ring import Mark, Ring
from screens.view import View
from screens.ways import ways
from tests.screens.incidents import INCIDENTS
from tests.screens.moments import MOMENTS

ALL = (*STEERING, *READING)
SCREENS = ("run", "incident", "messages", "logs", "alerts", "signoff", "preflight", "report", "help")
DOORS = frozenset(SCREENS) - {"run"}
DEPLOYING = ("start", "backup", "push", "building", "migrating", "failed-build", "uncertain", "incident", "finished")
GOING_BACK = (
    "incident-declared",
    "incident-assessed",
    "rollback-running",
    "rollback-failed",
    "rollback-confirm-database",
    "rollback-postmortem",
    "rolled-back",
    "rolled-back-closed",
    "messages",
)
STATES = (*DEPLOYING, *GOING_BACK)
ALL_MOMENTS = {**MOMENTS, **INCIDENTS}


def instant(name: str, screen: str = "run", step: str | None = None) -> Instant:
    moment = ALL_MOMENTS[name]()
    state = moment.state
    view = View(state, moment.now, driving=True)
    selected = state.steps[step] if step else view.current
    offered = view.assessment.ways if view.assessment is not None else ()
    choosing = screen == "incident" and state.rollback is None
    return Instant(
        view,
        screen,
        step=None if choosing or screen not in ("run", "incident") else selected,
        way=offered[0] if choosing and offered else None,
        message=next(iter(state.messages.values()), None) if screen == "messages" else None,
        doors=DOORS,
    )


def test_every_command_has_an_id_of_its_own() -> None:
    assert max(Counter(command.id for command in ALL).values()) == 1


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("screen", SCREENS)
def test_no_key_means_two_things_at_once(name: str, screen: str) -> None:
    now = instant(name, screen)
    keys = Counter(key for command in ALL if command.works(now) for key in command.keys)
    assert not [key for key, number in keys.items() if number > 1]


@pytest.mark.parametrize("name", STATES)
def test_no_key_that_works_is_dead_whatever_is_selected(name: str) -> None:
    screens = ("incident", "messages", "run")
    for screen, step in ((screen, step) for screen in screens for step in ALL_MOMENTS[name]().state.steps):
        now = instant(name, screen, step)
        for command in ALL:
            if command.works(now):
                assert command.leads(now) is not None, (command.id, step)
                assert command.says(now), (command.id, step)


@pytest.mark.parametrize("name", ["finished", "rolled-back-closed"])
def test_a_run_that_is_over_can_only_be_read(name: str) -> None:
    now = instant(name)
    assert now.state.status is RunStatus.FINISHED
    assert not [command.id for command in STEERING if command.works(now)]


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("failed-build", ["Try again", "Done by hand", "Declare an incident", "Go on to “Run migration 020”"]),
        ("uncertain", ["Look once more", "It was carried out", "It was not carried out", "Declare an incident"]),
        ("push", []),
    ],
)
def test_trouble_is_never_a_dead_end(name: str, labels: list[str]) -> None:
    offered = [option.label for option in ways(instant(name))]
    assert len(offered) == len(labels)
    assert all(label.startswith(expected) for label, expected in zip(offered, labels, strict=True))


def test_a_run_is_offered_as_completed_only_when_everything_is_over() -> None:
    lead = close_run(instant("push"))
    assert isinstance(lead, Choose)
    assert [option.label for option in lead.options] == ["Closed as failed", "Abandoned"]
    everything_over = instant("finished")
    state = structs.replace(everything_over.state, status=RunStatus.RUNNING)
    lead = close_run(replace(everything_over, view=View(state, everything_over.view.now)))
    assert isinstance(lead, Choose)
    assert lead.options[0].label == "Completed"


def test_the_help_names_every_command_of_the_desk() -> None:
    text = "\n".join(line.plain for line in help_lines(ALL, instant("push"), 200))
    listed: list[Command] = [command for command in ALL if not command.id.startswith("way-")]
    assert all(command.help in text for command in listed)
    reading = "\n".join(line.plain for line in help_lines(READING, instant("push"), 200))
    assert "Declare an incident" not in reading


def test_a_desk_finds_only_what_works() -> None:
    desk = Desk(READING, lambda lead: None, DOORS, Ring(lambda entry: Mark.PLAIN))
    assert desk.command("help", instant("push")) is not None
    assert desk.command("help", instant("push", "help")) is None
    assert desk.command("incident", instant("push")) is None
