"""A real rehearsal watched from beside it: every event once, through a death and a resume, to its end."""

import pytest

from tests.end_to_end.rehearsals import Line, Place

pytestmark = pytest.mark.slow


def told(line: Line) -> list[object]:
    """What a line says, without the chain of the journal."""
    return [line[key] for key in ("seq", "at", "run", "actor", "kind", "step", "data")]


def test_a_watcher_sees_all_of_a_rehearsal_that_is_killed_and_resumed(here: Place) -> None:
    console = here.rehearse()
    console.until("run.created")
    watcher = here.start("watch", "--json", "--directory", str(here.state))
    console.until("step.started", "backup.verify")
    console.kill()
    resumed = here.resume().end()
    assert resumed.code == 0, resumed
    seen = watcher.end(within=60)
    assert seen.code == 0, seen
    assert [told(line) for line in seen.lines] == [told(line) for line in here.journal]
    assert ": resumed after their console died." in seen.stderr
    assert seen.stderr.splitlines()[-1].startswith("The run is over: ")
    assert (here.run_folder / "tail.jsonl").stat().st_size > 0, "there was a log to be seen"
