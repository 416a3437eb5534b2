"""A stack of a whole network: made and deleted in whatever order its template leaves open."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.sandbox.sandbox_account import client, standing

ANYWHERE = {"DestinationCidrBlock": "0.0.0.0/0"}
BUCKETS = {"ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.s3"}}


def _of(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::EC2::{kind}", "Properties": properties}


def _ref(name: str) -> dict[str, str]:
    return {"Ref": name}


NETWORK: Mapping[str, dict[str, Any]] = {
    "Vpc": _of("VPC", CidrBlock="10.0.0.0/16"),
    "Public": _of("Subnet", VpcId=_ref("Vpc"), CidrBlock="10.0.1.0/24", MapPublicIpOnLaunch=True),
    "Private": _of("Subnet", VpcId=_ref("Vpc"), CidrBlock="10.0.2.0/24"),
    "Table": _of("RouteTable", VpcId=_ref("Vpc")),
    "Inner": _of("RouteTable", VpcId=_ref("Vpc")),
    "Association": _of("SubnetRouteTableAssociation", RouteTableId=_ref("Table"), SubnetId=_ref("Public")),
    "Other": _of("SubnetRouteTableAssociation", RouteTableId=_ref("Inner"), SubnetId=_ref("Private")),
    "Gateway": _of("InternetGateway"),
    "Attachment": _of("VPCGatewayAttachment", VpcId=_ref("Vpc"), InternetGatewayId=_ref("Gateway")),
    "Address": _of("EIP", Domain="vpc"),
    "Nat": _of("NatGateway", SubnetId=_ref("Public"), AllocationId={"Fn::GetAtt": "Address.AllocationId"}),
    "Out": _of("Route", RouteTableId=_ref("Table"), GatewayId=_ref("Gateway"), **ANYWHERE),
    "Through": _of("Route", RouteTableId=_ref("Inner"), NatGatewayId=_ref("Nat"), **ANYWHERE),
    "Buckets": _of("VPCEndpoint", VpcId=_ref("Vpc"), RouteTableIds=[_ref("Table"), _ref("Inner")], **BUCKETS),
}
NEEDED = {"Out": "Attachment", "Nat": "Attachment"}
"""What AWS recommends to say, and templates leave out."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with standing() as made:
        yield made


class Stack:
    """A stack on the sandbox, carried to its end by the clock."""

    def __init__(self, sandbox: Sandbox, name: str, resources: Mapping[str, Any]) -> None:
        self._sandbox, self._api = sandbox, client(sandbox, "cloudformation")
        self._id = self._api.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))[
            "StackId"
        ]
        sandbox.finish()

    @property
    def status(self) -> str:
        return str(self._api.describe_stacks(StackName=self._id)["Stacks"][0]["StackStatus"])

    def delete(self) -> str:
        self._api.delete_stack(StackName=self._id)
        self._sandbox.finish()
        return self.status

    def refusals(self) -> dict[str, str]:
        events = self._api.describe_stack_events(StackName=self._id)["StackEvents"]
        failed = [each for each in events if each["ResourceStatus"] in ("CREATE_FAILED", "DELETE_FAILED")]
        return {
            each["LogicalResourceId"]: each["ResourceStatusReason"]
            for each in failed
            if each["LogicalResourceId"] in NETWORK
        }

    def physical_id(self, name: str) -> str:
        found = self._api.describe_stack_resource(StackName=self._id, LogicalResourceId=name)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("said", [{}, NEEDED], ids=["in no order", "with DependsOn"])
def test_a_network_goes_whole_in_any_order(sandbox: Sandbox, seed: int, said: Mapping[str, str]) -> None:
    names = sorted(NETWORK, key=lambda name: hashlib.sha256(f"{seed}{name}".encode()).hexdigest())
    needs = {name: {"DependsOn": said[name]} if name in said else {} for name in names}
    stack = Stack(sandbox, f"whole-{len(said)}-{seed}", {name: NETWORK[name] | needs[name] for name in names})
    assert stack.status == "CREATE_COMPLETE"
    assert stack.delete() == "DELETE_COMPLETE", stack.refusals()


def test_a_gateway_is_detached_only_when_the_addresses_behind_it_are_gone(sandbox: Sandbox) -> None:
    stack = Stack(sandbox, "detached", NETWORK)
    api = client(sandbox, "cloudformation")
    stack_id = api.describe_stacks(StackName="detached")["Stacks"][0]["StackId"]
    stack.delete()
    events = reversed(api.describe_stack_events(StackName=stack_id)["StackEvents"])
    gone = [each["LogicalResourceId"] for each in events if each["ResourceStatus"] == "DELETE_COMPLETE"]
    assert gone.index("Nat") < gone.index("Attachment") < gone.index("Vpc")


def test_what_nobody_in_the_stack_owns_still_keeps_it(sandbox: Sandbox) -> None:
    stack = Stack(sandbox, "kept", NETWORK)
    ec2 = client(sandbox, "ec2")
    vpc, subnet = stack.physical_id("Vpc"), stack.physical_id("Private")
    face = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    assert stack.delete() == "DELETE_FAILED"
    assert stack.refusals().keys() == {"Private"}
    assert f"The subnet '{subnet}' has dependencies and cannot be deleted." in stack.refusals()["Private"]
    ec2.delete_network_interface(NetworkInterfaceId=face)
    group = ec2.create_security_group(GroupName="theirs", Description="theirs", VpcId=vpc)["GroupId"]
    assert stack.delete() == "DELETE_FAILED"
    assert f"The vpc '{vpc}' has dependencies and cannot be deleted." in stack.refusals()["Vpc"]
    ec2.delete_security_group(GroupId=group)
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_gateway_with_somebody_elses_address_behind_it_stays_attached(sandbox: Sandbox) -> None:
    stack = Stack(sandbox, "mapped", NETWORK)
    ec2 = client(sandbox, "ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=stack.physical_id("Public"), AllocationId=address)["NatGateway"]
    assert stack.delete() == "DELETE_FAILED"
    refused = stack.refusals()
    assert "has some mapped public address(es)" in refused["Attachment"]
    assert "Public" in refused
    for each in nat["NatGatewayAddresses"]:
        ec2.delete_network_interface(NetworkInterfaceId=each["NetworkInterfaceId"])
    assert stack.delete() == "DELETE_COMPLETE", stack.refusals()


def test_a_route_to_a_gateway_that_is_not_attached_yet_is_refused(sandbox: Sandbox) -> None:
    late = dict(NETWORK) | {"Attachment": NETWORK["Attachment"] | {"DependsOn": "Out"}}
    stack = Stack(sandbox, "unattached", late)
    assert stack.status == "ROLLBACK_COMPLETE"
    assert "belong to different networks" in stack.refusals()["Out"]


def test_an_address_that_something_has_is_not_released(sandbox: Sandbox) -> None:
    stack = Stack(sandbox, "address", {"Address": NETWORK["Address"]})
    network = Stack(sandbox, "subnet", {name: NETWORK[name] for name in ("Vpc", "Private")})
    ec2 = client(sandbox, "ec2")
    face = ec2.create_network_interface(SubnetId=network.physical_id("Private"))["NetworkInterface"]
    ip = stack.physical_id("Address")
    found = ec2.describe_addresses(PublicIps=[ip])["Addresses"][0]["AllocationId"]
    ec2.associate_address(AllocationId=found, NetworkInterfaceId=face["NetworkInterfaceId"])
    assert stack.delete() == "DELETE_FAILED"
    assert f"Address {ip} is in use." in stack.refusals()["Address"]
