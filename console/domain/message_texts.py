"""The console's own words for the stakeholders: a template a turn, and what its placeholders stand for.

For people who are no engineers: what happened, since when, what users notice, what is done, when the next word comes.
What always holds: no value brings SQL, a line break or more than a few lines' worth of words into a message.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from console.domain import impact
from console.domain.incident import IncidentState, RollbackState
from console.domain.plan import DurationRange, MessageTemplate
from console.domain.released import release_commit
from console.domain.rollback import TITLES
from console.domain.rollback_plan import planned
from console.domain.standing import Way
from console.domain.state import RunState
from console.domain.summary import production_sentence
from console.domain.untrusted import one_line

DECLARED = MessageTemplate(
    "declared",
    "{title}: incident in {environment} since {since}",
    """There is a problem with the release “{title}” in {environment}.

What happened: {reason}
Since: {since}
What users notice: {noticed}
What we do: Nothing further of the release is carried out. We look at where production stands and decide how to bring \
service back.
Next word: when that is decided, at the latest at {next}.""",
)
CHOSEN = MessageTemplate(
    "chosen",
    "{title}: how we bring service back",
    """We are bringing service back.

What happened: {reason}
Since: {since}
What users notice: {noticed}
What we do: {doing}
What it costs: {price}
How long it takes: {duration}
Next word: when service is restored, or when we learn that it takes longer.""",
)
TURNED = MessageTemplate(
    "turned",
    "{title}: service is restored",
    """Service is restored since {restored}.

What happened: {reason}
Since: {since}
What users notice: The application is as it was before the release, and can be used again.
What was lost: {lost}
What we do: We check that everything is as it was, and find out how this came about.
Next word: when the incident is closed.""",
)
CLOSED = MessageTemplate(
    "closed",
    "{title}: the incident is closed",
    """The incident of {since} is closed.

What happened: {reason}
How it ended: {ended}
What was lost: {lost}
What comes next: {afterwards}""",
)
OWN = {each.turn: each for each in (DECLARED, CHOSEN, TURNED, CLOSED)}
"""The console's own templates, by turn."""

PLACEHOLDERS: Mapping[str, str] = {
    "title": "the plan's title",
    "environment": "the plan's environment",
    "reason": "why the incident was declared",
    "since": "when it was declared",
    "way": "the way back that was chosen",
    "price": "what it costs",
    "duration": "how long it is planned to take",
    "production": "what state production is in",
    "commit": "the release's commit, short",
    "run": "the run's id",
    "noticed": "what users notice",
    "doing": "the way back in plain words",
    "restored": "when service was restored",
    "lost": "what is lost",
    "ended": "the words with which the incident was closed",
    "afterwards": "the post-mortem, as far as it is planned",
    "next": "half an hour after the declaration",
}
"""What a template may name in braces, and what stands for it."""

_PLAIN = {
    Way.NOTHING: "Nothing has to be undone: the release never reached users.",
    Way.CODE: "We go back to the version of the application from before the release.",
    Way.FIX_ONLY: "We take back the last part of the release.",
    Way.SCHEMA: "We go back to the version from before the release, and bring its data back into the old form.",
    Way.DATABASE: "We go back to the version and to the database from before the release. Users wait outside.",
    Way.BACKUP: "We go back to the version from before the release and to the backup that was taken before it. "
    "Users wait outside.",
}
_NEXT_WORD = timedelta(minutes=30)
_LONGEST = 300
_SQL = re.compile(
    r"\b(?:SELECT\s+\S|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|(?:ALTER|CREATE|DROP|TRUNCATE)\s+[A-Z]|GRANT\s+[A-Z]).*",
    re.DOTALL,
)


def values(state: RunState, incident: IncidentState | None, rollback: RollbackState | None) -> dict[str, str]:
    """What stands for each placeholder, of an incident and the way back that was chosen in it, where there are."""
    since = incident.at if incident is not None else rollback.at if rollback is not None else None
    closed = incident is not None and incident.closed_at is not None
    unchosen = "none" if closed else "not chosen yet"
    found = {
        "title": state.plan.title,
        "environment": state.plan.environment,
        "reason": incident.reason if incident is not None else "",
        "since": _moment(since),
        "way": TITLES[rollback.way] if rollback is not None else unchosen,
        "price": (rollback.price or "nothing") if rollback is not None else unchosen,
        "duration": _duration(state, rollback) if rollback is not None else unchosen,
        "production": production_sentence(state),
        "commit": release_commit(state)[:7] or "no commit",
        "run": state.run,
        "noticed": impact.noticed(state),
        "doing": _PLAIN[rollback.way] if rollback is not None else unchosen,
        "restored": _moment(impact.restored_at(state)),
        "lost": impact.lost(state, rollback) if rollback is not None else "Nothing was taken back.",
        "ended": incident.closing if incident is not None and incident.closing else "as described before",
        "afterwards": _afterwards(state),
        "next": _moment(since + _NEXT_WORD) if since is not None else "—",
    }
    return {name: _plain(text) for name, text in found.items()}


def spoken(span: DurationRange) -> str:
    """A planned duration as people say it: `2-5 min`, `30 s`."""
    unit, name = (1.0, "s") if span.high < 60 else (60.0, "min")
    low, high = f"{span.low / unit:.3g}", f"{span.high / unit:.3g}"
    return f"{high} {name}" if low == high else f"{low}-{high} {name}"


def _duration(state: RunState, rollback: RollbackState) -> str:
    span = planned(state.plan, rollback.way)
    return "no time" if span is None else spoken(span)


def _afterwards(state: RunState) -> str:
    if state.postmortem is None:
        return "We find out how this came about, and write again when that is done."
    return f"A post-mortem on {state.postmortem.date}, led by {state.postmortem.owner}."


def _moment(at: datetime | None) -> str:
    return "—" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def _plain(text: str) -> str:
    """Words for people: on one line, without the statement that a server's message may quote, bounded."""
    short = _SQL.sub("…", one_line(text)).strip()
    return short if len(short) <= _LONGEST else f"{short[: _LONGEST - 1].rstrip()}…"
