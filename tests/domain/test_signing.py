"""Signatures by voice and from the signer's own machine: who may sign, what they are bound to, what makes them void."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from console.domain import intents as i
from console.domain.events import Draft, Kind
from console.domain.outcome import Evidence
from console.domain.plan import Json, Plan
from console.domain.shared import Received, Signature
from console.domain.signing import drove, may_not_sign, not_accepted, sign_from_afar
from console.domain.state import StepStatus
from console.domain.wire import encode_evidence, plan_digest
from console.errors import Refused
from tests.domain.history import History, over, pushed
from tests.domain.plans import release_plan

AT = datetime(2026, 2, 4, 21, 0, tzinfo=UTC)
LOGINS = {"owner": "petra", "qa": "grace"}


def shared_plan(*, four_eyes: bool = False) -> Plan:
    """The release plan with a login for each role."""
    plan = release_plan()
    signoffs = tuple(replace(each, login=LOGINS[each.role]) for each in plan.signoffs)
    return replace(plan, signoffs=signoffs, journal_url_source="env:JOURNAL", four_eyes=four_eyes)


def driven(*, four_eyes: bool = False, actor: str = "ops@laptop", name: str = "") -> History:
    """A run of it, up to the signatures, driven by somebody."""
    history = History(shared_plan(four_eyes=four_eyes))
    joins(history, actor, name)
    return over(history)


def joins(history: History, actor: str, name: str = "") -> History:
    """Somebody drives from here on."""
    data: dict[str, Json] = {"actor": actor, "host": actor.partition("@")[2], "pid": 7}
    return history.append(Draft(Kind.DRIVER_JOINED, data=data | ({"name": name} if name else {})))


def signature(
    history: History,
    *,
    number: int = 1,
    role: str = "qa",
    login: str = "grace",
    name: str = "Grace",
    approve: bool = True,
    note: str = "",
    plan: str = "",
    commit: str = "c" * 40,
) -> Signature:
    """A signature in the inbox, of what stands there now unless told otherwise."""
    return Signature(number, "r1", login, role, name, approve, note, plan or plan_digest(history.plan), commit, AT)


def test_a_signature_from_afar_is_recorded_with_its_login_and_its_number() -> None:
    history = driven()
    history.append(*sign_from_afar(history.state, signature(history, number=12, note="reports compared")))
    signed = history.state.signoffs["qa"]
    assert (signed.given, signed.name, signed.note) == (True, "Grace", "reports compared")
    assert (signed.plan, signed.commit) == (plan_digest(history.plan), "c" * 40)
    assert (signed.login, signed.by_voice, signed.how) == ("grace", False, "signed as grace")
    assert history.step("sign.qa").status is StepStatus.SUCCEEDED
    assert history.state.received == {12: Received(history.state.seq, "qa", "grace")}


def test_it_is_recorded_once_however_often_it_is_taken() -> None:
    history = driven()
    twice = signature(history)
    history.append(*sign_from_afar(history.state, twice))
    assert sign_from_afar(history.state, twice) == ()
    assert not_accepted(history.state, twice, "too late") == ()


def test_one_by_voice_says_who_recorded_it() -> None:
    history = driven().ask(i.Sign("qa", "Grace", approve=True))
    assert history.state.signoffs["qa"].how == "by voice, recorded by ops@laptop"
    history.ask(i.Sign("owner", "Petra", approve=False, note="too slow"))
    assert history.state.signoffs["owner"].how == "by voice, recorded by ops@laptop"


def test_the_rehearsals_own_signature_is_neither() -> None:
    history = over(History(shared_plan(four_eyes=True), rehearsal=True))
    history.ask(i.Sign("qa", "rehearsal:qa", approve=True, by_voice=False))
    assert (history.state.signoffs["qa"].given, history.state.signoffs["qa"].how) == (True, "")


def test_a_refusal_from_afar_fails_the_step_until_the_role_signs() -> None:
    history = driven()
    history.append(*sign_from_afar(history.state, signature(history, approve=False, note="KPIs are off")))
    assert history.step("sign.qa").status is StepStatus.FAILED
    assert history.state.signoffs["qa"].how == "signed as grace"
    history.append(*sign_from_afar(history.state, signature(history, number=2)))
    assert history.step("sign.qa").status is StepStatus.SUCCEEDED


Make = Callable[[], History]
OTHERS: list[tuple[str, Make, dict[str, object], str]] = [
    ("a role of nobody", driven, {"role": "ceo"}, "no signature of ceo"),
    ("another's login", driven, {"login": "mallory"}, "another login than mallory"),
    ("a login in other letters", driven, {"login": "Grace"}, "another login than Grace"),
    ("another plan", driven, {"plan": "d" * 64}, "another plan"),
    ("another commit", driven, {"commit": "d" * 40}, "given for ddddddd, and what is released now is ccccccc"),
    ("a commit before there was one", driven, {"commit": ""}, "given for no commit"),
    ("no name", driven, {"name": " "}, "needs a name"),
    ("a rehearsal's name", driven, {"name": "rehearsal:qa"}, "rehearsals only"),
    ("a refusal without words", driven, {"approve": False}, "needs a reason"),
    ("an endless name", driven, {"name": "G" * 201}, "at most 200"),
    ("endless words", driven, {"note": "G" * 2001}, "2000"),
    ("too early", lambda: pushed(joins(History(shared_plan()), "ops@laptop")), {}, "signs when the steps"),
    ("in an incident", lambda: driven().ask(i.DeclareIncident("errors")), {}, "An incident is open"),
    ("twice", lambda: driven().ask(i.Sign("qa", "Grace", approve=True)), {}, "already signed"),
    ("in a closed run", lambda: driven().ask(i.Finish("failed", "enough")), {}, "is closed"),
    ("by the driver's login", lambda: driven(four_eyes=True, actor="grace@desk"), {}, "grace has driven this run"),
    ("by the driver's name", lambda: driven(four_eyes=True, actor="gh@desk", name="Grace Hopper"),
     {"name": "grace  hopper"}, "grace  hopper has driven"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "other", "says"), [row[1:] for row in OTHERS], ids=[row[0] for row in OTHERS])
def test_not_accepted(make: Make, other: dict[str, object], says: str) -> None:
    history = make()
    with pytest.raises(Refused, match=says):
        sign_from_afar(history.state, replace(signature(history), **other))  # type: ignore[arg-type] # a table of fields


def test_a_role_without_login_signs_by_voice_only() -> None:
    history = over(History(release_plan()))
    with pytest.raises(Refused, match="names no login for QA lead"):
        sign_from_afar(history.state, signature(history))
    assert history.ask(i.Sign("qa", "Grace", approve=True)).state.signoffs["qa"].given


def test_what_is_not_accepted_is_noted_once_with_the_reason() -> None:
    history = driven()
    refused = signature(history, number=4, login="mallory")
    history.append(*not_accepted(history.state, refused, "It is another login."))
    assert "Not accepted: the signature of mallory as qa (Grace). It is another login." in history.state.notes[-1].text
    assert history.state.received == {4: Received(history.state.seq, "qa", "mallory", "It is another login.")}
    assert history.state.signoffs["qa"].given is None
    assert not_accepted(history.state, refused, "It is another login.") == ()
    assert sign_from_afar(history.state, refused) == ()


class TestFourEyes:
    @pytest.mark.parametrize("name", ["ops", "OPS", " Ops ", "ops@laptop", "O p s", "Ada Lovelace", "ada.lovelace"])
    def test_the_drivers_own_name_is_refused_by_voice(self, name: str) -> None:
        history = driven(four_eyes=True, name="Ada Lovelace")
        with pytest.raises(Refused, match="Four eyes are asked for") as refused:
            history.ask(i.Sign("qa", name, approve=True))
        assert refused.value.remedy == "Let somebody else sign as QA lead, who has not driven it."
        with pytest.raises(Refused, match="Four eyes are asked for"):
            history.ask(i.Sign("qa", name, approve=False, note="no"))

    def test_everybody_who_has_driven_is_a_driver(self) -> None:
        history = joins(driven(four_eyes=True), "ben@desk")
        with pytest.raises(Refused, match="ops has driven this run"):
            history.ask(i.Sign("qa", "ops", approve=True))
        assert history.state.drivers == ("ops@laptop", "ben@desk")
        assert drove(joins(history, "ben@desk").state.drivers, "nobody", "Ben") == "Ben"
        assert history.state.drivers == ("ops@laptop", "ben@desk")

    def test_the_drivers_own_login_of_the_shared_record_signs_nothing(self) -> None:
        history = driven(four_eyes=True, actor="root@vm")
        history.happen(Kind.DRIVER_JOINED, actor="root@vm", host="vm", pid=8, login="grace")
        with pytest.raises(Refused, match="grace has driven this run"):
            sign_from_afar(history.state, signature(history, name="G. H."))
        assert history.state.drivers == ("root@vm", "grace")

    def test_others_sign(self) -> None:
        history = driven(four_eyes=True).ask(i.Sign("qa", "Grace", approve=True))
        history.append(*sign_from_afar(history.state, signature(history, role="owner", login="petra", name="Petra")))
        assert all(each.given for each in history.state.signoffs.values())

    def test_without_the_policy_the_driver_signs(self) -> None:
        assert driven().ask(i.Sign("qa", "ops", approve=True)).state.signoffs["qa"].given

    def test_a_signature_is_void_once_whoever_gave_it_drives(self) -> None:
        history = driven(four_eyes=True)
        history.append(*sign_from_afar(history.state, signature(history, name="G. Hopper")))
        joins(history, "grace@desk")
        signoff = history.state.signoffs["qa"]
        assert signoff.given is None
        assert signoff.void is not None
        assert signoff.void.reason == "four eyes are asked for, and grace has driven this run"
        assert history.step("sign.qa").status is StepStatus.READY


def test_one_from_afar_is_void_when_another_commit_is_released() -> None:
    history = driven()
    history.append(*sign_from_afar(history.state, signature(history)))
    evidence = encode_evidence(Evidence("pushed by hand", {"commit": "d" * 40}))
    history.happen(Kind.STEP_SUCCEEDED, "push", evidence=evidence, by="hand", note="", accepted="")
    void = history.state.signoffs["qa"].void
    assert void is not None
    assert (void.name, void.reason) == ("Grace", "it was given for another commit than ddddddd")
    assert [each.step.id for each in history.state.attention][:1] == ["sign.owner"]
    assert history.step("sign.qa").status is StepStatus.READY
    with pytest.raises(Refused, match="given for ccccccc, and what is released now is ddddddd"):
        sign_from_afar(history.state, signature(history, number=2))
    history.append(*sign_from_afar(history.state, signature(history, number=3, commit="d" * 40)))
    assert history.state.signoffs["qa"].void is None


def test_whether_somebody_could_sign_is_known_beforehand() -> None:
    early = may_not_sign(pushed(History(shared_plan())).state, "qa")
    assert early is not None
    assert "signs when the steps before it are over" in early.message
    assert may_not_sign(driven().state, "qa") is None
