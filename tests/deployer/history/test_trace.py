"""A run as spans, from CloudFormation's events: its stacks, their resources, and why something failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from deployer.history.trace import Part, StackRecord, covering, stack_parts
from deployer.progress import StackResult
from tests.deployer.pages.run_events import BEGIN, Story, created, failed_update

LATER = BEGIN + timedelta(seconds=500)


def parts_of(*stories: Story, now: datetime = BEGIN) -> tuple[Part, ...]:
    return stack_parts([StackRecord(one.stack, BEGIN, BEGIN, tuple(one.events)) for one in stories], now)


def second(moment: datetime) -> float:
    return (moment - BEGIN).total_seconds()


def ordered(part: Part) -> bool:
    inside = all(part.start <= one.start <= one.end <= part.end for one in part.parts)
    return part.start <= part.end and inside and all(map(ordered, part.parts))


def test_stacks_and_their_resources_have_cloudformations_times() -> None:
    network, alb = parts_of(created("alb", 50, ("Balancer", 51, 170)), created("network", 0, ("Vpc", 1, 20)))

    assert [part.name for part in (network, alb)] == ["create network", "create alb"]
    assert (second(alb.start), second(alb.end), alb.error) == (50, 171, "")
    (balancer,) = alb.parts
    assert (balancer.name, second(balancer.start), second(balancer.end)) == ("create Balancer", 51, 170)
    assert balancer.attributes == {
        "cloudformation.stack_name": "dev-litellm-alb",
        "cloudformation.logical_id": "Balancer",
        "cloudformation.resource_type": "AWS::Made::Balancer",
        "cloudformation.operation": "create",
        "cloudformation.status": "CREATE_COMPLETE",
    }
    assert alb.attributes["cloudformation.status"] == "CREATE_COMPLETE"


def test_a_failure_is_an_error_where_it_was_and_a_consequence_is_none() -> None:
    (service,) = parts_of(failed_update("no capacity"))

    assert "Service (AWS::Made::Service): no capacity" in service.error
    assert service.attributes["cloudformation.status"] == "UPDATE_ROLLBACK_COMPLETE"
    errors = {part.name: part.error for part in service.parts if part.error}
    assert errors == {"update Service": "no capacity"}
    phases = [part.attributes.get("cloudformation.phase") for part in service.parts]
    assert [phase for phase in phases if phase] == ["rollback", "cleanup"]
    assert ordered(service)


def test_what_goes_on_ends_now() -> None:
    story = Story("alb").at(0, "UPDATE_IN_PROGRESS").at(1, "UPDATE_IN_PROGRESS", "Rule")

    (alb,) = parts_of(story, now=LATER)

    assert (second(alb.end), second(alb.parts[0].end), alb.error) == (500, 500, "")
    (ahead,) = parts_of(story, now=BEGIN - timedelta(days=1))  # the sandbox's clock may be ahead of this one
    assert ordered(ahead)


def test_a_rollback_that_was_continued_begins_where_it_was_and_is_no_failure() -> None:
    story = failed_update()
    del story.events[-4:]
    story.at(90, "UPDATE_ROLLBACK_FAILED")
    story.at(9000, "UPDATE_ROLLBACK_IN_PROGRESS").at(9001, "UPDATE_IN_PROGRESS", "Service")
    story.at(9050, "UPDATE_COMPLETE", "Service").at(9060, "UPDATE_ROLLBACK_COMPLETE")

    (again,) = parts_of(story)

    assert (second(again.start), second(again.end), again.error) == (9000, 9060, "")
    assert [part.name for part in again.parts] == ["update Service"]


@pytest.mark.parametrize(
    ("outcome", "errors"),
    [
        ("failed", ["the change set was refused"]),
        ("protected", ["the change set was refused"]),
        ("done", []),
        ("skipped", []),
    ],
)
def test_a_stack_that_failed_before_an_operation_is_an_error_as_well(outcome: str, errors: list[str]) -> None:
    why = "the change set was refused"
    result = StackResult("alb", "dev-alb", "update", outcome, "UPDATE_COMPLETE", 1.0, why)  # type: ignore[arg-type]  # literals by parameter

    found = stack_parts([StackRecord("alb", BEGIN, LATER, (), result)], LATER)

    assert [part.error for part in found] == errors
    assert all((part.name, part.end) == ("update alb", LATER) for part in found)


def test_a_run_lasts_at_least_as_long_as_its_stacks() -> None:
    inside = Part("create alb", BEGIN, LATER)
    late = BEGIN + timedelta(seconds=3)

    whole = covering(Part("gatestack deploy", late, late, parts=(inside,)))

    assert (whole.start, whole.end) == (BEGIN, LATER)
    assert covering(Part("x", datetime(2026, 1, 1, tzinfo=UTC), LATER)).end == LATER
