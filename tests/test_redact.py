"""Secrets never pass: exact values and the shapes that secrets have are taken out, the words around them stay."""

import json
import time

import pytest

from console.domain.plan import Json
from console.redact import MASK, Redactor

PASSWORD = "p4ss/w0rd+ü"
URL = "postgresql://crm:p4ss%2Fw0rd%2B%C3%BC@db.example.com:5432/crm"


@pytest.mark.parametrize(
    "form",
    [
        URL,
        PASSWORD,
        "p4ss%2Fw0rd%2B%C3%BC",
        json.dumps(PASSWORD)[1:-1],
        repr(PASSWORD)[1:-1],
        f"a{PASSWORD}b",
        f"{URL}?x",
    ],
)
def test_a_known_secret_goes_in_every_form(form: str) -> None:
    assert Redactor([URL]).text(f"before {form} after").count(MASK) >= 1
    assert "w0rd" not in Redactor([URL]).text(f"before {form} after")


def test_what_is_known_later_goes_too() -> None:
    redactor = Redactor()
    assert redactor.text("it is opensesame") == "it is opensesame"
    redactor.add("opensesame")
    assert redactor.text("it is opensesame") == f"it is {MASK}"
    assert "opensesame" not in repr(redactor)


def test_a_short_secret_does_not_blot_out_words() -> None:
    assert Redactor(["main", ""]).text("push to main") == "push to main"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("key rnd_4f9aQ2xLm0Zt7Kw8 refused", f"key {MASK} refused"),
        ("at postgresql://crm:hunter2@db/crm now", f"at postgresql://crm:{MASK}@db/crm now"),
        ("redis://:hunter2@cache:6379", f"redis://:{MASK}@cache:6379"),
        ("https://me:hunter2@github.com/x.git", f"https://me:{MASK}@github.com/x.git"),
        ("Authorization: Bearer abc.def.ghi", f"Authorization: Bearer {MASK}"),
        ("{'authorization': 'Bearer abc'}", f"{{'authorization': 'Bearer {MASK}'}}"),
        ("authorization=Basic dXNlcjpwYXNz", f"authorization=Basic {MASK}"),
        ("Bearer eyJhbGciOi1234", f"Bearer {MASK}"),
        ("password=hunter2 user=crm", f"password={MASK} user=crm"),
        ('{"password": "hunter2", "user": "crm"}', f'{{"password": "{MASK}", "user": "crm"}}'),
        ("PGPASSWORD=hunter2 psql", f"PGPASSWORD={MASK} psql"),
        ("api_key: hunter2", f"api_key: {MASK}"),
        (
            "https://s3.example.com/x.tar.gz?X-Amz-Signature=abc1&X-Amz-Date=2",
            f"https://s3.example.com/x.tar.gz?X-Amz-Signature={MASK}&X-Amz-Date={MASK}",
        ),
        ("https://s3.example.com/x?Expires=5&Signature=abc1", f"https://s3.example.com/x?Expires=5&Signature={MASK}"),
    ],
)
def test_what_looks_like_a_secret_goes(text: str, left: str) -> None:
    assert Redactor().text(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/accounts?status=active 200 31ms",
        "postgresql://crm@db.example.com:5432/crm",
        "https://crm.example.com/a:b/c@d",
        "git@github.com:example/crm.git",
        "bearer of bad news",
        "the password is not shown",
        "duplicate key value violates unique constraint",
        "primary key: id",
        "token_source env:RENDER_API_KEY",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert Redactor().text(text) == text


def test_nested_data_is_cleaned_and_keeps_its_shape() -> None:
    data: Json = {
        "message": f"connecting to {URL}",
        "headers": {"Authorization": "Bearer x", "Accept": "application/json"},
        "list": [1, 2.5, True, None, {"password": "hunter2", "api-key": "k", "token": ""}],
        PASSWORD: "a key can be one too",
    }
    assert Redactor([URL]).data(data) == {
        "message": f"connecting to {MASK}",
        "headers": {"Authorization": MASK, "Accept": "application/json"},
        "list": [1, 2.5, True, None, {"password": MASK, "api-key": MASK, "token": ""}],
        MASK: "a key can be one too",
    }


def test_an_exception_is_told_without_secrets() -> None:
    def fail() -> None:
        try:
            raise ConnectionError(f"cannot connect to {URL}")
        except ConnectionError as error:
            raise RuntimeError("password=hunter2") from error

    with pytest.raises(RuntimeError) as caught:
        fail()
    told = Redactor([URL]).exception(caught.value)
    assert "ConnectionError: cannot connect to" in told
    assert "RuntimeError" in told
    assert 'hunter2"' not in told.split("RuntimeError: ")[-1]
    assert "w0rd" not in told


def test_a_log_line_costs_little_beside_its_parsing() -> None:
    """The tail takes 50,000 lines a second; what redaction adds must be of the order of parsing the entry."""
    redactor = Redactor([URL, "rnd_4f9aQ2xLm0Zt7Kw8"])
    entry = {"id": "x1", "message": "GET /api/accounts?status=active 200 31ms request=8f21aa user=42", "level": "info"}
    line = json.dumps(entry)

    def best(work: object) -> float:
        assert callable(work)
        runs = []
        for _ in range(5):
            start = time.perf_counter()
            for _ in range(2000):
                work()
            runs.append(time.perf_counter() - start)
        return min(runs)

    assert best(lambda: redactor.text(entry["message"])) < 4 * best(lambda: json.loads(line))


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a://",
        "a://b:",
        "://",
        "password=",
        "password='x",
        "password  ",
        "bearer ",
        "bearer a",
        "?a-",
        "authorization:",
        "rnd_",
    ],
)
def test_no_line_takes_time_that_grows_with_its_square(piece: str) -> None:
    """Sixteen times the text takes about sixteen times the processor's time; a square would be 256 times."""
    redactor = Redactor([URL])

    def seconds(size: int) -> float:
        text = "token://x " + piece * (size // len(piece))
        runs = []
        for _ in range(3):
            start = time.process_time()
            redactor.text(text)
            runs.append(time.process_time() - start)
        return min(runs)

    assert seconds(160_000) < 100 * seconds(10_000) + 0.1
