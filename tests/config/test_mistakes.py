"""Every kind of mistake is refused with its place, in words, and with what would have been right."""

import re
from pathlib import Path

import pytest

from tests.config import mistakes_in_steps, mistakes_in_values
from tests.config.conftest import Changed, loaded, problems

MISTAKES = {**mistakes_in_steps.MISTAKES, **mistakes_in_values.MISTAKES}


def told_line(path: Path, problem: str) -> tuple[str, str]:
    """The last key of a problem and the line that it points at."""
    match = re.match(r"config\.toml:(\d+): ([^: ]*)", problem)
    assert match is not None, problem
    key = re.sub(r"\[\d+\]", "", match[2]).rpartition(".")[2]
    return key, path.read_text(encoding="utf-8").splitlines()[int(match[1]) - 1]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_at_its_place(mistake: str, changed: Changed) -> None:
    (old, new), wanted = MISTAKES[mistake]
    path = changed((old, new))
    found = problems(path)
    hits = [problem for problem in found if wanted in problem]
    assert hits, found
    key, line = told_line(path, hits[0])
    quoted = re.findall(r'"([^"]+)"', wanted)
    assert re.search(rf"\b{key}\b", line) or any(word in line for word in quoted), f"{hits[0]} points at {line}"


def test_all_problems_are_told_at_once_and_in_order(changed: Changed) -> None:
    path = changed(
        *(MISTAKES[name][0] for name in ("a result outside the domain", "an unknown phase", "text for a number"))
    )
    found = problems(path)
    numbers = [int(problem.split(":")[1]) for problem in found]
    assert len(found) == 3
    assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("name = \n", "config.toml:1: is not TOML: Invalid value."),
        ('a = 1\nb = "open\n', "config.toml:2: is not TOML: "),
        ("a = 1\na = 2\n", "config.toml:2: is not TOML: Cannot overwrite a value."),
        ("a = [1,\n", "config.toml:2: is not TOML: "),
        ("", "config.toml:1: name: is missing."),
    ],
)
def test_what_is_not_toml_is_told_with_its_line(text: str, wanted: str, changed: Changed) -> None:
    path = changed()
    path.write_text(text, encoding="utf-8")
    assert any(problem.startswith(wanted) for problem in problems(path)), problems(path)


def test_a_file_that_cannot_be_read_is_told(changed: Changed) -> None:
    path = changed()
    path.write_bytes(b'title = "\xff"')
    assert problems(path) == ["config.toml: is not UTF-8 text (at byte 9)."]
    path.unlink()
    assert problems(path) == ["config.toml: there is no such file."]
    path.mkdir()
    assert problems(path) == ["config.toml: cannot be read: Is a directory."]


@pytest.mark.parametrize(
    ("place", "secret", "what"),
    [
        ('owner_id  = "tea-d0exampleowner000000"', "rnd_4f9aQ2xLm0Zt7Kw8", "a Render API key"),
        ('name        = "crm"', "postgresql://crm:hunter2pass@db.example.com/crm", "an address with a password"),
        (
            'url = "git@github.com:example/crm.git"',
            "https://me:hunter2pass@github.com/x.git",
            "an address with a password",
        ),
    ],
)
def test_a_secret_in_the_plan_is_refused_and_not_repeated(place: str, secret: str, what: str, changed: Changed) -> None:
    key = place.split("=")[0]
    found = problems(changed((place, f'{key}= "{secret}"')))
    hits = [problem for problem in found if f"holds {what}" in problem]
    assert len(hits) == 1
    assert "`…_env`" in hits[0]
    assert not any(secret in problem or "hunter2pass" in problem for problem in found)


def test_a_step_without_after_waits_for_the_one_above(changed: Changed) -> None:
    plan = loaded(changed())
    assert plan.steps[0].after == ()
    assert plan.step("checks.before").after == ("baseline",)
    assert plan.step("db.verify").after == ("db.migrate",)
