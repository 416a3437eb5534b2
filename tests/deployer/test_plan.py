"""Plans: what the templates alone can say, and what real change sets say, read and removed again."""

import json
from dataclasses import replace

import pytest

from deployer.changes.preview import plan
from deployer.errors import CloudError, LostSight, NotAllowed
from deployer.options import Options
from deployer.plan import Plan, StackPlan, compared, merged, needs_consent, predicted
from deployer.states import Change, ChangeSetState, PropertyChange
from generator.manifest import Lookup, Manifest
from tests.deployer.fakes import Clock, FakeCloud, chain, host, manifest, spec, template

DATABASE = Change("Modify", "Db", "AWS::RDS::DBInstance", replacement="Conditional")


# pure


def test_a_new_stack_adds_every_resource() -> None:
    text = template({"Bucket": {"Type": "AWS::S3::Bucket"}})

    assert predicted(text) == (
        Change("Add", "Bucket", "AWS::S3::Bucket"),
        Change("Add", "Topic", "AWS::SNS::Topic"),
    )


def test_two_templates_are_compared_resource_by_resource() -> None:
    before = template({"Gone": {"Type": "A"}, "Same": {"Type": "B"}, "Other": {"Type": "C"}})
    after = template({"New": {"Type": "A"}, "Same": {"Type": "B"}, "Other": {"Type": "C", "Properties": {}}})

    assert compared(before, after) == (
        Change("Remove", "Gone", "A"),
        Change("Add", "New", "A"),
        Change("Modify", "Other", "C", replacement="Conditional"),
    )


def test_consent_is_needed_for_what_holds_data_and_may_go() -> None:
    kept = replace(DATABASE, replacement="False")
    stateless = Change("Remove", "Topic", "AWS::SNS::Topic")

    assert needs_consent([DATABASE, kept, stateless], ()) == (DATABASE,)
    assert needs_consent([DATABASE], {"Db"}) == ()


def test_values_are_added_to_the_whole_list_never_put_in_its_place() -> None:
    detail = PropertyChange("Properties", "Engine", "Always")
    other = Change("Add", "Policy", "AWS::IAM::Policy")
    plain = ChangeSetState(
        "c", "id", "s", "CREATE_COMPLETE", changes=(replace(DATABASE, details=(detail,)), other)
    )
    known = replace(detail, before="a", after="b")
    valued = replace(plain, changes=(replace(DATABASE, details=(known,)),))

    assert merged(plain, valued).changes == (replace(DATABASE, details=(known,)), other)
    assert merged(plain, None) == plain


def test_a_plan_knows_whether_it_changes_anything_and_what_needs_consent() -> None:
    nothing = StackPlan("a", "dev-a", "none", exact=True)
    risky = StackPlan("b", "dev-b", "update", exact=True, protected=("Db",))

    assert not Plan("dev", (nothing,)).changes_anything
    assert Plan("dev", (nothing, risky)).changes_anything
    assert Plan("dev", (nothing, risky)).protected == ("Db",)


# with change sets


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cloud(clock: Clock) -> FakeCloud:
    return FakeCloud(clock, working_out=3)


def planned(cloud: FakeCloud, wanted: Manifest, **options: object) -> Plan:
    return plan(wanted, cloud, Options(**options), host(cloud.clock))  # type: ignore[arg-type] # any option


def test_a_new_environment_is_planned_with_real_change_sets_and_nothing_stays(cloud: FakeCloud) -> None:
    found = planned(cloud, manifest(*chain("a", "b")))

    assert [(one.name, one.action, one.exact, len(one.changes)) for one in found.stacks] == [
        ("a", "create", True, 1),
        ("b", "create", True, 2),
    ]
    assert cloud.made == {}
    assert set(cloud.acts("delete_stack")) == set(cloud.live)


def test_a_change_set_of_somebody_else_keeps_the_stack_under_review(cloud: FakeCloud) -> None:
    theirs: list[str] = []

    def tell(_: object) -> None:
        raise AssertionError("a plan tells nothing while it goes on")

    def sleep(seconds: float) -> None:
        cloud.clock.sleep(seconds)
        (made, *_) = cloud.made.values()
        if not theirs:
            theirs.append("theirs")
            state = replace(made.state, name="theirs", id="their-id")
            cloud.made["their-id"] = replace(made, state=state)

    plan(manifest(spec("a")), cloud, Options(), replace(host(cloud.clock), sleep=sleep, tell=tell))

    assert (list(cloud.made), cloud.acts("delete_stack")) == (["their-id"], [])


def test_where_change_sets_need_the_export_the_template_is_all_there_is(cloud: FakeCloud) -> None:
    cloud.refusals["dev-b"] = "No export named dev-a-Id found"

    found = planned(cloud, manifest(*chain("a", "b"))).stacks[1]

    assert (found.action, found.exact, found.problems) == ("create", False, ())
    assert found.reason == "what it imports does not exist yet"
    assert [change.action for change in found.changes] == ["Add", "Add"]


def test_an_update_that_aws_refuses_is_a_problem_in_its_words(cloud: FakeCloud) -> None:
    cloud.has("dev-a", "UPDATE_COMPLETE", json.dumps({"Resources": {"Old": {"Type": "X"}}}))
    cloud.refusals["dev-a"] = "Template error"

    (found,) = planned(cloud, manifest(spec("a"))).stacks

    assert found.problems == ("Template error; Topic: the property Nmae does not exist",)
    assert [(change.action, change.logical_id) for change in found.changes] == [
        ("Remove", "Old"),
        ("Add", "Topic"),
    ]


def test_what_would_be_lost_is_named(cloud: FakeCloud) -> None:
    cloud.has("dev-a", "UPDATE_COMPLETE", template({"Data": {"Type": "AWS::S3::Bucket"}}))

    found = planned(cloud, manifest(spec("a")))
    allowed = planned(cloud, manifest(spec("a")), allow_replace=frozenset({"Data"}))

    assert (found.protected, allowed.protected) == (("Data",), ())


@pytest.mark.parametrize(
    ("status", "action", "problems"),
    [
        ("ROLLBACK_COMPLETE", "recreate", ()),
        ("UPDATE_FAILED", "update", ()),
        ("UPDATE_ROLLBACK_FAILED", "update", ()),
        ("UPDATE_IN_PROGRESS", "update", ("plan again when it has finished",)),
    ],
)
def test_stacks_that_can_have_no_change_set_are_planned_from_their_status(
    cloud: FakeCloud, status: str, action: str, problems: tuple[str, ...]
) -> None:
    cloud.has("dev-a", status, reason="because")

    (found,) = planned(cloud, manifest(spec("a"))).stacks

    assert (found.action, found.exact, found.problems) == (action, False, problems)
    assert found.reason.endswith(": because")
    assert cloud.count("create_change_set") == 0


def test_a_failed_stack_of_somebody_else_is_a_problem(cloud: FakeCloud) -> None:
    cloud.has("dev-a", "ROLLBACK_COMPLETE", tags={})

    assert planned(cloud, manifest(spec("a"))).stacks[0].problems[0].startswith("gatestack did not create")


def test_what_the_account_lacks_is_a_notice_and_what_stops_a_deployment_a_problem(cloud: FakeCloud) -> None:
    facts = {"repository": "r", "tag": "v1", "count": "2", "scaled": "false"}
    service = spec("a", lookups=(Lookup("DesiredCount", "desired-count", facts),))

    fresh = planned(cloud, manifest(service))
    assert fresh.notices[0].startswith("a: the image r:v1 is not in ECR yet")

    cloud.has("dev-a", "UPDATE_COMPLETE", parameters={"DesiredCount": "2"})
    assert "tasks are running" in planned(cloud, manifest(service)).stacks[0].problems[0]


def test_a_change_set_that_is_never_worked_out_is_given_up_on(cloud: FakeCloud) -> None:
    cloud.working_out = 10_000

    (found,) = planned(cloud, manifest(spec("a"))).stacks

    assert found.problems == ("AWS did not finish the change set in time",)
    assert cloud.made == {}


@pytest.mark.parametrize("error", [LostSight("expired"), NotAllowed("grant it")])
def test_without_credentials_or_permission_there_is_no_plan(cloud: FakeCloud, error: Exception) -> None:
    cloud.raises["create_change_set"] = [error]

    with pytest.raises(type(error)):
        planned(cloud, manifest(spec("a")))


def test_what_cannot_be_removed_is_said(cloud: FakeCloud) -> None:
    cloud.raises["delete_change_set"] = [CloudError("no")]

    found = planned(cloud, manifest(spec("a")))

    assert found.notices == ("a: what the plan made could not be removed: no",)


def test_the_change_set_of_a_stack_that_is_there_is_removed_without_a_look_at_the_stack() -> None:
    clock = Clock()
    cloud = FakeCloud(clock)
    wanted = manifest(*chain("a", "b"))
    assert cloud.has("dev-a", "CREATE_COMPLETE")

    plan(wanted, cloud, Options(), host(clock))

    assert cloud.count("stacks") == 2  # one for both, one for the new stack before it is deleted again
    assert [what.split("/")[1] for what in cloud.acts("delete_stack")] == ["dev-b"]
