"""What a driver recorded apart from the shared record, on disk: found, kept as a branch, and the journal set right.

What always holds: a line leaves the journal only after it stands, synced, in a branch file beside it.
"""

import os
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from console.domain.shared import Branch
from console.engine.chain import read_chain
from console.engine.journal import JOURNAL_FILE
from console.engine.sharing import open_in
from console.errors import JournalError


def lines_of(folder: Path, after: int = 0) -> list[bytes]:
    """The whole lines of a run's journal behind number `after`, without their newlines. Raises JournalError."""
    try:
        content = (folder / JOURNAL_FILE).read_bytes()
    except OSError as error:
        raise JournalError(f"The journal of {folder.name} cannot be read: {error.strerror}.") from error
    return content.split(b"\n")[:-1][after:]


def common(ours: Sequence[bytes], theirs: Sequence[bytes]) -> int:
    """How many lines two journals begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(ours, theirs, strict=False)))


def branch_of(folder: Path, theirs: Sequence[bytes], epoch: int, actor: str) -> Branch | None:
    """What was recorded here and is not in the shared record's lines; None when everything is."""
    ours = lines_of(folder)
    first = common(ours, theirs)
    return Branch(epoch, actor, first + 1, tuple(ours[first:])) if first < len(ours) else None


def set_right(folder: Path, theirs: Sequence[bytes], branch: Branch | None) -> None:
    """Let the journal be the shared record's lines, and keep what is only ours in a file beside it.

    For whoever holds the lock of the run since the branch was looked for. Raises JournalBroken when the shared record's
    lines do not follow from each other, JournalError when the folder cannot be written.
    """
    content = b"".join(line + b"\n" for line in theirs)
    read_chain(content)
    try:
        if branch is not None:
            _put(folder, f"branch-{branch.epoch}-{branch.first}.jsonl", b"".join(line + b"\n" for line in branch.lines))
        _put(folder, JOURNAL_FILE, content)
    except OSError as error:
        raise JournalError(
            f"The journal in {folder} cannot be brought in line with the shared record: {error.strerror}.",
            production="Nothing was started; the journal here is as it was.",
            remedy="Make room or restore access, then start the console again.",
        ) from error


def _put(folder: Path, name: str, content: bytes) -> None:
    """Put a file in place of the one that is there, whole and synced."""
    new = name + ".new"
    with os.fdopen(open_in(folder, new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(folder / new, folder / name)
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
