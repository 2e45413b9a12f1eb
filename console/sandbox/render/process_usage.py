"""What a process uses: processor time and memory, from /proc or, where there is none, from `ps`."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT = 5.0
_HAS_PROC = Path("/proc/self/stat").exists()


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor seconds since the start of the process, and resident bytes now."""

    cpu_seconds: float
    memory_bytes: int


async def usage_of(pid: int) -> Usage | None:
    """The usage of a process, or None when there is no such process."""
    if _HAS_PROC:
        return await asyncio.to_thread(_from_proc, pid)
    return await _from_ps(pid)


def _from_proc(pid: int) -> Usage | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command's name stands in parentheses and may hold blanks; the fields after it do not.
    fields = stat.rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), int(fields[21]) * os.sysconf("SC_PAGE_SIZE"))


async def _from_ps(pid: int) -> Usage | None:
    process = await asyncio.create_subprocess_exec(
        "ps", "-o", "rss=,time=", "-p", str(pid), stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(_TIMEOUT):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        return None
    if not output.strip():
        return None
    resident, clock = output.decode().split()
    seconds = 0.0
    for part in clock.replace("-", ":").split(":"):
        seconds = seconds * 60 + float(part)
    return Usage(seconds, int(resident) * 1024)
