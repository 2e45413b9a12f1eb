"""The tail is read while it is written: each line once, also when it is torn or shortened meanwhile."""

import asyncio
from pathlib import Path

import pytest

from console.domain.hosting import LogEntry
from console.engine.tail import MAX_BYTES, TAIL_FILE, TailWriter
from console.engine.tail_reader import TailReader
from console.ports import TailStatus
from tests.engine.following import AT, begun, watched


def entry(number: int, text: str = "") -> LogEntry:
    return LogEntry(
        id=f"log-{number}",
        at=AT,
        service="srv-1",
        text=text or f"line {number}",
        kind="request",
        level="info",
        instance="srv-1-abc",
        labels={"statusCode": "200"},
    )


async def write(tail: TailWriter, *entries: LogEntry) -> None:
    tail.add(entries)
    await tail.flush()


async def test_what_was_written_is_read_as_it_was_and_once(tmp_path: Path) -> None:
    tail, reader = TailWriter(tmp_path), TailReader(tmp_path / TAIL_FILE)
    assert reader.read() == (), "there is none yet"
    strange = entry(2, "\x1b[31mred\nä\udcff")
    await write(tail, entry(1), strange)
    assert reader.read() == (entry(1), strange)
    assert reader.read() == ()
    await write(tail, entry(3))
    assert reader.read() == (entry(3),)


async def test_a_line_waits_for_its_end(tmp_path: Path) -> None:
    tail, reader = TailWriter(tmp_path), TailReader(tmp_path / TAIL_FILE)
    await write(tail, entry(1), entry(2))
    whole = (tmp_path / TAIL_FILE).read_bytes()
    seen: list[LogEntry] = []
    (tmp_path / TAIL_FILE).write_bytes(b"")
    for at in range(0, len(whole), 7):
        with (tmp_path / TAIL_FILE).open("ab") as file:
            file.write(whole[at : at + 7])
        seen += reader.read()
    assert seen == [entry(1), entry(2)]


async def test_lines_that_are_none_are_counted_and_left_out(tmp_path: Path) -> None:
    tail, reader = TailWriter(tmp_path), TailReader(tmp_path / TAIL_FILE)
    (tmp_path / TAIL_FILE).write_bytes(b'{"id": "torn by a dea\n[]\n\xff\n{}\n')
    await write(tail, entry(1))
    assert reader.read() == (entry(1),)
    assert reader.unreadable == 4


@pytest.mark.parametrize("at_once", [1, 3, 20])
async def test_nothing_is_missed_or_doubled_when_it_is_shortened(tmp_path: Path, at_once: int) -> None:
    tail, reader = TailWriter(tmp_path, max_bytes=8_000), TailReader(tmp_path / TAIL_FILE)
    seen: list[LogEntry] = []
    files: set[int] = set()
    for number in range(0, 300, at_once):
        await write(tail, *(entry(each) for each in range(number, number + at_once)))
        files.add((tmp_path / TAIL_FILE).stat().st_ino)
        seen += reader.read()
    assert [each.id for each in seen] == [f"log-{n}" for n in range(len(seen))]
    assert len(seen) >= 300
    assert len(files) > 1, "it was shortened"


async def test_after_a_long_sleep_what_is_left_of_it_is_shown(tmp_path: Path) -> None:
    tail, reader = TailWriter(tmp_path, max_bytes=4_000), TailReader(tmp_path / TAIL_FILE)
    await write(tail, entry(0))
    reader.read()
    for number in range(1, 200):
        await write(tail, entry(number))
    last = [each.id for each in reader.read()]
    assert last[-1] == "log-199"
    assert len(last) == len(set(last)) < 199


async def test_of_a_long_tail_the_last_lines_are_taken(tmp_path: Path) -> None:
    tail = TailWriter(tmp_path)
    await write(tail, *(entry(number) for number in range(1000)))
    assert [each.id for each in TailReader(tmp_path / TAIL_FILE, keep=3).read()] == ["log-997", "log-998", "log-999"]


async def test_a_writer_at_work_and_a_reader_at_work(tmp_path: Path) -> None:
    tail, reader = TailWriter(tmp_path, max_bytes=MAX_BYTES), TailReader(tmp_path / TAIL_FILE)
    writing = asyncio.create_task(tail.run())
    seen: list[str] = []
    for begin in range(0, 5_000, 100):
        tail.add(tuple(entry(number) for number in range(begin, begin + 100)))
        await asyncio.sleep(0)
        seen += [each.id for each in reader.read()]
    writing.cancel()
    await asyncio.wait([writing])
    seen += [each.id for each in reader.read()]
    assert seen == [f"log-{number}" for number in range(5_000)]


async def test_the_feed_has_the_lines_and_says_whether_they_are_heard(tmp_path: Path) -> None:
    journal = await begun(tmp_path)
    follower, told = watched(journal.directory)
    follower.catch_up()
    statuses = [each for each in told.updates if isinstance(each, TailStatus)]
    assert statuses == [TailStatus(connected=False, reason="nothing was heard yet")]
    tail = TailWriter(journal.directory)
    await write(tail, entry(1), entry(2))
    follower.poll()
    assert told.lines == ["line 1", "line 2"]
    assert [each.id for each in follower.feed.tail] == ["log-1", "log-2"]
    follower._look_at = 0.0
    follower.poll()
    assert told.updates[-1] == TailStatus(connected=True)
    await journal.close()
    follower._look_at = 0.0
    follower.poll()
    last = told.updates[-1]
    assert isinstance(last, TailStatus)
    assert (last.connected, last.reason) == (False, follower.driver.text)


async def test_a_tail_that_may_not_be_read_is_said_so(tmp_path: Path) -> None:
    (tmp_path / TAIL_FILE).mkdir()
    reader = TailReader(tmp_path / TAIL_FILE)
    assert reader.read() == ()
    assert reader.trouble == "Is a directory"
