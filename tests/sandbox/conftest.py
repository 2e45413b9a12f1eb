"""A git remote and PostgreSQL servers of the sandbox, real ones, gone after each test."""

import os
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from console.sandbox.contracts import DatabaseInstance
from console.sandbox.databases import SandboxDatabases
from console.sandbox.git_plumbing import clean_environment
from console.sandbox.remote import GitRemote, build_remote

Git = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
async def databases(tmp_path: Path) -> AsyncIterator[SandboxDatabases]:
    register = SandboxDatabases(tmp_path)
    yield register
    await register.remove_all()


@pytest.fixture
async def database(databases: SandboxDatabases) -> DatabaseInstance:
    return await databases.create("dpg-first", "crm-db", database="crm", user="crm_owner")


@pytest.fixture
async def remote(tmp_path: Path) -> GitRemote:
    return await build_remote(tmp_path / "crm.git")


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Runs git as a person would, in a clone at `tmp_path/clone`."""
    person = {"GIT_AUTHOR_NAME": "Rel", "GIT_AUTHOR_EMAIL": "rel@example.com"}
    person |= {"GIT_COMMITTER_NAME": "Rel", "GIT_COMMITTER_EMAIL": "rel@example.com"}
    environment = clean_environment() | person | {"PATH": os.environ["PATH"]}
    folder = tmp_path / "clone"

    def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        folder.mkdir(exist_ok=True)
        return subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=environment,
            check=check,
            capture_output=True,
            text=True,
            timeout=30,
        )

    return run
