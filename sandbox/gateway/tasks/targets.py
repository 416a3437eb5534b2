"""Registers tasks as targets in target groups, through ELBv2's API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError


@dataclass(frozen=True)
class Target:
    """A task's registration with a target group."""

    group: str
    """ARN of the target group."""
    address: str
    port: int

    @property
    def _described(self) -> dict[str, Any]:
        return {"TargetGroupArn": self.group, "Targets": [{"Id": self.address, "Port": self.port}]}

    def register(self, elb: Any) -> None:
        """Register it with the load balancer; raises ClientError."""
        elb.register_targets(**self._described)

    def deregister(self, elb: Any) -> None:
        """Deregister it; a missing one is no error."""
        try:
            elb.deregister_targets(**self._described)
        except ClientError:
            return  # its group was deleted before its service

    def health(self, elb: Any) -> tuple[str, str]:
        """Return state and reason; ``unused`` if it is in its group no more."""
        try:
            found = elb.describe_target_health(**self._described)["TargetHealthDescriptions"]
        except ClientError:
            return "unused", ""
        for one in found:
            if one["Target"]["Id"] == self.address and one["Target"].get("Port", self.port) == self.port:
                health = one["TargetHealth"]
                return str(health["State"]), str(health.get("Description", ""))
        return "unused", ""
