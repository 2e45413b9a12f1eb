"""`sandbox up --json`: a world for other clients, and for the console itself, to which its overlay is the provider.

What stands in the way of a deployment (a wrong key, a database that is not there, a branch that is gone) is told by
the preflight: one blocker, exit code 1, and nothing was changed.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.end_to_end import worlds
from tests.end_to_end.rehearsals import DEADLINE_S, PACE, Console, Place, Result, place
from tests.openapi_contract import Contract

pytestmark = pytest.mark.xdist_group("sandbox-alone")

KEYS = {
    "render_url",
    "render_token",
    "owner_id",
    "services",
    "postgres_id",
    "database_url",
    "git_remote",
    "overlay",
    "state_dir",
}


@dataclass(frozen=True)
class Standing:
    """A sandbox that is up, the line that it printed, and the console that keeps it."""

    here: Place
    console: Console
    line: dict[str, Any]

    @property
    def api(self) -> httpx.Client:
        """A client that knows nothing of the console."""
        headers = {"Authorization": f"Bearer {self.line['render_token']}"}
        return httpx.Client(base_url=self.line["render_url"], headers=headers, timeout=20, trust_env=False)

    def plan(self, name: str, changes: str) -> Path:
        """A plan that extends the overlay."""
        file = self.here.base / f"{name}.toml"
        file.write_text(f'extends = "{self.line["overlay"]}"\n{changes}')
        return file

    def preflight(self, plan: Path | str) -> Result:
        return self.here.run("--config", str(plan), "preflight", "--json")


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    with place() as here:
        console = here.start("sandbox", "up", "--json", "--pace", PACE, "--directory", str(here.state / "world"))
        text = console.next_line(time.monotonic() + DEADLINE_S)
        assert text is not None, console.end()
        try:
            yield Standing(here, console, json.loads(text))
        finally:
            here.run("sandbox", "down", str(here.state / "world"))


def blockers(result: Result) -> list[dict[str, Any]]:
    """What stands in the way; that a service builds from another repository is so in every test with a clone."""
    assert result.stderr == "", result
    found = [finding for finding in result.lines if finding["severity"] == "blocker"]
    return [finding for finding in found if not finding["code"].startswith("services.repository.")]


def test_one_line_with_exactly_the_documented_keys(standing: Standing) -> None:
    assert set(standing.line) == KEYS
    assert standing.console.process.poll() is None
    assert {service["key"] for service in standing.line["services"]} >= {"backend", "frontend", "staging-backend"}
    assert Path(standing.line["state_dir"]) == standing.here.state / "world"
    assert Path(standing.line["overlay"]).is_file()


def test_another_client_can_use_it(standing: Standing) -> None:
    """Services, a deploy, the database, the repository, the application: each by its own protocol."""
    line = standing.line
    backend = next(service for service in line["services"] if service["key"] == "backend")
    with standing.api as api:
        services = api.get("/services", params={"ownerId": line["owner_id"], "limit": 100}).json()
        assert {item["service"]["id"] for item in services} == {service["id"] for service in line["services"]}
        (deploy,) = api.get(f"/services/{backend['id']}/deploys", params={"limit": 1}).json()
        assert deploy["deploy"]["status"] == "live"
        assert api.get(f"/postgres/{line['postgres_id']}").json()["status"] == "available"
        assert api.get("/services", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert httpx.get(f"{backend['url']}/health", timeout=10, trust_env=False).json()["status"] == "ok"
    with psycopg.connect(line["database_url"], connect_timeout=10) as link:
        assert link.execute("SELECT count(*) FROM accounts").fetchone() == (449,)
    listed = subprocess.run(
        ["git", "ls-remote", "--heads", line["git_remote"]], check=True, capture_output=True, text=True, timeout=30
    )
    assert {row.rpartition("/")[2] for row in listed.stdout.splitlines()} == {"main", "staging", "devtest"}


def test_the_console_drives_it_like_the_provider(standing: Standing) -> None:
    """The preflight through the overlay: findings as lines of JSON, none of them a blocker; it changes nothing."""
    before = worlds.fetch(standing.line["database_url"], "SELECT count(*), max(id) FROM accounts")
    result = standing.preflight(standing.line["overlay"])
    assert result.code == 0, result
    assert result.stderr == ""
    assert result.lines
    assert all(set(finding) == {"code", "severity", "message", "evidence", "remedy"} for finding in result.lines)
    assert blockers(result) == []
    assert worlds.fetch(standing.line["database_url"], "SELECT count(*), max(id) FROM accounts") == before
    assert standing.line["render_token"] not in result.stdout


def test_the_plan_of_the_overlay_can_be_checked(standing: Standing) -> None:
    checked = standing.here.run("--config", standing.line["overlay"], "plan", "check", "--json")
    assert (checked.code, checked.lines[0]["ok"]) == (0, True), checked


WRONG = {
    "key": ("[render]\ntoken_file = '{base}/wrong-key'", "401"),
    "database": ("[database]\nurl_file = '{base}/nowhere'", "connect"),
    "password": ("[database]\nurl_file = '{base}/wrong-password'", "password"),
    "repository": ("[repository]\nurl = 'file://{base}/gone.git'", "gone.git"),
    "source": ("[release]\nsource = 'stagign'", "stagign"),
    "target": ("[release]\ntarget = 'mian'", "mian"),
    "fix": ("[release]\nfix_commit = 'deadbee'", "deadbee"),
    "file": ("[migration]\nfile = 'database/migrations/021_more.sql'", "021_more.sql"),
    "service": ("[[services]]\nkey = 'backend'\nid = 'srv-d0d0d0d0d0d0d0d0d0d0'", "srv-d0d0d0d0d0d0d0d0d0d0"),
    "postgres": ("[database]\npostgres_id = 'dpg-d0d0d0d0d0d0d0d0d0d0-a'", "dpg-d0d0d0d0d0d0d0d0d0d0-a"),
    "table": ("[migration]\ntable = 'acounts'", "acounts"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_a_blocker(standing: Standing, name: str) -> None:
    base, (changes, word) = standing.here.base, WRONG[name]
    url = standing.line["database_url"]
    secrets = {
        "wrong-key": "rnd_wrong",
        "nowhere": "postgresql://crm:secret-word@127.0.0.1:9/crm",
        "wrong-password": url.replace(url.rpartition("@")[0].rpartition(":")[2], "secret-word"),
    }
    for file, text in secrets.items():
        (base / file).touch(mode=0o600)
        (base / file).write_text(text)
    result = standing.preflight(standing.plan(name, changes.format(base=base)))
    assert result.code in (1, 2), result
    assert "Traceback" not in result.stderr
    assert "defect of its own" not in result.stderr
    said = result.stdout + result.stderr
    assert word in said
    assert "secret-word" not in said
    assert "rnd_wrong" not in said
    if result.code == 1 and not result.stderr:
        assert blockers(result), result
        assert all(finding["remedy"] for finding in blockers(result))


@pytest.fixture
def clone(standing: Standing, tmp_path: Path) -> Path:
    """A clone of the world's repository in which a test may do what it wants."""
    folder = tmp_path / "clone.git"
    git(tmp_path, "clone", "--quiet", "--mirror", standing.line["git_remote"], str(folder))
    return folder


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, timeout=30)


def test_a_migration_that_does_not_parse_is_a_blocker(standing: Standing, clone: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    git(tmp_path, "clone", "--quiet", "--branch", "staging", str(clone), str(work))
    file = work / "database/migrations/020_consolidate_account_status.sql"
    file.write_text(file.read_text().replace("ALTER TABLE", "ALTR TABLE", 1))
    git(work, "-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "--quiet", "-am", "Typo")
    git(work, "push", "--quiet", "origin", "staging")
    result = standing.preflight(standing.plan("unparsable", f"[repository]\nurl = 'file://{clone}'"))
    assert result.code == 1, result
    found = [finding for finding in blockers(result) if "020_consolidate_account_status.sql" in str(finding)]
    assert any("syntax error" in str(finding) for finding in found), blockers(result)


def test_a_branch_that_is_gone_is_a_blocker(standing: Standing, clone: Path) -> None:
    git(clone, "update-ref", "-d", "refs/heads/staging")
    result = standing.preflight(standing.plan("no-branch", f"[repository]\nurl = 'file://{clone}'"))
    assert result.code == 1, result
    assert any("There is no branch staging" in finding["evidence"] for finding in blockers(result))


def test_a_shallow_repository_is_told(standing: Standing, tmp_path: Path) -> None:
    """It cannot say what a merge would bring."""
    shallow = tmp_path / "shallow.git"
    depth = ("--depth", "1", "--no-single-branch")
    git(tmp_path, "clone", "--quiet", "--bare", *depth, standing.line["git_remote"], str(shallow))
    result = standing.preflight(standing.plan("shallow", f"[repository]\nurl = 'file://{shallow}'"))
    assert result.code == 1, result
    assert all("shallow" in finding["evidence"] and "unshallow" in finding["remedy"] for finding in blockers(result))


def test_a_dirty_working_tree_is_nobodys_business(standing: Standing, clone: Path, tmp_path: Path) -> None:
    """The console works in a clone of its own: what lies about in a person's tree changes nothing."""
    work = tmp_path / "work"
    git(tmp_path, "clone", "--quiet", "--branch", "devtest", str(clone), str(work))
    for branch in ("main", "staging"):
        git(work, "branch", branch, f"origin/{branch}")
    (work / "README.md").write_text("not committed")
    (work / "untracked").touch()
    result = standing.preflight(standing.plan("dirty", f"[repository]\nurl = 'file://{work}'"))
    assert blockers(result) == []
    assert (work / "README.md").read_text() == "not committed"


def test_every_exchange_so_far_keeps_the_providers_contract(standing: Standing) -> None:
    contract = Contract.load()
    for line in (standing.here.state / "world/render/api-requests.jsonl").read_text().splitlines():
        contract.check_recorded(json.loads(line))


def test_an_interrupt_ends_it_with_everything_in_it(standing: Standing) -> None:
    """The last test here: the world is gone afterwards."""
    world = Path(standing.line["state_dir"])
    pid = json.loads((world / "world.json").read_text())["pid"]
    standing.console.process.send_signal(signal.SIGINT)
    result = standing.console.end()
    assert (result.code, result.stderr) == (0, ""), result
    assert not (world / "world.json").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(standing.line["database_url"], connect_timeout=2)
