"""What a push does to a service: whether the provider builds it, and what the console does otherwise.

Rules of the provider (https://render.com/docs/monorepo-support): ignored paths never trigger; included paths,
where there are any, alone do; else everything under the root directory does. Globs are relative to the
repository's root: `*` and `?` stay within a folder, `**` crosses folders.
"""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

from console.domain.hosting import ServiceInfo
from console.domain.plan import Service


class Outlook(StrEnum):
    """What becomes of a service: the push builds it, the console deploys it by commit, or nothing."""

    BUILD = "build"
    DEPLOY = "deploy"
    UNCHANGED = "unchanged"


def concerning(info: ServiceInfo, files: Iterable[str]) -> list[str]:
    """Those of the changed files that trigger a build of the service."""
    return [file for file in files if _concerns(info, file)]


def problems_of(service: Service, info: ServiceInfo, branch: str) -> tuple[str, ...]:
    """Why a push to `branch` would not bring the release to the service; empty when it would."""
    problems: list[str] = []
    if info.branch != branch:
        problems.append(
            f"{service.name} tracks {info.branch or 'no branch'}, not {branch}: the push would not reach it"
        )
    if info.suspended:
        problems.append(f"{service.name} is suspended: it deploys nothing")
    if info.auto_deploy == "checksPass":
        problems.append(f"{service.name} deploys only after checks passed; where none exist, it never does")
    elif info.auto_deploy != "commit":
        problems.append(f"autodeploy of {service.name} is {info.auto_deploy}: the push would not deploy it")
    return tuple(problems)


def outlook(service: Service, info: ServiceInfo, files: Sequence[str]) -> tuple[Outlook, str]:
    """What a push of these changed files does to the service, and why."""
    triggering = concerning(info, files)
    if triggering:
        return Outlook.BUILD, f"{len(triggering)} of {len(files)} changed files concern it"
    scope = f"root directory {info.root_dir}" if info.root_dir and not info.build_paths else "build filter"
    if service.unbuilt == "unchanged":
        return Outlook.UNCHANGED, f"no changed file passes its {scope}; the plan leaves it unchanged"
    return Outlook.DEPLOY, f"no changed file passes its {scope}; the console deploys it by commit"


def _concerns(info: ServiceInfo, file: str) -> bool:
    if any(_glob(pattern).fullmatch(file) for pattern in info.ignored_paths):
        return False
    if info.build_paths:
        return any(_glob(pattern).fullmatch(file) for pattern in info.build_paths)
    root = info.root_dir.strip("./")
    return not root or file.startswith(f"{root}/")


def _glob(pattern: str) -> re.Pattern[str]:
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]/]+\])", pattern.removeprefix("./"))
    return re.compile("".join(wild.get(part) or _literal(part) for part in parts))


def _literal(part: str) -> str:
    if part.startswith("[") and part.endswith("]"):
        return part.replace("[!", "[^", 1)
    return re.escape(part)
