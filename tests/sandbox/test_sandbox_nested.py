"""Stacks inside of stacks: made, changed, put back and deleted with the stack around them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.sandbox_fakes import ROLE, SLOW, World, of, refusal, text, thing, world

STACK = "AWS::CloudFormation::Stack"


@pytest.fixture(scope="module")
def aws() -> Iterator[World]:
    with world() as made:
        yield made


def inside(aws: World, name: str, template: Any) -> str:
    """Put *template* where TemplateURL finds it; returns the address."""
    url = f"https://templates.s3.amazonaws.com/{name}"
    aws.files[url] = text(template)
    return url


def nested(url: str, *, extra: Any = None, **properties: Any) -> dict[str, Any]:
    return thing(STACK, extra=extra, TemplateURL=url, **properties)


def valued(value: Any, **more: Any) -> dict[str, Any]:
    """Return a template whose output is what its thing was given."""
    given = {"Given": {"Type": "String", "Default": value}}
    told = {"Told": {"Value": {"Fn::GetAtt": "Thing.Value"}}}
    return of({"Thing": thing(Value={"Ref": "Given"}, **more)}, Parameters=given, Outputs=told)


def child(aws: World, stack: str, name: str = "Inner") -> Any:
    found = aws.client.describe_stack_resource(StackName=stack, LogicalResourceId=name)
    return aws.stack(found["StackResourceDetail"]["PhysicalResourceId"])


def told(stack: Any) -> dict[str, str]:
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}


def test_a_nested_stack_has_parameters_and_gives_outputs(aws: World) -> None:
    deepest = inside(aws, "deepest", valued("deep"))
    middle = of(
        {"Deep": nested(deepest, Parameters={"Given": {"Ref": "List"}})},
        Parameters={"List": {"Type": "CommaDelimitedList"}},
        Outputs={"Up": {"Value": {"Fn::GetAtt": ["Deep", "Outputs.Told"]}}},
    )
    root = of(
        {
            "User": thing(Name="user", Value={"Fn::Sub": "got ${Inner.Outputs.Up}"}),
            "Inner": nested(inside(aws, "middle", middle), Parameters={"List": ["a", "b"]}),
        },
        Outputs={"All": {"Value": {"Fn::GetAtt": "Inner.Outputs.Up"}}},
    )
    made = aws.deploy("whole", root, Tags=[{"Key": "Team", "Value": "llm"}])
    assert (made["StackStatus"], told(made)) == ("CREATE_COMPLETE", {"All": "a,b"})
    assert aws.provisioner.made["user"].properties["Value"] == "got a,b"
    inner = child(aws, "whole")
    deep = child(aws, inner["StackName"], "Deep")
    assert (inner["ParentId"], inner["RootId"]) == (made["StackId"], made["StackId"])
    assert (deep["ParentId"], deep["RootId"]) == (inner["StackId"], made["StackId"])
    assert inner["StackName"].startswith("whole-Inner-")
    assert deep["Tags"] == [{"Key": "Team", "Value": "llm"}]
    assert "ParentId" not in made
    statuses = [(name, status) for name, status, _ in aws.story("whole") if name == "Inner"]
    assert statuses == [("Inner", "CREATE_IN_PROGRESS")] * 2 + [("Inner", "CREATE_COMPLETE")]
    aws.client.delete_stack(StackName="whole")
    aws.sandbox.finish()
    gone = [aws.stack(each["StackId"])["StackStatus"] for each in (made, inner, deep)]
    assert gone == ["DELETE_COMPLETE"] * 3


def test_a_nested_stack_that_fails_fails_the_stack_around_it(aws: World) -> None:
    url = inside(aws, "broken", of({"Thing": thing(Broken=True), "Fine": thing(Name="fine")}))
    made = aws.client.create_stack(StackName="fails", TemplateBody=text(of({"Inner": nested(url)})))
    aws.sandbox.finish()
    assert aws.stack(made["StackId"])["StackStatus"] == "ROLLBACK_COMPLETE"
    failed = [each for each in aws.events("fails") if each["ResourceStatus"] == "CREATE_FAILED"]
    inner = failed[0]["PhysicalResourceId"]
    said = f"Embedded stack {inner} was not successfully created: The following resource(s) failed to create:"
    assert failed[0]["ResourceStatusReason"].startswith(said)
    assert aws.stack(inner)["StackStatus"] == "DELETE_COMPLETE"
    assert "fine" not in aws.provisioner.made


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"TemplateURL": "https://nowhere"}, "TemplateURL must be a supported URL."),
        ({"Parameters": {"Nope": "x"}}, "Parameters: [Nope] do not exist in the template"),
        ({"TemplateURL": "iam"}, "Requires capabilities : [CAPABILITY_IAM]"),
        ({"TemplateURL": "macro"}, "Requires capabilities : [CAPABILITY_AUTO_EXPAND]"),
    ],
)
def test_a_nested_stack_that_cannot_be_begun_says_why(
    aws: World, properties: Any, reason: str, request: pytest.FixtureRequest
) -> None:
    urls = {
        "iam": inside(aws, "iam", of({"Role": thing(ROLE)})),
        "macro": inside(aws, "macro", of({"A": thing()}, Transform="AWS::LanguageExtensions")),
    }
    good = {"TemplateURL": inside(aws, "good", valued("x"))}
    given = {**good, **properties}
    given["TemplateURL"] = urls.get(given["TemplateURL"], given["TemplateURL"])
    stack = f"refused{request.node.callspec.indices['properties']}"
    assert aws.deploy(stack, of({"Inner": thing(STACK, **given)}))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert ("Inner", "CREATE_FAILED", reason) in aws.story(stack)


def test_another_template_at_the_same_address_is_an_update(aws: World) -> None:
    url = inside(aws, "moving", valued("one"))
    root = of(
        {"Inner": nested(url), "User": thing(Name="follower", Value={"Fn::GetAtt": "Inner.Outputs.Told"})}
    )
    aws.deploy("moving", root)
    before = child(aws, "moving")
    inside(aws, "moving", valued("two"))
    planned = aws.prepare("moving", root, kind="UPDATE")
    changes = {
        each["ResourceChange"]["LogicalResourceId"]: each["ResourceChange"] for each in planned["Changes"]
    }
    assert changes["Inner"]["Details"] == [
        {
            "Target": {"Attribute": "Properties", "RequiresRecreation": "Never"},
            "Evaluation": "Dynamic",
            "ChangeSource": "Automatic",
        }
    ]
    assert (changes["Inner"]["Action"], changes["Inner"]["Replacement"]) == ("Modify", "False")
    assert [each["ChangeSource"] for each in changes["User"]["Details"]] == ["ResourceAttribute"]
    assert aws.execute("moving")["StackStatus"] == "UPDATE_COMPLETE"
    after = child(aws, "moving")
    assert (after["StackId"], after["StackStatus"], told(after)) == (
        before["StackId"],
        "UPDATE_COMPLETE",
        {"Told": "two"},
    )
    assert aws.provisioner.made["follower"].properties["Value"] == "two"
    assert aws.deploy("moving", root, kind="UPDATE")["StackStatus"] == "UPDATE_COMPLETE"
    assert len([each for each in aws.story(after["StackName"]) if each[1] == "UPDATE_COMPLETE"]) == 2


@pytest.mark.parametrize("where", ["inside", "beside"])
def test_an_update_that_fails_puts_the_nested_stack_back(aws: World, where: str) -> None:
    name = f"back-{where}"
    url = inside(aws, name, valued("one"))
    late = {"DependsOn": "Inner"}
    aws.deploy(name, of({"Inner": nested(url), "Late": thing(Name=f"late-{where}", Value="1", extra=late)}))
    inside(aws, name, valued("two", Broken=True) if where == "inside" else valued("two"))
    wrong = of(
        {"Inner": nested(url, Parameters={"Given": "two"}), "Late": thing(Value="2", Broken=True, extra=late)}
    )
    if where == "inside":
        wrong = of({"Inner": nested(url, Parameters={"Given": "two"})})
    else:
        inside(aws, name, valued("one"))
    assert aws.deploy(name, wrong, kind="UPDATE")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    inner = child(aws, name)
    assert told(inner) == {"Told": "one"}
    assert inner["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    reasons = [
        reason for each, status, reason in aws.story(name) if (each, status) == ("Inner", "UPDATE_FAILED")
    ]
    assert bool(reasons) == (where == "inside")
    aws.client.delete_stack(StackName=name)
    aws.sandbox.finish()
    assert aws.stack(inner["StackId"])["StackStatus"] == "DELETE_COMPLETE"


def test_a_nested_stack_that_an_update_leaves_out_is_deleted(aws: World) -> None:
    url = inside(aws, "left", valued("x"))
    aws.deploy("left", of({"Inner": nested(url), "A": thing()}))
    inner = child(aws, "left")["StackId"]
    assert aws.deploy("left", of({"A": thing()}), kind="UPDATE")["StackStatus"] == "UPDATE_COMPLETE"
    assert aws.stack(inner)["StackStatus"] == "DELETE_COMPLETE"


def test_a_nested_stack_that_does_not_go_keeps_the_stack_around_it(aws: World) -> None:
    url = inside(aws, "sticky", of({"Thing": thing(Sticky=True)}))
    made = aws.deploy("sticky", of({"Inner": nested(url)}))
    inner = child(aws, "sticky")["StackId"]
    aws.client.delete_stack(StackName="sticky")
    aws.sandbox.finish()
    assert aws.stack(made["StackId"])["StackStatus"] == "DELETE_FAILED"
    why = "The following resource(s) failed to delete: [Thing]."
    said = f"Embedded stack {inner} was not successfully deleted: {why}"
    assert ("Inner", "DELETE_FAILED", said) in aws.story(made["StackId"])
    aws.client.delete_stack(StackName=inner, RetainResources=["Thing"])
    aws.sandbox.finish()
    aws.client.delete_stack(StackName="sticky")
    aws.sandbox.finish()
    assert aws.stack(made["StackId"])["StackStatus"] == "DELETE_COMPLETE"


def test_what_fails_beside_it_stops_a_nested_stack(aws: World) -> None:
    url = inside(aws, "slow", of({"Slow": thing(SLOW)}))
    wrong = of(
        {"Inner": nested(url), "First": thing(Name="first"), "Wrong": thing(Broken=True, V={"Ref": "First"})}
    )
    made = aws.client.create_stack(StackName="stopped", TemplateBody=text(wrong))
    aws.sandbox.finish()
    assert aws.stack(made["StackId"])["StackStatus"] == "ROLLBACK_COMPLETE"
    inner = next(
        each["PhysicalResourceId"]
        for each in aws.events("stopped")
        if each["LogicalResourceId"] == "Inner" and each.get("PhysicalResourceId")
    )
    assert ("Inner", "CREATE_FAILED", "Resource creation cancelled") in aws.story("stopped")
    assert aws.stack(inner)["StackStatus"] == "DELETE_COMPLETE"
    assert not [each for each in aws.provisioner.made if each.startswith("slow")]


def test_an_output_that_is_not_there_and_another_type_are_refused(aws: World) -> None:
    url = inside(aws, "short", valued("x"))
    wrong = of({"Inner": nested(url), "User": thing(Value={"Fn::GetAtt": "Inner.Outputs.Nope"})})
    aws.deploy("nope", wrong)
    reasons = [
        reason for name, status, reason in aws.story("nope") if (name, status) == ("User", "CREATE_FAILED")
    ]
    assert "Output 'Nope' not found in stack 'arn:aws:cloudformation:" in reasons[0]
    aws.deploy("type", of({"Inner": nested(url)}))
    assert (
        aws.deploy("type", of({"Inner": thing()}), kind="UPDATE")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    )
    assert "Update of resource type is not permitted" in json.dumps(aws.story("type"))
    assert child(aws, "type")["StackStatus"] == "CREATE_COMPLETE"


def test_change_sets_of_the_whole_tree_are_refused(aws: World) -> None:
    _, message, _ = refusal(
        aws.client.create_change_set,
        StackName="tree",
        ChangeSetName="cs",
        ChangeSetType="CREATE",
        TemplateBody=text(of({"Inner": nested(inside(aws, "tree", valued("x")))})),
        IncludeNestedStacks=True,
    )
    assert message == "IncludeNestedStacks is not offered by this sandbox where there are nested stacks."
