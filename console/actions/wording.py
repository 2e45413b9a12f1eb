"""How actions write down commits, files, durations and sizes in previews, evidence and errors."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from console.domain.outcome import Line, Section, Tone
from console.domain.source import Commit, FileChange

_CHANGES = {"A": "new", "M": "changed", "D": "deleted", "R": "renamed"}
_TONES = {"A": Tone.GOOD, "D": Tone.WARNING}


def short(commit: str) -> str:
    """The first seven digits of a hash; a remark where there is none."""
    return commit[:7] if commit else "(no commit)"


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 row`, `2 rows`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def quoted(value: str | None) -> str:
    """A value of a column, so that nothing, emptiness and a word can be told apart."""
    return "NULL" if value is None else value if value.strip() == value != "" else f"“{value}”"


def lasting(seconds: float) -> str:
    """A duration as people say it: `4.2 s`, `3 min 05 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def size(octets: int) -> str:
    """A size as people say it: `812 kB`, `0.14 GB`."""
    if octets < 1_000_000:
        return f"{octets / 1000:,.0f} kB"
    return f"{octets / 1e6:,.1f} MB" if octets < 1e8 else f"{octets / 1e9:,.2f} GB"


def at(moment: datetime) -> str:
    """A time of day, UTC."""
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`; `none` when there are none."""
    items = list(names)
    if len(items) < 2:
        return items[0] if items else "none"
    return f"{', '.join(items[:-1])} and {items[-1]}"


def commit_lines(commits: Sequence[Commit]) -> tuple[Line, ...]:
    """A line a commit: hash and subject, author beside it."""
    return tuple(Line(f"{commit.short} {commit.subject}", note=commit.author) for commit in commits)


def commit_section(title: str, commits: Sequence[Commit]) -> tuple[Section, ...]:
    """A section of commits; nothing at all when there are none."""
    return (Section(title, commit_lines(commits)),) if commits else ()


def file_section(files: Sequence[FileChange], declared: Sequence[str], title: str = "Files") -> Section:
    """A section of changed files; those that the plan does not declare stand out."""
    return Section(title, tuple(_file_line(change, change.path in declared) for change in files))


def _file_line(change: FileChange, declared: bool) -> Line:
    what = _CHANGES.get(change.change, change.change)
    note = f"{what} +{change.added} −{change.removed}"
    if not declared:
        return Line(change.path, note=f"{note}, not declared by the plan", tone=Tone.DANGER)
    return Line(change.path, note=note, tone=_TONES.get(change.change, Tone.PLAIN))
