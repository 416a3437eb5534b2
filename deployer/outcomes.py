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
"""For what did not come to a good end."""


def became(stack: StackResult) -> str:
    """
    Return what became of *stack* in this run: CloudFormation's word where that says it, else ours.

    A status that says success is the stack's standing one wherever the run did not reach its end.
    """
    if stack.outcome == "done":
        return "no changes" if stack.action == "none" else stack.status or NOT_THERE
    told = stack.status and stack.status not in SUCCEEDED and stack.outcome not in {"skipped", "protected"}
    return stack.status if told else WORDS[stack.outcome]
