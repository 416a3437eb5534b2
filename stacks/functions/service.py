"""The service on ECS whose tasks read the secret when they start: where they are, and how they start anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stacks.functions.errors import RotationError, reason

NOT_THERE = frozenset({"ClusterNotFoundException", "ServiceNotFoundException", "ServiceNotActiveException"})
"""What ECS says of a service that is not there yet, or not any more (ECS API Reference, UpdateService)."""


@dataclass(frozen=True)
class Service:
    """One service, which may not exist: secrets rotate before it is made, too."""

    ecs: Any
    """An ECS client."""
    cluster: str
    name: str

    def wanted(self) -> int:
        """Return how many tasks it is to have; 0 where there is no service. Raises botocore's errors."""
        try:
            answer = self.ecs.describe_services(cluster=self.cluster, services=[self.name])
        except ClientError as error:
            if error.response["Error"]["Code"] in NOT_THERE:
                return 0
            raise
        return sum(int(one["desiredCount"]) for one in answer["services"] if one["status"] == "ACTIVE")

    def addresses(self) -> tuple[str, ...]:
        """Return the addresses of its running tasks, oldest first. Raises botocore's errors."""
        listed = self.ecs.list_tasks(cluster=self.cluster, serviceName=self.name, desiredStatus="RUNNING")
        if not listed["taskArns"]:
            return ()
        answer = self.ecs.describe_tasks(cluster=self.cluster, tasks=listed["taskArns"])
        running = [task for task in answer["tasks"] if task["lastStatus"] == "RUNNING"]
        running.sort(key=lambda task: str(task.get("startedAt", "")))
        return tuple(
            detail["value"]
            for task in running
            for attachment in task.get("attachments", ())
            for detail in attachment.get("details", ())
            if detail["name"] == "privateIPv4Address"
        )

    def roll(self) -> None:
        """
        Start new tasks in the place of the running ones; nothing where there is no service.

        Raises:
            RotationError: ECS refuses, or does not answer; the secret has moved by then.

        """
        try:
            self.ecs.update_service(cluster=self.cluster, service=self.name, forceNewDeployment=True)
        except ClientError as error:
            if error.response["Error"]["Code"] in NOT_THERE:
                return
            raise _not_rolled(error) from None
        except BotoCoreError as error:
            raise _not_rolled(error) from None


def _not_rolled(error: Exception) -> RotationError:
    return RotationError(
        f"the new value is current, but the running tasks still have the old one ({reason(error)}):"
        " run `gatestack rollout`"
    )
