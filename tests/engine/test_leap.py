"""A long run is shown at once and held together behind that: the same state, and nothing that is broken goes unsaid."""

from collections.abc import Callable
from pathlib import Path

import pytest

from console.domain.events import Event, Kind
from console.domain.fold import fold
from console.domain.lines import decode_events
from console.domain.wire import GENESIS, encode_event, line_digest
from console.engine import journal_reader
from console.engine.history_check import HistoryCheck
from console.engine.journal import JOURNAL_FILE
from console.errors import JournalBroken, JournalError
from console.ports import Driving, JournalFailed, StateChanged, TailStatus
from tests.engine.following import AT, CREATED, PLAN, RUN, begun, chained, note, watched


@pytest.fixture(autouse=True)
def _anything_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Histories of some hundred lines, skimmed in blocks of a few."""
    monkeypatch.setattr(journal_reader, "LONG", 0)
    monkeypatch.setattr(journal_reader, "SKIM", 1000)


def mixed(count: int) -> list[Event]:
    """A history of everything that comes often, the same things again and again."""
    kinds = (
        (Kind.STEP_PROGRESSED, "migrate", {"text": "row", "share": 0.5, "data": {"row": 1, "deep": [{"a": None}]}}),
        (Kind.NOTE_ADDED, None, {"text": 'ünd\n\u2028 "quoted" ,"v":1,"prev":"'}),
        (Kind.DEPLOY_OBSERVED, None, {"service": "backend", "deploy": "dep", "status": "live", "commit": "c"}),
        (Kind.ALERT_RAISED, None, {"alert": "rate", "message": "too high", "offer": "incident"}),
        (Kind.STEP_PREVIEWED, "push", {"digest": "d", "preview": {"summary": "It pushes."}}),
        (Kind.ALERT_CLEARED, None, {"alert": "rate", "reason": ""}),
        (Kind.DRIVER_JOINED, None, {"actor": "ops@laptop", "host": "laptop", "pid": 7}),
    )
    events = [Event(1, AT, RUN, "ops@laptop", CREATED.kind, data=CREATED.data)]
    for number in range(2, count + 1):
        kind, step, data = kinds[number % len(kinds)]
        events.append(Event(number, AT, RUN, "console", kind, step, {**data, "n": number}))
    return events


async def kept(root: Path, events: list[Event], edit: Callable[[list[bytes]], None] | None = None) -> Path:
    """A run with these events, which nobody drives; `edit` its lines."""
    journal = await begun(root)
    await journal.close()
    lines = chained(events)
    if edit is not None:
        edit(lines)
    (journal.directory / JOURNAL_FILE).write_bytes(b"".join(lines))
    return journal.directory


class TestSkimmed:
    @pytest.mark.parametrize("count", [1, 2, 3, 8, 300])
    async def test_it_is_the_state_that_reading_line_by_line_gives(self, tmp_path: Path, count: int) -> None:
        events = mixed(count)
        directory = await kept(tmp_path, events)
        leaping, _ = watched(directory)
        leaping.leap()
        reading, _ = watched(directory)
        reading.catch_up()
        assert leaping.state == reading.state == fold(PLAN, events)
        assert leaping.driver == reading.driver
        assert leaping.driver.driving is (Driving.DIED if count > 7 else Driving.NOBODY)

    async def test_what_is_written_behind_it_is_told_event_by_event(self, tmp_path: Path) -> None:
        journal = await begun(tmp_path, *(str(n) for n in range(50)))
        follower, told = watched(journal.directory)
        follower.leap()
        assert told.events == [], "the history is told by its state"
        await note(journal, "new", "newer")
        follower.poll()
        assert [each.seq for each in told.events] == [52, 53]
        assert follower.state == fold(PLAN, journal.events())
        await journal.close()

    async def test_a_torn_last_line_is_left_until_it_is_whole(self, tmp_path: Path) -> None:
        events = mixed(40)
        directory = await kept(tmp_path, events[:-1])
        last = chained(events)[-1]
        with (directory / JOURNAL_FILE).open("ab") as file:
            file.write(last[:50])
        follower, _ = watched(directory)
        follower.leap()
        assert follower.state.seq == 39
        with (directory / JOURNAL_FILE).open("ab") as file:
            file.write(last[50:])
        follower.poll()
        assert follower.state == fold(PLAN, events)

    @pytest.mark.parametrize(
        ("line", "old", "new", "skimmed"),
        [(8, b'"v":1,', b'"v": 1, "more": [], ', True), (7, b'"row"', b'"\\udc80"', False)],
        ids=["spaces", "a lone surrogate"],
    )
    async def test_whatever_json_allows_counts(
        self, tmp_path: Path, line: int, old: bytes, new: bytes, skimmed: bool
    ) -> None:
        """Lines that are not written as this console writes them are looked at one by one."""
        end = [Event(31, AT, RUN, "console", Kind.RUN_FINISHED), Event(32, AT, RUN, "console", Kind.DRIVER_LEFT)]

        def rewrite(lines: list[bytes]) -> None:
            tip = GENESIS
            for number, event in enumerate([*mixed(30), *end], start=1):
                text = encode_event(event, tip)
                text = text.replace(old, new) if number == line else text
                lines[number - 1], tip = text + b"\n", line_digest(text)

        directory = await kept(tmp_path, [*mixed(30), *end], rewrite)
        follower, told = watched(directory)
        follower.leap()
        assert follower.state.seq == 32
        assert [each.seq for each in told.events] == ([] if skimmed else list(range(1, 33)))
        await follower.follow()
        assert not [each for each in told.updates if isinstance(each, JournalFailed)]

    async def test_a_record_of_a_newer_console_is_refused(self, tmp_path: Path) -> None:
        directory = await kept(
            tmp_path, mixed(30), lambda lines: lines.__setitem__(-1, lines[-1].replace(b'"v":1,', b'"v":2,'))
        )
        follower, _ = watched(directory)
        with pytest.raises(JournalBroken, match=r"Line 30 .* newer console"):
            follower.leap()

    async def test_the_plan_must_be_the_runs(self, tmp_path: Path) -> None:
        directory = await kept(tmp_path, mixed(30))
        frozen = directory / "plan.json"
        frozen.write_text(frozen.read_text().replace(PLAN.title, "Another"))
        follower, told = watched(directory)
        with pytest.raises(JournalError, match="not the one that the run began with"):
            follower.leap()
        assert not [each for each in told.updates if isinstance(each, StateChanged)]


class TestChecked:
    @pytest.mark.parametrize("line", [1, 2, 20, 38])
    async def test_a_line_that_was_edited_is_told_and_what_lies_behind_is_taken_back(
        self, tmp_path: Path, line: int
    ) -> None:
        def edit(lines: list[bytes]) -> None:
            lines[line - 1] = lines[line - 1].replace(b'"console"', b'"consule"').replace(b"laptop", b"lapdog")

        events = mixed(40)
        directory = await kept(tmp_path, events, edit)
        follower, told = watched(directory)
        follower.leap()
        assert follower.state.seq == 40, "it is shown"
        with pytest.raises(JournalBroken, match=f"Line {line + 1} ") as broken:
            await follower.follow()
        assert broken.value.line == line + 1
        assert follower.state.seq == line, "what does not hold is shown no longer"
        assert isinstance(told.updates[-1], JournalFailed)
        saying = [each.reason for each in told.updates if isinstance(each, TailStatus)]
        assert "the record's 39 lines are being checked" in saying

    async def test_the_last_line_is_held_against_the_one_before_at_once(self, tmp_path: Path) -> None:
        directory = await kept(
            tmp_path, mixed(40), lambda lines: lines.__setitem__(38, lines[38].replace(b'"console"', b'"consule"'))
        )
        follower, _ = watched(directory)
        with pytest.raises(JournalBroken, match="Line 40 "):
            follower.leap()

    @pytest.mark.parametrize(
        "edit",
        [
            lambda lines: lines.__setitem__(9, lines[9].replace(b'"seq":10,', b'"seq":11,')),
            lambda lines: lines.pop(9),
            lambda lines: lines.__setitem__(9, b"\n" + lines[9]),
            lambda lines: lines.__setitem__(9, lines[9].replace(b"\n", b" ")),
            lambda lines: lines.__setitem__(9, b"no line\n"),
        ],
        ids=["renumbered", "removed", "an empty line", "two on a line", "garbled"],
    )
    async def test_what_skimming_sees_is_told_as_reading_tells_it(
        self, tmp_path: Path, edit: Callable[[list[bytes]], None]
    ) -> None:
        directory = await kept(tmp_path, mixed(40), edit)
        follower, _ = watched(directory)
        with pytest.raises(JournalBroken, match="Line 10 "):
            follower.leap()
        assert follower.state.seq == 9

    @pytest.mark.parametrize("block", [1, 700, 100_000])
    async def test_it_is_checked_in_blocks_of_any_size(self, tmp_path: Path, block: int) -> None:
        lines = chained(mixed(40))
        path = (await kept(tmp_path, mixed(40))) / JOURNAL_FILE
        check = HistoryCheck(path, sum(map(len, lines)), 40, line_digest(lines[-1][:-1]), block=block)
        rounds = 1
        while check.go_on():
            rounds += 1
        assert rounds == {1: 40, 100_000: 1}.get(block, rounds)
        assert 1 <= rounds <= 40

    async def test_another_history_in_its_place_is_not_taken_for_it(self, tmp_path: Path) -> None:
        directory = await kept(tmp_path, mixed(40))
        follower, told = watched(directory)
        follower.leap()
        other = [Event(1, AT, RUN, "eve@desk", CREATED.kind, data=CREATED.data), *mixed(40)[1:]]
        (directory / JOURNAL_FILE).write_bytes(b"".join(chained(other)))
        with pytest.raises(JournalError, match=r"no longer the one that was read: its first 39 lines"):
            await follower.follow()
        assert isinstance(told.updates[-1], JournalFailed)


def test_a_time_without_a_zone_and_a_number_out_of_turn_are_left_to_who_looks_closer() -> None:
    (line,) = chained(mixed(1))
    assert decode_events(line, 1) == mixed(1)
    assert decode_events(line, 2) is None
    assert decode_events(line.replace(b"118Z", b"118"), 1) is None
    assert decode_events(b'{"seq":1}\n', 1) is None
