"""Deletes what was prepared and never executed: a change set, and a stack that exists only for it."""

from __future__ import annotations

import hashlib

from deployer.cloud import Cloud
from deployer.states import ChangeSetState


def remove_unexecuted(cloud: Cloud, made: ChangeSetState, *, new: bool) -> None:
    """
    Remove the change set *made* and, of a *new* stack, its shell, if nobody else uses that.

    Raises:
        DeployError: AWS refused, or could not be reached; this can be repeated.

    """
    cloud.delete_change_set(made.id)
    if not new:
        return
    found = [state for state in cloud.stacks((), (made.stack_id,)) if state.id == made.stack_id]
    if not found or found[0].status != "REVIEW_IN_PROGRESS":
        return
    if not set(cloud.change_set_names(made.stack_id).values()) - {made.id}:
        token = hashlib.sha256(f"{made.stack_id} {made.id}".encode()).hexdigest()[:20]
        cloud.delete_stack(made.stack_id, f"withdraw-{token}")
