"""Declared checks: what they expect, what they leave journaled, and that nothing they create stays behind."""

from dataclasses import replace

import pytest

from console.actions.checks import ChecksRun
from console.actions.databases import Databases
from console.actions.expectations import MissingName, differences, filled, filled_text
from console.domain.outcome import Evidence, NotDone
from console.domain.plan import Check, Json, Query, Request
from console.errors import ServiceError, StepFailed, Stopped, VerificationFailed
from console.ports import HttpAnswer
from tests.actions.fakes import FakeDatabase, FakeWeb, Reports, Run, ok
from tests.actions.fakes_rollback import FakeInstances

STEP = "test.leads"
CHECK = Check(
    "leads",
    "A lead becomes an account",
    "both",
    requests=(
        Request("POST", "backend", "/leads", {"name": "{marker} lead"}, (201,), {"lead": "id"}),
        Request("POST", "backend", "/leads/{lead}/convert", None, (201,), {"account": "accountId"}),
        Request("GET", "backend", "/accounts/{account}", None, (200,), {}, {"status": "active"}),
    ),
    cleanup=(
        Request("DELETE", "backend", "/accounts/{account}", None, (200, 404)),
        Request("DELETE", "backend", "/leads/{lead}", None, (200, 404)),
    ),
    leftovers=Query("SELECT count(*) AS left FROM leads WHERE name LIKE '{marker}%'", {"left": 0}),
)


class Scene:
    """A run at a step with one check, and the service that it asks."""

    def __init__(self, check: Check = CHECK, step: str = STEP, *, released: bool = True) -> None:
        self.run = Run()
        plan = self.run.plan
        steps = tuple(replace(s, params={"checks": [check.id]}) if s.id == step else s for s in plan.steps)
        self.run.plan = replace(plan, checks=(check,), steps=steps)
        if released:
            self.run.left("code.push", {"commit": "c" * 40})
        self.web = FakeWeb()
        self.web.answer("POST /leads", ok({"id": 7}, 201))
        self.web.answer("POST /leads/7/convert", ok({"accountId": "a b"}, 201))
        self.web.answer("GET /accounts/a%20b", ok({"status": "active"}))
        self.web.answer("DELETE /accounts/a%20b", ok({}))
        self.web.answer("DELETE /leads/7", ok({}))
        self.database = FakeDatabase({"AS left": [{"left": 0}]})
        self.action = ChecksRun(self.web, Databases(self.database, FakeInstances()))
        self.reports = Reports()
        self.step = step

    async def perform(self) -> Evidence:
        preview = await self.action.preview(self.run.context(self.step))
        return await self.action.perform(self.run.context(self.step, preview.before), self.reports)


async def test_what_is_created_is_journaled_first_and_removed_last() -> None:
    scene = Scene()
    heard: list[tuple[str, int]] = []
    scene.web.on_request = lambda method, url: heard.append((method, len(scene.reports.durable)))
    evidence = await scene.perform()
    assert heard[0] == ("POST", 1)
    assert scene.reports.durable == (
        {"check": "leads", "captured": {}},
        {"check": "leads", "captured": {"lead": 7}},
        {"check": "leads", "captured": {"lead": 7, "account": "a b"}},
        {"check": "leads", "cleaned": True},
    )
    assert scene.web.asked[-2:] == ["DELETE /accounts/a%20b", "DELETE /leads/7"]
    assert scene.web.bodies[0] == {"name": "rc/r1/test.leads lead"}
    assert "rc/r1/test.leads%" in scene.database.asked[0]
    assert evidence.data["release"] == "new"


async def test_a_failure_says_method_path_status_and_the_databases_error_and_cleans_up() -> None:
    scene = Scene()
    error = {"error": 'column "license_status" does not exist', "sqlstate": "42703"}
    scene.web.answer("POST /leads/7/convert", ok(error, 500))
    with pytest.raises(StepFailed) as failed:
        await scene.perform()
    assert failed.value.message == (
        "A lead becomes an account: POST /leads/{lead}/convert answered 500, 201 expected: "
        'column "license_status" does not exist (SQLSTATE 42703)'
    )
    assert scene.web.asked[-1] == "DELETE /leads/7"
    assert "DELETE /accounts/a%20b" not in scene.web.asked


@pytest.mark.parametrize(
    ("request_", "answer", "problem"),
    [
        ("POST /leads", ok({"name": "x"}, 201), "the answer holds no id"),
        ("GET /accounts/a%20b", ok({"status": "on_hold"}), 'status: "on_hold" found, "active" expected'),
        ("GET /accounts/a%20b", ServiceError("no answer within 10 s"), "no answer: no answer within 10 s"),
        ("GET /accounts/a%20b", HttpAnswer(502, None, "<h1>Bad gateway</h1>", 3.0), "answered 502, 200 expected"),
        ("DELETE /leads/7", ok({"error": "locked"}, 409), "not removed: DELETE /leads/7 answered 409: locked"),
        ("DELETE /leads/7", ServiceError("gone away"), "not removed: DELETE /leads/7: gone away"),
    ],
)
async def test_what_goes_wrong_is_told(request_: str, answer: HttpAnswer | Exception, problem: str) -> None:
    scene = Scene()
    scene.web.answer(request_, answer)
    with pytest.raises(StepFailed) as failed:
        await scene.perform()
    assert any(problem in line for line in failed.value.lines)


async def test_leftovers_are_a_failure_now_and_at_verification() -> None:
    scene = Scene()
    scene.database.answers["AS left"] = [{"left": 1}]
    with pytest.raises(StepFailed, match="left behind by"):
        await scene.perform()
    with pytest.raises(VerificationFailed) as failed:
        await scene.action.verify(scene.run.context(STEP), Evidence("by hand"))
    assert "rc/r1/test.leads" in failed.value.remedy


async def test_what_a_dead_attempt_created_is_removed_before_anything_else() -> None:
    scene = Scene()
    scene.run.unfinished(
        STEP, {"unclean": {}}, {"check": "leads", "captured": {}}, {"check": "leads", "captured": {"lead": 99}}
    )
    scene.web.answer("DELETE /leads/99", ok({}))
    assert isinstance(await scene.action.probe(scene.run.context(STEP)), NotDone)
    await scene.perform()
    assert scene.web.asked[0] == "DELETE /leads/99"


async def test_what_was_created_while_a_console_died_is_found_by_its_mark() -> None:
    """The row is there, the answer with its key never came: only the mark leads to it."""
    scene = Scene(replace(CHECK, lookup={"lead": "SELECT id FROM leads WHERE name LIKE '{marker}%'"}))
    scene.database.answers["SELECT id FROM leads"] = [{"id": 41}]
    scene.run.unfinished(STEP, {"unclean": {}}, {"check": "leads", "captured": {}})
    scene.web.answer("DELETE /leads/41", ok({}))
    await scene.perform()
    assert scene.web.asked[0] == "DELETE /leads/41"
    assert scene.web.asked[-1] == "DELETE /leads/7", "what was captured is not looked up"
    assert any("LIKE 'rc/r1/test.leads%'" in each for each in scene.database.asked)


async def test_what_died_twice_is_still_removed_and_what_was_cleaned_is_not() -> None:
    scene = Scene()
    scene.run.unfinished(STEP, {"unclean": {"leads": {"lead": 98}}}, {"check": "other", "cleaned": True})
    scene.web.answer("DELETE /leads/98", ok({"error": "down"}, 500))
    with pytest.raises(StepFailed, match="could not be removed") as failed:
        await scene.perform()
    assert "DELETE /leads/98 answered 500" in failed.value.lines[0]
    assert "POST /leads" not in scene.web.asked
    scene.run.unfinished(STEP, {"unclean": {"leads": {"lead": 98}}}, {"check": "leads", "cleaned": True})
    await scene.perform()
    assert scene.web.asked[1].startswith("DELETE")
    assert "DELETE /leads/98" not in scene.web.asked[2:]


async def test_a_stop_in_the_middle_cleans_up_first() -> None:
    scene = Scene()
    scene.web.on_request = lambda method, url: setattr(scene.run, "stop", True)
    with pytest.raises(Stopped):
        await scene.perform()
    assert scene.web.asked == ["POST /leads", "DELETE /leads/7"]


@pytest.mark.parametrize(
    ("release", "released", "refused"),
    [("old", False, False), ("old", True, True), ("new", False, True), ("new", True, False), ("both", True, False)],
)
async def test_a_check_of_another_release_is_refused(release: str, released: bool, refused: bool) -> None:
    scene = Scene(replace(CHECK, release=release), released=released)
    if refused:
        with pytest.raises(StepFailed, match="meant for another release"):
            await scene.perform()
        assert scene.web.asked == []
    else:
        await scene.perform()


async def test_queries_are_held_against_their_first_row() -> None:
    check = Check("stored", "Stored", "both", queries=(Query("SELECT 1 AS outside", {"outside": 0}),))
    scene = Scene(check)
    scene.database.answers["outside"] = [{"outside": 2}]
    with pytest.raises(StepFailed, match="outside: 2 found, 0 expected"):
        await scene.perform()


ANSWER: Json = {"id": 5, "name": "Ada", "tags": ["a", "b"], "none": None, "flag": True, "fields": [{"name": "x"}]}


@pytest.mark.parametrize(
    ("path", "expected", "problem"),
    [
        ("id", 5, ""),
        ("id", True, "5 found, true expected"),
        ("flag", 1, "true found, 1 expected"),
        ("fields.0.name", "x", ""),
        ("fields.1.name", "x", 'is not there; "x" expected'),
        ("none", None, ""),
        ("gone", None, "is not there"),
        ("none", {"type": "null"}, ""),
        ("id", {"type": "number", "min": 5, "max": 5}, ""),
        ("id", {"min": 6}, "5 found, at least 6 expected"),
        ("id", {"max": 4}, "5 found, at most 4 expected"),
        ("name", {"min": 1}, '"Ada" is no number'),
        ("flag", {"type": "number"}, "true is of type boolean, number expected"),
        ("tags", {"type": "array", "contains": "b"}, ""),
        ("name", {"contains": "da"}, ""),
        ("name", {"contains": "x"}, '"Ada" does not contain "x"'),
        ("name", {"one_of": ["Ada", "Bob"]}, ""),
        ("id", {"one_of": [1, 2]}, "5 is none of [1, 2]"),
        ("fields.0", {"name": "x"}, ""),
    ],
)
def test_expectations(path: str, expected: Json, problem: str) -> None:
    found = differences(ANSWER, {path: expected}, {})
    assert (problem in found[0]) if problem else (found == [])


def test_templates_keep_types_where_they_stand_alone() -> None:
    names: dict[str, Json] = {"id": 7, "who": "O'Hara"}
    assert filled({"a": "{id}", "b": "x{id}", "c": ["{who}"]}, names) == {"a": 7, "b": "x7", "c": ["O'Hara"]}
    assert filled_text("'{who}'", names, lambda text: text.replace("'", "''")) == "'O''Hara'"
    with pytest.raises(MissingName, match=r"uses \{gone\}"):
        filled("{gone}", names)
