"""The domain's dataclasses survive the way to JSON and back, also between consoles of different age."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.events import VERSION, Event, Kind
from console.domain.outcome import Evidence, Fact, Line, Preview, Reading, Section, Tone
from console.domain.wire import (
    GENESIS,
    WireError,
    decode_event,
    decode_evidence,
    decode_plan,
    decode_preview,
    encode_event,
    encode_evidence,
    encode_plan,
    encode_preview,
    frozen_digest,
    line_digest,
    plan_digest,
)
from tests.domain.plans import plan, release_plan, step

TEXT = st.text(max_size=20)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
LINES = st.lists(st.builds(Line, TEXT, TEXT, st.sampled_from(Tone)), max_size=3).map(tuple)
SECTIONS = st.lists(st.builds(Section, TEXT, LINES), max_size=2).map(tuple)
MAPPINGS = st.dictionaries(TEXT, JSON, max_size=3)
FACTS = st.lists(st.builds(Fact, TEXT, TEXT, st.sampled_from(Tone)), max_size=3).map(tuple)
LIMIT = st.none() | NUMBER
READINGS = st.lists(st.builds(Reading, TEXT, TEXT, st.sampled_from(Tone), LIMIT, LIMIT), max_size=3).map(tuple)


@given(st.builds(Preview, TEXT, FACTS, READINGS, LINES, SECTIONS, MAPPINGS))
def test_a_preview_survives_the_journal(preview: Preview) -> None:
    line = json.dumps(encode_preview(preview))
    assert decode_preview(json.loads(line)) == preview
    assert decode_preview(json.loads(line)).digest == preview.digest


@given(st.builds(Evidence, TEXT, MAPPINGS, SECTIONS))
def test_evidence_survives_the_journal(evidence: Evidence) -> None:
    assert decode_evidence(json.loads(json.dumps(encode_evidence(evidence)))) == evidence


@given(
    st.builds(
        Event,
        seq=st.integers(1, 10**6),
        at=st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)).map(
            lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
        ),
        run=TEXT,
        actor=TEXT,
        kind=st.sampled_from(Kind),
        step=st.none() | TEXT,
        data=MAPPINGS,
    )
)
def test_an_event_survives_its_line(event: Event) -> None:
    line = encode_event(event, GENESIS)
    assert b"\n" not in line
    assert decode_event(line) == (event, GENESIS)


def test_text_that_is_no_utf8_survives_its_line() -> None:
    """Bytes of a foreign log, decoded with surrogates, neither break the record nor change in it."""
    event = Event(1, datetime(2026, 1, 1, tzinfo=UTC), "r", "a", Kind.NOTE_ADDED, None, {"text": "\udc80\x00\u2028"})
    assert decode_event(encode_event(event, GENESIS))[0] == event


def test_a_line_looks_as_the_design_has_it() -> None:
    event = Event(
        41, datetime(2026, 2, 4, 20, 14, 3, 118000, UTC), "r", "ops@laptop", Kind.STEP_STARTED, "db", {"x": 1}
    )
    assert json.loads(encode_event(event, "abc")) == {
        "seq": 41,
        "at": "2026-02-04T20:14:03.118Z",
        "run": "r",
        "actor": "ops@laptop",
        "kind": "step.started",
        "step": "db",
        "data": {"x": 1},
        "v": VERSION,
        "prev": "abc",
    }


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"", "not a line of a journal"),
        (b"{}", "not a line of a journal"),
        (b"[1]", "not a line of a journal"),
        (b'{"seq":1,"at":"x","run":"r","actor":"a","kind":"note.added","prev":""}', "not a line of a journal"),
        (b'{"seq":1,"at":"2026-01-01T00:00:00Z","run":"r","actor":"a","kind":"never.heard","prev":""}', "never.heard"),
        (b'{"v":99}', "written by a newer console"),
    ],
)
def test_a_line_that_is_none_is_named(line: bytes, says: str) -> None:
    with pytest.raises(WireError, match=says):
        decode_event(line)


def test_numbers_that_are_none_never_reach_the_record() -> None:
    event = Event(1, datetime(2026, 1, 1, tzinfo=UTC), "r", "a", Kind.NOTE_ADDED, None, {"x": float("nan")})
    with pytest.raises(ValueError, match="Out of range"):
        encode_event(event, GENESIS)


def test_a_plan_survives_its_file() -> None:
    original = release_plan()
    assert decode_plan(encode_plan(original)) == original
    assert plan_digest(decode_plan(encode_plan(original))) == plan_digest(original)
    assert frozen_digest(encode_plan(original)) == plan_digest(original)


def test_the_plan_digest_tells_plans_apart() -> None:
    assert plan_digest(plan(step("a"))) != plan_digest(plan(step("a", params={"x": 1})))


def test_unknown_keys_are_ignored_and_missing_ones_take_their_default() -> None:
    """A newer console may have written more, an older one less."""
    assert decode_preview({"summary": "s", "colour": "red", "facts": [{"label": "l", "value": "v", "new": 1}]}) == (
        Preview("s", facts=(Fact("l", "v"),))
    )


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("text", "Preview must be an object"),
        ({}, "summary"),
        ({"summary": "s", "facts": "x"}, "Preview.facts: must be a list"),
        ({"summary": "s", "facts": [{"label": "l", "value": "v", "tone": "loud"}]}, "tone"),
    ],
)
def test_json_that_does_not_fit_is_named(value: object, says: str) -> None:
    with pytest.raises(WireError, match=says):
        decode_preview(value)  # type: ignore[arg-type]


LINE = {"seq": 1, "at": "2026-02-04T20:00:00.000Z", "run": "r", "actor": "a", "kind": "note.added", "prev": GENESIS}


@pytest.mark.parametrize(
    "wrong",
    [
        {"seq": "1"},
        {"seq": 1.5},
        {"at": "2026-02-04T20:00:00"},
        {"at": 7},
        {"run": None},
        {"actor": {}},
        {"step": 7},
        {"data": ["text"]},
        {"data": "text"},
        {"prev": None},
        {"kind": "note.eaten"},
        {"v": "new"},
    ],
    ids=str,
)
def test_a_line_that_is_no_event_is_no_line_of_a_journal(wrong: dict[str, object]) -> None:
    """Nothing guards the last line of a journal but this: whatever follows relies on it."""
    assert decode_event(json.dumps(LINE).encode())[0].seq == 1
    with pytest.raises(WireError, match="not a line of a journal"):
        decode_event(json.dumps({**LINE, **wrong}).encode())


def test_lines_are_chained_by_their_digest() -> None:
    assert line_digest(b"a") != line_digest(b"b")
    assert len(line_digest(b"")) == len(GENESIS)
