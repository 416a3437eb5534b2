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
"""File of the folder: the certificate of the authority that signs those of what listens."""
_FILE = "gateway.json"


@dataclass(frozen=True)
class Program:
    """What an image's entry point is on this machine."""

    command: tuple[str, ...]
    """The program, which takes a container's command behind it."""
    own: str = ""
    """The image's own entry point, as containers name it that run something before it."""
    host: str = ""
    """Its option for the address that it listens at; empty: its task's address is given by other means."""
    without: tuple[str, ...] = ()
    """Beginnings of names of variables that it does not get: it cannot use here what they lead to."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of its command that have this value here, whatever the command says."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """What it gets beside the container's own."""
    lacks: str = ""
    """What it cannot do here, one sentence, which stands in its log."""


@dataclass(frozen=True)
class Gateway:
    """That what is in the sandbox runs, and with what."""

    folder: Path
    """Where what runs keeps its files, closed to other users."""
    programs: Mapping[str, Program] = field(default_factory=dict)
    """By image: a repository without tag and digest, like ``ghcr.io/owner/name``."""
    postgres: tuple[Path, ...] = ()
    """Folders to look for PostgreSQL's programs in, before this Python's packages and the PATH."""

    @classmethod
    def read(cls, folder: Path) -> Gateway:
        """Return the one that was written into *folder*; raises OSError, ValueError."""
        given = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        programs = {image: _program(one) for image, one in given["programs"].items()}
        return cls(folder, programs, tuple(Path(one) for one in given["postgres"]))

    def write(self) -> None:
        """Tell in its folder, which is made, what it has to run."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        told = {
            "programs": {image: asdict(one) for image, one in self.programs.items()},
            "postgres": [str(one) for one in self.postgres],
        }
        (self.folder / _FILE).write_text(json.dumps(told), encoding="utf-8")


def _program(given: Mapping[str, Any]) -> Program:
    tuples = {name: tuple(given[name]) for name in ("command", "without")}
    return Program(**{**given, **tuples})
