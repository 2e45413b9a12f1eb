"""How the console speaks: durations, clocks, signs and the word beside each sign.

A state has one sign and one word everywhere, so that nothing is told by colour alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.domain.plan import DurationRange
from console.domain.state import RunState, RunStatus, StepState, StepStatus
from screens.paint import ink


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign, its style, and the word that means the same."""

    mark: str
    style: str
    word: str


DONE = Sign("✔", ink.GOOD, "done")
RUNNING = Sign("▶", ink.NOW_STRONG, "running")
YOURS = Sign("◆", ink.NOW_STRONG, "waits for a person")
ARMED = Sign("◇", ink.NOW, "armed")
OPEN = Sign("○", ink.QUIET, "to come")
FAILED = Sign("✗", ink.DANGER_STRONG, "failed")
STOPPED = Sign("■", ink.DANGER_STRONG, "stopped")
UNCERTAIN = Sign("?", ink.DANGER_STRONG, "not known")
SKIPPED = Sign("–", ink.QUIET, "skipped")
ASIDE = Sign("‖", ink.QUIET, "set aside")
STOPPING = Sign("▶", ink.DANGER_STRONG, "stopping")
WARNING = Sign("!", ink.NOW, "warning")
DANGER = Sign("!", ink.DANGER_STRONG, "danger")
NOTE = Sign("·", ink.QUIET, "note")
BACK = Sign("↩", ink.NOW_STRONG, "rolled back")

LEGEND = (DONE, RUNNING, YOURS, ARMED, OPEN, FAILED, STOPPED, UNCERTAIN, SKIPPED, ASIDE, WARNING)

_FAILED_ASIDE = Sign("✗", ink.QUIET, "failed, set aside")

_PLAIN_SIGNS = {
    StepStatus.WAITING: OPEN,
    StepStatus.ARMED: ARMED,
    StepStatus.SUCCEEDED: DONE,
    StepStatus.FAILED: FAILED,
    StepStatus.UNCERTAIN: UNCERTAIN,
    StepStatus.SKIPPED: SKIPPED,
}
_SEVERITIES = {"blocker": FAILED, "danger": DANGER, "warning": WARNING, "note": NOTE}


def sign_of(step: StepState, state: RunState) -> Sign:
    """The sign of a step as it stands; before the run has begun nothing waits for anybody."""
    if not step.over and state.set_aside(step.step.id):
        return _FAILED_ASIDE if step.status is StepStatus.FAILED else ASIDE
    if step.status is StepStatus.FAILED and step.failure is not None and step.failure.stopped:
        return STOPPED
    if step.status is StepStatus.RUNNING:
        return STOPPING if step.stopping else RUNNING
    if step.status is StepStatus.READY:
        begun = state.status is not RunStatus.NOT_STARTED
        return YOURS if begun and (RunState.needs_person(step) or state.waits_for_words(step)) else OPEN
    if state.kept_by_guard(step):
        return YOURS
    return _PLAIN_SIGNS[step.status]


def outcome(name: str) -> Sign:
    """The sign of how a run ended."""
    return {"completed": DONE, "rolled_back": BACK}.get(name, FAILED)


def severity(name: str) -> Sign:
    """The sign of a finding's or an alert's severity."""
    return _SEVERITIES.get(name, NOTE)


def duration(seconds: float) -> str:
    """`0:39`, `12:04`, `1:02:09`."""
    whole = max(int(seconds), 0)
    hours, rest = divmod(whole, 3600)
    minutes, seconds_ = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds_:02}" if hours else f"{minutes}:{seconds_:02}"


def fine(seconds: float) -> str:
    """A short time as a machine takes it: `4 ms`, `38.9 s`, `2:04`."""
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)


def clock(seconds: float) -> str:
    """`00:21:42`: the run's clock, always of one width."""
    whole = max(int(seconds), 0)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def digital(seconds: float) -> str:
    """`03:12`, `1:03:12`: a clock that is read from afar."""
    whole = max(int(seconds), 0)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60:02}:{rest % 60:02}"


def minutes(seconds: float) -> str:
    """A length in the unit that a person would use: `40 s`, `4 min`, `1 h 05`."""
    if seconds < 60:
        return f"{round(seconds)} s"
    whole = round(seconds / 60)
    return f"{whole} min" if whole < 60 else f"{whole // 60} h {whole % 60:02}"


def planned(span: DurationRange | None) -> str:
    """`2–5 min`, `30 min`, `20–40 s`, or nothing."""
    if span is None or not span.high:
        return ""
    low, high = span.low, span.high
    unit, name = (1.0, "s") if high < 60 else (60.0, "min")
    first, last = f"{low / unit:g}", f"{high / unit:g}"
    if unit == 60.0:
        first, last = f"{round(low / 60, 1):g}", f"{round(high / 60, 1):g}"
    return f"{last} {name}" if first == last else f"{first}–{last} {name}"


def faster(pace: float, *, brief: bool = False) -> str:
    """What a rehearsal's pace means, where planned times stand beside actual ones."""
    return f"planned time passes ×{pace:g}" if brief else f"planned times pass {pace:g} times as fast here"


def at(moment: datetime | None, *, seconds: bool = False) -> str:
    """The time of day where the console runs, or nothing."""
    if moment is None:
        return ""
    return f"{moment.astimezone():%H:%M:%S}" if seconds else f"{moment.astimezone():%H:%M}"


def hosts(names: Sequence[str]) -> str:
    """`api.render.com, github.com`; several ports of one host are counted: `127.0.0.1 (7 ports)`."""
    ports: dict[str, list[str]] = {}
    for name in names:
        host, colon, port = name.rpartition(":")
        ports.setdefault(host if colon and port.isdigit() else name, []).append(port)
    return ", ".join(
        next(name for name in names if name.startswith(host)) if len(found) == 1 else f"{host} ({len(found)} ports)"
        for host, found in ports.items()
    )


def count(number: int, one: str, many: str = "") -> str:
    """`1 step`, `3 steps`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def short(commit: str) -> str:
    """A commit's abbreviated hash."""
    return commit[:7]


def elapsed(step: StepState, now: datetime) -> float | None:
    """Seconds since the step started, until its end or `now`; None when it has not started."""
    if step.started_at is None:
        return None
    until = step.ended_at or now
    return max((until - step.started_at).total_seconds(), 0.0)
