"""The incident's papers: what the record says, in Markdown that nobody else can write into."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from console.domain import intents as i
from console.domain.events import Kind
from console.domain.fold import initial
from console.domain.plan import Json
from console.domain.standing import Way
from console.domain.untrusted import one_line
from console.report.incident import documents
from console.report.markdown import TO_FILL_IN, code, lasting, stamped, table, words
from tests.domain.history import BEGIN, History
from tests.domain.incidents import channel_plan, choose, declared, go, tell

PAPERS = Path(__file__).parent / "papers"
EVIL = (
    "# Heading\n- [ ] box\n| cell | x [link](http://e.example) ![i](http://e.example/i.png) <b>x</b> <!-- "
    "**b** _e_ `c` ~~s~~ &lt; http://e.example $x$ \x1b[2J"
)


def gone_back() -> History:
    """Two ways: the first given up at the push, the second gone to its end; one channel was down at first."""
    history = go(choose(declared(), Way.SCHEMA), until="revert")
    tell(history, "declared:1", board="the channel refused it (HTTP 503)")
    history.fail("back.push", "the branch moved").ask(i.DropWay("somebody else pushed"))
    go(choose(history, Way.DATABASE)).ask(i.Note("the office was told by voice"))
    tell(history, "turned:2")
    history.ask(i.PlanPostmortem("back2.postmortem", "Ada", "2026-02-11"))
    return history.ask(i.CloseIncident("all is as before")).ask(i.Finish("rolled_back", "database back"))


def papers(history: History) -> dict[str, str]:
    return dict(documents(history.state, history.now))


def section(paper: str, title: str) -> list[str]:
    """The lines of a section that say something."""
    lines = paper.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0].splitlines()
    return [line for line in lines if line]


@pytest.mark.parametrize("name", ["incident-summary.md", "post-mortem.md"])
def test_the_papers_of_a_rollback_read_as_they_are_kept(name: str) -> None:
    assert papers(gone_back())[name] == (PAPERS / name).read_text(encoding="utf-8")


def test_an_incident_that_goes_on_has_no_end_and_says_what_users_notice() -> None:
    history = declared()
    summary = papers(history)["incident-summary.md"]
    assert "- **Status:** open" in summary
    assert "until now: 1 min 45 s at 2026-02-04 20:01:58 UTC" in summary
    assert f"- What users noticed: Parts of the application may fail or show errors. {TO_FILL_IN}" in summary
    assert section(summary, "What was done") == ["- Nothing yet."]
    assert section(summary, "Left to be done by hand") == [
        "- [ ] Send or drop the message “Account Status: incident in production since 2026-02-04 20:01 UTC”.",
        "- [ ] Name owner and day of the post-mortem.",
    ]


def test_what_a_way_back_leaves_to_people_stands_with_a_box() -> None:
    history = go(choose(declared(), Way.SCHEMA), until="deploy.backend")
    tell(history, "declared:1"), tell(history, "chosen:1"), tell(history, "turned:1")
    left = section(papers(history)["incident-summary.md"], "Left to be done by hand")
    assert left == [
        "- [ ] The revert ddddddd must be reverted before these commits can be released again.",
        "- [ ] `saved_020_kept` is kept in the database: remove it when nobody needs it.",
        "- [ ] Autodeploy is off on the services: set it as it was (backend commit).",
        "- [ ] Decide the rows that the inverse mapping leaves open (1, listed under the data).",
        "- [ ] Name owner and day of the post-mortem.",
    ]
    go(history, "restore_settings", "checks", "prove", "discard_copy")
    left = section(papers(history)["incident-summary.md"], "Left to be done by hand")
    assert not [line for line in left if "kept" in line or "Autodeploy" in line]


def test_what_the_proof_found_to_be_other_than_before_is_left_to_people() -> None:
    found: dict[str, Json] = {"schema": "new", "differs": ["web/a.js", "web/b.js"]}
    history = go(choose(declared(), Way.CODE), prove=found)
    left = section(papers(history)["incident-summary.md"], "Left to be done by hand")
    assert left[1:3] == [
        "- [ ] `accounts` has the migrated schema, which the old code cannot work on: choose a way that brings the "
        "schema back.",
        "- [ ] On main these still differ from before the release: `web/a.js`, `web/b.js`. Decide.",
    ]
    history.ask(i.Skip("back.postmortem", "later")).ask(i.CloseIncident("given up"))
    summary = papers(history)["incident-summary.md"]
    assert "but that service was restored is not on record" in summary
    assert "- Service is not restored yet." in summary


def test_a_long_list_of_rows_is_cut() -> None:
    rows: list[Json] = [{"key": str(n), "value": "x", "given": None, "new": False} for n in range(60)]
    history = go(choose(declared(), Way.SCHEMA), until="schema", schema={"undecided": rows})
    said = section(papers(history)["post-mortem.md"], "Data")
    assert len(said) == 52
    assert said[-1] == "- … and 10 more: all are in the run's journal."


def test_users_who_are_kept_out_are_not_forgotten() -> None:
    history = go(choose(declared(), Way.DATABASE), until="fence")
    kept_out = "- [ ] Users are kept out by the fence: let them in."
    assert kept_out in section(papers(history)["incident-summary.md"], "Left to be done by hand")
    go(history, until="open")
    assert kept_out not in section(papers(history)["incident-summary.md"], "Left to be done by hand")


def test_data_says_what_is_lost_kept_and_undecided() -> None:
    kept = papers(go(choose(declared(), Way.SCHEMA), until="schema"))["post-mortem.md"]
    assert section(kept, "Data") == [
        "- Nothing that users entered is lost. 1 row is still to be decided by hand.",
        "- Rows written since the migration and carried over: 3.",
        "- To be decided by a person: accounts 17: is cancelled, was given NULL; written since the migration",
    ]
    assert section(papers(declared())["post-mortem.md"], "Data") == [
        "- Nothing was taken back: what users entered stands as they entered it."
    ]


def test_open_questions_come_from_what_the_run_went_past() -> None:
    history = declared().happen(Kind.FINDING_RECORDED, code="x", severity="warning", message="no index", evidence="")
    history.happen(Kind.FINDING_OVERRIDDEN, code="x", reason="it is small")
    choose(history, Way.SCHEMA).start("back.hold").happen(Kind.STEP_UNCERTAIN, "back.hold", why="the answer was lost")
    asked = section(papers(history)["post-mortem.md"], "Open questions")
    assert asked[:3] == [
        f"- Did “Switch autodeploy off on every service” take effect? The record does not say. {TO_FILL_IN}",
        f"- What came of the alert “Test failed: the dashboard does not load”? {TO_FILL_IN}",
        f"- “no index” was known beforehand (it is small). Did it play a part? {TO_FILL_IN}",
    ]
    assert all(line.endswith(TO_FILL_IN) for line in asked)


def test_a_run_without_an_incident_has_papers_all_the_same() -> None:
    for paper in documents(initial(channel_plan()), BEGIN).values():
        assert "no incident was declared" in paper
        assert "nothing of the release reached production" in paper


def test_nobody_writes_himself_into_the_papers() -> None:
    plain = declared(reason="x")
    history = declared(reason=EVIL)
    for one in (plain, history):
        text = EVIL if one is history else "x"
        one.ask(i.Note(text)).happen(Kind.ALERT_RAISED, alert="a", severity="danger", message=text, offer="incident")
        choose(one, Way.SCHEMA).fail("back.hold", text).ask(i.DropWay(text))
        one.ask(i.DropMessage("declared:1", text)).ask(i.CloseIncident(text))
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for name, paper in papers(history).items():
        assert "\x1b" not in paper
        assert "http://" not in paper
        shapes = [_shape(reader, each) for each in (paper, papers(plain)[name])]
        assert shapes[0] == shapes[1]


def _shape(reader: MarkdownIt, paper: str) -> list[str]:
    """Everything in a document but its words."""
    tokens = reader.parse(paper)
    inner = [child.type for token in tokens for child in token.children or ()]
    return [token.type for token in tokens] + [each for each in inner if each != "text" and each != "text_special"]


@pytest.mark.parametrize(
    "text", [EVIL, "1. one", "2) two", "+ plus", "---", "=====", "> quote", "a_b_c", "_a_", "*", "\\", "&amp; &#x41;"]
)
def test_words_are_read_as_they_were_written(text: str) -> None:
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = reader.parse(f"- {words(text)}")
    inline = next(token for token in tokens if token.type == "inline")
    assert [token.type for token in tokens] == [
        "bullet_list_open",
        "list_item_open",
        "paragraph_open",
        "inline",
        "paragraph_close",
        "list_item_close",
        "bullet_list_close",
    ]
    read = "".join(child.content for child in inline.children or ())
    assert read == " ".join(text.replace("\x1b", "␛").split("\n"))
    assert {child.type for child in inline.children or ()} <= {"text", "text_special"}


@given(st.text(alphabet="ab1 .)\\`*_[]<>|~$&#;:/+-=!(){}\"'\n\tx", max_size=25))
def test_no_text_leaves_its_line_or_its_cell(text: str) -> None:
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    line = reader.parse(f"- Note: {words(text)}")
    inline = next(token for token in line if token.type == "inline")
    assert len(line) == 7
    assert {child.type for child in inline.children or ()} <= {"text", "text_special"}
    assert "".join(child.content for child in inline.children or ()) == f"Note: {one_line(text).strip()}".rstrip()
    row = reader.parse(f"| a | b |\n|---|---|\n| {words(text)} | z |")
    assert [token.content for token in row if token.type == "inline"][3:] == ["z"]


def test_names_durations_moments_and_tables() -> None:
    assert code("a`b|c\nd") == "`a'b¦c d`"
    assert (code(""), stamped(""), table(("a",), [])) == ("—", "—", [])
    assert [lasting(each) for each in (0.4, 59.4, 65, 3599.9, 7620)] == [
        "0 s",
        "59 s",
        "1 min 05 s",
        "1 h 00 min",
        "2 h 07 min",
    ]
    assert stamped("2026-02-04T21:00:00+01:00") == "2026-02-04 20:00:00 UTC"
    assert stamped("yesterday") == "yesterday"
