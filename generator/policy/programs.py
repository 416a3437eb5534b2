"""
Finds and runs the programs that check templates.

They get no credentials: neither the variables of a login nor a home folder with one, since they may run a
team's own Python.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from textwrap import shorten
from typing import Any

PATIENCE_SECONDS = 600
SYSTEMS: Mapping[str, str] = {"Linux": "ubuntu", "Darwin": "macos"}
MACHINES: Mapping[str, str] = {"x86_64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
INHERITED = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR")
"""Environment variables that a program gets."""
LONGEST_SAID = 600
"""Characters of a program's output that a message repeats."""


class ScanError(Exception):
    """A scan is inconclusive: its result cannot be read, or not all templates were checked."""


@dataclass(frozen=True)
class Answer:
    """The output of a program: JSON on stdout, and text on stderr."""

    document: Any
    remarks: str


def installed(name: str, beside: Path, how: str) -> Path:
    """
    Return the program *name*: the one on PATH, else *beside* if it is there.

    Raises:
        ScanError: it is not installed; the message ends with *how*.

    """
    found = which(name)
    if found:
        return Path(found)
    if not beside.is_file():
        raise ScanError(f"{name} is not installed: {how}")
    return beside.absolute()


def packaged_guard(package: Path, system: str = "", machine: str = "") -> Path:
    """
    Return where cfn-guard for this machine is in *package*, AWS's cdk-validator-cfnguard unpacked.

    Raises:
        ScanError: AWS ships none for it.

    """
    system, machine = system or platform.system(), machine or platform.machine()
    if system not in SYSTEMS or machine not in MACHINES:
        raise ScanError(
            f"AWS ships no cfn-guard for {system} on {machine}: scan on Linux or macOS, x86_64 or ARM"
        )
    return package / "bin" / SYSTEMS[system] / MACHINES[machine] / "cfn-guard"


def answered(command: Sequence[str], folder: Path, ends: Collection[int]) -> Answer:
    """
    Run *command* in *folder*, with a home of its own, and return what it says.

    Raises:
        ScanError: it says no JSON, takes too long, or its exit code is none of *ends*.

    """
    name = Path(command[0]).name
    own = {key: os.environ[key] for key in INHERITED if key in os.environ}
    try:
        with TemporaryDirectory(prefix="gatestack-home-") as home:
            done = subprocess.run(  # noqa: S603 - a program that the user has installed, on our own files
                list(command),
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                cwd=folder,
                env=own | {"HOME": home},
                stdin=subprocess.DEVNULL,
                timeout=PATIENCE_SECONDS,
            )
    except subprocess.TimeoutExpired as error:
        raise ScanError(f"{name} has not ended after {PATIENCE_SECONDS} seconds") from error
    except OSError as error:
        raise ScanError(f"{command[0]} cannot be started: {error.strerror}") from error
    try:
        document = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        said = told(done.stderr or done.stdout)
        raise ScanError(f"{name} ended with {done.returncode} and no report: {said}") from error
    if done.returncode not in ends:
        raise ScanError(f"{name} ended with {done.returncode}: {told(done.stderr)}")
    return Answer(document, done.stderr)


def told(text: str) -> str:
    """Return the end of a program's output, in one line; that is where the reason is."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_SAID else f"… {line[-LONGEST_SAID:]}"


def cut(text: str, longest: int = 240) -> str:
    """Return a rule's text in one line of *longest* characters at most."""
    return shorten(text, longest, placeholder=" …")
