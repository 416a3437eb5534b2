"""How long an operation will take: what CloudFormation's events say of those before, else what is usual."""

from __future__ import annotations

import pytest

from deployer import expected
from deployer.history.durations import NOTHING, REPLACED, Touched, Verb, of_changes, of_template, past
from deployer.history.operations import operations
from deployer.states import Change
from tests.deployer.pages.run_events import Story, created, failed_update

DATABASE, TOPIC, KEY = "AWS::RDS::DBInstance", "AWS::SNS::Topic", "AWS::KMS::Key"


def touched(name: str, verb: Verb = "update", type_: str = DATABASE) -> Touched:
    return Touched(name, type_, verb)


def updated(story: Story, start: float, *resources: tuple[str, float], around: float = 4) -> Story:
    """Tell of an update of *resources*, each with its seconds, all at once."""
    story.at(start, "UPDATE_IN_PROGRESS")
    for name, _ in resources:
        story.at(start + around / 2, "UPDATE_IN_PROGRESS", name)
    for name, seconds in resources:
        story.at(start + around / 2 + seconds, "UPDATE_COMPLETE", name)
    end = start + around + max(seconds for _, seconds in resources)
    return story.at(end, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS").at(end, "UPDATE_COMPLETE")


def test_without_a_past_an_operation_takes_what_its_slowest_resource_usually_does() -> None:
    topic, database, key = (touched("X", "create", type_) for type_ in (TOPIC, DATABASE, KEY))

    assert expected.seconds([topic, database, key]) == 630.0
    assert expected.seconds([topic]) == 30.0
    assert expected.seconds([]) == 0.0


def test_the_same_operation_takes_as_long_as_the_last_one_that_ended_well() -> None:
    story = created("database", 0, ("Database", 1, 900))
    updated(story, 1000, ("Database", 40))
    updated(story, 2000, ("Database", 100))
    updated(story, 3000, ("Database", 55), ("Alarm", 5))

    known = past(story.events)

    assert expected.seconds([touched("Database")], past=known) == 104
    assert expected.seconds([touched("Database", "create")], past=known) == 901


def test_of_other_resources_together_the_slowest_counts_as_it_was_last() -> None:
    story = created("database", 0, ("Database", 1, 900), ("Alarm", 1, 3))
    updated(story, 1000, ("Database", 100))
    updated(story, 2000, ("Alarm", 8))
    both = [touched("Database"), touched("Alarm", type_="AWS::CloudWatch::Alarm")]

    assert expected.seconds(both, past=past(story.events)) == 100 + 4


def test_what_was_never_done_to_a_resource_takes_what_is_usual_for_its_type() -> None:
    story = updated(created("database", 0, ("Database", 1, 900)), 1000, ("Alarm", 8))

    known = past(story.events)

    assert expected.seconds([touched("Database"), touched("Alarm")], past=known) == 600 + 4
    assert expected.seconds([touched("Other", type_=TOPIC)], past=known) == 4


def test_what_failed_was_rolled_back_or_goes_on_says_nothing() -> None:
    going = Story("service").at(0, "UPDATE_IN_PROGRESS").at(1, "UPDATE_IN_PROGRESS", "Service")
    going.at(99, "UPDATE_COMPLETE", "Service")
    failed = Story("service").at(0, "CREATE_IN_PROGRESS").at(1, "CREATE_IN_PROGRESS", "Service")
    failed.at(9, "CREATE_FAILED", "Service").at(10, "CREATE_FAILED")

    for story in (going, failed, failed_update()):
        assert operations("service", story.events)
        assert past(story.events) == NOTHING
    assert past(()) == NOTHING


def test_a_replacement_takes_as_long_as_a_creation_and_its_clean_up_as_no_deletion() -> None:
    story = created("database", 0, ("Database", 1, 900))
    story.at(1000, "UPDATE_IN_PROGRESS")
    reason = f"Requested update requires the {REPLACED}; hence creating one."
    story.at(1002, "UPDATE_IN_PROGRESS", "Database", reason).at(1500, "UPDATE_COMPLETE", "Database")
    story.at(1502, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS").at(1503, "DELETE_IN_PROGRESS", "Database")
    story.at(1800, "DELETE_COMPLETE", "Database").at(1802, "UPDATE_COMPLETE")

    known = past(story.events)

    assert known.of(touched("Database", "create")) == 498
    assert known.of(touched("Database", "update")) is None
    assert known.of(touched("Database", "delete")) is None
    assert expected.seconds([touched("Database", "create")], past=known) == 802


def test_a_function_in_a_vpc_takes_lambdas_time_to_go_unless_the_past_says_better() -> None:
    template = '{"Resources": {"Rotate": {"Type": "AWS::Lambda::Function", "Properties": {"VpcConfig": {}}}}}'
    going = touched("Rotate", "delete", "AWS::Lambda::Function")

    assert expected.seconds([going], template) == expected.OTHER_SECONDS + expected.FUNCTION_SECONDS
    story = Story("service").at(0, "UPDATE_IN_PROGRESS").at(1, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    story.at(2, "DELETE_IN_PROGRESS", "Rotate").at(700, "DELETE_COMPLETE", "Rotate").at(
        701, "UPDATE_COMPLETE"
    )
    assert expected.seconds([going], template, past(story.events)) == 701


@pytest.mark.parametrize(
    ("change", "verb"),
    [
        (Change("Add", "X", KEY), "create"),
        (Change("Remove", "X", KEY), "delete"),
        (Change("Modify", "X", KEY, replacement="True"), "create"),
        (Change("Modify", "X", KEY, replacement="Conditional"), "update"),
        (Change("Modify", "X", KEY, replacement="False"), "update"),
        (Change("Dynamic", "X", KEY), "update"),
    ],
)
def test_a_change_says_what_is_done_to_its_resource(change: Change, verb: Verb) -> None:
    assert of_changes([change]) == (Touched("X", KEY, verb),)


def test_all_resources_of_a_template_are_created_or_deleted() -> None:
    assert of_template({"X": {"Type": KEY}}, "delete") == (Touched("X", KEY, "delete"),)
