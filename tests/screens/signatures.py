"""Moments around signatures: given by voice and from afar, void, not accepted, and four eyes."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from console.domain.events import Kind
from console.domain.outcome import Evidence
from console.domain.wire import encode_evidence
from tests.screens.moments import COMMIT, Moment, log_of, to_tests
from tests.screens.plan import plan_020
from tests.screens.story import Story

LOGINS = {"owner": "petra", "devops": "", "qa": "ines", "product": "bo"}
BOUND = {"plan": "5f0c9a1e77b24c01", "commit": COMMIT}
REASON = (
    "It was given for 26c5a9f, and what is released now is 9f31c07. "
    "Look at the run again, then sign what stands there now."
)


def shared_story() -> Story:
    """A run whose roles have logins and whose plan asks for four eyes, up to its signatures."""
    plan = plan_020()
    signoffs = tuple(replace(each, login=LOGINS[each.role]) for each in plan.signoffs)
    shared = replace(plan, signoffs=signoffs, four_eyes=True, journal_url_source="env:JOURNAL")
    story = to_tests(Story(shared).begin())
    for step in (each.id for each in plan.steps if each.id.startswith(("test.", "monitor."))):
        story.run(step, 30)
    for criterion in ("kpis", "leads", "accounts", "logs"):
        story.tell(Kind.CRITERION_MET, criterion=criterion, evidence="checks pass")
    return story.wait(90)


def signed_from_afar(*keys: str) -> Moment:
    """One signed from her own machine, one by voice; one from afar was not accepted."""
    story = shared_story()
    by_login = {"by_voice": False, "login": "petra", "inbox": 3}
    story.tell(Kind.SIGNOFF_GIVEN, role="owner", name="Petra Lindqvist", note="counts compared", **by_login, **BOUND)
    story.wait(40).tell(Kind.SIGNOFF_GIVEN, role="devops", name="Sam Adeyemi", note="", by_voice=True, **BOUND)
    text = f"Not accepted: the signature of ines as qa (Ines Roth). {REASON}"
    story.wait(12).tell(Kind.NOTE_ADDED, text=text, inbox=4, role="qa", login="ines", reason=REASON)
    return Moment(story.wait(30).state, story.now, (), log_of(story.now), keys)


def void(*keys: str) -> Moment:
    """All have signed; then another commit is what is released, and all of it is void."""
    story = shared_story()
    for role, name in (("owner", "Petra Lindqvist"), ("devops", "Sam Adeyemi")):
        story.wait(40).tell(Kind.SIGNOFF_GIVEN, role=role, name=name, note="", by_voice=True, **BOUND)
    evidence = encode_evidence(Evidence("Pushed by hand", {"commit": "77aa01b" + "0" * 33}))
    story.wait(60).tell(Kind.STEP_SUCCEEDED, "code.push", evidence=evidence, by="hand", note="x", accepted="")
    for role in ("owner", "devops"):
        story.tell(Kind.SIGNOFF_VOID, role=role, reason="it was given for another commit than 77aa01b")
    return Moment(story.wait(9).state, story.now, (), log_of(story.now), keys)


SIGNATURES: Mapping[str, Callable[[], Moment]] = {
    "signoff-shared": lambda: signed_from_afar("s"),
    "signoff-four-eyes": lambda: signed_from_afar("s", "enter"),
    "signoff-void": lambda: void("s"),
    "signoff-void-run": void,
    "signoff-by-login": lambda: signed_from_afar("s", "up", "up"),
}
