"""Exports and imports as AWS keeps them: registered, resolved, guarded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.sandbox_fakes import SLOW, World, exporting, of, refusal, thing, world


@pytest.fixture
def aws() -> Iterator[World]:
    with world() as made:
        yield made


def producer(value: str = "v", export: str = "shared") -> dict[str, Any]:
    return of({"A": thing(Name="a")}, Outputs={"O": exporting(export, value)})


def consumer(export: str = "shared") -> dict[str, Any]:
    return of({"C": thing(Value={"Fn::Sub": ["<${X}>", {"X": {"Fn::ImportValue": export}}]})})


def test_an_import_gets_the_exports_value_and_is_listed(aws: World) -> None:
    aws.deploy("p", producer())
    assert refusal(aws.client.list_imports, ExportName="shared") == (
        "ValidationError",
        "Export 'shared' is not imported by any stack.",
        400,
    )
    aws.deploy("c", consumer())
    assert [
        request.properties["Value"] for request in aws.provisioner.made.values() if request.stack_name == "c"
    ] == ["<v>"]
    assert aws.client.list_imports(ExportName="shared")["Imports"] == ["c"]


def test_a_change_set_whose_import_is_missing_is_made_with_a_warning_and_works_once_the_export_exists(
    aws: World,
) -> None:
    """As recorded from AWS by LocalStack's validated test_describe_change_set_import_non_existent_export."""
    found = aws.prepare("c", consumer())
    assert (found["Status"], found["ExecutionStatus"], found.get("StatusReason")) == (
        "CREATE_COMPLETE",
        "AVAILABLE",
        None,
    )
    valued = aws.client.describe_change_set(StackName="c", ChangeSetName="cs", IncludePropertyValues=True)
    assert valued["StatusReason"] == (
        "[WARN] --include-property-values option can return incomplete ChangeSet data because: "
        "ChangeSet creation failed for resource [C] because: No export named shared"
    )
    after = json.loads(valued["Changes"][0]["ResourceChange"]["AfterContext"])
    assert after == {"Properties": {"Value": "<{{changeSet:KNOWN_AFTER_APPLY}}>"}}
    aws.deploy("p", producer())
    assert aws.execute("c")["StackStatus"] == "CREATE_COMPLETE"


def test_executed_too_early_a_missing_import_rolls_the_stack_back(aws: World) -> None:
    stack = aws.deploy("c", consumer())
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert (
        "c",
        "ROLLBACK_IN_PROGRESS",
        "No export named shared found. Rollback requested by user.",
    ) in aws.story("c")
    assert aws.provisioner.log == []


def test_the_other_way_with_a_missing_import_can_be_asked_for(aws: World) -> None:
    aws.sandbox.faults.add({"behaviour": {"missing_import": "fail"}})
    found = aws.prepare("c", consumer())
    assert (found["Status"], found["StatusReason"]) == ("FAILED", "No export named shared found")


def test_an_export_in_use_is_neither_changed_nor_removed(aws: World) -> None:
    aws.deploy("p", producer())
    aws.deploy("c", consumer())
    for changed, verb in ((producer("w"), "updated"), (producer(export="other"), "deleted")):
        assert aws.deploy("p", changed, kind="UPDATE")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        reason = f"Export shared cannot be {verb} as it is in use by c"
        assert ("p", "UPDATE_ROLLBACK_IN_PROGRESS", reason) in aws.story("p")
    assert [(each["Name"], each["Value"]) for each in aws.client.list_exports()["Exports"]] == [
        ("shared", "v")
    ]


def test_an_exporter_in_use_is_not_deleted_and_keeps_its_status_with_the_reason(aws: World) -> None:
    """As seen in AWS: rlister/stax issue 40, USSBA/aws-cft-tools issue 27."""
    aws.deploy("p", producer())
    aws.deploy("c", consumer())
    aws.client.delete_stack(StackName="p")
    aws.sandbox.finish()
    stack = aws.stack("p")
    assert (stack["StackStatus"], stack["StackStatusReason"]) == (
        "CREATE_COMPLETE",
        "Export shared cannot be deleted as it is in use by c",
    )
    aws.sandbox.faults.add({"behaviour": {"exporter_deletion": "fail"}})
    aws.client.delete_stack(StackName="p")
    aws.sandbox.finish()
    assert aws.stack("p")["StackStatus"] == "DELETE_FAILED"
    for name in ("c", "p"):
        aws.client.delete_stack(StackName=name)
        aws.sandbox.finish()
    assert aws.client.describe_stacks()["Stacks"] == []
    assert aws.client.list_exports()["Exports"] == []


def test_an_export_that_is_no_longer_imported_can_be_changed(aws: World) -> None:
    aws.deploy("p", producer())
    aws.deploy("c", consumer())
    aws.deploy("c", of({"C": thing(Value="v")}), kind="UPDATE")
    assert aws.deploy("p", producer("w"), kind="UPDATE")["StackStatus"] == "UPDATE_COMPLETE"


def test_an_import_counts_from_the_beginning_of_the_consumers_creation(aws: World) -> None:
    aws.deploy("p", producer())
    slow = of({"C": thing(SLOW, Value={"Fn::ImportValue": "shared"})})
    aws.prepare("c", slow)
    aws.client.execute_change_set(StackName="c", ChangeSetName="cs")
    aws.sandbox.advance(30)
    assert aws.client.list_imports(ExportName="shared")["Imports"] == ["c"]


def test_an_export_name_belongs_to_one_stack(aws: World) -> None:
    aws.deploy("p", producer())
    taken = of({"B": thing(Name="b")}, Outputs={"O": exporting("shared", "x")})
    assert aws.deploy("q", taken)["StackStatus"] == "ROLLBACK_COMPLETE"
    reason = "Export with name shared is already exported by stack p. Rollback requested by user."
    assert ("q", "ROLLBACK_IN_PROGRESS", reason) in aws.story("q")
    assert list(aws.provisioner.made) == ["a"]


def test_exports_of_another_region_are_another_accounts_so_to_speak(aws: World) -> None:
    aws.deploy("p", producer())
    assert aws.client_in("us-east-1").list_exports()["Exports"] == []


def test_many_exports_come_in_pages(aws: World) -> None:
    outputs = {f"O{number}": exporting(f"e{number}", "v") for number in range(130)}
    aws.deploy("p", of({"A": thing()}, Outputs=outputs))
    pages = list(aws.client.get_paginator("list_exports").paginate())
    assert [len(page["Exports"]) for page in pages] == [100, 30]
