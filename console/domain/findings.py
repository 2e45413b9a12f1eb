"""Findings: what the preflight sees before a release, each with how bad it is, how it is known and what to do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from console.domain.events import Draft, Kind
from console.domain.plan import Json
from console.domain.state import FindingState, RunState

EXCEPTION = "criterion:"
"""How the code of a named exception from a criterion begins; no preflight finds such a thing."""


class Severity(StrEnum):
    """BLOCKER: no-go. WARNING: go only knowingly. NOTE: worth knowing."""

    BLOCKER = "blocker"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of the preflight.

    `code` names it (family first, `services.branch.backend`) and is the same as long as the cause is; `message` is one
    sentence, `evidence` what was seen, `remedy` what to do about it.
    """

    code: str
    severity: Severity
    message: str
    evidence: str = ""
    remedy: str = ""


def go(findings: Iterable[Finding]) -> bool:
    """Whether nothing among them is a blocker."""
    return all(finding.severity is not Severity.BLOCKER for finding in findings)


def by_severity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Blockers first, then warnings, then notes; otherwise in the given order."""
    rank = {severity: place for place, severity in enumerate(Severity)}
    return tuple(sorted(findings, key=lambda finding: rank[finding.severity]))


def news(state: RunState, found: Sequence[Finding]) -> tuple[Draft, ...]:
    """The events that a look adds to the record: what is new or changed, and what is no longer so.

    What was found before and overridden stays overridden as long as its severity and its message are the same.
    """
    codes = {finding.code for finding in found}
    gone = [code for code in state.findings if code not in codes and not code.startswith(EXCEPTION)]
    fresh = [finding for finding in found if _differs(state.findings.get(finding.code), finding)]
    return (
        *(Draft(Kind.FINDING_CLEARED, data={"code": code}) for code in gone),
        *(Draft(Kind.FINDING_RECORDED, data=_data(finding)) for finding in fresh),
    )


def _differs(known: FindingState | None, finding: Finding) -> bool:
    return known is None or (known.severity, known.message) != (finding.severity.value, finding.message)


def _data(finding: Finding) -> dict[str, Json]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "evidence": finding.evidence,
        "remedy": finding.remedy,
    }
