"""One-off ECS tasks, and whether their login is rotating. Returns None where an endpoint lacks a service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from deployer.aws.endpoint import ask, emulated
from deployer.aws.errors import THROTTLED, call
from deployer.aws.sign_in.login import Clients
from deployer.day2.secret_rotation import Rotating
from deployer.errors import CloudError, LostSight, NotOffered, Transient
from deployer.tasks import NO_CAPACITY, TaskRequest, TaskState

STARTED_BY = "gatestack"
NO_PLACE = ("Capacity is unavailable", "RESOURCE:")
"""
Prefixes of temporary reasons; they come with an empty list, not as an error. (ECS API Reference, RunTask; ECS
Developer Guide, "API failures messages".)
"""


class Tasks:
    """Runs one-off tasks and follows them."""

    def __init__(self, clients: Clients, *, renew: Callable[[], bool]) -> None:
        """*renew* says whether *clients* has a new login; a task may outlast a session."""
        self._clients = clients
        self._renew = renew

    def task_images(self, definition: str) -> Mapping[str, str] | None:
        """Return the images of a task definition by container."""
        answer = self._offered("ecs", "describe_task_definition", taskDefinition=definition)
        found = None if answer is None else answer.get("taskDefinition")
        if found is None:
            return None
        return {one.get("name", ""): one.get("image", "") for one in found.get("containerDefinitions", ())}

    def rotating(self, secret: str) -> Rotating | None:
        """
        Return how far the rotation of *secret* is: a version with AWSPENDING that is not the current one.

        A failed rotation looks the same (Secrets Manager User Guide, "Rotation by Lambda function"). A
        schedule before its first rotation counts: that one was just requested.
        """
        answer = self._secret(secret)
        if answer is None:
            return None
        if not answer:
            return Rotating(secret)
        versions = answer.get("VersionIdsToStages", {}).items()
        pending = (one for one, stages in versions if "AWSPENDING" in stages and "AWSCURRENT" not in stages)
        never = bool(answer.get("RotationEnabled")) and not answer.get("LastRotatedDate")
        return Rotating(answer.get("Name", secret), next(pending, None), first=never)

    def secret_version(self, secret: str) -> str | None:
        """Return the version of *secret* that has AWSCURRENT."""
        versions = (self._secret(secret) or {}).get("VersionIdsToStages", {}).items()
        return next((one for one, stages in versions if "AWSCURRENT" in stages), None)

    def _secret(self, secret: str) -> Mapping[str, Any] | None:
        """Return the description of *secret*: empty if there is none, None if unknown."""
        try:
            answer: Mapping[str, Any] | None = self._offered(
                "secretsmanager", "describe_secret", SecretId=secret
            )
        except CloudError as error:
            if error.code == "ResourceNotFoundException":
                return {}
            raise
        return answer

    def running_task(self, request: TaskRequest) -> TaskState | None:
        """Return a task of that very definition, run as it is defined, that has not stopped."""
        family = request.definition.rpartition("/")[2].rpartition(":")[0]
        which = {"cluster": request.cluster, "family": family, "desiredStatus": "RUNNING"}
        arns = self._ask("ecs", "list_tasks", **which).get("taskArns", ())
        found = self._tasks(request.cluster, arns[:100]) if arns else ()
        mine = (
            one for one in found if one.get("taskDefinitionArn") == request.definition and _is_as_defined(one)
        )
        return next((self._state(one, request.container) for one in mine), None)

    def run_task(self, request: TaskRequest) -> TaskState:
        """
        Start a task on Fargate.

        Raises:
            Transient: there is no capacity now; its code is `NO_CAPACITY`.

        """
        network = {
            "subnets": list(request.subnets),
            "securityGroups": list(request.security_groups),
            "assignPublicIp": "DISABLED",
        }
        answer = self._ask(
            "ecs",
            "run_task",
            cluster=request.cluster,
            taskDefinition=request.definition,
            launchType="FARGATE",
            count=1,
            clientToken=request.token,
            startedBy=STARTED_BY,
            networkConfiguration={"awsvpcConfiguration": network},
        )
        for task in answer.get("tasks", ()):
            return self._state(task, request.container)
        reasons = [one.get("reason", "") for one in answer.get("failures", ())]
        text = f"ecs RunTask: {'; '.join(reasons) or 'ECS started no task and gave no reason'}"
        if any(reason.startswith(NO_PLACE) for reason in reasons):
            raise Transient(text, code=NO_CAPACITY, operation="RunTask")
        raise CloudError(text, operation="RunTask")

    def task(self, request: TaskRequest, task_id: str) -> TaskState | None:
        """Return a task; ECS forgets a stopped one after an hour or so."""
        found = self._tasks(request.cluster, [task_id])
        return next((self._state(one, request.container) for one in found), None)

    def _state(self, task: Mapping[str, Any], container: str) -> TaskState:
        return _state(task, container, pretending=emulated(self._clients("ecs")))

    def _tasks(self, cluster: str, arns: list[str]) -> list[Mapping[str, Any]]:
        answer = self._ask("ecs", "describe_tasks", cluster=cluster, tasks=arns)
        return list(answer.get("tasks", ()))

    def _offered(self, service: str, method: str, **parameters: Any) -> Any:
        """Call a service; None if an emulated endpoint lacks it."""
        try:
            return self._with_login(lambda: ask(self._clients(service), method, **parameters))
        except (CloudError, LostSight) as error:
            if emulated(self._clients(service)) and is_absent(error):
                return None
            raise

    def _ask(self, service: str, method: str, **parameters: Any) -> Any:
        return self._with_login(lambda: call(self._clients(service), method, **parameters))

    def _with_login(self, request: Callable[[], Any]) -> Any:
        """Send a request, again with a new login if this one has expired."""
        try:
            return request()
        except LostSight:
            if not self._renew():
                raise
            return request()


def _is_as_defined(task: Mapping[str, Any]) -> bool:
    """Whether a task was started without overrides: of command, role, or anything else."""
    overrides = dict(task.get("overrides") or {})
    containers = overrides.pop("containerOverrides", None) or ()
    return not any(overrides.values()) and all(one.keys() <= {"name"} for one in containers)


def is_absent(error: CloudError | LostSight) -> bool:
    """Whether an emulator's answer means that it lacks the service: no error code of the service."""
    if isinstance(error, Transient):
        return error.code not in {"", *THROTTLED}
    return isinstance(error, (NotOffered, LostSight)) or error.code == "InternalFailure"


def _state(task: Mapping[str, Any], container: str, *, pretending: bool) -> TaskState:
    containers = task.get("containers") or ()
    own: Mapping[str, Any] = next((one for one in containers if one.get("name") == container), {})
    stopped = task.get("lastStatus") == "STOPPED"
    code = task.get("stopCode", "")
    never = code if code == "TaskFailedToStart" else ""
    words = [never, task.get("stoppedReason", ""), own.get("reason", "")] if stopped else []
    return TaskState(
        task["taskArn"],
        stopped=stopped,
        exit_code=own.get("exitCode") if stopped else None,
        reason=": ".join(dict.fromkeys(word for word in words if word)),
        pretended=stopped and pretending and not containers,
    )
