"""A whole unattended rehearsal at pace 600, once installed."""

import json
import subprocess
import sys
import tempfile
import time

from tests.benchmarks.figures import Figure


def measure() -> list[Figure]:
    """Wall seconds from the command to its end, and of the run within."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "console",
            "rehearse",
            "--auto",
            "--json",
            "--pace",
            "600",
            "--directory",
            folder,
        ]
        begun = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        seconds = time.perf_counter() - begun
    summary = json.loads(done.stdout.splitlines()[-1])
    return [
        Figure("an unattended rehearsal at pace 600, in all", seconds, "s", budget=60),
        Figure("of that the run itself", float(summary["elapsed_s"]), "s"),
    ]
