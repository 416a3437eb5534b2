"""
The sandbox with a gateway: it runs tasks, load balancers and databases as processes.

Loaded only if a sandbox is started with it. The program of an image is configured (`gateway.json` in the
folder), never guessed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

AUTHORITY = "sandbox-ca.pem"
"""File in the folder: the certificate of the authority for the listening servers."""
_FILE = "gateway.json"


@dataclass(frozen=True)
class Program:
    """The program of an image's entry point on this machine."""

    command: tuple[str, ...]
    """The program, to which a container's command is appended."""
    own: str = ""
    """The image's own entry point, as named by containers that run something before it."""
    host: str = ""
    """Its option for the listening address; empty: it gets its task's address in another way."""
    without: tuple[str, ...] = ()
    """Prefixes of variables that it does not get: it cannot use their targets here."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of its command with a fixed value here, whatever the command says."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Additional variables."""
    lacks: str = ""
    """What it lacks here, one sentence, which is written to its log."""


@dataclass(frozen=True)
class Gateway:
    """The programs of a sandbox that runs its contents."""

    folder: Path
    """The folder for their files, closed to other users."""
    programs: Mapping[str, Program] = field(default_factory=dict)
    """By image: a repository without tag and digest, like ``ghcr.io/owner/name``."""
    postgres: tuple[Path, ...] = ()
    """Folders to look for PostgreSQL's programs in, before this Python's packages and the PATH."""

    @classmethod
    def read(cls, folder: Path) -> Gateway:
        """Return the gateway written to *folder*; raises OSError, ValueError."""
        given = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        programs = {image: _program(one) for image, one in given["programs"].items()}
        return cls(folder, programs, tuple(Path(one) for one in given["postgres"]))

    def write(self) -> None:
        """Write the gateway to its folder, which is created."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        told = {
            "programs": {image: asdict(one) for image, one in self.programs.items()},
            "postgres": [str(one) for one in self.postgres],
        }
        (self.folder / _FILE).write_text(json.dumps(told), encoding="utf-8")


def _program(given: Mapping[str, Any]) -> Program:
    tuples = {name: tuple(given[name]) for name in ("command", "without")}
    return Program(**{**given, **tuples})
