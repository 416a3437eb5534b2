"""How long a plan says that a deployment takes: each stack, and the path; events of what changes only."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from deployer import report
from deployer.changes.expectation import with_expectation
from deployer.errors import NotAllowed
from deployer.graph import graph
from deployer.pages.plan_page import Made, plan_page
from deployer.plan import Plan, StackPlan
from deployer.states import Change, StackState
from tests.deployer.fakes import Clock, FakeCloud, Live, chain, manifest, spec
from tests.deployer.pages.run_events import created

DATABASE = "AWS::RDS::DBInstance"


def planned(name: str, action: str, *changes: Change) -> StackPlan:
    there = StackState(f"dev-{name}", f"arn:{name}", "CREATE_COMPLETE") if action != "create" else None
    return StackPlan(name, f"dev-{name}", action, exact=True, changes=changes, stack=there)  # type: ignore[arg-type]  # literals by name


@pytest.fixture
def cloud() -> FakeCloud:
    made = FakeCloud(Clock())
    story = created("a", 0, ("Db", 1, 500), ("Old", 1, 9))
    story.at(1000, "UPDATE_IN_PROGRESS").at(1002, "UPDATE_IN_PROGRESS", "Db").at(
        1202, "UPDATE_COMPLETE", "Db"
    )
    story.at(1204, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS").at(1204, "UPDATE_COMPLETE")
    for name in "abc":
        made.live[f"arn:{name}"] = Live(StackState(f"dev-{name}", f"arn:{name}", "CREATE_COMPLETE"))
    made.live["arn:a"].events.extend(story.events)
    return made


UPDATED = Change("Modify", "Db", DATABASE, replacement="False")
WANTED = manifest(*chain("a", "b"), spec("c"))


def test_stacks_that_wait_for_each_other_take_their_times_together(cloud: FakeCloud) -> None:
    new = Change("Add", "Db", DATABASE)
    plan = Plan("dev", (planned("a", "update", UPDATED), planned("b", "create", new), planned("c", "none")))

    found = with_expectation(plan, WANTED, graph(WANTED.stacks), cloud)

    assert [one.seconds for one in found.stacks] == [204, 630, 0]
    assert found.seconds == 834
    assert cloud.calls == [("events", "arn:a")]
    document = json.loads(report.plan_json(found))
    assert document["expected_seconds"] == 834
    assert [one["expected_seconds"] for one in document["stacks"]] == [204, 630, 0]
    assert report.plan_text(found).splitlines()[-1].endswith("; about 14 min in AWS")
    assert "**Time**: about 14 min in AWS" in report.plan_markdown(found)
    page = plan_page(found, Made("eu-west-1", datetime(2026, 11, 28, tzinfo=UTC), "dev"))
    assert ("Time", "about 14 min in AWS") in page.facts


def test_where_nothing_changes_nothing_is_asked_and_no_time_told(cloud: FakeCloud) -> None:
    plan = Plan("dev", tuple(planned(name, "none") for name in "abc"))

    found = with_expectation(plan, WANTED, graph(WANTED.stacks), cloud)

    assert (found.seconds, cloud.calls) == (0, [])
    assert "in AWS" not in report.plan_text(found) + report.plan_markdown(found)


def test_who_may_not_read_events_is_told_what_is_usual(cloud: FakeCloud) -> None:
    cloud.raises["events"] = [NotAllowed("not authorized to perform: cloudformation:DescribeStackEvents")]
    plan = Plan("dev", (planned("a", "update", UPDATED),))

    assert with_expectation(plan, WANTED, graph(WANTED.stacks), cloud).seconds == 630
