"""Where log records go while a run is open: a file in the run's folder, never the terminal, which is the screens'.

What always holds: records carry no secrets, the file is the owner's alone and bounded in size, and a disk that
takes nothing more costs the records, not the run.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from console.redact import Redactor

LOG_FILE = "console.log"
_MAX_BYTES = 1024 * 1024


class LogFile(RotatingFileHandler):
    """The log of one run's consoles. `redact` is replaced once the plan's secrets are known."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / LOG_FILE, maxBytes=_MAX_BYTES, backupCount=1, encoding="utf-8", delay=True)
        self.setLevel(logging.WARNING)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self.redact: Callable[[str], str] = Redactor().text

    def format(self, record: logging.LogRecord) -> str:
        """The record with its traceback, without secrets."""
        return self.redact(super().format(record))

    def handleError(self, record: logging.LogRecord) -> None:
        """Leave the record out: the library would tell the terminal, where a picture stands."""

    def _open(self) -> TextIOWrapper:
        fd = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return os.fdopen(fd, "a", encoding=self.encoding)


@contextmanager
def logging_to(directory: Path) -> Iterator[LogFile]:
    """Send the records of every library to a run's folder meanwhile."""
    file = LogFile(directory)
    root = logging.getLogger()
    root.addHandler(file)
    try:
        yield file
    finally:
        root.removeHandler(file)
        file.close()
