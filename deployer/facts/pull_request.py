"""The facts of a plan as Markdown, for a pull request or a pipeline's summary. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from deployer.facts.summary import PlanFacts, StackFacts
from deployer.facts.texts import (
    NONE,
    change_lines,
    cost_line,
    count,
    dollars,
    interruption_line,
    risk_line,
    time,
)
from deployer.plan import PlanCost
from generator.escapes import markdown, markdown_code, visible


def plan_markdown(facts: PlanFacts) -> str:
    """
    Return *facts* with what must be seen unfolded: risk, consent, interruption, replacement, permissions.

    Folded: the rows of the cost, the diff of files, and each stack's changes.
    """
    head = [f"## Plan for {markdown(facts.environment)}", ""]
    details = [line for stack in facts.stacks for line in _details(stack)]
    return "\n".join(
        [
            *head,
            *(_first(facts) if facts.changes_anything else []),
            *_table(facts),
            "",
            *([f"**Time**: {time(facts.seconds)}", ""] if facts.seconds else []),
            *_cost(facts.cost),
            *_list(
                "Permissions that widen",
                [f"{one.kind}: {one.stack}/{one.logical_id}: {one.words}" for one in facts.permissions],
            ),
            *(line for one in facts.files for line in _file(one.file, one.diff, one.problem)),
            *details,
            *(f"> {markdown(notice)}" for notice in facts.notices),
        ]
    )


def _first(facts: PlanFacts) -> list[str]:
    replaced = (
        f"{one.stack}/{one.change.logical_id} ({one.change.type}) {one.word}" for one in facts.replaced
    )
    return [
        *_list("Data at risk", [risk_line(one) for one in facts.risks] or [NONE]),
        *_consent(facts.consent),
        *_list("Interruption", [interruption_line(one) for one in facts.interruptions] or [NONE]),
        *_list("Replaced", list(replaced)),
    ]


def _consent(command: str) -> list[str]:
    return ["To allow it:", "", *_fenced([command], "sh"), ""] if command else []


def _list(title: str, lines: Collection[str]) -> list[str]:
    if list(lines) == [NONE]:
        return [f"**{title}**: {NONE}", ""]
    return [f"**{title}**", "", *(f"- {markdown(line)}" for line in lines), ""] if lines else []


def _table(facts: PlanFacts) -> list[str]:
    exact = {True: "yes", False: "no"}
    rows = [
        f"| {markdown(one.plan.stack_name)} | {one.plan.action} | {count(one)} | {exact[one.plan.exact]} |"
        for one in facts.stacks
    ]
    return ["| stack | action | changes | exact |", "|---|---|---|---|", *rows]


def _details(stack: StackFacts) -> list[str]:
    plan = stack.plan
    problems = [f"- **{markdown(problem)}**" for problem in plan.problems]
    lines = [line for fact in stack.changes for line in _change(change_lines(fact))]
    folded = _folded(f"{markdown(plan.stack_name)}: {plan.action}", lines) if lines else []
    return [*problems, *([""] if problems else []), *folded]


def _change(lines: list[str]) -> list[str]:
    return [f"- {markdown_code(lines[0])}", *(f"  - {markdown_code(line)}" for line in lines[1:])]


def _file(name: str, diff: Collection[str], problem: str) -> list[str]:
    if problem:
        return [f"**{markdown(name)}**: {markdown(problem)}", ""]
    return _folded(markdown(name), _fenced(diff, "diff"))


def _folded(title: str, lines: Iterable[str]) -> list[str]:
    return [f"<details><summary>{title}</summary>", "", *lines, "", "</details>", ""]


def _fenced(lines: Collection[str], kind: str) -> list[str]:
    """Return *lines* in a fence that none of them ends (CommonMark Spec, 4.5)."""
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(longest + 1, 3)
    return [f"{fence}{kind}", *(visible(line) for line in lines), fence]


def _cost(cost: PlanCost | None) -> list[str]:
    if cost is None:
        return []
    head = [f"**Cost**: {cost_line(cost)}", ""]
    if not cost.differences:
        return head
    rows = [
        f"| {markdown(f'{one.stack}/{one.logical_id}')} | {markdown(one.item)} | {dollars(one)} |"
        for one in cost.differences
    ]
    return [
        *head,
        *_folded("Cost, row by row", ["| resource | what | a month |", "|---|---|---|", *rows]),
    ]
