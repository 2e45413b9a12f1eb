"""The names of the panes that take turns on a small terminal; a click picks one."""

from dataclasses import dataclass

from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from screens.paint import ink

PANES = ("step", "timeline", "log")
_GAP = 3


class PaneTabs(Widget, can_focus=False):
    """One line of names, the one that is shown marked."""

    DEFAULT_CSS = """
    PaneTabs { height: 1; }
    """

    pane: reactive[str] = reactive(PANES[0])

    @dataclass
    class Picked(Message):
        """A name was clicked."""

        tabs: "PaneTabs"
        pane: str

        @property
        def control(self) -> "PaneTabs":
            """The names."""
            return self.tabs

    def render(self) -> Content:
        """`[step]   timeline   log`."""
        names = [
            ink.line((f"[{name}]", ink.STRONG)) if name == self.pane else ink.line((f" {name} ", ink.QUIET))
            for name in PANES
        ]
        return Content(" " * _GAP).join(names)

    def on_click(self, event: Click) -> None:
        """Find the name under the mouse."""
        x = 0
        for name in PANES:
            width = len(name) + 2
            if x <= event.x < x + width:
                self.post_message(self.Picked(self, name))
            x += width + _GAP
