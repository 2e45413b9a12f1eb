"""An overlay changes single values of the plan under it, and its own mistakes are told as its own."""

from pathlib import Path

import pytest

from console.sandbox.overlay import Endpoints, write_overlay
from console.sandbox.world_spec import WorldSpec
from console.secrets import resolve_plan
from tests.config.conftest import EXAMPLE, Changed, loaded, problems

REHEARSAL = """
environment = "rehearsal"

[render]
api_url    = "http://127.0.0.1:4000/v1"
token_file = "token"

[database]
url_file = "secrets/url"
tls      = "disable"

[repository]
url = "file:///tmp/crm.git"

[journal]
directory = "runs"
"""
SERVICES = "".join(
    f'\n[[services]]\nkey = "{key}"\nurl = "http://127.0.0.1:{port}/"\n'
    for port, key in enumerate(
        ("backend", "frontend", "staging-backend", "staging-frontend", "devtest-backend", "devtest-frontend"), 4001
    )
)


def overlay(folder: Path, text: str, extends: Path | str | None = EXAMPLE) -> Path:
    """An overlay in a folder."""
    path = folder / "overlay.toml"
    path.write_text((f'extends = "{extends}"\n' if extends else "") + text, encoding="utf-8")
    return path


def test_tables_are_merged_and_items_told_apart_by_their_key(tmp_path: Path) -> None:
    plan = loaded(overlay(tmp_path, REHEARSAL + SERVICES))
    base = loaded(EXAMPLE)
    assert plan.environment == "rehearsal"
    assert plan.hosting.api_url == "http://127.0.0.1:4000/v1"
    assert plan.hosting.owner_id == base.hosting.owner_id
    assert [service.key for service in plan.services] == [service.key for service in base.services]
    assert plan.service("staging-backend").url == "http://127.0.0.1:4003"
    assert plan.service("staging-backend").branch == "staging"
    assert plan.steps == base.steps
    assert set(plan.hosts) == {f"127.0.0.1:{port}" for port in range(4000, 4007)}


def test_how_soon_the_provider_answers_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "prompt.toml"
    path.write_text(f'extends = "{EXAMPLE}"\n[render]\nanswers_within = "2 s"\n', encoding="utf-8")
    assert loaded(path).hosting.answers_within == 2.0
    assert loaded(EXAMPLE).hosting.answers_within == 8.0


def test_a_file_of_secrets_takes_the_place_of_a_variable_and_counts_from_its_own_file(tmp_path: Path) -> None:
    plan = loaded(overlay(tmp_path, REHEARSAL + SERVICES))
    assert plan.hosting.token_source == f"file:{tmp_path}/token"
    assert plan.database.url_source == f"file:{tmp_path}/secrets/url"
    assert plan.journal_directory == f"{tmp_path}/runs"


def test_an_overlay_can_be_handed_over_beside_the_plan(tmp_path: Path) -> None:
    assert loaded(EXAMPLE, overlay(tmp_path, REHEARSAL + SERVICES, extends=None)) == loaded(
        overlay(tmp_path, REHEARSAL + SERVICES)
    )


def test_mistakes_are_told_in_the_file_that_makes_them(tmp_path: Path, changed: Changed) -> None:
    base = changed(('phase  = "pre"', 'phase  = "per"'))
    path = overlay(tmp_path, (REHEARSAL + SERVICES).replace("tls      =", "tsl      ="), extends="config.toml")
    found = problems(path)
    assert any(p.startswith("config.toml:") and '"per" is not a phase' in p for p in found), (found, base)
    assert any(p.startswith("overlay.toml:11: database.tsl") and 'Did you mean "tls"?' in p for p in found), found


def test_a_rehearsal_that_leaves_a_real_host_is_refused_where_that_host_stands(tmp_path: Path) -> None:
    found = problems(
        overlay(tmp_path, REHEARSAL + SERVICES.replace('key = "backend"', 'key = "worker"\nid = "srv-w000"'))
    )
    assert any("config.toml:" in p and 'leads to "crm-backend.onrender.com"' in p for p in found)


def test_an_item_that_means_another_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    found = problems(overlay(tmp_path, REHEARSAL + SERVICES.replace('"staging-backend"', '"staging-bakend"')))
    wanted = '"staging-bakend" is not in the file that this one extends. Did you mean "staging-backend"?'
    assert any(p.startswith("overlay.toml:") and wanted in p for p in found)


def test_a_whole_new_item_is_added(tmp_path: Path) -> None:
    text = '[[signoffs]]\nrole = "legal"\ntitle = "Legal"\nrequired = false\n'
    assert [row.role for row in loaded(overlay(tmp_path, text)).signoffs][-1] == "legal"


@pytest.mark.parametrize(
    ("extends", "wanted"),
    [
        ("nowhere.toml", 'overlay.toml:1: extends: there is no file "nowhere.toml".'),
        ("overlay.toml", 'overlay.toml:1: extends: "overlay.toml" leads back to this file.'),
    ],
)
def test_what_cannot_be_extended_is_told(extends: str, wanted: str, tmp_path: Path) -> None:
    assert problems(overlay(tmp_path, "", extends=extends)) == [wanted]


def test_the_channels_of_a_rehearsal_take_the_place_of_the_plans(tmp_path: Path) -> None:
    """So that a plan whose channels lead to people can be rehearsed."""
    plan = tmp_path / "plan.toml"
    plan.write_text(EXAMPLE.read_text() + '\n[[channels]]\nname = "team"\nurl_env = "TEAM_URL"\n')
    own = '\n[[channels]]\nname = "stakeholders"\nurl_file = "channel"\n'
    assert [one.name for one in loaded(plan).channels] == ["team"]
    (channel,) = loaded(overlay(tmp_path, REHEARSAL + SERVICES + own, extends=plan)).channels
    assert (channel.name, channel.url_source) == ("stakeholders", f"file:{tmp_path}/channel")
    assert not loaded(overlay(tmp_path, "channels = []\n" + REHEARSAL + SERVICES, extends=plan)).channels


def test_the_sandbox_writes_an_overlay_that_can_be_driven(tmp_path: Path) -> None:
    spec = WorldSpec(plan=str(EXAMPLE))
    url = "postgresql://crm:pass-word@127.0.0.1:5433/crm"
    endpoints = Endpoints(
        render_url="http://127.0.0.1:4000/v1", database_url=url, git_remote=f"file://{tmp_path}/crm.git"
    )
    plan = loaded(write_overlay(tmp_path, spec, endpoints))
    assert plan.environment == "rehearsal"
    assert [service.id for service in plan.services] == [service.id for service in spec.services]
    assert plan.step("db.migrate").confirmation is not None
    secrets = resolve_plan(plan, {})
    assert secrets.token.reveal() == spec.render_token
    assert secrets.database_url.reveal() == url
    assert {name: channel.reveal() for name, channel in secrets.channels.items()} == {"stakeholders": spec.channel_url}
    with_database = {service.key for service in plan.services if service.database_env == "DATABASE_URL"}
    assert with_database == {"backend", "staging-backend", "devtest-backend"}
