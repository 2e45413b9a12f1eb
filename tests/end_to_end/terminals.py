"""A console in a real terminal: a pseudo-terminal whose screen is read as a person reads it, and keys.

Nothing here sleeps: what is waited for is that the screen shows something.
"""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyte

from tests.end_to_end.rehearsals import ROOT, Place

KEYS = {
    "enter": "\r",
    "tab": "\t",
    "escape": "\x1b",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "ctrl+c": "\x03",
    "ctrl+q": "\x11",
    "ctrl+u": "\x15",
}
_PATIENCE_S = 90.0
_LOOK_S = 0.5
_SWALLOWED_S = 2.0


class Terminal:
    """A console that was started in a terminal of `columns` by `rows`."""

    def __init__(self, place: Place, *arguments: str, columns: int = 120, rows: int = 36, cwd: Path = ROOT) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._changed = threading.Condition()
        self._ended = False
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "console", *arguments],
            cwd=cwd,
            env={**place.environment, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while self.process.poll() is None or select.select([self._master], [], [], 0)[0]:
            if not select.select([self._master], [], [], _LOOK_S)[0]:
                continue
            try:
                said = os.read(self._master, 65_536)
            except OSError:
                break
            with self._changed:
                self._stream.feed(said)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def see(self, *texts: str, within: float = _PATIENCE_S) -> str:
        """Wait until all the texts stand on the screen; the whole screen then."""
        return self.wait(lambda screen: all(text in screen for text in texts), f"{texts}", within)

    def gone(self, text: str, within: float = _PATIENCE_S) -> str:
        """Wait until a text no longer stands on the screen."""
        return self.wait(lambda screen: text not in screen, f"{text!r} gone", within)

    def wait(self, fits: Callable[[str], bool], what: str, within: float = _PATIENCE_S) -> str:
        """Wait until the screen fits."""
        deadline = time.monotonic() + within
        with self._changed:
            while not fits(self.text):
                left = deadline - time.monotonic()
                if left <= 0 or self._ended:
                    why = "the console ended" if self._ended else f"not seen within {within:.0f} s"
                    raise AssertionError(f"{what}: {why}; the screen:\n{self.text}")
                self._changed.wait(left)
            return self.text

    def press_until(self, key: str, fits: Callable[[str], bool], what: str) -> None:
        """Press a key, and again if nothing came of it: a dialog takes none before it has settled."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            self.press(key)
            try:
                self.wait(fits, what, _SWALLOWED_S)
            except AssertionError:
                if time.monotonic() > deadline or self._ended:
                    raise
            else:
                return

    def focus_on(self, button: str, *, by: str) -> None:
        """Move the focus to a button, which then stands out in bold."""
        self.press_until(by, lambda _: self._cell(button).bold, f"the focus on {button!r}")

    def has_focus(self, button: str) -> None:
        """Wait until a button has the focus."""
        self.wait(lambda _: self._cell(button).bold, f"the focus on {button!r}")

    def highlighted(self, line: str, *, unlike: str) -> None:
        """Wait until the cursor of a list stands on a line: it then has another ground than the others."""
        self.wait(lambda _: self._cell(line).bg != self._cell(unlike).bg, f"the cursor on {line!r}")

    def field_below(self, label: str) -> None:
        """Wait until the line for typing below a label has the focus: it then differs from a button without."""
        self.wait(lambda _: self._cell(label, below=1).bg != self._cell("Not now").bg, f"the field of {label!r}")

    def press(self, *keys: str) -> None:
        """Press keys, by name or as they are."""
        for key in keys:
            os.write(self._master, KEYS.get(key, key).encode())

    def fill(self, label: str, text: str) -> None:
        """Type a text into the field below a label, whatever stood there before."""
        self.field_below(label)
        if self._field(label):
            # In a burst of keys characters overtake commands, so that this one has to be seen to have worked.
            self.press_until("ctrl+u", lambda _: not self._field(label), f"nothing below {label!r}")
        self.press_until(text, lambda _: self._field(label) == text, f"{text!r} below {label!r}")

    def _field(self, label: str) -> str:
        """What stands below a label, the frame of the dialog left out."""
        for row, line in enumerate(self._screen.display):
            if (column := line.find(label)) >= 0:
                return self._screen.display[row + 1][column:].partition("│")[0].strip()
        return ""

    def _cell(self, text: str, *, below: int = 0) -> pyte.screens.Char:
        """The cell at which a text begins, or one some rows below it."""
        for row, line in enumerate(self._screen.display):
            if (column := line.find(text)) >= 0:
                return self._screen.buffer[row + below][column]
        return self._screen.default_char

    def end(self, within: float = _PATIENCE_S) -> int:
        """Wait for the console's end; its exit code."""
        try:
            code = self.process.wait(within)
        finally:
            self.close()
        return code

    def close(self) -> None:
        """Hang up, as closing the window does."""
        if self._master < 0:
            return
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self._reader.join(10)
        os.close(self._master)
        self._master = -1


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
