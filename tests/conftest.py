"""What several test files need: an AWS endpoint in this process, and a user who works with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.clock import RealClock
from sandbox.resources.services import Services
from sandbox.server import Sandbox
from tests.command import LOGIN, User

FAST = 20_000.0
"""Sandbox seconds in a real one: a database takes 30 ms."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    Services().reset()  # moto keeps one account a process
    with Sandbox(clock=RealClock(FAST)) as running:
        yield running


@pytest.fixture
def user(tmp_path: Path, sandbox: Sandbox) -> User:
    return User.at(tmp_path, AWS_ENDPOINT_URL=sandbox.endpoint, GATESTACK_POLL_INTERVAL="0.02", **LOGIN)
