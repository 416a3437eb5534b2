"""
Detects an update that would replace a VPC with an attached internet gateway: it always fails. Pure.

CloudFormation creates a replacement before it deletes the old resource (CloudFormation User Guide,
"Understand update behaviors of stack resources"). Another CidrBlock replaces a VPC, and another VpcId the
attachment of its gateway (Template Reference, AWS::EC2::VPC and AWS::EC2::VPCGatewayAttachment). The gateway
is not replaced, so it would be attached to both VPCs: EC2 answers Resource.AlreadyAssociated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from deployer.changes.export_impact import Refusal, Side


def moving_gateways(sides: Collection[Side]) -> Iterator[Refusal]:
    """Yield a refusal for each stack of *sides* whose update would move an internet gateway to a new VPC."""
    for side in sides:
        moved = {one.logical_id for one in side.changes if _replaced(one.type, one.replacement)}
        held = [one.logical_id for one in side.changes if one.type == _ATTACHMENT and one.action == "Modify"]
        if side.updates and moved and held:
            yield Refusal(
                side.spec.name,
                f"it would replace {', '.join(sorted(moved))} ({_VPC}), and {', '.join(sorted(held))} "
                "attaches an internet gateway that cannot leave the old VPC first: give the VPC its old "
                "range again; another range needs a new environment",
            )


def _replaced(kind: str, replacement: str | None) -> bool:
    return kind == _VPC and replacement == "True"


_VPC, _ATTACHMENT = "AWS::EC2::VPC", "AWS::EC2::VPCGatewayAttachment"
