"""Sign-off: the roles that the plan asks for, what each has said, and what a signature is bound to."""

from functools import partial
from typing import ClassVar

from textual.content import Content

from console.domain.released import release_commit
from console.domain.state import RunState, SignOffState
from screens.browsing import BrowsingScreen
from screens.desk import Desk
from screens.moment import Moment
from screens.not_now import waits_for
from screens.paint import ink, words
from screens.paint.gist import criterion_sign
from screens.paint.warnings import heading_item
from screens.view import View
from screens.widgets.browser import Item


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


class SignoffScreen(BrowsingScreen):
    """A list of roles and the chosen one."""

    SCREEN: ClassVar[str] = "signoff"
    EMPTY = "The plan asks for no signature."

    def __init__(self, desk: Desk, view: View) -> None:
        super().__init__(desk, view)
        self._filled = False

    def moment(self) -> Moment:
        """With the chosen role."""
        signoff = self.shown.state.signoffs.get(self.chosen)
        return Moment(self.shown, self.SCREEN, signoff=signoff, doors=self.desk.doors)

    def fill(self) -> None:
        """Every role; the first that has not signed is chosen when the screen is opened."""
        state = self.shown.state
        given = sum(1 for signoff in state.signoffs.values() if signoff.given)
        items = [heading_item("Signatures", f"{given} of {len(state.signoffs)}")]
        if not self._filled:
            self._filled = True
            self.browser.chosen = next((s.role for s in state.signoffs.values() if not s.given), "")
        items += [Item(s.role, partial(_line, s), partial(_body, state, s)) for s in state.signoffs.values()]
        self.browser.show(items)
