"""The parts that previews, evidence and failures are made of: facts, readings, consequences, sections."""

from collections.abc import Iterable, Sequence

from textual.content import Content

from console.domain.outcome import Fact, Line, Preview, Reading, Section, Tone
from screens.paint import ink, words

_MARKS = {Tone.WARNING: ("! ", ink.NOW_STRONG), Tone.DANGER: ("! ", ink.DANGER_STRONG)}
_DONE_MARKS = _MARKS | {Tone.GOOD: ("✔ ", ink.GOOD)}
_STYLES = {
    Tone.PLAIN: ink.PLAIN,
    Tone.GOOD: ink.PLAIN,
    Tone.QUIET: ink.QUIET,
    Tone.WARNING: ink.NOW,
    Tone.DANGER: ink.DANGER,
}
NOTE_EDGE = 110
"""Notes stand at the right edge, but never farther out than this: the eye has to find the way."""


def facts(items: Sequence[Fact], width: int) -> list[Content]:
    """What must still hold when the step acts: labels and values."""
    return ink.columns(((fact.label, _toned(fact.value, fact.tone)) for fact in items), width)


def readings(items: Sequence[Reading], width: int) -> list[Content]:
    """What moves while one looks, with the limit that a yes accepts."""
    return ink.columns(((reading.label, _reading(reading)) for reading in items), width)


def _reading(reading: Reading) -> Content:
    value = _toned(reading.value, reading.tone)
    if reading.limit is None:
        return value
    return Content.assemble(value, ink.line((f"   a yes accepts up to {reading.limit:g}", ink.NOW)))


def _toned(text: str, tone: Tone) -> Content:
    mark = _DONE_MARKS.get(tone)
    return ink.line(*((mark,) if mark else ()), (text, _STYLES[tone]))


def consequences(items: Sequence[Line], width: int) -> list[Content]:
    """What changes in production, a line or more each, wrapped in full."""
    result: list[Content] = []
    for item in items:
        mark = _MARKS.get(item.tone, ("• ", ink.QUIET))
        text = ink.line((item.text, _STYLES[item.tone]), (f"  {item.note}" if item.note else "", ink.QUIET))
        result.extend(ink.wrapped(text, width, first=ink.line(mark)))
    return result


def section(item: Section, width: int, *, done: bool = False) -> list[Content]:
    """A titled list. `done` marks what was achieved."""
    marks = _DONE_MARKS if done else _MARKS
    return [ink.fit(ink.heading(item.title), width), *listed(item.lines, width, marks)]


def live(items: Sequence[Line], width: int) -> list[Content]:
    """What a running step says beside its progress."""
    return listed(items, width, _DONE_MARKS)


def parts(items: Sequence[tuple[str, float | None]], now: int, width: int) -> list[Content]:
    """Texts and seconds: those before number `now` are done, that one is at work, the others are to come."""
    result: list[Content] = []
    for number, (text, seconds) in enumerate(items, 1):
        sign = words.DONE if number < now else words.RUNNING if number == now else words.OPEN
        style = ink.PLAIN if number < now else ink.STRONG if number == now else ink.QUIET
        left = ink.line((f"{sign.mark} ", sign.style), (text, style))
        time = words.fine(seconds) if seconds is not None and number <= now else ""
        right = ink.line((time, ink.NOW if number == now else ink.QUIET))
        result.append(ink.sides(left, right, min(width, NOTE_EDGE), gap=2))
    return result


def listed(items: Iterable[Line], width: int, marks: dict[Tone, tuple[str, str]]) -> list[Content]:
    """Lines in full with a sign before them; the note stands at the right where it fits, else below."""
    result: list[Content] = []
    edge = min(width, NOTE_EDGE)
    for item in items:
        text = ink.line((item.text, _STYLES[item.tone]))
        mark = ink.line(marks.get(item.tone, ("  ", "")))
        note = ink.line((item.note, ink.QUIET))
        if mark.cell_length + text.cell_length + note.cell_length + 2 <= edge:
            result.append(ink.sides(Content.assemble(mark, text), note, edge, gap=2))
            continue
        result.extend(ink.wrapped(text, edge, first=mark))
        if item.note:
            result.extend(ink.wrapped(note, edge, first=" " * (mark.cell_length + 2)))
    return result


def preview(item: Preview, width: int) -> list[Content]:
    """A whole preview: summary, consequences, readings, sections, and the facts that the yes is bound to."""
    result = ink.wrapped(ink.line(item.summary), width)
    if item.consequences:
        result += [ink.BLANK, *consequences(item.consequences, width)]
    if item.readings:
        result += [ink.BLANK, ink.heading("Right now"), *readings(item.readings, width)]
    for part in item.sections:
        result += [ink.BLANK, *section(part, width)]
    if item.facts:
        result += [ink.BLANK, ink.heading("Must still hold then"), *facts(item.facts, width)]
    return result


def sections(items: Sequence[Section], width: int) -> list[Content]:
    """What a finished step left behind."""
    result: list[Content] = []
    for part in items:
        result += [ink.BLANK, *section(part, width, done=True)]
    return result


def labelled(title: str, sign: words.Sign, lines: Sequence[Content], width: int) -> list[Content]:
    """A block of lines under a title that carries a sign."""
    return [
        *ink.wrapped(ink.line((f"{sign.mark} {title}", sign.style)), width),
        *(Content.assemble("  ", line) for line in lines),
    ]
