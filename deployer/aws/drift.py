"""CloudFormation's drift detection, as the deployer's types; `Aws` makes the calls. Returns no secret."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from deployer.day2.drift_state import Detection, PropertyDrift, ResourceDrift
from deployer.errors import CloudError
from deployer.scrub import HIDDEN
from deployer.secrecy import hidden
from deployer.states import Change, PropertyChange

Pages = Callable[..., Iterator[Mapping[str, Any]]]
NO_SUCH_CALL = frozenset(
    {
        "InvalidAction",
        "NotImplemented",
        "NotImplementedException",
        "UnknownOperation",
        "UnknownOperationException",
        "UnsupportedOperation",
        "404",
        "501",
    }
)
"""Codes by which an endpoint says that it does not have a call at all (AWS's own is InvalidAction)."""


SECRET_TEXT = re.compile(r"\bsk-[\w-]{8,}|-----BEGIN|://[^/\s:]+:[^@\s]+@")
"""Texts that are secret in any property: a proxy's key, a private key, an address with a password."""


def unknown_call(error: CloudError) -> bool:
    """Whether the endpoint does not know the call, rather than refusing it."""
    return error.code in NO_SUCH_CALL or "not been implemented" in str(error)


def detection(answer: Mapping[str, Any]) -> Detection:
    """Read an answer of DescribeStackDriftDetectionStatus."""
    status = answer["DetectionStatus"]
    reason = answer.get("DetectionStatusReason", "")
    return Detection(status == "DETECTION_IN_PROGRESS", status == "DETECTION_FAILED", reason)


def resource_drifts(pages: Pages, stack_id: str) -> tuple[ResourceDrift, ...]:
    """Read every page of what a detection found that is not in sync."""
    wanted = {"StackResourceDriftStatusFilters": ["MODIFIED", "DELETED", "UNKNOWN"]}
    found = pages("describe_stack_resource_drifts", StackName=stack_id, **wanted)
    return tuple(resource(one) for page in found for one in page["StackResourceDrifts"])


def resource(answer: Mapping[str, Any]) -> ResourceDrift:
    """Read the drift of one resource."""
    return ResourceDrift(
        logical_id=answer["LogicalResourceId"],
        type=answer["ResourceType"],
        physical_id=answer.get("PhysicalResourceId", ""),
        status=answer["StackResourceDriftStatus"],
        properties=tuple(_property(answer, one) for one in answer.get("PropertyDifferences", ())),
        reason=answer.get("DriftStatusReason", ""),
        numbers=_numbers(answer.get("ExpectedProperties") or "{}"),
    )


def _numbers(properties: str) -> dict[str, int]:
    """Return the whole numbers among *properties*, a JSON object; some types write them as text."""
    texts = {name: str(value) for name, value in json.loads(properties).items()}
    return {name: int(text) for name, text in texts.items() if re.fullmatch(r"[0-9]{1,9}", text)}


def _property(answer: Mapping[str, Any], one: Mapping[str, Any]) -> PropertyDrift:
    path = one["PropertyPath"]
    detail = PropertyChange("Properties", path, before=one["ExpectedValue"], after=one["ActualValue"])
    change = Change("Modify", answer["LogicalResourceId"], answer["ResourceType"], details=(detail,))
    told = hidden(change).details[0]
    return PropertyDrift(path, _safe(told.before), _safe(told.after), one["DifferenceType"])


def _safe(text: str | None) -> str:
    return HIDDEN if text and SECRET_TEXT.search(text) else text or ""
