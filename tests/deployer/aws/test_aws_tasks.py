"""One-off tasks and rotations through botocore: what is asked and answered, what an endpoint may lack."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from deployer.aws.account import Aws
from deployer.day2.secret_rotation import Rotating
from deployer.errors import CloudError, LostSight, NotAllowed, Transient
from deployer.tasks import NO_CAPACITY, TaskRequest, TaskState
from tests.deployer.aws.test_aws import Stubs

ECS = "arn:aws:ecs:eu-west-1:111122223333"
DEFINITION = f"{ECS}:task-definition/dev-migration:3"
TASK = f"{ECS}:task/dev-migration/0123"
REQUEST = TaskRequest("dev-migration", DEFINITION, "migration", ("subnet-1", "subnet-2"), ("sg-1",), "token")


@pytest.fixture
def stubs() -> Stubs:
    return Stubs()


@pytest.fixture
def emulated() -> Stubs:
    return Stubs("http://127.0.0.1:9")


def described(**more: Any) -> dict[str, Any]:
    return {"taskArn": TASK, "taskDefinitionArn": DEFINITION, "lastStatus": "RUNNING", **more}


def stopped(**container: Any) -> dict[str, Any]:
    return described(
        lastStatus="STOPPED",
        stopCode="EssentialContainerExited",
        stoppedReason="Essential container in task exited",
        containers=[{"name": "agent", "exitCode": 9}, {"name": "migration", **container}],
    )


def ended(exit_code: int | None, reason: str) -> TaskState:
    return TaskState(TASK, stopped=True, exit_code=exit_code, reason=reason)


def test_the_images_of_a_definition_are_read(stubs: Stubs) -> None:
    containers = [{"name": "migration", "image": "x/dev-litellm:v1"}, {"name": "agent", "image": "y"}]
    answer = {"taskDefinition": {"containerDefinitions": containers}}
    stubs.answer("ecs", "describe_task_definition", answer, {"taskDefinition": DEFINITION})

    with stubs.active() as aws:
        assert aws.task_images(DEFINITION) == {"migration": "x/dev-litellm:v1", "agent": "y"}


@pytest.mark.parametrize(
    ("stages", "rotating"),
    [
        ([["AWSCURRENT"]], False),
        ([["AWSCURRENT"], ["AWSPREVIOUS"]], False),
        ([["AWSCURRENT", "AWSPENDING"], ["AWSPREVIOUS"]], False),
        ([["AWSCURRENT"], ["AWSPENDING"]], True),
        ([], False),
    ],
)
def test_a_new_version_that_is_not_current_yet_is_a_rotation(
    stubs: Stubs, stages: list[list[str]], *, rotating: bool
) -> None:
    versions = {f"{number:032}": each for number, each in enumerate(stages)}
    stubs.answer("secretsmanager", "describe_secret", {"VersionIdsToStages": versions}, {"SecretId": "login"})

    with stubs.active() as aws:
        found = aws.rotating("login")
        assert found is not None
        assert found.under_way is rotating


@pytest.mark.parametrize(
    ("last", "rotating"), [({}, True), ({"LastRotatedDate": datetime(2026, 1, 1, tzinfo=UTC)}, False)]
)
def test_a_schedule_that_has_never_rotated_is_about_to(
    stubs: Stubs, last: dict[str, datetime], *, rotating: bool
) -> None:
    found = {"RotationEnabled": True, "VersionIdsToStages": {"1" * 32: ["AWSCURRENT"]}, **last}
    stubs.answer("secretsmanager", "describe_secret", found, {"SecretId": "login"})

    with stubs.active() as aws:
        found = aws.rotating("login")
        assert found == Rotating("login", first=rotating)


def test_the_current_version_of_a_secret_is_told(stubs: Stubs) -> None:
    versions = {"1" * 32: ["AWSPREVIOUS"], "2" * 32: ["AWSCURRENT"]}
    stubs.answer(
        "secretsmanager", "describe_secret", {"VersionIdsToStages": versions}, {"SecretId": "client"}
    )
    stubs.refuse("secretsmanager", "describe_secret", "ResourceNotFoundException")

    with stubs.active() as aws:
        assert aws.secret_version("client") == "2" * 32
        assert aws.secret_version("client") is None


def test_a_secret_that_is_not_there_is_not_rotated(stubs: Stubs) -> None:
    stubs.refuse("secretsmanager", "describe_secret", "ResourceNotFoundException")

    with stubs.active() as aws:
        assert aws.rotating("login") == Rotating("login")


def test_a_task_is_run_on_fargate_in_private_subnets_with_a_token(stubs: Stubs) -> None:
    network = {"subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}
    asked = {
        "cluster": "dev-migration",
        "taskDefinition": DEFINITION,
        "launchType": "FARGATE",
        "count": 1,
        "clientToken": "token",
        "startedBy": "gatestack",
        "networkConfiguration": {"awsvpcConfiguration": network},
    }
    stubs.answer("ecs", "run_task", {"tasks": [described(lastStatus="PROVISIONING")]}, asked)

    with stubs.active() as aws:
        assert aws.run_task(REQUEST) == TaskState(TASK)


@pytest.mark.parametrize("reason", ["Capacity is unavailable at this time", "RESOURCE:ENI"])
def test_a_task_without_a_place_may_have_one_later(stubs: Stubs, reason: str) -> None:
    stubs.answer("ecs", "run_task", {"tasks": [], "failures": [{"reason": reason}]})

    with stubs.active() as aws, pytest.raises(Transient) as error:
        aws.run_task(REQUEST)
    assert error.value.code == NO_CAPACITY
    assert reason in str(error.value)


@pytest.mark.parametrize(
    ("failures", "words"), [([{"reason": "MISSING"}], "MISSING"), ([], "ECS started no task")]
)
def test_a_task_that_is_not_started_says_why(
    stubs: Stubs, failures: list[dict[str, str]], words: str
) -> None:
    stubs.answer("ecs", "run_task", {"tasks": [], "failures": failures})

    with stubs.active() as aws, pytest.raises(CloudError, match=words) as error:
        aws.run_task(REQUEST)
    assert not isinstance(error.value, Transient)


def test_only_a_task_of_that_very_definition_is_taken_up(stubs: Stubs) -> None:
    which = {"cluster": "dev-migration", "family": "dev-migration", "desiredStatus": "RUNNING"}
    older = described(taskDefinitionArn=DEFINITION.replace(":3", ":2"), taskArn="older")
    for tasks in ([older], [older, described()]):
        stubs.answer("ecs", "list_tasks", {"taskArns": ["a", "b"]}, which)
        asked = {"cluster": "dev-migration", "tasks": ["a", "b"]}
        stubs.answer("ecs", "describe_tasks", {"tasks": tasks}, asked)
    stubs.answer("ecs", "list_tasks", {"taskArns": []}, which)

    with stubs.active() as aws:
        assert [aws.running_task(REQUEST) for _ in range(3)] == [None, TaskState(TASK), None]


@pytest.mark.parametrize(
    ("overrides", "taken"),
    [
        ({"containerOverrides": [{"name": "migration"}], "inferenceAcceleratorOverrides": []}, True),
        ({}, True),
        ({"containerOverrides": [{"name": "migration", "command": ["sleep", "600"]}]}, False),
        (
            {"containerOverrides": [{"name": "migration", "environment": [{"name": "A", "value": "b"}]}]},
            False,
        ),
        ({"taskRoleArn": "arn:aws:iam::111122223333:role/theirs"}, False),
        ({"executionRoleArn": "arn:aws:iam::111122223333:role/theirs"}, False),
    ],
    ids=str,
)
def test_a_task_that_somebody_started_with_something_else_is_not_taken_for_the_migration(
    stubs: Stubs, overrides: dict[str, Any], *, taken: bool
) -> None:
    stubs.answer("ecs", "list_tasks", {"taskArns": ["a"]})
    stubs.answer("ecs", "describe_tasks", {"tasks": [described(overrides=overrides)]})

    with stubs.active() as aws:
        assert (aws.running_task(REQUEST) is not None) is taken


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (described(), TaskState(TASK)),
        (
            described(lastStatus="DEPROVISIONING", containers=[{"name": "migration", "exitCode": 0}]),
            TaskState(TASK),
        ),
        (stopped(exitCode=0), ended(0, "Essential container in task exited")),
        (
            stopped(exitCode=1, reason="OutOfMemoryError: killed"),
            ended(1, "Essential container in task exited: OutOfMemoryError: killed"),
        ),
        (
            described(
                lastStatus="STOPPED",
                stopCode="TaskFailedToStart",
                stoppedReason="CannotPullContainerError: not found",
                containers=[{"name": "migration"}],
            ),
            ended(None, "TaskFailedToStart: CannotPullContainerError: not found"),
        ),
        (described(lastStatus="STOPPED"), ended(None, "")),
    ],
)
def test_a_task_is_read_with_the_end_of_its_own_container(
    stubs: Stubs, answer: dict[str, Any], state: TaskState
) -> None:
    asked = {"cluster": "dev-migration", "tasks": [TASK]}
    stubs.answer("ecs", "describe_tasks", {"tasks": [answer]}, asked)

    with stubs.active() as aws:
        assert aws.task(REQUEST, TASK) == state


def test_a_task_that_ecs_does_not_know_is_none(stubs: Stubs) -> None:
    stubs.answer("ecs", "describe_tasks", {"tasks": [], "failures": [{"reason": "MISSING"}]})

    with stubs.active() as aws:
        assert aws.task(REQUEST, TASK) is None


def test_an_emulator_that_stops_a_task_of_no_container_runs_none(emulated: Stubs) -> None:
    emulated.answer("ecs", "describe_tasks", {"tasks": [described(lastStatus="STOPPED")]})
    emulated.answer("ecs", "describe_tasks", {"tasks": [stopped(exitCode=0)]})

    with emulated.active() as aws:
        found = [aws.task(REQUEST, TASK) for _ in range(2)]
    assert [one.pretended for one in found if one] == [True, False]


FIRST = [
    ("ecs", "describe_task_definition", lambda aws: aws.task_images(DEFINITION)),
    ("secretsmanager", "describe_secret", lambda aws: aws.rotating("login")),
]


@pytest.mark.parametrize(("service", "method", "ask"), FIRST)
@pytest.mark.parametrize(
    ("code", "status"),
    [("InternalFailure", 500), ("InternalFailure", 501), ("InvalidAction", 400), ("404", 404), ("501", 501)],
)
def test_an_emulator_may_lack_the_service(
    emulated: Stubs, service: str, method: str, ask: Any, code: str, status: int
) -> None:
    emulated.refuse(service, method, code, status=status)

    with emulated.active() as aws:
        assert ask(aws) is None


@pytest.mark.parametrize(("service", "method", "ask"), FIRST)
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ThrottlingException", Transient),
        ("AccessDeniedException", NotAllowed),
        ("ClientException", CloudError),
    ],
)
def test_an_error_of_a_service_that_is_there_is_an_error_on_an_emulator_too(
    emulated: Stubs, service: str, method: str, ask: Any, code: str, kind: type[Exception]
) -> None:
    emulated.refuse(service, method, code)

    with emulated.active() as aws, pytest.raises(kind) as error:
        ask(aws)
    assert type(error.value) is kind


@pytest.mark.parametrize(("service", "method", "ask"), FIRST)
@pytest.mark.parametrize(("code", "status"), [("InternalFailure", 500), ("InvalidAction", 400)])
def test_real_aws_has_them_all(
    stubs: Stubs, service: str, method: str, ask: Any, code: str, status: int
) -> None:
    stubs.refuse(service, method, code, status=status)

    with stubs.active() as aws, pytest.raises(CloudError):
        ask(aws)


@pytest.mark.parametrize(
    ("method", "permission", "ask"),
    [
        ("run_task", "ecs:RunTask", lambda aws: aws.run_task(REQUEST)),
        ("list_tasks", "ecs:ListTasks", lambda aws: aws.running_task(REQUEST)),
        ("describe_tasks", "ecs:DescribeTasks", lambda aws: aws.task(REQUEST, TASK)),
    ],
)
def test_a_missing_permission_is_named(emulated: Stubs, method: str, permission: str, ask: Any) -> None:
    emulated.refuse("ecs", method, "AccessDeniedException", status=403)

    with emulated.active() as aws, pytest.raises(NotAllowed, match=f"grant the permission {permission}"):
        ask(aws)


@pytest.mark.parametrize(("others", "outcome"), [(True, TaskState(TASK)), (False, None)])
def test_a_task_outlives_a_login_where_the_chain_has_another(
    stubs: Stubs, *, others: bool, outcome: TaskState | None
) -> None:
    aws = Aws(stubs.client("cloudformation"), stubs.client, "eu-west-1", renew=lambda: others)
    stubs.refuse("ecs", "describe_tasks", "ExpiredTokenException")
    stubs.answer("ecs", "describe_tasks", {"tasks": [described()]})

    if outcome is None:
        with pytest.raises(LostSight):
            aws.task(REQUEST, TASK)
    else:
        assert aws.task(REQUEST, TASK) == outcome
