"""Drift in the sandbox: what is detected, when, how it is told, and change sets that set it back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from sandbox.cloudformation.differences import differences
from sandbox.faults import ResourceFault
from tests.sandbox.sandbox_fakes import BARE, World, of, refusal, thing, world


@pytest.fixture
def aws() -> Iterator[World]:
    with world() as made:
        yield made


def by_hand(aws: World, name: str, **properties: Any) -> None:
    """Change a resource as somebody at the console does: CloudFormation is not told."""
    there = aws.provisioner.made[name]
    aws.provisioner.made[name] = replace(there, properties={**there.properties, **properties})


def detect(aws: World, stack: str, **more: Any) -> Any:
    """Detect to the end; returns the status answer."""
    found = aws.client.detect_stack_drift(StackName=stack, **more)["StackDriftDetectionId"]
    aws.sandbox.finish()
    return aws.client.describe_stack_drift_detection_status(StackDriftDetectionId=found)


def drifts(aws: World, stack: str, **more: Any) -> dict[str, Any]:
    found = aws.client.describe_stack_resource_drifts(StackName=stack, **more)["StackResourceDrifts"]
    return {one["LogicalResourceId"]: one for one in found}


TWO = of({"A": thing(Name="a", Size="90", On="true"), "B": thing(Name="b")})


def test_what_nobody_touched_is_in_sync_and_the_detection_takes_its_time(aws: World) -> None:
    aws.deploy("one", TWO)
    begun = aws.client.detect_stack_drift(StackName="one")["StackDriftDetectionId"]

    early = aws.client.describe_stack_drift_detection_status(StackDriftDetectionId=begun)
    aws.sandbox.finish()
    late = aws.client.describe_stack_drift_detection_status(StackDriftDetectionId=begun)

    assert (early["DetectionStatus"], early.get("StackDriftStatus")) == ("DETECTION_IN_PROGRESS", None)
    assert (late["DetectionStatus"], late["StackDriftStatus"], late["DriftedStackResourceCount"]) == (
        "DETECTION_COMPLETE",
        "IN_SYNC",
        0,
    )
    assert late["StackId"] == aws.stack("one")["StackId"]
    assert {name: one["StackResourceDriftStatus"] for name, one in drifts(aws, "one").items()} == {
        "A": "IN_SYNC",
        "B": "IN_SYNC",
    }
    assert aws.stack("one")["DriftInformation"]["StackDriftStatus"] == "IN_SYNC"


def test_a_changed_property_is_told_with_both_values_and_a_deleted_resource_is_deleted(aws: World) -> None:
    aws.deploy("one", TWO)
    by_hand(aws, "a", Size=120)
    del aws.provisioner.made["b"]

    status = detect(aws, "one")

    assert (status["StackDriftStatus"], status["DriftedStackResourceCount"]) == ("DRIFTED", 2)
    found = drifts(aws, "one")
    assert found["A"]["PropertyDifferences"] == [
        {
            "PropertyPath": "/Size",
            "ExpectedValue": "90",
            "ActualValue": "120",
            "DifferenceType": "NOT_EQUAL",
        }
    ]
    assert json.loads(found["A"]["ExpectedProperties"]) == {"Name": "a", "Size": "90", "On": "true"}
    assert json.loads(found["A"]["ActualProperties"]) == {"Name": "a", "Size": 120, "On": "true"}
    assert (found["B"]["StackResourceDriftStatus"], found["B"]["PropertyDifferences"]) == ("DELETED", [])
    summaries = aws.client.list_stack_resources(StackName="one")["StackResourceSummaries"]
    assert {
        one["LogicalResourceId"]: one["DriftInformation"]["StackResourceDriftStatus"] for one in summaries
    } == {"A": "MODIFIED", "B": "DELETED"}


def test_what_the_template_does_not_say_is_no_drift(aws: World) -> None:
    aws.deploy("one", TWO)
    by_hand(aws, "a", Colour="red", On=True)

    assert detect(aws, "one")["StackDriftStatus"] == "IN_SYNC"


def test_a_type_that_cannot_be_asked_is_left_out_and_not_checked(aws: World) -> None:
    aws.deploy("one", of({"A": thing(Name="a"), "Bare": thing(BARE, Needed="1")}))

    detect(aws, "one")

    assert list(drifts(aws, "one")) == ["A"]
    found = aws.client.describe_stack_resource(StackName="one", LogicalResourceId="Bare")
    assert found["StackResourceDetail"]["DriftInformation"] == {"StackResourceDriftStatus": "NOT_CHECKED"}
    code, text, _ = refusal(aws.client.detect_stack_resource_drift, StackName="one", LogicalResourceId="Bare")
    assert (code, text) == ("ValidationError", f"Drift detection is not supported for resource type {BARE}")


def test_what_is_asked_for_is_filtered_and_paged(aws: World) -> None:
    aws.deploy("one", of({f"T{number:03}": thing(Name=f"t{number}", Size="1") for number in range(150)}))
    for number in range(120):
        by_hand(aws, f"t{number}", Size="2")
    detect(aws, "one")

    which = {"StackName": "one", "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"]}
    first = aws.client.describe_stack_resource_drifts(**which)
    second = aws.client.describe_stack_resource_drifts(**which, NextToken=first["NextToken"])
    small = aws.client.describe_stack_resource_drifts(**which, MaxResults=7)

    sizes = [len(page["StackResourceDrifts"]) for page in (first, second, small)]
    assert sizes == [100, 20, 7]
    assert "NextToken" not in second


def test_one_resource_is_checked_at_once_and_some_resources_alone(aws: World) -> None:
    aws.deploy("one", TWO)
    by_hand(aws, "a", Size="1")
    by_hand(aws, "b", Name="c")

    alone = aws.client.detect_stack_resource_drift(StackName="one", LogicalResourceId="A")
    assert alone["StackResourceDrift"]["StackResourceDriftStatus"] == "MODIFIED"
    assert list(drifts(aws, "one")) == ["A"]

    detect(aws, "one", LogicalResourceIds=["B"])
    assert list(drifts(aws, "one")) == ["A", "B"]


def test_a_resource_that_cannot_be_read_makes_the_detection_fail_and_the_rest_is_told(aws: World) -> None:
    aws.deploy("one", TWO)
    by_hand(aws, "a", Size="1")
    aws.sandbox.faults.resources.append(
        ResourceFault(operation="detect", logical_id="B", reason="Access denied")
    )

    status = detect(aws, "one")

    assert (status["DetectionStatus"], status["StackDriftStatus"]) == ("DETECTION_FAILED", "DRIFTED")
    assert status["DetectionStatusReason"] == "Failed to detect drift on resource [B]"
    found = drifts(aws, "one")
    assert [(one["StackResourceDriftStatus"], one.get("DriftStatusReason")) for one in found.values()] == [
        ("MODIFIED", None),
        ("UNKNOWN", "Access denied"),
    ]


def test_detection_is_refused_for_a_busy_stack_a_second_time_and_for_what_does_not_exist(aws: World) -> None:
    aws.deploy("one", TWO)
    aws.client.detect_stack_drift(StackName="one")
    again = refusal(aws.client.detect_stack_drift, StackName="one")
    aws.sandbox.finish()
    aws.prepare("one", of({"A": thing(Name="z")}), kind="UPDATE")
    aws.client.execute_change_set(StackName="one", ChangeSetName="cs")

    busy = refusal(aws.client.detect_stack_drift, StackName="one")
    missing = refusal(aws.client.detect_stack_drift, StackName="two")
    unknown = refusal(aws.client.describe_stack_drift_detection_status, StackDriftDetectionId="x")

    assert [one[0] for one in (again, busy, missing, unknown)] == ["ValidationError"] * 4
    assert "already in progress" in again[1]
    assert "UPDATE_IN_PROGRESS" in busy[1]
    assert (missing[1], unknown[1]) == (
        "Stack [two] does not exist",
        "Drift detection [x] does not exist",
    )


def test_an_update_makes_what_was_found_before_void(aws: World) -> None:
    aws.deploy("one", TWO)
    by_hand(aws, "a", Size="1")
    detect(aws, "one")

    aws.deploy("one", of({"A": thing(Name="a", Size="2", On="true"), "B": thing(Name="b")}), kind="UPDATE")

    assert drifts(aws, "one") == {}
    assert aws.stack("one")["DriftInformation"] == {"StackDriftStatus": "NOT_CHECKED"}


def test_a_hidden_parameter_and_a_dynamic_reference_are_neither_compared_nor_told(aws: World) -> None:
    aws.provisioner.values["{{resolve:ssm:/secret}}"] = "hush"
    template = of(
        {"A": thing(Name="a", Password={"Ref": "Word"}, Key="{{resolve:ssm:/secret}}")},
        Parameters={"Word": {"Type": "String", "NoEcho": True}},
    )
    aws.deploy("one", template, Parameters=[{"ParameterKey": "Word", "ParameterValue": "sesame"}])
    by_hand(aws, "a", Password="other", Key="other")

    status = detect(aws, "one")

    assert status["StackDriftStatus"] == "IN_SYNC"
    told = aws.client.describe_stack_resource_drifts(StackName="one")["StackResourceDrifts"][0]
    assert json.loads(told["ExpectedProperties"]) == {
        "Name": "a",
        "Password": "****",
        "Key": "{{resolve:ssm:/secret}}",
    }


@pytest.mark.parametrize(
    ("expected", "actual", "found"),
    [
        ([1, 2], [2, 1], []),
        (["a"], ["a", "b"], [("/P/1", "null", "b", "ADD")]),
        (["a", "b"], ["b"], [("/P/0", "a", "null", "REMOVE")]),
        (
            [{"Key": "x", "Value": "1"}, {"Key": "y", "Value": "2"}],
            [{"Key": "y", "Value": "3"}, {"Key": "x", "Value": "1"}],
            [("/P/1/Value", "2", "3", "NOT_EQUAL")],
        ),
        ({"S": "on"}, {"S": "off"}, [("/P/S", "on", "off", "NOT_EQUAL")]),
        (30, None, [("/P", "30", "null", "REMOVE")]),
        (True, "true", []),
    ],
)
def test_differences_are_found_where_they_are(
    expected: Any, actual: Any, found: list[tuple[str, str, str, str]]
) -> None:
    names = ("PropertyPath", "ExpectedValue", "ActualValue", "DifferenceType")
    answers = [each.answer() for each in differences({"P": expected}, {"P": actual})]
    assert [tuple(answer[name] for name in names) for answer in answers] == found


# drift-aware change sets

REVERT = {"kind": "UPDATE", "DeploymentMode": "REVERT_DRIFT"}


def test_a_plain_change_set_does_not_see_drift_and_a_drift_aware_one_sets_it_back(aws: World) -> None:
    aws.deploy("one", TWO)
    by_hand(aws, "a", Size="120")
    assert aws.prepare("one", TWO, kind="UPDATE", name="plain")["Status"] == "FAILED"

    made = aws.prepare("one", TWO, **REVERT)

    assert (made["DeploymentMode"], made["StackDriftStatus"]) == ("REVERT_DRIFT", "DRIFTED")
    change = made["Changes"][0]["ResourceChange"]
    assert (change["Action"], change["LogicalResourceId"], change["ResourceDriftStatus"]) == (
        "Modify",
        "A",
        "MODIFIED",
    )
    valued = aws.client.describe_change_set(StackName="one", ChangeSetName="cs", IncludePropertyValues=True)[
        "Changes"
    ][0]["ResourceChange"]["Details"][0]["Target"]
    assert (valued["Path"], valued["BeforeValue"], valued["AfterValue"]) == ("/Properties/Size", "120", "90")
    assert (valued["BeforeValueFrom"], valued["AfterValueFrom"]) == ("ACTUAL_STATE", "TEMPLATE")
    assert (valued["Drift"]["PreviousValue"], valued["Drift"]["ActualValue"]) == ("90", "120")
    assert aws.execute("one")["StackStatus"] == "UPDATE_COMPLETE"
    assert aws.provisioner.made["a"].properties["Size"] == "90"
    assert detect(aws, "one")["StackDriftStatus"] == "IN_SYNC"


def test_a_drift_aware_change_set_without_drift_or_changes_is_empty(aws: World) -> None:
    aws.deploy("one", TWO)

    made = aws.prepare("one", TWO, **REVERT)

    assert (made["Status"], made["Changes"]) == ("FAILED", [])
    assert made["StatusReason"].startswith("The submitted information didn't contain changes.")


def test_a_deleted_resource_is_made_again_and_what_refers_to_it_follows(aws: World) -> None:
    template = of({"A": thing(), "B": thing(Name="b", Value={"Ref": "A"})})
    aws.deploy("one", template)
    old = aws.client.describe_stack_resource(StackName="one", LogicalResourceId="A")
    before = old["StackResourceDetail"]["PhysicalResourceId"]
    del aws.provisioner.made[before]

    made = aws.prepare("one", template, **REVERT)

    changes = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"] for one in made["Changes"]}
    assert (changes["A"]["Action"], changes["A"]["ResourceDriftStatus"]) == ("Add", "DELETED")
    assert changes["B"]["Action"] == "Modify"
    assert aws.execute("one")["StackStatus"] == "UPDATE_COMPLETE"
    after = aws.provisioner.made["b"].properties["Value"]
    assert after != before
    assert after in aws.provisioner.made
    assert detect(aws, "one")["StackDriftStatus"] == "IN_SYNC"


def test_a_template_brought_to_what_is_there_changes_no_resource(aws: World) -> None:
    aws.deploy("one", TWO)
    by_hand(aws, "a", Size="120")
    wanted = of({"A": thing(Name="a", Size="120", On="true"), "B": thing(Name="b")})

    made = aws.prepare("one", wanted, **REVERT)

    change = made["Changes"][0]["ResourceChange"]
    assert (change["Action"], change["Details"][0]["ChangeSource"]) == ("SyncWithActual", "NoModification")
    aws.provisioner.log.clear()
    assert aws.execute("one")["StackStatus"] == "UPDATE_COMPLETE"
    assert aws.provisioner.log == []
    assert detect(aws, "one")["StackDriftStatus"] == "IN_SYNC"
    assert aws.prepare("one", wanted, kind="UPDATE", name="later")["Status"] == "FAILED"


def test_a_drift_aware_update_that_fails_goes_back_to_what_was_deployed(aws: World) -> None:
    aws.deploy("one", TWO)
    by_hand(aws, "a", Size="120")
    aws.sandbox.faults.resources.append(ResourceFault(operation="update", logical_id="A", reason="no"))
    aws.prepare("one", TWO, **REVERT)

    assert aws.execute("one")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"

    assert aws.provisioner.made["a"].properties["Size"] == "90"


def test_drift_is_set_back_by_updates_only(aws: World) -> None:
    asked = {"ChangeSetName": "cs", "TemplateBody": json.dumps(TWO), "DeploymentMode": "REVERT_DRIFT"}
    code, text, _ = refusal(aws.client.create_change_set, StackName="new", ChangeSetType="CREATE", **asked)
    assert (code, "UPDATE" in text) == ("ValidationError", True)


def test_alarms_that_roll_back_stay_on_the_stack_until_they_are_taken_off(aws: World) -> None:
    trigger = {
        "Arn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:x",
        "Type": "AWS::CloudWatch::Alarm",
    }
    watched = {"RollbackTriggers": [trigger], "MonitoringTimeInMinutes": 5}
    none: dict[str, Any] = {"RollbackTriggers": [], "MonitoringTimeInMinutes": 0}
    aws.deploy("one", TWO, RollbackConfiguration=none)
    assert aws.prepare("one", TWO, kind="UPDATE", RollbackConfiguration=none)["Status"] == "FAILED"
    aws.client.delete_change_set(StackName="one", ChangeSetName="cs")

    with_alarm = aws.deploy("one", TWO, kind="UPDATE", RollbackConfiguration=watched)
    kept = aws.deploy("one", of({"A": thing(Name="a", Size="1")}), kind="UPDATE")
    gone = aws.deploy("one", TWO, kind="UPDATE", RollbackConfiguration=none)

    assert with_alarm["RollbackConfiguration"] == kept["RollbackConfiguration"] == watched
    assert gone["RollbackConfiguration"] == {}
