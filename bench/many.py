"""Environments of any number of small stacks, and what a run over 5, 50 and 500 of them costs."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.endpoint import Endpoint, Timed
from bench.measure import Command, peak_mib
from bench.peers import HOME
from bench.startup import GATESTACK
from bench.table import Row, counted, within
from deployer.aws.account import connect
from deployer.deploy import deploy
from deployer.options import Host, Options
from deployer.progress import Event, Result
from generator import manifest as manifests
from generator.manifest import Manifest, StackSpec
from sandbox.faults import ResourceFault

SIZES = (5, 50, 500)
REGION = "us-east-1"
PREFIX = "many-litellm-"
"""What every stack's name begins with."""
SLOW_SECONDS = 600.0
"""Seconds of each of the two stacks of the longest path; every fifth of the others takes half of it."""


def environment(count: int) -> Manifest:
    """Return *count* stacks of one parameter each: a chain of two, and the others independent."""
    chain = [("first", ""), ("second", "first")]
    others = [(f"s{number}", f"s{number - 1}" if number % 10 == 9 else "") for number in range(count - 2)]
    stacks = tuple(_stack(name, need) for name, need in chain + others)
    return Manifest("many", "litellm", REGION, None, production=False, stacks=stacks)


def _stack(name: str, need: str) -> StackSpec:
    value: Any = {"Fn::ImportValue": f"many-{need}-Name"} if need else name
    one = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": f"/many/{name}", "Type": "String", "Value": value},
    }
    output = {"Value": {"Ref": "One"}, "Export": {"Name": f"many-{name}-Name"}}
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": name,
        "Resources": {"One": one},
        "Outputs": {"Name": output},
    }
    tags = {"Environment": "many", "Stack": name, "System": "litellm"}
    return StackSpec(name, f"{PREFIX}{name}", json.dumps(template), tags=tags)


def folder(count: int) -> Path:
    """Write the environment as `generate` would; returns the folder."""
    made = HOME / f"many-{count}"
    shutil.rmtree(made, ignore_errors=True)
    manifests.write(environment(count), made)
    return made


def rows(endpoint: Endpoint) -> Iterator[Row]:
    """Measure it."""
    for count in SIZES:
        result, sandbox = _on_a_clock(count)
        took = sandbox.took({name: f"{PREFIX}{name}" for name in ("first", "second")}, REGION)
        way = took["first"] + took["second"]
        ours, beside = f"{result.seconds:.0f} s of the sandbox", f"longest path: {way:.0f} s"
        yield within(f"{count} stacks: makespan", ours, beside, result.seconds / way, 1.03)
        calls = Counter(call.action for call in sandbox.calls)
        each = sum(calls.values()) / count
        yield Row(f"{count} stacks: calls to CloudFormation", f"{sum(calls.values())}", f"{each:.1f} a stack")
        yield counted(f"{count} stacks: stacks whose events are read in a tick, at most", _most(sandbox), 10)
        endpoint.reset()
        command = Command([GATESTACK, "deploy", folder(count), "--yes"], HOME, endpoint.variables)
        yield Row(
            f"{count} stacks: memory, at the most", f"{peak_mib(command):.0f} MiB", "on an instant endpoint"
        )


def _on_a_clock(count: int) -> tuple[Result, Timed]:
    """Deploy on a manual clock, on which calls and resources take their time."""
    told: list[Event] = []
    with Timed(call_seconds=0.15 / 8) as sandbox:
        os.environ |= sandbox.variables
        for name in ("first", "second"):
            sandbox.faults.resources.append(
                ResourceFault("create", stack=f"{PREFIX}{name}", seconds=SLOW_SECONDS, times=None)
            )
        for number in range(0, count, 5):
            sandbox.faults.resources.append(
                ResourceFault("create", stack=f"{PREFIX}s{number}", seconds=SLOW_SECONDS / 2, times=None)
            )
        host = Host(told.append, sandbox.clock.now, sandbox.sleep, "bench")
        result = deploy(environment(count), connect(REGION, endpoint=sandbox.endpoint), Options(), host)
    return result, sandbox


def _most(sandbox: Timed) -> int:
    """Return the most stacks whose events are read between two polls."""
    most, now = 0, 0
    for call in sandbox.calls:
        now = 0 if call.action == "DescribeStacks" else now + (call.action == "DescribeStackEvents")
        most = max(most, now)
    return most


def templates(count: int) -> Mapping[str, Mapping[str, Any]]:
    """Return the templates by name."""
    return {stack.name: json.loads(stack.template) for stack in environment(count).stacks}
