"""What is said to whoever leaves a run that stays open: how it is gone on with, from where it really is."""

from pathlib import Path

from console.cli.by_hand import how_to_go_on
from console.cli.logfile import LogFile
from console.cli.sandbox import WORLD
from console.cli.session import Recorded
from console.cli.shared_rehearsal import addresses, watch_command
from console.domain.fold import initial
from console.domain.wire import encode_plan
from console.engine.driver import Driver
from console.engine.feed import RunFeed
from console.engine.journal import FileJournal
from tests.domain.plans import plan, step

PLAN = plan(step("a"))
RUN = "20260204-201403-a1b2"


def left(folder: Path) -> str:
    journal = FileJournal.create(folder, RUN, encode_plan(PLAN), Driver.here("ops@laptop"))
    return how_to_go_on(Recorded(PLAN, journal, RunFeed(initial(PLAN)), LogFile(folder)))


def test_a_rehearsal_is_resumed_and_its_world_ended_where_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "rehearsals" / RUN
    (folder / WORLD).mkdir(parents=True)
    said = left(folder)
    assert f"`release-console rehearse --resume --directory {tmp_path}` goes on with it" in said
    assert f"`release-console sandbox down {folder / WORLD}` ends it" in said


def test_a_plan_that_is_driven_over_somebody_elses_world_is_started_again(tmp_path: Path) -> None:
    assert left(tmp_path / "runs" / RUN) == "start again to go on with it"


def test_everybody_who_has_a_login_in_a_worlds_store_has_a_file_with_the_address(tmp_path: Path) -> None:
    for name in ("journal-url", "journal-url-observer", "journal-url-grace", "journal-admin-url"):
        (tmp_path / name).touch()
    assert {login: file.name for login, file in addresses(tmp_path).items()} == {
        "release_manager": "journal-url",
        "grace": "journal-url-grace",
        "observer": "journal-url-observer",
    }
    command = watch_command(tmp_path / RUN)
    assert command.startswith(
        f"release-console watch {RUN} --journal file:{tmp_path / RUN / WORLD}/journal-url-observer "
    )
