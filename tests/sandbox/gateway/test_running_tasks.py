"""The sandbox runs the tasks of a service: a stand-in program in processes, deployed by CloudFormation."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from sandbox.clock import ManualClock
from sandbox.gateway import Gateway, Program
from sandbox.server import Sandbox
from sandbox.services.services import Services
from tests.command import KEY
from tests.gatestack.gateway import model_program
from tests.gatestack.gateway.asking_client import Client
from tests.sandbox.sandbox_account import client, world

IMAGE, MODEL = "ghcr.io/x/y", "ghcr.io/x/model"
PROGRAMS = {IMAGE: Path(__file__).parent / "task_program.py", MODEL: Path(model_program.__file__)}
SAID = {"".join(model_program.SAID)}
HOME = "/tmp/own"  # noqa: S108 - the container's
CHECK = "from urllib.request import urlopen; urlopen('http://127.0.0.1:4000/', timeout=4)"


class Account:
    """A sandbox that runs tasks, a network in it, and one stack with a service."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.world = world(sandbox)
        self.ecs, self.formation = client(sandbox, "ecs"), client(sandbox, "cloudformation")
        self.secret = self.world.make("SecretsManager::Secret", SecretString='{"KEY": "made-up"}').physical_id
        self.log = self.world.log_group
        self.drain_at_once(self.world.targets)

    def drain_at_once(self, group: str) -> None:
        """Nobody asks the tasks: five minutes of draining would be five seconds of each end."""
        self.drain(group, 0)

    def drain(self, group: str, seconds: int) -> None:
        client(self.sandbox, "elbv2").modify_target_group_attributes(
            TargetGroupArn=group,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": str(seconds)}],
        )

    def definition(
        self, version: str, broken: str = "", family: str = "proxy", image: str = IMAGE
    ) -> dict[str, Any]:
        definition = self.world.definition_properties(f"{image}:1", family)
        container = definition["ContainerDefinitions"][0] | {
            "Command": ["--port", "4000", *(["--broken", broken] if broken else [])],
            "Environment": [{"Name": "VERSION", "Value": version}, {"Name": "HOME", "Value": HOME}],
            "Secrets": [{"Name": "SECRET", "ValueFrom": f"{self.secret}:KEY::"}],
            "HealthCheck": {
                "Command": ["CMD", sys.executable, "-c", CHECK],
                "Interval": 10,
                "StartPeriod": 60,
            },
            "StopTimeout": 10,
        }
        container["LogConfiguration"]["Options"]["awslogs-stream-prefix"] = "proxy"
        return {**definition, "ContainerDefinitions": [container]}

    def template(self, version: str, *, tasks: int = 1, broken: str = "") -> str:
        service = self.world.service_properties("proxy", "") | {
            "TaskDefinition": {"Ref": "Task"},
            "DesiredCount": tasks,
        }
        return json.dumps(
            {
                "Resources": {
                    "Task": {
                        "Type": "AWS::ECS::TaskDefinition",
                        "Properties": self.definition(version, broken),
                    },
                    "Service": {"Type": "AWS::ECS::Service", "Properties": service},
                }
            }
        )

    def deploy(self, template: str) -> str:
        there = self.formation.describe_stacks()["Stacks"]
        (self.formation.update_stack if there else self.formation.create_stack)(
            StackName="service", TemplateBody=template
        )
        self.sandbox.finish()
        return str(self.formation.describe_stacks(StackName="service")["Stacks"][0]["StackStatus"])

    def tasks(self, wanted: str = "RUNNING", service: str = "proxy") -> list[dict[str, Any]]:
        arns = self.ecs.list_tasks(cluster="world", serviceName=service, desiredStatus=wanted)["taskArns"]
        return list(self.ecs.describe_tasks(cluster="world", tasks=arns)["tasks"]) if arns else []

    def service(self) -> dict[str, Any]:
        return dict(self.ecs.describe_services(cluster="world", services=["proxy"])["services"][0])

    def events(self) -> list[str]:
        return [str(one["message"]) for one in reversed(self.service()["events"])]

    def reasons(self) -> list[str]:
        found = self.formation.describe_stack_events(StackName="service")["StackEvents"]
        return [str(one.get("ResourceStatusReason", "")) for one in found]

    def task(self, known: dict[str, Any]) -> dict[str, Any]:
        return dict(self.ecs.describe_tasks(cluster="world", tasks=[known["taskArn"]])["tasks"][0])

    def host(self, port: int) -> str:
        """Return where the load balancer's *port* is reached."""
        (here,) = (one["here"] for one in self.sandbox.backing.balancers() if one["port"] == port)
        return f"localhost:{here}"

    def eventually(self, holds: Callable[[], bool]) -> None:
        until = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < until, "it did not happen in time"
            time.sleep(0.05)

    def addresses(self, service: str) -> set[str]:
        return {address(task) for task in self.tasks(service=service)}

    def targets(self, group: str = "") -> set[str]:
        elb = client(self.sandbox, "elbv2")
        found = elb.describe_target_health(TargetGroupArn=group or self.world.targets)
        return {str(one["Target"]["Id"]) for one in found["TargetHealthDescriptions"]}

    def logged(self) -> list[str]:
        found = client(self.sandbox, "logs").filter_log_events(logGroupName=self.log)["events"]
        found.sort(key=lambda one: one["timestamp"])
        return [f"{one['logStreamName'].rpartition('/')[0]}: {one['message']}" for one in found]


def address(task: dict[str, Any]) -> str:
    return str(task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"])


def answer(task: dict[str, Any]) -> dict[str, Any]:
    with urlopen(f"http://{address(task)}:4000/", timeout=5) as said:
        return dict(json.load(said))


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    programs = {
        image: Program((sys.executable, str(each)), host="--host") for image, each in PROGRAMS.items()
    }
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), programs)
    Services().reset()
    with Sandbox(clock=ManualClock(), key=KEY, gateway=gateway) as sandbox:
        yield Account(sandbox)


def test_a_service_is_rolled_and_rolled_back_by_what_its_tasks_really_do(account: Account) -> None:
    assert account.deploy(account.template("one", tasks=2)) == "CREATE_COMPLETE"

    first = account.tasks()
    said = [answer(task)["variables"] for task in first]
    assert [one["VERSION"] for one in said] == ["one", "one"]
    assert {one["SECRET"] for one in said} == {"made-up"}
    assert len({address(task) for task in first}) == 2
    assert {task["healthStatus"] for task in first} == {"HEALTHY"}
    assert account.targets() == {address(task) for task in first}
    assert account.logged() == ["proxy/proxy: started with one"] * 2
    assert account.events()[-1] == "(service proxy) has reached a steady state."

    assert account.deploy(account.template("two", tasks=1)) == "UPDATE_COMPLETE"

    (second,) = account.tasks()
    assert answer(second)["variables"]["VERSION"] == "two"
    assert account.targets() == {address(second)}
    ended = ["proxy/proxy: started with two", *["proxy/proxy: told to go"] * 2]
    assert sorted(account.logged()[2:]) == ended
    stopped = {task["taskArn"]: task for task in account.tasks("STOPPED")}
    assert stopped.keys() >= {task["taskArn"] for task in first}
    assert {task["containers"][0]["exitCode"] for task in stopped.values()} == {0}

    assert account.deploy(account.template("three", broken="no such model")) == "UPDATE_ROLLBACK_COMPLETE"

    failed = [one for one in account.tasks("STOPPED") if one["containers"][0]["exitCode"] == 3]
    assert len(failed) == 3
    assert {one["stoppedReason"] for one in failed} == {"Essential container in task exited"}
    assert account.logged()[-1] == "proxy/proxy: the configuration says no such model"
    assert any("ECS Deployment Circuit Breaker was triggered" in one for one in account.reasons())
    assert any("deployment failed: tasks failed to start." in one for one in account.events())
    assert [task["taskArn"] for task in account.tasks()] == [second["taskArn"]]
    assert answer(second)["variables"]["VERSION"] == "two"

    client(account.sandbox, "application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId="service/world/proxy",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=2,
        MaxCapacity=4,
    )
    account.sandbox.finish()

    kept = {task["taskArn"] for task in account.tasks()}
    assert len(kept) == 2
    assert second["taskArn"] in kept

    account.ecs.stop_task(cluster="world", task=second["taskArn"], reason="by hand")
    account.sandbox.finish()

    assert account.targets() == {address(task) for task in account.tasks()}
    assert len(account.targets()) == 2
    assert second["taskArn"] not in {task["taskArn"] for task in account.tasks()}


def test_a_service_is_scaled_by_what_its_clients_ask(account: Account) -> None:
    scaling, elb = client(account.sandbox, "application-autoscaling"), client(account.sandbox, "elbv2")
    (group,) = elb.describe_target_groups(TargetGroupArns=[account.world.targets])["TargetGroups"]
    ends = (
        group["LoadBalancerArns"][0].partition("loadbalancer/")[2],
        group["TargetGroupArn"].split(":")[-1],
    )
    which = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/world/proxy",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    scaling.put_scaling_policy(
        PolicyName="on-requests",
        **which,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ALBRequestCountPerTarget",
                "ResourceLabel": "/".join(ends),
            },
            "TargetValue": 1,
        },
    )

    def scaled() -> bool:
        urlopen(f"http://{account.host(4000)}/", timeout=5).close()
        account.sandbox.clock.advance(60)
        return int(account.service()["desiredCount"]) > 2

    account.eventually(scaled)
    account.sandbox.finish()

    assert len(account.tasks()) == 4, "no more than the scalable target allows"
    (activity,) = scaling.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"]
    assert activity["Description"] == "Setting desired count to 4."
    assert activity["Cause"].endswith("in state ALARM triggered policy on-requests")


def test_a_one_off_task_runs_to_its_end_and_what_has_no_program_goes_by_the_clock(account: Account) -> None:
    definition = account.definition("", broken="nothing to do", family="job")
    made = account.world.make("ECS::TaskDefinition", **definition).physical_id
    unknown = {**definition, "Family": "other"}
    unknown["ContainerDefinitions"] = [{**definition["ContainerDefinitions"][0], "EntryPoint": ["other"]}]
    other = account.world.make("ECS::TaskDefinition", **unknown).physical_id
    network = {"subnets": account.world.subnets, "securityGroups": [account.world.group]}
    arns = [
        account.ecs.run_task(
            cluster="world",
            taskDefinition=one,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": network},
        )["tasks"][0]["taskArn"]
        for one in (made, other)
    ]
    account.sandbox.finish()

    found = account.ecs.describe_tasks(cluster="world", tasks=arns)["tasks"]
    assert [task["containers"][0]["exitCode"] for task in found] == [3, 0]
    assert {task["lastStatus"] for task in found} == {"STOPPED"}
    assert f"the sandbox has no program for other in the image {IMAGE}:1: it is not run" in str(
        account.logged()
    )
    assert account.sandbox.backing.notes() == []


def test_a_client_notices_nothing_of_traffic_that_shifts_or_of_an_unhealthy_task(account: Account) -> None:
    world, elb = account.world, client(account.sandbox, "elbv2")
    kind = {"VpcId": world.vpc, "Port": 4000, "Protocol": "HTTP", "TargetType": "ip"}
    first, second = (
        elb.create_target_group(Name=name, **kind, HealthCheckIntervalSeconds=10)["TargetGroups"][0][
            "TargetGroupArn"
        ]
        for name in ("first", "second")
    )
    for group in (first, second):
        account.drain(group, 60)
    rule, test_rule = (
        elb.create_rule(
            ListenerArn=world.listener,
            Priority=number,
            Conditions=[{"Field": "path-pattern", "Values": [f"/v{number}/*"]}],
            Actions=[{"Type": "forward", "TargetGroupArn": first}],
        )["Rules"][0]["RuleArn"]
        for number in (1, 2)
    )
    advanced = {
        "AlternateTargetGroupArn": second,
        "ProductionListenerRule": rule,
        "TestListenerRule": test_rule,
        "RoleArn": world.role_arn,
    }
    given = account.definition("blue", family="shifting", image=MODEL)
    definition = world.make("ECS::TaskDefinition", **given)
    properties = world.service_properties("shifting", definition.physical_id)
    properties["LoadBalancers"] = [
        {
            "ContainerName": "proxy",
            "ContainerPort": 4000,
            "TargetGroupArn": first,
            "AdvancedConfiguration": advanced,
        }
    ]
    properties["DeploymentConfiguration"] |= {"Strategy": "BLUE_GREEN", "BakeTimeInMinutes": 0}
    world.make("ECS::Service", **properties)
    account.sandbox.finish()
    assert [account.targets(first), account.targets(second)] == [account.addresses("shifting"), set()]

    with Client(account.host(8080), key="any") as asking:
        account.ecs.update_service(cluster="world", service="shifting", forceNewDeployment=True)
        account.sandbox.finish()

    assert (asking.failed, set(asking.said)) == ([], SAID)
    assert [account.targets(first), account.targets(second)] == [set(), account.addresses("shifting")]
    (shifted,) = elb.describe_rules(RuleArns=[rule])["Rules"]
    weights = shifted["Actions"][0]["ForwardConfig"]["TargetGroups"]
    assert {one["TargetGroupArn"]: one["Weight"] for one in weights} == {first: 0, second: 100}

    (ill,) = account.tasks(service="shifting")
    with Client(account.host(8080), key="any") as asking:
        with pytest.raises(HTTPError, match="500"):
            urlopen(f"http://{address(ill)}:4000/ill", timeout=5)
        account.eventually(lambda: account.task(ill)["lastStatus"] == "STOPPED")
    assert (asking.failed, set(asking.said)) == ([], SAID)
    assert account.task(ill)["stoppedReason"] == f"Task failed ELB health checks in (target-group {second})"
    assert account.targets(second) == account.addresses("shifting")
