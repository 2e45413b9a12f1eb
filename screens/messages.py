"""Messages: the words to the stakeholders, what waits to be sent, what did not arrive. Nothing waits for them."""

from functools import partial
from typing import ClassVar

from textual.app import ComposeResult

from screens.base import ConsoleScreen
from screens.desk import Desk
from screens.moment import Moment
from screens.paint.messages import item_body, item_line
from screens.paint.warnings import heading_item
from screens.view import View
from screens.widgets.browser import Browser, Item
from screens.widgets.keybar import KeyBar
from screens.widgets.panes import Header


class MessagesScreen(ConsoleScreen):
    """A list of messages and the chosen one; the first that waits for somebody is chosen when it is opened."""

    CSS_PATH = "pages.tcss"
    SCREEN: ClassVar[str] = "messages"

    def __init__(self, desk: Desk, view: View) -> None:
        super().__init__(desk, view)
        self._filled = False

    def compose(self) -> ComposeResult:
        """Header, messages, the chosen message, keys."""
        yield Header().data_bind(MessagesScreen.view)
        yield Browser("No message has been drafted yet. The console drafts one at each turn of an incident.")
        yield KeyBar()

    def on_mount(self) -> None:
        """Fill the list."""
        self._fill()

    def watch_view(self, view: View) -> None:
        """A message was drafted, sent or dropped."""
        self._fill()
        super().watch_view(view)

    def moment(self) -> Moment:
        """With the chosen message."""
        chosen = self.query_one(Browser).chosen if self.is_mounted else ""
        return Moment(self.shown, self.SCREEN, message=self.shown.state.messages.get(chosen), doors=self.desk.doors)

    def on_browser_chosen(self) -> None:
        """Another message: other keys."""
        self.refresh_keys()

    def action_move(self, by: int) -> None:
        """The message above or below."""
        self.query_one(Browser).move(by)

    def action_copy(self) -> None:
        """The chosen message, for whatever takes what the terminal copies."""
        message = self.moment().message
        if message is not None:
            self.app.copy_to_clipboard(f"{message.subject}\n\n{message.text}")
            self.notify("Copied: subject and text.", timeout=3)

    def _fill(self) -> None:
        state = self.shown.state
        browser = self.query_one(Browser)
        messages = list(state.messages.values())
        if messages and not self._filled:
            self._filled = True
            pressing = (m.id for m in messages if m.waits or m.undelivered)
            browser.chosen = next(pressing, messages[-1].id)
        waiting = sum(1 for message in messages if message.waits)
        head = [heading_item("Messages", f"{waiting} to send")] if messages else []
        rows = [Item(m.id, partial(item_line, m), partial(item_body, state, m)) for m in messages]
        browser.show([*head, *rows])
