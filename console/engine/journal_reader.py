"""Reading a journal while somebody writes it: every line once, in order, each held against the one before.

Nothing is ever written. A line counts when its newline is there; until then it is being written, or was torn by a
death and will be cut off by the next driver. The one line that may be taken back is the last: a disk that refused
to sync it. Whatever else is no longer as it was read is an error.

A long history may be skimmed: taken in at once, so that it can be shown, and held together line by line behind that
(`check`).
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from console.domain.events import Event
from console.domain.lines import decode_events, follow_on
from console.domain.wire import GENESIS, line_digest
from console.engine.chain import link_lines, read_chain
from console.engine.history_check import HistoryCheck, changed, unreadable

BLOCK = 1024 * 1024
"""Bytes that are read at a time: some thousands of events, a few hundredths of a second to read and fold."""

SKIM = 128 * 1024
"""Bytes that are skimmed at a time: few enough that the events of a block are folded while the processor still has them
at hand, which makes a third of the time."""

LONG = 2 * BLOCK
"""Bytes of a journal that reading takes longer than drawing a frame."""


class LastLineGone(Exception):
    """The last line that was read does not stand where it stood."""


class NotSkimmed(Exception):
    """A journal holds a line that has to be looked at by itself."""


class JournalReader:
    """A place in a journal that is being written. `seq` is the number of the last event that was read."""

    def __init__(self, path: Path, *, block: int = BLOCK) -> None:
        self._path = path
        self._block = block
        self._seen: tuple[int, int, int] | None = None
        self._begin = 0
        self._last = b""
        self._before = self._tip = GENESIS
        self._skimmed = False
        self.seq = 0

    def read(self) -> Sequence[Event]:
        """The next events, about a block of them at most; none when nothing was written since the last time.

        Raises LastLineGone (then `step_back` is to be called), JournalBroken, JournalError. Lines before one that is
        broken are returned first.
        """
        try:
            found = os.stat(self._path)
            content, ended = self._next() if self._is_news(found) else (b"", True)
        except OSError as error:
            raise unreadable(self._path, error) from error
        self._seen = None
        content = content[: content.rfind(b"\n") + 1]
        lines = content.split(b"\n")[:-1]
        linked = link_lines(lines, self.seq + 1, self._tip, content)
        if linked.broken is not None and not linked.events:
            raise linked.broken
        taken = lines[: len(linked.events)]
        if taken:
            before = line_digest(taken[-2]) if len(taken) > 1 else self._tip
            self._stand(len(taken), taken[-1], sum(len(line) + 1 for line in taken[:-1]), before=before)
        if ended and linked.broken is None:
            self._seen = (found.st_ino, found.st_size, found.st_mtime_ns)
        return linked.events

    def skim(self) -> Iterator[list[Event]]:
        """Everything there is from the first line on, block by block, without holding the lines together: see `check`.

        Only before anything else was read. Raises NotSkimmed when lines have to be looked at; then none is read.
        """
        blocks, seq, end = (b"", b""), 0, 0
        for block in self._blocks():
            events = decode_events(block, seq + 1)
            if events is None or len(events) != block.count(b"\n"):
                raise NotSkimmed
            blocks, seq, end = (blocks[1], block), seq + len(events), end + len(block)
            yield events
        *_, before, last = [b"", *b"".join(blocks).split(b"\n")[:-1]]
        tip = line_digest(before) if seq > 1 else GENESIS
        if not seq or follow_on([last], tip) is None:
            raise NotSkimmed
        self._skimmed = True
        self._stand(seq, last, end - len(last) - 1, before=tip)

    def check(self) -> HistoryCheck | None:
        """What holds the lines together that were skimmed, to be carried out once; None when there are none."""
        skimmed, self._skimmed = self._skimmed, False
        return HistoryCheck(self._path, self._begin, self.seq - 1, self._before) if skimmed else None

    @property
    def long(self) -> bool:
        """Whether the journal is so long that to skim it is worth a check behind that. False where none can be read."""
        try:
            return self._path.stat().st_size > LONG
        except OSError:
            return False

    @property
    def behind(self) -> bool:
        """Whether more is there to be read at once."""
        return self._seen is None

    def step_back(self) -> Sequence[Event]:
        """Read everything anew and stand where the record still is what was read: here, or a line earlier.

        The events up to there. Raises JournalBroken when the lines do not hold together, JournalError when they do
        and are not those that were read.
        """
        try:
            content = self._path.read_bytes()
        except OSError as error:
            raise unreadable(self._path, error) from error
        chain = read_chain(content)
        lines = content[: chain.length].split(b"\n")[:-1]
        tips = {self.seq: self._tip, max(self.seq - 1, 0): self._before}
        kept = next((each for each, tip in tips.items() if each <= len(lines) and _tip(lines, each) == tip), None)
        if kept is None:
            raise changed(self._path, self.seq)
        self._skimmed = False
        self._seen = None
        self._begin = sum(len(each) + 1 for each in lines[: max(kept - 1, 0)])
        self._last = lines[kept - 1] + b"\n" if kept else b""
        self._before, self._tip = _tip(lines, max(kept - 1, 0)), _tip(lines, kept)
        self.seq = kept
        return chain.events[:kept]

    def _is_news(self, found: os.stat_result) -> bool:
        """Whether the file moved since it was read to its end. Raises LastLineGone when it is another file."""
        if self._seen is None:
            return True
        if found.st_ino != self._seen[0]:
            raise LastLineGone
        return (found.st_ino, found.st_size, found.st_mtime_ns) != self._seen

    def _next(self) -> tuple[bytes, bool]:
        """What stands behind the last line, at least one whole line where there is one; whether that is all."""
        size = self._block
        with self._path.open("rb") as file:
            file.seek(self._begin)
            if file.read(len(self._last)) != self._last:
                raise LastLineGone
            content = file.read(size)
            while b"\n" not in content and len(content) == size:
                size *= 2
                content += file.read(size - len(content))
        return content, len(content) < size

    def _blocks(self) -> Iterator[bytes]:
        """The file's whole lines, some at a time."""
        torn = b""
        try:
            with self._path.open("rb") as file:
                while content := file.read(SKIM):
                    end = content.rfind(b"\n") + 1
                    if end:
                        yield torn + content[:end]
                    torn = content[end:] if end else torn + content
        except OSError as error:
            raise unreadable(self._path, error) from error

    def _stand(self, count: int, last: bytes, between: int, *, before: str) -> None:
        """Stand at the last of `count` further lines: `between` bytes behind the last one until now."""
        self._begin += len(self._last) + between
        self._last = last + b"\n"
        self._before, self._tip = before, line_digest(last)
        self.seq += count


def _tip(lines: Sequence[bytes], count: int) -> str:
    """The digest of line `count`, counted from 1."""
    return line_digest(lines[count - 1]) if count else GENESIS
