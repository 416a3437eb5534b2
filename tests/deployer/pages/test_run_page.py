"""What the page about a run says, from CloudFormation's events alone: which run, which bars, which cause."""

from __future__ import annotations

import json

import pytest

from deployer.history.operations import last_run, operations, spans
from deployer.pages.needs import resource_needs, reversed_needs, stack_needs
from deployer.pages.run_page import Seen, run_page
from tests.deployer.pages.run_events import BEGIN, OTHER, RUN, Story, created, failed_update, page_of


def imports(*exports: str, **resources: list[str]) -> str:
    """Return a template that imports *exports*, with resources that depend on each other."""
    bodies = {name: {"Type": "A::B::C", "DependsOn": needs} for name, needs in resources.items()}
    metadata = [{"Fn::ImportValue": export} for export in exports]
    return json.dumps({"Metadata": {"i": metadata}, "Resources": bodies})


def exports(name: str) -> str:
    return json.dumps({"Outputs": {"O": {"Value": "1", "Export": {"Name": name}}}, "Resources": {}})


def test_a_deployment_is_one_row_a_stack_with_its_resources_by_their_beginnings() -> None:
    page = page_of(
        created("network", 0, ("Vpc", 1, 10), ("Subnet", 11, 20)), created("alb", 22, ("Lb", 23, 90))
    )

    assert page.verdict == "Deployment of 2 stacks done in 1 min 31 s"
    assert [each.own.name for each in page.stacks] == ["network", "alb"]
    assert [row.name for row in page.stacks[0].resources] == ["Vpc", "Subnet"]
    assert [row.start for row in page.stacks[0].resources] == ["0:01", "0:11"]
    assert page.stacks[1].resources[0].took == "1 min 7 s"
    assert page.cause is None
    assert dict(page.facts) == {
        "Account": "123456789012",
        "Region": "us-east-1",
        "Began": "2026-11-21 09:00:00 UTC",
        "Ended": "2026-11-21 09:01:31 UTC",
    }


def test_bars_stand_where_their_time_is() -> None:
    page = page_of(created("network", 0, ("Vpc", 25, 50), ("Late", 75, 99)))

    (vpc,), (late,) = (row.bars for row in page.stacks[0].resources)
    assert (vpc.left, vpc.width, late.left) == (25.0, 25.0, 75.0)
    assert [tick.text for tick in page.ticks] == ["0:00", "0:15", "0:30", "0:45", "1:00", "1:15", "1:30"]
    assert page.ticks[1].left == page.step == 15.0


def test_the_longest_path_goes_through_imports_and_dependencies_and_is_told_against_the_whole() -> None:
    page = page_of(
        created("network", 0, ("Vpc", 1, 10), ("Table", 10, 13), ("Nat", 10, 99)),
        created("alb", 101, ("Lb", 102, 150)),
        created("database", 105, ("Database", 106, 700)),
        created("service", 710, ("Service", 711, 799)),
        templates={
            "network": imports(Vpc=[], Table=["Vpc"], Nat=["Vpc"]).replace(
                '"Resources"', '"Outputs": {"O": {"Value": "1", "Export": {"Name": "vpc"}}}, "Resources"'
            ),
            "alb": imports("vpc"),
            "database": imports("vpc").replace(
                '"Resources"', '"Outputs": {"O": {"Value": "1", "Export": {"Name": "db"}}}, "Resources"'
            ),
            "service": imports("db", Service=[]),
        },
    )

    assert [step.stack for step in page.path] == ["network", "database", "service"]
    assert page.path_words == "13 min 6 s of 13 min 20 s (98 %)"
    assert page.path[0].resources == (("Vpc", "9.0 s"), ("Nat", "1 min 29 s"))
    assert [row.name for row in page.stacks[0].resources if row.on_path] == ["Vpc", "Nat"]
    assert [each.own.on_path for each in page.stacks] == [True, False, True, True]
    assert [each.open for each in page.stacks] == [True, False, True, True]


def test_a_failed_update_shows_its_first_cause_its_rollback_and_its_clean_up() -> None:
    page = page_of(failed_update())

    assert page.verdict == "Deployment of 1 stack failed after 1 min 25 s: service rolled back"
    assert page.cause is not None
    assert (page.cause.stack, page.cause.logical_id, page.cause.at) == ("service", "Service", "1:00")
    assert page.cause.reason == "no capacity"
    own, rows = page.stacks[0].own, {row.name: row for row in page.stacks[0].resources}
    assert (own.state, own.ended) == ("rolled back", "rolled back")
    assert [(bar.state, bar.phase) for bar in own.bars] == [
        ("failed", "work"),
        ("done", "rollback"),
        ("done", "cleanup"),
    ]
    assert [(bar.state, bar.phase) for bar in rows["Service"].bars] == [
        ("failed", "work"),
        ("done", "rollback"),
    ]
    assert rows["Service"].did == "update, then update in the rollback"
    assert rows["Service"].reason == "no capacity"
    assert rows["Scaling"].state == "cancelled"
    assert rows["Task"].did == "update, then deletion in the clean-up"
    assert page.stacks[0].open


def test_of_two_failures_the_cause_is_the_one_that_came_first() -> None:
    later = Story("alb").at(0, "CREATE_IN_PROGRESS").at(90, "CREATE_FAILED", "Lb", "quota")
    later.at(91, "ROLLBACK_IN_PROGRESS").at(95, "ROLLBACK_COMPLETE")

    page = page_of(later, failed_update())

    assert page.cause is not None
    assert page.cause.stack == "service"
    assert page.verdict == (
        "Deployment of 2 stacks failed after 1 min 35 s: alb rolled back, service rolled back"
    )


def test_what_goes_on_is_drawn_until_now() -> None:
    network = Story("network").at(0, "DELETE_IN_PROGRESS").at(1, "DELETE_IN_PROGRESS", "Nat")
    network.at(1, "DELETE_IN_PROGRESS", "Vpc").at(40, "DELETE_COMPLETE", "Vpc")

    page = page_of(network, now=100)

    assert page.verdict == "Removal of 1 stack in progress: 1 running, 1 min 40 s so far"
    assert page.facts[-1][0] == "Seen last"
    rows = {row.name: row for row in page.stacks[0].resources}
    assert (rows["Nat"].state, rows["Nat"].took) == ("going", "1 min 39 s")
    assert rows["Vpc"].state == "done"
    assert page.stacks[0].own.ended == "in progress"


def test_a_clock_that_is_behind_that_of_aws_cuts_nothing_off() -> None:
    network = Story("network").at(0, "CREATE_IN_PROGRESS").at(30, "CREATE_IN_PROGRESS", "Vpc")

    page = page_of(network, now=-500)

    assert page.stacks[0].own.took == "30 s"
    assert page.stacks[0].resources[0].bars[0].width == 0


def test_in_a_removal_the_path_goes_from_what_imports_to_what_exports() -> None:
    service = Story("service").at(0, "DELETE_IN_PROGRESS").at(50, "DELETE_COMPLETE")
    network = Story("network").at(52, "DELETE_IN_PROGRESS").at(100, "DELETE_COMPLETE")

    page = page_of(service, network, templates={"service": imports("vpc"), "network": exports("vpc")})

    assert [step.stack for step in page.path] == ["service", "network"]
    assert page.path_words == "1 min 38 s of 1 min 40 s (98 %)"


def test_only_the_stacks_of_the_newest_run_are_shown_however_close_the_one_before_was() -> None:
    before = [created("network", 0, ("Vpc", 1, 10), run=OTHER), created("alb", 0, ("Lb", 1, 99), run=OTHER)]
    now = Story("service").at(105, "UPDATE_IN_PROGRESS").at(110, "UPDATE_COMPLETE")

    assert [each.own.name for each in page_of(*before, now).stacks] == ["service"]


def test_a_stack_that_one_run_came_to_twice_has_two_rows() -> None:
    twice = Story("alb").at(0, "UPDATE_IN_PROGRESS").at(10, "UPDATE_COMPLETE")
    twice.token = f"{RUN}p1-{'a' * 20}"  # a later phase of the same run
    twice.at(20, "UPDATE_IN_PROGRESS").at(30, "UPDATE_COMPLETE")

    page = page_of(twice)

    assert [each.own.name for each in page.stacks] == ["alb", "alb (2)"]
    assert [step.stack for step in page.path] == ["alb", "alb (2)"]


def test_without_marks_a_run_is_what_follows_closely_and_the_last_on_each_stack() -> None:
    old = created("database", 0, ("Database", 1, 10), run="")
    network = created("network", 1000, ("Vpc", 1001, 1100), run="")
    alb = created("alb", 1190, ("Lb", 1191, 1200), run="")

    assert [each.own.name for each in page_of(old, network, alb).stacks] == ["network", "alb"]


def test_a_deletion_that_was_refused_later_does_not_make_the_operation_longer() -> None:
    network = created("network", 0, ("Vpc", 1, 10))
    network.at(90_000, "CREATE_COMPLETE", "", "Export vpc cannot be deleted as it is in use by alb")

    page = page_of(network)

    assert page.verdict == "Deployment of 1 stack done in 11 s"
    assert page.cause is None


def test_a_resource_that_nothing_more_is_told_of_ended_with_its_stack() -> None:
    story = Story("network").at(0, "CREATE_IN_PROGRESS").at(1, "CREATE_IN_PROGRESS", "Vpc")
    story.at(20, "CREATE_FAILED", "", "timed out")

    row = page_of(story).stacks[0].resources[0]

    assert (row.state, row.took) == ("stopped", "19 s")


def test_an_environment_with_nothing_says_so_and_a_prepared_stack_is_nothing() -> None:
    page = page_of(Story("network").at(0, "REVIEW_IN_PROGRESS"))

    assert page.verdict == "CloudFormation has no events of dev"
    assert (page.stacks, page.path, page.cause) == ((), (), None)


def test_what_could_not_be_read_is_said() -> None:
    run = last_run(operations("alb", created("alb", 0, ("Lb", 1, 2)).events))

    notes = run_page(Seen("dev", "us-east-1", run, {}, BEGIN, ("service",))).notes

    assert notes[0].startswith("The dependencies of alb are unknown")
    assert notes[1].startswith("Not there: service.")


def test_a_resource_that_is_tried_again_is_one_bar_and_ends_as_the_last_try() -> None:
    story = Story("network").at(0, "DELETE_IN_PROGRESS").at(1, "DELETE_IN_PROGRESS", "Vpc")
    story.at(5, "DELETE_FAILED", "Vpc", "in use").at(6, "DELETE_IN_PROGRESS", "Vpc")
    story.at(9, "DELETE_COMPLETE", "Vpc").at(10, "DELETE_COMPLETE")

    (one,) = operations("network", story.events)

    assert [(span.verb, span.state) for span in spans(one, BEGIN)["Vpc"]] == [("delete", "done")]


def test_resources_wait_for_what_they_refer_to_in_any_way() -> None:
    template = {
        "Resources": {
            "A": {"Type": "T"},
            "B": {"Type": "T", "DependsOn": "A", "Properties": {"P": {"Ref": "AWS::Region"}}},
            "C": {"Type": "T", "Properties": {"P": [{"Fn::GetAtt": ["B", "Arn"]}, {"Fn::GetAtt": "A.Arn"}]}},
            "D": {"Type": "T", "Properties": {"P": {"Fn::Sub": "${C.Arn}-${!A}-${AWS::Region}-${Self}"}}},
            "E": {"Type": "T", "Properties": {"P": {"Fn::Sub": ["${x}${D}", {"x": {"Ref": "E"}}]}}},
        }
    }

    needs = resource_needs(json.dumps(template))

    assert needs == {
        "A": set(),
        "B": {"A"},
        "C": {"A", "B"},
        "D": {"C"},
        "E": {"D"},
    }
    assert reversed_needs(needs)["B"] == {"C"}


@pytest.mark.parametrize("template", ["", "[]", "{}", '{"Resources": []}', '{"Resources": 3}'])
def test_a_template_that_cannot_be_read_says_nothing(template: str) -> None:
    assert resource_needs(template) == {}
    assert stack_needs({"a": template}).get("a", frozenset()) == frozenset()
