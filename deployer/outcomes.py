"""The outcome of a stack in a run, as text. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from deployer.progress import Outcome, StackResult
from deployer.statuses import SUCCEEDED

NOT_THERE = "not there"
WORDS: Mapping[Outcome, str] = {
    "failed": "failed",
    "protected": "needs consent",
    "skipped": "skipped",
    "going-on": "still in progress",
    "interrupted": "interrupted",
}
"""Words for outcomes other than success."""


def became(stack: StackResult) -> str:
    """
    Return the outcome of *stack* in this run: CloudFormation's status if that says it, else our word.

    If the run did not complete, a status of success is from before it.
    """
    if stack.outcome == "done":
        return "no changes" if stack.action == "none" else stack.status or NOT_THERE
    told = stack.status and stack.status not in SUCCEEDED and stack.outcome not in {"skipped", "protected"}
    return stack.status if told else WORDS[stack.outcome]
