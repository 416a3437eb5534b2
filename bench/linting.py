"""`lint` beside the cfn-lint command over the same five templates."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import count
from pathlib import Path

from bench.measure import Command, in_turn, run
from bench.peers import HOME, ROOT
from bench.startup import GATESTACK
from bench.table import Row, compared, seconds, within
from generator.forked import cores

RUNS = 4
CACHES = HOME / "caches"
STACKS = ("security", "network", "alb", "database", "service")
CHANGED = HOME / "environments" / "dev.yaml"
SIZE = "  instance_class: db.t3.micro"
_sizes = count(100)


def rows() -> Iterator[Row]:
    """Measure it."""
    built = HOME / "templates"
    run(Command([GATESTACK, "generate", "dev", "--out", built], ROOT))
    theirs = Command([GATESTACK.with_name("cfn-lint"), *(built / f"{stack}.json" for stack in STACKS)])
    beside = f"cfn-lint {version('cfn-lint')}"
    _change()
    for what, ours, limit in (
        (f"lint, cold, on {cores()} cores", _lint("dev", _forget), 0.75),
        ("lint, unchanged", _lint("dev"), 0.2),
        ("lint, one stack changed (the second largest)", _lint(CHANGED, _change), None),
    ):
        pair = in_turn(ours, theirs, RUNS)
        figures = (what, seconds(pair.ours.seconds), f"{beside}: {seconds(pair.theirs.seconds)}", pair.ratio)
        yield compared(*figures) if limit is None else within(*figures, limit)


def _lint(environment: str | Path, before: Callable[[], None] = lambda: None) -> Command:
    caches = {"XDG_CACHE_HOME": str(CACHES)}
    return Command([GATESTACK, "lint", environment], ROOT, caches, before)


def _forget() -> None:
    shutil.rmtree(CACHES, ignore_errors=True)


def _change() -> None:
    """Write dev's environment file with another size of the database: one template changes by it."""
    text = (ROOT / "environments" / "dev.yaml").read_text(encoding="utf-8")
    CHANGED.parent.mkdir(parents=True, exist_ok=True)
    CHANGED.write_text(text.replace(SIZE, f"{SIZE}\n  max_storage_gb: {next(_sizes)}"), encoding="utf-8")
