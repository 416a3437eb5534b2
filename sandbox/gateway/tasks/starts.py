"""
How a container starts here: its image's program with the definition's command, variables and secrets.

Writable paths of the definition (tmpfs, volumes, /tmp) are folders of the task's own; the rest is not made
read-only. In a health check the task's loopback is replaced by the task's address.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.gateway import Program
from sandbox.key import Key
from sandbox.services.dynamic_values import injected
from sandbox.services.reach import Reach

_TAG = re.compile(r"(?::[^/@]+)?(?:@sha256:[0-9a-f]+)?$")
_ECR = re.compile(r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/")
_SHELL = 4
"""Words before the program in a shell script that ends with it: ``/bin/sh``, ``-c``, the script, its name."""
_PATH = os.pathsep.join(("/usr/local/bin", "/usr/bin", "/bin"))


@dataclass(frozen=True)
class Place:
    """The address of a task, and its AWS identity."""

    region: str
    address: str
    folder: Path
    endpoint: str
    login: Key = field(repr=False)


@dataclass(frozen=True)
class Start:
    """The start of a container's process."""

    command: Sequence[str]
    variables: Mapping[str, str] = field(repr=False)
    check: Sequence[str] = ()
    """The command of its health check; empty: it has none."""


def program_of(
    container: Mapping[str, Any], programs: Mapping[str, Program], built: Mapping[str, str]
) -> Program | None:
    """
    Return the program of *container*'s image; *built*: repository of ECR -> that of what its images are from.

    One with its own entry point runs an unknown program of the image, unless the entry point is a shell
    command that ends with the program.
    """
    repository = _TAG.sub("", container["image"])
    found = programs.get(built.get(_ECR.sub("", repository), repository))
    _, entry = _before(container)
    if found is None or (entry and _name(entry[0]) != _name(found.command[0]) and entry[0] != found.own):
        return None
    return found


def _before(container: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the shell command that the entry point begins with, and the rest of the entry point."""
    entry: Sequence[str] = container.get("entryPoint") or ()
    if len(entry) > _SHELL and entry[0] == "/bin/sh" and entry[1] == "-c" and entry[2].endswith('exec "$@"'):
        return entry[:_SHELL], entry[_SHELL:]
    return (), entry


def not_run(container: Mapping[str, Any]) -> str:
    """Return the log line of a container without a program."""
    entry: Sequence[str] = container.get("entryPoint") or ()
    what = f"{entry[0]} in the image" if entry else "the image"
    return f"the sandbox has no program for {what} {container['image']}: it is not run"


def start(container: Mapping[str, Any], program: Program, place: Place, reach: Reach) -> Start:
    """
    Return how *container*, as DescribeTaskDefinition shows it, starts.

    Raises:
        ProvisionError: one of its secrets cannot be read.

    """
    paths = _paths(container, place.folder)
    variables = {
        **{one["name"]: _moved(one["value"], paths) for one in container.get("environment", ())},
        **{
            one["name"]: injected(one["valueFrom"], reach, place.region)
            for one in container.get("secrets", ())
        },
    }
    kept = {name: value for name, value in variables.items() if not name.startswith(program.without or "\0")}
    binaries = os.path.dirname(program.command[0])  # noqa: PTH120 - a word of a command, maybe no path
    here = {
        "HOME": str(place.folder),
        "PATH": os.pathsep.join(filter(None, (binaries, _PATH))),
        "TMPDIR": str(paths["/tmp"]),  # noqa: S108 - the container's own
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **kept,
        **program.variables,
        **_aws(place),
    }
    return Start(_command(container, program, place.address, paths), here, _check(container, place.address))


def _command(
    container: Mapping[str, Any], program: Program, address: str, paths: Mapping[str, Path]
) -> list[str]:
    given = [_moved(word, paths) for word in container.get("command", ())]
    before, entry = _before(container)
    words = [*before, *program.command, *entry[1:], *_fixed(given, program.options)]
    return [*words, program.host, address] if program.host else words


def _name(word: str) -> str:
    return word.rpartition("/")[2]


def _fixed(words: Sequence[str], options: Mapping[str, str]) -> list[str]:
    """Return *words* with the fixed values of options."""
    before = ("", *words)
    return [options.get(option, word) for option, word in zip(before, words, strict=False)]


def _check(container: Mapping[str, Any], address: str) -> list[str]:
    kind, *words = container.get("healthCheck", {}).get("command") or ["NONE"]
    ports = "|".join(str(one["containerPort"]) for one in container.get("portMappings", ()))
    if kind not in ("CMD", "CMD-SHELL") or not words:
        return []
    own = re.compile(rf"(?:127\.0\.0\.1|localhost)(?=:(?:{ports})\b)") if ports else None
    said = [own.sub(address, word) if own else word for word in words]
    return said if kind == "CMD" else ["/bin/sh", "-c", *said]


def _paths(container: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Return the local folder for each writable path of the container; creates them."""
    memory = container.get("linuxParameters", {}).get("tmpfs", ())
    names = {"/tmp"} | {one["containerPath"] for one in (*memory, *container.get("mountPoints", ()))}  # noqa: S108 - as above
    found = {name: folder / name.lstrip("/") for name in names}
    for one in found.values():
        one.mkdir(parents=True, exist_ok=True)
    return found


def _moved(value: str, paths: Mapping[str, Path]) -> str:
    for name, path in paths.items():
        if value == name or value.startswith(f"{name}/"):
            return f"{path}{value[len(name) :]}"
    return value


def _aws(place: Place) -> dict[str, str]:
    """Return the variables that lead to the sandbox only, as the task's role."""
    return {
        **place.login.variables,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": place.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": place.endpoint,
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        "AWS_REGION": place.region,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.0/8,localhost",
    }
