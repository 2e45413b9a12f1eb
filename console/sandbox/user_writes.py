"""The sandbox's own record of what users wrote: one line for each write that they tried, with what came of it.

What always holds: a write that the CRM confirmed to a user is in the record before that user does anything else, and
the record outlives the process. The console neither writes nor reads it.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path


class Answer(StrEnum):
    """What a user was told of a write: done; not done; or nothing that says which."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class UserWrite:
    """One write: `at` is when the answer came (UTC), `kind` insert, update or delete, `name` the name that was written.

    `key` is the row's primary key, None where no answer told it; `version` the row's `updated_at` as the CRM
    answered it (ISO 8601), empty where it does not.
    """

    at: datetime
    table: str
    kind: str
    answer: Answer
    name: str
    key: int | None = None
    version: str = ""


class UserWrites:
    """The record in `file`; one writer, any number of readers."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._handle: int | None = None

    def add(
        self, table: str, kind: str, answer: Answer, *, name: str, key: int | None = None, version: str = ""
    ) -> None:
        """Record a write that was answered now."""
        if self._handle is None:
            self._handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        write = UserWrite(datetime.now(UTC), table, kind, answer, name, key, version)
        line = {**asdict(write), "at": write.at.isoformat()}
        os.write(self._handle, json.dumps(line).encode() + b"\n")

    def close(self) -> None:
        """Stop writing."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def since(self, moment: datetime | None = None) -> Iterator[UserWrite]:
        """The writes that were answered after `moment`, or all, oldest first; a half-written line is left out."""
        if not self._file.exists():
            return
        whole = self._file.read_bytes().rpartition(b"\n")[0]
        for line in whole.splitlines():
            fields = json.loads(line)
            at = datetime.fromisoformat(fields.pop("at"))
            if moment is None or at > moment:
                yield UserWrite(at, answer=Answer(fields.pop("answer")), **fields)
