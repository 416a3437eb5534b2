"""Environments of a dozen and of five hundred stacks: what a run costs, how long it takes, what it keeps."""

from __future__ import annotations

import threading
import tracemalloc
from collections import Counter
from dataclasses import replace

import pytest

from deployer.deploy import deploy
from deployer.options import Options
from deployer.states import ChangeSetRequest, ChangeSetState
from generator.manifest import Manifest
from tests.deployer.fakes import Clock, FakeCloud, host, manifest, spec
from tests.sandbox.sandbox_fakes import SLOW, THING, thing
from tests.sandbox.sandbox_wire import REGION, Line, imported, line, made_of

CALL = 0.15 / 8
"""Virtual seconds of a call: AWS takes about 0.15, and eight are under way at a time."""
LONGEST = ("first", "second")
"""Stacks that take ten minutes each, one behind the other."""
SIZES = [12, pytest.param(500, marks=pytest.mark.deep)]


def many(count: int, size: str = "1") -> Manifest:
    """A long chain, and all the others side by side: every fifth slow, every tenth behind another one."""
    arn = {"Fn::GetAtt": "One.Arn"}
    chain = [
        made_of(name, {"One": thing(SLOW, Value=imported(f"dev-{need}-Arn") if need else "")}, {"Arn": arn})
        for need, name in zip(("", *LONGEST), LONGEST, strict=False)
    ]
    others = [
        made_of(
            f"s{number}",
            {"One": thing(SLOW if number % 5 == 0 else THING, Value=size),
             "Two": thing(Value=imported(f"dev-s{number - 1}-Arn") if number % 10 == 9 else "")},
            {"Arn": arn},
        )
        for number in range(count - len(chain))
    ]  # fmt: skip
    return manifest(*others, *chain, region=REGION)


def longest_way(aws: Line) -> float:
    """Return how long AWS itself took for the chain."""
    total = 0.0
    for name in LONGEST:
        events = aws.ask("DescribeStackEvents", StackName=f"dev-{name}")["StackEvents"]
        own = [event for event in events if event["LogicalResourceId"] == f"dev-{name}"]
        times = {event["ResourceStatus"]: event["Timestamp"] for event in own}
        total += times["CREATE_COMPLETE"] - times["CREATE_IN_PROGRESS"]
    return total


def calls_between_looks(aws: Line) -> list[Counter[str]]:
    found, before = [Counter[str]()], ""
    for call in aws.sandbox.calls:
        if call.action == "DescribeStacks" != before:
            found.append(Counter())
        found[-1][call.action] += 1
        before = call.action
    return found


@pytest.mark.parametrize("count", SIZES)
def test_a_run_ends_when_the_longest_way_does_and_costs_the_same_for_every_stack(count: int) -> None:
    with line() as aws:
        aws.wire.seconds = CALL

        result = aws.deploy(many(count), poll_interval=None)

        assert {stack.outcome for stack in result.stacks} == {"done"}
        way = longest_way(aws)
        assert way < result.seconds < way * 1.02
        between = calls_between_looks(aws)
        assert max(each["DescribeStackEvents"] for each in between) <= 10
        calls = aws.calls()
        assert calls["CreateChangeSet"] == calls["ExecuteChangeSet"] == count
        assert calls["DescribeChangeSet"] <= 6 * count
        assert calls["ListChangeSets"] == 0

        aws.wire.seconds = 0.0
        assert {stack.action for stack in aws.deploy(many(count)).stacks} == {"none"}
        assert aws.calls()["DescribeStacks"] <= 10 * (1 + count // 100)


@pytest.mark.parametrize("count", SIZES)
def test_what_a_run_remembers_of_a_stack_is_little(count: int) -> None:
    with line() as aws:
        wanted = many(count)
        tracemalloc.start()
        try:
            aws.deploy(wanted, poll_interval=60.0)
            _, peak = tracemalloc.get_traced_memory()
            ours = tracemalloc.Filter(inclusive=True, filename_pattern="*/deployer/*")
            left = tracemalloc.take_snapshot().filter_traces([ours])
        finally:
            tracemalloc.stop()
    assert sum(trace.size for trace in left.traces) < 20_000 * count
    assert peak < 400_000 * count  # with what the sandbox itself remembers


class Gathering:
    """A cloud that answers a request for a change set only when four of them are under way."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self._together = threading.Barrier(4, timeout=30)

    def __getattr__(self, name: str) -> object:
        return getattr(self._cloud, name)

    def create_change_set(self, request: ChangeSetRequest) -> ChangeSetState:
        self._together.wait()
        with self._lock:
            return self._cloud.create_change_set(request)


def test_requests_for_independent_stacks_are_under_way_together() -> None:
    clock = Clock()
    cloud = FakeCloud(clock)
    wanted = manifest(*(spec(f"s{number}") for number in range(8)))
    here = replace(host(clock), workers=4)

    result = deploy(wanted, Gathering(cloud), Options(show_events=False), here)

    assert {stack.outcome for stack in result.stacks} == {"done"}
