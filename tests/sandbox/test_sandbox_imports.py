"""Change sets that take up what is there: by ImportExistingResources, by IMPORT into a stack that lives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.sandbox_fakes import THING, World, of, thing, world

RETAIN = {"DeletionPolicy": "Retain"}
KEPT_ONLY = (
    "CloudFormation is attempting to import some resources because they already exist in your account. "
    "The resources must have the DeletionPolicy attribute set to 'Retain' or 'RetainExceptOnCreate' in the "
    "template for successful import. The affected resources are Mine ({Name=there})"
)


@pytest.fixture
def aws() -> Iterator[World]:
    with world() as made:
        yield made


@pytest.fixture
def left(aws: World) -> World:
    """Leave a thing called there in the account, which belongs to no stack."""
    aws.deploy("before", of({"A": thing(Name="there", extra=RETAIN)}))
    aws.client.delete_stack(StackName="before")
    aws.sandbox.finish()
    aws.provisioner.log.clear()
    return aws


def actions(planned: Any) -> dict[str, str]:
    changes = [each["ResourceChange"] for each in planned["Changes"]]
    return {each["LogicalResourceId"]: each["Action"] for each in changes}


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_what_is_there_is_taken_up_and_the_rest_is_made(left: World, policy: str) -> None:
    template = of({"Mine": thing(Name="there", extra={"DeletionPolicy": policy}), "B": thing(Name="b")})
    planned = left.prepare("taking", template, ImportExistingResources=True)
    assert planned["ImportExistingResources"]
    assert actions(planned) == {"Mine": "Import", "B": "Add"}
    assert left.execute("taking")["StackStatus"] == "CREATE_COMPLETE"
    assert sorted(left.provisioner.log) == [("adopt", "there"), ("create", "b")]
    assert ("Mine", "IMPORT_COMPLETE", "") in left.story("taking")
    assert (
        left.deploy("taking", of({"B": thing(Name="b")}), kind="UPDATE")["StackStatus"] == "UPDATE_COMPLETE"
    )
    assert "there" in left.provisioner.made


def test_without_the_parameter_the_name_is_taken(left: World) -> None:
    template = of({"Mine": thing(Name="there", extra=RETAIN)})
    assert actions(left.prepare("making", template)) == {"Mine": "Add"}
    assert left.execute("making")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert ("Mine", "CREATE_FAILED", "there already exists") in left.story("making")


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
@pytest.mark.parametrize("kind", ["CREATE", "UPDATE"])
def test_a_way_back_leaves_what_was_taken_up_in_the_account(left: World, kind: str, policy: str) -> None:
    if kind == "UPDATE":
        left.deploy("back", of({"C": thing(Name="c")}))
    mine = thing(Name="there", extra={"DeletionPolicy": policy})
    later = thing(Broken=True, Value={"Ref": "Mine"})
    failing = of({"C": thing(Name="c"), "Mine": mine, "B": later})
    left.prepare("back", failing, kind=kind, ImportExistingResources=True)
    how: dict[str, Any] = {"RetainExceptOnCreate": True} if policy == "RetainExceptOnCreate" else {}
    assert left.execute("back", **how)["StackStatus"].endswith("ROLLBACK_COMPLETE")
    assert "there" in left.provisioner.made
    left.deploy("again", of({"Mine": mine}), ImportExistingResources=True)
    assert left.stack("again")["StackStatus"] == "CREATE_COMPLETE"


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (
            thing(Name="there"),
            KEPT_ONLY,
        ),
        (thing(Name="theirs", extra=RETAIN), "theirs already exists in stack arn:aws:cloudformation:"),
    ],
)
def test_what_cannot_be_taken_up_fails_the_change_set(left: World, resource: Any, reason: str) -> None:
    left.deploy("owner", of({"A": thing(Name="theirs")}))
    planned = left.prepare("refused", of({"Mine": resource}), ImportExistingResources=True)
    assert planned["Status"] == "FAILED"
    assert planned["StatusReason"].startswith(reason)


def test_names_that_only_a_function_gives_are_not_looked_for(left: World) -> None:
    template = of({"Mine": thing(Name={"Fn::Sub": "there"}, extra=RETAIN)})
    assert actions(left.prepare("dynamic", template, ImportExistingResources=True)) == {"Mine": "Add"}


def into(aws: World, resources: Any, identifier: str = "there", **sections: Any) -> Any:
    asked = {"ResourceType": THING, "LogicalResourceId": "Mine", "ResourceIdentifier": {"Name": identifier}}
    return aws.prepare("living", of(resources, **sections), kind="IMPORT", ResourcesToImport=[asked])


def test_a_living_stack_takes_up_what_is_there(left: World) -> None:
    own = {"B": thing(Name="b")}
    out = {"Out": {"Value": "x"}}
    left.deploy("living", of(own, Outputs=out))
    mine = {"Mine": thing(Name="there", Value={"Ref": "B"}, extra=RETAIN)}
    assert actions(into(left, own | mine, Outputs=out)) == {"Mine": "Import"}
    assert left.execute("living")["StackStatus"] == "IMPORT_COMPLETE"
    found = left.client.describe_stack_resources(StackName="living")["StackResources"]
    assert {each["LogicalResourceId"] for each in found} == {"B", "Mine"}
    assert left.stack("living")["Outputs"][0]["OutputValue"] == "x"
    assert left.provisioner.log == [("create", "b"), ("adopt", "there")]


def test_a_living_stack_stays_as_it_was_where_the_import_fails(left: World) -> None:
    left.deploy("living", of({"B": thing(Name="b")}))
    into(left, {"B": thing(Name="b"), "Mine": thing(Name="nowhere", extra=RETAIN)}, "nowhere")
    assert left.execute("living")["StackStatus"] == "IMPORT_ROLLBACK_COMPLETE"
    found = left.client.describe_stack_resources(StackName="living")["StackResources"]
    assert [each["LogicalResourceId"] for each in found] == ["B"]
    left.prepare("living", of({"B": thing(Name="b", Value="2")}), kind="UPDATE", name="next")
    assert left.execute("living", "next")["StackStatus"] == "UPDATE_COMPLETE"


@pytest.mark.parametrize(
    ("resources", "outputs", "words"),
    [
        (
            {"B": thing(Name="b", Value="2")},
            {},
            "You have modified resources [B] in your template that are not",
        ),
        ({}, {}, "You have modified resources [B] in your template that are not being imported."),
        ({"B": thing(Name="b"), "C": thing()}, {}, "Resources [C] is missing from ResourceToImport list"),
        ({"B": thing(Name="b")}, {"Out": {"Value": "x"}}, "you cannot modify or add [Outputs]"),
    ],
)
def test_nothing_else_changes_with_an_import(left: World, resources: Any, outputs: Any, words: str) -> None:
    left.deploy("living", of({"B": thing(Name="b")}))
    with pytest.raises(left.client.exceptions.ClientError) as caught:
        into(left, resources | {"Mine": thing(Name="there", extra=RETAIN)}, Outputs=outputs)
    assert words in caught.value.response["Error"]["Message"]
