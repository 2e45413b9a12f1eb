"""`watch` and `runs` over a shared record: which run is meant and where, and what is said when it is not reached."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from textual.pilot import Pilot

from console.cli import run_list, which_run
from console.cli.exits import Exit
from console.cli.run_list import list_runs
from console.cli.shared import SharedPlace, shared_place
from console.cli.watch import _streamed, run_and_arguments
from console.cli.watch_screens import shown
from console.cli.watched import KeptRun, StoredRun, Watched
from console.cli.which_run import found
from console.domain.events import Draft, Kind
from console.domain.wire import encode_plan
from console.engine.driver import Driver
from console.engine.journal import FileJournal
from console.errors import ConfigError, JournalError, SecretError, StoreLost
from console.ports import ObserverStore
from screens.app import ConsoleApp
from screens.base import ConsoleScreen
from screens.incident import IncidentScreen
from screens.widgets.panes import Header
from tests.cli.headless import no_terminal
from tests.engine.following import CREATED, PLAN, RUN
from tests.engine.shared_store import MemoryObserver, Record
from tests.engine.sharing import driven
from tests.engine.test_follow_store import settled

NEWER, OLDER = "20260205-080000-0000", "20260203-080000-0000"
PLACE = SharedPlace("env:JOURNAL_URL")
CONFIG = Path("config.toml")


@contextmanager
def record_at_hand(
    monkeypatch: pytest.MonkeyPatch, record: Record, *, cut: bool = False
) -> Iterator[list[MemoryObserver]]:
    """What is asked of the place is answered by a record in memory; gives the clients that were made."""
    made: list[MemoryObserver] = []

    async def opened(place: SharedPlace) -> ObserverStore:
        store = MemoryObserver(record)
        made.append(store)
        if cut:
            store.wire.cut()
        return store

    with monkeypatch.context() as patched:
        patched.setattr(which_run, "observer_store", opened)
        patched.setattr(run_list, "observer_store", opened)
        yield made


async def kept(state: Path, run: str, *drafts: Draft) -> FileJournal:
    """A run of this machine, which is driven until the journal is closed."""
    journal = FileJournal.create(state / "runs" / run, run, encode_plan(PLAN), Driver.here("ops@laptop"))
    for draft in (CREATED, *drafts):
        await journal.append(draft, at=datetime.now(UTC) - timedelta(hours=2), actor="ops@laptop")
    return journal


def finished(outcome: str = "completed") -> Draft:
    return Draft(Kind.RUN_FINISHED, data={"outcome": outcome, "reason": "r", "production": "p"})


async def meant(state: Path, name: str = "last", place: SharedPlace = PLACE) -> Watched:
    async with found(name, state, place, lambda text: None) as watched:
        return watched


class TestWhich:
    async def test_the_newest_that_is_open_wherever_it_is(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = Record()
        drive = await driven(record)
        await (await kept(tmp_path, OLDER)).close()
        await (await kept(tmp_path, NEWER, finished())).close()
        with record_at_hand(monkeypatch, record):
            watched = await meant(tmp_path)
            assert isinstance(watched, StoredRun)
            assert watched.run == RUN
            await drive.finishes()
            assert (await meant(tmp_path)).run == OLDER
            assert (await meant(tmp_path, NEWER[:8])).run == NEWER
            with pytest.raises(JournalError, match="3 runs are called 2026 in the shared record and in"):
                await meant(tmp_path, "2026")
            with pytest.raises(JournalError, match="No runs are called 1999"):
                await meant(tmp_path, "1999")

    async def test_a_run_that_both_have_is_watched_where_it_may_have_gone_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = Record()
        await driven(record)
        journal = await kept(tmp_path, RUN)
        with record_at_hand(monkeypatch, record):
            here = await meant(tmp_path, RUN)
            assert isinstance(here, KeptRun), "it is driven here"
            assert not here.doubt
            asked_for = await meant(tmp_path, RUN, SharedPlace("env:JOURNAL_URL", named=True))
            assert isinstance(asked_for, StoredRun), "the shared record was asked for by name"
            await journal.close()
            assert isinstance(await meant(tmp_path, RUN), StoredRun)

    async def test_where_the_record_is_not_reached_what_is_here_is_meant_and_doubted(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        journal = await kept(tmp_path, RUN)
        with record_at_hand(monkeypatch, Record(), cut=True):
            assert not (await meant(tmp_path)).doubt, "it is driven here"
            await journal.close()
            watched = await meant(tmp_path)
            assert isinstance(watched, KeptRun)
            assert watched.doubt == "The shared record cannot be reached: the line was cut."
            with pytest.raises(StoreLost):
                await meant(tmp_path, "1999")

    async def test_an_address_that_is_not_set_keeps_nobody_from_watching_what_is_here(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("JOURNAL_URL", raising=False)
        with pytest.raises(SecretError, match="JOURNAL_URL is not set"):
            await meant(tmp_path)
        await (await kept(tmp_path, RUN)).close()
        assert (await meant(tmp_path)).doubt == "The environment variable JOURNAL_URL is not set."


class TestPlace:
    def test_the_plan_names_it_and_the_option_goes_before(self, tmp_path: Path) -> None:
        plan = tmp_path / "plan.toml"
        assert shared_place(plan, None, None) is None
        plan.write_text('[journal]\nurl_env = "CRM_JOURNAL"\ntls = "verify-ca"\n')
        assert shared_place(plan, None, None) == SharedPlace("env:CRM_JOURNAL", "verify-ca")
        above = tmp_path / "above" / "mine.toml"
        above.parent.mkdir()
        above.write_text('extends = "../plan.toml"\n[journal]\nurl_file = "journal-url"\n')
        assert shared_place(above, None, None) == SharedPlace(f"file:{above.parent / 'journal-url'}", "verify-ca")
        assert shared_place(above, "env:OTHER", None) == SharedPlace("env:OTHER", "verify-full")
        assert shared_place(plan, "env:OTHER", "require") == SharedPlace("env:OTHER", "require")

    def test_what_may_be_a_secret_is_not_repeated(self) -> None:
        with pytest.raises(ConfigError) as refused:
            shared_place(CONFIG, "postgresql://eve:a-secret@db/journal", None)
        assert "a-secret" not in f"{refused.value} {refused.value.remedy}"
        with pytest.raises(ConfigError, match="belongs to --journal"):
            shared_place(CONFIG, None, "require")


class TestRuns:
    async def listed(self, state: Path, capsys: pytest.CaptureFixture[str], *, as_json: bool) -> tuple[list[str], str]:
        code = await asyncio.to_thread(list_runs, CONFIG, state, json=as_json, journal="env:JOURNAL_URL")
        assert code is Exit.DONE
        said = capsys.readouterr()
        return said.out.splitlines(), said.err

    async def test_each_run_once_with_where_it_is(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        record = Record()
        drive = await driven(record, "a")
        await (await kept(tmp_path, RUN)).close()
        mine = await kept(tmp_path, NEWER)
        with record_at_hand(monkeypatch, record):
            rows = [json.loads(line) for line in (await self.listed(tmp_path, capsys, as_json=True))[0]]
            assert [(row["run"], row["where"], row["driver"], row["events"]) for row in rows] == [
                (NEWER, "here", "ops@laptop", 1),
                (RUN, "shared", "ops@laptop", 3),
            ]
            assert rows[1]["directory"] == str(tmp_path / "runs" / RUN)
            assert rows[1]["plan"] == PLAN.name
            drive.store.wire.cut()
            lines, said = await self.listed(tmp_path, capsys, as_json=False)
            assert lines[1].endswith(f"{PLAN.name}  ops@laptop is not at the shared record  (shared)")
            drive.store.wire.mend()
            await drive.finishes("rolled_back")
            await drive.leaves()
            lines, said = await self.listed(tmp_path, capsys, as_json=False)
            assert "rolled_back" in lines[1]
            assert lines[1].endswith(f"{PLAN.name}  (shared)")
            assert said == ""
        await mine.close()

    async def test_a_record_that_is_not_reached_is_a_remark(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        await (await kept(tmp_path, RUN)).close()
        with record_at_hand(monkeypatch, Record(), cut=True):
            lines, said = await self.listed(tmp_path, capsys, as_json=True)
        assert [json.loads(line)["run"] for line in lines] == [RUN]
        assert said.startswith("The runs of the shared record are not listed: The shared record cannot be reached")

    async def test_a_run_that_cannot_be_read_is_listed_as_that(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        record = Record()
        await driven(record)
        record.of(RUN).lines[-1] = b"no line"
        with record_at_hand(monkeypatch, record):
            lines, _ = await self.listed(tmp_path, capsys, as_json=False)
        assert "unreadable" in lines[0]


async def test_the_record_and_the_past_are_read_from_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record()
    drive = await driven(record)
    notes = await drive.notes("a", "b")
    with record_at_hand(monkeypatch, record):
        async with found("last", tmp_path, PLACE, lambda text: None) as watched:
            plan_json, events = await watched.record()
    assert plan_json == encode_plan(PLAN)
    assert [event.seq for event in events] == [1, 2, 3, 4]
    assert list(events[2:]) == notes


def test_a_browsers_viewer_is_told_where_the_run_is_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record()
    asyncio.run(_begun(record))
    with record_at_hand(monkeypatch, record):
        run, arguments = run_and_arguments("last", CONFIG, tmp_path, "env:JOURNAL_URL", "require")
    assert run == RUN
    assert arguments == (
        RUN,
        "--directory",
        str(tmp_path),
        "--journal",
        "env:JOURNAL_URL",
        "--journal-tls",
        "require",
    )


async def _begun(record: Record) -> None:
    await driven(record)


async def test_events_to_standard_output_and_what_becomes_of_driver_and_store_to_standard_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record, said = Record(), ""
    drive = await driven(record, "a")

    def says(words: str) -> bool:
        nonlocal said
        said += capsys.readouterr().err
        return words in said

    printed: list[str] = []
    monkeypatch.setattr("console.cli.watch.print", lambda text, flush: printed.extend(text.splitlines()), raising=False)
    with record_at_hand(monkeypatch, record) as made:
        watching = asyncio.create_task(_streamed(partial(found, "last", tmp_path, PLACE), as_json=True))
        await settled(lambda: len(printed) == 3)
        made[0].wire.cut()
        await drive.notes("b")
        await settled(lambda: says("The shared record cannot be reached: the line was cut."))
        await drive.finishes("rolled_back")
        await drive.leaves()
        made[0].wire.mend()
        assert await asyncio.wait_for(watching, 10) is Exit.ROLLED_BACK
    assert [json.loads(line)["seq"] for line in printed] == list(range(1, 7))
    says("")
    sentences = [line.partition(" since ")[0] for line in said.splitlines()]
    assert sentences[0] == "ops@laptop drives (process 4711 on laptop)"
    assert sentences[1] == "The shared record cannot be reached: the line was cut."
    assert set(sentences[2:]) == {
        "The shared record is reached again.",
        "The run is over: ops@laptop left at 2026-02-04 20:14:03 UTC.",
    }


async def test_the_screens_show_a_run_of_the_record_through_its_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = Record()
    drive = await driven(record, "a")
    apps: list[ConsoleApp] = []
    header = partial(_header, apps)
    with record_at_hand(monkeypatch, record) as made, no_terminal(monkeypatch, pilot=apps.append):
        watching = asyncio.create_task(shown(partial(found, "last", tmp_path, PLACE), "last"))
        await settled(lambda: "driven by ops@laptop" in header())
        made[0].wire.cut()
        await settled(lambda: "The shared record is not reached since" in header())
        await drive.does(Draft(Kind.INCIDENT_DECLARED, data={"reason": "dashboards are down"}))
        made[0].wire.mend()
        await settled(lambda: isinstance(apps[0].screen, IncidentScreen))
        await Pilot(apps[0]).pause()
        await settled(lambda: "is not reached" not in header())
        apps[0].exit()
        state = await asyncio.wait_for(watching, 10)
    assert state is not None
    assert state.seq == 4
    assert f"Run {RUN} is open. ops@laptop drives" in capsys.readouterr().err


def _header(apps: list[ConsoleApp]) -> str:
    """What the header says, whatever screen it is that of; nothing before there is one."""
    if not apps or not isinstance(apps[0].screen, ConsoleScreen) or not apps[0].screen.query(Header):
        return ""
    return "\n".join(line.plain for line in apps[0].screen.query_one(Header).lines)
