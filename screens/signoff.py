"""Sign-off: the roles that the plan asks for, what each has said, and what a signature is bound to."""

from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content

from console.domain.released import release_commit
from console.domain.state import RunState, SignOffState
from screens.base import ConsoleScreen
from screens.desk import Desk
from screens.moment import Moment
from screens.not_now import waits_for
from screens.paint import ink, words
from screens.paint.gist import criterion_sign
from screens.paint.warnings import heading_item
from screens.view import View
from screens.widgets.browser import Browser, Item
from screens.widgets.keybar import KeyBar
from screens.widgets.panes import Header


def _sign(signoff: SignOffState) -> words.Sign:
    if signoff.given is None:
        return words.OPEN
    return words.DONE if signoff.given else words.FAILED


def _line(signoff: SignOffState, width: int) -> Content:
    sign = _sign(signoff)
    said = f"{signoff.name}  {words.at(signoff.at)}" if signoff.given is not None else ""
    right = said or ("required" if signoff.required else "optional")
    left = ink.line((f"{sign.mark} ", sign.style), (signoff.title, ink.STRONG if signoff.given is None else ink.PLAIN))
    return ink.sides(left, ink.line((right, ink.QUIET)), width)


def _body(state: RunState, signoff: SignOffState, width: int) -> list[Content]:
    sign = _sign(signoff)
    said = {None: "has not signed", True: "approved", False: "refused"}[signoff.given]
    lines = [ink.line((signoff.title, ink.STRONG)), ink.line((f"{sign.mark} {said}", sign.style)), ink.BLANK]
    commit = signoff.commit or release_commit(state)
    waits = waits_for(state, signoff) if signoff.given is None else ()
    rows = [
        ("Name", ink.line(signoff.name or "–")),
        ("When", ink.line(words.at(signoff.at, seconds=True) or "–")),
        ("Words", ink.line(signoff.note or "–")),
        ("Plan", ink.line((signoff.plan or state.plan_digest or "–", ink.IDENT))),
        *((("Waits for", ink.line((" · ".join(waits), ink.NOW))),) if waits else ()),
        ("Commit", ink.line((commit or "nothing released yet", ink.IDENT))),
    ]
    lines += [*ink.columns(rows, width), ink.BLANK, ink.heading("What the signature stands for")]
    for criterion in state.criteria.values():
        mark = criterion_sign(criterion)
        evidence = f"  {criterion.evidence}" if criterion.evidence else ""
        text = ink.line(criterion.title, (evidence, ink.QUIET))
        lines += ink.wrapped(text, width, first=ink.line((f"{mark.mark} ", mark.style)))
    return lines


class SignoffScreen(ConsoleScreen):
    """A list of roles and the chosen one."""

    CSS_PATH = "pages.tcss"
    SCREEN: ClassVar[str] = "signoff"

    def __init__(self, desk: Desk, view: View) -> None:
        super().__init__(desk, view)
        self._filled = False

    def compose(self) -> ComposeResult:
        """Header, roles, the chosen role, keys."""
        yield Header().data_bind(SignoffScreen.view)
        yield Browser("The plan asks for no signature.")
        yield KeyBar()

    def on_mount(self) -> None:
        """Fill the list."""
        self._fill()

    def watch_view(self, view: View) -> None:
        """Somebody signed, or a signature became void."""
        self._fill()
        super().watch_view(view)

    def moment(self) -> Moment:
        """With the chosen role."""
        role = self.query_one(Browser).chosen if self.is_mounted else ""
        return Moment(self.shown, self.SCREEN, signoff=self.shown.state.signoffs.get(role), doors=self.desk.doors)

    def on_browser_chosen(self) -> None:
        """Another role: other keys."""
        self.refresh_keys()

    def action_move(self, by: int) -> None:
        """The entry above or below."""
        self.query_one(Browser).move(by)

    def _fill(self) -> None:
        state = self.shown.state
        given = sum(1 for signoff in state.signoffs.values() if signoff.given)
        items = [heading_item("Signatures", f"{given} of {len(state.signoffs)}")]
        if not self._filled:
            self._filled = True
            browser = self.query_one(Browser)
            browser.chosen = next((s.role for s in state.signoffs.values() if not s.given), "")
        items += [Item(s.role, partial(_line, s), partial(_body, state, s)) for s in state.signoffs.values()]
        self.query_one(Browser).show(items)
