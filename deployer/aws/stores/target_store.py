"""The load balancer's targets, from Elastic Load Balancing. Read-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deployer.aws.endpoint import ask
from deployer.aws.sign_in.login import Clients
from deployer.day2.verification import Target


class TargetStore:
    """The load balancers of one account and region."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def targets(self, group: str) -> tuple[Target, ...]:
        """Return the targets of the group with the ARN *group*."""
        answer = self._ask("describe_target_health", TargetGroupArn=group)
        return tuple(_target(one) for one in answer.get("TargetHealthDescriptions", ()))

    def internal(self, balancer: str) -> bool:
        """Whether the load balancer with the ARN *balancer* is reachable from its VPC only."""
        return any(one.get("Scheme") == "internal" for one in self._described(balancer))

    def name(self, balancer: str) -> str:
        """Return the DNS name of the load balancer with the ARN *balancer*; empty where it has none."""
        return next((str(one.get("DNSName", "")) for one in self._described(balancer)), "")

    def _described(self, balancer: str) -> Sequence[Any]:
        found: Sequence[Any] = self._ask("describe_load_balancers", LoadBalancerArns=[balancer]).get(
            "LoadBalancers", ()
        )
        return found

    def _ask(self, method: str, **parameters: Any) -> Any:
        return ask(self._clients("elbv2"), method, **parameters)


def weights_of(rule: Mapping[str, Any]) -> Mapping[str, int]:
    """Return the weight of each target group that *rule*, as DescribeRules has it, forwards to, by ARN."""
    found: dict[str, int] = {}
    for action in rule.get("Actions", ()):
        named = action.get("ForwardConfig", {}).get("TargetGroups") or [action]
        found |= {one["TargetGroupArn"]: one.get("Weight", 1) for one in named if "TargetGroupArn" in one}
    return found


def _target(answer: Any) -> Target:
    health = answer.get("TargetHealth", {})
    return Target(
        id=answer["Target"]["Id"],
        state=health.get("State", ""),
        reason=health.get("Description") or health.get("Reason", ""),
    )
