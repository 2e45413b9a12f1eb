"""What the full log lets through: one service or all, everything or errors, a text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input

from screens.paint import ink
from screens.ring import LogLine, Mark

GRADES = (("everything", Mark.QUIET), ("errors", Mark.ERROR), ("schema errors", Mark.SCHEMA))


@dataclass(frozen=True, slots=True)
class Filter:
    """What is let through; the empty one lets everything through."""

    service: str = ""
    least: Mark = Mark.QUIET
    text: str = ""

    def test(self) -> Callable[[LogLine], bool] | None:
        """The test of a line; None when every line passes."""
        service, least, text = self.service, self.least, self.text.casefold()
        if not service and not text and least is Mark.QUIET:
            return None
        return lambda line: (
            (not service or line.service == service)
            and line.mark >= least
            and (not text or text in line.text.casefold())
        )


class Settings(Widget, can_focus=False):
    """Service and grade, with the keys that change them."""

    DEFAULT_CSS = """
    Settings { width: auto; height: 1; padding: 0 2 0 0; }
    """

    service: reactive[str] = reactive("", layout=True)
    grade: reactive[int] = reactive(0, layout=True)

    @dataclass
    class Clicked(Message):
        """A part was clicked: `service` or `grade`."""

        part: str

    def _parts(self) -> tuple[Content, Content]:
        service, grade = self.service or "all services", GRADES[self.grade][0]
        key = f"bold {ink.IDENT}"
        return (
            ink.line(("v ", key), (service, ink.NOW if self.service else ink.QUIET)),
            ink.line(("e ", key), (grade, ink.NOW if self.grade else ink.QUIET)),
        )

    def render(self) -> Content:
        """Keys and what they are set to."""
        return Content("   ").join(self._parts())

    def on_click(self, event: Click) -> None:
        """Either part."""
        first, _ = self._parts()
        self.post_message(self.Clicked("service" if event.x <= first.cell_length else "grade"))


class Filters(Horizontal):
    """The row of filters above the log."""

    @dataclass
    class Changed(Message):
        """Something else is let through."""

        filter: Filter

    @dataclass
    class Left(Message):
        """The text was entered: the keys belong to the log again."""

    def __init__(self, services: Callable[[], Sequence[str]]) -> None:
        super().__init__()
        self._services = services
        self._settings = Settings()
        self.field = Input(placeholder="/ only lines with this text", compact=True)
        """The line for the text."""

    def compose(self) -> ComposeResult:
        """Service, grade, text."""
        yield self._settings
        yield self.field

    @property
    def searching(self) -> bool:
        """Whether a text is being typed, or only lines with one are let through."""
        return self.field.has_focus or bool(self.field.value)

    def next_service(self) -> None:
        """All services, then each by itself."""
        settings = self._settings
        names = ["", *sorted(self._services())]
        place = names.index(settings.service) if settings.service in names else -1
        settings.service = names[(place + 1) % len(names)]
        self._tell()

    def next_grade(self) -> None:
        """Everything, errors, schema errors."""
        settings = self._settings
        settings.grade = (settings.grade + 1) % len(GRADES)
        self._tell()

    def on_settings_clicked(self, message: Settings.Clicked) -> None:
        """The same with the mouse."""
        message.stop()
        (self.next_service if message.part == "service" else self.next_grade)()

    @on(Input.Changed)
    def _text_changed(self) -> None:
        self._tell()

    @on(Input.Submitted)
    def _text_entered(self) -> None:
        self.post_message(self.Left())

    def _tell(self) -> None:
        settings = self._settings
        self.post_message(self.Changed(Filter(settings.service, GRADES[settings.grade][1], self.field.value)))
