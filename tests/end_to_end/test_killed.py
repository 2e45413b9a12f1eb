"""`kill -9` at any moment: `rehearse --auto --resume` comes to the same end, with nothing done twice."""

import os
import random
import signal
import subprocess
from collections import Counter

import pytest

from tests.end_to_end.rehearsals import Console, Place, Result

pytestmark = pytest.mark.slow

STEPS = 31
# What migration 020 makes of the 449 accounts; `test_unattended` proves it against the accounts before.
STATUSES = {"active": 279, "cancelled": 58, "inactive": 41, "on_hold": 44, "suspended": 27}
DESTRUCTIVE = ("backup.export", "code.merge", "code.push", "db.migrate")


def assert_same_end(here: Place, result: Result, *, done_twice: frozenset[str] = frozenset()) -> None:
    """The end of a rehearsal that nothing disturbed; the world shows nothing done twice.

    `done_twice`: the steps that had to succeed a second time, because the world was another by then.
    """
    assert result.code == 0, result
    summary = result.summary
    assert (summary["outcome"], summary["steps"]["succeeded"]) == ("completed", STEPS)
    assert set(summary["criteria"].values()) == {"met"}
    world = summary["world"]
    assert (world["exports"], world["pushes_to_main"], world["migrations_applied"]) == (1, 1, 1)
    assert (world["accounts"], world["account_status"]) == (449, STATUSES)
    assert {live["commit"] for live in world["deploys_live"]} == {world["head_of_main"]}
    assert result.stderr == ""
    verified = here.run("verify", "last", "--directory", str(here.state))
    assert verified.code == 0, verified
    assert [line["seq"] for line in here.journal] == list(range(1, len(here.journal) + 1))
    finished = Counter(line["step"] for line in here.journal if line["kind"] == "step.succeeded")
    assert {step for step in DESTRUCTIVE if finished[step] > 1} == done_twice


def let_live(console: Console, seconds: float) -> None:
    """Let a console go on for so long, unless it ends before."""
    try:
        console.process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


@pytest.mark.parametrize("seed", [20260204, 26, 449])
def test_at_random_moments_again_and_again(here: Place, seed: int) -> None:
    """Some deaths follow an event at once, others come at any time after it."""
    chance = random.Random(seed)
    console = here.rehearse()
    for _ in range(4):
        console.events(chance.randrange(1, 30))
        if chance.random() < 0.5:
            let_live(console, chance.uniform(0, 1.5))
        console.kill()
        console = here.resume()
    assert_same_end(here, console.end())
    assert len([line for line in here.journal if line["kind"] == "driver.joined"]) == 5


Moment = tuple[str, str, str]
"""A kind of event, its step, words in its data."""


def started(step: str) -> Moment:
    return "step.started", step, ""


def progressed(step: str, says: str) -> Moment:
    return "step.progressed", step, says


@pytest.mark.parametrize(
    "moments",
    [
        [started("backup.export"), started("code.push"), started("db.migrate")],
        [
            progressed("backup.export", "asking"),
            progressed("code.push", "is pushed"),
            progressed("db.migrate", "committing"),
        ],
        [started("backup.verify"), started("code.merge"), started("code.backend"), progressed("db.migrate", "locked")],
        [progressed("checks.before", "creates"), progressed("test.accounts", "creates"), started("monitor.logs")],
    ],
    ids=["started", "half-way", "beside", "checks"],
)
def test_in_the_midst_of_a_step(here: Place, moments: list[Moment]) -> None:
    console = here.rehearse()
    for kind, step, says in moments:
        console.until(kind, step, says=says)
        console.kill()
        # Twice in a row: the next console dies as soon as it has taken the run up.
        again = here.resume()
        again.events(1)
        again.kill()
        console = here.resume()
    assert_same_end(here, console.end())
    uncertain = {line["step"] for line in here.journal if line["kind"] == "step.uncertain"}
    assert {step for _, step, _ in moments} <= uncertain


def test_before_there_is_a_journal(here: Place) -> None:
    """While the world is being built, the rehearsal is found again all the same."""
    console = here.rehearse()
    for seconds in (0.4, 0.9, 1.4):
        let_live(console, seconds)
        console.kill()
        console = here.resume()
    assert_same_end(here, console.end())


def test_after_its_last_event(here: Place) -> None:
    """Only the summary was not told yet, and the world still stands."""
    console = here.rehearse()
    finished = console.until("run.finished")
    console.kill()
    events = len(here.journal)
    again = here.resume().end()
    assert_same_end(here, again)
    assert again.summary["run"] == finished["run"]
    assert len(here.journal) == events


def test_an_interrupt_lets_go_of_the_run_in_order(here: Place) -> None:
    console = here.rehearse()
    console.until("step.started", "code.backend")
    interrupted = console.interrupt()
    assert interrupted.code == 3, interrupted
    assert "Traceback" not in interrupted.stderr
    assert "resume" in interrupted.stderr
    assert here.journal[-1]["kind"] == "driver.left"
    assert_same_end(here, here.resume().end())


def test_the_world_dies_and_is_started_again_where_it_stood(here: Place) -> None:
    """The supervisor is killed while the services build; the console stops and says so; both go on afterwards."""
    console = here.rehearse()
    console.until("step.started", "code.backend")
    os.kill(here.world_info["pid"], signal.SIGKILL)
    stopped = console.end()
    assert stopped.code == 3, stopped
    assert "Traceback" not in stopped.stderr
    assert stopped.summary["outcome"] == "open"
    assert stopped.summary["world"] is None
    assert_same_end(here, here.resume().end())


def test_everything_dies_at_once(here: Place) -> None:
    """As when the machine loses its power, in the middle of the migration."""
    console = here.rehearse()
    console.until("step.started", "db.migrate")
    os.kill(here.world_info["pid"], signal.SIGKILL)
    console.kill()
    assert_same_end(here, here.resume().end())
