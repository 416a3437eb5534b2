"""What AWS does by itself to real environments on the sandbox: disks that grow, rotations that fail and hang."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deployer.aws.account import Aws, connect
from deployer.deploy import deploy, destroy
from deployer.errors import Refused
from deployer.looking.drift import detect
from deployer.looking.drift_state import StackDrift
from deployer.options import Host, Options
from deployer.progress import Event, Notice, Result
from generator.manifest import Manifest
from generator.render import render
from sandbox.faults import StepFault
from sandbox.server import Sandbox
from stacks.environment import load, parse_settings
from tests.command import LOGIN, ROOT
from tests.provision_world import REGION
from tests.sandbox_account import client, standing


class World:
    """A sandbox whose clock goes on while the deployer sleeps, and whose functions end in between."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.aws: Aws = connect(REGION, endpoint=sandbox.endpoint)
        self.told: list[Event] = []
        self.runs = 0

    def host(self) -> Host:
        self.runs += 1
        return Host(self.told.append, self.sandbox.clock.now, self._sleep, f"r{self.runs}", lambda: 0)

    def _sleep(self, seconds: float) -> None:
        self.sandbox.advance(seconds)
        while self.sandbox.backing.wait():
            pass

    def deploy(self, wanted: Manifest, **options: Any) -> Result:
        return deploy(wanted, self.aws, Options(**{"poll_interval": 20.0} | options), self.host())

    def destroy(self, wanted: Manifest, **options: Any) -> Result:
        return destroy(wanted, self.aws, Options(**{"poll_interval": 20.0} | options), self.host())

    def drift(self, wanted: Manifest, name: str) -> StackDrift:
        names = {name: next(one.stack_name for one in wanted.stacks if one.name == name)}
        return detect("x", names, self.aws, self.host(), poll_interval=5.0).stacks[0]

    def api(self, service: str) -> Any:
        return client(self.sandbox, service)

    def secret(self, name: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.api("secretsmanager").describe_secret(SecretId=name)
        return answer

    def user(self, name: str) -> str:
        text = self.api("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
        return str(json.loads(text)["username"])

    def warnings(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, Notice) and event.warning]

    def failing(self, function: str, *, times: int | None = None) -> None:
        self.sandbox.faults.steps.append(StepFault(function, "setSecret", times))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name, value in LOGIN.items():
        monkeypatch.setenv(name, value)
    with standing() as sandbox:
        yield World(sandbox)


def shipped(name: str) -> Manifest:
    return render(load(ROOT / "environments" / f"{name}.yaml"))


def environment(text: str) -> Manifest:
    return render(parse_settings(text, Path("dev.yaml")))


def of(manifest: Manifest, *names: str) -> Manifest:
    return replace(manifest, stacks=tuple(one for one in manifest.stacks if one.name in names))


def outcome(result: Result, name: str) -> tuple[str, str]:
    one = next(stack for stack in result.stacks if stack.name == name)
    return one.action, one.outcome


PROXY, LOGIN_OF_PROXY = "dev-llm-proxy-database-rotation", "dev-llm-proxy/database-login"


def test_x(world: World) -> None:
    import time
    b = time.monotonic()
    result = world.deploy(shipped("llm-proxy-dev"))
    print(time.monotonic() - b, result.exit_code, [s.reason for s in result.stacks], world.warnings())
    print(world.secret(LOGIN_OF_PROXY), world.user(LOGIN_OF_PROXY))
    assert 0
