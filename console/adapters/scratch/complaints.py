"""What `pg_restore` complains of: what cannot be proven on this server, and what is wrong with the backup.

A missing extension, role or collation says something about the scratch server, and so does everything that fails
because of it. Anything else is held against the backup.
"""

import re
from dataclasses import dataclass

_ERROR = re.compile(r"^pg_restore: error: (?P<text>.*)$")
# "… TABLE accounts crm_owner", "… EXTENSION citext (no owner)": the owner says nothing here.
_FROM_ENTRY = re.compile(r"^pg_restore: from TOC entry \d+; \d+ \d+ (?P<what>.+?) (?:\(no owner\)|\S+)$")
_QUERY = re.compile(r"could not execute query: ERROR:\s*(?P<text>.*)$")
_COPY = re.compile(r'COPY failed for (?:relation|table) "(?P<table>[^"]+)": ERROR:\s*(?P<text>.*)$')

_NOT_HERE = (
    re.compile(r'extension "(?P<name>[^"]+)" is not available'),
    re.compile(r"could not open extension control file .*/(?P<name>[^/\"]+)\.control"),
    re.compile(r'could not (?:access file|load library) "(?P<name>[^"]+)"'),
    re.compile(r'role "(?P<name>[^"]+)" does not exist'),
    re.compile(r"(?P<name>ICU) is not supported in this build"),
    re.compile(r'collation "(?P<name>[^"]+)" for encoding .* does not exist'),
    re.compile(r'unrecognized configuration parameter "(?P<name>[^"]+)"'),
    re.compile(r'access method "(?P<name>[^"]+)" does not exist'),
)
_CONSEQUENCE = re.compile(r"does not exist|cannot be implemented|must be installed")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One error: what `pg_restore` said, and which entry of the archive it was about (empty: the archive itself)."""

    text: str
    entry: str

    @property
    def about_query(self) -> bool:
        """The server refused a statement or rows; otherwise the archive could not be read."""
        return _QUERY.search(self.text) is not None or _COPY.search(self.text) is not None

    @property
    def missing(self) -> str:
        """What this server lacks by this complaint's own words, empty when it does not say so."""
        for pattern in _NOT_HERE:
            if found := pattern.search(self.text):
                return found["name"]
        return ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`unproven` names what this server cannot show; `faults` are complaints about the backup; `damaged` reading it."""

    unproven: tuple[str, ...]
    faults: tuple[str, ...]
    damaged: tuple[str, ...]


def complaints(lines: tuple[str, ...]) -> tuple[Complaint, ...]:
    """The errors among the lines that `pg_restore` wrote."""
    found: list[Complaint] = []
    entry = ""
    for line in lines:
        if about := _FROM_ENTRY.match(line):
            entry = about["what"]
        elif error := _ERROR.match(line):
            # An entry is named with its first error only.
            found.append(Complaint(error["text"], entry))
    return tuple(found)


def judge(found: tuple[Complaint, ...], *, whole: bool = False, lenient: tuple[str, ...] = ()) -> Verdict:
    """What the complaints mean, taken together.

    With `whole`, what the server lacks is a fault too: it must hold everything. `lenient` names kinds of entries
    (`ACL` …) whose failing is never a fault.
    """
    lacking = not whole and any(complaint.missing for complaint in found)
    kinds = tuple(f"{kind} " for kind in lenient)
    unproven: list[str] = []
    faults: list[str] = []
    damage: list[str] = []
    for complaint in found:
        if complaint.missing and (complaint.entry.startswith(kinds) or not whole):
            unproven.append(_unproven(complaint, f"needs {complaint.missing}, which this server lacks"))
        elif not complaint.about_query:
            damage.append(complaint.text)
        elif lacking and _CONSEQUENCE.search(complaint.text):
            unproven.append(_unproven(complaint, "rests on what this server lacks"))
        elif complaint.entry.startswith(kinds):
            unproven.append(_unproven(complaint, _reason(complaint.text)))
        else:
            faults.append(f"{complaint.entry}: {_reason(complaint.text)}" if complaint.entry else complaint.text)
    return Verdict(tuple(dict.fromkeys(unproven)), tuple(faults), tuple(damage))


def _unproven(complaint: Complaint, why: str) -> str:
    return f"{_named(complaint)}: {why}"


def _named(complaint: Complaint) -> str:
    if table := _COPY.search(complaint.text):
        return f"rows of table {table['table']}"
    if not complaint.entry:
        return _reason(complaint.text)
    return complaint.entry


def _reason(text: str) -> str:
    for pattern in (_QUERY, _COPY):
        if found := pattern.search(text):
            return found["text"]
    return text
