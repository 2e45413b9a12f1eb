"""The detail of one step: what it will do, does or did, what went wrong, what can be done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.content import Content

from console.domain.plan import StepKind, Strength
from console.domain.schedule import kept_apart
from console.domain.state import Failure, RunStatus, SignOffState, StepState, StepStatus
from screens.heard import PARTS
from screens.paint import blocks, ink, overview, words
from screens.paint.checklist import step_time
from screens.paint.exposure import exposed
from screens.view import View

_DIED = "The console of "
"""How the note begins that a run is taken up with after a console has died."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way out of a failed or uncertain step, as the detail lists it: key, name, what it leads to."""

    key: str
    label: str
    consequence: str
    recommended: bool = False


def detail(view: View, step: StepState, width: int, ways: Sequence[Way] = (), height: int = 0) -> list[Content]:
    """The lines of the detail pane. `ways` is empty for those who only watch.

    Where `height` is not enough for all of a step that failed, the ways out stand above what can be read on.
    """
    whole = _whole(view, step, width, ways)
    if ways and step.failure is not None and 0 < height < len(whole):
        return _ways_first(view, step, step.failure, width, ways, height)
    return whole


def _ways_first(
    view: View, step: StepState, failure: Failure, width: int, ways: Sequence[Way], height: int
) -> list[Content]:
    sign = words.sign_of(step, view.state)
    title = ink.sides(
        ink.line((step.step.title, ink.STRONG)), ink.line((f"{sign.mark} {sign.word}", sign.style)), width
    )
    lines = [title, *ink.wrapped(ink.line((failure.message, ink.DANGER)), width), ink.BLANK]
    in_full = _ways(ways, width)
    if len(lines) + len(in_full) <= height:
        lines += in_full
    else:
        lines += [ink.fit(ink.line((f"{way.key}  ", f"bold {ink.IDENT}"), _way(way)), width) for way in ways]
    for label, text in (("Production now", failure.production), ("What helps", failure.remedy)):
        if text:
            lines += [ink.BLANK, ink.line((label, ink.STRONG)), *ink.paragraphs([text], width)]
    details = said_beside(failure)
    return [*lines, *((ink.BLANK, *ink.paragraphs(details, width, ink.QUIET)) if details else ())]


def said_beside(failure: Failure) -> list[str]:
    """The lines of a failure that its message does not say already, each once."""
    return [line for line in dict.fromkeys(failure.lines) if line.strip() not in failure.message]


def _whole(view: View, step: StepState, width: int, ways: Sequence[Way]) -> list[Content]:
    result = [*_title(view, step, width), ink.BLANK]
    if view.current is not None and step.step.id == view.current.step.id:
        result += exposed(view, width)
    result += _interrupted(view, step, width)
    if not step.over and view.state.set_aside(step.step.id):
        text = "A way back is gone instead: this step neither starts nor can be steered until the way is left."
        result += [*ink.wrapped(ink.line(text), width, first=ink.line((f"{words.ASIDE.mark} ", ink.QUIET))), ink.BLANK]
    result += _BODIES[step.status](view, step, width)
    remedy = step.failure.remedy if step.failure is not None else ""
    if ways or remedy:
        result += [ink.BLANK, ink.line(("What you can do" if ways else "What helps", ink.STRONG))]
        result += [Content.assemble("  ", part) for part in ink.paragraphs([remedy] if remedy else [], width - 2)]
        result += _ways(ways, width)
    notes = [note for note in view.state.notes if note.step == step.step.id]
    if notes:
        result += [ink.BLANK, ink.heading("Notes")]
        for note in notes:
            first = ink.line((f"{words.at(note.at)} ", ink.QUIET))
            result += ink.wrapped(ink.line(note.text, (f"  {note.actor}", ink.QUIET)), width, first=first)
    return result


def _interrupted(view: View, step: StepState, width: int) -> list[Content]:
    """What became of a step when a console died: the yes that is void, what was looked for, what was found."""
    result: list[Content] = []
    to_come = step.status in (StepStatus.WAITING, StepStatus.READY, StepStatus.ARMED)
    if step.void:
        result += blocks.labelled("The yes is void", words.WARNING, ink.paragraphs([step.void], width - 2), width)
    if to_come and step.note:
        found = ["Looked for after the interruption: it was not done.", step.note]
        result += blocks.labelled("Not done", words.NOTE, ink.paragraphs(found, width - 2), width)
    if to_come and view.state.apart is not None and kept_apart(view.state, step):
        result += blocks.labelled("Waits for the shared record", words.WARNING, _apart(view, width - 2), width)
    if result or step.status is StepStatus.UNCERTAIN or step.by == "probe":
        since = view.state.driver_since
        about = [note.text for note in view.state.notes if note.text.startswith(_DIED) and since and note.at >= since]
        result += ink.paragraphs(about[:1], width, ink.QUIET)
    return [*result, ink.BLANK] if result else []


def _apart(view: View, width: int) -> list[Content]:
    """Why a step that changes production does not begin while the shared record is lost."""
    reason = view.state.apart.reason if view.state.apart is not None else ""
    text = (
        "Somebody else may have taken the run over: nothing that changes production begins before the shared record is "
        "reached again"
    )
    way = ", or you say that you alone drive (z)." if view.driving else "."
    return ink.paragraphs([text + way, reason], width)


def whole_run(view: View, width: int) -> list[Content] | None:
    """The run as a whole, where it has not begun or is over; None in between."""
    if view.state.status is RunStatus.NOT_STARTED:
        return overview.before(view, width)
    return overview.after(view, width) if view.state.status is RunStatus.FINISHED else None


def _title(view: View, step: StepState, width: int) -> list[Content]:
    sign = words.sign_of(step, view.state)
    took = step_time(view, step) if step.status in (StepStatus.RUNNING, StepStatus.SUCCEEDED) else ""
    word = f"waits for {view.person}" if sign is words.YOURS else sign.word
    right = ink.line((f"{sign.mark} {word}", sign.style), (f" {took}" if took else "", sign.style))
    ids = list(view.state.steps)
    facts = [f"step {ids.index(step.step.id) + 1} of {len(ids)}"]
    if step.step.planned is not None:
        facts.append(f"planned {words.planned(step.step.planned)}")
    if step.attempt > 1:
        facts.append(f"attempt {step.attempt}")
    confirmation = step.step.confirmation
    to_come = step.status in (StepStatus.WAITING, StepStatus.READY, StepStatus.ARMED)
    if confirmation is not None and to_come:
        asked = confirmation.strength is Strength.ASK
        facts.append("asks before it acts" if asked else f"acts only after “{confirmation.phrase}” is typed")
    lines = [ink.sides(ink.line((step.step.title, ink.STRONG)), right, width, gap=2)]
    lines += ink.wrapped(ink.line((" · ".join(facts), ink.QUIET)), width)
    if step.step.help and to_come:
        lines += ink.wrapped(ink.line((step.step.help, ink.QUIET)), width)
    return lines


def _waiting(view: View, step: StepState, width: int) -> list[Content]:
    missing = [view.state.steps[i].step.title for i in step.step.after if i in view.state.steps and not _over(view, i)]
    lines = ink.columns([("Waits for", ink.line(" · ".join(missing)))], width) if missing else []
    return [*lines, *_preview(step, width, gap=bool(lines))]


def _over(view: View, step_id: str) -> bool:
    return view.state.steps[step_id].over


def _preview(step: StepState, width: int, *, gap: bool = False) -> list[Content]:
    if step.preview is None:
        return []
    head = [ink.BLANK] if gap else []
    return [*head, ink.line(("What it will do", ink.STRONG)), *blocks.preview(step.preview, width)]


def _ready(view: View, step: StepState, width: int) -> list[Content]:
    if step.step.kind is StepKind.SIGNOFF:
        return _signature(view, step, width)
    if step.preview is not None:
        return _preview(step, width)
    if step.step.action is None:
        return ink.wrapped(ink.line("A person does this and ticks it."), width)
    if not view.started:
        return ink.wrapped(ink.line(("Nothing has been looked at yet.", ink.QUIET)), width)
    if step.step.confirmation is not None:
        who = "⏎ looks" if view.driving else f"{view.person} looks"
        text = f"{who} at what it would do, shows it, and only then asks for a yes. Looking changes nothing."
        return ink.wrapped(ink.line((text, ink.QUIET)), width)
    held = view.state.status is RunStatus.HELD
    waits = "The run is held: it does not start by itself. h resumes." if held else "It starts by itself."
    return [ink.line((waits, ink.QUIET))]


def _signature(view: View, step: StepState, width: int) -> list[Content]:
    signoff = view.state.signoffs.get(step.step.role or "")
    if signoff is None or signoff.given is None:
        return [*ink.wrapped(ink.line("Waits for the signature of this role."), width), *_void(signoff, width)]
    sign = words.DONE if signoff.given else words.FAILED
    verb = "Approved" if signoff.given else "Refused"
    text = ink.line((f"{sign.mark} {verb} by {signoff.name}", sign.style), f"  {words.at(signoff.at)}")
    how = ink.paragraphs([signoff.how], width, ink.QUIET) if signoff.how else []
    return [*ink.wrapped(text, width), *how, *ink.paragraphs([signoff.note] if signoff.note else [], width)]


def _void(signoff: SignOffState | None, width: int) -> list[Content]:
    """What was signed before and stands no more."""
    if signoff is None or signoff.void is None:
        return []
    text = f"What {signoff.void.name} signed is void: {signoff.void.reason}."
    return ink.wrapped(
        ink.line((text, ink.NOW)), width, first=ink.line((f"{words.WARNING.mark} ", words.WARNING.style))
    )


def _armed(view: View, step: StepState, width: int) -> list[Content]:
    who = f"by {step.yes.actor} at {words.at(step.yes.at)}" if step.yes is not None else ""
    text = f"Confirmed ahead {who}. It starts by itself when the steps before it are over and its facts still hold."
    first = ink.line((f"{words.ARMED.mark} ", words.ARMED.style))
    return [*ink.wrapped(ink.line(text), width, first=first), ink.BLANK, *_waiting(view, step, width)]


def _running(view: View, step: StepState, width: int) -> list[Content]:
    progress = view.progress(step)
    lines: list[Content] = []
    if step.stopping:
        point = progress.safe_point or "at its next safe point"
        lines += [ink.line((f"Stopping {point}. Until then it goes on.", ink.DANGER_STRONG)), ink.BLANK]
    if progress.text:
        lines += ink.wrapped(ink.line(progress.text), width)
    if progress.share is not None:
        room = min(width, blocks.NOTE_EDGE) - 6
        percent = ink.line((f" {round(progress.share * 100):3d} %", ink.NOW))
        lines.append(Content.assemble(ink.bar(progress.share, room), percent))
    parts = _parts(view, step, width)
    if parts:
        lines += [ink.BLANK, *parts]
    if progress.lines:
        lines += [ink.BLANK, *blocks.live(progress.lines, width)]
    if not parts and not progress.lines and step.preview is not None:
        lines += [ink.BLANK, *blocks.preview(step.preview, width)]
    return lines or [ink.line(("Under way.", ink.QUIET))]


def _parts(view: View, step: StepState, width: int) -> list[Content]:
    """The parts of the work as the preview lists them: done, at work, to come, with the times heard here."""
    heard = view.news.get(step.step.id)
    sections = step.preview.sections if step.preview is not None else ()
    listed = next((section.lines for section in sections if section.title == PARTS), ())
    if heard is None or not heard.part:
        return []
    timed = [(item.text, heard.seconds(number, view.now)) for number, item in enumerate(listed, 1)]
    return blocks.parts(timed, heard.part, width)


def _succeeded(view: View, step: StepState, width: int) -> list[Content]:
    if step.step.kind is StepKind.SIGNOFF:
        return _signature(view, step, width)
    lines: list[Content] = []
    if step.evidence is not None:
        lines += ink.wrapped(ink.line(step.evidence.summary), width)
    how = {"hand": "Done by hand", "probe": "Found done after an interruption"}.get(step.by, "")
    facts = [(label, ink.line(text)) for label, text in (("How", how), ("Note", step.note)) if text]
    facts.append(
        ("When", ink.line(f"{words.at(step.started_at, seconds=True)} – {words.at(step.ended_at, seconds=True)}"))
    )
    if step.accepted:
        facts.append(("Accepted", ink.line((f"! {step.accepted}", ink.NOW))))
    lines += [ink.BLANK, *ink.columns(facts, width)]
    if step.evidence is not None:
        lines += blocks.sections(step.evidence.sections, width)
    return lines


def _failed(view: View, step: StepState, width: int) -> list[Content]:
    failure = step.failure
    if failure is None:
        return []
    title = "Stopped, as asked" if failure.stopped else "What failed"
    what = [*ink.paragraphs([failure.message], width - 2), *ink.paragraphs(said_beside(failure), width - 2, ink.QUIET)]
    lines = blocks.labelled(title, words.sign_of(step, view.state), what, width)
    production = failure.production or "Not stated. Look before you go on."
    lines += [ink.BLANK, ink.line(("Production now", ink.STRONG))]
    lines += [Content.assemble("  ", part) for part in ink.paragraphs([production], width - 2)]
    return lines


def _uncertain(view: View, step: StepState, width: int) -> list[Content]:
    known = step.unknown or "It was started and its end is not in the record. Looking whether it was carried out…"
    what = [*ink.paragraphs([known], width - 2), *blocks.listed(step.unknown_lines, width - 2, {})]
    lines = blocks.labelled("Not known whether it was done", words.UNCERTAIN, what, width)
    started = f"It was started at {words.at(step.started_at, seconds=True)}. It is never repeated blindly."
    return [*lines, ink.BLANK, *ink.wrapped(ink.line((started, ink.QUIET)), width)]


def _skipped(view: View, step: StepState, width: int) -> list[Content]:
    reason = step.note or "No reason was given."
    return ink.columns([("Left out", ink.line(reason))], width)


def _ways(ways: Sequence[Way], width: int) -> list[Content]:
    rows = [(f"  {way.key}", _way(way)) for way in ways]
    lines: list[Content] = []
    for key, text in rows:
        lines += ink.wrapped(text, width, first=ink.line((f"{key}  ", f"bold {ink.IDENT}")))
    return lines


def _way(way: Way) -> Content:
    marked = ("  recommended", ink.GOOD) if way.recommended else ("", "")
    return ink.line(way.label, marked, (f"  {way.consequence}", ink.QUIET))


_BODIES: dict[StepStatus, Callable[[View, StepState, int], list[Content]]] = {
    StepStatus.WAITING: _waiting,
    StepStatus.READY: _ready,
    StepStatus.ARMED: _armed,
    StepStatus.RUNNING: _running,
    StepStatus.SUCCEEDED: _succeeded,
    StepStatus.FAILED: _failed,
    StepStatus.UNCERTAIN: _uncertain,
    StepStatus.SKIPPED: _skipped,
}
