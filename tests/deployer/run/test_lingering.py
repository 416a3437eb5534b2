"""Network interfaces that stay after a function: what a destruction waits for, how long, and what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from deployer import expected
from deployer.aws.account import connect
from deployer.deploy import deploy, destroy
from deployer.history.durations import Touched, Verb
from deployer.interfaces import Interface, patience_minutes, told
from deployer.options import Host, Options
from deployer.progress import Event, Notice, Result, Waiting
from sandbox.clock import ManualClock
from sandbox.faults import ResourceFault
from sandbox.server import Sandbox
from tests.command import KEY, LOGIN
from tests.deployer.fakes import manifest, spec

REGION = "eu-central-1"
POLL = 60.0
VERBS: tuple[Verb, Verb] = ("create", "delete")
UUID = "01234567-89ab-cdef-0123-456789abcdef"
ROLE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
NETWORK = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
    "Subnet": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"},
    },
    "Group": {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "GroupDescription": "functions"},
    },
}
PLACE = {
    "SubnetIds": [{"Fn::ImportValue": "dev-network-Subnet"}],
    "SecurityGroupIds": [{"Fn::ImportValue": "dev-network-Group"}],
}
FUNCTION = {
    "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": ROLE}},
    "Function": {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Code": {"ZipFile": "pass"},
            "Runtime": "python3.12",
            "VpcConfig": PLACE,
        },
    },
}


def exported(*names: str) -> dict[str, Any]:
    return {name: {"Value": {"Ref": name}, "Export": {"Name": f"dev-network-{name}"}} for name in names}


WANTED = manifest(
    spec("network", json.dumps({"Resources": NETWORK, "Outputs": exported("Subnet", "Group")})),
    spec("function", json.dumps({"Resources": FUNCTION}), capabilities=("CAPABILITY_IAM",)),
    region=REGION,
)


class World:
    """The deployer on a sandbox whose clock moves as it waits."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.aws = connect(REGION, endpoint=sandbox.endpoint)
        self.told: list[Event] = []
        self.runs = 0

    def host(self) -> Host:
        self.runs += 1
        return Host(
            self.told.append, self.sandbox.clock.now, self.sandbox.advance, f"r{self.runs}", lambda: 0
        )

    def destroy(self) -> Result:
        return destroy(WANTED, self.aws, Options(poll_interval=POLL), self.host())

    def said(self, kind: type[Waiting] | type[Notice]) -> str:
        found = [event for event in self.told if isinstance(event, kind)]
        return "\n".join(one.text if isinstance(one, Notice) else one.reason for one in found)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name, value in LOGIN.items():
        monkeypatch.setenv(name, value)
    with Sandbox(clock=ManualClock(), key=KEY) as sandbox:
        made = World(sandbox)
        done = deploy(WANTED, made.aws, Options(poll_interval=POLL), made.host())
        assert done.exit_code == 0, done
        yield made


def test_a_network_waits_for_the_interfaces_of_a_function_that_is_gone(world: World) -> None:
    world.sandbox.faults.add({"behaviour": {"interfaces_linger": 1500.0}})
    began = world.sandbox.clock.now()

    result = world.destroy()

    assert result.exit_code == 0, result
    assert 1500 <= world.sandbox.clock.now() - began < 1800
    assert "(Lambda function dev-function-Function-" in world.said(Waiting)
    assert "up to 45 minutes are normal, then the deletion is retried" in world.said(Waiting)


def test_interfaces_that_never_go_are_waited_for_no_longer_than_is_normal(world: World) -> None:
    world.sandbox.faults.add({"behaviour": {"interfaces_linger": 1e6}})
    began = world.sandbox.clock.now()

    result = world.destroy()

    assert result.exit_code == 1
    assert 2700 <= world.sandbox.clock.now() - began < 3600
    (network,) = (one for one in result.stacks if one.name == "network")
    assert network.cause is not None
    assert "what still uses it" in network.cause.remedy


def test_what_is_somebodys_own_is_named_and_not_waited_for(world: World) -> None:
    ec2 = boto3.client("ec2", region_name=REGION, endpoint_url=world.sandbox.endpoint)
    (stack,) = world.aws.stacks(["dev-network"])
    there = {one.logical_id: one.physical_id for one in world.aws.resources(stack.id)}
    ec2.create_network_interface(SubnetId=there["Subnet"], Description="by hand")
    began = world.sandbox.clock.now()

    result = world.destroy()

    assert result.exit_code == 1
    assert world.sandbox.clock.now() - began < 600
    assert "(by hand)" in world.said(Notice)


def test_a_function_that_takes_long_to_go_is_explained(world: World) -> None:
    slow = ResourceFault("delete", logical_id="Function", seconds=900)
    world.sandbox.faults.resources.append(slow)

    assert world.destroy().exit_code == 0
    assert world.said(Notice).count("Lambda is deleting the network interfaces of Function: 20 to 45") == 1


def test_a_deletion_is_expected_to_take_as_long_as_lambda_does() -> None:
    template = WANTED.stacks[1].template

    creation, removal = (
        expected.seconds([Touched("Function", "AWS::Lambda::Function", verb)], template) for verb in VERBS
    )
    assert creation == expected.OTHER_SECONDS
    assert removal == expected.OTHER_SECONDS + expected.FUNCTION_SECONDS


@pytest.mark.parametrize(
    ("description", "words", "minutes"),
    [
        (f"AWS Lambda VPC ENI-dev-rotation-{UUID}", "Lambda function dev-rotation", 45),
        ("AWS Lambda VPC ENI-dev-rotation", "Lambda function dev-rotation", 45),
        ("ELB app/dev-litellm/0123456789abcdef", "load balancer dev-litellm", 15),
        (f"arn:aws:ecs:eu-west-1:123456789012:attachment/{UUID}", f"ECS task with the attachment {UUID}", 15),
        ("VPC Endpoint Interface vpce-0123", "endpoint vpce-0123", 15),
        ("Interface for NAT Gateway nat-0123", "NAT gateway nat-0123", 15),
        ("RDSNetworkInterface", "database, RDS", 15),
        ("ElastiCache dev-litellm-001", "cache dev-litellm-001", 15),
        ("", "no description", 0),
        ("my own", "my own", 0),
    ],
)
def test_whose_an_interface_is_and_how_long_it_stays(description: str, words: str, minutes: int) -> None:
    one = Interface("eni-1", description)

    assert told([one]) == f"eni-1 ({words})"
    assert patience_minutes([one]) == minutes
    assert patience_minutes([one, Interface("eni-2", "my own")]) == 0
    assert patience_minutes([]) == 0
