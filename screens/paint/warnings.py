"""Alerts, findings and criteria in doubt as a list to go through: what, how grave, what is known, what helps."""

from collections.abc import Sequence
from functools import partial

from textual.content import Content

from console.domain.state import AlertState, FindingState, RunState
from screens.paint import ink, words
from screens.widgets.browser import Item

_RANK = {"blocker": 0, "danger": 0, "warning": 1, "note": 2}


def findings_of(state: RunState) -> list[FindingState]:
    """The findings, and each criterion in doubt as one (its exception is named under `criterion:<id>`)."""
    doubts = [
        FindingState(f"criterion:{c.id}", "blocker" if c.required else "warning", f"Not proven: {c.title}", c.evidence)
        for c in state.criteria.values()
        if not c.met and c.evidence and f"criterion:{c.id}" not in state.findings
    ]
    return ranked([*state.findings.values(), *doubts])


def ranked(findings: Sequence[FindingState]) -> list[FindingState]:
    """Open ones before those that somebody answered for, grave ones first."""
    return sorted(findings, key=lambda finding: (bool(finding.overridden), _RANK.get(finding.severity, 2)))


def alert_items(state: RunState) -> list[Item]:
    """A heading and the alerts, raised ones first."""
    alerts = sorted(state.alerts.values(), key=lambda alert: (bool(alert.cleared), alert.at))
    if not alerts:
        return []
    raised = sum(1 for alert in alerts if not alert.cleared)
    head = heading_item("Alerts", f"{raised} raised")
    return [head, *(Item(f"alert:{a.id}", partial(_alert_line, a), partial(_alert_body, a)) for a in alerts)]


def finding_items(findings: Sequence[FindingState], title: str = "Findings") -> list[Item]:
    """A heading and the findings."""
    if not findings:
        return []
    open_ = sum(1 for finding in findings if not finding.overridden and finding.severity != "note")
    head = heading_item(title, f"{open_} open")
    return [head, *(Item(f"finding:{f.code}", partial(_finding_line, f), partial(finding_body, f)) for f in findings)]


def heading_item(title: str, note: str) -> Item:
    """An entry that cannot be chosen."""
    return Item("", lambda width: ink.sides(ink.heading(title), ink.line((note, ink.QUIET)), width), lambda width: [])


MOST_LINES = 3
"""Lines of the list that one entry takes at most; the whole text stands beside it."""


def _alert_line(alert: AlertState, width: int) -> list[Content]:
    sign = words.DONE if alert.cleared else words.severity(alert.severity)
    style = ink.QUIET if alert.cleared else ink.PLAIN
    text = ink.line((alert.message.split("\n", 1)[0], style))
    return _entry(sign, text, ink.line((words.at(alert.at), ink.QUIET)), width)


def _entry(sign: words.Sign, text: Content, right: Content, width: int) -> list[Content]:
    """A sign, the text over a few lines, and at the right of the first what is known in a word."""
    room = width - right.cell_length - 2
    lines = ink.wrapped(text, room, first=ink.line((f"{sign.mark} ", sign.style)))
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], ink.fit(Content.assemble(lines[MOST_LINES - 1], "…"), room)]
    return [ink.sides(lines[0], right, width), *lines[1:]]


def _alert_body(alert: AlertState, width: int) -> list[Content]:
    sign = words.DONE if alert.cleared else words.severity(alert.severity)
    state = "cleared" if alert.cleared else alert.severity
    lines = [
        ink.line((f"{sign.mark} {state}", sign.style), (f"   raised {words.at(alert.at, seconds=True)}", ink.QUIET)),
        ink.BLANK,
    ]
    lines += ink.paragraphs([alert.message], width)
    if alert.cleared:
        lines += [ink.BLANK, *ink.columns([("Cleared", ink.line(alert.cleared))], width)]
    elif alert.offer == "incident":
        text = "This may be an incident. A person decides: i declares it, from any screen."
        lines += [ink.BLANK, *ink.wrapped(ink.line((text, ink.NOW)), width)]
    return lines


def _finding_line(finding: FindingState, width: int) -> list[Content]:
    sign = words.SKIPPED if finding.overridden else words.severity(finding.severity)
    style = ink.QUIET if finding.overridden or finding.severity == "note" else ink.PLAIN
    text = ink.line((finding.message.split("\n", 1)[0], style))
    right = "waived" if finding.overridden else finding.severity
    return _entry(sign, text, ink.line((right, ink.QUIET if sign is words.SKIPPED else sign.style)), width)


def finding_body(finding: FindingState, width: int) -> list[Content]:
    """Severity, message, evidence, remedy, who answered for it."""
    sign = words.severity(finding.severity)
    lines = [ink.line((f"{sign.mark} {finding.severity}", sign.style), (f"   {finding.code}", ink.QUIET)), ink.BLANK]
    lines += ink.paragraphs([finding.message], width, ink.STRONG)
    for title, text in (
        ("What was seen", finding.evidence),
        ("What helps", finding.remedy),
        ("Waived", finding.overridden),
    ):
        if text:
            lines += [ink.BLANK, ink.heading(title), *ink.paragraphs([text], width)]
    return lines
