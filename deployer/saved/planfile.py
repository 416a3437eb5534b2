"""
A plan as a file: what was reviewed, and the state it was made for. Reads and writes it; decides nothing.

No property value is in it, so no secret can be: of a change it has the names of what differs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast, get_args

from deployer.cloud import Change, PropertyChange, Replacement, StackState
from deployer.errors import Refused
from deployer.plan import Plan, PlanVerb, StackPlan
from generator.manifest import Manifest

FORMAT = 1


@dataclass(frozen=True)
class PlannedStack:
    """What was reviewed of one stack."""

    name: str
    stack_name: str
    action: PlanVerb
    exact: bool
    """Whether CloudFormation said so, in a change set; else a prediction, checked when its time comes."""
    stack_id: str = ""
    """Empty for a stack that is not there and has no change set yet."""
    status: str = ""
    """What the plan was made for: status, last update, change set executed last; empty for a new stack."""
    last_updated: str = ""
    executed: str = ""
    template: str = ""
    """SHA-256 of the wanted template's text; empty for a stack that goes."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    change_set_id: str = ""
    change_set_name: str = ""
    changes: tuple[Change, ...] = ()
    """Without values."""

    @property
    def version(self) -> tuple[str, ...]:
        """What the plan was made for, to be compared with `version`."""
        return (self.stack_id, self.status, self.last_updated, self.executed)


@dataclass(frozen=True)
class PlanFile:
    """A plan that can be executed as it was reviewed."""

    environment: str
    region: str
    account: str
    """Empty where nothing in the plan told it."""
    created: str
    whole: bool
    """Whether all stacks of the environment were planned, not just some."""
    stacks: tuple[PlannedStack, ...]
    allow_replace: tuple[str, ...] = ()
    """Logical ids of stateful resources whose loss was agreed to."""


def version(state: StackState) -> tuple[str, ...]:
    """Return what differs as soon as somebody has changed a stack."""
    updated = state.last_updated.isoformat() if state.last_updated else ""
    return (state.id, state.status, updated, state.change_set_id or "")


def digest(template: str) -> str:
    """Return the SHA-256 by which a plan knows a template."""
    return hashlib.sha256(template.encode()).hexdigest()


def made_from(
    plan: Plan, manifest: Manifest, *, created: datetime, whole: bool, allow_replace: Collection[str] = ()
) -> PlanFile:
    """Return what is kept of *plan*, which still has its change sets."""
    templates = {spec.name: spec.template for spec in manifest.stacks}
    stacks = tuple(_planned(stack, templates.get(stack.name)) for stack in plan.stacks)
    accounts = [one.stack_id.split(":")[4] for one in stacks if one.stack_id.count(":") >= 5]
    account = manifest.account or next(iter(accounts), "")
    moment = created.isoformat(timespec="seconds")
    allowed = tuple(sorted(allow_replace))
    return PlanFile(plan.environment, manifest.region, account, moment, whole, stacks, allowed)


def write(plan: PlanFile, path: Path) -> None:
    """Write *plan* to *path*; may raise OSError."""
    whole = {"format": FORMAT, **asdict(plan)}
    whole["stacks"] = [_entry(stack) for stack in plan.stacks]
    path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8", newline="\n")


def read(path: Path) -> PlanFile:
    """
    Read what `write` wrote.

    Raises:
        Refused: there is no such file, it is broken, or it is of another format.

    """
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        found = whole.pop("format")
        if found != FORMAT:
            raise Refused(f"{path}: format {found}, this gatestack reads {FORMAT}: plan again")
        stacks = tuple(_stack(entry) for entry in whole.pop("stacks"))
        allowed = tuple(str(one) for one in whole.pop("allow_replace"))
        whole_environment = whole.pop("whole") is True
        texts = {name: _text(value) for name, value in whole.items()}
        return PlanFile(**texts, whole=whole_environment, stacks=stacks, allow_replace=allowed)
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"{path} is no plan that `gatestack plan --save` wrote"
        raise Refused(f"{what} ({type(error).__name__}: {error}): plan again") from error


def _planned(stack: StackPlan, template: str | None) -> PlannedStack:
    state, made = stack.stack, stack.change_set
    new = state is None or state.status == "REVIEW_IN_PROGRESS"
    stack_id, status, updated, executed = ("", "", "", "") if state is None or new else version(state)
    return PlannedStack(
        stack.name,
        stack.stack_name,
        stack.action,
        stack.exact,
        stack_id or (made.stack_id if made else ""),
        status,
        updated,
        executed,
        "" if template is None or stack.action == "delete" else digest(template),
        dict(stack.parameters),
        made.id if made else "",
        made.name if made else "",
        tuple(_without_values(change) for change in stack.changes),
    )


def _without_values(change: Change) -> Change:
    names = sorted({detail.name or detail.attribute for detail in change.details})
    details = tuple(PropertyChange("", name) for name in names)
    action = change.policy_action
    return Change(
        change.action, change.logical_id, change.type, "", change.replacement, action, details=details
    )


def _entry(stack: PlannedStack) -> dict[str, Any]:
    changes = [
        {
            "action": change.action,
            "logical_id": change.logical_id,
            "type": change.type,
            "replacement": change.replacement,
            "policy_action": change.policy_action,
            "properties": [detail.name for detail in change.details],
        }
        for change in stack.changes
    ]
    return asdict(stack) | {"changes": changes}


def _stack(entry: Mapping[str, Any]) -> PlannedStack:
    special = {"changes", "parameters", "exact", "action"}
    if entry["action"] not in get_args(PlanVerb):
        raise ValueError(f"no action: {entry['action']!r}")
    return PlannedStack(
        **{name: _text(value) for name, value in entry.items() if name not in special},
        action=cast("PlanVerb", entry["action"]),
        exact=entry["exact"] is True,
        parameters={name: _text(value) for name, value in entry["parameters"].items()},
        changes=tuple(_change(change) for change in entry["changes"]),
    )


def _change(entry: Mapping[str, Any]) -> Change:
    replacement = entry["replacement"]
    if replacement not in (None, *get_args(Replacement)):
        raise ValueError(f"no replacement: {replacement!r}")
    return Change(
        _text(entry["action"]),
        _text(entry["logical_id"]),
        _text(entry["type"]),
        replacement=replacement,
        policy_action=_text(entry["policy_action"]),
        details=tuple(PropertyChange("", _text(name)) for name in entry["properties"]),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"no text: {value!r}")
    return value
