"""The driver behind a browser: it draws the screens into a page and hears the page's keys, and can do nothing else.

What always holds: nothing is opened, delivered or saved on anybody's behalf, and it ends with whoever serves it.
"""

from pathlib import Path
from typing import BinaryIO, Literal, TextIO

from textual.drivers.web_driver import WebDriver
from textual.messages import ExitApp


class ServedDriver(WebDriver):
    """Textual's driver for a browser, without what reaches beyond the screens."""

    def run_input_thread(self) -> None:
        """Hear the page until there is nothing more to be heard: whoever served it has gone, and so does this."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            self.send_message(ExitApp())

    def open_url(self, url: str, new_tab: bool = True) -> None:
        """Open nothing: whoever watches goes nowhere from here."""

    def deliver_binary(
        self,
        binary: BinaryIO | TextIO,
        *,
        delivery_key: str,
        save_path: Path,
        open_method: Literal["browser", "download"] = "download",
        encoding: str | None = None,
        mime_type: str | None = None,
        name: str | None = None,
    ) -> None:
        """Deliver nothing: what is shown stays on the screens."""
        binary.close()
