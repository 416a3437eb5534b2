"""A deployment of the five stacks, compared with the longest path and the floor, and its calls."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from bench import express, launching
from bench.endpoint import Endpoint, Timed, instant
from bench.measure import Command, Run, paired, run
from bench.peers import HOME, ROOT
from bench.startup import GATESTACK
from bench.table import Row, compared, counted, seconds, within
from deployer.aws.account import connect
from deployer.deploy import deploy
from deployer.graph import Graph, graph
from deployer.options import Host, Options
from generator import manifest as manifests
from generator.manifest import Manifest
from sandbox.services.tasks import ENDS as TASK_SECONDS

RUNS = 3
ON_A_CLOCK = "local"
"""The image is public: no push is needed before its service starts."""
BESIDE_THE_FLOOR = "llm-proxy-dev"
"""The same, and no database is migrated before its service starts, since the floor migrates none."""


def rows(endpoint: Endpoint) -> Iterator[Row]:
    """Measure it."""
    yield _beside_the_longest_path(manifests.read(_built(ON_A_CLOCK)))
    yield from express.rows()
    with instant(HOME / "sandbox-of-the-floor") as other:
        yield from _beside_the_floor(_built(BESIDE_THE_FLOOR), endpoint, other)
    yield from launching.rows(endpoint)


def _built(environment: str) -> Path:
    folder = HOME / "built" / environment
    run(Command([GATESTACK, "generate", environment, "--out", folder], ROOT))
    return folder


def _beside_the_longest_path(manifest: Manifest) -> Row:
    with Timed() as sandbox:
        os.environ |= sandbox.variables
        host = Host(lambda _: None, sandbox.clock.now, sandbox.sleep, "bench")
        result = deploy(manifest, connect(manifest.region, endpoint=sandbox.endpoint), Options(), host)
        names = {stack.name: stack.stack_name for stack in manifest.stacks}
        took = sandbox.took(names, manifest.region)
        for stack in manifest.stacks:
            took[stack.name] += TASK_SECONDS if stack.migration else 0.0  # it runs before its stack
        way = longest_way(graph(manifest.stacks), took)
    figures = f"{result.seconds:.0f} s of the sandbox", f"longest path: {way:.0f} s"
    return within("deployment of five stacks, on the sandbox's clock", *figures, result.seconds / way, 1.03)


def longest_way(order: Graph, took: dict[str, float]) -> float:
    """Return the duration of the longest chain of dependent stacks."""
    until: dict[str, float] = {}
    for name in order.names:
        until[name] = took[name] + max((until[need] for need in order.needs[name]), default=0.0)
    return max(until.values())


def _beside_the_floor(folder: Path, endpoint: Endpoint, other: Endpoint) -> Iterator[Row]:
    ours = Command([GATESTACK, "deploy", folder, "--yes"], ROOT, endpoint.variables)
    floor = Command([sys.executable, "-m", "bench.floor", folder], ROOT, other.variables)
    made = [(_new(ours, endpoint), _new(floor, other)) for _ in range(RUNS + 1)][1:]
    calls = endpoint.calls()
    pair = paired(made)
    figures = seconds(pair.ours.seconds), f"floor: {seconds(pair.theirs.seconds)}", pair.ratio
    yield within("deployment of five stacks, on an instant endpoint", *figures, 1.5)
    yield counted(
        "deployment of five stacks, calls to CloudFormation",
        calls.total(),
        30,
        f"floor: {other.calls().total()}",
    )
    pair = paired([(run(ours), run(floor)) for _ in range(RUNS + 1)][1:])
    calls, theirs = endpoint.calls().total() // (RUNS + 1), other.calls().total() // (RUNS + 1)
    yield compared(
        "deployment without changes",
        seconds(pair.ours.seconds),
        f"floor: {seconds(pair.theirs.seconds)}",
        pair.ratio,
    )
    yield counted("deployment without changes, calls to CloudFormation", calls, 20, f"floor: {theirs}")


def _new(command: Command, endpoint: Endpoint) -> Run:
    endpoint.reset()
    return run(command)
