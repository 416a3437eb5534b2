"""Change sets as AWS runs them: made, described, executed, refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.sandbox_fakes import BARE, ROLE, SLOW, THING, World, exporting, of, refusal, thing, world

KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"


@pytest.fixture
def aws() -> Iterator[World]:
    with world() as made:
        yield made


def resource_changes(described: Any) -> list[Any]:
    return [each["ResourceChange"] for each in described["Changes"]]


def test_a_create_change_set_puts_the_stack_under_review_and_is_there_a_little_later(aws: World) -> None:
    made = aws.client.create_change_set(
        StackName="one",
        ChangeSetName="cs",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps(of({"A": thing()})),
    )
    seen = []
    for seconds in (0, 1, 2):
        aws.sandbox.advance(seconds)
        found = aws.client.describe_change_set(ChangeSetName=made["Id"])
        seen.append((found["Status"], found["ExecutionStatus"]))
    assert seen == [
        ("CREATE_PENDING", "UNAVAILABLE"),
        ("CREATE_IN_PROGRESS", "UNAVAILABLE"),
        ("CREATE_COMPLETE", "AVAILABLE"),
    ]
    stack = aws.stack("one")
    assert (stack["StackStatus"], stack["StackId"], stack["Tags"]) == (
        "REVIEW_IN_PROGRESS",
        made["StackId"],
        [],
    )
    assert resource_changes(found) == [
        {"Action": "Add", "LogicalResourceId": "A", "ResourceType": THING, "Scope": [], "Details": []}
    ]


KEPT = of({"A": thing(extra={"DeletionPolicy": "Retain"}, Value="one")})


def imported(name: str, identifier: str) -> dict[str, Any]:
    return {
        "ResourceType": THING,
        "LogicalResourceId": name,
        "ResourceIdentifier": {"Name": identifier},
    }


def test_an_import_takes_what_was_kept_as_it_is_and_an_update_makes_the_rest(aws: World) -> None:
    aws.deploy("old", KEPT)
    (resource,) = aws.client.list_stack_resources(StackName="old")["StackResourceSummaries"]
    kept = resource["PhysicalResourceId"]
    aws.client.delete_stack(StackName="old")
    aws.sandbox.finish()

    made = aws.prepare("new", KEPT, kind="IMPORT", ResourcesToImport=[imported("A", kept)])
    assert [(one["Action"], one["PhysicalResourceId"]) for one in resource_changes(made)] == [
        ("Import", kept)
    ]
    assert aws.execute("new")["StackStatus"] == "IMPORT_COMPLETE"
    assert aws.provisioner.log == [("create", kept), ("adopt", kept)]

    whole = of({**KEPT["Resources"], "B": thing(Broken=True)})
    assert aws.deploy("new", whole, kind="UPDATE")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert kept in aws.provisioner.made
    whole = of({**KEPT["Resources"], "B": thing()})
    assert aws.deploy("new", whole, kind="UPDATE")["StackStatus"] == "UPDATE_COMPLETE"
    assert [verb for verb, name in aws.provisioner.log if name == kept] == ["create", "adopt"]


@pytest.mark.parametrize(
    ("template", "identifier", "words"),
    [
        (KEPT, "theirs", "theirs already exists in stack arn:aws:cloudformation:"),
        (of({"A": thing()}), "x", "Resources [A] must have a DeletionPolicy attribute to be imported"),
        (of({**KEPT["Resources"], "B": thing()}), "x", "Resources [B] is missing from ResourceToImport list"),
        (
            of(KEPT["Resources"], Outputs={"Out": {"Value": "x"}}),
            "x",
            "As part of the import operation, you cannot modify or add [Outputs]",
        ),
    ],
)
def test_what_cannot_be_imported_is_refused(aws: World, template: Any, identifier: str, words: str) -> None:
    aws.deploy("other", of({"A": thing(Name="theirs", extra={"DeletionPolicy": "Retain"})}))

    code, message, _ = refusal(
        aws.client.create_change_set,
        StackName="new",
        ChangeSetName="cs",
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(template),
        ResourcesToImport=[imported("A", identifier)],
    )

    assert code == "ValidationError"
    assert words in message


def test_an_import_of_what_is_not_there_leaves_everything_as_it_was(aws: World) -> None:
    aws.prepare("new", KEPT, kind="IMPORT", ResourcesToImport=[imported("A", "nothing")])

    assert aws.execute("new")["StackStatus"] == "IMPORT_ROLLBACK_COMPLETE"
    assert aws.provisioner.log == []


def test_an_executed_change_set_makes_resources_outputs_and_exports_and_stays_readable_by_arn(
    aws: World,
) -> None:
    template = of({"A": thing(Name="a")}, Outputs={"Out": exporting("shared", {"Fn::GetAtt": "A.Arn"})})
    prepared = aws.prepare("one", template, Tags=[{"Key": "team", "Value": "x"}])
    stack = aws.execute("one")
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Outputs"] == [{"OutputKey": "Out", "OutputValue": "arn:test:a", "ExportName": "shared"}]
    assert stack["ChangeSetId"] == prepared["ChangeSetId"]
    assert stack["Tags"] == [{"Key": "team", "Value": "x"}]
    assert aws.provisioner.made["a"].tags["team"] == "x"
    assert (
        refusal(aws.client.describe_change_set, StackName="one", ChangeSetName="cs")[0] == "ChangeSetNotFound"
    )
    by_arn = aws.client.describe_change_set(ChangeSetName=prepared["ChangeSetId"])
    assert (by_arn["ExecutionStatus"], by_arn["Status"]) == ("EXECUTE_COMPLETE", "CREATE_COMPLETE")
    assert aws.client.list_exports()["Exports"] == [
        {"ExportingStackId": stack["StackId"], "Name": "shared", "Value": "arn:test:a"}
    ]


def test_a_change_set_without_changes_fails_and_cannot_be_executed(aws: World) -> None:
    template = of({"A": thing()})
    aws.deploy("one", template)
    found = aws.prepare("one", template, kind="UPDATE")
    assert (found["Status"], found["ExecutionStatus"], found["Changes"]) == ("FAILED", "UNAVAILABLE", [])
    assert found["StatusReason"] == (
        "The submitted information didn't contain changes. "
        "Submit different information to create a change set."
    )
    assert refusal(aws.client.execute_change_set, StackName="one", ChangeSetName="cs") == (
        "InvalidChangeSetStatus",
        f"ChangeSet [{found['ChangeSetId']}] cannot be executed in its current status of [FAILED]",
        400,
    )


def test_the_other_text_for_empty_can_be_asked_for(aws: World) -> None:
    aws.sandbox.faults.add({"behaviour": {"empty_reason": "No updates are to be performed."}})
    aws.deploy("one", of({"A": thing()}))
    assert (
        aws.prepare("one", of({"A": thing()}), kind="UPDATE")["StatusReason"]
        == "No updates are to be performed."
    )


def test_changed_outputs_or_tags_alone_are_no_empty_change_set(aws: World) -> None:
    aws.deploy("one", of({"A": thing(BARE, Needed="x")}), Tags=[{"Key": "a", "Value": "1"}])
    found = aws.prepare(
        "one", of({"A": thing(BARE, Needed="x")}, Outputs={"O": {"Value": "v"}}), kind="UPDATE"
    )
    assert (found["Status"], found["Changes"]) == ("CREATE_COMPLETE", [])
    assert aws.execute("one")["Outputs"] == [{"OutputKey": "O", "OutputValue": "v"}]
    found = aws.prepare(
        "one", None, kind="UPDATE", UsePreviousTemplate=True, Tags=[{"Key": "a", "Value": "2"}]
    )
    assert (found["Status"], found["Changes"]) == ("CREATE_COMPLETE", [])
    assert aws.execute("one")["Tags"] == [{"Key": "a", "Value": "2"}]


def test_changed_stack_tags_are_a_change_of_every_resource_that_takes_tags(aws: World) -> None:
    template = of({"A": thing(Name="a"), "B": thing(BARE, Needed="x")})
    aws.deploy("one", template, Tags=[{"Key": "a", "Value": "1"}])
    found = aws.prepare("one", template, kind="UPDATE", Tags=[{"Key": "a", "Value": "2"}])
    assert [(each["LogicalResourceId"], each["Scope"]) for each in resource_changes(found)] == [
        ("A", ["Tags"])
    ]
    aws.execute("one")
    assert aws.provisioner.made["a"].tags["a"] == "2"


def test_a_change_that_replaces_is_told_with_its_cause_and_what_follows_from_it(aws: World) -> None:
    """As recorded from AWS by LocalStack's validated test_dynamic_update (SNS topic and SSM parameter)."""

    def template(name: str) -> Any:
        return of(
            {
                "Foo": thing(Name=name),
                "Parameter": thing(BARE, Needed="x", Value={"Fn::GetAtt": ["Foo", "Arn"]}),
            }
        )

    aws.deploy("one", template("topic-1"))
    found = aws.prepare("one", template("topic-2"), kind="UPDATE")
    foo, parameter = resource_changes(found)
    assert foo == {
        "Action": "Modify",
        "LogicalResourceId": "Foo",
        "PhysicalResourceId": "topic-1",
        "ResourceType": THING,
        "Replacement": "True",
        "PolicyAction": "ReplaceAndDelete",
        "Scope": ["Properties"],
        "Details": [
            {
                "Target": {"Attribute": "Properties", "Name": "Name", "RequiresRecreation": "Always"},
                "Evaluation": "Static",
                "ChangeSource": "DirectModification",
            }
        ],
    }
    assert parameter["Replacement"] == "False"
    assert parameter["Details"][0] == {
        "Target": {"Attribute": "Properties", "Name": "Value", "RequiresRecreation": "Never"},
        "Evaluation": "Static",
        "ChangeSource": "ResourceAttribute",
        "CausingEntity": "Foo.Arn",
    }
    valued = aws.client.describe_change_set(StackName="one", ChangeSetName="cs", IncludePropertyValues=True)
    foo, parameter = resource_changes(valued)
    assert json.loads(foo["BeforeContext"]) == {"Properties": {"Name": "topic-1"}}
    assert json.loads(foo["AfterContext"]) == {"Properties": {"Name": "topic-2"}}
    target = foo["Details"][0]["Target"]
    assert (target["BeforeValue"], target["AfterValue"], target["Path"]) == (
        "topic-1",
        "topic-2",
        "/Properties/Name",
    )
    assert json.loads(parameter["AfterContext"]) == {
        "Properties": {"Needed": "x", "Value": KNOWN_AFTER_APPLY}
    }


def test_what_may_follow_from_a_modified_resource_is_listed_without_values_only(aws: World) -> None:
    """As recorded from AWS by LocalStack's validated test_unrelated_changes_update_propagation."""

    def template(description: str) -> Any:
        first = thing(Value="v", Description=description)
        return of({"P1": first, "P2": thing(Name={"Fn::GetAtt": ["P1", "Value"]})})

    aws.deploy("one", template("original"))
    found = aws.prepare("one", template("changed"), kind="UPDATE")
    assert [(each["LogicalResourceId"], each["Replacement"]) for each in resource_changes(found)] == [
        ("P1", "False"),
        ("P2", "Conditional"),
    ]
    valued = aws.client.describe_change_set(StackName="one", ChangeSetName="cs", IncludePropertyValues=True)
    assert [each["LogicalResourceId"] for each in resource_changes(valued)] == ["P1"]
    assert aws.execute("one")["StackStatus"] == "UPDATE_COMPLETE"
    assert ("P2", "UPDATE_IN_PROGRESS") not in [(name, status) for name, status, _ in aws.story("one")]


def test_policies_say_what_becomes_of_what_is_replaced_or_removed(aws: World) -> None:
    keep = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Snapshot"}
    aws.deploy("one", of({"A": thing(Name="a", extra=keep), "B": thing(extra=keep), "C": thing()}))
    found = aws.prepare("one", of({"A": thing(Name="z", extra=keep)}), kind="UPDATE")
    told = [
        (each["LogicalResourceId"], each["Action"], each["PolicyAction"]) for each in resource_changes(found)
    ]
    assert told == [
        ("A", "Modify", "ReplaceAndSnapshot"),
        ("B", "Remove", "Retain"),
        ("C", "Remove", "Delete"),
    ]


def test_a_parameter_is_named_as_the_cause_and_its_previous_value_can_be_used(aws: World) -> None:
    template = of(
        {"A": thing(Value={"Ref": "P"})}, Parameters={"P": {"Type": "String"}, "Q": {"Type": "String"}}
    )
    given = [{"ParameterKey": "P", "ParameterValue": "1"}, {"ParameterKey": "Q", "ParameterValue": "q"}]
    aws.deploy("one", template, Parameters=given)
    given = [{"ParameterKey": "P", "ParameterValue": "2"}, {"ParameterKey": "Q", "UsePreviousValue": True}]
    found = aws.prepare("one", None, kind="UPDATE", UsePreviousTemplate=True, Parameters=given)
    (change,) = resource_changes(found)
    assert [
        (each["ChangeSource"], each.get("CausingEntity"), each["Evaluation"]) for each in change["Details"]
    ] == [
        ("ParameterReference", "P", "Static"),
        ("DirectModification", None, "Dynamic"),
    ]
    stack = aws.execute("one")
    assert [(each["ParameterKey"], each["ParameterValue"]) for each in stack["Parameters"]] == [
        ("P", "2"),
        ("Q", "q"),
    ]


def test_the_same_client_token_gives_the_same_change_set_and_another_is_refused(aws: World) -> None:
    call = {"StackName": "one", "ChangeSetName": "cs", "ChangeSetType": "CREATE"}
    call["TemplateBody"] = json.dumps(of({"A": thing()}))
    first = aws.client.create_change_set(**call, ClientToken="t1")
    again = aws.client.create_change_set(**call, ClientToken="t1")
    assert again["Id"] == first["Id"]
    assert refusal(aws.client.create_change_set, **call, ClientToken="t2") == (
        "AlreadyExistsException",
        "ChangeSet cs already exists",
        400,
    )


def test_executing_again_with_the_same_token_is_harmless_and_without_it_refused(aws: World) -> None:
    found = aws.prepare("one", of({"A": thing()}))
    aws.client.execute_change_set(ChangeSetName=found["ChangeSetId"], ClientRequestToken="t")
    aws.client.execute_change_set(ChangeSetName=found["ChangeSetId"], ClientRequestToken="t")
    aws.sandbox.finish()
    aws.client.execute_change_set(ChangeSetName=found["ChangeSetId"], ClientRequestToken="t")
    assert [name for name, _ in aws.provisioner.log] == ["create"]
    assert refusal(aws.client.execute_change_set, ChangeSetName=found["ChangeSetId"]) == (
        "InvalidChangeSetStatus",
        (
            f"ChangeSet [{found['ChangeSetId']}] cannot be executed "
            "in its current execution status of [EXECUTE_COMPLETE]"
        ),
        400,
    )
    assert {event.get("ClientRequestToken") for event in aws.events("one")[1:]} == {"t"}


def test_executing_one_change_set_deletes_the_stacks_others_and_no_other_stacks(aws: World) -> None:
    template = of({"A": thing()})
    aws.prepare("one", template, name="first")
    other = aws.prepare("one", template, name="second")
    aws.prepare("two", template, name="second")
    assert {each["ChangeSetName"] for each in aws.client.list_change_sets(StackName="one")["Summaries"]} == {
        "first",
        "second",
    }
    aws.execute("one", "first")
    assert aws.client.list_change_sets(StackName="one")["Summaries"] == []
    assert (
        refusal(aws.client.describe_change_set, ChangeSetName=other["ChangeSetId"])[0] == "ChangeSetNotFound"
    )
    assert aws.client.describe_change_set(StackName="two", ChangeSetName="second")["StackName"] == "two"


def test_creating_a_stack_under_review_makes_its_change_set_obsolete(aws: World) -> None:
    found = aws.prepare("one", of({"A": thing()}))
    made = aws.client.create_stack(StackName="one", TemplateBody=json.dumps(of({"B": thing()})))
    assert made["StackId"] == found["StackId"]
    assert aws.client.describe_change_set(ChangeSetName=found["ChangeSetId"])["ExecutionStatus"] == "OBSOLETE"


def test_wrong_targets_are_refused_in_awss_words(aws: World) -> None:
    body = json.dumps(of({"A": thing()}))
    aws.deploy("one", of({"A": thing()}))

    def create(**params: Any) -> tuple[str, str, int]:
        return refusal(
            aws.client.create_change_set, **{"TemplateBody": body, "ChangeSetName": "cs", **params}
        )

    assert create(StackName="one", ChangeSetType="CREATE") == (
        "ValidationError",
        "Stack [one] already exists and cannot be created again with the changeSet [cs].",
        400,
    )
    assert create(StackName="none")[:2] == ("ValidationError", "Stack [none] does not exist")
    assert create(StackName="one", ChangeSetType="IMPORT")[0] == "ValidationError"
    pattern = "[a-zA-Z][-a-zA-Z0-9]*"
    assert create(StackName="9", ChangeSetType="CREATE")[1] == (
        "1 validation error detected: Value '9' at 'stackName' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {pattern}|arn:[-a-zA-Z0-9:/._+]*"
    )
    assert refusal(aws.client.describe_change_set, StackName="one", ChangeSetName="no") == (
        "ChangeSetNotFound",
        "ChangeSet [no] does not exist",
        404,
    )
    assert refusal(aws.client.describe_change_set, StackName="none", ChangeSetName="no")[1] == (
        "Stack [none] does not exist"
    )
    aws.client.delete_change_set(StackName="one", ChangeSetName="no")
    assert refusal(aws.client.delete_change_set, StackName="none", ChangeSetName="no")[1] == (
        "Stack [none] does not exist"
    )
    assert refusal(aws.client.delete_change_set, ChangeSetName="no")[1] == (
        "StackName must be specified if ChangeSetName is not specified as an ARN."
    )


def test_a_deleted_change_set_is_gone_and_its_stack_stays_under_review(aws: World) -> None:
    found = aws.prepare("one", of({"A": thing()}))
    aws.client.delete_change_set(ChangeSetName=found["ChangeSetId"])
    assert (
        refusal(aws.client.describe_change_set, StackName="one", ChangeSetName="cs")[0] == "ChangeSetNotFound"
    )
    assert aws.stack("one")["StackStatus"] == "REVIEW_IN_PROGRESS"
    aws.client.delete_stack(StackName="one")
    aws.sandbox.finish()
    assert aws.stack(found["StackId"])["StackStatus"] == "DELETE_COMPLETE"


def test_templates_over_the_limit_are_refused_and_taken_from_a_url(aws: World) -> None:
    large = of({"A": thing(Value="x" * 52_000)})
    code, message, _ = refusal(
        aws.client.create_change_set,
        StackName="one",
        ChangeSetName="cs",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps(large),
    )
    assert code == "ValidationError"
    assert message.endswith("Member must have length less than or equal to 51200")
    aws.files["https://s3.amazonaws.com/b/k"] = json.dumps(large)
    found = aws.prepare("one", None, TemplateURL="https://s3.amazonaws.com/b/k")
    assert found["Status"] == "CREATE_COMPLETE"


def test_many_changes_come_in_pages(aws: World) -> None:
    first = aws.prepare("one", of({f"R{number:03}": thing() for number in range(150)}))
    rest = aws.client.describe_change_set(ChangeSetName=first["ChangeSetId"], NextToken=first["NextToken"])
    assert (len(first["Changes"]), len(rest["Changes"]), "NextToken" in rest) == (100, 50, False)


def test_iam_needs_a_capability_and_named_iam_the_greater_one(aws: World) -> None:
    def create(properties: Any, *given: str) -> str:
        body = json.dumps(of({"A": thing(ROLE, **properties)}))
        call = {"StackName": "one", "ChangeSetName": "cs", "ChangeSetType": "CREATE", "TemplateBody": body}
        code, message, _ = refusal(aws.client.create_change_set, **call, Capabilities=list(given))
        return f"{code}: {message}"

    prefix = "InsufficientCapabilitiesException: Requires capabilities : "
    assert create({}) == f"{prefix}[CAPABILITY_IAM]"
    assert create({"RoleName": "r"}, "CAPABILITY_IAM") == f"{prefix}[CAPABILITY_NAMED_IAM]"
    found = aws.prepare("one", of({"A": thing(ROLE, RoleName="r")}), Capabilities=["CAPABILITY_NAMED_IAM"])
    assert found["Capabilities"] == ["CAPABILITY_NAMED_IAM"]


def test_on_stack_failure_delete_leaves_nothing_and_excludes_disable_rollback(aws: World) -> None:
    found = aws.prepare("one", of({"A": thing(), "B": thing(Broken=True)}), OnStackFailure="DELETE")
    code, _, _ = refusal(
        aws.client.execute_change_set, ChangeSetName=found["ChangeSetId"], DisableRollback=True
    )
    assert code == "ValidationError"
    assert aws.execute("one")["StackStatus"] == "DELETE_COMPLETE"
    assert aws.provisioner.made == {}


def test_a_read_right_after_execution_can_be_stale_and_a_new_change_set_invisible(aws: World) -> None:
    aws.sandbox.faults.add({"behaviour": {"stale_reads": 3.0, "hidden_change_sets": 4.0}})
    made = aws.client.create_change_set(
        StackName="one",
        ChangeSetName="cs",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps(of({"A": thing(SLOW)})),
    )
    assert refusal(aws.client.describe_change_set, ChangeSetName=made["Id"])[0] == "ChangeSetNotFound"
    aws.sandbox.advance(5)
    aws.client.execute_change_set(ChangeSetName=made["Id"])
    assert aws.stack("one")["StackStatus"] == "REVIEW_IN_PROGRESS"
    aws.sandbox.advance(3)
    assert aws.stack("one")["StackStatus"] == "CREATE_IN_PROGRESS"
