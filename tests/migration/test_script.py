"""Migration files: read whole with PostgreSQL's grammar, or refused with the line and the remedy."""

import hashlib

import pytest

from console.migration.script import LockMode, MigrationRefused, Script, parse_script
from tests.migration.postgres import MIGRATION_FILE, OLD_MIGRATIONS


def read(text: str) -> Script:
    return parse_script("database/migrations/021_x.sql", text.encode())


def test_migration_020_is_twelve_statements_without_its_own_transaction(script: Script) -> None:
    assert [(one.line, one.kind) for one in script.statements] == [
        (6, "ALTER TABLE"),
        (9, "DROP VIEW"),
        (10, "DROP VIEW"),
        (12, "UPDATE"),
        (23, "DROP INDEX"),
        (24, "DROP INDEX"),
        (26, "ALTER TABLE"),
        (27, "ALTER TABLE"),
        (28, "ALTER TABLE"),
        (30, "CREATE INDEX"),
        (32, "CREATE VIEW"),
        (37, "CREATE VIEW"),
    ]
    assert script.own_transaction
    assert script.statements[0].title == "ALTER TABLE accounts ADD COLUMN account_status VARCHAR(50) …"
    assert script.checksum == hashlib.sha256(MIGRATION_FILE.read_bytes()).hexdigest()
    assert {lock.relation: lock.mode for lock in script.locks}["accounts"] is LockMode.ACCESS_EXCLUSIVE
    assert ("column", "accounts.is_trial") in {(one.kind, one.name) for one in script.drops}
    assert ("index", "idx_accounts_account_status") in {(one.kind, one.name) for one in script.creates}


@pytest.mark.parametrize("path", OLD_MIGRATIONS, ids=lambda path: path.name)
def test_every_earlier_migration_of_the_application_is_accepted(path: object) -> None:
    assert parse_script(str(path), path.read_bytes()).statements  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("SELECT ';'; SELECT 2", ["SELECT ';'", "SELECT 2"]),
        ("SELECT $$;$$;", ["SELECT $$;$$"]),
        ("SELECT $a$ $$;$$ $a$;", ["SELECT $a$ $$;$$ $a$"]),
        ("-- a; b\nSELECT 1 /* ; */;", ["SELECT 1 /* ; */"]),
        ("SELECT E'\\';'; SELECT 'it''s;'", ["SELECT E'\\';'", "SELECT 'it''s;'"]),
        ("SELECT 'ü;é'; SELECT 'ñ';", ["SELECT 'ü;é'", "SELECT 'ñ'"]),
        ('SELECT 1 AS "a;b";;; SELECT 2', ['SELECT 1 AS "a;b"', "SELECT 2"]),
        ("\ufeffSELECT 1;\r\nSELECT 2;\r\n", ["SELECT 1", "SELECT 2"]),
        ("START TRANSACTION; SELECT 1; END;", ["SELECT 1"]),
        ("SELECT 10 % 3, '%s', '%(a)s'", ["SELECT 10 % 3, '%s', '%(a)s'"]),
    ],
)
def test_statements_end_where_postgresql_says(text: str, statements: list[str]) -> None:
    assert [one.text for one in read(text).statements] == statements


def test_titles_are_one_line_without_comments() -> None:
    title = read("UPDATE  accounts -- all of them\nSET\n\tname = 'a  b'  WHERE id\n= 1;").statements[0].title
    assert title == "UPDATE accounts SET name = 'a b' WHERE id = 1"
    long = read(f"SELECT '{'x' * 200}', 2").statements[0].title
    assert len(long) < 90
    assert long.endswith("…")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("SELECT 1;\nSELECT FRM x y;", 2, 'syntax error at or near "y"'),
        ("SELECT 'ü';\n\nALTR TABLE x;", 3, 'syntax error at or near "ALTR"'),
        ("SELECT 'open", 1, "unterminated quoted string"),
        ("SELECT $$open", 1, "unterminated dollar-quoted string"),
        ("SELECT 1;\n\\i other.sql\n", 2, r"psql command `\i other.sql`"),
        ("\\set ON_ERROR_STOP on\nSELECT 1", 1, r"psql command `\set ON_ERROR_STOP on`"),
        ("", 1, "holds no statement"),
        ("-- nothing\n", 1, "holds no statement"),
        ("BEGIN; COMMIT;", 1, "holds no statement"),
        ("BEGIN;\nSELECT 1;", 1, "BEGIN is transaction control"),
        ("SELECT 1;\nCOMMIT;", 2, "COMMIT is transaction control"),
        ("BEGIN;\nSELECT 1;\nCOMMIT;\nSELECT 2;", 1, "BEGIN is transaction control"),
        ("BEGIN;\nSELECT 1;\nCOMMIT;\nBEGIN;\nSELECT 2;\nCOMMIT;", 3, "COMMIT is transaction control"),
        ("BEGIN;\nSELECT 1;\nROLLBACK;", 1, "BEGIN is transaction control"),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE;\nSELECT 1;\nCOMMIT;", 1, "BEGIN with options"),
        ("BEGIN;\nSELECT 1;\nCOMMIT AND CHAIN;", 1, "BEGIN is transaction control"),
        ("BEGIN;\nSAVEPOINT a;\nSELECT 1;\nCOMMIT;", 2, "SAVEPOINT is transaction control"),
        ("SELECT 1;\nPREPARE TRANSACTION 'x';", 2, "PREPARE is transaction control"),
        ("SELECT 1;\nSET TRANSACTION READ ONLY;", 2, "SET TRANSACTION changes"),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;", 1, "SET SESSION CHARACTERISTICS changes"),
        ("CREATE INDEX CONCURRENTLY i ON a (b);", 1, "CREATE INDEX CONCURRENTLY cannot"),
        ("DROP INDEX CONCURRENTLY i;", 1, "DROP INDEX CONCURRENTLY cannot"),
        ("REINDEX (CONCURRENTLY) TABLE a;", 1, "REINDEX of this form"),
        ("REINDEX DATABASE a;", 1, "REINDEX of this form"),
        ("SELECT 1;\n\nVACUUM a;", 3, "VACUUM cannot run"),
        ("CLUSTER;", 1, "CLUSTER without a table"),
        ("CREATE DATABASE a;", 1, "CREATE DATABASE cannot"),
        ("ALTER SYSTEM SET x = 1;", 1, "ALTER SYSTEM cannot"),
        ("CREATE TABLESPACE t LOCATION '/x';", 1, "CREATE TABLESPACE cannot"),
        ("ALTER TABLE a DETACH PARTITION b CONCURRENTLY;", 1, "DETACH PARTITION CONCURRENTLY"),
        ("COPY a FROM STDIN;", 1, "COPY from or to the client"),
        ("COPY a TO PROGRAM 'x';", 1, "COPY from or to the client"),
        ("DISCARD ALL;", 1, "DISCARD ALL cannot"),
        ("ALTER TYPE t ADD VALUE 'x';", 1, "the new value cannot be used"),
        ("DO $$ BEGIN UPDATE a SET b = 1; COMMIT; END $$;", 1, "DO block ends the transaction"),
    ],
)
def test_a_file_that_cannot_run_is_refused_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(MigrationRefused) as refused:
        read(text)
    assert refused.value.problems[0].line == line
    assert says in refused.value.problems[0].message
    assert refused.value.message.startswith(f"database/migrations/021_x.sql:{line}: ")
    assert refused.value.remedy
    assert refused.value.production


def test_every_reason_is_told_at_once() -> None:
    with pytest.raises(MigrationRefused, match="and 2 more") as refused:
        read("VACUUM;\nSELECT 1;\nCOMMIT;\nDISCARD ALL;")
    assert [problem.line for problem in refused.value.problems] == [1, 3, 4]


@pytest.mark.parametrize("content", [b"SELECT 1;\n\xff", b"SELECT 1;\n\0"])
def test_what_is_not_text_is_refused(content: bytes) -> None:
    with pytest.raises(MigrationRefused) as refused:
        parse_script("x.sql", content)
    assert refused.value.problems[0].line == 2


@pytest.mark.parametrize(
    "text",
    [
        "ANALYZE accounts;",
        "SET LOCAL lock_timeout = '1s';",
        "DO $$ BEGIN UPDATE a SET b = 1; END $$;",
        "REINDEX TABLE a;",
        "CLUSTER a;",
        "ALTER TYPE t RENAME VALUE 'a' TO 'b';",
        "COPY a FROM '/srv/a.csv';",
        "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;",
    ],
)
def test_what_may_run_in_a_transaction_is_accepted(text: str) -> None:
    assert len(read(text).statements) == 1
