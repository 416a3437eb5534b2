"""Values of other stacks' outputs, without exports; and what a template is estimated to cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.sandbox_fakes import World, of, refusal, text, thing, world


@pytest.fixture(scope="module")
def aws() -> Iterator[World]:
    with world() as made:
        yield made


def telling(value: str) -> dict[str, Any]:
    return of({"A": thing()}, Outputs={"Told": {"Value": value}})


def asking(name: str, **argument: Any) -> dict[str, Any]:
    return of({"A": thing(Name=name, Value={"Fn::GetStackOutput": {"OutputName": "Told", **argument}})})


def test_an_output_is_had_by_stack_name_and_stays_as_it_was(aws: World) -> None:
    aws.deploy("teller", telling("one"))
    template = asking("asker-a", StackName={"Fn::Join": ["", ["tel", "ler"]]})
    aws.deploy("asker", template)
    assert aws.provisioner.made["asker-a"].properties["Value"] == "one"
    assert aws.deploy("teller", telling("two"), kind="UPDATE")["StackStatus"] == "UPDATE_COMPLETE"
    assert aws.provisioner.made["asker-a"].properties["Value"] == "one"
    aws.deploy("asker", template, kind="UPDATE")
    assert aws.provisioner.made["asker-a"].properties["Value"] == "two"
    aws.client.delete_stack(StackName="teller")
    aws.sandbox.finish()
    assert refusal(aws.client.describe_stacks, StackName="teller")[0] == "ValidationError"


def test_an_output_of_another_region_is_had_too(aws: World) -> None:
    aws.client_in("us-west-2").create_stack(StackName="far", TemplateBody=text(telling("far away")))
    aws.sandbox.finish()
    role = "arn:aws:iam::123456789012:role/reader"
    aws.deploy("near", asking("near-a", StackName="far", Region="us-west-2", RoleArn=role))
    assert aws.provisioner.made["near-a"].properties["Value"] == "far away"


@pytest.mark.parametrize(
    ("argument", "reason"),
    [
        ({"StackName": "nowhere"}, "Stack with id nowhere does not exist"),
        (
            {"StackName": "here", "OutputName": "Nope"},
            "Output 'Nope' not found in stack 'arn:aws:cloudformation:",
        ),
        ({"StackName": "here", "Region": "us-east-2"}, "Stack with id here does not exist"),
    ],
)
def test_an_output_that_is_not_there_fails_the_resource(
    aws: World, argument: Any, reason: str, request: pytest.FixtureRequest
) -> None:
    if "here" not in [each["StackName"] for each in aws.client.describe_stacks()["Stacks"]]:
        aws.deploy("here", telling("x"))
    stack = f"missing{request.node.callspec.indices['argument']}"
    assert aws.deploy(stack, asking(f"{stack}-a", **argument))["StackStatus"] == "ROLLBACK_COMPLETE"
    failed = [said for name, status, said in aws.story(stack) if (name, status) == ("A", "CREATE_FAILED")]
    assert failed[0].startswith(reason)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({}, "Template error: the argument of Fn::GetStackOutput is malformed."),
        ({"StackName": "a", "Export": "x"}, "Template error: Fn::GetStackOutput has no Export."),
        (
            {"StackName": "a", "RoleArn": "arn:aws:iam::999999999999:role/x"},
            "Template error: Fn::GetStackOutput of other accounts is not offered by this sandbox.",
        ),
    ],
)
def test_an_argument_that_cannot_be_is_refused(aws: World, argument: Any, message: str) -> None:
    template = text(asking("never", **argument))
    assert refusal(aws.client.create_stack, StackName="never", TemplateBody=template)[1] == message


def test_a_template_has_an_estimate(aws: World) -> None:
    template = of({"A": thing(Value={"Ref": "P"})}, Parameters={"P": {"Type": "String"}})
    given = [{"ParameterKey": "P", "ParameterValue": "x"}]
    url = aws.client.estimate_template_cost(TemplateBody=text(template), Parameters=given)["Url"]
    assert url.startswith("http://calculator.s3.amazonaws.com/calc5.html?key=cloudformation/")
    _, message, _ = refusal(aws.client.estimate_template_cost, TemplateBody=text(template))
    assert message == "Parameters: [P] must have values"
