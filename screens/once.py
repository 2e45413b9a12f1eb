"""Screens are left once: a key or a click that comes late never takes down the screen below."""

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import Screen

Result = TypeVar("Result")


class LeftOnce(Screen[Result]):
    """A screen that can be left only while it is on top.

    Textual takes down whatever is on top: two keys in one breath would leave two screens, and answer twice. Stands
    behind the base that brings the styles: Textual inherits those from the first one alone.
    """

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Leave, with a result, unless the screen was left already or another one lies over it."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
