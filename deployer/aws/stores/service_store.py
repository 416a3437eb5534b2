"""ECS services, implementing `deployer.day2.service.Services`: reads them and starts new tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployer.aws.endpoint import ask
from deployer.aws.errors import call
from deployer.aws.services import service_trouble
from deployer.aws.sign_in.login import Clients
from deployer.day2.service import PRIMARY, Deployment, Place, Service, TaskDefinition
from deployer.errors import CloudError, DeployError, NotAllowed, NotOffered

MISSING = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound"})
GONE = frozenset({"ClusterNotFoundException", "ServiceNotFoundException", "ServiceNotActiveException"})


def by_arn(clients: Clients, arn: str) -> Service | None:
    """
    Return the service with the ARN *arn*; None when there is none.

    Raises:
        NotOffered: an ARN of the old format, which does not name its cluster.

    """
    parts = arn.rpartition(":")[2].split("/")
    if len(parts) < 3:
        raise NotOffered(f"{arn} does not name a cluster")
    return ServiceStore(clients).look(Place(parts[-2], parts[-1]))


class ServiceStore:
    """The services of one account and region."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def look(self, place: Place) -> Service | None:
        """Return the service; None when there is none."""
        try:
            answer = self._ask("describe_services", cluster=place.cluster, services=[place.service])
        except CloudError as error:
            if error.code in GONE:
                return None
            raise
        return next((_service(one) for one in answer.get("services", ())), None)

    def roll(self, place: Place) -> str:
        """Start new tasks of what the service runs; returns the new deployment's id."""
        which = {"cluster": place.cluster, "service": place.service}
        answer = self._ask("update_service", **which, forceNewDeployment=True)
        made = _service(answer["service"]).primary
        if made is None:
            raise CloudError(f"ECS names no new deployment of {place.service}", operation="UpdateService")
        return made.id

    def trouble(self, service: Service) -> tuple[str, ...]:
        """Return why tasks have stopped, and what the service says; nothing where that cannot be told."""
        try:
            return service_trouble(self._clients, service.arn)
        except DeployError:
            return ()

    def task_definition(self, arn: str) -> TaskDefinition:
        """
        Return what a task definition gives to its containers.

        The application's own comes first, and wins if another has a variable of the same name.
        """
        answer = self._ask("describe_task_definition", taskDefinition=arn)["taskDefinition"]
        containers = tuple(answer.get("containerDefinitions", ()))[::-1]
        return TaskDefinition(
            variables={
                one["name"]: one["value"] for each in containers for one in each.get("environment", ())
            },
            secrets={one["name"]: one["valueFrom"] for each in containers for one in each.get("secrets", ())},
            image=containers[-1].get("image", "") if containers else "",
        )

    def has_object(self, bucket: str, key: str) -> bool:
        """
        Whether an object that the tasks read is there.

        Raises:
            NotAllowed: it may exist and not be visible; HEAD then returns a bare 403.

        """
        try:
            call(self._clients("s3"), "head_object", Bucket=bucket, Key=key)
        except CloudError as error:
            if error.code in MISSING:
                return False
            if error.code == "403":
                permission = "grant the permission s3:GetObject"
                text = f"s3 HeadObject of {key} in {bucket}: {permission}"
                raise NotAllowed(text, code=error.code, operation=error.operation) from error
            raise
        return True

    def _ask(self, method: str, **parameters: Any) -> Any:
        return ask(self._clients("ecs"), method, **parameters)


def _service(answer: Mapping[str, Any]) -> Service:
    deployments = tuple(_deployment(one) for one in answer.get("deployments", ()))
    return Service(
        arn=answer["serviceArn"],
        name=answer["serviceName"],
        status=answer.get("status", ""),
        desired=int(answer.get("desiredCount") or 0),
        running=int(answer.get("runningCount") or 0),
        task_definition=answer.get("taskDefinition", ""),
        deployments=deployments,
    )


def _deployment(answer: Mapping[str, Any]) -> Deployment:
    return Deployment(
        id=answer["id"],
        status=answer.get("status", PRIMARY),
        rollout=answer.get("rolloutState", ""),
        reason=answer.get("rolloutStateReason", ""),
        desired=int(answer.get("desiredCount") or 0),
        running=int(answer.get("runningCount") or 0),
        failed=int(answer.get("failedTasks") or 0),
        definition=answer.get("taskDefinition", ""),
    )
