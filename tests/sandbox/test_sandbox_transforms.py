"""Macros that CloudFormation hosts: what they make of a template, what they need, and how they fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.sandbox_account import client, standing
from tests.sandbox.sandbox_fakes import World, of, refusal, text, thing, world

EXTENSIONS = "AWS::LanguageExtensions"
FAILED = f"Transform {EXTENSIONS} failed with: "
EXPAND = ["CAPABILITY_AUTO_EXPAND"]
NAMES = {"Names": {"Type": "CommaDelimitedList", "Default": "One,Two"}}
ZONES = {"Zones": {"eu": {"Count": 2, "Names": ["A", "B"]}}}


@pytest.fixture(scope="module")
def aws() -> Iterator[World]:
    with world() as made:
        yield made


def extended(resources: Any, **sections: Any) -> dict[str, Any]:
    return of(resources, Transform=EXTENSIONS, **sections)


def processed(aws: World, stack: str, template: Any, **more: Any) -> Any:
    """Deploy *template*, and return what its macros made of it."""
    assert aws.deploy(stack, template, **more)["StackStatus"] == "CREATE_COMPLETE"
    found = aws.client.get_template(StackName=stack, TemplateStage="Processed")
    assert found["StagesAvailable"] == ["Original", "Processed"]
    assert aws.client.get_template(StackName=stack)["TemplateBody"] == template
    return found["TemplateBody"]


def test_loops_are_written_out_in_every_section(aws: World) -> None:
    template = extended(
        {
            "Fn::ForEach::Things": [
                "Name",
                {"Ref": "Names"},
                {
                    "Thing${Name}": thing(
                        extra={"Condition": "Has${Name}"},
                        Value={"Fn::Sub": "a ${Name} in ${AWS::Region}"},
                        Kind={"Ref": "Name"},
                        Label={"Fn::Sub": "only-${Name}"},
                    )
                },
            ]
        },
        Parameters=NAMES,
        Conditions={
            "Fn::ForEach::Has": [
                "Name",
                ["One", "Two"],
                {"Has${Name}": {"Fn::Equals": [{"Ref": "Name"}, "One"]}},
            ]
        },
        Outputs={
            "Fn::ForEach::Told": [
                "Name",
                ["One"],
                {"Out${Name}": {"Value": {"Fn::GetAtt": ["Thing${Name}", "Value"]}}},
            ]
        },
    )
    made = processed(aws, "loops", template)
    assert "Transform" not in made
    assert made["Resources"]["ThingTwo"]["Properties"] == {
        "Value": {"Fn::Sub": "a Two in ${AWS::Region}"},
        "Kind": "Two",
        "Label": "only-Two",
    }
    resources = aws.client.describe_stack_resources(StackName="loops")["StackResources"]
    assert [each["LogicalResourceId"] for each in resources] == ["ThingOne"]
    told = aws.stack("loops")["Outputs"]
    assert [(each["OutputKey"], each["OutputValue"]) for each in told] == [
        ("OutOne", "a One in eu-central-1")
    ]


def test_loops_nest_and_stand_in_properties(aws: World) -> None:
    inner = ["Port", ["80", "44-3"], {"P&{Port}${Name}": "${Port}"}]
    outer = ["Name", ["A", "B"], {"X${Name}": thing(Options={"Fn::ForEach::Ports": inner})}]
    pair = ["Left", ["L"], {"Fn::ForEach::Right": ["Right", ["R", "S"], {"${Left}${Right}": thing()}]}]
    made = processed(aws, "nested", extended({"Fn::ForEach::Outer": outer, "Fn::ForEach::Pair": pair}))
    assert made["Resources"].keys() == {"XA", "XB", "LR", "LS"}
    assert made["Resources"]["XB"]["Properties"]["Options"] == {"P80B": "80", "P443B": "44-3"}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"Fn::Length": {"Ref": "Names"}}, 2),
        ({"Fn::Length": {"Fn::Split": ["|", "a|b|c"]}}, 3),
        ({"Fn::Length": [1, {"Ref": "AWS::Region"}]}, 2),
        ({"Fn::ToJsonString": {"a": {"Ref": "Names"}, "b": [1, True]}}, '{"a":["One","Two"],"b":[1,true]}'),
        ({"Fn::FindInMap": ["Zones", "us", "Count", {"DefaultValue": "none"}]}, "none"),
        ({"Fn::FindInMap": ["Zones", "eu", "Count", {"DefaultValue": "none"}]}, 2),
        (
            {"Fn::FindInMap": ["Zones", {"Fn::Select": [0, ["eu"]]}, {"Fn::Join": ["", ["Na", "mes"]]}]},
            ["A", "B"],
        ),
        ({"Ref": {"Fn::Sub": "Nam${Suffix}"}}, {"Ref": "Names"}),
        ({"Fn::GetAtt": [{"Fn::Sub": "Oth${Other}"}, "Value"]}, {"Fn::GetAtt": ["Other", "Value"]}),
    ],
)
def test_functions_of_the_macro_are_values_in_the_processed_template(
    aws: World, value: Any, found: Any, request: pytest.FixtureRequest
) -> None:
    given = NAMES | {
        name: {"Type": "String", "Default": each} for name, each in (("Suffix", "es"), ("Other", "er"))
    }
    template = extended({"A": thing(Value=value), "Other": thing()}, Parameters=given, Mappings=ZONES)
    stack = f"function{request.node.callspec.indices['value']}"
    assert processed(aws, stack, template)["Resources"]["A"]["Properties"]["Value"] == found


def test_what_is_known_later_stays_and_has_its_value_in_the_resource(aws: World) -> None:
    secret = {"Secret": {"Type": "String", "NoEcho": True, "Default": "hush-hush"}}
    wanted = {"secret": {"Ref": "Secret"}, "arn": {"Fn::GetAtt": ["B", "Arn"]}}
    later = {"Fn::ToJsonString": wanted}
    template = extended(
        {"A": thing(Name="later-a", Value=later), "B": thing(Name="later-b")}, Parameters=secret
    )
    assert processed(aws, "later", template)["Resources"]["A"]["Properties"]["Value"] == later
    made = aws.provisioner.made["later-a"].properties["Value"]
    assert json.loads(made) == {"secret": "hush-hush", "arn": "arn:test:later-b"}
    shown = [json.dumps(each, default=str) for each in aws.events("later")]
    assert not any("hush-hush" in each for each in shown)


def test_policies_may_be_functions(aws: World) -> None:
    kept = {"Fn::If": ["Kept", "Retain", "Delete"]}
    template = extended(
        {"A": thing(Name="policy-a", extra={"DeletionPolicy": kept, "UpdateReplacePolicy": kept})},
        Parameters={"Stage": {"Type": "String"}},
        Conditions={"Kept": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
    )
    stage = [{"ParameterKey": "Stage", "ParameterValue": "prod"}]
    assert (
        processed(aws, "policy", template, Parameters=stage)["Resources"]["A"]["DeletionPolicy"] == "Retain"
    )
    aws.client.delete_stack(StackName="policy")
    aws.sandbox.finish()
    assert "policy-a" in aws.provisioner.made


def test_the_previous_template_is_the_processed_one(aws: World) -> None:
    template = extended(
        {"A": thing(Name="previous", Value={"Fn::Length": {"Ref": "Names"}})}, Parameters=NAMES
    )
    aws.deploy("previous", template)
    more = [{"ParameterKey": "Names", "ParameterValue": "a,b,c"}]
    same = aws.prepare("previous", None, kind="UPDATE", UsePreviousTemplate=True, Parameters=more)
    assert same["Status"] == "FAILED"
    assert "didn't contain changes" in same["StatusReason"]
    aws.client.update_stack(
        StackName="previous", TemplateBody=text(template), Parameters=more, Capabilities=EXPAND
    )
    aws.sandbox.finish()
    assert aws.provisioner.made["previous"].properties["Value"] == 3


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (extended({"Fn::ForEach::X": ["N", ["a"]]}), FAILED + "Fn::ForEach layout is incorrect."),
        (
            extended({"Fn::ForEach::X": ["N", "a", {"A${N}": thing()}]}),
            FAILED + "Fn::ForEach layout is incorrect.",
        ),
        (
            extended({"Fn::ForEach::X": ["N", ["a", "b"], {"A": thing()}]}),
            FAILED + "Duplicate key 'A' when merging keys to parent object in Fn::ForEach",
        ),
        (
            extended({"Fn::ForEach::X": ["N", ["a-b"], {"A${N}": thing()}]}),
            "Template format error: Resource name Aa-b is non alphanumeric.",
        ),
        (
            extended({"A": thing(V={"Fn::Length": "a"})}),
            FAILED + "Template error: Fn::Length object requires a list.",
        ),
        (
            extended({"A": thing(V={"Fn::FindInMap": ["M", "a", "b"]})}),
            FAILED + "Template error: Unable to get mapping for M::a::b",
        ),
        (
            extended({"A": thing(extra={"DeletionPolicy": {"Ref": "A"}})}),
            FAILED + "Unsupported expression for DeletionPolicy in resource attributes",
        ),
        (of({"A": thing()}, Transform="Mine"), "No transform named 123456789012::Mine found."),
        (of({"A": thing()}, Transform=["AWS::Nope"]), "No transform named AWS::Nope found."),
        (
            of({"A": {"Type": "T", "Properties": {"Fn::Transform": {"Name": "Mine"}}}}),
            "No transform named 123456789012::Mine found.",
        ),
        (
            of(
                {
                    "A": {
                        "Type": "T",
                        "Properties": {
                            "Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "x"}}
                        },
                    }
                }
            ),
            "Transform AWS::Include failed with: The location parameter is not a valid S3 uri.",
        ),
    ],
)
def test_a_macro_that_fails_fails_the_change_set_and_the_stack(
    aws: World, template: Any, reason: str, request: pytest.FixtureRequest
) -> None:
    name = f"failing{request.node.callspec.indices['template']}"
    made = aws.prepare(name, template)
    assert (made["Status"], made["StatusReason"]) == ("FAILED", reason)
    code, message, _ = refusal(aws.client.create_stack, StackName="direct", TemplateBody=text(template))
    assert code == "InsufficientCapabilitiesException"
    assert message == "Requires capabilities : [CAPABILITY_AUTO_EXPAND]"
    stack = aws.client.create_stack(StackName=f"{name}x", TemplateBody=text(template), Capabilities=EXPAND)
    aws.sandbox.finish()
    assert aws.stack(stack["StackId"])["StackStatus"] == "ROLLBACK_COMPLETE"
    assert (f"{name}x", "ROLLBACK_IN_PROGRESS", f"{reason} Rollback requested by user.") in aws.story(
        f"{name}x"
    )


def test_a_macro_that_is_not_played_is_refused_at_once(aws: World) -> None:
    template = text(of({"A": thing()}, Transform="AWS::Serverless-2016-10-31"))
    _, message, _ = refusal(
        aws.client.create_stack, StackName="sam", TemplateBody=template, Capabilities=EXPAND
    )
    assert (
        message
        == "Template format error: the macro AWS::Serverless-2016-10-31 is not offered by this sandbox."
    )
    assert refusal(aws.client.describe_stacks, StackName="sam")[0] == "ValidationError"


def test_iam_that_a_macro_brings_needs_its_capability(aws: World) -> None:
    loop = ["N", ["A"], {"${N}": thing("AWS::IAM::Role")}]
    code, message, _ = refusal(
        aws.client.create_change_set,
        StackName="iam",
        ChangeSetName="cs",
        ChangeSetType="CREATE",
        TemplateBody=text(extended({"Fn::ForEach::Roles": loop})),
    )
    assert (code, message) == (
        "InsufficientCapabilitiesException",
        "Requires capabilities : [CAPABILITY_IAM]",
    )


def test_a_summary_names_the_macros_and_what_they_need(aws: World) -> None:
    template = text(extended({"Fn::ForEach::X": ["N", ["a"], {"A${N}": thing()}]}, Parameters=NAMES))
    for read in (aws.client.get_template_summary, aws.client.validate_template):
        found = read(TemplateBody=template)
        assert (found["DeclaredTransforms"], found["Capabilities"]) == ([EXTENSIONS], EXPAND)
        assert [each["ParameterKey"] for each in found["Parameters"]] == ["Names"]


def test_snippets_come_from_the_sandboxs_own_bucket() -> None:
    with standing() as sandbox:
        s3, api, ssm = (client(sandbox, name) for name in ("s3", "cloudformation", "ssm"))
        s3.create_bucket(Bucket="snippets")
        s3.put_object(Bucket="snippets", Key="data.yaml", Body=b"Value: from the snippet\nType: StringList\n")
        more = {
            "Resources": {
                "More": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "m"}}
            }
        }
        s3.put_object(Bucket="snippets", Key="more.json", Body=json.dumps(more).encode())
        s3.put_object(Bucket="snippets", Key="short.yaml", Body=b"Value: !Ref A\n")

        def include(key: str) -> dict[str, Any]:
            return {"Name": "AWS::Include", "Parameters": {"Location": {"Fn::Sub": "s3://${Bucket}/" + key}}}

        def told(key: str) -> dict[str, Any]:
            own = {"Name": "/told", "Type": "String", "Fn::Transform": include(key)}
            return {
                "Transform": [include("more.json")],
                "Parameters": {"Bucket": {"Type": "String", "Default": "snippets"}},
                "Resources": {"A": {"Type": "AWS::SSM::Parameter", "Properties": own}},
            }

        api.create_stack(StackName="told", TemplateBody=json.dumps(told("data.yaml")), Capabilities=EXPAND)
        sandbox.finish()
        found = ssm.get_parameter(Name="/told")["Parameter"]
        assert (found["Value"], found["Type"]) == ("from the snippet", "String")
        made = api.get_template(StackName="told", TemplateStage="Processed")["TemplateBody"]
        assert made["Resources"].keys() == {"A", "More"}
        for key, problem in (
            ("short.yaml", "The specified S3 object's content should be valid Yaml/JSON"),
            ("nope.yaml", "S3 error: The specified key does not exist."),
        ):
            api.create_change_set(
                StackName="told",
                ChangeSetName="cs",
                TemplateBody=json.dumps(told(key)),
                ChangeSetType="UPDATE",
            )
            sandbox.advance(5)
            refused = api.describe_change_set(StackName="told", ChangeSetName="cs")
            assert refused["StatusReason"] == f"Transform AWS::Include failed with: {problem}"
            api.delete_change_set(StackName="told", ChangeSetName="cs")
