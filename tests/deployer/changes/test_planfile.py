"""A saved plan is executed exactly, or refused with nothing touched."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from deployer.changes import planfile
from deployer.changes.approved import deploy_plan
from deployer.changes.planfile import PlanFile
from deployer.changes.preview import discard, plan
from deployer.errors import Interrupted, Protected, Refused
from deployer.options import Options
from deployer.plan import Plan, StackPlan
from deployer.progress import Notice, Result
from deployer.report import plan_text
from deployer.states import Change, PropertyChange, StackState
from generator.manifest import Manifest, StackSpec
from sandbox.faults import ResourceFault
from tests.covering import only
from tests.sandbox.sandbox_fakes import QUEUE, THING, thing
from tests.sandbox.sandbox_wire import REGION, Killed, Line, all_are, four, imported, line, made_of, outcomes

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def here() -> Iterator[Line]:
    with line() as made:
        yield made


def planned(here: Line, wanted: Manifest, *, keep: bool = True, **options: Any) -> Plan:
    return plan(wanted, here.aws, polling(**options), here.host(), keep=keep)


def polling(**options: Any) -> Options:
    """Ten seconds between two polls by default: the interval itself has its own tests."""
    return Options(**{"poll_interval": 10.0} | options)


def saved(here: Line, wanted: Manifest, **options: Any) -> PlanFile:
    found = planned(here, wanted, **options)
    chosen = Options(**options)
    return planfile.made_from(
        found,
        wanted,
        created=NOON,
        whole=not chosen.only,
        allow_replace=chosen.allow_replace,
        migrate_exports=chosen.migrate_exports,
        revert_drift=chosen.revert_drift,
    )


def execute(here: Line, wanted: Manifest, reviewed: PlanFile, file: str = "p.json", **options: Any) -> Result:
    return deploy_plan(wanted, reviewed, here.aws, polling(**options), here.host(), file=file)


def executed(here: Line) -> list[str | None]:
    return [state.change_set_id for state in here.aws.stacks(list(here.stacks()))]


def creations(here: Line) -> dict[str, list[str]]:
    return {name: [one for one in each if one != "DELETE"] for name, each in here.operations().items()}


def alone(**properties: Any) -> Manifest:
    return manifest_of(made_of("a", {"One": thing(**properties)}))


def manifest_of(*stacks: StackSpec) -> Manifest:
    return Manifest("dev", "litellm", REGION, None, production=False, stacks=stacks)


def with_data() -> StackSpec:
    return made_of("a", {"One": thing(Value="1"), "Data": thing(QUEUE)})


# the file


def whole() -> Plan:
    secret = PropertyChange("Properties", "MasterUserPassword", "Never", "old-secret", "new-secret")
    change = Change("Modify", "Db", "AWS::RDS::DBInstance", "db-1", "True", "ReplaceAndDelete", (), (secret,))
    state = StackState(
        "dev-a", "arn:aws:cloudformation:r:111122223333:stack/dev-a/1", "UPDATE_COMPLETE", last_updated=NOON
    )
    return Plan("dev", (StackPlan("a", "dev-a", "update", exact=True, changes=(change,), stack=state),))


def test_a_plan_is_read_as_it_was_written_and_holds_no_value(tmp_path: Path) -> None:
    wanted = alone()
    made = planfile.made_from(whole(), wanted, created=NOON, whole=True, allow_replace={"Db"})

    planfile.write(made, tmp_path / "p.json")

    assert planfile.read(tmp_path / "p.json") == made
    assert (made.account, made.region, made.created) == ("111122223333", REGION, "2026-11-20T12:00:00+00:00")
    text = (tmp_path / "p.json").read_text()
    assert "secret" not in text
    (stack,) = json.loads(text)["stacks"]
    assert stack["changes"] == [
        {
            "action": "Modify",
            "logical_id": "Db",
            "type": "AWS::RDS::DBInstance",
            "replacement": "True",
            "policy_action": "ReplaceAndDelete",
            "details": [{"attribute": "", "name": "MasterUserPassword"}],
        }
    ]
    assert (stack["status"], stack["last_updated"]) == ("UPDATE_COMPLETE", "2026-11-20T12:00:00+00:00")


NO_PLAN = r"p.json is not a plan that `gatestack plan --save` wrote: plan again"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "plan again"),
        ("[]", "plan again"),
        ("{}", NO_PLAN),
        ('{"surprise": 1}', NO_PLAN),
        ('{"format": 1, "stacks": []}', "format 1, this gatestack reads 2: plan again"),
        ('{"format": ' + "[" * 100_000, "plan again"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "p.json").write_text(text)

    with pytest.raises(Refused, match=words):
        planfile.read(tmp_path / "p.json")


def sealed(entry: Mapping[str, Any]) -> str:
    """The text of a plan file whose seal is right, whatever is in it."""
    canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"))
    return json.dumps({"sha256": sha256(canonical.encode()).hexdigest(), **entry})


@pytest.mark.parametrize(
    "change",
    [
        {"region": 3},
        {"whole": "yes"},
        {"surprise": 1},
        {"stacks": [{"name": "a", "stack_name": "dev-a", "action": "explode", "exact": True}]},
        {"stacks": [{"name": "a", "stack_name": "dev-a", "action": "update", "exact": True, "x": 1}]},
        {"stacks": {}},
        {"files": {"a.json": 1}},
        {"format": 99},
    ],
    ids=str,
)
def test_a_plan_of_another_shape_is_refused_though_its_seal_is_right(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    path = tmp_path / "p.json"
    planfile.write(planfile.made_from(whole(), alone(), created=NOON, whole=True), path)
    entry = json.loads(path.read_text())
    del entry["sha256"]
    path.write_text(sealed(entry))
    planfile.read(path)
    path.write_text(sealed(entry | change))

    with pytest.raises(Refused, match="plan again"):
        planfile.read(path)


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a plan file at which something stands."""
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found = [place for key, value in inside for place in leaves(value, (*path, key))]
    yield from found or [path]


def changed(node: Any, path: tuple[Any, ...]) -> Any:
    """The same with another value at *path*."""
    if not path:
        return f"{node}x" if isinstance(node, str) else [node, "x"]
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[path[0]] = changed(node[path[0]], path[1:])
    return copy


def test_a_plan_in_which_any_field_was_changed_is_not_as_it_was_reviewed(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    made = planfile.made_from(
        whole(), alone(), created=NOON, whole=True, by="arn:aws:iam::1:user/a", allow_replace={"Db"}
    )
    planfile.write(made, path)
    entry = json.loads(path.read_text())
    places = list(leaves(entry))
    assert len(places) > 20

    for place in places:
        path.write_text(json.dumps(changed(entry, place)))
        with pytest.raises(Protected, match="was changed after `gatestack plan --save` wrote it: plan again"):
            planfile.read(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read: No such file"):
        planfile.read(tmp_path / "p.json")


# a new environment


def test_a_new_environment_is_planned_once_and_executed_change_set_by_change_set(here: Line) -> None:
    reviewed = saved(here, four())
    assert [(one.action, one.exact) for one in reviewed.stacks] == [("create", True)] * 4
    assert set(here.stacks().values()) == {"REVIEW_IN_PROGRESS"}
    here.calls()

    result = execute(here, four(), reviewed)

    assert outcomes(result) == all_are("create")
    assert here.calls()["CreateChangeSet"] == 0
    assert set(executed(here)) == {one.change_set_id for one in reviewed.stacks}
    assert here.stacks() == dict.fromkeys(here.stacks(), "CREATE_COMPLETE")


def test_where_imports_must_exist_the_rest_is_predicted_and_made_when_its_time_comes(here: Line) -> None:
    here.sandbox.faults.behaviour.missing_import = "fail"
    reviewed = saved(here, four())
    assert {one.name: one.exact for one in reviewed.stacks} == {
        "keys": True, "net": True, "data": False, "web": False
    }  # fmt: skip
    assert set(here.stacks()) == {"dev-keys", "dev-net"}

    assert outcomes(execute(here, four(), reviewed)) == all_are("create")
    assert [event.text for event in here.told if isinstance(event, Notice)] == []


def test_a_plan_without_save_leaves_the_saved_one_alone(here: Line) -> None:
    reviewed = saved(here, four())

    planned(here, four(), keep=False)

    assert outcomes(execute(here, four(), reviewed)) == all_are("create")


def test_a_plan_that_is_given_up_leaves_nothing(here: Line) -> None:
    discard(planned(here, four()), here.aws)

    assert here.stacks() == {}


@pytest.mark.parametrize("after", only({1, 12, 17, 24}, [1, 6, 12, 14, 17, 20, 24, 30]))
def test_a_run_that_is_killed_anywhere_is_repeated_with_the_same_plan(here: Line, after: int) -> None:
    reviewed = saved(here, four())
    here.wire.kill_after = here.wire.count + after
    try:
        execute(here, four(), reviewed, poll_interval=None)
    except Killed:
        here.wire.kill_after = None

    result = execute(here, four(), reviewed)

    assert outcomes(result) == all_are("create")
    assert creations(here) == {f"dev-{name}": ["CREATE"] for name in ("data", "keys", "net", "web")}


@pytest.mark.parametrize("after", only({8, 16, 24, 34}, [8, 12, 16, 20, 24, 28, 34]))
def test_a_killed_run_over_predictions_is_repeated_too(here: Line, after: int) -> None:
    here.sandbox.faults.behaviour.missing_import = "fail"
    reviewed = saved(here, four())
    here.wire.kill_after = here.wire.count + after
    try:
        execute(here, four(), reviewed, poll_interval=None)
    except Killed:
        here.wire.kill_after = None
    here.sandbox.advance(3600)  # what AWS had begun comes to its end

    assert execute(here, four(), reviewed).exit_code == 0
    assert creations(here) == {f"dev-{name}": ["CREATE"] for name in ("data", "keys", "net", "web")}


def test_an_interrupted_run_keeps_the_plan_and_says_how_it_goes_on(here: Line) -> None:
    reviewed = saved(here, four())
    here.signals = [1]

    stopped = execute(here, four(), reviewed)

    assert stopped.exit_code == 130
    assert stopped.resume == "gatestack deploy dev --plan p.json"
    here.signals = []
    assert execute(here, four(), reviewed).exit_code == 0


def test_a_plan_in_no_file_leaves_nothing_when_it_is_interrupted(here: Line) -> None:
    reviewed = saved(here, four())
    here.signals = [0, 0]

    assert execute(here, four(), reviewed, file="").exit_code == 130

    assert here.stacks() == {}


def test_a_plan_that_was_executed_and_failed_is_used_up(here: Line) -> None:
    reviewed = saved(here, four())
    here.sandbox.faults.resources.append(ResourceFault("create", "One", stack="dev-keys", reason="no"))

    failed = execute(here, four(), reviewed)

    assert outcomes(failed) == all_are("create") | {
        "keys": ("create", "failed"), "data": ("skipped", "skipped"), "web": ("skipped", "skipped")
    }  # fmt: skip
    assert failed.resume == "gatestack plan dev --save p.json"
    with pytest.raises(Protected, match="keys: the plan was executed, and the stack ended as ROLLBACK_COMPL"):
        execute(here, four(), reviewed)


# updates


def test_an_update_executes_what_was_reviewed_and_unchanged_stacks_stay(here: Line) -> None:
    here.deploy(four())
    reviewed = saved(here, four(size="2"))
    assert {one.name: one.action for one in reviewed.stacks} == {
        "keys": "update", "net": "none", "data": "update", "web": "update"
    }  # fmt: skip
    here.calls()

    result = execute(here, four(size="2"), reviewed)

    assert outcomes(result) == all_are("update") | {"net": ("none", "done")}
    assert here.calls()["CreateChangeSet"] == 0
    again = execute(here, four(size="2"), reviewed)
    assert (again.exit_code, here.calls()["ExecuteChangeSet"]) == (0, 0)


def test_some_stacks_alone_can_be_planned_and_executed(here: Line) -> None:
    here.deploy(four())
    reviewed = saved(here, four(size="2"), only=frozenset({"keys"}))

    assert outcomes(execute(here, four(size="2"), reviewed)) == {"keys": ("update", "done")}


def test_the_change_sets_of_a_plan_are_gone_once_it_is_executed(here: Line) -> None:
    here.deploy(four())
    saved(here, four(size="2"))
    reviewed = saved(here, four(size="2"))

    execute(here, four(size="2"), reviewed)

    assert here.change_sets() == []


# refusals


def assert_refused(here: Line, wanted: Manifest, reviewed: PlanFile, words: str, **options: Any) -> None:
    before = here.state()
    here.calls()
    with pytest.raises(Protected, match=words) as error:
        execute(here, wanted, reviewed, **options)
    assert error.value.exit_code == 4
    assert here.state() == before
    assert not {"CreateChangeSet", "ExecuteChangeSet", "DeleteChangeSet", "DeleteStack"} & here.calls().keys()


def test_another_template_is_refused(here: Line) -> None:
    reviewed = saved(here, four())

    assert_refused(
        here, four(size="2"), reviewed, "keys: the template is not the one that was planned: plan again"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"environment": "prod"}, "the plan is for the environment dev, this is prod"),
        ({"region": "eu-west-1"}, "the plan is for the region eu-central-1, this is eu-west-1"),
        ({"account": "999999999999"}, "the plan is for the account 123456789012, this is 999999999999"),
        ({"stacks": four().stacks[:-1]}, r"set of stacks has changed since the plan \(web\)"),
    ],
)
def test_another_environment_is_refused(here: Line, change: dict[str, Any], words: str) -> None:
    reviewed = saved(here, four())

    assert_refused(here, replace(four(), **change), reviewed, words)


def test_the_credentials_of_another_account_are_refused(here: Line) -> None:
    reviewed = saved(here, four())

    assert_refused(
        here, four(), replace(reviewed, account="999999999999"), "for the account 999999999999, this is 12"
    )


@pytest.mark.parametrize("stack", ["keys", "net"])
def test_a_stack_that_somebody_has_changed_is_refused_also_an_unchanged_one(here: Line, stack: str) -> None:
    here.deploy(four())
    reviewed = saved(here, four(size="2"))
    theirs = replace(four(size="3"), stacks=tuple(
        replace(one, template=one.template.replace('"net"', '"theirs"')) for one in four(size="3").stacks
    ))  # fmt: skip
    here.deploy(theirs, only=frozenset({stack}))

    assert_refused(
        here,
        four(size="2"),
        reviewed,
        rf"{stack}: the stack was changed after it was planned \(it is UPDATE_COMPLETE now\): plan again",
    )


def test_a_stack_that_was_deleted_since_is_refused(here: Line) -> None:
    here.deploy(alone(Value="1"))
    reviewed = saved(here, alone(Value="2"))
    here.destroy(alone(Value="1"))

    assert_refused(
        here, alone(Value="2"), reviewed, r"a: the stack was changed .* \(it is not in account 123456789012"
    )


def test_a_change_set_that_is_gone_is_refused(here: Line) -> None:
    reviewed = saved(here, four())
    here.aws.delete_change_set(reviewed.stacks[-1].change_set_id)

    assert_refused(here, four(), reviewed, r"change set gatestack-plan-r1 is gone: plan again")


def test_a_file_that_names_another_change_set_is_refused(here: Line) -> None:
    here.deploy(alone(Value="1"))
    other = saved(here, alone(Name="replaced"))
    reviewed = saved(here, alone(Value="2"))
    forged = replace(reviewed.stacks[0], change_set_id=other.stacks[0].change_set_id)

    assert_refused(
        here, alone(Value="2"), replace(reviewed, stacks=(forged,)), "is not the one that was reviewed"
    )


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"TemplateBody": alone(Value="wider").stacks[0].template}, "the template"),
        ({"Tags": [{"Key": "Owner", "Value": "them"}]}, "tag .*Owner"),
        ({"NotificationARNs": ["arn:aws:sns:eu-central-1:999999999999:theirs"]}, "notification topic"),
    ],
    ids=["template", "tags", "topic"],
)
def test_a_forged_file_cannot_name_a_change_set_that_changes_the_same_resources_otherwise(
    here: Line, other: dict[str, Any], words: str
) -> None:
    here.deploy(alone(Value="1"))
    wanted = alone(Value="2")
    reviewed = saved(here, wanted)
    asked = {"TemplateBody": wanted.stacks[0].template, "Tags": []} | other
    made = here.ask("CreateChangeSet", StackName="dev-a", ChangeSetName="x", ChangeSetType="UPDATE", **asked)
    here.sandbox.advance(60)
    forged = replace(reviewed.stacks[0], change_set_id=made["Id"], change_set_name="x")

    assert_refused(
        here, wanted, replace(reviewed, stacks=(forged,)), rf"not the one that was reviewed \(.*{words}"
    )


@pytest.mark.parametrize(
    "other",
    [
        {"tags": {"Owner": "them"}},
        {"capabilities": ("CAPABILITY_IAM",)},
        {"timeout_minutes": 1},
        {"termination_protection": True},
        {"rollback_minutes": 5},
    ],
    ids=str,
)
def test_anything_else_that_the_manifest_says_of_a_stack_is_bound_to_the_plan(
    here: Line, other: dict[str, Any]
) -> None:
    reviewed = saved(here, alone())

    assert_refused(
        here,
        manifest_of(replace(alone().stacks[0], **other)),
        reviewed,
        "manifest.json is not the one that was planned: plan again",
    )


def test_a_file_that_is_uploaded_is_bound_to_the_plan(here: Line) -> None:
    reviewed = saved(here, replace(alone(), files={"config.yaml": b"model_list: []"}))

    for files in ({"config.yaml": b"model_list: [theirs]"}, {}, {"config.yaml": b"", "more.yaml": b""}):
        assert_refused(
            here,
            replace(alone(), files=files),
            reviewed,
            r"(config|more)\.yaml is not the one that was planned",
        )


def test_what_a_plan_consented_to_holds_when_it_is_executed(here: Line) -> None:
    reviewed = saved(here, four(), migrate_exports=True, revert_drift=True)

    assert (reviewed.migrate_exports, reviewed.revert_drift) == (True, True)
    assert execute(here, four(), reviewed).exit_code == 0


def test_a_stack_that_moves_while_the_plan_is_executed_is_left_alone(here: Line) -> None:
    first = made_of("a", {"One": thing(Value="1")}, {"Arn": {"Fn::GetAtt": "One.Arn"}})
    second = made_of("b", {"One": thing(Value="1", Other=imported("dev-a-Arn"))})
    here.deploy(manifest_of(first, second))
    wanted = manifest_of(
        replace(first, template=first.template.replace('"1"', '"2"')),
        replace(second, template=second.template.replace('"1"', '"2"')),
    )
    reviewed = saved(here, wanted)

    def theirs() -> None:
        if here.stacks()["dev-a"] == "UPDATE_IN_PROGRESS":
            here.wire.after = lambda: None
            changed = second.template.replace('"1"', '"theirs"')
            here.ask("UpdateStack", StackName="dev-b", TemplateBody=changed)

    here.wire.after = theirs
    result = execute(here, wanted, reviewed)

    assert outcomes(result) == {"a": ("update", "done"), "b": ("update", "protected")}
    assert "it was changed after the plan was made" in result.stacks[1].reason
    assert result.exit_code == 4


# data


def test_what_holds_data_needs_consent_at_the_plan_or_at_its_execution(here: Line) -> None:
    here.deploy(manifest_of(with_data()))
    wanted = manifest_of(made_of("a", {"One": thing(Value="1")}))
    reviewed = saved(here, wanted)
    assert_refused(
        here,
        wanted,
        reviewed,
        r"removes Data \(AWS::SQS::Queue\), which holds data; to allow it: "
        r"gatestack deploy dev --plan p.json --allow-replace Data",
    )

    allowed = saved(here, wanted, allow_replace=frozenset({"Data"}))
    assert allowed.allow_replace == ("Data",)
    assert outcomes(execute(here, wanted, allowed)) == {"a": ("update", "done")}


def predicted_update(here: Line, second: StackSpec, *, keeps: StackSpec) -> tuple[Manifest, PlanFile]:
    """A plan of two new exports and their reader, whose update can only be predicted."""
    here.sandbox.faults.behaviour.missing_import = "fail"
    first = made_of("z", {"One": thing(Value="1")}, {"Arn": {"Fn::GetAtt": "One.Arn"}})
    here.deploy(manifest_of(keeps))
    wanted = manifest_of(first, second)
    reviewed = saved(here, wanted)
    assert {one.name: one.exact for one in reviewed.stacks} == {"z": True, "a": False}
    return wanted, reviewed


def test_a_loss_that_nobody_has_reviewed_stops_a_predicted_stack_even_if_allowed(here: Line) -> None:
    reader = {"Reader": thing(Value=imported("dev-z-Arn"))}
    second = made_of("a", {"One": thing(Value="1"), **reader})
    wanted, reviewed = predicted_update(here, second, keeps=with_data())
    unseen = tuple(
        replace(one, changes=tuple(each for each in one.changes if each.logical_id != "Data"))
        for one in reviewed.stacks
    )

    result = execute(here, wanted, replace(reviewed, stacks=unseen), allow_replace=frozenset({"Data"}))

    assert outcomes(result) == {"z": ("create", "done"), "a": ("update", "protected")}
    assert "it would replace or remove Data (AWS::SQS::Queue), which holds data and was not in the plan" in (
        result.stacks[1].reason
    )
    assert ("dev-a", "Data") in here.physical()


def test_a_loss_in_a_predicted_stack_that_was_reviewed_and_allowed_happens(here: Line) -> None:
    reader = {"Reader": thing(Value=imported("dev-z-Arn"))}
    second = made_of("a", {"One": thing(Value="1"), **reader})
    wanted, reviewed = predicted_update(here, second, keeps=with_data())

    without = execute(here, wanted, reviewed)
    assert outcomes(without) == {"z": ("create", "done"), "a": ("update", "protected")}
    result = execute(here, wanted, reviewed, allow_replace=frozenset({"Data"}))

    assert outcomes(result) == {"z": ("create", "done"), "a": ("update", "done")}


def test_other_differences_from_a_prediction_are_told(here: Line) -> None:
    reader = {"Reader": thing(Value=imported("dev-z-Arn"))}
    kept = made_of("a", {"One": thing(Value="1")})
    wanted, reviewed = predicted_update(here, made_of("a", {"One": thing(Value="2"), **reader}), keeps=kept)
    fewer = tuple(
        replace(one, changes=() if one.name == "a" else one.changes, parameters={"Count": "1"})
        for one in reviewed.stacks
    )

    assert execute(here, wanted, replace(reviewed, stacks=fewer)).exit_code == 0
    assert [event.text for event in here.told if isinstance(event, Notice)] == [
        "not in the plan: Modify One, Add Reader"
    ]


def test_a_signal_ends_a_plan_that_leaves_nothing(here: Line) -> None:
    here.signals = [0.5]

    with pytest.raises(Interrupted):
        planned(here, four())

    assert here.stacks() == {}


def test_values_of_a_plan_are_shown_in_one_bounded_line() -> None:
    detail = PropertyChange("Properties", "Policy", "", "a\n  b", "x" * 100)
    change = Change("Modify", "One", THING, replacement="False", details=(detail,))
    found = Plan("dev", (StackPlan("a", "dev-a", "update", exact=True, changes=(change,)),))

    assert f"  ~ One (AWS::Test::Thing)  Policy: a b -> {'x' * 60}…" in plan_text(found).splitlines()
