"""Imports point one way: screens → console, and inside console from the rooms down to the ground floor."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {"engine", "actions", "adapters", "preflight", "report", "sandbox"}
GROUND = {"domain", "migration", "errors", "redact", "ports"}
HEAVY = {"psycopg", "git", "httpx", "pydantic", "starlette", "uvicorn", "websockets", "apprise"}


def imported(path: Path) -> set[str]:
    """The dotted names of all modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def console_rooms(path: Path) -> set[str]:
    """The second parts of the `console.…` modules that a file imports."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("console.")}


def files(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"{folder} holds no code"
    return found


@pytest.mark.parametrize("path", files("console"), ids=lambda p: str(p.relative_to(ROOT)))
def test_console_never_imports_the_terminal(path: Path) -> None:
    top = {name.split(".")[0] for name in imported(path)}
    assert not top & {"textual", "rich"}
    assert "screens" not in top or path.parent.name == "cli", "only the composition root opens the screens"


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_rooms_stand_side_by_side(room: str) -> None:
    for path in files(f"console/{room}"):
        foreign = console_rooms(path) & (ROOMS - {room})
        assert not foreign, f"{path.relative_to(ROOT)} imports {foreign}"


@pytest.mark.parametrize("room", ["domain", "migration", "errors.py", "redact.py", "ports"])
def test_the_ground_floor_rests_on_itself(room: str) -> None:
    target = ROOT / "console" / room
    for path in [target] if target.is_file() else files(f"console/{room}"):
        above = console_rooms(path) - GROUND
        assert not above, f"{path.relative_to(ROOT)} imports {above}"


def test_the_domain_is_pure() -> None:
    forbidden = HEAVY | {"asyncio", "os", "time", "logging", "subprocess", "socket", "threading", "pathlib"}
    for path in files("console/domain"):
        found = {name.split(".")[0] for name in imported(path)} & forbidden
        assert not found, f"{path.relative_to(ROOT)} imports {found}"


def test_screens_see_the_domain_and_the_ports_only() -> None:
    for path in files("screens"):
        rooms = console_rooms(path) - {"domain", "ports", "errors"}
        assert not rooms, f"{path.relative_to(ROOT)} imports {rooms}"


def loaded_after(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after a statement."""
    code = f"import sys; {statement}; print(' '.join(sorted({{m.split('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement", ["import console.cli", "import screens.app", "import console.engine.conductor", "import console.ports"]
)
def test_heavy_libraries_load_late(statement: str) -> None:
    assert not loaded_after(statement) & HEAVY


def test_the_command_line_starts_without_textual() -> None:
    assert "textual" not in loaded_after("import console.cli")
