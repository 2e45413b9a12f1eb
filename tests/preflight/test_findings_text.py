"""The findings as text: the verdict, then what was seen and what to do."""

from console.domain.findings import Finding, Severity, by_severity, go
from console.report.findings_text import findings_text

FINDINGS = (
    Finding("a.note", Severity.NOTE, "Worth knowing."),
    Finding("b.stop", Severity.BLOCKER, "It cannot be done. " * 8, "what was seen", "what to do"),
    Finding("c.mind", Severity.WARNING, "Mind this."),
)


def test_blockers_come_first_and_decide() -> None:
    assert [finding.code for finding in by_severity(FINDINGS)] == ["b.stop", "c.mind", "a.note"]
    assert not go(FINDINGS)
    assert go(FINDINGS[:1])
    assert go(())


def test_the_text_says_go_or_no_go_and_everything_that_was_found() -> None:
    text = findings_text(by_severity(FINDINGS))
    assert text.splitlines()[0] == "NO-GO: 1 blocker, 1 warning, 1 note"
    assert "  seen: what was seen\n  do:   what to do\n  code: b.stop" in text
    assert all(len(line) <= 100 for line in text.splitlines())
    assert findings_text(FINDINGS[:1]).startswith("GO: 1 note\n")
    assert findings_text(()) == "GO: nothing to say"
