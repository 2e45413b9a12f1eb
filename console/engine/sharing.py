"""Who may read a run: its owner alone, or a group of this machine too (`[journal] readable_by = "group"`).

What always holds: a run's folder says it by its own mode, and the files that belong to the record follow it; the
group is the one of the folder in which runs are kept. Artifacts, the console's log and a rehearsal's world stay the
owner's alone, and nobody but the owner ever writes.
"""

import grp
import os
import stat
from dataclasses import dataclass
from pathlib import Path

GROUP = "group"
"""What `readable_by` says when a group may read; otherwise it says `owner`."""

_FOLDER, _FILE = 0o750, 0o640


@dataclass(frozen=True, slots=True)
class Closed:
    """A folder on the way to the runs that the group cannot enter, and the command that would allow it."""

    folder: Path
    mode: int
    group: str
    command: str

    def __str__(self) -> str:
        return f"the group {self.group} cannot enter the folder {self.folder} (mode {self.mode:04o})"


def closed_way(state: Path) -> Closed | None:
    """The first folder on the way into `state`, from the root, that its group cannot enter, by the bits of its mode.

    Folders that do not exist yet will be made so that it can. None when the way is open.
    """
    there, group = _nearest(state), _group_of(state)
    for folder in (*reversed(there.parents), there):
        info = folder.stat()
        who, bit = ("g", stat.S_IXGRP) if info.st_gid == group else ("o", stat.S_IXOTH)
        if not info.st_mode & bit:
            mode = stat.S_IMODE(info.st_mode)
            return Closed(folder, mode, _name(group), f"chmod {who}+x {folder}")
    return None


def foreign_group(state: Path) -> str:
    """The group that would read the runs in `state`, if it is one that we are not in and so cannot give; else empty."""
    group = _group_of(state)
    ours = os.geteuid() == 0 or group in (os.getegid(), *os.getgroups())
    return "" if ours else _name(group)


def make_run_folder(folder: Path, *, group: bool) -> None:
    """Make the folder of a run, or give the one that is there its rights. Raises OSError."""
    if group:
        _open_to_group(folder.parent)
    else:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if group:
        os.chown(folder, -1, folder.parent.stat().st_gid)
    folder.chmod(_FOLDER if group else 0o700)


def open_in(folder: Path, name: str, flags: int) -> int:
    """Open a file of a run's record; one that is made is as readable as the folder says. Raises OSError."""
    fd = os.open(folder / name, flags | os.O_CLOEXEC, 0o600)
    try:
        of_folder, of_file = folder.stat(), os.fstat(fd)
        if of_folder.st_mode & stat.S_IRGRP and stat.S_IMODE(of_file.st_mode) != _FILE:
            os.fchown(fd, -1, of_folder.st_gid)
            os.fchmod(fd, _FILE)
    except OSError:
        os.close(fd)
        raise
    return fd


def _open_to_group(kept: Path) -> None:
    """Make the folder in which runs are kept, and those above it that are missing; let the group into it."""
    group = _group_of(kept.parent)
    missing = [each for each in (kept, *kept.parents) if not each.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700)
        os.chown(folder, -1, group)
        folder.chmod(_FOLDER)
    info = kept.stat()
    if info.st_gid != group or info.st_mode & 0o050 != 0o050:
        os.chown(kept, -1, group)
        kept.chmod(stat.S_IMODE(info.st_mode) | 0o050)


def _group_of(state: Path) -> int:
    """The group that may read: of the folder `state`, or the one it will get, which is ours unless it is handed on."""
    there = _nearest(state)
    info = there.stat()
    return info.st_gid if there == state or info.st_mode & stat.S_ISGID else os.getegid()


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(each for each in (folder, *folder.parents) if each.exists())


def _name(group: int) -> str:
    try:
        return grp.getgrgid(group).gr_name
    except KeyError:
        return str(group)
