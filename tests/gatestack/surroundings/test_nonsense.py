"""Endpoints that answer nonsense: at each call of a run, and to everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config

from deployer.aws.errors import call
from deployer.errors import DeployError
from tests.command import CREDENTIALS, LOGIN, forked_commands
from tests.covering import only, parameter
from tests.forked_commands import Ran
from tests.gatestack.surroundings.nonsense import NONSENSE, Relay, relay
from tests.gatestack.surroundings.small_world import FIVE, Small, small
from tests.gatestack.surroundings.surroundings import SECRET

CALLS = {"plan": 20, "deploy": 14, "status": 1, "verify": 1, "destroy": 13}
"""Requests of a run in which all goes well; a plan's change sets may be looked at more or less often."""
MORE = 40
"""Requests that one wrong answer may cost at most."""


EVERYWHERE = tuple(NONSENSE)[1::2]
"""
Kinds that `make test` has answer a command's every request; the others answer one of them.

All go through the client, by each protocol (the last test); `make check-deep` has each kind in both places.
"""


@dataclass(frozen=True)
class World:
    """A small sandbox behind a relay."""

    small: Small
    relay: Relay
    address: str

    def run(self, command: str, nonsense: str, place: int | None) -> Ran:
        """Run *command*; its request number *place*, or each one, gets *nonsense*."""
        if place is not None:  # else no request gets to what is behind
            self.small.ready(command)
        behind = self.small.sandbox.endpoint
        self.relay.begin(behind, NONSENSE[nonsense], lambda number: place in (number, None))
        return self.small.run(command, {"AWS_ENDPOINT_URL": self.address, **LOGIN})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with small(folder, forked_commands()) as little, relay(SECRET) as (made, address):
        yield World(little, made, address)


def check(world: World, done: Ran, calls: int) -> None:
    said = done.err + done.out
    assert done.strayed == ()
    assert world.relay.count <= calls, world.relay.asked
    words = (
        "Traceback",
        "unexpected",
        SECRET,
        LOGIN["AWS_SECRET_ACCESS_KEY"],
        "<html",
        "(Unknown)",
        "(None)",
    )
    assert not [word for word in words if word in said], said
    assert not [line for line in said.splitlines() if len(line) > 700]


def quick() -> set[tuple[str, int, str]]:
    """Return every other kind once, with another command and at another call each time."""
    return {
        (command, place % CALLS[command], kind)
        for place, kind in enumerate(NONSENSE)
        for command in (FIVE[place % 5],)
        if kind not in EVERYWHERE
    }


def cases() -> list[object]:
    chosen = quick()
    every = [
        (command, place, kind) for command in FIVE for place in range(CALLS[command]) for kind in NONSENSE
    ]
    return [parameter(*one, quick=one in chosen) for one in every]


@pytest.mark.parametrize(("command", "place", "nonsense"), cases())
def test_nonsense_at_one_call_is_asked_again_or_told_in_a_line(
    world: World, command: str, place: int, nonsense: str
) -> None:
    done = world.run(command, nonsense, place)

    check(world, done, CALLS[command] + MORE)
    assert done.code in {0, 1, 5}
    assert done.code == 0 or "error: " in done.err


@pytest.mark.parametrize("nonsense", only(EVERYWHERE, NONSENSE))
def test_an_endpoint_that_answers_nothing_but_nonsense_is_told_at_the_first_look(
    world: World, nonsense: str
) -> None:
    command = FIVE[list(NONSENSE).index(nonsense) % 5]
    done = world.run(command, nonsense, None)

    check(world, done, MORE)
    assert done.code in {1, 2}
    assert [line.startswith("error: ") for line in done.err.splitlines()].count(True) == 1


CALLED: dict[str, tuple[str, dict[str, object]]] = {
    "cloudformation": ("delete_stack", {"StackName": "a"}),
    "ecs": ("describe_services", {"services": ["a"]}),
    "s3": ("get_object", {"Bucket": "bucket", "Key": "a"}),
    "secretsmanager": ("describe_secret", {"SecretId": "a"}),
    "ssm": ("get_parameter", {"Name": "a"}),
    "ec2": ("describe_vpcs", {}),
    "lambda": ("get_function", {"FunctionName": "a"}),
}
"""Of each protocol, and of those of AWS's parsers that differ."""


@pytest.fixture(scope="module")
def clients(world: World) -> dict[str, Any]:
    how = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, read_timeout=20)
    given: dict[str, Any] = {"region_name": "us-east-1", "endpoint_url": world.address, "config": how}
    return {service: boto3.client(service, **given, **CREDENTIALS) for service in CALLED}


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_whatever_a_service_answers_is_an_answer_or_an_error_of_ours(
    world: World, clients: dict[str, Any], nonsense: str
) -> None:
    world.relay.begin("", NONSENSE[nonsense], lambda _: True)
    for service, (method, parameters) in CALLED.items():
        try:
            said = f"{service} {call(clients[service], method, **parameters)}"
        except DeployError as error:
            said = str(error)
        assert said.startswith(f"{service} ")
