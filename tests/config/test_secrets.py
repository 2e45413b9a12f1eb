"""Secrets come from the environment or from a file that is the owner's alone, and show themselves nowhere."""

import copy
import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from console.domain.plan import Channel, Plan
from console.errors import SecretError
from console.secrets import Secret, resolve, resolve_plan
from tests.config.conftest import EXAMPLE, loaded

TOKEN = "rnd_4f9aQ2xLm0Zt7Kw8"
URL = "postgresql://crm:hunter2pass@db.example.com:5432/crm"
ENVIRON = {"RENDER_API_KEY": TOKEN, "DATABASE_URL": URL}


def secret_file(folder: Path, text: str = TOKEN + "\n", mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_variable_and_a_file_are_read_without_the_space_around(tmp_path: Path) -> None:
    assert resolve("env:RENDER_API_KEY", {"RENDER_API_KEY": f" {TOKEN} "}).reveal() == TOKEN
    assert resolve(f"file:{secret_file(tmp_path)}").reveal() == TOKEN
    assert resolve(f"file:{secret_file(tmp_path, mode=0o400)}").reveal() == TOKEN


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601, 0o620])
def test_a_file_that_is_open_to_others_is_refused(mode: int, tmp_path: Path) -> None:
    path = secret_file(tmp_path, mode=mode)
    with pytest.raises(SecretError, match="open to others") as error:
        resolve(f"file:{path}")
    assert error.value.remedy == f"chmod 600 {path}"
    assert TOKEN not in str(error.value)


@pytest.mark.parametrize("text", ["", "\n", "one\ntwo\n", "x" * 70_000])
def test_a_file_that_holds_no_single_line_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="does not hold one line"):
        resolve(f"file:{secret_file(tmp_path, text)}")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="No such file"):
        resolve(f"file:{tmp_path / 'nothing'}")
    with pytest.raises(SecretError, match="no ordinary file"):
        resolve(f"file:{tmp_path}")
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(SecretError, match="no ordinary file"):
        resolve(f"file:{tmp_path / 'pipe'}")


@pytest.mark.parametrize("environ", [{}, {"RENDER_API_KEY": ""}, {"RENDER_API_KEY": "  "}])
def test_a_variable_that_is_not_set_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(SecretError, match="RENDER_API_KEY is not set"):
        resolve("env:RENDER_API_KEY", environ)


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret(TOKEN, "RENDER_API_KEY")
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r}", repr([secret]), repr({"a": secret})):
        assert TOKEN not in shown
        assert "RENDER_API_KEY" in shown
    with pytest.raises(TypeError, match="not written anywhere"):
        pickle.dumps(secret)
    with pytest.raises(TypeError, match="not written anywhere"):
        copy.deepcopy(secret)


def test_a_plan_is_given_all_its_secrets_and_the_redactor_all_values(tmp_path: Path) -> None:
    scratch = "postgresql://s:scratch-pass@127.0.0.1/s"
    plan = loaded(EXAMPLE)
    plan = replace(
        plan,
        database=replace(plan.database, scratch_url_source=f"file:{secret_file(tmp_path, scratch)}"),
        channels=(Channel("team", "env:TEAM"),),
    )
    secrets = resolve_plan(plan, {**ENVIRON, "TEAM": "slack://token-of-team"})
    assert secrets.values() == (TOKEN, URL, scratch, "slack://token-of-team")
    assert not any(value in repr(secrets) for value in secrets.values())


def rehearsal(plan: Plan) -> Plan:
    return replace(plan, environment="rehearsal")


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "postgresql://crm@127.0.0.1:5432/crm?host=db.example.com",
        "postgresql://crm@127.0.0.1:5432/crm?hostaddr=10.0.0.1",
        "postgresql://crm@127.0.0.1:5432,db.example.com:5432/crm",
        "postgresql://crm@localhost.example.com/crm",
        "postgresql:///crm",
        "host=db.example.com dbname=crm",
        "postgresql://[::1/crm",
    ],
)
def test_a_rehearsal_reaches_no_database_elsewhere(url: str) -> None:
    with pytest.raises(SecretError) as error:
        resolve_plan(rehearsal(loaded(EXAMPLE)), {**ENVIRON, "DATABASE_URL": url})
    assert "hunter2pass" not in f"{error.value} {error.value.remedy}"


@pytest.mark.parametrize(
    "url", ["postgresql://crm:p@127.0.0.1:5433/crm", "postgres://crm@localhost/crm", "postgresql://crm@[::1]:5/crm"]
)
def test_a_rehearsal_takes_this_machines_database_and_production_does_not(url: str) -> None:
    environ = {**ENVIRON, "DATABASE_URL": url}
    assert resolve_plan(rehearsal(loaded(EXAMPLE)), environ).database_url.reveal() == url
    with pytest.raises(SecretError, match="leads to this machine"):
        resolve_plan(loaded(EXAMPLE), environ)


@pytest.mark.parametrize(
    "url",
    [
        "json://hooks.example.com/team-token",
        "slack://127.0.0.1/team-token",
        "https://hooks.example.com/team-token",
        "json://[::1/team-token",
    ],
)
def test_a_rehearsal_writes_to_no_stakeholder(url: str) -> None:
    plan = replace(loaded(EXAMPLE), channels=(Channel("team", "env:TEAM"),))
    environ = {**ENVIRON, "DATABASE_URL": "postgresql://crm@127.0.0.1:5433/crm", "TEAM": url}
    with pytest.raises(SecretError, match="the channel team") as error:
        resolve_plan(rehearsal(plan), environ)
    assert "team-token" not in f"{error.value} {error.value.remedy}"
    own = {**environ, "TEAM": "json://127.0.0.1:8080/box"}
    assert resolve_plan(rehearsal(plan), own).channels["team"].reveal() == "json://127.0.0.1:8080/box"
