"""Messages: the words to the stakeholders, what waits to be sent, what did not arrive. Nothing waits for them."""

from functools import partial
from typing import ClassVar

from screens.browsing import BrowsingScreen
from screens.desk import Desk
from screens.moment import Moment
from screens.paint.messages import item_body, item_line
from screens.paint.warnings import heading_item
from screens.view import View
from screens.widgets.browser import Item


class MessagesScreen(BrowsingScreen):
    """A list of messages and the chosen one; the first that waits for somebody is chosen when it is opened."""

    SCREEN: ClassVar[str] = "messages"
    EMPTY = "No message has been drafted yet. The console drafts one at each turn of an incident."

    def __init__(self, desk: Desk, view: View) -> None:
        super().__init__(desk, view)
        self._filled = False

    def moment(self) -> Moment:
        """With the chosen message."""
        message = self.shown.state.messages.get(self.chosen)
        return Moment(self.shown, self.SCREEN, message=message, doors=self.desk.doors)

    def action_copy(self) -> None:
        """The chosen message, for whatever takes what the terminal copies."""
        message = self.moment().message
        if message is not None:
            self.app.copy_to_clipboard(f"{message.subject}\n\n{message.text}")
            self.notify("Copied: subject and text.", timeout=3)

    def fill(self) -> None:
        """Every message; the first that waits for somebody is chosen when the screen is opened."""
        state, browser = self.shown.state, self.browser
        messages = list(state.messages.values())
        if messages and not self._filled:
            self._filled = True
            pressing = (m.id for m in messages if m.waits or m.undelivered)
            browser.chosen = next(pressing, messages[-1].id)
        waiting = sum(1 for message in messages if message.waits)
        head = [heading_item("Messages", f"{waiting} to send")] if messages else []
        rows = [Item(m.id, partial(item_line, m), partial(item_body, state, m)) for m in messages]
        browser.show([*head, *rows])
