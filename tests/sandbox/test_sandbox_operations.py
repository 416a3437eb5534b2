"""Stack operations as AWS runs them: order, failure, rollback, replacement, deletion, protection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.cloudformation.tasks import CUSTOM_NAMED
from tests.sandbox.sandbox_fakes import BARE, SLOW, World, of, refusal, thing, world

RETAIN = {"DeletionPolicy": "Retain"}


@pytest.fixture
def aws() -> Iterator[World]:
    with world() as made:
        yield made


def statuses(aws: World, name: str, logical_id: str) -> list[str]:
    return [status for who, status, _ in aws.story(name) if who == logical_id]


def fail(aws: World, operation: str, **fault: Any) -> None:
    aws.sandbox.faults.add({"resources": [{"operation": operation, "reason": "out of stock", **fault}]})


def test_resources_are_made_in_order_and_independent_ones_side_by_side(aws: World) -> None:
    template = of(
        {"A": thing(), "B": thing(Value={"Ref": "A"}), "C": thing(extra={"DependsOn": "B"}), "D": thing()}
    )
    aws.deploy("one", template)
    started = [(who, status) for who, status, reason in aws.story("one") if not reason and who != "one"]
    assert started == [
        ("A", "CREATE_IN_PROGRESS"),
        ("D", "CREATE_IN_PROGRESS"),
        ("A", "CREATE_COMPLETE"),
        ("B", "CREATE_IN_PROGRESS"),
        ("D", "CREATE_COMPLETE"),
        ("B", "CREATE_COMPLETE"),
        ("C", "CREATE_IN_PROGRESS"),
        ("C", "CREATE_COMPLETE"),
    ]


def test_a_creation_tells_each_step_newest_first_and_shows_the_id_once_there_is_one(aws: World) -> None:
    aws.deploy("one", of({"A": thing(Name="a")}))
    events = aws.client.describe_stack_events(StackName="one")["StackEvents"]
    told = [
        (each["ResourceStatus"], each.get("ResourceStatusReason"), each["PhysicalResourceId"])
        for each in events
    ]
    stack_id = events[0]["StackId"]
    assert told == [
        ("CREATE_COMPLETE", None, stack_id),
        ("CREATE_COMPLETE", None, "a"),
        ("CREATE_IN_PROGRESS", "Resource creation Initiated", "a"),
        ("CREATE_IN_PROGRESS", None, ""),
        ("CREATE_IN_PROGRESS", "User Initiated", stack_id),
        ("REVIEW_IN_PROGRESS", "User Initiated", stack_id),
    ]
    assert len({each["EventId"] for each in events}) == len(events)
    assert json.loads(events[1]["ResourceProperties"]) == {"Name": "a"}


def test_a_failed_creation_cancels_what_is_in_flight_and_removes_what_was_made(aws: World) -> None:
    template = of({"A": thing(Name="a"), "B": thing(Broken=True, extra={"DependsOn": "A"}), "C": thing(SLOW)})
    stack = aws.deploy("one", template)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert [
        line for line in aws.story("one") if line[1].endswith("FAILED") or line[1].startswith("ROLLBACK")
    ] == [
        ("B", "CREATE_FAILED", "it is broken"),
        ("C", "CREATE_FAILED", "Resource creation cancelled"),
        (
            "one",
            "ROLLBACK_IN_PROGRESS",
            "The following resource(s) failed to create: [B, C]. Rollback requested by user.",
        ),
        ("one", "ROLLBACK_COMPLETE", ""),
    ]
    assert aws.provisioner.made == {}
    assert stack.get("Outputs") is None


def test_a_stack_that_was_rolled_back_can_only_be_deleted(aws: World) -> None:
    stack = aws.deploy("one", of({"B": thing(Broken=True)}))
    code, message, _ = refusal(
        aws.client.create_change_set,
        StackName="one",
        ChangeSetName="cs",
        TemplateBody=json.dumps(of({"A": thing()})),
    )
    assert (code, message) == (
        "ValidationError",
        f"Stack:{stack['StackId']} is in ROLLBACK_COMPLETE state and can not be updated.",
    )
    aws.client.delete_stack(StackName="one")
    aws.sandbox.finish()
    assert aws.stack(stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"


def test_without_rollback_a_failure_stands_and_can_be_rolled_back_later(aws: World) -> None:
    aws.prepare("one", of({"A": thing(Name="a"), "B": thing(Broken=True, extra={"DependsOn": "A"})}))
    stack = aws.execute("one", DisableRollback=True)
    assert (stack["StackStatus"], stack["DisableRollback"]) == ("CREATE_FAILED", True)
    assert stack["StackStatusReason"] == "The following resource(s) failed to create: [B]. "
    assert list(aws.provisioner.made) == ["a"]
    aws.client.rollback_stack(StackName="one")
    aws.sandbox.finish()
    assert aws.stack(stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert aws.provisioner.made == {}


def test_a_creation_that_failed_without_rollback_can_be_mended_by_an_update(aws: World) -> None:
    aws.prepare("one", of({"A": thing(Name="a"), "B": thing(Broken=True, extra={"DependsOn": "A"})}))
    aws.execute("one", DisableRollback=True)
    stack = aws.deploy("one", of({"A": thing(Name="a"), "B": thing(Name="b")}), kind="UPDATE")
    assert (stack["StackStatus"], sorted(aws.provisioner.made)) == ("UPDATE_COMPLETE", ["a", "b"])


def test_an_injected_failure_comes_at_the_end_of_the_resources_time_and_runs_out(aws: World) -> None:
    fail(aws, "create", type=SLOW)
    template = of({"A": thing(SLOW, Name="a")})
    aws.deploy("one", template)
    assert statuses(aws, "one", "A") == [
        "CREATE_IN_PROGRESS",
        "CREATE_IN_PROGRESS",
        "CREATE_FAILED",
        "DELETE_IN_PROGRESS",
        "DELETE_COMPLETE",
    ]
    assert aws.deploy("two", template)["StackStatus"] == "CREATE_COMPLETE"


def test_a_provisioner_that_crashes_fails_the_resource_and_not_the_sandbox(
    aws: World, caplog: pytest.LogCaptureFixture
) -> None:
    assert aws.deploy("one", of({"A": thing(Crash="tops3cret")}))["StackStatus"] == "ROLLBACK_COMPLETE"
    reason = "Internal Failure: RuntimeError in the sandbox's own provisioning of AWS::Test::Thing"
    assert ("A", "CREATE_FAILED", reason) in aws.story("one")
    assert "tops3cret" not in caplog.text


def test_policies_and_metadata_of_an_update_that_failed_do_not_stay(aws: World) -> None:
    aws.deploy("one", of({"A": thing(Name="a")}))
    changed = of({"A": thing(Name="a", extra=RETAIN), "F": thing(Broken=True, extra={"DependsOn": "A"})})
    aws.deploy("one", changed, kind="UPDATE")
    aws.client.delete_stack(StackName="one")
    aws.sandbox.finish()
    assert aws.provisioner.made == {}


def test_a_deletion_policy_alone_can_be_updated(aws: World) -> None:
    aws.deploy("one", of({"A": thing(Name="a")}))
    found = aws.prepare("one", of({"A": thing(Name="a", extra=RETAIN)}), kind="UPDATE")
    assert [each["ResourceChange"]["Scope"] for each in found["Changes"]] == [["DeletionPolicy"]]
    aws.execute("one")
    aws.client.delete_stack(StackName="one")
    aws.sandbox.finish()
    assert list(aws.provisioner.made) == ["a"]


def test_a_missing_required_property_fails_the_resource(aws: World) -> None:
    aws.deploy("one", of({"A": thing(BARE)}))
    assert (
        "A",
        "CREATE_FAILED",
        "Property validation failure: [The property {/Needed} is required]",
    ) in aws.story("one")


def test_an_update_changes_in_place_what_it_can_and_keeps_the_id(aws: World) -> None:
    aws.deploy("one", of({"A": thing(Name="a", Value="1"), "B": thing()}))
    stack = aws.deploy("one", of({"A": thing(Name="a", Value="2"), "B": thing()}), kind="UPDATE")
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert aws.provisioner.log[2:] == [("update", "a")]
    assert [line[:2] for line in aws.story("one")][-5:] == [
        ("one", "UPDATE_IN_PROGRESS"),
        ("A", "UPDATE_IN_PROGRESS"),
        ("A", "UPDATE_COMPLETE"),
        ("one", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("one", "UPDATE_COMPLETE"),
    ]


def test_a_replacement_is_made_before_the_old_one_goes_and_consumers_get_the_new(aws: World) -> None:
    def template(name: str) -> Any:
        return of(
            {
                "A": thing(Name=name),
                "B": thing(Name="b", Value={"Ref": "A"}),
                "Old": thing(Name=f"old-{name}"),
            }
        )

    aws.deploy("one", template("a1"))
    changed = template("a2")
    del changed["Resources"]["Old"]
    aws.deploy("one", changed, kind="UPDATE")
    assert aws.provisioner.log[3:] == [
        ("create", "a2"),
        ("update", "b"),
        ("delete", "old-a1"),
        ("delete", "a1"),
    ]
    assert aws.provisioner.made["b"].properties["Value"] == "a2"
    story = [line[1:] for line in aws.story("one") if line[0] == "A"]
    assert story[-5:] == [
        (
            "UPDATE_IN_PROGRESS",
            "Requested update requires the creation of a new physical resource; hence creating one.",
        ),
        ("UPDATE_IN_PROGRESS", "Resource creation Initiated"),
        ("UPDATE_COMPLETE", ""),
        ("DELETE_IN_PROGRESS", ""),
        ("DELETE_COMPLETE", ""),
    ]


@pytest.mark.parametrize(
    ("named", "status"), [(True, "UPDATE_ROLLBACK_COMPLETE"), (False, "UPDATE_COMPLETE")]
)
def test_what_the_template_names_is_not_replaced_under_its_name(
    aws: World,
    named: bool,  # noqa: FBT001 - by parameter
    status: str,
) -> None:
    name = {"Name": "a"} if named else {}
    aws.deploy("one", of({"A": thing(**name, Options={"Kind": "k"})}))
    aws.deploy("one", of({"A": thing(**name, Options={"Kind": "l"})}), kind="UPDATE")

    said = [line[2] for line in aws.story("one") if line[1] == "UPDATE_FAILED"]

    assert aws.stack("one")["StackStatus"] == status
    assert said == ([CUSTOM_NAMED.format(name="a")] if named else [])


def test_a_nested_create_only_property_replaces_and_its_neighbour_does_not(aws: World) -> None:
    def template(kind: str, size: int) -> Any:
        return of({"A": thing(Options={"Kind": kind, "Size": size})})

    def replacement() -> str:
        (change,) = aws.client.describe_change_set(StackName="one", ChangeSetName="cs")["Changes"]
        return str(change["ResourceChange"]["Replacement"])

    aws.deploy("one", template("k", 1))
    aws.prepare("one", template("k", 2), kind="UPDATE")
    assert replacement() == "False"
    aws.execute("one")
    aws.prepare("one", template("l", 2), kind="UPDATE")
    assert replacement() == "True"


def test_a_failed_update_puts_everything_back(aws: World) -> None:
    before = of({"A": thing(Name="a", Value="1"), "R": thing(Name="r1"), "Z": thing(Name="z")})
    after = of({"A": thing(Name="a", Value="2"), "R": thing(Name="r2"), "N": thing(Name="n")})
    after["Resources"]["F"] = thing(Broken=True, extra={"DependsOn": ["A", "R", "N"]})
    aws.deploy("one", before, Tags=[{"Key": "t", "Value": "1"}])
    stack = aws.deploy("one", after, kind="UPDATE", Tags=[{"Key": "t", "Value": "2"}])
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert sorted(aws.provisioner.made) == ["a", "r1", "z"]
    assert aws.provisioner.made["a"].properties["Value"] == "1"
    assert stack["Tags"] == [{"Key": "t", "Value": "1"}]
    own = [line[1:] for line in aws.story("one") if line[0] == "one"]
    assert own[-4:] == [
        ("UPDATE_IN_PROGRESS", "User Initiated"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [F]. "),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", ""),
        ("UPDATE_ROLLBACK_COMPLETE", ""),
    ]
    listed = aws.client.list_stack_resources(StackName="one")["StackResourceSummaries"]
    assert {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed} == {
        "A": "a",
        "R": "r1",
        "Z": "z",
    }
    assert aws.prepare("one", before, kind="UPDATE", Tags=[{"Key": "t", "Value": "1"}])["Status"] == "FAILED"


def test_a_rollback_that_fails_can_be_continued_with_or_without_the_resource(aws: World) -> None:
    fail(aws, "update", logical_id="A", times=3)
    aws.deploy("one", of({"A": thing(Name="a", Value="1")}))
    changed = of({"A": thing(Name="a", Value="2")})
    stack = aws.deploy("one", changed, kind="UPDATE")
    assert (stack["StackStatus"], stack["StackStatusReason"]) == (
        "UPDATE_ROLLBACK_FAILED",
        "The following resource(s) failed to update: [A]. ",
    )
    aws.client.continue_update_rollback(StackName="one")
    aws.sandbox.finish()
    assert aws.stack("one")["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    aws.client.continue_update_rollback(StackName="one", ResourcesToSkip=["A"])
    aws.sandbox.finish()
    assert aws.stack("one")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert refusal(aws.client.continue_update_rollback, StackName="one")[0] == "ValidationError"
    assert aws.deploy("one", changed, kind="UPDATE")["StackStatus"] == "UPDATE_COMPLETE"


def test_an_update_left_standing_can_be_rolled_back(aws: World) -> None:
    fail(aws, "update", logical_id="A")
    aws.deploy("one", of({"A": thing(Name="a", Value="1")}))
    aws.prepare("one", of({"A": thing(Name="a", Value="2")}), kind="UPDATE")
    assert aws.execute("one", DisableRollback=True)["StackStatus"] == "UPDATE_FAILED"
    aws.client.rollback_stack(StackName="one")
    aws.sandbox.finish()
    assert aws.stack("one")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.provisioner.made["a"].properties["Value"] == "1"
    assert refusal(aws.client.rollback_stack, StackName="one")[0] == "ValidationError"


def test_an_update_can_be_cancelled_and_a_creation_cannot(aws: World) -> None:
    aws.deploy("one", of({"A": thing(SLOW, Name="a", Value="1")}))
    aws.prepare("one", of({"A": thing(SLOW, Name="a", Value="2")}), kind="UPDATE")
    aws.client.execute_change_set(StackName="one", ChangeSetName="cs")
    aws.sandbox.advance(10)
    assert refusal(aws.client.delete_stack, StackName="one")[1].endswith("while in status UPDATE_IN_PROGRESS")
    aws.client.cancel_update_stack(StackName="one")
    aws.sandbox.finish()
    assert aws.stack("one")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert ("A", "UPDATE_FAILED", "Resource update cancelled") in aws.story("one")
    assert refusal(aws.client.cancel_update_stack, StackName="one")[1] == (
        "CancelUpdateStack cannot be called from current stack status"
    )


def test_a_stack_is_deleted_consumers_first_and_is_then_found_by_id_only(aws: World) -> None:
    stack = aws.deploy("one", of({"A": thing(Name="a"), "B": thing(Name="b", Value={"Ref": "A"})}))
    aws.client.delete_stack(StackName="one", ClientRequestToken="t")
    aws.client.delete_stack(StackName="one", ClientRequestToken="t")
    aws.sandbox.finish()
    assert aws.provisioner.log[2:] == [("delete", "b"), ("delete", "a")]
    assert refusal(aws.client.describe_stacks, StackName="one")[1] == "Stack with id one does not exist"
    assert refusal(aws.client.describe_stack_events, StackName="one")[1] == "Stack [one] does not exist"
    found = aws.stack(stack["StackId"])
    assert (found["StackStatus"], "DeletionTime" in found) == ("DELETE_COMPLETE", True)
    aws.client.delete_stack(StackName="one")
    listed = aws.client.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert [each["StackName"] for each in listed] == ["one"]
    assert aws.client.describe_stacks()["Stacks"] == []


def test_a_creation_under_way_can_be_deleted(aws: World) -> None:
    found = aws.prepare("one", of({"A": thing(SLOW)}))
    aws.client.execute_change_set(ChangeSetName=found["ChangeSetId"])
    aws.sandbox.advance(30)
    aws.client.delete_stack(StackName="one")
    aws.sandbox.finish()
    assert aws.stack(found["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert aws.provisioner.made == {}


def test_retained_resources_stay_and_are_told_as_skipped(aws: World) -> None:
    either = {"DeletionPolicy": "RetainExceptOnCreate"}
    stack = aws.deploy(
        "one", of({"A": thing(Name="a", extra=RETAIN), "B": thing(Name="b", extra=either), "C": thing()})
    )
    aws.client.delete_stack(StackName="one")
    aws.sandbox.finish()
    assert sorted(aws.provisioner.made) == ["a", "b"]
    assert statuses(aws, stack["StackId"], "A")[-1] == "DELETE_SKIPPED"


def test_a_failed_creation_keeps_what_is_retained_but_not_what_is_retained_except_on_create(
    aws: World,
) -> None:
    either = {"DeletionPolicy": "RetainExceptOnCreate"}
    template = of({"A": thing(Name="a", extra=RETAIN), "B": thing(Name="b", extra=either)})
    template["Resources"]["F"] = thing(Broken=True, extra={"DependsOn": ["A", "B"]})
    aws.deploy("one", template)
    assert list(aws.provisioner.made) == ["a"]


def test_what_was_replaced_stays_where_its_policy_retains_it(aws: World) -> None:
    def template(name: str) -> Any:
        return of({"A": thing(Name=name, extra={"UpdateReplacePolicy": "Retain"})})

    aws.deploy("one", template("a1"))
    aws.deploy("one", template("a2"), kind="UPDATE")
    assert sorted(aws.provisioner.made) == ["a1", "a2"]


def test_a_deletion_that_fails_names_what_would_not_go_and_can_be_repeated(aws: World) -> None:
    template = of(
        {"A": thing(Name="a"), "B": thing(Name="b", Sticky=True, Value={"Ref": "A"}), "C": thing(Name="c")}
    )
    aws.deploy("one", template)
    assert refusal(aws.client.delete_stack, StackName="one", RetainResources=["B"])[0] == "ValidationError"
    aws.client.delete_stack(StackName="one")
    aws.sandbox.finish()
    stack = aws.stack("one")
    assert (stack["StackStatus"], stack["StackStatusReason"]) == (
        "DELETE_FAILED",
        "The following resource(s) failed to delete: [B]. ",
    )
    assert sorted(aws.provisioner.made) == ["a", "b"]
    aws.client.delete_stack(StackName="one", RetainResources=["B"])
    aws.sandbox.finish()
    assert aws.stack(stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert sorted(aws.provisioner.made) == ["b"]


def test_a_deletion_can_be_forced_once_it_failed(aws: World) -> None:
    stack = aws.deploy(
        "one", of({"A": thing(Name="a"), "B": thing(Name="b", Sticky=True, Value={"Ref": "A"})})
    )
    assert (
        refusal(aws.client.delete_stack, StackName="one", DeletionMode="FORCE_DELETE_STACK")[0]
        == "ValidationError"
    )
    for more in ({}, {"DeletionMode": "FORCE_DELETE_STACK"}):
        aws.client.delete_stack(StackName="one", **more)
        aws.sandbox.finish()
    assert aws.stack(stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert sorted(aws.provisioner.made) == ["b"]


def test_termination_protection_keeps_a_stack(aws: World) -> None:
    aws.deploy("one", of({"A": thing()}))
    aws.client.update_termination_protection(StackName="one", EnableTerminationProtection=True)
    assert aws.stack("one")["EnableTerminationProtection"] is True
    assert refusal(aws.client.delete_stack, StackName="one")[1] == (
        "Stack [one] cannot be deleted while TerminationProtection is enabled"
    )
    aws.client.update_termination_protection(StackName="one", EnableTerminationProtection=False)
    aws.client.delete_stack(StackName="one")
    aws.sandbox.finish()
    assert aws.client.describe_stacks()["Stacks"] == []


def test_a_stack_policy_keeps_an_update_from_a_resource(aws: World) -> None:
    aws.deploy("one", of({"A": thing(Name="a", Value="1")}))
    deny = {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "LogicalResourceId/A"}
    allow = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
    body = json.dumps({"Statement": [allow, deny]})
    aws.client.set_stack_policy(StackName="one", StackPolicyBody=body)
    assert aws.client.get_stack_policy(StackName="one")["StackPolicyBody"] == body
    stack = aws.deploy("one", of({"A": thing(Name="a", Value="2")}), kind="UPDATE")
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.provisioner.made["a"].properties["Value"] == "1"
    assert (
        "A",
        "UPDATE_FAILED",
        (
            "Action denied by stack policy: Statement [#2] does not allow [Update:*] "
            "for resource [LogicalResourceId/A]"
        ),
    ) in aws.story("one")
    assert refusal(aws.client.set_stack_policy, StackName="one", StackPolicyBody="{}")[1] == (
        "Error validating stack policy: Invalid stack policy"
    )


def test_stacks_can_be_made_and_updated_without_change_sets(aws: World) -> None:
    body = json.dumps(of({"A": thing(Name="a")}))
    call = {"StackName": "one", "TemplateBody": body}
    made = aws.client.create_stack(**call, ClientRequestToken="t", EnableTerminationProtection=True)
    assert aws.client.create_stack(**call, ClientRequestToken="t")["StackId"] == made["StackId"]
    assert refusal(aws.client.create_stack, **call)[:2] == (
        "AlreadyExistsException",
        "Stack [one] already exists",
    )
    aws.sandbox.finish()
    assert refusal(aws.client.update_stack, **call)[:2] == (
        "ValidationError",
        "No updates are to be performed.",
    )
    changed = json.dumps(of({"A": thing(Name="a", Value="2")}))
    aws.client.update_stack(StackName="one", TemplateBody=changed)
    assert refusal(aws.client.update_stack, **call)[1].endswith(
        "is in UPDATE_IN_PROGRESS state and can not be updated."
    )
    aws.sandbox.finish()
    assert aws.stack("one")["StackStatus"] == "UPDATE_COMPLETE"
    assert (
        refusal(aws.client.update_stack, StackName="no", TemplateBody=body)[1] == "Stack [no] does not exist"
    )


def test_settings_of_a_stack_stay_when_they_are_left_out(aws: World) -> None:
    role, topic = "arn:aws:iam::1:role/r", "arn:aws:sns:eu-central-1:1:t"
    settings = {
        "RoleARN": role,
        "NotificationARNs": [topic],
        "RollbackConfiguration": {"MonitoringTimeInMinutes": 5},
    }
    aws.deploy("one", of({"A": thing(Name="a")}), Tags=[{"Key": "k", "Value": "v"}], **settings)
    stack = aws.deploy("one", of({"A": thing(Name="a", Value="2")}), kind="UPDATE")
    kept = {name: stack[name] for name in (*settings, "Tags")}
    assert kept == {**settings, "Tags": [{"Key": "k", "Value": "v"}]}
    assert aws.deploy("one", of({"A": thing(Name="a")}), kind="UPDATE", Tags=[])["Tags"] == []


def test_events_can_be_asked_for_by_operation_and_failures_alone(aws: World) -> None:
    aws.deploy("one", of({"A": thing(Broken=True)}))
    operation = aws.stack("one")["LastOperations"][1]
    assert operation["OperationType"] == "CREATE_STACK"
    found = aws.client.describe_events(OperationId=operation["OperationId"], Filters={"FailedEvents": True})[
        "OperationEvents"
    ]
    assert [(each["LogicalResourceId"], each["ResourceStatusReason"]) for each in found] == [
        ("A", "it is broken")
    ]
    by_stack = aws.client.describe_events(StackName="one")["OperationEvents"]
    assert len(by_stack) == len(aws.events("one"))


def test_resources_can_be_looked_at(aws: World) -> None:
    aws.deploy("one", of({"A": thing(Name="a", extra={"Metadata": {"k": "v"}})}))
    detail = aws.client.describe_stack_resource(StackName="one", LogicalResourceId="A")["StackResourceDetail"]
    assert (detail["PhysicalResourceId"], detail["ResourceStatus"], json.loads(detail["Metadata"])) == (
        "a",
        "CREATE_COMPLETE",
        {"k": "v"},
    )
    by_id = aws.client.describe_stack_resources(PhysicalResourceId="a")["StackResources"]
    assert [each["LogicalResourceId"] for each in by_id] == ["A"]
    assert refusal(aws.client.describe_stack_resource, StackName="one", LogicalResourceId="B")[1] == (
        "Resource B does not exist for stack one"
    )
    assert refusal(aws.client.describe_stack_resource, StackName="no", LogicalResourceId="B")[1] == (
        "Stack 'no' does not exist"
    )


def test_many_stacks_and_events_come_in_pages(aws: World) -> None:
    for number in range(105):
        aws.client.create_stack(StackName=f"s{number}", TemplateBody=json.dumps(of({"A": thing()})))
    aws.deploy("big", of({f"R{number}": thing() for number in range(60)}))
    pages = list(aws.client.get_paginator("describe_stacks").paginate())
    assert [len(page["Stacks"]) for page in pages] == [100, 6]
    assert len(aws.events("big")) == 60 * 3 + 3
    assert len(aws.client.describe_stack_events(StackName="big")["StackEvents"]) == 100
