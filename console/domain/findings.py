"""Findings: what the preflight sees before a release, each with how bad it is, how it is known and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


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
