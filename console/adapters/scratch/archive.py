"""The backup's archive: unpacked safely, and what its table of contents says.

An archive is a `pg_dump` directory inside a compressed tar file. It comes from outside: no member may leave the
folder that it is unpacked into, be a link out of it or a device.
"""

import gzip
import re
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from console.errors import StepFailed

_CHUNK = 1024 * 1024
_AFTERWARDS = "Production is unchanged. This backup could not be used to restore it."
_CORRUPT = (
    EOFError,
    gzip.BadGzipFile,
    zlib.error,
    tarfile.ReadError,
    tarfile.FilterError,
    tarfile.HeaderError,
    UnicodeError,
)
_VERSIONS = re.compile(r"Dumped (?:from database|by pg_dump) version: (\d+)")
_ENTRY = re.compile(r"^\d+; \d+ \d+ (?P<kind>[A-Z][A-Z ]*[A-Z]) (?P<rest>.*)$")


@dataclass(frozen=True, slots=True)
class Contents:
    """What `pg_restore --list` says: the entries, and the major version that reading and holding them takes.

    0 where it does not say.
    """

    entries: tuple[str, ...]
    major: int

    @classmethod
    def of(cls, lines: tuple[str, ...]) -> "Contents":
        """Read the lines of a listing."""
        text = "\n".join(line for line in lines if line.startswith(";"))
        majors = [int(major) for major in _VERSIONS.findall(text)]
        entries = tuple(line for line in lines if line and not line.startswith(";"))
        return cls(entries, max(majors, default=0))

    def count(self, kind: str) -> int:
        """How many entries are of a kind (`ACL`, `TABLE DATA` …)."""
        return sum(1 for entry in self.entries if (match := _ENTRY.match(entry)) and match["kind"] == kind)


def unpack(archive: Path, folder: Path, on_bytes: Callable[[int], None]) -> Path:
    """Unpack the whole archive into `folder` and return the dump's own folder. Blocking.

    `on_bytes` hears how many bytes of members are done. Raises StepFailed for a damaged archive, or a full disk.
    """
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream) as tar:
            done = 0
            for member in tar:
                tar.extract(member, folder, filter="data")
                done += member.size
                on_bytes(done)
            # The checksum of the whole stands behind the end of the last member.
            while stream.read(_CHUNK):
                on_bytes(done)
    except _CORRUPT as error:
        raise damaged(archive, str(error) or type(error).__name__) from error
    except OSError as error:
        raise StepFailed(
            f"The backup cannot be unpacked: {error.strerror or error}.",
            production="Production is unchanged.",
            remedy="Make room for it (about ten times its size), or set TMPDIR to a larger disk; then retry.",
        ) from error
    found = sorted(folder.rglob("toc.dat"))
    if len(found) != 1:
        raise damaged(archive, "it holds no dump" if not found else "it holds more than one dump")
    return found[0].parent


def damaged(archive: Path, how: str, lines: tuple[str, ...] = ()) -> StepFailed:
    """The error for an archive that is truncated or corrupt."""
    return StepFailed(
        f"The backup {archive.name} is truncated or corrupt: {how}.",
        production=_AFTERWARDS,
        remedy="Download it again; if it is the same, reopen the backup and have the provider make another.",
        lines=lines,
    )
