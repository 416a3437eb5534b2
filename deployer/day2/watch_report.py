"""What was watched, and what has drifted, as text and JSON. Pure: frozen data in, one string out."""

from __future__ import annotations

import json
from dataclasses import asdict

from deployer.day2.drift_state import Drift, PropertyDrift, ResourceDrift, StackDrift
from deployer.progress import Result, StackResult
from deployer.states import StackEvent

NULL = "null"


def watch_text(result: Result) -> str:
    """Return how what was watched ended: a line a stack that did something, then the whole."""
    seen = [stack for stack in result.stacks if stack.action != "none"]
    if not seen:
        return f"{result.environment}: nothing is in progress"
    width = max(len(stack.name) for stack in seen)
    return "\n".join([*(_watched(stack, width) for stack in seen), _total(result, seen)])


def _watched(stack: StackResult, width: int) -> str:
    status = stack.status or "not there"
    why = str(stack.cause) if stack.cause else stack.reason
    line = f"{stack.name:<{width}}  {status:<26} {stack.seconds:6.1f} s"
    return line if stack.outcome == "done" else f"{line}  {why}"


def _total(result: Result, seen: list[StackResult]) -> str:
    name, env = result.environment, result.called
    if any(stack.outcome == "going-on" for stack in seen):
        return f"{name}: AWS continues; `gatestack watch {env}` attaches again"
    if any(stack.outcome == "failed" for stack in seen):
        return f"{name}: not all succeeded; `gatestack deploy {env}` resumes"
    many = "1 stack" if len(seen) == 1 else f"{len(seen)} stacks"
    return f"{name}: {many} succeeded"


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
