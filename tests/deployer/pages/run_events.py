"""Events of stacks, told as a story, for the tests of the page about a run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from deployer.history.operations import last_run, operations
from deployer.pages.run_page import Seen, run_page
from deployer.pages.run_view import RunPage
from deployer.states import StackEvent

BEGIN = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
RUN, OTHER = "0123456789ab", "ba9876543210"


class Story:
    """Writes the events of one stack."""

    def __init__(self, stack: str, run: str = RUN) -> None:
        self.stack = stack
        self.arn = f"arn:aws:cloudformation:us-east-1:123456789012:stack/dev-litellm-{stack}/{stack}"
        self.token = f"{run}-{'0' * 20}" if run else ""
        self.events: list[StackEvent] = []

    def at(self, second: float, status: str, resource: str = "", reason: str = "") -> Story:
        """Add an event of a *resource*; without one, of the stack itself."""
        name = f"dev-litellm-{self.stack}"
        self.events.append(
            StackEvent(
                f"{self.stack}{len(self.events)}",
                self.arn,
                name,
                BEGIN + timedelta(seconds=second),
                resource or name,
                f"{resource}-id" if resource else self.arn,
                f"AWS::Made::{resource}" if resource else "AWS::CloudFormation::Stack",
                status,
                reason,
                self.token,
            )
        )
        return self


def page_of(*stories: Story, now: float = 0, templates: dict[str, str] | None = None) -> RunPage:
    """Return the model of the page about the last run in *stories*."""
    run = last_run([one for each in stories for one in operations(each.stack, each.events)])
    known = {each.stack: "{}" for each in stories}
    seen = Seen("dev", "us-east-1", run, known | (templates or {}), BEGIN + timedelta(seconds=now))
    return run_page(seen)


def created(stack: str, start: float, *resources: tuple[str, float, float], run: str = RUN) -> Story:
    """Add the creation of a stack: its *resources*, each with start and end."""
    story = Story(stack, run).at(start - 1, "REVIEW_IN_PROGRESS").at(start, "CREATE_IN_PROGRESS")
    rows = [(begin, "CREATE_IN_PROGRESS", name) for name, begin, _ in resources]
    rows += [(end, "CREATE_COMPLETE", name) for name, _, end in resources]
    for second, status, name in sorted(rows):
        story.at(second, status, name)
    return story.at(max(end for _, _, end in resources) + 1, "CREATE_COMPLETE")


def failed_update(reason: str = "no capacity") -> Story:
    """Add an update that fails, is rolled back and cleaned up."""
    story = Story("service").at(0, "UPDATE_IN_PROGRESS").at(1, "UPDATE_IN_PROGRESS", "Task")
    story.at(5, "UPDATE_COMPLETE", "Task").at(6, "UPDATE_IN_PROGRESS", "Service")
    story.at(6, "UPDATE_IN_PROGRESS", "Scaling").at(60, "UPDATE_FAILED", "Service", reason)
    story.at(60, "UPDATE_FAILED", "Scaling", "Resource update cancelled")
    story.at(61, "UPDATE_ROLLBACK_IN_PROGRESS", "", "The following resource(s) failed to update: [Service].")
    story.at(62, "UPDATE_IN_PROGRESS", "Service").at(80, "UPDATE_COMPLETE", "Service")
    story.at(81, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS").at(82, "DELETE_IN_PROGRESS", "Task")
    return story.at(84, "DELETE_COMPLETE", "Task").at(85, "UPDATE_ROLLBACK_COMPLETE")
