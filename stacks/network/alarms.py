"""Alarms on NAT gateways, the tasks' only route to model providers on the internet."""

from __future__ import annotations

from collections.abc import Sequence

from troposphere import Ref
from troposphere.ec2 import NatGateway

from stacks.parts.alarms import Metric, above, add_alarm
from stacks.parts.policies import arn
from stacks.wiring import Stack


def add_alarms(stack: Stack, gateways: Sequence[NatGateway]) -> None:
    """
    Add an alarm for each of *gateways*: connections that it refuses, since it has no port left.

    A gateway has 55,000 ports for each destination (address, port, protocol), and a destination may be one
    provider. AWS recommends an alarm at any such error (Amazon CloudWatch User Guide, "Recommended alarms",
    NAT gateways; read 2026-11-28). Dropped packets (PacketsDropCount) have none: a few are usual, and nothing
    can be done about them.

    The topic is named and not imported: the network would wait for the key and the secrets, which it does not
    need. CloudWatch looks for a topic only when it has something to tell.
    """
    topic = arn("sns", stack.settings.alarm_topic_name)
    for number, gateway in enumerate(gateways, start=1):
        add_alarm(
            stack,
            f"NatPorts{number}",
            Metric(
                "AWS/NATGateway",
                "ErrorPortAllocation",
                "Sum",
                {"NatGatewayId": Ref(gateway)},
            ),
            above(0, periods=3, minutes=5),
            meaning=(
                "The NAT gateway has no port left for a destination, and tasks' requests fail: raise "
                "network.nat_gateways, or use fewer connections to that provider"
            ),
            topic=topic,
        )
