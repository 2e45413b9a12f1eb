"""What the fault `backup-corrupt` does to an export: a table's data is cut short inside a valid archive.

The outer `.tar.gz` stays whole and its table of contents can still be listed: only reading the data shows it.
"""

import io
import tarfile
from pathlib import Path


def damage(archive: Path) -> str:
    """Cut the largest data file of a directory archive to half its size; the damaged member's name.

    Raises ValueError when the archive holds no data file.
    """
    with tarfile.open(archive, "r:gz") as original:
        data = [member for member in original.getmembers() if member.isfile() and ".dat" in member.name]
        data = [member for member in data if not member.name.endswith("toc.dat")]
        if not data:
            raise ValueError(f"{archive.name} holds no table data")
        victim = max(data, key=lambda member: member.size)
        draft = archive.with_suffix(".damaged")
        with tarfile.open(draft, "w:gz") as copy:
            for member in original.getmembers():
                content = original.extractfile(member) if member.isfile() else None
                if content is not None and member.name == victim.name:
                    member.size //= 2
                    content = io.BytesIO(content.read(member.size))
                copy.addfile(member, content)
    draft.replace(archive)
    return victim.name
