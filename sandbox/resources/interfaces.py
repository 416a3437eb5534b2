"""
Network interfaces that services create in subnets, and delete some time after their owner is deleted.

AWS Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC": Lambda creates
them for a function, and takes 20 minutes or more to delete them after it. EC2 API Reference, DeleteSubnet,
DeleteSecurityGroup, error DependencyViolation: neither can be deleted while it has an interface.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provisioning import ProvisionError
from sandbox.resources.handler import Call

_FILTERS = {"subnet": "subnet-id", "security group": "group-id"}


def leave(call: Call, function: str, place: Mapping[str, Any]) -> None:
    """Keep the interfaces of a deleted *function* for as long as the sandbox's settings say."""
    surroundings = call.services.surroundings
    seconds = surroundings.faults.behaviour.interfaces_linger
    if not seconds:
        return
    ec2, groups = call.client("ec2"), list(place.get("SecurityGroupIds", ()))
    for subnet in place.get("SubnetIds", ()):
        said = f"AWS Lambda VPC ENI-{function}-{uuid.uuid4()}"
        made = ec2.create_network_interface(SubnetId=subnet, Groups=groups, Description=said)
        found = made["NetworkInterface"]["NetworkInterfaceId"]

        def remove(interface: str = found) -> None:
            with suppress(ClientError):
                ec2.delete_network_interface(NetworkInterfaceId=interface)

        surroundings.after(seconds, remove)


def check_unused(call: Call, kind: str, identifier: str) -> None:
    """Refuse the deletion of a subnet or security group with interfaces; raises ProvisionError."""
    wanted = [{"Name": _FILTERS[kind], "Values": [identifier]}]
    if call.ask("ec2", "describe_network_interfaces", Filters=wanted)["NetworkInterfaces"]:
        said = {
            "subnet": f"The subnet '{identifier}' has dependencies and cannot be deleted.",
            "security group": f"resource {identifier} has a dependent object",
        }
        raise in_use(said[kind])


def in_use(said: str) -> ProvisionError:
    """Return EC2's refusal to delete something in use, with its message *said*."""
    return ProvisionError(
        f'Resource handler returned message: "{said} (Service: Ec2, Status Code: 400)"'
        " (HandlerErrorCode: InvalidRequest)",
        in_use=True,
    )
