"""Taking an environment away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fakes import OURS, FakeCloud, Fault, chain, host, manifest, spec, template
from runs import BUCKET, FIVE, World, outcomes

from deployer.cloud import Resource
from deployer.deploy import destroy, going
from deployer.errors import CloudError, Protected, Refused
from deployer.kept import Kept, kept
from deployer.options import Options
from deployer.progress import (
    Notice,
)


@pytest.fixture
def world() -> World:
    return World()


# destroy


def test_stacks_go_in_reverse_order(world: World) -> None:
    world.deploy(manifest(*FIVE))
    world.forget()

    result = world.destroy(manifest(*FIVE))

    assert outcomes(result) == dict.fromkeys((one.name for one in FIVE), ("delete", "done"))
    order = [what.split("/")[1] for what in world.cloud.acts("delete_stack")]
    assert order[0] == "dev-service"
    assert set(order[1:3]) == {"dev-alb", "dev-database"}
    assert (result.exit_code, result.outputs) == (0, ())


def test_destroying_nothing_is_no_failure(world: World) -> None:
    result = world.destroy(manifest(spec("a")))

    assert (outcomes(result), result.exit_code) == ({"a": ("none", "done")}, 0)


def test_a_production_environment_goes_only_by_force(world: World) -> None:
    with pytest.raises(Protected, match="needs --force"):
        world.destroy(manifest(spec("a"), production=True))
    assert world.cloud.calls == []


def test_termination_protection_is_switched_off_only_by_force(world: World) -> None:
    wanted = manifest(spec("a", termination_protection=True))
    world.deploy(wanted)

    refused = world.destroy(wanted)
    assert (refused.exit_code, world.cloud.status("dev-a")) == (4, "CREATE_COMPLETE")

    assert world.destroy(wanted, force=True).exit_code == 0


def test_what_the_template_keeps_is_listed_and_other_buckets_are_emptied(world: World) -> None:
    kept = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}
    snapshot = {"Type": "AWS::RDS::DBInstance", "DeletionPolicy": "Snapshot"}
    wanted = manifest(spec("a", template({"Logs": BUCKET, "Kept": kept, "Database": snapshot})))
    world.deploy(wanted)

    result = world.destroy(wanted)

    assert [str(one) for one in result.stacks[0].kept] == [
        "Kept (AWS::S3::Bucket Kept-id)",
        "Database (the final snapshot of AWS::RDS::DBInstance Database-id)",
    ]
    assert world.cloud.acts("empty_bucket") == ["Logs-id"]


def test_a_bucket_that_cannot_be_emptied_is_said(world: World) -> None:
    world.cloud.objects = None
    wanted = manifest(spec("a", template({"Logs": BUCKET})))
    world.deploy(wanted)

    assert world.destroy(wanted).exit_code == 0
    assert world.said(Notice)[-1].text == "the bucket Logs-id could not be emptied: this endpoint has no S3"


def test_what_was_never_created_is_removed_without_looking_into_it(world: World) -> None:
    world.cloud.has("dev-a", "REVIEW_IN_PROGRESS", tags={})

    assert outcomes(world.destroy(manifest(spec("a")))) == {"a": ("delete", "done")}
    assert world.cloud.count("template") == 0


def test_a_deletion_that_fails_is_tried_once_more_then_told_with_its_cause(world: World) -> None:
    wanted = manifest(spec("a"))
    world.deploy(wanted)
    world.cloud.faults["dev-a"] = Fault("Vpc", "has dependencies and cannot be deleted", type="AWS::EC2::VPC")
    assert world.destroy(wanted).exit_code == 0

    world.deploy(wanted)
    stuck = Stuck(world.cloud)
    result = destroy(wanted, stuck, Options(), host(world.clock, run_id="run9"))

    assert outcomes(result) == {"a": ("delete", "failed")}
    assert result.stacks[0].cause is not None
    assert result.stacks[0].cause.remedy == "delete what still uses it, then run it again"


class Stuck:
    """A cloud where dev-a never goes."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)

    def delete_stack(self, stack_id: str, token: str) -> None:
        self._cloud.faults["dev-a"] = Fault(
            "Vpc", "has dependencies and cannot be deleted", type="AWS::EC2::VPC"
        )
        self._cloud.delete_stack(stack_id, token)


def test_a_stack_of_somebody_else_is_not_deleted(world: World) -> None:
    world.cloud.has("dev-a", "CREATE_COMPLETE", tags=OURS | {"Environment": "prod"})

    result = world.destroy(manifest(spec("a")))

    assert (result.exit_code, world.cloud.count("delete_stack")) == (4, 0)


def test_a_producer_of_stacks_that_stay_is_not_destroyed(world: World) -> None:
    world.deploy(manifest(*chain("a", "b")))

    with pytest.raises(Refused, match="b imports from a: destroy b as well"):
        world.destroy(manifest(*chain("a", "b")), only=frozenset({"a"}))


def test_a_stack_that_fails_to_go_keeps_what_it_imports_from(world: World) -> None:
    a, b = chain("a", "b")
    world.deploy(manifest(a, b))
    world.cloud.raises["delete_stack"] = [CloudError("no")]

    result = world.destroy(manifest(a, b))

    assert outcomes(result) == {"b": ("delete", "failed"), "a": ("skipped", "skipped")}


def test_force_unlocks_what_goes_and_leaves_what_stays_locked(world: World) -> None:
    kept = {"Type": "AWS::RDS::DBInstance", "DeletionPolicy": "Retain"}
    snapshot = {"Type": "AWS::RDS::DBInstance", "DeletionPolicy": "Snapshot"}
    wanted = manifest(spec("a", template({"Kept": kept, "Database": snapshot})), production=True)
    world.deploy(wanted)

    world.destroy(wanted, force=True)

    unlocked = world.cloud.acts("unlock")
    assert "Database" in unlocked
    assert "Kept" not in unlocked


# what is kept, and what is asked


KEPT = Kept("Kept", "AWS::S3::Bucket", "b", snapshot=False)


@pytest.mark.parametrize(
    ("policy", "status", "stays"),
    [
        ("Retain", "CREATE_COMPLETE", True),
        ("Retain", "DELETE_SKIPPED", True),
        ("RetainExceptOnCreate", "UPDATE_COMPLETE", True),
        ("Retain", "DELETE_COMPLETE", False),
        ("Snapshot", "DELETE_COMPLETE", True),
        ("Snapshot", "DELETE_FAILED", True),
        ("Delete", "CREATE_COMPLETE", False),
    ],
)
def test_what_an_earlier_attempt_has_left_is_kept_too(policy: str, status: str, *, stays: bool) -> None:
    text = template({"Kept": {**BUCKET, "DeletionPolicy": policy}})

    found = kept(text, [Resource("Kept", "b", "AWS::S3::Bucket", status)])

    assert found == ((replace(KEPT, snapshot=policy == "Snapshot"),) if stays else ())


def test_a_destruction_that_goes_on_already_tells_at_its_end_what_is_kept(world: World) -> None:
    wanted = manifest(spec("a", template({"Kept": {**BUCKET, "DeletionPolicy": "Retain"}})))
    world.deploy(wanted)
    (one,) = world.cloud.live.values()
    text = one.text
    world.cloud.changes_by_itself("dev-a", "DELETE_COMPLETE", 30)
    one.state = replace(one.state, status="DELETE_IN_PROGRESS")

    result = world.destroy(wanted)

    assert world.cloud.count("delete_stack") == 0
    assert one.text == text
    assert [str(found) for found in result.stacks[0].kept] == ["Kept (AWS::S3::Bucket Kept-id)"]


def test_what_goes_and_what_stays_can_be_told_before_anything_is_asked(world: World) -> None:
    one = {**BUCKET, "DeletionPolicy": "Retain"}
    wanted = manifest(spec("a", template({"Kept": one, "Logs": BUCKET})), spec("b"))
    world.deploy(wanted)
    world.cloud.has("dev-old", "CREATE_COMPLETE")
    world.cloud.has("dev-c", "REVIEW_IN_PROGRESS", tags=OURS)
    world.forget()

    assert going(wanted, world.cloud, ()) == (
        "deletes dev-a: 2 resources",
        "  keeps Kept (AWS::S3::Bucket Kept-id)",
        "deletes dev-b: 1 resource",
        "deletes dev-c: it holds nothing",
        "deletes dev-old: 0 resources",
    )
    assert going(wanted, world.cloud, ("b",)) == ("deletes dev-b: 1 resource",)
    assert {method for method, _ in world.cloud.calls} == {"stacks", "resources", "template"}
