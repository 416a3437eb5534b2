"""Express mode with a whole environment on the sandbox, whose resources become ready in their own time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployer.aws.account import connect
from deployer.deploy import deploy
from deployer.options import Host, Options
from deployer.progress import Result
from generator.manifest import Manifest
from generator.render import render
from sandbox.faults import RolloutFault
from sandbox.server import Sandbox
from stacks.environment import parse_settings
from tests.command import LOGIN
from tests.sandbox.sandbox_account import client, standing


@cache
def environment(**service: str) -> Manifest:
    """Four stacks without a database; its image is a public one."""
    file = {
        "system": "llm-testing",
        "environment": "dev",
        "service": {"image": "public.ecr.aws/acme/gateway", **service},
        "deployment": {"mode": "express"},
    }
    return render(parse_settings(yaml.safe_dump(file), Path("dev.yaml")))


class Account:
    """A sandbox, and runs on its clock."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.ecs = client(sandbox, "ecs")

    def deploy(self, wanted: Manifest, poll_interval: float = 30.0) -> Result:
        now, sleep = self.sandbox.clock.now, self.sandbox.advance
        cloud = connect(wanted.region, endpoint=self.sandbox.endpoint)
        options, host = Options(poll_interval=poll_interval), Host(lambda _: None, now, sleep, f"{now()}")
        return deploy(wanted, cloud, options, host)

    def services(self) -> list[Any]:
        (cluster,) = self.ecs.list_clusters()["clusterArns"]
        names = self.ecs.list_services(cluster=cluster)["serviceArns"]
        found: list[Any] = self.ecs.describe_services(cluster=cluster, services=names)["services"]
        return found

    def ready(self) -> set[str]:
        """Everything that becomes ready, by how it is."""
        ec2, elb = client(self.sandbox, "ec2"), client(self.sandbox, "elbv2")
        return {
            *(one["State"] for one in ec2.describe_nat_gateways()["NatGateways"]),
            *(one["State"] for one in ec2.describe_vpc_endpoints()["VpcEndpoints"]),
            *(one["State"]["Code"] for one in elb.describe_load_balancers()["LoadBalancers"]),
            *(each["rolloutState"] for one in self.services() for each in one["deployments"]),
        }


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with pytest.MonkeyPatch.context() as patch, standing() as sandbox:
        for name, value in LOGIN.items():
            patch.setenv(name, value)
        yield Account(sandbox)


def test_releases_that_fail_and_every_way_on(account: Account) -> None:
    name = json.loads(environment().stacks[-1].template)["Resources"]["Service"]["Properties"]["ServiceName"]
    account.sandbox.faults.rollouts.append(RolloutFault(name))
    first = account.deploy(environment(), poll_interval=5.0)
    assert outcome(first) == ("failed", "CREATE_COMPLETE")
    assert "no task ran before it: fix the cause and run `gatestack rollout dev`" in first.stacks[-1].reason
    assert first.seconds < 350  # the network takes 100 of them, the load balancer 150, the tasks 90

    (service,) = account.services()
    account.ecs.update_service(
        cluster=service["clusterArn"], service=name, forceNewDeployment=True
    )  # what `gatestack rollout` asks for
    assert account.deploy(environment()).exit_code == 0
    assert account.ready() == {"available", "active", "COMPLETED"}

    account.sandbox.faults.rollouts.append(RolloutFault(name))
    failed = account.deploy(environment(log_level="DEBUG"))
    assert outcome(failed) == ("failed", "UPDATE_COMPLETE")
    assert "tasks failed to start" in failed.stacks[-1].reason
    assert "exit code 1" in failed.stacks[-1].reason
    account.sandbox.advance(300)
    again = account.deploy(environment(log_level="DEBUG"))
    assert "ECS runs other tasks in Service than its stack says" in again.stacks[-1].reason

    for file in (environment(), environment(log_level="DEBUG")):
        assert account.deploy(file).exit_code == 0
    assert account.ready() == {"available", "active", "COMPLETED"}


def outcome(result: Result) -> tuple[str, str]:
    """How the service's stack ended; the others are done."""
    assert {one.outcome for one in result.stacks[:-1]} == {"done"}
    return result.stacks[-1].outcome, result.stacks[-1].status
