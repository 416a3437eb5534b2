"""Times whole processes, ours and theirs alternately, so that a slower machine slows both."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

_SMALL = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
open(sys.argv[1], "w").write(str(used.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Starts another program: the system counts the memory of the starting process as the started one's."""


def _nothing() -> None:
    """Prepare nothing."""


class RunError(Exception):
    """A command did not run as expected; the message says how it ended."""


@dataclass(frozen=True)
class Command:
    """One program and what it needs."""

    arguments: Sequence[str | Path]
    folder: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment."""
    before: Callable[[], None] = _nothing
    """Called before each run, not counted in the time."""


@dataclass(frozen=True)
class Run:
    """One run of a command."""

    seconds: float
    """On the wall, from start to exit."""


@dataclass(frozen=True)
class Pair:
    """Several runs of two commands, alternating."""

    ours: Run
    """Medians."""
    theirs: Run
    ratio: float
    """Median of the pairs' ratios of seconds, ours to theirs."""


def run(command: Command) -> Run:
    """Run *command* once; raises RunError where it does not end with 0."""
    command.before()
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        child = subprocess.Popen(
            [str(part) for part in command.arguments],
            cwd=command.folder,
            env=_inherited() | dict(command.variables),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        child.wait()
        seconds = time.perf_counter() - began
        if child.returncode:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()[-3:]
            raise RunError(f"exit code {child.returncode}: {' / '.join(lines)}")
    return Run(seconds)


def peak_mib(command: Command) -> float:
    """Return the resident memory of *command* at its highest; raises RunError as `run` does."""
    with tempfile.NamedTemporaryFile("r") as told:
        arguments = [sys.executable, "-I", "-S", "-c", _SMALL, told.name, *command.arguments]
        run(replace(command, arguments=arguments))
        return float(told.read()) / 1024


def _inherited() -> dict[str, str]:
    """Return an environment in which Python caches compiled files, its default."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def several(command: Command, times: int) -> Run:
    """Return the medians of so many runs, after a warm-up run."""
    run(command)
    return middle([run(command) for _ in range(times)])


def in_turn(ours: Command, theirs: Command, times: int) -> Pair:
    """Run the two alternately so many times, after a warm-up run of each."""
    run(ours)
    run(theirs)
    return paired([(run(ours), run(theirs)) for _ in range(times)])


def paired(runs: Sequence[tuple[Run, Run]]) -> Pair:
    """Return the medians of several pairs of runs."""
    ratios = [ours.seconds / theirs.seconds for ours, theirs in runs]
    return Pair(middle([ours for ours, _ in runs]), middle([theirs for _, theirs in runs]), median(ratios))


def middle(runs: Sequence[Run]) -> Run:
    """Return the medians of several runs."""
    return Run(median(run.seconds for run in runs))
