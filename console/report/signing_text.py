"""What somebody signs for, on a screenful of text: the run, what the signature is bound to, and how things stand."""

from collections.abc import Iterator
from textwrap import wrap

from console.domain.released import release_commit
from console.domain.signing import may_not_sign
from console.domain.state import RunState, RunStatus
from console.domain.summary import production_sentence
from console.domain.untrusted import one_line

_WIDTH = 100
_LABEL = 14
_MET = {True: "✔", False: "✗", None: "○"}


def what_is_signed(state: RunState, role: str, *, driver: str) -> str:
    """The run as a signer has to see it; `driver` is one sentence that says who drives."""
    sections = (_run(state, driver), _bound(state), _signoffs(state, role), _criteria(state), _alerts(state))
    return "\n\n".join("\n".join(lines) for section in sections if (lines := list(section)))


def _run(state: RunState, driver: str) -> Iterator[str]:
    rehearsal = " (a rehearsal)" if state.rehearsal and state.plan.environment != "rehearsal" else ""
    yield from _row("Run", f"{state.run}: {state.plan.title}")
    yield from _row("Environment", f"{state.plan.environment}{rehearsal}")
    yield from _row("Run state", state.outcome if state.status is RunStatus.FINISHED else state.status.value)
    yield from _row("Driver", driver)
    yield from _row("Production", production_sentence(state))
    if state.incident_at is not None:
        yield from _row("Incident", f"open since {state.incident_at:%H:%M} UTC: {state.incident_reason}")


def _bound(state: RunState) -> Iterator[str]:
    """In full: whoever pins it copies it from here."""
    yield from _row("Plan", state.plan_digest)
    yield from _row("Commit", release_commit(state) or "nothing is released yet")


def _signoffs(state: RunState, role: str) -> Iterator[str]:
    yield "Signatures"
    for each in state.signoffs.values():
        said = {True: f"approved by {each.name}", False: f"refused by {each.name}: {each.note}", None: "open"}[
            each.given
        ]
        how = f", {each.how}" if each.how else ""
        void = f"; what {each.void.name} signed is void: {each.void.reason}" if each.void is not None else ""
        yield from _item(
            "▸" if each.role == role else _MET[each.given], f"{each.title} ({each.role}): {said}{how}{void}"
        )
    if state.plan.four_eyes:
        yield from _item("!", "Four eyes are asked for: nobody who has driven this run signs it.")
    no = may_not_sign(state, role)
    if no is not None:
        yield from _item("!", f"It cannot be approved now. {no.message} {no.remedy}")


def _criteria(state: RunState) -> Iterator[str]:
    if state.criteria:
        yield "Success criteria"
    for each in state.criteria.values():
        exception = state.findings.get(f"criterion:{each.id}")
        waived = f" (an exception was named: {exception.overridden})" if exception and exception.overridden else ""
        evidence = f": {each.evidence}" if each.evidence else ""
        yield from _item(
            "?" if each.met is None and each.evidence else _MET[each.met], f"{each.title}{evidence}{waived}"
        )


def _alerts(state: RunState) -> Iterator[str]:
    raised = [each for each in state.alerts.values() if not each.cleared]
    yield "Alerts" if raised else "No alert is raised."
    for each in raised:
        yield from _item("!", f"{each.at:%H:%M} UTC {each.message}")


def _row(label: str, text: str) -> Iterator[str]:
    yield from wrap(
        f"{label:<{_LABEL}}{one_line(text)}", _WIDTH, subsequent_indent=" " * _LABEL, break_on_hyphens=False
    )


def _item(mark: str, text: str) -> Iterator[str]:
    yield from wrap(f"  {mark} {one_line(text)}", _WIDTH, subsequent_indent="    ", break_on_hyphens=False)
