"""Logins of those who sign: right only beside a shared record, and kept in the plan."""

from pathlib import Path

import pytest

from tests.config.conftest import Changed, loaded

OWNER = ('role  = "owner"\ntitle = "Database Owner"', 'role  = "owner"\ntitle = "Database Owner"\nlogin = "petra"')


@pytest.mark.parametrize("source", ['url_env = "JOURNAL_URL"', 'url_file = "/run/secrets/journal"'])
def test_a_login_beside_a_shared_record_is_kept(source: str, changed: Changed) -> None:
    path = changed(OWNER)
    _append(path, f"[journal]\n{source}\n\n[policy]\nfour_eyes = true\n")
    plan = loaded(path)
    assert {each.role: each.login for each in plan.signoffs if each.login} == {"owner": "petra"}
    assert plan.four_eyes


def _append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + "\n" + text, encoding="utf-8")
