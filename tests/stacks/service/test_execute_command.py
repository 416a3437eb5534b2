"""Commands in a running task, by Amazon ECS Exec: off, and all that it needs where it is switched on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from stacks import network, security, service
from stacks.checking.advice import advice
from stacks.environment import parse_settings
from stacks.settings import Settings
from tests.stacks.finders import properties, resources

CLOSED = {"vpc_endpoints": True, "nat_gateways": 0}


def environment(*, tier: str = "dev", on: bool = True, **sections: Any) -> Settings:
    file = {
        "system": "llm-testing",
        "environment": "dev",
        "tier": tier,
        "alb": {"internal": True},
        **sections,
    }
    return parse_settings(yaml.safe_dump(file | {"service": {"execute_command": on}}), Path("dev.yaml"))


def statements(settings: Settings) -> dict[str, Any]:
    (policy,) = properties(security.build(settings), "TaskRole")["Policies"]
    return {statement["Sid"]: statement for statement in policy["PolicyDocument"]["Statement"]}


def test_nobody_runs_commands_in_a_task_by_default() -> None:
    assert "EnableExecuteCommand" not in properties(service.build(environment(on=False)), "Service")
    assert "TakeCommands" not in statements(environment(on=False))


def test_switched_on_the_service_takes_commands_and_the_tasks_role_may_open_the_channels() -> None:
    assert properties(service.build(environment()), "Service")["EnableExecuteCommand"] is True
    assert statements(environment())["TakeCommands"]["Action"] == [
        "logs:DescribeLogGroups",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    ]


def test_what_is_typed_and_answered_is_encrypted_and_recorded_with_the_environments_key() -> None:
    stack = service.build(environment())
    key = {"Fn::ImportValue": "dev-llm-testing-security-KmsKeyArn"}

    assert properties(stack, "Cluster")["Configuration"]["ExecuteCommandConfiguration"] == {
        "KmsKeyId": key,
        "Logging": "OVERRIDE",
        "LogConfiguration": {
            "CloudWatchLogGroupName": {"Ref": "CommandLog"},
            "CloudWatchEncryptionEnabled": True,
        },
    }
    group = properties(stack, "CommandLog")
    assert (group["LogGroupName"], group["KmsKeyId"]) == ("/ecs/dev-llm-testing-commands", key)
    off = service.build(environment(on=False))
    assert "Configuration" not in properties(off, "Cluster")
    assert "CommandLog" not in off.template.resources


def test_the_tasks_role_may_write_the_record_and_nothing_else() -> None:
    found = statements(environment())

    group = "log-group:/ecs/dev-llm-testing-commands:*"
    assert found["RecordCommands"]["Resource"] == [
        {"Fn::Sub": f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:{group}"}
    ]
    assert found["DecryptCommands"]["Resource"] == [{"Fn::GetAtt": ["Key", "Arn"]}]
    off = statements(environment(on=False))
    assert not {"RecordCommands", "DecryptCommands"} & off.keys()


def test_every_service_takes_commands() -> None:
    proxy = parse_settings(
        "system: llm-proxy\nenvironment: dev\nservice: {execute_command: true}\n", Path("dev.yaml")
    )

    found = resources(service.build(proxy), "AWS::ECS::Service").values()
    assert [one["Properties"]["EnableExecuteCommand"] for one in found] == [True, True]


def test_without_a_way_out_the_channels_have_an_endpoint() -> None:
    wanted = {"SsmmessagesEndpoint", "KmsEndpoint"}
    with_commands = network.build(environment(network=CLOSED))
    without = network.build(environment(on=False, network=CLOSED))

    assert wanted <= resources(with_commands, "AWS::EC2::VPCEndpoint").keys()
    assert not wanted & resources(without, "AWS::EC2::VPCEndpoint").keys()


def test_in_production_it_is_warned_of() -> None:
    said = "service.execute_command: a command in a task sees its secrets (production)"

    assert said in advice(environment(tier="production"))
    assert said not in advice(environment(tier="production", on=False))
