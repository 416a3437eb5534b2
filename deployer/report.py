"""Plans, results and states as text, JSON or Markdown. Pure: frozen data in, one string out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from deployer.facts import document, pull_request, texts
from deployer.facts.summary import facts
from deployer.kept import total_usd
from deployer.outcomes import NOT_THERE
from deployer.plan import Plan
from deployer.progress import Result, StackOutput
from deployer.states import StackEvent, StackState


def plan_text(plan: Plan) -> str:
    """Return *plan* for a terminal."""
    return texts.plan_text(facts(plan))


def plan_json(plan: Plan) -> str:
    """Return *plan* for machines."""
    return document.plan_json(facts(plan))


def plan_markdown(plan: Plan) -> str:
    """Return *plan* for a pull request or a pipeline's summary."""
    return pull_request.plan_markdown(facts(plan))


def result_json(result: Result) -> str:
    """Return how a run ended, for machines."""
    stacks = [
        {
            "name": stack.name,
            "stack_name": stack.stack_name,
            "action": stack.action,
            "status": stack.status or None,
            "seconds": round(stack.seconds, 1),
            "outcome": stack.outcome,
            "reason": stack.why,
            **({"kept": [asdict(one) for one in stack.kept]} if stack.kept else {}),
        }
        for stack in result.stacks
    ]
    outputs = outputs_by_stack(result.outputs)
    left = [one for stack in result.stacks for one in stack.kept]
    cost = {"kept_monthly_usd": total_usd(left)} if left else {}
    return _json({"environment": result.environment, "stacks": stacks, "outputs": outputs, **cost})


def first_cause(result: Result) -> str | None:
    """Return the line that says why the run failed first; None when it did not."""
    failed = [stack for stack in result.stacks if stack.outcome in {"failed", "protected", "going-on"}]
    return f"{failed[0].name}: {failed[0].why}" if failed else None


def outputs_by_stack(outputs: Iterable[StackOutput]) -> dict[str, dict[str, str]]:
    """Return output values by stack and key."""
    found: dict[str, dict[str, str]] = {}
    for output in outputs:
        found.setdefault(output.stack, {})[output.key] = output.value
    return found


def outputs_text(outputs: Iterable[StackOutput]) -> str:
    """Return the outputs, a line each, the address of the gateway last: it is what a person looks for."""
    rows = sorted(outputs, key=lambda output: (output.key == "Url", output.stack, output.key))
    return "\n".join(columns([(f"{row.stack}.{row.key}", row.value) for row in rows]))


Patches = Mapping[tuple[str, str], str]
"""Short name of a stack and logical id -> where and why the resource is patched."""


def status_text(states: Mapping[str, StackState | None], patched: Patches) -> str:
    """Return the state of each stack, a line each, with the resources that are patched below it."""
    rows = [
        (name, state.status, _when(state), state.reason) if state else (name, NOT_THERE, "", "")
        for name, state in states.items()
    ]
    lines = []
    for name, line in zip(states, columns(rows), strict=True):
        lines += [line, *(f"  ~ {resource} {mark}" for resource, mark in _marks(name, patched))]
    return "\n".join(lines)


def _marks(stack: str, patched: Patches) -> list[tuple[str, str]]:
    return [(resource, mark) for (where, resource), mark in patched.items() if where == stack]


def status_json(
    environment: str,
    names: Mapping[str, str],
    states: Mapping[str, StackState | None],
    patched: Patches,
) -> str:
    """Return the state of each stack, for machines; the status of a missing stack is null."""
    stacks = [
        {
            "name": name,
            "stack_name": names[name],
            "status": state.status if state else None,
            "reason": state.reason if state else "",
            "last_updated": (_when(state) or None) if state else None,
            "patched": dict(_marks(name, patched)),
        }
        for name, state in states.items()
    ]
    return _json({"environment": environment, "stacks": stacks})


def event_text(stack: str, event: StackEvent) -> str:
    """Return one event as one line: AWS's time, stack, status, resource, reason."""
    return f"{event.time:%H:%M:%S}  {stack:<9} {event_words(stack, event)}"


def event_words(stack: str, event: StackEvent) -> str:
    """Return what an event says, without when and of which stack."""
    resource = stack if event.is_stack else f"{event.logical_id} ({event.type})"
    hook = f"  {event.hook}: {event.hook_status}" if event.hook else ""
    reason = "".join(f"  {one}" for one in (event.reason, event.hook_reason) if one)
    return f"{event.status:<28} {resource}{hook}{reason}"


def events_json(environment: str, events: Iterable[tuple[str, StackEvent]]) -> str:
    """Return events for machines, oldest first."""
    rows = [
        {
            "stack": stack,
            "time": event.time.isoformat(),
            "logical_id": event.logical_id,
            "type": event.type,
            "status": event.status,
            "reason": event.reason or event.hook_reason,
        }
        for stack, event in events
    ]
    return _json({"environment": environment, "events": rows})


def _when(state: StackState) -> str:
    moment = state.last_updated or state.created
    return moment.isoformat(timespec="seconds") if moment else ""


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return *rows* as lines with their cells below each other."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    return ["  ".join(row).rstrip() for row in padded]


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2)
