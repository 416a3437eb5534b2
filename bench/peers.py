"""Installs what gatestack is measured against into environments of its own under `.bench/`, once, pinned."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOME = ROOT / ".bench"
"""The folder for everything that is installed or created for the bench."""

PYTHON = {
    "sceptre": ("sceptre==4.7.0", "troposphere==4.11.1"),
    "runway": ("runway==2.8.4",),
    "awscli": ("awscli==1.46.2",),
    "cdk-python": ("aws-cdk-lib==2.275.0",),
}
"""Environment -> its packages from PyPI."""
NODE = ("aws-cdk-lib@2.276.0", "aws-cdk@2.1148.1", "constructs@10", "typescript@5")
"""From npm. aws-cdk@latest is 3.x and refuses this aws-cdk-lib ("Maximum schema version supported")."""


class AbsentError(Exception):
    """A peer cannot be installed on this machine; the message says why."""


def python(name: str) -> Path:
    """Return the bin folder of the environment *name*; raises AbsentError where it cannot be installed."""
    home = HOME / name
    _once(home, PYTHON[name], lambda: _pip(home, PYTHON[name]))
    return home / "bin"


def node() -> Path:
    """Return the folder with the CDK's node_modules; raises AbsentError where it cannot be installed."""
    home = HOME / "node"
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise AbsentError("no node and npm on this machine")
    _once(home, NODE, lambda: _npm(home))
    return home


def _once(home: Path, wanted: tuple[str, ...], install: Callable[[], None]) -> None:
    """Call *install* unless *wanted* exists, or was found to be impossible."""
    mark = home / ".installed"
    if mark.is_file() and mark.read_text(encoding="utf-8") == " ".join(wanted):
        return
    sys.stderr.write(f"installing {' '.join(wanted)} into {home.relative_to(ROOT)} (once) ...\n")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    install()
    mark.write_text(" ".join(wanted), encoding="utf-8")


def _pip(home: Path, wanted: tuple[str, ...]) -> None:
    venv.create(home, with_pip=True)
    _install(
        [
            str(home / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            *wanted,
        ]
    )


def _npm(home: Path) -> None:
    (home / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    _install(["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(home), *NODE])


def _install(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    except subprocess.TimeoutExpired as error:
        raise AbsentError(f"{command[0]} took longer than 10 minutes") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise AbsentError(f"it could not be installed: {' '.join(said)[:120]}")
