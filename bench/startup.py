"""Start-up: commands that do nothing, beside their unavoidable imports."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Command, in_turn
from bench.table import Row, compared, seconds, within

GATESTACK = Path(sys.executable).parent / "gatestack"
RUNS = 15


def rows() -> Iterator[Row]:
    """Measure it."""
    click = Command([sys.executable, "-c", "import click"])
    for arguments in (["--help"], ["status", "--help"]):
        pair = in_turn(Command([GATESTACK, *arguments]), click, RUNS)
        what = f"start-up: gatestack {' '.join(arguments)}"
        beside = f"python -c 'import click': {seconds(pair.theirs.seconds)}"
        row = within if arguments == ["--help"] else compared
        yield row(what, seconds(pair.ours.seconds), beside, pair.ratio, *([1.5] if row is within else []))
