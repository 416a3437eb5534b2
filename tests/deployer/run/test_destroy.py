"""Taking an environment away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from deployer.checks.kept import Candidate
from deployer.deploy import Going, check_removal, destroy
from deployer.errors import CloudError, NotAllowed, Protected, Refused
from deployer.kept import Kept, Snapshot, arn_of, cost_line, kept
from deployer.options import Options
from deployer.progress import Notice, Result
from deployer.states import Resource
from generator.manifest import Manifest
from tests.deployer.fakes import OURS, FakeCloud, Fault, chain, host, manifest, spec, template
from tests.deployer.run.runs import BUCKET, FIVE, World, outcomes


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

    world.forget()

    with pytest.raises(Protected, match="termination protection of dev-a: `destroy --force`"):
        world.destroy(wanted)
    assert {method for method, _ in world.cloud.calls} == {"stacks"}

    assert world.destroy(wanted, force=True).exit_code == 0


def test_what_the_template_keeps_is_listed_and_other_buckets_are_emptied(world: World) -> None:
    kept = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}
    snapshot = {"Type": "AWS::RDS::DBInstance", "DeletionPolicy": "Snapshot"}
    wanted = manifest(spec("a", template({"Logs": BUCKET, "Kept": kept, "Database": snapshot})))
    world.deploy(wanted)

    result = world.destroy(wanted)

    assert [str(one) for one in result.stacks[0].kept] == [
        "Kept (AWS::S3::Bucket Kept-id, arn:aws:s3:::Kept-id)",
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
    assert [str(found) for found in result.stacks[0].kept] == [
        "Kept (AWS::S3::Bucket Kept-id, arn:aws:s3:::Kept-id)"
    ]


def told(wanted: Manifest, world: World, **options: Any) -> list[tuple[str, int, list[str]]]:
    found: list[Going] = []
    check_removal(wanted, world.cloud, Options(**options), found.append)
    return [(one.stack_name, one.resources, list(map(str, one.kept))) for one in found]


def test_what_goes_and_what_stays_can_be_told_before_anything_is_asked(world: World) -> None:
    one = {**BUCKET, "DeletionPolicy": "Retain"}
    wanted = manifest(spec("a", template({"Kept": one, "Logs": BUCKET})), spec("b"))
    world.deploy(wanted)
    world.cloud.has("dev-old", "CREATE_COMPLETE")
    world.cloud.has("dev-c", "REVIEW_IN_PROGRESS", tags=OURS)
    world.forget()

    assert told(wanted, world) == [
        ("dev-a", 2, ["Kept (AWS::S3::Bucket Kept-id, arn:aws:s3:::Kept-id)"]),
        ("dev-b", 1, []),
        ("dev-c", 0, []),
        ("dev-old", 0, []),
    ]
    assert told(wanted, world, only=frozenset({"b"})) == [("dev-b", 1, [])]
    assert {method for method, _ in world.cloud.calls} == {"stacks", "resources", "template"}


@pytest.mark.parametrize(
    ("wanted", "refusal", "lines"),
    [
        (manifest(spec("a"), production=True), "destroying it needs --force", 1),
        (manifest(spec("a", termination_protection=True)), "termination protection of dev-a", 1),
        (manifest(*chain("a", "b")), "b imports from a", 1),
    ],
)
def test_what_destroy_refuses_is_refused_after_the_list_and_before_anybody_types(
    world: World, wanted: Manifest, refusal: str, lines: int
) -> None:
    world.deploy(wanted)
    found: list[Going] = []

    with pytest.raises((Protected, Refused), match=refusal):
        check_removal(wanted, world.cloud, Options(only=frozenset({"a"})), found.append)

    assert len(found) == lines


# what was taken away before

KEY = {"Type": "AWS::KMS::Key", "DeletionPolicy": "Retain"}
DATABASE = {"Type": "AWS::RDS::DBInstance", "DeletionPolicy": "Snapshot"}
GONE = manifest(spec("a", template({"Key": KEY, "Database": DATABASE})))


@pytest.fixture
def departed(world: World) -> World:
    """A world whose stack an earlier run has deleted, with all that it keeps."""
    world.deploy(GONE)
    (one,) = world.cloud.live.values()
    one.state = replace(one.state, status="DELETE_COMPLETE")
    world.cloud.departed = (one.state,)
    world.cloud.found = (Candidate("AWS::KMS::Key", "Key-id", "", "arn:key", OURS),)
    world.cloud.snapshots = {"Database-id": Snapshot("dev-a-snapshot-database-1", "arn:snapshot", 20)}
    return world


def names(result: Result) -> list[str]:
    return [one.logical_id for one in result.stacks[0].kept]


def test_a_destruction_that_is_taken_up_again_lists_what_stacks_that_are_gone_have_kept(
    departed: World,
) -> None:
    result = departed.destroy(GONE)

    assert outcomes(result) == {"a": ("none", "done")}
    key, database = result.stacks[0].kept
    assert (key.physical_id, key.arn.endswith(":key/Key-id")) == ("Key-id", True)
    assert str(database) == (
        "Database (the final snapshot dev-a-snapshot-database-1 of AWS::RDS::DBInstance Database-id,"
        " arn:snapshot)"
    )


def test_what_was_deleted_since_is_not_listed(departed: World) -> None:
    departed.cloud.found = ()
    departed.cloud.snapshots = {}

    assert names(departed.destroy(GONE)) == []


def test_a_stack_of_somebody_else_of_that_name_is_no_earlier_one(departed: World) -> None:
    (state,) = departed.cloud.departed
    departed.cloud.departed = (replace(state, tags={}),)

    assert names(departed.destroy(GONE)) == []


@pytest.mark.parametrize(
    ("method", "left"), [("deleted", []), ("kept", []), ("final_snapshot", ["Key", "Database"])]
)
def test_what_cannot_be_found_out_is_no_reason_to_fail(departed: World, method: str, left: list[str]) -> None:
    departed.cloud.raises[method] = [NotAllowed("no")]

    result = departed.destroy(GONE)

    assert (result.exit_code, names(result)) == (0, left)


def test_where_nothing_is_kept_nobody_asks_for_earlier_stacks(world: World) -> None:
    world.destroy(manifest(spec("a")))

    assert world.cloud.count("deleted") == 0


@pytest.mark.parametrize(
    ("type_", "physical_id", "arn"),
    [
        ("AWS::KMS::Key", "k", "arn:aws-cn:kms:cn-north-1:1:key/k"),
        ("AWS::Logs::LogGroup", "/ecs/a", "arn:aws-cn:logs:cn-north-1:1:log-group:/ecs/a"),
        ("AWS::S3::Bucket", "b", "arn:aws-cn:s3:::b"),
        ("AWS::ECR::Repository", "r", "arn:aws-cn:ecr:cn-north-1:1:repository/r"),
        ("AWS::SecretsManager::Secret", "arn:aws:s", "arn:aws:s"),
        ("AWS::SQS::Queue", "q", ""),
    ],
)
def test_an_arn_is_made_by_the_type_in_the_stacks_own_partition(
    type_: str, physical_id: str, arn: str
) -> None:
    stack = "arn:aws-cn:cloudformation:cn-north-1:1:stack/dev-a/0"

    assert arn_of(type_, physical_id, stack) == arn
    assert arn_of("AWS::S3::Bucket", "b", "") == ""


@pytest.mark.parametrize(
    ("found", "line"),
    [
        ((), ""),
        ((KEPT,), ""),
        (
            (replace(KEPT, monthly_usd=1.0), KEPT),
            "kept: $1.00 a month until it is deleted, and by use: Kept",
        ),
        (
            (replace(KEPT, monthly_usd=1.9, snapshot=True),),
            "kept: at most $1.90 a month until it is deleted",
        ),
    ],
)
def test_what_is_kept_costs_something_in_a_line(found: tuple[Kept, ...], line: str) -> None:
    assert cost_line(found) == line
