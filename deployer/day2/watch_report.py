"""Watched events, and drift, as text and JSON. Pure: frozen data in, one string out."""

from __future__ import annotations

import json
from dataclasses import asdict

from deployer.day2.drift_state import Drift, PropertyDrift, ResourceDrift, StackDrift
from deployer.states import StackEvent

NULL = "null"


def event_line(stack: str, event: StackEvent) -> str:
    """Return one event as one line of JSON."""
    row = {
        "stack": stack,
        "time": event.time.isoformat(),
        "logical_id": event.logical_id,
        "type": event.type,
        "status": event.status,
        "reason": event.reason or event.hook_reason,
    }
    return json.dumps(row)


def drift_text(drift: Drift) -> str:
    """Return drift for a terminal: a block a stack, a line a property."""
    blocks = [_block(stack) for stack in drift.stacks]
    return "\n".join([*blocks, _verdict(drift)])


def _block(stack: StackDrift) -> str:
    reason = f": {stack.reason}" if stack.reason else ""
    words = {"busy": "not checked", "failed": "not all checked"}.get(stack.verdict, stack.verdict)
    lines = [f"{stack.stack_name}: {words}{reason}"]
    for one in stack.resources:
        lines.append(f"  {_resource(one)}")
        lines += [f"    {_property(each)}" for each in one.properties]
    return "\n".join(lines)


def _resource(one: ResourceDrift) -> str:
    words = {"MODIFIED": "~", "DELETED": "-", "UNKNOWN": "?"}
    more = {"DELETED": "  was DELETED", "UNKNOWN": f"  could not be checked: {one.reason}"}
    patched = f"  {one.patched}" if one.patched else ""
    return f"{words.get(one.status, '*')} {one.logical_id} ({one.type}){more.get(one.status, '')}{patched}"


def _property(each: PropertyDrift) -> str:
    if each.kind == "ADD" or each.expected == NULL:
        return f"{each.path}: added {each.actual}"
    if each.kind == "REMOVE" or each.actual == NULL:
        return f"{each.path}: removed {each.expected}"
    return f"{each.path}: {each.expected} -> {each.actual}"


def _verdict(drift: Drift) -> str:
    count = sum(len(stack.resources) for stack in drift.stacks if stack.verdict == "drifted")
    drifted = [stack for stack in drift.stacks if stack.verdict == "drifted"]
    open_ = [stack for stack in drift.stacks if stack.verdict in {"busy", "failed"}]
    there = [stack for stack in drift.stacks if stack.verdict != "not there"]
    words = []
    if drifted:
        what = "1 resource" if count == 1 else f"{count} resources"
        words.append(f"{len(drifted)} of {len(drift.stacks)} stacks drifted, {what}")
    if open_:
        words.append(f"unknown for {', '.join(stack.name for stack in open_)}")
    if not words:
        words.append("in sync" if there else "not deployed")
    return f"{drift.environment}: {'; '.join(words)}"


def drift_json(drift: Drift) -> str:
    """Return drift for machines."""
    stacks = [
        {
            "name": stack.name,
            "stack_name": stack.stack_name,
            "verdict": stack.verdict,
            "reason": stack.reason,
            "resources": [
                {
                    "logical_id": one.logical_id,
                    "type": one.type,
                    "physical_id": one.physical_id,
                    "status": one.status,
                    "reason": one.reason,
                    **({"patched": one.patched} if one.patched else {}),
                    "properties": [asdict(each) for each in one.properties],
                }
                for one in stack.resources
            ],
        }
        for stack in drift.stacks
    ]
    return json.dumps({"environment": drift.environment, "stacks": stacks}, indent=2)
