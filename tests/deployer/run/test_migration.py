"""Exports in use: seen before anything is executed, and changed in phases where that is possible."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deployer.changes.preview import plan
from deployer.changes.rewiring import PINNED
from deployer.options import Options
from deployer.plan import Plan
from deployer.progress import Notice, Result
from generator.manifest import Manifest, StackSpec
from tests.deployer.fakes import manifest
from tests.sandbox.sandbox_fakes import of, thing
from tests.sandbox.sandbox_wire import (
    REGION,
    Killed,
    Line,
    imported,
    line,
    made_of,
    moments,
    outcomes,
)


@pytest.fixture
def aws() -> Iterator[Line]:
    with line() as made:
        yield made


def net(name: str = "vpc", **exports: Any) -> StackSpec:
    """Exports the id of what a change of its name replaces."""
    return made_of("net", {"One": thing(Name=name)}, exports or {"Id": {"Ref": "One"}})


def user(name: str, *imports: str, exports: dict[str, Any] | None = None, **more: Any) -> StackSpec:
    """Reads every import by a resource of its own; its own name stays."""
    resources = {f"Reader{index}": thing(Value=imported(one)) for index, one in enumerate(imports)}
    return made_of(name, {**resources, "Own": thing(Value=name, **more)}, exports)


def of_dev(*stacks: StackSpec) -> Manifest:
    return manifest(*stacks, region=REGION)


def two(name: str = "vpc") -> Manifest:
    return of_dev(net(name), user("web", "dev-net-Id"))


def three(name: str = "vpc") -> Manifest:
    """What web imports from lb is made from what lb imports from net: one change brings about the next."""
    chained = made_of(
        "lb", {"One": thing(Options={"Kind": imported("dev-net-Id")})}, {"Arn": {"Fn::GetAtt": "One.Arn"}}
    )
    return of_dev(net(name), chained, user("web", "dev-lb-Arn"))


def refused(result: Result) -> dict[str, str]:
    return {stack.name: stack.reason for stack in result.stacks if stack.outcome == "protected"}


def told(aws: Line) -> list[str]:
    return [event.text for event in aws.told if isinstance(event, Notice) and event.text.startswith("phase")]


def seen(aws: Line) -> dict[tuple[str, str], Any]:
    """What every resource was made with."""
    made = aws.box.provisioner.made.values()
    return {(one.stack_name, one.logical_id): one.properties.get("Value") for one in made}


def exports(aws: Line) -> dict[str, str]:
    return {one["Name"]: one["Value"] for one in aws.ask("ListExports")["Exports"]}


def importers(aws: Line, export: str) -> list[str]:
    return list(aws.ask("ListImports", ExportName=export)["Imports"])


def operations_since(aws: Line, before: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: done[len(before.get(name, [])) :] for name, done in aws.operations().items()}


# refused


def test_a_changed_value_in_use_is_refused_before_anything_is_touched(aws: Line) -> None:
    aws.deploy(two())
    before = aws.operations()

    result = aws.deploy(two("other"))

    assert result.exit_code == 4
    assert refused(result) == {
        "net": "it would change the export dev-net-Id (One (AWS::Test::Thing) is replaced), in use by web, "
        "which AWS refuses; --migrate-exports does it in steps: expect an interruption until the last one"
    }
    assert (aws.operations(), aws.change_sets()) == (before, [])


@pytest.mark.parametrize("consent", [True, False])
@pytest.mark.parametrize(
    ("changed", "what"),
    [
        (net("other"), "change the export dev-net-Id (One (AWS::Test::Thing) is replaced)"),
        (net("vpc", Other="x"), "remove the export dev-net-Id (the new template no longer has it)"),
        (net("vpc", Id="fixed"), "change the export dev-net-Id (its value changes)"),
        (net(Id={"Fn::GetAtt": "One.Arn"}), "change the export dev-net-Id (it is made from something else)"),
    ],
    ids=["replaced", "removed", "literal", "expression"],
)  # fmt: skip
def test_what_others_import_is_neither_changed_nor_removed(
    aws: Line, changed: StackSpec, what: str, *, consent: bool
) -> None:
    aws.deploy(of_dev(net(), user("web")))
    aws.box.deploy("theirs", of({"One": thing(Value=imported("dev-net-Id"))}))
    before = aws.operations()

    result = aws.deploy(of_dev(changed, user("web", Size="2")), migrate_exports=consent)

    assert result.exit_code == 4
    assert refused(result) == {
        "net": f"it would {what}, which theirs imports and AWS refuses: change theirs first so that it "
        "no longer imports it, or leave the export as it is"
    }
    assert (aws.operations(), aws.change_sets()) == (before, [])


def test_a_consumer_left_out_by_only_is_named(aws: Line) -> None:
    aws.deploy(two())

    result = aws.deploy(two("other"), only=frozenset(["net"]), migrate_exports=True)

    assert result.exit_code == 4
    assert "deploy web in the same run (is it left out by --only?)" in refused(result)["net"]


def test_a_stack_of_ours_by_name_alone_is_not_pinned(aws: Line) -> None:
    aws.deploy(of_dev(net()))
    aws.box.deploy("dev-web", of({"Reader0": thing(Value=imported("dev-net-Id"))}))

    result = aws.deploy(two("other"), migrate_exports=True)

    assert result.exit_code == 4
    assert "which dev-web imports" in refused(result)["net"]


# changed values


def test_with_consent_a_changed_value_goes_through_its_phases(aws: Line) -> None:
    aws.deploy(two())
    before = aws.operations()

    result = aws.deploy(two("other"), migrate_exports=True)

    assert outcomes(result) == {"net": ("update", "done"), "web": ("update", "done")}
    assert exports(aws) == {"dev-net-Id": "other"}
    assert seen(aws)["dev-web", "Reader0"] == "other"
    assert importers(aws, "dev-net-Id") == ["dev-web"]
    assert operations_since(aws, before) == {"dev-net": ["UPDATE"], "dev-web": ["UPDATE", "UPDATE"]}
    assert told(aws) == [
        "phase 1 of 3: web are pinned to the current values of dev-net-Id",
        "phase 2 of 3: net first: importers of dev-net-Id must get the new value",
        "phase 3 of 3: everything as it should be",
        "phase 1 of 2: net first: importers of dev-net-Id must get the new value",
        "phase 2 of 2: everything as it should be",
    ]
    assert aws.change_sets() == []
    template = aws.ask("GetTemplate", StackName="dev-web")["TemplateBody"]
    assert PINNED not in json.loads(template)["Outputs"]


def test_what_a_change_brings_about_further_on_is_migrated_as_well(aws: Line) -> None:
    aws.deploy(three())
    before = exports(aws)["dev-lb-Arn"]

    result = aws.deploy(three("other"), migrate_exports=True)

    assert outcomes(result) == dict.fromkeys(("net", "lb", "web"), ("update", "done"))
    assert exports(aws)["dev-lb-Arn"] != before
    assert seen(aws)["dev-web", "Reader0"] == exports(aws)["dev-lb-Arn"]


def test_after_a_migration_nothing_is_left_to_do(aws: Line) -> None:
    aws.deploy(two())
    aws.deploy(two("other"), migrate_exports=True)

    assert outcomes(aws.deploy(two("other"))) == {"net": ("none", "done"), "web": ("none", "done")}


def test_a_failing_producer_leaves_consumers_with_todays_value_and_the_next_run_connects_them(
    aws: Line,
) -> None:
    aws.deploy(two())
    aws.sandbox.faults.add({"resources": [{"operation": "create", "stack": "dev-net", "reason": "no"}]})

    failed = aws.deploy(two("other"), migrate_exports=True)

    assert outcomes(failed) == {"net": ("update", "failed"), "web": ("update", "done")}
    assert failed.exit_code == 1
    assert seen(aws)["dev-web", "Reader0"] == "vpc"
    assert importers_or_none(aws, "dev-net-Id") == []

    assert aws.deploy(two()).exit_code == 0
    assert importers(aws, "dev-net-Id") == ["dev-web"]


def importers_or_none(aws: Line, export: str) -> list[str]:
    return list(aws.aws.importers(export))


def kills(before: Manifest, wanted: Manifest, step: int, **options: Any) -> Iterator[Line]:
    """Kill the way to *wanted* after each *step*-th of its `moments` (0: every call), and go it again."""
    options["poll_interval"] = 20.0
    with line() as aws:
        aws.deploy(before, poll_interval=20.0)
        aws.calls()
        assert aws.deploy(wanted, **options).exit_code == 0
        calls = list(aws.sandbox.calls)
    assert len(calls) > 30
    for after in moments(calls)[::step] if step else range(1, len(calls) + 1):
        with line() as aws:
            aws.deploy(before, poll_interval=20.0)
            aws.wire.kill_after = aws.wire.count + after
            with pytest.raises(Killed):
                aws.deploy(wanted, **options)
            aws.wire.kill_after = None
            assert aws.deploy(wanted, **options).exit_code == 0, after
            yield aws


EVERY = pytest.mark.deep


@pytest.mark.parametrize(
    ("wanted", "step"),
    [(two, 6), (three, 18), pytest.param(two, 0, marks=EVERY), pytest.param(three, 0, marks=EVERY)],
)
def test_a_migration_killed_after_any_call_is_taken_up_by_the_same_command(wanted: Any, step: int) -> None:
    for aws in kills(wanted(), wanted("other"), step, migrate_exports=True):
        assert exports(aws)["dev-net-Id"] == "other"
        assert importers(aws, "dev-net-Id")
        assert aws.change_sets() == []


# removed exports


def both(name: str = "vpc") -> StackSpec:
    return net(name, Id={"Ref": "One"}, Arn={"Fn::GetAtt": "One.Arn"})


def test_a_removed_export_goes_after_the_consumer_has_given_it_up(aws: Line) -> None:
    aws.deploy(of_dev(both(), user("web", "dev-net-Id", "dev-net-Arn")))
    before = aws.operations()

    result = aws.deploy(of_dev(net(), user("web", "dev-net-Id")))

    assert outcomes(result) == {"net": ("update", "done"), "web": ("update", "done")}
    assert told(aws) == [
        "phase 1 of 2: web first: they stop importing dev-net-Arn",
        "phase 2 of 2: everything as it should be",
    ]
    assert operations_since(aws, before) == {"dev-net": ["UPDATE"], "dev-web": ["UPDATE"]}
    assert exports(aws) == {"dev-net-Id": "vpc"}


def test_where_the_consumer_needs_a_new_export_at_once_both_are_there_for_a_while(aws: Line) -> None:
    aws.deploy(of_dev(net(), user("web", "dev-net-Id")))
    before = aws.operations()
    renamed = made_of("net", {"One": thing(Name="vpc"), "Two": thing()}, {"New": {"Ref": "One"}})

    result = aws.deploy(of_dev(renamed, user("web", "dev-net-New")))

    assert outcomes(result) == {"net": ("update", "done"), "web": ("update", "done")}
    assert told(aws)[:2] == [
        "phase 1 of 2: net with old and new exports, until nothing imports dev-net-Id",
        "phase 2 of 2: everything as it should be",
    ]
    assert operations_since(aws, before) == {"dev-net": ["UPDATE", "UPDATE"], "dev-web": ["UPDATE"]}
    assert exports(aws) == {"dev-net-New": "vpc"}


def test_what_an_old_export_needs_stays_until_it_is_given_up(aws: Line) -> None:
    aws.deploy(of_dev(net(), user("web", "dev-net-Id")))
    moved = made_of("net", {"Other": thing(Name="new")}, {"New": {"Ref": "Other"}})

    result = aws.deploy(of_dev(moved, user("web", "dev-net-New")))

    assert outcomes(result) == {"net": ("update", "done"), "web": ("update", "done")}
    assert sorted(aws.box.provisioner.made) == sorted(["new", *_others(aws)])
    assert seen(aws)["dev-web", "Reader0"] == "new"


def _others(aws: Line) -> list[str]:
    return [name for name, one in aws.box.provisioner.made.items() if one.stack_name == "dev-web"]


@pytest.mark.parametrize("step", [6, pytest.param(0, marks=EVERY)])
def test_a_removal_killed_after_any_call_is_taken_up_by_the_same_command(step: int) -> None:
    moved = made_of("net", {"Other": thing(Name="new")}, {"New": {"Ref": "Other"}})
    for aws in kills(two(), of_dev(moved, user("web", "dev-net-New")), step):
        assert (exports(aws), aws.change_sets()) == ({"dev-net-New": "new"}, [])


def test_a_stack_that_goes_away_gives_its_imports_up_first(aws: Line) -> None:
    aws.deploy(of_dev(both(), user("web", "dev-net-Arn"), user("api", "dev-net-Id")))

    result = aws.deploy(of_dev(net(), user("api", "dev-net-Id")))

    assert result.exit_code == 0
    assert sorted(aws.stacks()) == ["dev-api", "dev-net"]
    assert exports(aws) == {"dev-net-Id": "vpc"}


# nothing in the way


def test_what_is_not_in_use_changes_in_one_phase(aws: Line) -> None:
    aws.deploy(of_dev(both(), user("web")))

    result = aws.deploy(of_dev(net("other"), user("web")))

    assert (outcomes(result), told(aws)) == ({"net": ("update", "done"), "web": ("none", "done")}, [])


def test_an_export_that_stays_as_it_is_costs_one_look_at_the_template(aws: Line) -> None:
    aws.deploy(of_dev(net(), user("web", "dev-net-Id")))
    more = made_of("net", {"One": thing(Name="vpc"), "Two": thing()}, {"Id": {"Ref": "One"}})
    aws.calls()

    assert outcomes(aws.deploy(of_dev(more, user("web", "dev-net-Id"))))["net"] == ("update", "done")

    found = aws.calls()
    compared = 1  # the template of the change set that is executed
    assert (found["GetTemplate"] - compared, found["ListImports"]) == (1, 0)


def test_a_changed_export_that_is_imported_anew_is_there_before_its_consumer_is_worked_out(aws: Line) -> None:
    aws.deploy(of_dev(net(), user("web")))

    result = aws.deploy(two("other"))

    assert outcomes(result) == {"net": ("update", "done"), "web": ("update", "done")}
    assert seen(aws)["dev-web", "Reader0"] == "other"
    assert told(aws)[0] == "phase 1 of 2: net first: importers of dev-net-Id must get the new value"


# plans


def planned(aws: Line, wanted: Manifest, **options: Any) -> Plan:
    return plan(wanted, aws.aws, Options(poll_interval=5.0, **options), aws.host())


def test_a_plan_says_what_stops_it_and_with_consent_which_phases_it_takes(aws: Line) -> None:
    aws.deploy(two())

    without, with_ = planned(aws, two("other")), planned(aws, two("other"), migrate_exports=True)

    (problem,) = without.stacks[0].problems
    assert problem.startswith("it would change the export dev-net-Id (One (AWS::Test::Thing) is replaced)")
    assert with_.problems == ()
    assert with_.notices == (
        "phase 1 of 3: web are pinned to the current values of dev-net-Id",
        "phase 2 of 3: net first: importers of dev-net-Id must get the new value",
        "phase 3 of 3: everything as it should be",
    )
    assert aws.change_sets() == []
