"""The journal of a run as files in a folder of its own: `journal.jsonl`, `plan.json`, `artifacts/`.

What always holds: an event that `append` returned is on the disk (written, flushed, synced), and one that it
refused is not in the file. One process at a time writes. Everything is the owner's alone, unless a group may read
the record (`console.engine.sharing`).
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from console.domain.events import Draft, Event
from console.domain.wire import encode_event, line_digest
from console.engine.chain import Chain, link, read_chain
from console.engine.driver import Driver, DriverLock
from console.engine.sharing import make_run_folder, open_in
from console.errors import JournalError

JOURNAL_FILE = "journal.jsonl"
PLAN_FILE = "plan.json"
ARTIFACTS = "artifacts"

Write = Callable[[int, bytes], int]


@dataclass(frozen=True, slots=True)
class Record:
    """A journal as it was read: the run's id, its frozen plan as text, its events, torn bytes at its end."""

    run: str
    plan_json: str
    events: tuple[Event, ...]
    torn: int


class FileJournal:
    """The journal of one run, open for appending. Made by `create` or `open`."""

    def __init__(self, directory: Path, chain: Chain, lock: DriverLock, *, write: Write) -> None:
        self._directory = directory
        self._events = list(chain.events)
        self._tip = chain.tip
        self._length = chain.length
        self._last_line = b""
        self._torn = chain.torn
        self._lock = lock
        self._write = write
        self._fd = os.open(directory / JOURNAL_FILE, os.O_WRONLY | os.O_CLOEXEC)
        self._unusable = ""
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    def create(
        cls,
        directory: Path,
        run: str,
        plan_json: str,
        driver: Driver,
        *,
        group: bool = False,
        write: Write = os.write,
    ) -> Self:
        """Begin the journal of a new run in the folder `directory`, named like the run. Raises JournalError.

        The folder may be there already (a rehearsal keeps its world in it), but not with a journal in it. `group`: the
        group of the folder in which runs are kept may read the record.
        """
        if directory.name != run:
            raise JournalError(f"The folder of run {run} must bear its name, not {directory.name}.")
        try:
            make_run_folder(directory, group=group)
            (directory / ARTIFACTS).mkdir(mode=0o700, exist_ok=True)
            # A process that died in here left a plan without a journal: that run never began.
            if not (directory / JOURNAL_FILE).exists():
                (directory / PLAN_FILE).unlink(missing_ok=True)
            _write_new(directory, PLAN_FILE, plan_json.encode())
            _write_new(directory, JOURNAL_FILE, b"")
            _sync_folder(directory)
            _sync_folder(directory.parent)
        except OSError as error:
            raise _unwritable(directory, error) from error
        return cls.open(directory, driver, write=write)

    @classmethod
    def open(cls, directory: Path, driver: Driver, *, write: Write = os.write) -> Self:
        """Go on with a run. A torn last line is cut off and reported as `torn`.

        Raises JournalLocked when somebody drives it, JournalBroken when its lines do not hold together,
        JournalError when it cannot be read or written.
        """
        if not (directory / JOURNAL_FILE).is_file():
            raise JournalError(f"There is no run in {directory}.", remedy="`release-console runs` lists the runs.")
        lock = DriverLock(directory, driver)
        try:
            content = (directory / JOURNAL_FILE).read_bytes()
            chain = read_chain(content)
            if chain.torn:
                os.truncate(directory / JOURNAL_FILE, chain.length)
            return cls(directory, chain, lock, write=write)
        except OSError as error:
            lock.release()
            raise _unwritable(directory, error) from error
        except JournalError:
            lock.release()
            raise

    @property
    def run(self) -> str:
        """The run's id, which is the name of its folder."""
        return self._directory.name

    @property
    def directory(self) -> Path:
        """The run's folder."""
        return self._directory

    @property
    def torn(self) -> int:
        """How many bytes of a torn last line were cut off when the journal was opened."""
        return self._torn

    @property
    def plan_json(self) -> str:
        """The frozen plan. Raises JournalError when it is gone."""
        return read_plan(self._directory)

    async def append(self, draft: Draft, *, at: datetime, actor: str) -> Event:
        """Write one event, flushed and synced. Raises JournalError when the disk refuses; then nothing was written.

        The time is kept to the millisecond, as the line has it. A caller that is cancelled meanwhile leaves a
        whole line or none.
        """
        return await asyncio.shield(asyncio.ensure_future(self._append(draft, at, actor)))

    async def _append(self, draft: Draft, at: datetime, actor: str) -> Event:
        async with self._one_at_a_time:
            if self._unusable:
                raise JournalError(self._unusable, remedy="Start the console again; it goes on where the record ends.")
            event = Event(
                seq=len(self._events) + 1,
                at=at.replace(microsecond=at.microsecond // 1000 * 1000),
                run=self.run,
                actor=actor,
                kind=draft.kind,
                step=draft.step,
                data=draft.data,
            )
            line = encode_event(event, self._tip)
            await asyncio.to_thread(self._write_line, line + b"\n")
            self._wrote(line, event)
            return event

    async def take_in(self, lines: Sequence[bytes]) -> None:
        """Add lines that were written elsewhere. Raises JournalBroken with the one that does not follow."""
        async with self._one_at_a_time:
            for line in lines:
                event = link(line, len(self._events) + 1, self._tip)
                await asyncio.to_thread(self._write_line, line + b"\n")
                self._wrote(line, event)

    def _wrote(self, line: bytes, event: Event) -> None:
        self._length += len(line) + 1
        self._tip = line_digest(line)
        self._last_line = line
        self._events.append(event)

    def events(self) -> Sequence[Event]:
        """All events so far, oldest first."""
        return self._events

    @property
    def apart(self) -> str:
        """Empty: nothing is shared."""
        return ""

    async def confirmed(self) -> bool:
        """Always: nothing is shared."""
        return True

    @property
    def last_line(self) -> bytes:
        """The line that was written last, without its newline; empty before the first one since it was opened."""
        return self._last_line

    async def close(self) -> None:
        """Give up the lock; again is harmless."""
        async with self._one_at_a_time:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1
                self._unusable = "The journal is closed."
            self._lock.release()

    def _write_line(self, line: bytes) -> None:
        """Write at the end of what is whole, and sync; on failure leave the file as it was."""
        try:
            os.lseek(self._fd, self._length, os.SEEK_SET)
            rest = memoryview(line)
            while rest:
                rest = rest[self._write(self._fd, bytes(rest)) :]
            os.fsync(self._fd)
        except OSError as error:
            self._take_back(error)
            raise _unwritable(self._directory, error) from error

    def _take_back(self, cause: OSError) -> None:
        try:
            os.ftruncate(self._fd, self._length)
            os.fsync(self._fd)
        except OSError as error:
            self._unusable = (
                f"The journal could not be written ({cause.strerror}) nor set back ({error.strerror}); "
                "its last line may be torn."
            )


def read(directory: Path) -> Record:
    """Read a run without driving it. A line that is just being written is left out. Raises JournalError."""
    try:
        chain = read_chain((directory / JOURNAL_FILE).read_bytes())
    except OSError as error:
        raise JournalError(f"The journal of {directory.name} cannot be read: {error.strerror}.") from error
    return Record(directory.name, read_plan(directory), chain.events, chain.torn)


def read_plan(directory: Path) -> str:
    """The frozen plan of a run, as text. Raises JournalError."""
    try:
        return (directory / PLAN_FILE).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise JournalError(
            f"The frozen plan of {directory.name} cannot be read: {error}.",
            remedy="Without its plan a run cannot be gone on with; its journal can still be read.",
        ) from error


def _write_new(directory: Path, name: str, content: bytes) -> None:
    """Write a file of the record that must not exist, synced."""
    fd = open_in(directory, name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    with contextlib.closing(os.fdopen(fd, "wb")) as file:
        file.write(content)
        file.flush()
        os.fsync(fd)


def _sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _unwritable(directory: Path, error: OSError) -> JournalError:
    return JournalError(
        f"The journal in {directory} cannot be written: {error.strerror}.",
        production="Nothing is begun that could not be recorded first; what was running stops at its next safe point.",
        remedy="Make room or restore access, then start the console again: it goes on where the record ends.",
    )
