"""One line of text an event: what an unattended run prints, and the chronicle at the end of the record."""

from collections.abc import Callable, Mapping

from console.domain.events import Event, Kind
from console.domain.plan import Json, Plan
from console.domain.untrusted import one_line

_Wording = Callable[[Mapping[str, Json]], str]


def _text(data: Mapping[str, Json], key: str) -> str:
    value = data.get(key)
    return "" if value is None else str(value)


def _joined(*parts: str) -> str:
    return ": ".join(part for part in parts if part)


def _summary(data: Mapping[str, Json]) -> str:
    evidence = data.get("evidence")
    return _text(evidence, "summary") if isinstance(evidence, dict) else ""


def _previewed(data: Mapping[str, Json]) -> str:
    preview = data.get("preview")
    return _joined("will", _text(preview, "summary")) if isinstance(preview, dict) else "previewed"


def _delivered(data: Mapping[str, Json]) -> str:
    if data.get("delivered"):
        return _joined("told", _text(data, "channel"), _text(data, "subject"))
    return _joined("could not tell", _text(data, "channel"), _text(data, "error"), _text(data, "subject"))


def _how_signed(data: Mapping[str, Json]) -> str:
    """By voice, or with which login from the signer's own machine."""
    login = _text(data, "login")
    return f", signed as {login}" if login else ", by voice" if data.get("by_voice") is True else ""


def _assessed(data: Mapping[str, Json]) -> str:
    """Which ways lead back from where production stands; the recommended one by name."""
    assessment = data.get("assessment")
    ways = assessment.get("ways") if isinstance(assessment, dict) else None
    offers = [each for each in ways if isinstance(each, dict)] if isinstance(ways, list) else []
    apply = ", ".join(_text(each, "way") for each in offers if each.get("applies"))
    best = next((_text(each, "way") for each in offers if each.get("recommended")), "")
    return f"production assessed: ways back: {apply or 'none'}; recommended: {best or 'none'}"


_WORDING: Mapping[Kind, tuple[str, _Wording]] = {
    Kind.RUN_CREATED: ("●", lambda d: "run created"),
    Kind.RUN_STARTED: ("●", lambda d: "run started"),
    Kind.RUN_RESUMED: ("▶", lambda d: "resumed"),
    Kind.RUN_PAUSED: ("‖", lambda d: _joined("held", _text(d, "reason"))),
    Kind.RUN_ABORTING: ("‖", lambda d: "stopping at the next safe point"),
    Kind.RUN_FINISHED: (
        "■",
        lambda d: _joined("run " + _text(d, "outcome"), _text(d, "reason"), _text(d, "production")),
    ),
    Kind.DRIVER_JOINED: ("·", lambda d: _joined("driver", _text(d, "actor"))),
    Kind.DRIVER_LEFT: ("·", lambda d: _joined("driver left", _text(d, "reason"))),
    Kind.STORE_LOST: ("!", lambda d: _joined("the shared record is lost", _text(d, "reason"))),
    Kind.STORE_REGAINED: ("·", lambda d: f"the shared record is reached again, {d.get('missed', 0)} events sent late"),
    Kind.STORE_WAIVED: ("!", lambda d: _joined("driven without the shared record", _text(d, "reason"))),
    Kind.BRANCH_ATTACHED: ("!", lambda d: f"{_text(d, 'actor')} recorded {d.get('events', 0)} events apart from this"),
    Kind.STEP_PREVIEWED: ("·", _previewed),
    Kind.STEP_CONFIRMED: ("!", lambda d: _joined("confirmed", _text(d, "strength"))),
    Kind.STEP_ARMED: ("!", lambda d: _joined("armed", _text(d, "strength"))),
    Kind.STEP_DISARMED: ("!", lambda d: _joined("the yes is void", _text(d, "reason"))),
    Kind.STEP_STARTED: ("▶", lambda d: "started" if d.get("attempt") in (1, None) else f"attempt {d.get('attempt')}"),
    Kind.STEP_PROGRESSED: ("·", lambda d: _text(d, "text")),
    Kind.STEP_SUCCEEDED: ("✔", lambda d: _joined("done", _summary(d), _text(d, "note"))),
    Kind.STEP_FAILED: (
        "✗",
        lambda d: " — ".join(
            part for part in (_text(d, "message"), _text(d, "production"), _text(d, "remedy")) if part
        ),
    ),
    Kind.STEP_UNCERTAIN: ("?", lambda d: _joined("uncertain", _text(d, "why"))),
    Kind.STEP_RECONCILED: (
        "?",
        lambda d: _joined("looked: " + _text(d, "answer").replace("_", " "), _text(d, "why") or _text(d, "known")),
    ),
    Kind.STEP_REOPENED: ("○", lambda d: _joined("reopened", _text(d, "reason"))),
    Kind.STEP_TICKED: ("✔", lambda d: _joined("ticked", _text(d, "note"))),
    Kind.STEP_SKIPPED: ("–", lambda d: _joined("skipped", _text(d, "reason"))),
    Kind.GUARD_OVERRIDDEN: ("!", lambda d: _joined(f"goes on without {_text(d, 'guard')}", _text(d, "reason"))),
    Kind.DEPLOY_OBSERVED: (
        "·",
        lambda d: f"{_text(d, 'service')} {_text(d, 'status')} {_text(d, 'commit')[:7]}".rstrip(),
    ),
    Kind.FINDING_RECORDED: ("!", lambda d: _joined(_text(d, "severity"), _text(d, "message"))),
    Kind.FINDING_CLEARED: ("·", lambda d: _joined("no longer found", _text(d, "code"))),
    Kind.FINDING_OVERRIDDEN: ("!", lambda d: _joined(f"{_text(d, 'code')} overridden", _text(d, "reason"))),
    Kind.SIGNOFF_GIVEN: ("✔", lambda d: f"{_text(d, 'role')} signed by {_text(d, 'name')}{_how_signed(d)}"),
    Kind.SIGNOFF_REFUSED: ("✗", lambda d: _joined(f"{_text(d, 'role')} refused{_how_signed(d)}", _text(d, "reason"))),
    Kind.SIGNOFF_VOID: ("!", lambda d: _joined(f"sign-off of {_text(d, 'role')} is void", _text(d, "reason"))),
    Kind.CRITERION_MET: ("✔", lambda d: _joined("criterion met", _text(d, "criterion"), _text(d, "evidence"))),
    Kind.CRITERION_FAILED: (
        "✗",
        lambda d: _joined("criterion", _text(d, "criterion"), _text(d, "verdict"), _text(d, "evidence")),
    ),
    Kind.ALERT_RAISED: ("!", lambda d: _joined("alert", _text(d, "message"))),
    Kind.ALERT_CLEARED: ("·", lambda d: _joined("alert cleared", _text(d, "alert"))),
    Kind.NOTE_ADDED: ("·", lambda d: _joined("note", _text(d, "text"))),
    Kind.INCIDENT_DECLARED: ("✗", lambda d: _joined("incident declared", _text(d, "reason"))),
    Kind.INCIDENT_CLOSED: ("●", lambda d: _joined("incident closed", _text(d, "reason"))),
    Kind.ROLLBACK_ASSESSED: ("·", _assessed),
    Kind.ROLLBACK_CHOSEN: (
        "!",
        lambda d: _joined("way back chosen", _text(d, "way"), _text(d, "price"), _text(d, "reason")),
    ),
    Kind.ROLLBACK_DROPPED: ("!", lambda d: _joined("way back given up", _text(d, "reason"))),
    Kind.MESSAGE_DRAFTED: ("·", lambda d: _joined("message drafted", _text(d, "subject"))),
    Kind.MESSAGE_SENT: ("·", _delivered),
    Kind.MESSAGE_DROPPED: ("·", lambda d: _joined(f"message {_text(d, 'message')} not sent", _text(d, "reason"))),
    Kind.POSTMORTEM_PLANNED: ("●", lambda d: f"post-mortem on {_text(d, 'date')}, owner {_text(d, 'owner')}"),
}


def sign_and_text(plan: Plan, event: Event) -> tuple[str, str]:
    """A one-character sign and one line of words for an event, the step's title first where it has one."""
    sign, wording = _WORDING[event.kind]
    words = wording(event.data)
    if event.step is None:
        return sign, words
    title = next((step.title for step in plan.steps if step.id == event.step), event.step)
    return sign, _joined(title, words)


def event_line(plan: Plan, event: Event) -> str:
    """`14:51:07 ✔ Run migration 020: done: …`, the time in UTC; one line, whatever the words hold."""
    sign, words = sign_and_text(plan, event)
    return one_line(f"{event.at:%H:%M:%S} {sign} {words}")
