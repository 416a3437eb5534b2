"""The table of stack statuses: what `deploy` and `destroy` do in each. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Step(Enum):
    """What is done about a stack in some status."""

    NOTHING = "nothing"
    CREATE = "create"
    UPDATE = "update"
    WAIT = "wait"
    RECREATE = "recreate"
    """Delete what is left of a stack, then create it."""
    CONTINUE = "continue the rollback"
    ROLL_BACK = "roll back"
    DELETE = "delete"
    STOP = "stop"
    """Nothing that this version could do would be safe."""


@dataclass(frozen=True)
class Row:
    """One status."""

    deploy: Step
    destroy: Step
    text: str
    """What the status means, as half a sentence about the stack."""


ABSENT = Row(Step.CREATE, Step.NOTHING, "it does not exist")
_BUSY = "it is being"

STATUSES: Mapping[str, Row] = {
    "CREATE_IN_PROGRESS": Row(Step.WAIT, Step.DELETE, f"{_BUSY} created"),
    "CREATE_COMPLETE": Row(Step.UPDATE, Step.DELETE, "it exists"),
    "CREATE_FAILED": Row(Step.RECREATE, Step.DELETE, "its first creation failed"),
    "ROLLBACK_IN_PROGRESS": Row(Step.WAIT, Step.WAIT, f"{_BUSY} rolled back after a failed creation"),
    "ROLLBACK_COMPLETE": Row(Step.RECREATE, Step.DELETE, "its first creation failed and was rolled back"),
    "ROLLBACK_FAILED": Row(Step.RECREATE, Step.DELETE, "its first creation failed, and so did its rollback"),
    "DELETE_IN_PROGRESS": Row(Step.WAIT, Step.WAIT, f"{_BUSY} deleted"),
    "DELETE_COMPLETE": Row(Step.CREATE, Step.NOTHING, "it was deleted"),
    "DELETE_FAILED": Row(Step.RECREATE, Step.DELETE, "its deletion failed"),
    "UPDATE_IN_PROGRESS": Row(Step.WAIT, Step.WAIT, f"{_BUSY} updated"),
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": Row(
        Step.WAIT, Step.WAIT, "its update is done, and the replaced resources are being deleted"
    ),
    "UPDATE_COMPLETE": Row(Step.UPDATE, Step.DELETE, "it exists"),
    "UPDATE_FAILED": Row(Step.ROLL_BACK, Step.DELETE, "its last update failed and was not rolled back"),
    "UPDATE_ROLLBACK_IN_PROGRESS": Row(Step.WAIT, Step.WAIT, f"{_BUSY} rolled back after a failed update"),
    "UPDATE_ROLLBACK_FAILED": Row(
        Step.CONTINUE, Step.CONTINUE, "its last update failed, and so did the rollback"
    ),
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": Row(
        Step.WAIT,
        Step.WAIT,
        "its last update was rolled back, and its new resources are being deleted",
    ),
    "UPDATE_ROLLBACK_COMPLETE": Row(Step.UPDATE, Step.DELETE, "its last update failed and was rolled back"),
    "REVIEW_IN_PROGRESS": Row(
        Step.CREATE, Step.DELETE, "it was prepared and never created; it has no resources"
    ),
    "IMPORT_IN_PROGRESS": Row(Step.WAIT, Step.WAIT, "it is importing existing resources"),
    "IMPORT_COMPLETE": Row(Step.UPDATE, Step.DELETE, "it exists, with imported resources"),
    "IMPORT_ROLLBACK_IN_PROGRESS": Row(Step.WAIT, Step.WAIT, f"{_BUSY} rolled back after a failed import"),
    "IMPORT_ROLLBACK_FAILED": Row(Step.UPDATE, Step.DELETE, "its import failed, and so did the rollback"),
    "IMPORT_ROLLBACK_COMPLETE": Row(Step.UPDATE, Step.DELETE, "its import failed and was rolled back"),
}
"""All 23 statuses of the CloudFormation API reference, data type Stack."""

SUCCEEDED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
"""What an executed change set ends in when it worked."""

ROLLBACK_FAILED = "UPDATE_ROLLBACK_FAILED"
"""The only status in which parts of a rollback can be skipped."""

OUTPUTS_FINAL = SUCCEEDED | {"UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"}
"""Statuses that dependants need not wait for: exports no longer change."""


RESOURCE_GONE = frozenset({"DELETE_COMPLETE", "DELETE_SKIPPED"})
"""Statuses of resources that the deletion of their stack no longer affects."""


def row(status: str | None) -> Row:
    """Return the row of *status*; None is a stack that does not exist."""
    if status is None:
        return ABSENT
    unknown = f"its status {status} is unknown to this version of gatestack"
    step = Step.WAIT if status.endswith("_IN_PROGRESS") else Step.STOP
    return STATUSES.get(status, Row(step, step, unknown))
