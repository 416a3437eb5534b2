"""Stacks that an environment no longer has are planned and deployed as deletions, after their consumers."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from deployer.changes.approved import deploy_plan
from deployer.changes.planfile import PlanFile, made_from
from deployer.changes.preview import plan
from deployer.errors import Protected, Refused
from deployer.options import Options
from deployer.plan import Plan
from generator.manifest import Manifest, StackSpec
from tests.sandbox.sandbox_fakes import QUEUE, of, thing
from tests.sandbox.sandbox_wire import REGION, Line, imported, line, made_of, outcomes

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ARN = {"Arn": {"Fn::GetAtt": "One.Arn"}}


@pytest.fixture
def here() -> Iterator[Line]:
    with line() as made:
        yield made


def tagged(one: StackSpec) -> StackSpec:
    return replace(one, tags={"Stack": one.name})


def environment(*stacks: StackSpec) -> Manifest:
    return Manifest("dev", "litellm", REGION, None, production=False, stacks=tuple(map(tagged, stacks)))


def data(type_: str = QUEUE) -> StackSpec:
    return made_of("data", {"One": thing(), "Rows": thing(type_)}, ARN)


NET = made_of("net", {"One": thing(Value="net")}, ARN)
READS = made_of("web", {"One": thing(Value="web"), "Reader": thing(Value=imported("dev-data-Arn"))})
READS_NOT = made_of("web", {"One": thing(Value="web")})

BEFORE = environment(NET, data(), READS)
AFTER = environment(NET, READS_NOT)
CONSENT = frozenset({"Rows"})


def planned(here: Line, wanted: Manifest, **options: Any) -> Plan:
    return plan(wanted, here.aws, Options(**options), here.host())


def reviewed(here: Line, wanted: Manifest, *allowed: str) -> PlanFile:
    found = plan(wanted, here.aws, Options(allow_replace=frozenset(allowed)), here.host(), keep=True)
    return made_from(found, wanted, created=NOON, whole=True, allow_replace=allowed)


def test_a_stack_that_is_left_over_is_planned_as_a_deletion_of_all_it_holds(here: Line) -> None:
    here.deploy(BEFORE)

    found = planned(here, AFTER)

    assert {one.name: one.action for one in found.stacks} == {
        "net": "none",
        "web": "update",
        "data": "delete",
    }
    left = found.stacks[-1]
    assert [(one.action, one.logical_id, one.stateful) for one in left.changes] == [
        ("Remove", "One", False),
        ("Remove", "Rows", True),
    ]
    assert (left.stack_name, left.protected, left.problems) == ("dev-data", ("Rows",), ())


def test_it_is_deleted_after_its_consumers_are_updated(here: Line) -> None:
    here.deploy(BEFORE)

    result = here.deploy(AFTER, allow_replace=CONSENT)

    assert outcomes(result) == {
        "net": ("none", "done"),
        "web": ("update", "done"),
        "data": ("delete", "done"),
    }
    assert set(here.stacks()) == {"dev-net", "dev-web"}
    assert {output.stack for output in result.outputs} == {"net"}


def test_without_consent_nothing_is_touched(here: Line) -> None:
    here.deploy(BEFORE)
    before = here.state()

    result = here.deploy(AFTER)

    assert outcomes(result)["data"] == ("delete", "protected")
    assert result.exit_code == 4
    (data_,) = [one for one in result.stacks if one.name == "data"]
    assert data_.reason == (
        "it is no longer in the environment, and it holds Rows; to allow it: --allow-replace Rows"
    )
    assert here.state() == before


def test_what_holds_no_data_needs_no_consent(here: Line) -> None:
    here.deploy(environment(NET, data("AWS::Test::Thing"), READS))

    assert outcomes(here.deploy(AFTER))["data"] == ("delete", "done")


def test_termination_protection_is_respected(here: Line) -> None:
    here.deploy(environment(NET, replace(data(), termination_protection=True), READS))

    found = planned(here, AFTER, allow_replace=CONSENT)
    result = here.deploy(AFTER, allow_replace=CONSENT)

    assert found.problems == ("data: it has termination protection: switch that off in CloudFormation",)
    assert outcomes(result)["data"] == ("delete", "protected")
    assert set(here.stacks().values()) == {"CREATE_COMPLETE"}


def test_the_consumer_of_a_failed_update_keeps_it(here: Line) -> None:
    here.deploy(BEFORE)
    broken = made_of("web", {"One": thing(Value="new", Broken=True)})

    result = here.deploy(environment(NET, broken), allow_replace=CONSENT)

    assert outcomes(result)["web"] == ("update", "failed")
    assert outcomes(result)["data"] == ("skipped", "skipped")
    assert here.stacks()["dev-data"] == "CREATE_COMPLETE"


def test_a_leftover_that_others_import_from_is_refused_untouched(here: Line) -> None:
    here.deploy(BEFORE)
    here.box.deploy("theirs", of({"One": thing(Value=imported("dev-data-Arn"))}))

    with pytest.raises(Refused, match=r"and theirs imports its dev-data-Arn: delete or change theirs first"):
        here.deploy(AFTER, allow_replace=CONSENT)


def test_a_stack_that_still_imports_from_it_is_refused_untouched(here: Line) -> None:
    here.deploy(BEFORE)

    with pytest.raises(
        Refused, match="web imports dev-data-Arn, which only dev-data exports, and that stack"
    ):
        here.deploy(environment(NET, READS), allow_replace=CONSENT)


def test_stacks_of_other_environments_systems_and_tools_are_left_alone(here: Line) -> None:
    here.deploy(replace(BEFORE, system="other"))
    here.box.deploy("theirs", of({"One": thing()}))

    assert outcomes(here.deploy(environment(made_of("api", {"One": thing(Value="1")})))) == {
        "api": ("create", "done")
    }
    assert len(here.stacks()) == 5


def test_only_some_stacks_leaves_leftovers_alone(here: Line) -> None:
    here.deploy(BEFORE)

    assert outcomes(here.deploy(AFTER, only=frozenset({"net"}))) == {"net": ("none", "done")}


def test_destroying_an_environment_takes_what_is_left_over_of_it_too(here: Line) -> None:
    here.deploy(BEFORE)

    result = here.destroy(AFTER)

    assert outcomes(result) == dict.fromkeys(("net", "web", "data"), ("delete", "done"))
    assert here.stacks() == {}


def test_destroying_some_stacks_leaves_leftovers_alone(here: Line) -> None:
    here.deploy(BEFORE)

    here.destroy(AFTER, only=frozenset({"web"}))

    assert sorted(here.stacks()) == ["dev-data", "dev-net"]


def test_looking_for_leftovers_costs_no_call(here: Line) -> None:
    here.deploy(environment(NET, READS_NOT))
    here.calls()

    here.deploy(environment(NET, READS_NOT))

    assert here.calls()["DescribeStacks"] == 1


def test_a_reviewed_deletion_is_executed_and_can_be_repeated(here: Line) -> None:
    here.deploy(BEFORE)
    saved = reviewed(here, AFTER, "Rows")

    result = deploy_plan(AFTER, saved, here.aws, Options(), here.host(), file="p")
    again = deploy_plan(AFTER, saved, here.aws, Options(), here.host(), file="p")

    assert outcomes(result) == {
        "net": ("none", "done"),
        "web": ("update", "done"),
        "data": ("delete", "done"),
    }
    assert again.exit_code == 0
    assert set(here.stacks()) == {"dev-net", "dev-web"}


def test_a_leftover_that_was_not_in_the_plan_is_refused(here: Line) -> None:
    here.deploy(AFTER)
    saved = reviewed(here, AFTER)
    here.deploy(environment(data()), only=frozenset({"data"}))

    with pytest.raises(Protected, match="data would be deleted and is not in the plan: plan again"):
        deploy_plan(AFTER, saved, here.aws, Options(), here.host(), file="p")


def test_a_reviewed_deletion_still_needs_consent(here: Line) -> None:
    here.deploy(BEFORE)
    saved = reviewed(here, AFTER)

    with pytest.raises(Protected, match=r"removes Rows \(AWS::SQS::Queue\), which holds data"):
        deploy_plan(AFTER, saved, here.aws, Options(), here.host(), file="p")
