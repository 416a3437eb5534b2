"""
`python -m bench [PART ...]`: measures, and prints one table.

Its exit code says nothing about the targets: on a machine that does other things a figure is no gate.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from bench import deploying, generating, linting, many, startup
from bench.endpoint import Endpoint, instant
from bench.measure import RunError
from bench.peers import HOME
from bench.table import Row, missing, table


def _on_an_endpoint(rows: Callable[[Endpoint], Iterator[Row]]) -> Iterator[Row]:
    with instant(HOME / "sandbox") as endpoint:
        yield from rows(endpoint)


PARTS: Mapping[str, Callable[[], Iterator[Row]]] = {
    "startup": startup.rows,
    "generate": generating.rows,
    "lint": linting.rows,
    "deploy": lambda: _on_an_endpoint(deploying.rows),
    "many": lambda: _on_an_endpoint(many.rows),
}


def main() -> int:
    """Measure the given parts, by default all."""
    asked = sys.argv[1:] or list(PARTS)
    if unknown := [part for part in asked if part not in PARTS]:
        sys.stderr.write(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}\n")
        return 2
    HOME.mkdir(exist_ok=True)
    rows: list[Row] = []
    for part in asked:
        sys.stderr.write(f"measuring {part} ...\n")
        rows += _measured(part)
    load = os.getloadavg()[0]
    cores = os.cpu_count()
    print(table(rows))
    print(
        f"\n{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {cores} cores, load {load:.1f} at the end, "
        f"{platform.system()}, Python {platform.python_version()}; medians of whole processes, in turn"
    )
    if cores and load > cores:
        print("the machine was busy with other things: believe ratios, not seconds, and measure again")
    return 0


def _measured(part: str) -> list[Row]:
    found: list[Row] = []
    try:
        found.extend(PARTS[part]())
    except (RunError, OSError, KeyError) as error:
        found.append(missing(part, f"{type(error).__name__}: {error}"))
    return found


if __name__ == "__main__":
    sys.exit(main())
