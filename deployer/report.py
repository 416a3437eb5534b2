"""Plans, results and states as text, JSON or Markdown. Pure: frozen data in, one string out."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from deployer.changes import statements
from deployer.kept import total_usd
from deployer.outcomes import NOT_THERE
from deployer.plan import CostDifference, Plan, PlanCost, StackPlan, consent_flags
from deployer.progress import Result, StackOutput, StackResult
from deployer.states import Change, StackEvent, StackState
from generator.escapes import markdown, markdown_code

SIGNS: Mapping[str, str] = {"Add": "+", "Modify": "~", "Remove": "-", "Import": ">", "Dynamic": "?"}
"""One character for what a change does to a resource."""

SHOWN_DIFFERENCES = 5
"""How many things whose cost differs a terminal shows; the largest come first."""
VALUE_LENGTH = 60
"""How much of a value before and after a change is shown to people."""


def plan_text(plan: Plan) -> str:
    """Return *plan* for a terminal: a block a stack, replacements and lost data in words."""
    blocks = [_plan_block(stack) for stack in plan.stacks]
    notices = [f"note: {notice}" for notice in plan.notices]
    return "\n".join([*blocks, *notices, *_cost_text(plan.cost), _plan_total(plan)])


def plan_json(plan: Plan) -> str:
    """Return *plan* for machines; both figures of the cost are null where nobody has estimated it."""
    stacks = [
        {
            "name": stack.name,
            "stack_name": stack.stack_name,
            "action": stack.action,
            "exact": stack.exact,
            "reason": stack.reason,
            "problems": list(stack.problems),
            "changes": [_change(change) for change in stack.changes],
        }
        for stack in plan.stacks
    ]
    return _json({"environment": plan.environment, "stacks": stacks, "cost": _cost_json(plan.cost)})


def plan_markdown(plan: Plan) -> str:
    """Return *plan* for a pull request or a pipeline's summary: a table, then every stack's changes."""
    head = [
        f"## Plan for {markdown(plan.environment)}",
        "",
        "| stack | action | changes | exact |",
        "|---|---|---|---|",
    ]
    exact = {True: "yes", False: "no"}
    rows = [
        f"| {markdown(stack.stack_name)} | {stack.action} | {_count(stack.changes)} | {exact[stack.exact]} |"
        for stack in plan.stacks
    ]
    details = [line for stack in plan.stacks for line in _markdown_details(stack)]
    notices = [f"> {markdown(notice)}" for notice in plan.notices]
    return "\n".join([*head, *rows, "", *_cost_markdown(plan.cost), *details, *notices])


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
            "reason": _why(stack),
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
    return f"{failed[0].name}: {_why(failed[0])}" if failed else None


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


def status_text(states: Mapping[str, StackState | None]) -> str:
    """Return what is there of each stack, a line each."""
    rows = [
        (name, state.status, _when(state), state.reason) if state else (name, NOT_THERE, "", "")
        for name, state in states.items()
    ]
    return "\n".join(columns(rows))


def status_json(environment: str, names: Mapping[str, str], states: Mapping[str, StackState | None]) -> str:
    """Return what is there of each stack, for machines; the status of a stack that is not there is null."""
    stacks = [
        {
            "name": name,
            "stack_name": names[name],
            "status": state.status if state else None,
            "reason": state.reason if state else "",
            "last_updated": (_when(state) or None) if state else None,
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


def _plan_block(stack: StackPlan) -> str:
    exact = "" if stack.exact else "  (predicted from the template)"
    reason = f"  {stack.reason}" if stack.reason else ""
    lines = [f"{stack.stack_name}: {stack.action}{exact}{reason}"]
    for change in stack.changes:
        lines.append(f"  {_change_text(change)}")
        lines += [f"      {line}" for detail in change.details for line in statements.changed(detail)]
    lines += [f"  ! {problem}" for problem in stack.problems]
    if stack.protected:
        flags = consent_flags(stack.protected)
        lines.append(f"  ! holds data: deploy refuses this without {flags}")
    return "\n".join(lines)


def _change_text(change: Change) -> str:
    words = [f"{SIGNS.get(change.action, '*')} {change.logical_id} ({change.type})"]
    if change.replacement in {"True", "Conditional"}:
        words.append("REPLACED" if change.replacement == "True" else "may be REPLACED")
    if change.stateful and change.destructive:
        words.append("HOLDS DATA")
    values = [
        f"{detail.name}: {_short(detail.before)} -> {_short(detail.after)}"
        for detail in change.details
        if detail.before is not None or detail.after is not None
    ]
    names = sorted({detail.name or detail.attribute for detail in change.details}) if not values else []
    marks = [change.patched] if change.patched else []
    return "  ".join([*words, *values, *([", ".join(names)] if names else []), *marks])


def _short(value: str | None) -> str:
    """Return a value in one line of bounded length."""
    text = "(left out)" if value is None else " ".join(value.split())
    return text if len(text) <= VALUE_LENGTH else f"{text[: VALUE_LENGTH - 1]}…"


def _plan_total(plan: Plan) -> str:
    changing = [stack for stack in plan.stacks if stack.action != "none"]
    if not changing:
        return f"{plan.environment}: nothing changes"
    changes = [change for stack in changing for change in stack.changes]
    return f"{plan.environment}: {len(changing)} of {len(plan.stacks)} stacks change, {_count(changes)}"


def _count(changes: Collection[Change]) -> str:
    replaced = sum(change.replacement in {"True", "Conditional"} for change in changes)
    counts = [(sum(change.action == action for change in changes), sign) for action, sign in SIGNS.items()]
    words = [f"{sign}{count}" for count, sign in counts if count]
    return " ".join([*words, *([f"({replaced} replaced)"] if replaced else [])]) or "outputs or tags only"


def _change(change: Change) -> dict[str, Any]:
    return {
        "action": change.action,
        "logical_id": change.logical_id,
        "type": change.type,
        "replacement": change.replacement,
        "stateful": change.stateful,
        **({"patched": change.patched} if change.patched else {}),
        "properties": [
            {"name": detail.name or detail.attribute, "before": detail.before, "after": detail.after}
            for detail in change.details
        ],
    }


def _markdown_details(stack: StackPlan) -> list[str]:
    if not stack.changes and not stack.problems:
        return []
    lines = [f"- {markdown_code(_change_text(change))}" for change in stack.changes]
    problems = [f"- **{markdown(problem)}**" for problem in stack.problems]
    title = f"<details><summary>{markdown(stack.stack_name)}: {stack.action}</summary>"
    return [title, "", *lines, *problems, "", "</details>", ""]


def _cost_text(cost: PlanCost | None) -> list[str]:
    """Return the cost of a plan in a line, and what makes most of a difference between two that run."""
    if cost is None:
        return []
    shown = cost.differences[:SHOWN_DIFFERENCES] if cost.before and cost.after else ()
    lines = [f"  {one.stack}/{one.logical_id} {one.item}: {_dollars(one)}" for one in shown]
    left = len(cost.differences) - len(shown)
    more = [f"  and {left} smaller differences"] if shown and left else []
    return [f"cost: {_cost_line(cost)}", *lines, *more]


def _cost_json(cost: PlanCost | None) -> dict[str, Any]:
    if cost is None:
        return {"monthly_usd_before": None, "monthly_usd_after": None}
    differences = [asdict(one) for one in cost.differences]
    return {"monthly_usd_before": cost.before, "monthly_usd_after": cost.after, "differences": differences}


def _cost_markdown(cost: PlanCost | None) -> list[str]:
    if cost is None:
        return []
    head = [f"**Cost**: {_cost_line(cost)}", ""]
    if not cost.differences:
        return head
    rows = [
        f"| {markdown(f'{one.stack}/{one.logical_id}')} | {markdown(one.item)} | {_dollars(one)} |"
        for one in cost.differences
    ]
    table = ["| resource | what | a month |", "|---|---|---|", *rows]
    return [*head, "<details><summary>Cost, row by row</summary>", "", *table, "", "</details>", ""]


def _cost_line(cost: PlanCost) -> str:
    if not cost.differences:
        return f"${cost.after:,.2f} a month, as before"
    more = cost.after - cost.before
    sign = "-" if round(more, 2) < 0 else "+"
    return f"${cost.before:,.2f} -> ${cost.after:,.2f} a month ({sign}${abs(more):,.2f})"


def _dollars(one: CostDifference) -> str:
    return f"${one.before:,.2f} -> ${one.after:,.2f}"


def _why(stack: StackResult) -> str:
    return str(stack.cause) if stack.cause else stack.reason


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
