"""What AWS does by itself to real environments on the sandbox: disks that grow, rotations that fail and hang."""

from __future__ import annotations

import json
import re
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
from tests.command import LOGIN, ROOT, User
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
        return Host(self.told.append, self.sandbox.clock.now, self.sleep, f"r{self.runs}", lambda: 0)

    def sleep(self, seconds: float) -> None:
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


def user(folder: Path, world: World) -> User:
    return User.at(folder, AWS_ENDPOINT_URL=world.sandbox.endpoint, GATESTACK_POLL_INTERVAL="0.02", **LOGIN)


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


def without_the_instance(wanted: Manifest) -> Manifest:
    """As it was once: the rotation begins when the cluster is there, whether or not anybody answers."""
    database = next(one for one in wanted.stacks if one.name == "database")
    document = json.loads(database.template)
    document["Resources"]["DatabaseRotationSchedule"]["DependsOn"].remove("DatabaseInstance1")
    early = replace(database, template=json.dumps(document))
    return replace(wanted, stacks=tuple(early if one is database else one for one in wanted.stacks))


def test_no_task_starts_as_the_administrator_and_the_remedy_that_is_named_ends_it(
    world: World, tmp_path: Path
) -> None:
    wanted = shipped("llm-proxy-dev")

    failed = world.deploy(without_the_instance(wanted), env="llm-proxy-dev")

    assert outcome(failed, "service") == ("create", "failed")
    assert failed.exit_code == 1
    why = next(stack.reason for stack in failed.stacks if stack.name == "service")
    assert "it still holds the login of the database's administrator and no task is started" in why
    assert world.user(LOGIN_OF_PROXY) == "llmproxy"
    assert world.secret(LOGIN_OF_PROXY).get("LastRotatedDate") is None
    command = re.findall(r"`gatestack (.*?)`", why)[0]

    done = user(tmp_path, world).run(*command.split())

    assert done.code == 0, done.err
    assert world.deploy(wanted, env="llm-proxy-dev").exit_code == 0
    assert world.user(LOGIN_OF_PROXY) != "llmproxy"


def test_auroras_login_is_rotated_at_the_first_attempt(world: World) -> None:
    wanted = shipped("llm-proxy-dev")

    assert world.deploy(wanted, only=("security", "network", "database")).exit_code == 0
    world.sleep(60.0)

    assert world.user(LOGIN_OF_PROXY) != "llmproxy"
    events = world.api("logs").filter_log_events(logGroupName=f"/aws/lambda/{PROXY}")["events"]
    assert [one["message"] for one in events if '"failed"' in one["message"]] == []
