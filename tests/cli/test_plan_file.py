"""The quick look into a plan's file, and where runs are kept."""

from pathlib import Path

from console.cli.folders import state_directory
from console.cli.plan_file import glimpse
from screens.opening import Glimpse

ROOT = Path(__file__).parents[2]


def test_the_example_is_known_by_its_title_environment_and_hosts() -> None:
    seen = glimpse(ROOT / "config.toml")
    assert (seen.title, seen.environment) == ("Account Status Consolidation", "production")
    assert "api.render.com" in seen.hosts
    assert "crm-backend.onrender.com" in seen.hosts


def test_a_file_lies_over_what_it_extends(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(
        'title = "Below"\nenvironment = "production"\n[render]\napi_url = "http://a/b"\n'
    )
    top = tmp_path / "top.toml"
    top.write_text('extends = "base.toml"\nenvironment = "rehearsal"\n')
    assert glimpse(top) == Glimpse("Below", "rehearsal", ("a",), str(top))


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    assert glimpse(file) == Glimpse(source=str(file))
    for strange in (
        "title = ",
        "title = 7\nservices = 3\nrender = []",
        '[[services]]\nurl = "http://["\n',
        "extends = 1",
    ):
        file.write_text(strange)
        assert glimpse(file) == Glimpse(source=str(file))
    file.write_text('extends = "config.toml"\ntitle = "Round and round"\n')
    assert glimpse(file).title == "Round and round"


def test_runs_are_kept_where_the_file_or_what_it_extends_says(tmp_path: Path) -> None:
    base, top = tmp_path / "below" / "base.toml", tmp_path / "top.toml"
    base.parent.mkdir()
    base.write_text('[journal]\ndirectory = "kept"\n')
    top.write_text('extends = "below/base.toml"\n')
    assert state_directory(top, None) == tmp_path / "below" / "kept"
    top.write_text('extends = "below/base.toml"\n[journal]\ndirectory = "elsewhere"\n')
    assert state_directory(top, None) == tmp_path / "elsewhere"
    assert state_directory(top, tmp_path / "named") == tmp_path / "named"
