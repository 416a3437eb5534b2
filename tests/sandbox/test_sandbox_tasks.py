"""ECS on the sandbox: tasks that run to their end, those of services, and how new ones replace old ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from sandbox.server import Sandbox
from sandbox.services.rollouts import SECONDS
from tests.sandbox.sandbox_account import client, standing, world
from tests.sandbox.sandbox_fakes import refusal

IMAGE = "ghcr.io/x/y:1"


class Account:
    """A sandbox whose clock stands still, a network in it, and a cluster for each test."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.world = world(sandbox)
        self.ecs = client(sandbox, "ecs")
        self.where: dict[str, str] = {}
        self.clusters = count()
        self.network = {
            "awsvpcConfiguration": {
                "subnets": self.world.subnets,
                "securityGroups": [self.world.group],
                "assignPublicIp": "DISABLED",
            }
        }

    def begin(self) -> None:
        """Take a new cluster."""
        name = f"cluster{next(self.clusters)}"
        self.world.cluster = self.world.make("ECS::Cluster", ClusterName=name).physical_id
        self.where = {"cluster": name}

    def end(self) -> None:
        """Leave nothing for the next test."""
        self.sandbox.faults.clear()
        if self.ecs.describe_services(services=["proxy"], **self.where)["services"]:
            self.ecs.delete_service(service="proxy", force=True, **self.where)

    def run(self, definition: str, **more: Any) -> str:
        given = {"launchType": "FARGATE", "networkConfiguration": self.network, **self.where, **more}
        answer = self.ecs.run_task(taskDefinition=definition, **given)
        assert answer["failures"] == []
        return str(answer["tasks"][0]["taskArn"])

    def task(self, arn: str) -> dict[str, Any]:
        (task,) = self.ecs.describe_tasks(tasks=[arn], **self.where)["tasks"]
        return dict(task)

    def statuses(self, arn: str, *moments: float) -> list[str]:
        seen = []
        for seconds in moments:
            self.sandbox.advance(seconds)
            seen.append(self.task(arn)["lastStatus"])
        return seen

    def definition(self, image: str = IMAGE, family: str = "migration") -> str:
        return self.world.make(
            "ECS::TaskDefinition", **self.world.definition_properties(image, family)
        ).physical_id

    def service_made(self, tasks: int) -> None:
        properties = self.world.service_properties("proxy", self.world.definition)
        self.world.make("ECS::Service", **{**properties, "DesiredCount": tasks})

    def service(self) -> dict[str, Any]:
        (service,) = self.ecs.describe_services(services=["proxy"], **self.where)["services"]
        return dict(service)

    def tasks(self, **which: Any) -> list[dict[str, Any]]:
        arns = self.ecs.list_tasks(serviceName="proxy", **self.where, **which)["taskArns"]
        return list(self.ecs.describe_tasks(tasks=arns, **self.where)["tasks"]) if arns else []

    def running(self) -> set[str]:
        return {task["taskArn"] for task in self.tasks() if task["lastStatus"] == "RUNNING"}

    def deployments(self) -> list[tuple[str, str, int]]:
        names = ("status", "rolloutState", "runningCount")
        return [tuple(each[name] for name in names) for each in self.service()["deployments"]]

    def events(self) -> list[str]:
        return [event["message"] for event in self.service()["events"]]

    def targets(self) -> list[str]:
        health = client(self.sandbox, "elbv2").describe_target_health(TargetGroupArn=self.world.targets)
        return [each["TargetHealth"]["State"] for each in health["TargetHealthDescriptions"]]


@pytest.fixture(scope="module")
def one() -> Iterator[Account]:
    with standing() as sandbox:
        yield Account(sandbox)


@pytest.fixture
def account(one: Account) -> Iterator[Account]:
    one.begin()
    yield one
    one.end()


def test_a_one_off_task_waits_runs_and_ends_well(account: Account) -> None:
    arn = account.run(account.definition(), startedBy="gatestack")

    assert account.statuses(arn, 0, 15, 10, 30, 10) == ["PENDING", "PENDING", "RUNNING", "RUNNING", "STOPPED"]
    task = account.task(arn)
    assert (task["stopCode"], task["stoppedReason"]) == (
        "EssentialContainerExited", "Essential container in task exited",
    )  # fmt: skip
    assert (task["containers"][0]["name"], task["containers"][0]["exitCode"]) == ("proxy", 0)
    assert (task["group"], task["startedBy"], task["desiredStatus"]) == (
        "family:migration", "gatestack", "STOPPED",
    )  # fmt: skip
    assert task["stoppedAt"] > task["startedAt"] > task["createdAt"]


def test_a_task_without_its_image_never_starts(account: Account) -> None:
    uri = account.world.make("ECR::Repository", RepositoryName="owned").attributes["RepositoryUri"]
    arn = account.run(account.definition(f"{uri}:7"))

    account.sandbox.finish()

    task = account.task(arn)
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "TaskFailedToStart")
    assert task["stoppedReason"].startswith("CannotPullContainerError: ")
    assert f"{uri}:7" in task["stoppedReason"]
    assert "exitCode" not in task["containers"][0]
    assert "startedAt" not in task


def test_a_task_whose_secret_lacks_the_key_never_starts(account: Account) -> None:
    secret = account.world.make("SecretsManager::Secret", SecretString='{"shown": "never"}').physical_id
    properties = account.world.definition_properties(IMAGE)
    value = {"Name": "PASSWORD", "ValueFrom": f"{secret}:password::"}
    properties["ContainerDefinitions"][0]["Secrets"] = [value]
    arn = account.run(account.world.make("ECS::TaskDefinition", **properties).physical_id)

    account.sandbox.finish()

    task = account.task(arn)
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("ResourceInitializationError: unable to pull secrets")
    assert "password" in task["stoppedReason"]
    assert "never" not in task["stoppedReason"]


def test_a_fault_ends_the_next_task_of_a_family_with_its_exit_code(account: Account) -> None:
    account.sandbox.faults.add({"tasks": [{"family": "migration", "exit_code": 3}]})
    definition = account.definition()
    other = account.definition(family="other")

    arns = [account.run(each) for each in (other, definition, definition)]
    account.sandbox.finish()

    assert [account.task(arn)["containers"][0]["exitCode"] for arn in arns] == [0, 3, 0]


def test_tasks_are_listed_by_what_they_are_to_be(account: Account) -> None:
    first = account.run(account.definition())
    account.sandbox.finish()
    second = account.run(account.definition(family="other"))

    def listed(**which: Any) -> list[str]:
        return list(account.ecs.list_tasks(**account.where, **which)["taskArns"])

    assert listed() == [second]
    assert listed(desiredStatus="STOPPED") == [first]
    assert (listed(family="other"), listed(family="migration")) == ([second], [])


def test_a_task_that_is_stopped_says_by_whom(account: Account) -> None:
    arn = account.run(account.definition())
    account.sandbox.advance(30)

    account.ecs.stop_task(task=arn, reason="enough", **account.where)

    task = account.task(arn)
    assert (task["lastStatus"], task["stopCode"], task["stoppedReason"]) == (
        "STOPPED", "UserInitiated", "enough",
    )  # fmt: skip


def test_what_cannot_run_is_refused_as_ecs_refuses_it(account: Account) -> None:
    definition = account.definition()
    fine = {"taskDefinition": definition, "launchType": "FARGATE", **account.where}
    network = {"networkConfiguration": account.network}
    nowhere = {
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0"], "securityGroups": []}}
    }

    def code(**given: Any) -> str:
        return refusal(account.ecs.run_task, **given)[0]

    assert code(**fine) == "InvalidParameterException"
    assert code(**fine, **nowhere) == "InvalidParameterException"
    assert code(**{**fine, "cluster": "none"}, **network) == "ClusterNotFoundException"
    assert code(**{**fine, "taskDefinition": "none:1"}, **network) == "ClientException"
    on_instances = {key: value for key, value in fine.items() if key != "launchType"}
    assert refusal(account.ecs.run_task, **on_instances, **network)[1] == (
        "No Container Instances were found in your cluster."
    )


def test_a_task_that_nobody_knows_is_missing(account: Account) -> None:
    answer = account.ecs.describe_tasks(tasks=["0123"], **account.where)

    assert (answer["tasks"], answer["failures"][0]["reason"]) == ([], "MISSING")


def test_a_service_lists_the_tasks_that_it_wants_where_they_can_be_reached(account: Account) -> None:
    account.service_made(2)
    account.run(account.definition())

    tasks = account.tasks(desiredStatus="RUNNING")

    assert [(task["lastStatus"], task["group"]) for task in tasks] == [("RUNNING", "service:proxy")] * 2
    details = [detail for task in tasks for each in task["attachments"] for detail in each["details"]]
    addresses = [each["value"] for each in details if each["name"] == "privateIPv4Address"]
    assert addresses == ["127.0.0.1"] * 2
    assert account.targets() == ["healthy"] * 2
    assert refusal(account.ecs.list_tasks, serviceName="none", **account.where)[0] == (
        "ServiceNotFoundException"
    )


def test_another_count_changes_the_tasks_and_no_deployment(account: Account) -> None:
    account.service_made(3)
    before, deployment = account.running(), account.service()["deployments"][0]["id"]

    account.ecs.update_service(service="proxy", desiredCount=1, **account.where)

    assert len(account.running()) == 1
    assert account.running() < before
    assert account.targets() == ["healthy"]
    assert [each["id"] for each in account.service()["deployments"]] == [deployment]
    account.ecs.update_service(service="proxy", desiredCount=0, **account.where)
    assert (account.tasks(), account.targets()) == ([], [])


def test_new_tasks_take_the_place_of_the_old_ones_over_time(account: Account) -> None:
    account.service_made(2)
    old = account.running()

    account.ecs.update_service(service="proxy", forceNewDeployment=True, **account.where)

    assert account.deployments() == [("PRIMARY", "IN_PROGRESS", 0), ("ACTIVE", "COMPLETED", 2)]
    assert account.running() == old
    account.sandbox.advance(SECONDS - 20)
    assert account.deployments() == [("PRIMARY", "IN_PROGRESS", 1), ("ACTIVE", "COMPLETED", 2)]
    assert account.running() > old
    account.sandbox.finish()
    assert account.deployments() == [("PRIMARY", "COMPLETED", 2)]
    assert len(account.running()) == 2
    assert not account.running() & old
    assert account.events()[0] == "(service proxy) has reached a steady state."


def test_another_task_definition_is_rolled_out_by_the_call_too(account: Account) -> None:
    account.service_made(1)
    other = account.definition()

    account.ecs.update_service(service="proxy", taskDefinition="migration", **account.where)

    account.sandbox.finish()
    assert account.service()["taskDefinition"] == other
    assert [task["taskDefinitionArn"] for task in account.tasks()] == [other]


def test_a_rollout_that_fails_is_rolled_back_by_the_breaker(account: Account) -> None:
    account.service_made(2)
    (first,), old = account.service()["deployments"], account.running()
    account.sandbox.faults.add({"rollouts": [{"service": "proxy"}]})

    account.ecs.update_service(
        service="proxy", taskDefinition=account.definition(), forceNewDeployment=True, **account.where
    )
    account.sandbox.advance(SECONDS)

    back, failed = account.service()["deployments"]
    assert (failed["status"], failed["rolloutState"], failed["failedTasks"]) == ("ACTIVE", "FAILED", 3)
    assert failed["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    assert (back["status"], back["taskDefinition"]) == ("PRIMARY", first["taskDefinition"])
    assert account.running() == old
    assert [task["containers"][0]["exitCode"] for task in account.tasks(desiredStatus="STOPPED")] == [1] * 3
    account.sandbox.advance(SECONDS)
    assert account.deployments() == [("PRIMARY", "COMPLETED", 2)]
    assert account.service()["taskDefinition"] == first["taskDefinition"]
    assert f"(service proxy) (deployment {failed['id']}) deployment failed: tasks failed to start." in (
        account.events()
    )


def test_a_task_of_a_service_that_is_stopped_is_replaced(account: Account) -> None:
    account.service_made(2)
    one, _ = sorted(account.running())

    account.ecs.stop_task(task=one, **account.where)

    assert len(account.running()) == 2
    assert one not in account.running()
    assert account.task(one)["lastStatus"] == "STOPPED"


def test_a_service_that_is_gone_rolls_nothing_and_keeps_no_targets(account: Account) -> None:
    account.service_made(1)

    account.ecs.delete_service(service="proxy", force=True, **account.where)

    forced = {"service": "proxy", "forceNewDeployment": True, **account.where}
    assert refusal(account.ecs.update_service, **forced)[0] == "ServiceNotActiveException"
    assert refusal(account.ecs.update_service, **{**forced, "service": "none"})[0] == (
        "ServiceNotFoundException"
    )
    assert refusal(account.ecs.update_service, **{**forced, "cluster": "none"})[0] == (
        "ClusterNotFoundException"
    )
    assert account.targets() == []


def test_faults_of_tasks_and_rollouts_are_set_and_told_by_the_page() -> None:
    with Sandbox() as sandbox:
        kinds = ("tasks", "rollouts", "steps")
        sandbox.faults.add({"tasks": [{"family": "f"}], "rollouts": [{"service": "s"}]})
        described = sandbox.faults.described()
        assert json.dumps([described[kind] for kind in kinds]) == json.dumps(
            [[{"family": "f", "exit_code": 1, "times": 1}], [{"service": "s", "times": 1}], []]
        )
        sandbox.faults.clear()
        assert [sandbox.faults.described()[kind] for kind in kinds] == [[], [], []]
