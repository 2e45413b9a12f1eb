"""Everything that somebody at a console could try: each key, command, action and message of the screens, as attempts.

Nothing is listed by hand that the screens can be asked for: a screen, an action or a message that is added later is
tried as well, and one whose arguments cannot be made up here fails the collection of the tests that use it.
"""

import importlib
import inspect
import itertools
import pkgutil
import string
from collections.abc import Awaitable, Callable, Container, Iterator
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from textual.app import App
from textual.dom import DOMNode
from textual.events import Key, Paste
from textual.message import Message
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Button, Input

import screens
from screens.base import ConsoleScreen
from screens.commands import READING, STEERING
from screens.palette import TablePalette
from screens.ring import Mark
from screens.widgets.filters import Filter
from screens.widgets.tabs import PANES

COMMANDS = (*STEERING, *READING)
LEAVING = frozenset({"q", "ctrl+q", "ctrl+c"})
WORDS = ("", "code.push", "back.fence", "qa", "schema", "timeline", "declared:1", "nothing of this name")
"""What messages and actions may speak of: a step, a role, a way back, a pane, a message, nothing that there is."""
NUMBERS = (-1, 0, 1, 10_000)
SIZES = ((120, 36), (80, 24), (200, 60), (40, 10))


@dataclass(frozen=True)
class Attempt:
    """One thing that is tried; `what` tells it in the report of a failure. `leaves`: it may end the application."""

    what: str
    make: Callable[[Pilot[Any]], Awaitable[None]] = field(repr=False, compare=False)
    leaves: bool = False


def everything() -> tuple[Attempt, ...]:
    """Every attempt there is, in the same order whenever it is asked."""
    for module in pkgutil.walk_packages(screens.__path__, f"{screens.__name__}."):
        importlib.import_module(module.name)
    return (*keys(), *commands(), *actions(), *messages(), *by_hand())


def keys() -> Iterator[Attempt]:
    """Every key that is bound to a command, and every one that types or moves."""
    named = {key for command in COMMANDS for key in command.keys}
    moving = ("tab", "shift+tab", "home", "end", "left", "right", "backspace", "delete", "insert")
    held = [f"ctrl+{letter}" for letter in string.ascii_lowercase] + [f"f{number}" for number in range(1, 13)]
    for key in sorted({*named, *string.ascii_letters, *string.digits, *moving, *held}):
        yield Attempt(f"key {key}", _pressing(key, None), leaves=key in LEAVING)
    for character in string.punctuation:
        yield Attempt(f"key {character}", _pressing(character, character))


def _pressing(key: str, character: str | None) -> Callable[[Pilot[Any]], Awaitable[None]]:
    typed = character or (key if len(key) == 1 else None)

    async def make(pilot: Pilot[Any]) -> None:
        pilot.app.post_message(Key(key, typed))

    return make


def commands() -> Iterator[Attempt]:
    """Every command of both halves of the table: by its action, past its key's check, and as the palette runs it."""
    for command in COMMANDS:

        def named(pilot: Pilot[Any], id_: str = command.id) -> Awaitable[Any]:
            return pilot.app.run_action(f"screen.command({id_!r})")

        async def unchecked(pilot: Pilot[Any], id_: str = command.id) -> None:
            for screen in _nodes(pilot.app, ConsoleScreen):
                await screen.action_command(id_)

        async def picked(pilot: Pilot[Any], command: Any = command) -> None:
            await TablePalette(pilot.app.screen)._run(command)

        for how, make in (("by name", named), ("unchecked", unchecked), ("from the palette", picked)):
            yield Attempt(f"command {command.id} {how}", make, leaves=command.id == "quit")


def actions() -> Iterator[Attempt]:
    """Every action that a screen, a dialog or a widget of the console has, on whatever has it, and by its name."""
    for owner in _of_the_screens(MessagePump):
        for name, function in vars(owner).items():
            if not name.startswith("action_") or name == "action_command":
                continue
            for arguments in _made_up(function, {}):
                values = ", ".join(repr(value) for value in arguments.values())
                said = f"{name.removeprefix('action_')}({values})"

                async def run(pilot: Pilot[Any], owner: type[Any] = owner, said: str = said) -> None:
                    for node in _nodes(pilot.app, owner):
                        await node.run_action(said)
                    await pilot.app.run_action(f"screen.{said}")

                yield Attempt(f"action {owner.__qualname__}.{said}", run, leaves=name.startswith("action_leave"))


def messages() -> Iterator[Attempt]:
    """Every message that the screens' widgets send, to everything that there is."""
    for kind in _of_the_screens(Message):
        for arguments in _made_up(kind.__init__, {"command"}):

            async def post(pilot: Pilot[Any], kind: type[Message] = kind, arguments: Any = arguments) -> None:
                there = {name: _there(pilot.app, value) for name, value in arguments.items()}
                if None not in there.values():
                    await _to_everything(pilot.app, lambda: kind(**there))

            said = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
            leaves = kind.__qualname__ == "KeyBar.Pressed" and "quit" in arguments.values()
            yield Attempt(f"message {kind.__qualname__}({said})", post, leaves=leaves)


def by_hand() -> Iterator[Attempt]:
    """What dialogs wait for, and what needs no key: answers, a paste, clicks, another size of the terminal."""
    for name in ("yes", "safe", "option-0"):

        async def answer(pilot: Pilot[Any], name: str = name) -> None:
            await _to_everything(pilot.app, lambda: Button.Pressed(Button("Yes", id=name)))

        yield Attempt(f"the answer {name}", answer)
    for name in ("words", "phrase"):

        async def typed(pilot: Pilot[Any], name: str = name) -> None:
            await _to_everything(pilot.app, lambda: Input.Submitted(Input("crm", id=name), "crm"))

        yield Attempt(f"the field {name}", typed)

    async def paste(pilot: Pilot[Any]) -> None:
        pilot.app.post_message(Paste("crm\n"))

    yield Attempt("a paste", paste)
    for right, down in itertools.product((0.05, 0.3, 0.6, 0.95), (0.0, 0.1, 0.4, 0.7, 0.99)):

        async def click(pilot: Pilot[Any], right: float = right, down: float = down) -> None:
            size = pilot.app.size
            await pilot.click(offset=(int(size.width * right), int(size.height * down)))

        yield Attempt(f"a click at {right:.0%}, {down:.0%}", click, leaves=down > 0.9)
    for size in SIZES:

        async def resize(pilot: Pilot[Any], size: tuple[int, int] = size) -> None:
            await pilot.resize_terminal(*size)

        yield Attempt(f"the size {size}", resize)


def _of_the_screens(base: type[Any]) -> list[type[Any]]:
    """Every class of the screens' modules that is a `base`, by name."""

    def below(kind: type[Any]) -> Iterator[type[Any]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    found = {each for each in below(base) if each.__module__.split(".")[0] == screens.__name__}
    assert found, f"the screens have no {base.__name__}"
    return sorted(found, key=lambda each: (each.__module__, each.__qualname__))


def _made_up(function: Callable[..., Any], commanding: Container[str]) -> Iterator[dict[str, Any]]:
    """Arguments for an action or a message. A widget is stood for by its class until it is looked for on the screen."""
    hints = {name: hint for name, hint in get_type_hints(function).items() if name != "return"}
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    values = [_values(hints[name], name, commanding) for name in names]
    for chosen in itertools.product(*values):
        yield dict(zip(names, chosen, strict=True))


def _values(hint: Any, place: str, commanding: Container[str]) -> tuple[Any, ...]:
    if hint is str and place == "pane":
        return PANES
    if hint is str:
        return tuple(command.id for command in COMMANDS) if place in commanding else WORDS
    if hint is int:
        return NUMBERS if place != "row" else tuple(number for number in NUMBERS if number >= 0)
    if hint is bool:
        return (False, True)
    if hint is Filter:
        return (Filter(), Filter("backend", Mark.ERROR, "x"))
    assert inspect.isclass(hint), f"say here what stands for {hint}"
    assert issubclass(hint, Widget), f"say here what stands for {hint}"
    return (hint,)


def _there(app: App[Any], value: Any) -> Any:
    """A widget that is on a screen for the class of a widget, None when there is none; all else is as it is."""
    return next(iter(_nodes(app, value)), None) if inspect.isclass(value) else value


def _nodes(app: App[Any], kind: Any) -> list[Any]:
    """The application, its screens and their widgets, as far as they are of a kind."""
    nodes: list[DOMNode] = [app]
    for screen in app.screen_stack:
        nodes += screen.walk_children(with_self=True)
    return [node for node in nodes if isinstance(node, kind)]


async def _to_everything(app: App[Any], message: Callable[[], Message]) -> None:
    """To the application, to every screen, and to one widget of each kind."""
    for node in {type(node): node for node in _nodes(app, MessagePump)}.values():
        node.post_message(message())
