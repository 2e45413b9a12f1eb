"""Sign-off: the roles that the plan asks for, what each has said and how, and what a signature is bound to."""

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

MOST_REFUSED = 3
"""Signatures from other machines that were not accepted, and are shown."""


def _sign(signoff: SignOffState) -> words.Sign:
    if signoff.given is None:
        return words.OPEN
    return words.DONE if signoff.given else words.FAILED


def _line(signoff: SignOffState, width: int) -> Content:
    sign = _sign(signoff)
    right, style = ("required" if signoff.required else "optional"), ink.QUIET
    if signoff.given is not None:
        right = f"{signoff.name}  {words.at(signoff.at)}"
    elif signoff.void is not None:
        right, style = "void", ink.NOW
    left = ink.line((f"{sign.mark} ", sign.style), (signoff.title, ink.STRONG if signoff.given is None else ink.PLAIN))
    return ink.sides(left, ink.line((right, style)), width)


def _body(state: RunState, signoff: SignOffState, width: int) -> list[Content]:
    sign = _sign(signoff)
    said = {None: "has not signed", True: "approved", False: "refused"}[signoff.given]
    lines = [ink.line((signoff.title, ink.STRONG)), ink.line((f"{sign.mark} {said}", sign.style)), ink.BLANK]
    lines += [*ink.columns(_rows(state, signoff), width), *_not_accepted(state, signoff.role, width)]
    lines += [ink.BLANK, ink.heading("What the signature stands for")]
    for criterion in state.criteria.values():
        mark = criterion_sign(criterion)
        evidence = f"  {criterion.evidence}" if criterion.evidence else ""
        text = ink.line(criterion.title, (evidence, ink.QUIET))
        lines += ink.wrapped(text, width, first=ink.line((f"{mark.mark} ", mark.style)))
    return lines


def _rows(state: RunState, signoff: SignOffState) -> list[tuple[str, Content]]:
    """What is known of a signature, or of one that is still to come; rows that say nothing are left out."""
    commit = signoff.commit or release_commit(state)
    waits = waits_for(state, signoff) if signoff.given is None else ()
    how = signoff.how if signoff.given is not None else way_to_sign(state, signoff.role)
    void = f"{signoff.void.name}, {words.at(signoff.void.at)}: {signoff.void.reason}" if signoff.void else ""
    rows = [
        ("Name", ink.line(signoff.name)),
        ("When", ink.line(words.at(signoff.at, seconds=True))),
        ("How", ink.line(how)),
        ("Words", ink.line(signoff.note)),
        ("Void", ink.line((void, ink.NOW))),
        ("Four eyes", ink.line(_four_eyes(state) if signoff.given is None else "")),
        ("Plan", ink.line((signoff.plan or state.plan_digest or "–", ink.IDENT))),
        ("Waits for", ink.line((" · ".join(waits), ink.NOW))),
        ("Commit", ink.line((commit or "nothing released yet", ink.IDENT))),
    ]
    return [row for row in rows if row[1]]


def way_to_sign(state: RunState, role: str) -> str:
    """How the role can sign: from its own machine with the login that the plan names, or by voice."""
    login = next((each.login for each in state.plan.signoffs if each.role == role), "")
    if not login:
        return "by voice, recorded by whoever drives"
    return f"release-console sign {role}, as {login}; or by voice"


def _four_eyes(state: RunState) -> str:
    """That drivers may not sign, and who they are, where that is asked for."""
    drivers = " or ".join(each for each in state.drivers if "@" in each)
    return f"asked for: not by {drivers or 'whoever drives'}, who drove" if state.plan.four_eyes else ""


def _not_accepted(state: RunState, role: str, width: int) -> list[Content]:
    """What came for this role from other machines and was not accepted, the last ones."""
    refused = [each for each in state.received.values() if each.role == role and each.reason][-MOST_REFUSED:]
    if not refused:
        return []
    lines = [ink.BLANK, ink.heading("Not accepted")]
    for each in refused:
        lines += ink.wrapped(ink.line(f"{each.login}: {each.reason}"), width, first=ink.line(("! ", ink.NOW)))
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
