"""Folding many events at once gives what folding them one by one gives, whatever replaces what."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from console.domain.events import Event, Kind
from console.domain.fold import apply, fold, initial
from console.domain.plan import Json
from tests.domain.history import BEGIN
from tests.domain.plans import plan, step

PLAN = plan(step("a"), step("b", after=("a",)), step("c"))

PREVIEW: dict[str, Json] = {"summary": "It does it.", "facts": [{"label": "tip", "value": "abc"}]}


def about_steps() -> st.SearchStrategy[tuple[Kind, str | None, dict[str, Json]]]:
    """Events of a step, in any order: a record may hold what no driver would write today."""
    words = st.sampled_from(["", "one", "two"])
    return st.one_of(
        st.tuples(
            st.just(Kind.STEP_PROGRESSED),
            st.sampled_from("abc"),
            st.fixed_dictionaries({"text": words, "share": st.sampled_from([None, 0.5]), "data": st.just({"row": 1})}),
        ),
        st.tuples(
            st.just(Kind.STEP_PREVIEWED),
            st.sampled_from("abc"),
            st.fixed_dictionaries({"digest": words, "preview": st.just(PREVIEW)}),
        ),
        st.tuples(
            st.sampled_from([Kind.STEP_STARTED, Kind.STEP_SUCCEEDED, Kind.STEP_FAILED, Kind.STEP_CONFIRMED]),
            st.sampled_from("abc"),
            st.fixed_dictionaries({"message": words, "digest": words}),
        ),
        st.tuples(
            st.sampled_from([Kind.STEP_REOPENED, Kind.STEP_UNCERTAIN, Kind.STEP_TICKED, Kind.STEP_SKIPPED]),
            st.sampled_from("abc"),
            st.fixed_dictionaries({"reason": words, "with": st.sampled_from([[], ["b"], ["a", "c"]])}),
        ),
    )


def about_the_run() -> st.SearchStrategy[tuple[Kind, str | None, dict[str, Json]]]:
    """Alerts that come and go, deploys, notes."""
    alert = st.fixed_dictionaries({"alert": st.sampled_from("xyz"), "message": st.text(max_size=2)})
    return st.one_of(
        st.tuples(st.sampled_from([Kind.ALERT_RAISED, Kind.ALERT_CLEARED]), st.none(), alert),
        st.tuples(
            st.just(Kind.DEPLOY_OBSERVED),
            st.none(),
            st.fixed_dictionaries({"service": st.sampled_from(["web", "api"]), "status": st.text(max_size=2)}),
        ),
        st.tuples(st.sampled_from([Kind.NOTE_ADDED, Kind.RUN_STARTED]), st.none(), st.just({"text": "n"})),
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(about_steps(), about_the_run()), max_size=25))
def test_at_once_is_one_by_one(told: list[tuple[Kind, str | None, dict[str, Json]]]) -> None:
    events = [
        Event(seq, BEGIN + timedelta(seconds=seq), "r1", "ops@laptop", kind, about, data)
        for seq, (kind, about, data) in enumerate(told, start=1)
    ]
    state = initial(PLAN)
    for event in events:
        state = apply(state, event)
    at_once = fold(PLAN, events)
    assert at_once == state
    for name in ("alerts", "deploys"):
        assert list(getattr(at_once, name)) == list(getattr(state, name)), "in the order in which they first came"
