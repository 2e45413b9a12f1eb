"""Running git: bounded in time, without prompts, editor, signing, hooks or anybody's configuration.

What a caller passes never becomes an option: callers put `--` or full ref names before it, and names are
checked here. Locks that a killed git left behind in the console's own clone are waited for and then removed.
"""

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from console.adapters.repository.troubles import trouble
from console.errors import RepositoryError

# GitPython looks for git when it is imported, and would refuse the import instead of the command.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

from git import Git
from git.exc import GitCommandNotFound

LOCAL_S = 60.0
NETWORK_S = 120.0
_LOCK_WAIT_S = 5.0
_LOCK_POLL_S = 0.1
_LOCKED = re.compile(r"[Uu]nable to create '([^']+\.lock)': File exists")

_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "commit.gpgSign=false",
    "push.gpgSign=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "i18n.logOutputEncoding=UTF-8",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
    "credential.interactive=false",
)

_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_EDITOR": "false",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_PARAMETERS": "",
    "GIT_CONFIG_COUNT": "0",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES": "",
    "GIT_NAMESPACE": "",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TRACE": "0",
    "GIT_TRACE_CURL": "0",
}


@dataclass(frozen=True, slots=True)
class Output:
    """How a git command ended."""

    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """The output as text, without the last line break."""
        return self.stdout.decode(errors="replace").rstrip("\n")

    @property
    def fields(self) -> list[str]:
        """The output split at its NULs, which end every field."""
        return self.stdout.decode(errors="replace").split("\0")[:-1]


class TimedOut(RepositoryError):
    """git was ended because it took too long."""


class GitCommand:
    """git on one bare repository, `directory`. Blocking: call it in a thread, one call at a time.

    `credential_helper` is a git credential helper (`store`, `osxkeychain`, `!gh auth git-credential` …): the
    person's own configuration, which may name one, is not read.
    """

    def __init__(self, directory: Path, *, credential_helper: str = "") -> None:
        self.directory = directory
        self._git = Git()
        self._helper = (f"credential.helper={credential_helper}",) if credential_helper else ()
        self._running: subprocess.Popen[bytes] | None = None
        self._guard = threading.Lock()

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        timeout: float = LOCAL_S,
        expect: tuple[int, ...] = (0,),
        environment: Mapping[str, str] | None = None,
        work_tree: Path | None = None,
    ) -> Output:
        """Run `git <arguments>` and return what it said. Raises RepositoryError for a status outside `expect`."""
        deadline = time.monotonic() + _LOCK_WAIT_S
        while True:
            output = self._once(arguments, stdin, timeout, environment or {}, work_tree)
            if output.status in expect:
                return output
            locked = _LOCKED.search(output.stderr)
            if locked is None:
                raise trouble(arguments[0], output.status, output.stderr)
            if time.monotonic() >= deadline:
                self._remove_stale(Path(locked[1]), arguments[0], output)
                deadline = time.monotonic() + _LOCK_WAIT_S
            time.sleep(_LOCK_POLL_S)

    def interrupt(self) -> None:
        """End the command that is running, if any: nobody waits for it any more."""
        with self._guard:
            if self._running is not None:
                _kill(self._running)

    def _once(
        self,
        arguments: tuple[str, ...],
        stdin: bytes,
        timeout: float,
        environment: Mapping[str, str],
        work_tree: Path | None,
    ) -> Output:
        place = ("-C", str(work_tree)) if work_tree else (f"--git-dir={self.directory}",)
        options = [word for setting in (*_CONFIG, *self._helper) for word in ("-c", setting)]
        safe = ("-c", f"safe.directory={self.directory}")
        executable = str(Git.GIT_PYTHON_GIT_EXECUTABLE or "git")
        # Held until the end: its finalizer would end the process.
        started = self._start(
            [executable, *place, *options, *safe, *arguments], {**_ENVIRONMENT, **_ssh(), **environment}
        )
        process = self._process(started)
        try:
            stdout, stderr = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired as late:
            _kill(process)
            process.communicate()
            raise TimedOut(
                f"git {arguments[0]} took longer than {timeout:.0f} s and was ended.",
                remedy="Check the network and the repository's host, then try again.",
            ) from late
        finally:
            with self._guard:
                self._running = None
        return Output(process.returncode, stdout, stderr.decode(errors="replace"))

    def _start(self, command: list[str], environment: Mapping[str, str]) -> Git.AutoInterrupt:
        try:
            return self._git.execute(
                command, istream=subprocess.PIPE, as_process=True, env=environment, start_new_session=True
            )
        except (GitCommandNotFound, PermissionError) as missing:
            raise RepositoryError(
                "git is not installed, or not on the PATH.",
                production="Nothing was changed.",
                remedy="Install git 2.30 or later, then try again.",
            ) from missing

    def _process(self, started: Git.AutoInterrupt) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] | None = started.proc
        if process is None:
            raise RepositoryError("git did not start.", production="Nothing was changed.", remedy="Try again.")
        with self._guard:
            self._running = process
        return process

    def _remove_stale(self, lock: Path, command: str, output: Output) -> None:
        """Remove a lock that outlived every git of ours; one outside of the clone is not ours to touch."""
        inside = lock.resolve().is_relative_to(self.directory.resolve())
        try:
            old = time.time() - lock.stat().st_mtime >= _LOCK_WAIT_S
        except FileNotFoundError:
            return
        if not inside or not old:
            raise trouble(command, output.status, output.stderr)
        with contextlib.suppress(FileNotFoundError):
            lock.unlink()


def _ssh() -> dict[str, str]:
    command = os.environ.get("GIT_SSH_COMMAND") or "ssh"
    return {"GIT_SSH_COMMAND": f"{command} -oBatchMode=yes -oConnectTimeout=10 -oServerAliveInterval=15"}


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
