"""Preflight: go or no-go. Looks at everything that the plan needs, changes nothing, and can be run again."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from console.domain.state import FindingState
from console.errors import ConsoleError
from screens.browsing import BrowsingScreen
from screens.desk import Desk
from screens.moment import Moment
from screens.paint import ink, words
from screens.paint.warnings import finding_items, ranked
from screens.view import View


class PreflightScreen(BrowsingScreen):
    """Runs the preflight when it is opened."""

    SCREEN: ClassVar[str] = "preflight"

    def __init__(self, desk: Desk, view: View, preflight: Callable[[], Awaitable[Sequence[FindingState]]]) -> None:
        super().__init__(desk, view)
        self._preflight = preflight
        self._began = time.monotonic()
        self._looking = True
        self._found: Sequence[FindingState] | None = None
        self._says = Static("", id="verdict", classes="page-title")

    def above(self) -> tuple[Widget, ...]:
        """The verdict."""
        return (self._says,)

    def on_mount(self) -> None:
        """Begin to look."""
        self._say_looking()
        self.run_worker(self._look(), name="preflight")

    def beat(self, seconds: float) -> None:
        """Say how long it has been looking."""
        super().beat(seconds)
        if self._looking:
            self._say_looking()

    async def _look(self) -> None:
        try:
            self._found = await self._preflight()
        except ConsoleError as error:
            remedy = f"   {error.remedy}" if error.remedy else ""
            self._verdict(
                ink.line(("✗ The preflight could not be run: ", ink.DANGER_STRONG), error.message, (remedy, ink.QUIET))
            )
            return
        self.fill()

    def moment(self) -> Moment:
        """With the chosen finding, as far as it is on record: only what is recorded can be gone on despite."""
        code = self.chosen.removeprefix("finding:")
        finding = self.shown.state.findings.get(code)
        return Moment(self.shown, self.SCREEN, finding=finding, doors=self.desk.doors)

    def fill(self) -> None:
        """What was found, with what somebody went on despite since."""
        if self._found is None:
            return
        known = self.shown.state.findings
        findings = ranked([replace(each, overridden=_waived(known.get(each.code), each)) for each in self._found])
        self.browser.show(finding_items(findings))
        self._verdict(verdict(findings))

    def _say_looking(self) -> None:
        seconds = words.duration(time.monotonic() - self._began)
        self._says.update(ink.line(("▶ Looking… ", ink.NOW_STRONG), (seconds, ink.QUIET)))

    def _verdict(self, text: Content) -> None:
        self._looking = False
        self._says.update(text)


def _waived(known: FindingState | None, found: FindingState) -> str:
    """With which words somebody went on despite what was found; they hold as long as it is the same."""
    same = known is not None and (known.severity, known.message) == (found.severity, found.message)
    return known.overridden if known is not None and same else found.overridden


def verdict(findings: Sequence[FindingState]) -> Content:
    """GO or NO-GO, and why, in one line."""
    blockers = sum(1 for finding in findings if finding.severity == "blocker" and not finding.overridden)
    warnings = sum(1 for finding in findings if finding.severity == "warning" and not finding.overridden)
    tail = (f"   {words.count(warnings, 'warning')}", ink.NOW if warnings else ink.QUIET)
    if blockers:
        return ink.line((f"✗ NO-GO: {words.count(blockers, 'blocker')}", ink.DANGER_STRONG), tail)
    return ink.line(("✔ GO", f"bold {ink.GOOD}"), tail, ("   nothing was changed", ink.QUIET))
