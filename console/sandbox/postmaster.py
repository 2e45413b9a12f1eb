"""What a PostgreSQL server's data directory tells of the process that works in it."""

import os
from pathlib import Path

# postmaster.pid tells the server's status in its last line.
_STATUS_LINE = 8


class Postmaster:
    """The server process of the data directory `data`, whoever started it."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._file = data / "postmaster.pid"

    def pid(self) -> int | None:
        """The process id of the running server, or None."""
        lines = self._lines()
        if not lines:
            return None
        pid = int(lines[0])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        return pid if self._works_here(pid) else None

    def is_gone(self) -> bool:
        """Whether no server runs."""
        return self.pid() is None

    def says_ready(self) -> bool:
        """Whether the server takes connections, as far as its file tells."""
        lines = self._lines()
        return len(lines) >= _STATUS_LINE and lines[_STATUS_LINE - 1].strip() == "ready"

    def forget(self) -> None:
        """Remove what a dead server left; a new one would refuse to start where the number is another process's."""
        self._file.unlink(missing_ok=True)

    def _lines(self) -> list[str]:
        try:
            return self._file.read_text().splitlines()
        except FileNotFoundError:
            return []

    def _works_here(self, pid: int) -> bool:
        # The number in a stale file may by now be another process's.
        try:
            return Path(f"/proc/{pid}/cwd").resolve(strict=True) == self._data.resolve()
        except FileNotFoundError:
            return not Path("/proc/self").exists()
