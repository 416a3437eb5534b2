"""What is executed is what was asked for, whoever made the change set and wherever its id is from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from deployer.changes.comparison import differences
from deployer.deploy import deploy
from deployer.options import Options
from deployer.progress import Notice
from deployer.states import Change, ChangeSetInputs, ChangeSetRequest, ChangeSetState
from tests.deployer.fakes import Clock, FakeCloud, host, manifest, spec, template
from tests.sandbox.sandbox_fakes import THING, thing
from tests.sandbox.sandbox_wire import REGION, Killed, Line, all_are, four, line, made_of, outcomes

STACK = "arn:aws:cloudformation:eu-west-1:111122223333:stack/dev-a/1"
TEMPLATE = json.dumps(
    {"Parameters": {"Count": {"Default": 2}, "Zones": {"Default": ["a", "b"]}}, "Resources": {}}
)
ALARM = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:errors"
REQUEST = ChangeSetRequest(
    "dev-a", "CREATE", "gatestack-1", "token", TEMPLATE, None,
    {"Version": "16.4"}, {"ManagedBy": "gatestack"}, ("CAPABILITY_NAMED_IAM",), "",
    rollback_alarms=(ALARM,), rollback_minutes=5,
)  # fmt: skip
SAME = ChangeSetInputs(
    {"Version": "16.4", "Count": "2", "Zones": "a,b"},
    {"ManagedBy": "gatestack"}, ("CAPABILITY_NAMED_IAM",), (ALARM,), 5,
)  # fmt: skip


def found(inputs: ChangeSetInputs | None = SAME, **more: Any) -> ChangeSetState:
    return replace(ChangeSetState("gatestack-1", "id", STACK, "CREATE_COMPLETE", inputs=inputs), **more)


def compared(one: ChangeSetState, *, holds: bool | None = True, request: ChangeSetRequest = REQUEST) -> Any:
    return differences(request, TEMPLATE, one, holds_template=holds)


def test_a_change_set_that_was_made_with_the_same_is_the_same() -> None:
    assert compared(found()) == ()
    assert compared(found(), request=replace(REQUEST, stack=STACK, kind="UPDATE")) == ()
    assert compared(found(replace(SAME, parameters={"Version": "16.4"}))) == ()  # defaults need not be shown
    assert compared(found(replace(SAME, parameters={"Version": "****"}))) == ()  # NoEcho


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"parameters": {"Version": "16.3"}}, "the value of Version"),
        ({"parameters": {}}, "the value of Version"),
        ({"parameters": {"Version": "16.4", "Count": "9"}}, "the value of Count"),
        ({"parameters": {"Version": "16.4", "Extra": "1"}}, "the value of Extra"),
        ({"tags": {}}, "tag ManagedBy"),
        ({"tags": {"ManagedBy": "gatestack", "Owner": "them"}}, "tag Owner"),
        ({"capabilities": ("CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")}, "capability CAPABILITY_AUTO_"),
        ({"capabilities": ()}, "capability CAPABILITY_NAMED_IAM"),
        ({"rollback_alarms": ()}, "the alarms that roll it back"),
        ({"rollback_minutes": 0}, "the alarms that roll it back"),
        ({"notifications": ("arn:aws:sns:eu-west-1:999999999999:theirs",)}, "notification topic arn:aws:sns"),
        ({"on_failure": "DO_NOTHING"}, "OnStackFailure is DO_NOTHING"),
        ({"nested": True}, "it includes nested stacks"),
    ],
    ids=str,
)
def test_anything_that_it_was_made_with_and_nobody_asked_for_is_named(other: Any, words: str) -> None:
    (said,) = compared(found(replace(SAME, **other)))

    assert said.startswith(words)


def test_another_template_stack_or_kind_is_named() -> None:
    imports = (Change("Import", "Key", "AWS::KMS::Key"),)

    assert compared(found(), holds=False) == ("the template",)
    assert compared(found(stack_id=STACK.replace("dev-a", "dev-b"))) == ("the stack is dev-b",)
    assert compared(found(reverts_drift=True)) == ("it reverts drift",)
    assert compared(found(changes=imports)) == ("import of Key",)
    assert compared(found(None)) == ("it was not read",)


def test_what_an_emulator_does_not_tell_is_no_difference() -> None:
    assert compared(found(ChangeSetInputs()), holds=None) == ()


# a run on the sandbox, and somebody else who may make change sets


@pytest.fixture
def here() -> Iterator[Line]:
    with line() as made:
        yield made


def prepared(here: Line, size: str) -> list[dict[str, Any]]:
    """What two runs one after the other have asked for when they are killed before they execute anything."""

    def kill() -> None:
        if here.sandbox.calls[-1].action == "DescribeChangeSet":
            raise Killed

    here.wire.after = kill
    for _ in range(2):
        with pytest.raises(Killed):
            here.deploy(four(size))
        here.sandbox.advance(60)
    here.wire.after = lambda: None
    listed = [here.ask("ListChangeSets", StackName=name)["Summaries"] for name in here.stacks()]
    return [one for each in listed for one in each if one["ExecutionStatus"] == "AVAILABLE"]


WIDER = json.dumps({"Resources": {"Backdoor": thing(Value="theirs")}})
FOREIGN: dict[str, dict[str, Any]] = {
    "template": {"TemplateBody": WIDER},
    "tags": {"Tags": [{"Key": "Owner", "Value": "them"}]},
    "topic": {"NotificationARNs": ["arn:aws:sns:eu-central-1:999999999999:theirs"]},
    "capability": {"Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]},
    "on failure": {"OnStackFailure": "DO_NOTHING"},
}


def put_in_place(here: Line, one: dict[str, Any], kind: str, **other: Any) -> None:
    """Make, under the very name, a change set that differs in *other* alone."""
    asked = here.ask("DescribeChangeSet", ChangeSetName=one["ChangeSetId"])
    body = here.ask("GetTemplate", ChangeSetName=one["ChangeSetId"])["TemplateBody"]
    here.ask("DeleteChangeSet", ChangeSetName=one["ChangeSetId"])
    here.ask(
        "CreateChangeSet",
        **{
            "StackName": one["StackName"], "ChangeSetName": one["ChangeSetName"], "ChangeSetType": kind,
            "TemplateBody": body, "Tags": asked["Tags"], **other,
        },
    )  # fmt: skip
    here.sandbox.advance(60)


@pytest.mark.parametrize("other", FOREIGN.values(), ids=list(FOREIGN))
def test_a_change_set_that_somebody_else_put_under_the_name_of_a_new_stacks_is_made_anew(
    here: Line, other: dict[str, Any]
) -> None:
    theirs = prepared(here, "1")
    assert len(theirs) == 2
    for one in theirs:
        put_in_place(here, one, "CREATE", **other)

    result = here.deploy(four())

    assert outcomes(result) == all_are("create")
    assert "Backdoor" not in {logical_id for _, logical_id in here.physical()}
    states = here.aws.stacks(list(here.stacks()))
    assert all("Owner" not in state.tags for state in states)
    removed = [
        event
        for event in here.told
        if isinstance(event, Notice) and "is not what was requested" in event.text
    ]
    assert [event.warning for event in removed] == [True, True]


@pytest.mark.parametrize("other", [FOREIGN["template"], FOREIGN["tags"]], ids=["template", "tags"])
def test_a_change_set_under_the_name_of_an_updates_is_made_anew(here: Line, other: dict[str, Any]) -> None:
    here.deploy(four())
    before = here.physical()
    theirs = prepared(here, "2")
    assert len(theirs) == 3
    for one in theirs:
        put_in_place(here, one, "UPDATE", **other)

    assert here.deploy(four("2")).exit_code == 0

    assert here.physical() == before
    assert {
        here.ask("GetTemplate", StackName=f"dev-{one.name}")["TemplateBody"] for one in four("2").stacks
    } == {one.template for one in four("2").stacks}


def test_an_empty_change_set_of_somebody_else_does_not_hide_an_update(here: Line) -> None:
    here.deploy(four())
    for one in prepared(here, "2"):
        live = here.ask("GetTemplate", StackName=one["StackName"])["TemplateBody"]
        tags = here.ask("DescribeStacks", StackName=one["StackName"])["Stacks"][0]["Tags"]
        put_in_place(here, one, "UPDATE", TemplateBody=live, Tags=tags)

    assert outcomes(here.deploy(four("2")))["keys"] == ("update", "done")


def test_what_a_killed_run_has_prepared_is_used_when_it_is_the_same(here: Line) -> None:
    made = {one["ChangeSetId"] for one in prepared(here, "1")}

    assert outcomes(here.deploy(four())) == all_are("create")

    assert made <= {state.change_set_id for state in here.aws.stacks(list(here.stacks()))}


def test_an_answer_that_names_another_change_set_ends_the_stack_and_executes_nothing() -> None:
    class Misled(FakeCloud):
        """Works out another template than the one it was given."""

        def create_change_set(self, request: ChangeSetRequest) -> ChangeSetState:
            other = template({"Backdoor": {"Type": "AWS::SNS::Topic"}})
            return super().create_change_set(replace(request, body=other))

    clock = Clock()
    cloud = Misled(clock)

    result = deploy(manifest(spec("a")), cloud, Options(), host(clock))

    assert (result.exit_code, cloud.count("execute")) == (4, 0)
    assert "the change set gatestack-" in result.stacks[0].reason
    assert "is not what was requested (the template): CloudTrail's CreateChangeSet" in result.stacks[0].reason
    assert cloud.made == {}


def test_the_template_is_compared_before_the_change_set_is_executed() -> None:
    first = made_of("a", {"One": thing(THING, Value="1")})
    with line() as aws:
        aws.deploy(manifest(first, region=REGION))
        aws.calls()

        aws.deploy(manifest(replace(first, template=first.template.replace('"1"', '"2"')), region=REGION))

        actions = list(aws.calls())
        assert actions.index("GetTemplate") < actions.index("ExecuteChangeSet")
