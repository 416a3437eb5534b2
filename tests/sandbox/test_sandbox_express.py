"""Express mode in the sandbox's CloudFormation: operations that end before resources are ready."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.sandbox_account import client, standing
from tests.sandbox.sandbox_fakes import SLOW, World, of, refusal, text, thing, world

EXPRESS = {"Mode": "EXPRESS"}
WITH_ROLLBACK = {"Mode": "EXPRESS", "DisableRollback": False}
SAID = (
    "Resource operation completed using Express Mode. It may continue becoming available in the background."
)


@pytest.fixture
def box() -> Iterator[World]:
    with world() as made:
        yield made


def begun(box: World, template: Any, config: Any, *, kind: str = "CREATE", **more: Any) -> Any:
    """Execute a change set and let ten seconds pass; returns the stack."""
    found = box.prepare("dev", template, kind=kind, **({"DeploymentConfig": config} if config else {}))
    assert found.get("DeploymentConfig") == (
        {"DisableRollback": config["Mode"] == "EXPRESS", **config} if config else None
    )
    box.client.execute_change_set(StackName="dev", ChangeSetName="cs", **more)
    box.sandbox.advance(20)
    return box.stack("dev")


def test_a_stack_ends_once_its_configuration_is_applied(box: World) -> None:
    stack = begun(box, of({"One": thing(SLOW), "Two": thing(Value={"Ref": "One"})}), WITH_ROLLBACK)

    assert (stack["StackStatus"], stack["DeploymentConfig"]) == ("CREATE_COMPLETE", WITH_ROLLBACK)
    assert [reason for _, status, reason in box.story("dev") if status == "CREATE_COMPLETE"] == [
        SAID,
        SAID,
        "",
    ]
    assert all(one.express for one in box.provisioner.made.values())


def test_an_update_does_not_wait_either_and_the_next_in_standard_mode_does(box: World) -> None:
    begun(box, of({"One": thing(SLOW, Value="1")}), WITH_ROLLBACK)
    assert begun(box, of({"One": thing(SLOW, Value="2")}), EXPRESS, kind="UPDATE")["StackStatus"] == (
        "UPDATE_COMPLETE"
    )
    last = begun(box, of({"One": thing(SLOW, Value="3")}), {"Mode": "STANDARD"}, kind="UPDATE")
    assert last["StackStatus"] == "UPDATE_IN_PROGRESS"


def test_without_a_word_about_rollback_a_failure_stays_as_it_is(box: World) -> None:
    broken = of({"One": thing(), "Two": thing(Broken=True)})

    assert begun(box, broken, EXPRESS)["StackStatus"] == "CREATE_FAILED"
    box.client.delete_stack(StackName="dev")
    box.sandbox.finish()
    assert begun(box, broken, WITH_ROLLBACK)["StackStatus"] == "ROLLBACK_COMPLETE"


def test_other_words_about_a_failure_are_refused_beside_it(box: World) -> None:
    box.prepare("dev", of({"One": thing()}), DeploymentConfig=EXPRESS)
    code, said, _ = refusal(
        box.client.execute_change_set, StackName="dev", ChangeSetName="cs", DisableRollback=True
    )

    assert (code, said) == (
        "ValidationError",
        "You cannot specify both DeploymentConfig and DisableRollback.",
    )


def test_a_nested_stack_has_the_mode_of_the_stack_around_it(box: World) -> None:
    box.files["https://nested"] = text(of({"Inside": thing(SLOW)}))
    nested = thing("AWS::CloudFormation::Stack", TemplateURL="https://nested")

    assert begun(box, of({"Child": nested}), WITH_ROLLBACK)["StackStatus"] == "CREATE_COMPLETE"


def test_an_endpoint_that_does_not_know_the_mode_passes_over_it(box: World) -> None:
    box.sandbox.faults.behaviour.express = False
    found = box.prepare("dev", of({"One": thing(SLOW)}), DeploymentConfig=EXPRESS)

    assert "DeploymentConfig" not in found
    box.client.execute_change_set(StackName="dev", ChangeSetName="cs")
    box.sandbox.advance(20)
    assert box.stack("dev")["StackStatus"] == "CREATE_IN_PROGRESS"


def test_what_a_stack_has_made_becomes_ready_in_its_own_time() -> None:
    template = of(
        {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
            "Subnet": {
                "Type": "AWS::EC2::Subnet",
                "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"},
            },
            "Nat": {
                "Type": "AWS::EC2::NatGateway",
                "Properties": {"SubnetId": {"Ref": "Subnet"}, "ConnectivityType": "private"},
            },
            "Db": {
                "Type": "AWS::RDS::DBInstance",
                "Properties": {
                    "DBInstanceIdentifier": "db",
                    "Engine": "postgres",
                    "DBInstanceClass": "db.t4g.micro",
                    "AllocatedStorage": "20",
                    "MasterUsername": "somebody",
                    "MasterUserPassword": "only-for-this-test",
                },
            },
        }
    )
    with standing() as sandbox:
        stacks, ec2, rds = (client(sandbox, name) for name in ("cloudformation", "ec2", "rds"))
        stacks.create_stack(StackName="dev", TemplateBody=text(template), DeploymentConfig=WITH_ROLLBACK)
        seen = []
        for seconds in (40, 100, 560):
            sandbox.advance(seconds)
            status = stacks.describe_stacks(StackName="dev")["Stacks"][0]["StackStatus"]
            nat = ec2.describe_nat_gateways()["NatGateways"][0]["State"]
            seen.append((status, nat, rds.describe_db_instances()["DBInstances"][0]["DBInstanceStatus"]))

    assert seen == [
        ("CREATE_COMPLETE", "pending", "creating"),
        ("CREATE_COMPLETE", "available", "creating"),
        ("CREATE_COMPLETE", "available", "available"),
    ]
