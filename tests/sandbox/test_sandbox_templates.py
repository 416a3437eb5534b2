"""Templates as AWS reads them: functions, parameters, and what it refuses in which words."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.sandbox_fakes import ROLE, World, exporting, of, refusal, text, thing, world

MALFORMED = "Template error: the argument of {} is malformed."
UNRESOLVED = "Template format error: Unresolved resource dependencies [B] in the {} block of the template"


@pytest.fixture(scope="module")
def aws() -> Iterator[World]:
    with world() as made:
        yield made


def refused(aws: World, template: Any, **more: Any) -> str:
    code, message, status = refusal(
        aws.client.create_stack, StackName="refused", TemplateBody=text(template), **more
    )
    assert (code, status) == ("ValidationError", 400)
    assert refusal(aws.client.describe_stacks, StackName="refused")[0] == "ValidationError"
    return message


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("[]", "Template format error: unsupported structure."),
        ('{"Resources": ', "Template format error: JSON not well-formed. (line 1, column 15)"),
        ("a: [", "Template format error: YAML not well-formed."),
        ({"Resources": {}}, "Template format error: At least one Resources member must be defined."),
        (of({"A": thing()}, Nope={}), "Invalid template property or properties [Nope]"),
        (
            of({"A": {}}),
            "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
        ),
        (of({"A": "x"}), "Template format error: Any Resources member must be an object."),
        (of({"A-B": thing()}), "Template format error: Resource name A-B is non alphanumeric."),
        (of({"A": thing(extra={"Invalid": 1})}), "Invalid template resource property 'Invalid'"),
        (
            of({"A": thing("AWS::Nope::X")}),
            "Template format error: Unrecognized resource types: [AWS::Nope::X]",
        ),
        (
            of({"A": thing(V={"Ref": "B"})}),
            UNRESOLVED.format("Resources"),
        ),
        (
            of({"A": thing(V={"Fn::Sub": "${B} ${!C} ${AWS::Region}"})}),
            UNRESOLVED.format("Resources"),
        ),
        (
            of({"A": thing(extra={"DependsOn": "B"})}),
            UNRESOLVED.format("Resources"),
        ),
        (
            of({"A": thing()}, Outputs={"O": {"Value": {"Ref": "B"}}}),
            UNRESOLVED.format("Outputs"),
        ),
        (
            of({"A": thing(V={"Fn::GetAtt": "B.Arn"})}),
            "Template error: instance of Fn::GetAtt references undefined resource B",
        ),
        (
            of({"A": thing(), "B": thing(V={"Fn::GetAtt": "A.Nope"})}),
            "Template error: resource A does not support attribute type Nope in Fn::GetAtt",
        ),
        (
            of({"A": thing(V={"Fn::GetAtt": ["A"]})}),
            (
                "Template error: every Fn::GetAtt object requires two non-empty parameters, "
                "the resource name and the resource attribute"
            ),
        ),
        (
            of({"A": thing(V={"Ref": "B"}), "B": thing(V={"Ref": "A"}), "C": thing(V={"Ref": "A"})}),
            "Circular dependency between resources: [A, B]",
        ),
        (
            of({"A": thing(V={"Fn::If": ["No", 1, 2]})}),
            "Template error: unresolved condition dependency No in Fn::If",
        ),
        (
            of({"A": thing()}, Conditions={"C": {"Fn::Equals": [{"Ref": "A"}, "x"]}}),
            (
                "Template format error: Unresolved dependencies [A]. "
                "Cannot reference resources in the Conditions block of the template"
            ),
        ),
        (
            of({"A": thing(V={"Fn::FindInMap": ["M", "k", "x"]})}, Mappings={"M": {"k": {"v": "1"}}}),
            "Template error: Unable to get mapping for M::k::x",
        ),
        (
            of({"A": thing()}, Mappings={"M": {"k": "v"}}),
            "Template format error: Every Mappings member M must be a map",
        ),
        (
            of({"A": thing()}, Outputs={"O": {}}),
            "Template format error: Every Outputs member must contain a Value object",
        ),
        (
            of({"A": thing()}, Outputs={"O": {"Value": None}}),
            "[/Outputs/O/Value] 'null' values are not allowed in templates",
        ),
        (
            of({"A": thing(V={"Fn::Select": [3, ["a"]]})}),
            "Template error: Fn::Select cannot select nonexistent value at index 3",
        ),
        (
            of({"A": thing(), "B": thing(V={"Fn::ImportValue": {"Fn::Sub": "x-${A}"}})}),
            (
                "Template error: the attribute in Fn::ImportValue must not depend on any resources, "
                "imported values, or Fn::GetAZs"
            ),
        ),
        (
            of({"A": thing(V={"Fn::If": ["C"]})}, Conditions={"C": {"Fn::Equals": ["a", "b"]}}),
            MALFORMED.format("Fn::If"),
        ),
        (of({"A": thing(V={"Fn::Cidr": "10.0.0.0/16"})}), MALFORMED.format("Fn::Cidr")),
        (
            of({"A": thing(V={"Fn::Sub": ["a"]})}),
            "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments.",
        ),
        (
            of({"A": thing(extra={"DeletionPolicy": {"Ref": "AWS::Region"}})}),
            "Template format error: Every DeletionPolicy member must be a string.",
        ),
        (
            of({"A": thing(V={"Fn::Length": [1]})}),
            "Template error: Encountered unsupported function: Fn::Length",
        ),
    ],
)
def test_a_template_that_cannot_be_is_refused_in_awss_words(aws: World, template: Any, message: str) -> None:
    assert refused(aws, template) == message


@pytest.mark.parametrize(
    ("spec", "value", "message"),
    [
        ({}, None, "Parameters: [P] must have values"),
        ({"AllowedValues": ["a", "b"]}, "c", "Parameter 'P' must be one of AllowedValues"),
        ({"AllowedPattern": "[a-z]+"}, "C", "Parameter 'P' must match pattern [a-z]+"),
        (
            {"AllowedPattern": "[a-z]+", "ConstraintDescription": "small letters"},
            "C",
            "Parameter P failed to satisfy constraint: small letters",
        ),
        ({"MinLength": 3}, "ab", "Parameter 'P' must contain at least 3 characters"),
        ({"MaxLength": 1}, "ab", "Parameter 'P' must contain at most 1 characters"),
        ({"Type": "Number"}, "ab", "Parameter 'P' must be a number."),
        ({"Type": "Number", "MinValue": 3}, "2", "Parameter 'P' must be a number not less than 3"),
        ({"Type": "Number", "MaxValue": 3}, "4", "Parameter 'P' must be a number not greater than 3"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused(
    aws: World, spec: Any, value: str | None, message: str
) -> None:
    template = of({"A": thing()}, Parameters={"P": {"Type": "String", **spec}})
    given = [] if value is None else [{"ParameterKey": "P", "ParameterValue": value}]
    assert refused(aws, template, Parameters=given) == message


def test_unknown_and_previous_parameters_are_refused_on_a_new_stack(aws: World) -> None:
    template = of({"A": thing()}, Parameters={"P": {"Type": "String"}})
    given = [{"ParameterKey": "Q", "ParameterValue": "x"}]
    assert refused(aws, template, Parameters=given) == "Parameters: [Q] do not exist in the template"
    given = [{"ParameterKey": "P", "UsePreviousValue": True}]
    assert refused(aws, template, Parameters=given).startswith("Invalid input for parameter key P.")


FUNCTIONS: list[tuple[Any, Any]] = [
    ({"Ref": "P"}, "text"),
    ({"Ref": "Many"}, ["x", "y"]),
    ({"Ref": "AWS::Region"}, "eu-central-1"),
    ({"Ref": "AWS::AccountId"}, "123456789012"),
    ({"Ref": "AWS::StackName"}, "functions"),
    ({"Fn::Sub": "${P}-${!P}-${AWS::Partition}"}, "text-${P}-aws"),
    ({"Fn::Sub": ["${P}-${Own}", {"Own": {"Ref": "P"}}]}, "text-text"),
    ({"Fn::Sub": "${A.Nested.Port}"}, "5432"),
    ({"Fn::GetAtt": "A.Nested.Port"}, "5432"),
    ({"Fn::GetAtt": ["A", "Nested.Port"]}, "5432"),
    ({"Fn::Join": ["-", ["a", {"Ref": "A"}, 3, True]]}, "a-a-3-true"),
    ({"Fn::Split": [",", "a,b"]}, ["a", "b"]),
    ({"Fn::Select": ["1", {"Fn::Split": [",", "a,b"]}]}, "b"),
    ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "eu-central-1a"),
    ({"Fn::GetAZs": {"Ref": "AWS::Region"}}, ["eu-central-1a", "eu-central-1b", "eu-central-1c"]),
    ({"Fn::Cidr": ["10.0.0.0/16", 3, 8]}, ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]),
    ({"Fn::Base64": {"Fn::Sub": "${P}"}}, base64.b64encode(b"text").decode()),
    ({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "v"]}, ["1", "2"]),
    ({"Fn::If": ["Yes", {"Ref": "P"}, "no"]}, "text"),
    ({"Fn::If": ["No", "yes", {"k": ["a", {"Ref": "AWS::NoValue"}]}]}, {"k": ["a"]}),
    ({"k": {"Ref": "AWS::NoValue"}, "l": 1}, {"l": 1}),
    (
        {"Statement": [{"Condition": {"Bool": {"x": "true"}}}]},
        {"Statement": [{"Condition": {"Bool": {"x": "true"}}}]},
    ),
]


def test_functions_give_what_they_give_in_aws(aws: World) -> None:
    template = of(
        {
            "A": thing(Name="a"),
            "F": thing(Name="f", **{f"V{number}": value for number, (value, _) in enumerate(FUNCTIONS)}),
            "Absent": thing(extra={"Condition": "No"}),
        },
        Parameters={
            "P": {"Type": "String", "Default": "text"},
            "Many": {"Type": "CommaDelimitedList", "Default": "x, y"},
        },
        Mappings={"M": {"eu-central-1": {"v": ["1", "2"]}}},
        Conditions={
            "Yes": {"Fn::And": [{"Fn::Equals": [{"Ref": "P"}, "text"]}, {"Fn::Not": [{"Condition": "No"}]}]},
            "No": {"Fn::Or": [{"Fn::Equals": ["a", "b"]}, {"Fn::Equals": ["a", "c"]}]},
        },
        Outputs={"O": {"Value": "x", "Condition": "No"}, "P": {"Value": {"Ref": "P"}, "Condition": "Yes"}},
    )
    stack = aws.deploy("functions", template)
    made = aws.provisioner.made["f"].properties
    assert [made.get(f"V{number}") for number in range(len(FUNCTIONS))] == [
        expected for _, expected in FUNCTIONS
    ]
    assert stack["Outputs"] == [{"OutputKey": "P", "OutputValue": "text"}]
    resources = aws.client.list_stack_resources(StackName="functions")["StackResourceSummaries"]
    assert [each["LogicalResourceId"] for each in resources] == ["A", "F"]


def test_yaml_with_short_functions_is_a_template_too(aws: World) -> None:
    template = """
AWSTemplateFormatVersion: 2010-09-09
Description: short
Resources:
  A: {Type: AWS::Test::Thing, Properties: {Name: ya}}
  B:
    Type: AWS::Test::Thing
    Properties:
      Name: yb
      Value: !Join ["", [!Ref A, !GetAtt A.Arn, !Sub "${A}"]]
"""
    aws.deploy("yaml", template)
    assert aws.provisioner.made["yb"].properties["Value"] == "yaarn:test:yaya"
    assert aws.client.get_template(StackName="yaml")["TemplateBody"] == template
    assert aws.stack("yaml")["Description"] == "short"


def test_parameters_can_name_ssm_parameters(aws: World) -> None:
    aws.provisioner.values["{{resolve:ssm:/ami}}"] = "ami-1"
    template = of(
        {"A": thing(Name="ssm", Value={"Ref": "P"})},
        Parameters={"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/ami"}},
    )
    stack = aws.deploy("ssm", template)
    assert aws.provisioner.made["ssm"].properties["Value"] == "ami-1"
    assert stack["Parameters"] == [{"ParameterKey": "P", "ParameterValue": "/ami", "ResolvedValue": "ami-1"}]
    del aws.provisioner.values["{{resolve:ssm:/ami}}"]
    assert refused(aws, template) == "{{resolve:ssm:/ami}} does not exist"


def test_dynamic_references_reach_the_resource_and_nothing_else(aws: World) -> None:
    reference = "{{resolve:secretsmanager:s:SecretString:k}}"
    aws.provisioner.values[reference] = "tops3cret"
    template = of({"A": thing(Name="dyn", Value=f"sk-{reference}")})
    aws.deploy("dynamic", template)
    assert aws.provisioner.made["dyn"].properties["Value"] == "sk-tops3cret"
    assert "tops3cret" not in json.dumps(aws.events("dynamic"), default=str)
    aws.provisioner.values[reference] = "changed"
    assert aws.prepare("dynamic", template, kind="UPDATE")["Status"] == "FAILED"
    del aws.provisioner.values[reference]
    aws.deploy("missing", of({"A": thing(Value=reference)}))
    assert ("A", "CREATE_FAILED", f"{reference} does not exist") in aws.story("missing")


def test_no_echo_values_are_shown_nowhere(aws: World) -> None:
    def template(more: str) -> Any:
        return of(
            {"A": thing(Name="hidden", Value={"Fn::Sub": "x${P}"}, Other=more)},
            Parameters={"P": {"Type": "String", "NoEcho": True}},
        )

    given = [{"ParameterKey": "P", "ParameterValue": "tops3cret"}]
    stack = aws.deploy("hidden", template("1"), Parameters=given)
    assert stack["Parameters"] == [{"ParameterKey": "P", "ParameterValue": "****"}]
    assert aws.provisioner.made["hidden"].properties["Value"] == "xtops3cret"
    aws.prepare(
        "hidden", template("2"), kind="UPDATE", Parameters=[{"ParameterKey": "P", "ParameterValue": "n3w"}]
    )
    found = aws.client.describe_change_set(StackName="hidden", ChangeSetName="cs", IncludePropertyValues=True)
    told = json.dumps([found, aws.events("hidden")], default=str)
    assert "tops3cret" not in told
    assert "n3w" not in told
    assert [each["Target"]["Name"] for each in found["Changes"][0]["ResourceChange"]["Details"]] == [
        "Other",
        "Value",
        "Value",
    ]


def test_a_template_can_be_asked_what_it_declares_and_needs(aws: World) -> None:
    template = of(
        {"R": thing(ROLE)},
        Description="d",
        Parameters={"P": {"Type": "String", "Default": "x", "NoEcho": True, "AllowedValues": ["x"]}},
    )
    found = aws.client.get_template_summary(TemplateBody=json.dumps(template))
    assert (found["Capabilities"], found["CapabilitiesReason"], found["ResourceTypes"]) == (
        ["CAPABILITY_IAM"],
        "The following resource(s) require capabilities: [AWS::IAM::Role]",
        ["AWS::IAM::Role"],
    )
    assert found["Parameters"] == [
        {
            "ParameterKey": "P",
            "DefaultValue": "x",
            "ParameterType": "String",
            "NoEcho": True,
            "ParameterConstraints": {"AllowedValues": ["x"]},
        }
    ]
    assert aws.client.validate_template(TemplateBody=json.dumps(template))["Description"] == "d"
    aws.prepare("review", template, Capabilities=["CAPABILITY_IAM"])
    assert refusal(aws.client.get_template_summary, StackName="review")[1] == (
        "GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks."
    )
    assert json.loads(
        json.dumps(aws.client.get_template(StackName="review", ChangeSetName="cs")["TemplateBody"])
    ) == (template)


def test_an_output_can_export_under_a_name_made_of_parameters(aws: World) -> None:
    name = {"Fn::Sub": "${AWS::StackName}-${P}"}
    parameters = {"P": {"Type": "String", "Default": "x"}}
    aws.deploy("named", of({"A": thing()}, Parameters=parameters, Outputs={"O": exporting(name, "v")}))  # type: ignore[arg-type]  # a name may be a function
    assert "named-x" in [each["Name"] for each in aws.client.list_exports()["Exports"]]
