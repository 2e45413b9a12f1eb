"""The findings of a preflight as text: the verdict first, then each with how it is known and what to do."""

from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import wrap

from console.domain.findings import Finding, Severity, go
from console.domain.untrusted import safe

_WIDTH = 100
_SIGNS = {Severity.BLOCKER: "✗", Severity.WARNING: "!", Severity.NOTE: "·"}


def findings_text(findings: Sequence[Finding]) -> str:
    """All findings in the given order, as lines of at most a hundred characters where words allow."""
    return "\n".join((_verdict(findings), *(safe(line) for finding in findings for line in _lines(finding))))


def _verdict(findings: Sequence[Finding]) -> str:
    counts = Counter(finding.severity for finding in findings)
    parts = [
        f"{counts[severity]} {severity}{'' if counts[severity] == 1 else 's'}"
        for severity in Severity
        if counts[severity]
    ]
    return f"{'GO' if go(findings) else 'NO-GO'}: {', '.join(parts) or 'nothing to say'}"


def _lines(finding: Finding) -> Iterator[str]:
    sign = _SIGNS[finding.severity]
    yield ""
    yield from wrap(f"{sign} {finding.message}", _WIDTH, subsequent_indent="  ")
    for mark, text in (("seen: ", finding.evidence), ("do:   ", finding.remedy)):
        if text:
            yield from wrap(f"  {mark}{text}", _WIDTH, subsequent_indent=" " * 8)
    yield f"  code: {finding.code}"
