"""Order from templates alone, and what is refused by name."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from deployer.errors import GraphError
from deployer.graph import graph
from deployer.states import ExportState
from tests.deployer.fakes import chain, spec, template


def export(name: str, stack: str) -> ExportState:
    return ExportState(name, "value", f"arn:aws:cloudformation:eu-west-1:111122223333:stack/{stack}/1")


DIAMOND = (
    spec("top", template(imports=["Left", "Right"])),
    spec("left", template(exports=["Left"], imports=["Bottom"])),
    spec("right", template(exports=["Right"], imports=["Bottom"])),
    spec("bottom", template(exports=["Bottom"])),
)


def test_stacks_come_after_what_they_import_from() -> None:
    found = graph(DIAMOND)

    assert found.waves() == (("bottom",), ("left", "right"), ("top",))
    assert found.needs == {
        "top": {"left", "right"},
        "left": {"bottom"},
        "right": {"bottom"},
        "bottom": frozenset(),
    }
    assert found.needed_by("bottom") == {"left", "right"}
    assert found.imported("top", "left") == ("Left",)


def test_the_longest_path_counts_what_goes_one_after_the_other_and_not_what_goes_side_by_side() -> None:
    found = graph(DIAMOND)

    assert found.longest({"bottom": 10, "left": 5, "right": 30, "top": 1}) == 41
    assert found.longest({"left": 5}) == 5
    assert graph(()).longest({}) == 0


def test_removal_goes_the_other_way_round() -> None:
    found = graph(DIAMOND).reversed()

    assert found.waves()[0] == ("top",)
    assert found.waves()[-1] == ("bottom",)
    assert found.needs["bottom"] == {"left", "right"}


def test_an_import_deep_inside_a_template_counts() -> None:
    reader = {"Type": "X", "Properties": {"A": [{"Fn::Join": ["", [{"Fn::ImportValue": "Deep"}]]}]}}

    found = graph([spec("b", template({"R": reader})), spec("a", template(exports=["Deep"]))])

    assert found.waves() == (("a",), ("b",))


def test_an_export_of_the_region_satisfies_an_import() -> None:
    found = graph([spec("a", template(imports=["Shared"]))], [export("Shared", "shared-network")])

    assert found.external == {"a": {"Shared"}}


def test_without_a_region_what_nobody_exports_is_external() -> None:
    assert graph([spec("a", template(imports=["Shared"]))]).external == {"a": {"Shared"}}


def test_every_missing_export_is_named() -> None:
    with pytest.raises(
        GraphError, match="a imports One, which no stack exports; a imports Two, which no"
    ) as e:
        graph([spec("a", template(imports=["Two", "One"]))], [])
    assert e.value.exit_code == 2


def test_an_export_that_a_stack_of_the_run_has_lost_does_not_count_as_there() -> None:
    with pytest.raises(GraphError, match="b imports Old"):
        graph([spec("a"), spec("b", template(imports=["Old"]))], [export("Old", "dev-a")])


def test_a_circle_is_told_with_its_path() -> None:
    circle = [
        spec("a", template(exports=["A"], imports=["C"])),
        spec("b", template(exports=["B"], imports=["A"])),
        spec("c", template(exports=["C"], imports=["B"])),
    ]

    with pytest.raises(GraphError) as error:
        graph(circle)

    path = str(error.value).split(": ")[1].split(" -> ")
    assert path[0] == path[-1]
    assert set(path) == {"a", "b", "c"}
    imports = {"a": "c", "b": "a", "c": "b"}
    assert all(imports[one] == other for one, other in pairwise(path))


def test_a_stack_that_imports_its_own_export_is_refused() -> None:
    with pytest.raises(GraphError, match="a imports what it exports itself: a -> a"):
        graph([spec("a", template(exports=["A"], imports=["A"]))])


def test_two_owners_of_one_export_are_refused() -> None:
    with pytest.raises(GraphError, match="a and b both export Same"):
        graph([spec("a", template(exports=["Same"])), spec("b", template(exports=["Same"]))])


def test_an_export_twice_in_one_template_is_refused() -> None:
    document = {"Outputs": {key: {"Value": "v", "Export": {"Name": "Same"}} for key in ("One", "Two")}}

    with pytest.raises(GraphError, match="a: exports Same twice"):
        graph([spec("a", json.dumps(document))])


def test_an_export_of_another_stack_of_the_account_is_refused() -> None:
    with pytest.raises(GraphError, match="the export A belongs to the stack other of this account"):
        graph([spec("a", template(exports=["A"]))], [export("A", "other")])


def test_our_own_export_from_an_earlier_deployment_is_no_conflict() -> None:
    (a,) = chain("a")

    assert graph([a], [export("dev-a-Id", "dev-a")]).names == ("a",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"Outputs": {"O": {"Value": "v", "Export": {"Name": {"Fn::Sub": "${X}-A"}}}}}',
            "a: Export .*literal",
        ),
        ('{"Resources": {"R": {"Fn::ImportValue": {"Ref": "Name"}}}}', "a: Fn::ImportValue .*literal text"),
        ("[]", "a: the template is no JSON object"),
        ("Resources:", "a: the template is no JSON object"),
    ],
)
def test_what_cannot_be_known_before_deployment_is_refused(text: str, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        graph([replace(spec("a"), template=text)])


def test_what_is_behind_a_stack_is_everything_before_it() -> None:
    order = graph(DIAMOND)

    assert {one: sorted(order.behind(one)) for one in order.names} == {
        "bottom": [],
        "left": ["bottom"],
        "right": ["bottom"],
        "top": ["bottom", "left", "right"],
    }
