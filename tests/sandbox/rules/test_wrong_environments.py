"""What AWS refuses of an environment, the sandbox refuses: in AWS's words, at the moment AWS does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.server import Sandbox
from tests.covering import parameter
from tests.sandbox.sandbox_account import client, services

CHANGE_SET = "change set"


@dataclass(frozen=True)
class Wrong:
    """One wrong environment: a stack of `local` whose template is patched and deployed by hand."""

    what: str
    stack: str
    says: str
    moment: str
    """`change set`, or the status of the resource whose event says it."""
    source: str
    resource: str = ""
    """The resource that is changed; with `like` the new one."""
    like: str = ""
    """The resource that the new one is a copy of."""
    type: str = ""
    """The type of a new one that is like no other."""
    validates: bool = True
    """Whether the change set's values are looked at as it is made."""
    fails: str = ""
    """Who says it, where that is not the resource."""
    beside: Mapping[str, Any] = field(default_factory=dict)
    """Resources that are new, too."""
    set: Mapping[str, Any] = field(default_factory=dict)
    """Dotted path in the properties -> value; None takes it out."""
    quotas: Mapping[str, float] = field(default_factory=dict)
    """Quotas of the account meanwhile."""


CASES = [
    Wrong(**one) for one in yaml.safe_load(Path(__file__).with_name("wrong_environments.yaml").read_text())
]


ALIKE = {
    "an engine version that is deprecated",
    "a minor upgrade to a version that nobody has",
    "an Aurora version that nobody has",
    "another class that is none, later",
    "a parameter group of another major",
    "a disk that is made smaller",
    "a cluster's snapshot that is not there",
    "a property deep inside that is missing",
    "a text where a list belongs",
}
"""Refused by the rule of another, in its words: of another kind of resource, or later."""


def test_what_is_alike_is_there() -> None:
    assert {one.what for one in CASES} >= ALIKE


@pytest.fixture(scope="module")
def aws(account: Sandbox) -> Any:
    return client(account, "cloudformation")


@pytest.mark.parametrize(
    "wrong", [parameter(one, quick=one.what not in ALIKE) for one in CASES], ids=lambda wrong: wrong.what
)
def test_a_wrong_environment_is_refused_in_aws_s_words(wrong: Wrong, account: Sandbox, aws: Any) -> None:
    name = f"local-litellm-{wrong.stack}"
    template = json.loads(json.dumps(aws.get_template(StackName=name)["TemplateBody"]))
    template["Resources"] |= wrong.beside
    resource = _resource(template["Resources"], wrong)
    for path, value in wrong.set.items():
        _put(resource["Properties"], path.split("."), value)

    quotas = services(account).quotas
    for one, value in wrong.quotas.items():
        quotas.set(one, value)
    said = _deployed(account, aws, name, template, wrong)
    quotas.clear()
    assert wrong.says in " ".join(said.split())
    stack = aws.describe_stacks(StackName=name)["Stacks"][0]
    assert stack["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}


def _resource(resources: dict[str, Any], wrong: Wrong) -> dict[str, Any]:
    if wrong.like:
        resources[wrong.resource] = json.loads(json.dumps(resources[wrong.like]))
    elif wrong.type:
        resources[wrong.resource] = {"Type": wrong.type, "Properties": {}}
    found: dict[str, Any] = resources[wrong.resource]
    return found


def _put(properties: Any, path: list[str], value: Any) -> None:
    for name in path[:-1]:
        properties = (
            properties[int(name)] if isinstance(properties, list) else properties.setdefault(name, {})
        )
    if value is None:
        del properties[path[-1]]
    else:
        properties[path[-1]] = value


def _deployed(account: Sandbox, aws: Any, name: str, template: Any, wrong: Wrong) -> str:
    """Deploy *template*; returns what is said against it at the moment that is expected."""
    known = aws.describe_stacks(StackName=name)["Stacks"][0].get("Parameters", [])
    made = aws.create_change_set(
        StackName=name,
        ChangeSetName="wrong",
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": one["ParameterKey"], "UsePreviousValue": True} for one in known],
        Capabilities=["CAPABILITY_NAMED_IAM"],
        DisableValidation=not wrong.validates,
    )
    account.control.finish()
    found = aws.describe_change_set(ChangeSetName=made["Id"])
    if wrong.moment == CHANGE_SET:
        assert "AWS::EarlyValidation::PropertyValidation" in found["StatusReason"]
        events = aws.describe_events(ChangeSetName=made["Id"])["OperationEvents"]
        aws.delete_change_set(ChangeSetName=made["Id"])
        errors = [one for one in events if one["EventType"] == "VALIDATION_ERROR"]
        return " ".join(f"{one['ValidationPath']}: {one['ValidationStatusReason']}" for one in errors)
    assert found["Status"] == "CREATE_COMPLETE", found["StatusReason"]
    aws.execute_change_set(ChangeSetName=made["Id"])
    account.control.finish()
    events = aws.describe_stack_events(StackName=name)["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"] == wrong.moment]
    mine = [one for one in failed if one["LogicalResourceId"] == (wrong.fails or wrong.resource)]
    return str(mine[0]["ResourceStatusReason"]) if mine else ""
