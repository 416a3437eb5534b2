"""What a deployment does to exports in use, and its phases: decided from data alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from deployer.changes.export_impact import Impact, Side, Suspect, in_use, refusals, suspects
from deployer.changes.export_migration import needs_templates, phases
from deployer.changes.rewiring import PINNED, Use, expanded, pinned, uses, written_out
from deployer.states import Change, Output, PropertyChange, StackState
from generator.manifest import StackSpec
from tests.deployer.fakes import OURS, manifest, spec


def text(value: Any, *imports: str, **outputs: Any) -> str:
    readers = {
        f"R{index}": {"Type": "X", "Properties": {"V": {"Fn::ImportValue": one}}}
        for index, one in enumerate(imports)
    }
    found = {"Id": {"Value": value, "Export": {"Name": "dev-net-Id"}}} if value is not None else {}
    return json.dumps({"Resources": {"Vpc": {"Type": "X"}, **readers}, "Outputs": found | outputs})


def net(value: Any, *changes: Change, live: str = "vpc-1", **more: Any) -> Side:
    outputs = (Output("Id", live, "dev-net-Id"), Output("Plain", "x"))
    state = StackState("dev-net", "id-net", "UPDATE_COMPLETE", outputs=outputs, tags=OURS)
    return Side(spec("net", text(value)), state, changes, **more)


def web(*imports: str) -> Side:
    state = StackState("dev-web", "id-web", "UPDATE_COMPLETE", tags=OURS)
    return Side(spec("web", text(None, *imports)), state)


REF = {"Ref": "Vpc"}
REPLACED = Change("Modify", "Vpc", "X", replacement="True")
IN_PLACE = Change(
    "Modify", "Vpc", "X", replacement="False", details=(PropertyChange("Properties", "/Properties/Port"),)
)


@pytest.mark.parametrize(
    ("value", "changes", "before", "why"),
    [
        (REF, (REPLACED,), REF, "Vpc (X) is replaced"),
        (REF, (replace(REPLACED, replacement="Conditional"),), REF, "Vpc (X) may be replaced"),
        (
            REF,
            (replace(REPLACED, action="Add", replacement=None),),
            REF,
            "it refers to Vpc (X), which is new",
        ),
        ({"Fn::GetAtt": ["Vpc", "Arn"]}, (REPLACED,), None, "Vpc (X) is replaced"),
        ({"Fn::Sub": "a-${Vpc.Arn}"}, (REPLACED,), None, "Vpc (X) is replaced"),
        ({"Fn::Sub": ["${X}", {"X": REF}]}, (REPLACED,), None, "Vpc (X) is replaced"),
        ({"Fn::GetAtt": "Vpc.Endpoint.Port"}, (IN_PLACE,), None, "Endpoint.Port of Vpc (X) changes"),
        ({"Fn::GetAtt": "Vpc.Arn"}, (IN_PLACE,), None, ""),
        (REF, (IN_PLACE,), REF, ""),
        (REF, (), {"Ref": "Other"}, "it is made from something else"),
        (REF, (), None, ""),
        ("vpc-1", (REPLACED,), REF, ""),
        ("vpc-2", (), "vpc-1", "its value changes"),
        ({"Fn::ImportValue": "theirs"}, (), "vpc-1", ""),
        ({"Fn::ImportValue": "moved"}, (), "vpc-1", "its value changes"),
    ],
)
def test_an_export_is_suspected_for_what_its_value_is_made_from(
    value: Any, changes: tuple[Change, ...], before: Any, why: str
) -> None:
    region = {"theirs": "vpc-1", "moved": "vpc-2"}

    found = suspects(net(value, *changes), text(before) if before else None, region)

    assert found == ((Suspect("dev-net-Id", "net", "changed", why),) if why else ())


def test_a_parameter_behind_an_export_counts() -> None:
    side = net({"Ref": "Name"}, parameters={"Name": "b"})
    before = replace(side, stack=replace(side.stack, parameters={"Name": "a"}))

    assert [one.why for one in suspects(before, None, {})] == ["its parameter Name changes"]


def test_a_removed_export_is_suspected_and_a_stack_that_is_not_updated_never() -> None:
    gone = net(None)

    assert suspects(gone, None, {}) == (
        Suspect("dev-net-Id", "net", "removed", "the new template no longer has it"),
    )
    assert suspects(replace(gone, updates=False), None, {}) == ()
    assert suspects(net(REF), "not: json", {}) == ()


def impact(producer: Side, consumer: Side, *importers: str, kind: Any = "changed", **more: Any) -> Impact:
    sides = {"net": producer, "web": consumer}
    found = Suspect("dev-net-Id", "net", kind, "why")
    wanted = manifest(producer.spec, consumer.spec)
    return Impact(wanted, sides, (found,), {"dev-net-Id": importers}, **more)


def shapes(one: Impact, **templates: str) -> list[tuple[list[str], bool]]:
    return [([each.name for each in phase.manifest.stacks], phase.pins) for phase in phases(one, templates)]


def test_without_importers_there_is_one_phase() -> None:
    one = impact(net(REF), web())

    assert (shapes(one), refusals(one, one.wanted.stacks, migrate=False)) == ([(["net", "web"], False)], ())
    assert (in_use(one), needs_templates(one)) == ("", frozenset())


def test_a_changed_value_is_pinned_changed_and_imported_again() -> None:
    one = impact(net(REF), web("dev-net-Id"), "dev-web")

    assert [each.producer for each in refusals(one, one.wanted.stacks, migrate=False)] == ["net"]
    assert refusals(one, one.wanted.stacks, migrate=True) == ()
    assert needs_templates(one) == {"web"}
    found = phases(one, {"web": text(None, "dev-net-Id")})
    assert [phase.pins for phase in found] == [True, False, False]
    (held,) = found[0].manifest.stacks
    document = json.loads(held.template)
    assert document["Resources"]["R0"]["Properties"] == {"V": "vpc-1"}
    assert document["Outputs"][PINNED]["Value"] == "dev-net-Id"
    assert (held.lookups, held.uploads, held.tags) == ((), (), OURS)
    assert [each.name for each in found[1].manifest.stacks] == ["net"]
    assert found[2].manifest == one.wanted


def test_a_consumer_that_gives_a_changed_value_up_goes_first_without_consent() -> None:
    one = impact(net(REF), web(), "dev-web")

    assert refusals(one, one.wanted.stacks, migrate=False) == ()
    assert shapes(one) == [(["web"], False), (["net", "web"], False)]


def test_what_goes_away_goes_before_what_it_imports() -> None:
    one = impact(net(REF), web(), "dev-old", going=frozenset({"dev-old"}))

    assert refusals(one, one.wanted.stacks, migrate=False) == ()
    assert [phase.leftovers for phase in phases(one, {})] == [True, False]


def test_of_many_exports_one_is_named_and_the_rest_counted() -> None:
    many = tuple(Suspect(f"e{number}", "net", "removed", "why") for number in range(5))
    one = replace(
        impact(net(REF), web()), suspects=many, importers={each.export: ("theirs",) for each in many}
    )

    assert in_use(one) == "remove the export e0 (why) and 4 more, in use by theirs"


def test_uses_are_found_in_every_function() -> None:
    node = [{"Ref": "A"}, {"Fn::GetAtt": "B.C.D"}, {"Fn::Sub": "${E} ${F.G} ${!H} ${AWS::Region}"}]

    assert list(uses(node)) == [Use("A"), Use("B", "C.D"), Use("E"), Use("F", "G"), Use("AWS::Region")]


def test_only_named_imports_are_written_out() -> None:
    node = {"A": [{"Fn::ImportValue": "a"}, {"Fn::ImportValue": "b"}]}

    assert written_out(node, {"a": "1"}) == {"A": ["1", {"Fn::ImportValue": "b"}]}


def test_a_pinned_template_keeps_the_live_parameters_and_what_was_pinned_before() -> None:
    live = {"Parameters": {"Size": {"Type": "String", "Default": "1"}}, "Outputs": {PINNED: {"Value": "a"}}}

    found = json.loads(pinned(json.dumps(live), {"b": "2"}, {"Size": "3"}))

    assert found["Parameters"]["Size"]["Default"] == "3"
    assert found["Outputs"][PINNED]["Value"] == "a, b"


def test_an_old_export_is_kept_with_all_that_it_needs() -> None:
    live = {
        "Parameters": {"P": {"Type": "String"}, "Unused": {"Type": "String"}},
        "Mappings": {"M": {"a": {"b": "c"}}},
        "Conditions": {"C": {"Fn::Equals": [{"Ref": "P"}, "x"]}},
        "Resources": {
            "Old": {"Type": "X", "DependsOn": "First", "Condition": "C"},
            "First": {"Type": "X", "Properties": {"V": {"Fn::FindInMap": ["M", "a", "b"]}}},
            "Unused": {"Type": "X"},
        },
        "Outputs": {"Id": {"Value": {"Ref": "Old"}, "Export": {"Name": "old"}}, "Plain": {"Value": "x"}},
    }
    wanted = {"Resources": {}, "Outputs": {"Id": {"Value": "y", "Export": {"Name": "new"}}}}

    found = json.loads(expanded(json.dumps(wanted), json.dumps(live), {"old"}, {"P": "x"}))

    assert found == {
        "Parameters": {"P": {"Type": "String", "Default": "x"}},
        "Mappings": live["Mappings"],
        "Conditions": live["Conditions"],
        "Resources": {"Old": live["Resources"]["Old"], "First": live["Resources"]["First"]},
        "Outputs": {"Id": wanted["Outputs"]["Id"], "KeptId": live["Outputs"]["Id"]},
    }


def test_a_template_that_is_no_object_is_refused() -> None:
    with pytest.raises(ValueError, match="no JSON object"):
        pinned("[]", {}, {})
    assert StackSpec("a", "b", "{}").template == "{}"
