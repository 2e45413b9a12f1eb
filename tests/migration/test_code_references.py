"""Mentions in source files."""

import pytest

from console.migration.code_references import Place, code_references
from tests.migration.postgres import CRM

COLUMNS = ("license_status", "account_type", "is_trial")


@pytest.mark.parametrize(
    ("path", "text", "place"),
    [
        ("a.js", "const q = `SELECT is_trial`;", Place.STRING),
        ("a.js", "row.is_trial = 1;", Place.CODE),
        ("a.js", "x(); // is_trial is gone", Place.COMMENT),
        ("a.js", "/* one\n is_trial\n*/", Place.COMMENT),
        ("a.js", "const u = 'http://x/'; row.is_trial", Place.CODE),
        ("a.js", "const r = /['\"]/; // is_trial", Place.COMMENT),
        ("a.js", "const r = /['\"]/; row.is_trial", Place.CODE),
        ("a.py", "x = 1  # is_trial", Place.COMMENT),
        ("a.py", "x = '''\n# is_trial'''", Place.STRING),
        ("a.sql", "SELECT 1; -- is_trial", Place.COMMENT),
        ("a.sql", "SELECT '--', is_trial", Place.CODE),
        ("a.html", "<!-- is_trial -->", Place.COMMENT),
        ("Makefile", "# is_trial", Place.CODE),
    ],
)
def test_a_mention_is_told_as_code_string_or_comment(path: str, text: str, place: Place) -> None:
    assert [one.place for one in code_references({path: text.encode()}, COLUMNS)] == [place]


@pytest.mark.parametrize("text", ["was_is_trial", "is_trials", "isTrial", "is_trial$", "$is_trial"])
def test_only_whole_words_count(text: str) -> None:
    assert code_references({"a.js": text.encode()}, COLUMNS) == ()


def test_binary_files_and_migrations_are_left_out() -> None:
    files = {
        "database/migrations/005_create.sql": b"license_status",
        "backend/database/migrations/005_create.sql": b"license_status",
        "logo.png": b"\0 license_status",
        "latin.js": b"// caf\xe9\nlicense_status",
    }
    assert [str(one) for one in code_references(files, COLUMNS)] == ["latin.js:2: license_status"]


def test_the_old_release_names_the_columns_and_the_new_one_does_not() -> None:
    def tree(*folders: str) -> dict[str, bytes]:
        found = {}
        for folder in folders:
            found |= {
                path.relative_to(CRM / folder).as_posix(): path.read_bytes()
                for path in (CRM / folder).rglob("*")
                if path.is_file()
            }
        return found

    old, new = code_references(tree("main"), COLUMNS), code_references(tree("main", "release"), COLUMNS)
    assert {one.path for one in old} == {
        "controllers/fieldMappingController.js",
        "services/leadConversionService.js",
        "services/queryBuilderService.js",
        "services/reportingService.js",
    }
    assert new == ()
