"""The gist below the checklist: alerts, findings and the success criteria, as much of each as there is room for."""

from textual.content import Content

from console.domain.state import AlertState, CriterionState
from screens.paint import ink, words
from screens.view import View


def criterion_sign(criterion: CriterionState) -> words.Sign:
    """Met, failed, not enough to say, or open."""
    if criterion.met is None:
        return words.UNCERTAIN if criterion.evidence else words.OPEN
    return words.DONE if criterion.met else words.FAILED


def gist(view: View, width: int, height: int) -> list[Content]:
    """At most `height` lines: first what is wrong, then the criteria (in one line where space is short)."""
    if height < 2:
        return []
    criteria = list(view.state.criteria.values())
    room = height - (2 if criteria else 0)
    lines = _notices(view, width, room)
    left = height - len(lines) - (1 if lines else 0)
    if criteria and left >= 2:
        full = left >= len(criteria) + 2
        lines += [ink.BLANK, _criteria_line(criteria, width, compact=not full)]
        if full:
            lines += [_criterion(criterion, width) for criterion in criteria]
    return lines


def _criteria_line(criteria: list[CriterionState], width: int, *, compact: bool) -> Content:
    met = sum(1 for criterion in criteria if criterion.met)
    right = ink.line((f"{met} / {len(criteria)}", ink.QUIET))
    left = ink.heading("Success criteria")
    if compact:
        signs = [(sign.mark, sign.style) for sign in map(criterion_sign, criteria)]
        left = Content.assemble(left, "  ", ink.line(*signs))
    return ink.sides(left, right, width)


def _criterion(criterion: CriterionState, width: int) -> Content:
    sign = criterion_sign(criterion)
    style = ink.QUIET if sign is words.OPEN else ink.PLAIN
    return ink.fit(ink.line((f"{sign.mark} ", sign.style), (criterion.title, style)), width)


def _notices(view: View, width: int, room: int) -> list[Content]:
    """What speaks up: raised alerts, then findings that nobody answered for."""
    notices: list[list[Content]] = []
    for alert in view.state.alerts.values():
        if not alert.cleared:
            notices.append([*_notice(words.severity(alert.severity), alert.message, width), *_offered(view, alert)])
    findings = list(view.state.findings.values())
    for severity in ("blocker", "warning"):
        for finding in findings:
            if finding.severity == severity and not finding.overridden:
                notices.append(_notice(words.severity(severity), finding.message, width))
    if not notices or room < 3:
        return []
    waived = sum(1 for finding in findings if finding.overridden)
    note = f"{len(notices)} open" + (f" · {waived} waived" if waived else "")
    lines = [ink.BLANK, ink.sides(ink.heading("Warnings"), ink.line((note, ink.NOW)), width)]
    for notice in notices:
        if len(lines) + len(notice) > room:
            break
        lines.extend(notice)
    return lines if len(lines) > 2 else [*lines, notices[0][0]]


def _offered(view: View, alert: AlertState) -> list[Content]:
    """The key that declares the incident which an alert may be, for whoever can press it."""
    if alert.offer != "incident" or view.state.incident_at is not None or not view.driving:
        return []
    return [ink.line(("  i ", ink.DANGER_STRONG), ("declares an incident", ink.DANGER))]


def _notice(sign: words.Sign, text: str, width: int) -> list[Content]:
    wrapped = ink.wrapped(ink.line(text.split("\n", 1)[0]), width, first=ink.line((f"{sign.mark} ", sign.style)))
    if len(wrapped) > 2:
        wrapped = [wrapped[0], ink.fit(Content.assemble(wrapped[1], "…"), width)]
    return wrapped
