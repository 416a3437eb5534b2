"""The facts of a plan as text: in full for a terminal, and short before a prompt. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from deployer.changes import statements
from deployer.facts.differences import LINES, Difference, said
from deployer.facts.summary import ChangeFact, Interruption, PlanFacts, PropertyFact, Risk, StackFacts
from deployer.plan import CostDifference, PlanCost, consent_flags
from deployer.states import Change, PropertyChange

SIGNS: Mapping[str, str] = {"Add": "+", "Modify": "~", "Remove": "-", "Import": ">", "Dynamic": "?"}
"""One character for what a change does to a resource."""
SHOWN_DIFFERENCES = 5
"""How many things whose cost differs a terminal shows; the largest come first."""
SHOWN_NAMES = 6
"""How many resources a line names that has one word for all of them."""
NONE = "none"
CONSENTS: Mapping[str, str] = {
    "missing": "refused without {flag}",
    "given": "allowed by {flag}",
    "open": "not certain yet: a deployment asks for {flag} once it is",
}
"""A risk's consent, in words."""


def plan_text(facts: PlanFacts) -> str:
    """Return *facts* for a terminal: what must be known first, a block a stack, the total last."""
    first = [
        *_section("DATA AT RISK", [risk_line(one) for one in facts.risks] or [NONE]),
        *([f"to allow it: {facts.consent}"] if facts.consent else []),
        *_section("INTERRUPTION", [interruption_line(one) for one in facts.interruptions] or [NONE]),
    ]
    blocks = [line for stack in facts.stacks for line in _block(stack)]
    permissions = [f"{one.kind}: {one.stack}/{one.logical_id}: {one.words}" for one in facts.permissions]
    files = [line for one in facts.files for line in _file(one.file, one.diff, one.problem)]
    return "\n".join(
        [
            *(first if facts.changes_anything else []),
            *blocks,
            *_section("PERMISSIONS THAT WIDEN", permissions),
            *_section("FILES", files),
            *(f"note: {notice}" for notice in facts.notices),
            *_cost(facts.cost),
            total(facts),
        ]
    )


def question(facts: PlanFacts) -> str:
    """Return in a few lines what somebody agrees to: data, downtime, cost."""
    risks = "; ".join(risk_line(one) for one in facts.risks)
    stops = "; ".join(interruption_line(one) for one in facts.interruptions)
    cost = cost_line(facts.cost) if facts.cost else "not estimated"
    return "\n".join((f"data at risk: {risks or NONE}", f"interruption: {stops or NONE}", f"cost: {cost}"))


def risk_line(one: Risk) -> str:
    """Return a risk: which resource, what becomes of it, why, and the consent it takes."""
    change, fact = one.fact.change, one.fact
    because = f" because of {', '.join(fact.because)}" if fact.because else ""
    fate = f": {fact.fate}" if fact.fate else ""
    consent = CONSENTS[one.consent].format(flag=one.flag)
    return f"{fact.stack}/{change.logical_id} ({change.type}) {_will(fact.word)}{because}{fate}; {consent}"


def interruption_line(one: Interruption) -> str:
    """Return an interruption: the resources that bring it about, and its words."""
    names = [f"{stack}/{logical_id}" for stack, logical_id in one.resources]
    more = len(names) - SHOWN_NAMES
    listed = ", ".join(names[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")
    because = f" ({', '.join(one.properties)})" if one.properties else ""
    return f"{listed}{because}: {one.effect.words}"


def cost_line(cost: PlanCost) -> str:
    """Return the estimate before and after in a line."""
    if not cost.differences:
        return f"${cost.after:,.2f} a month, as before"
    more = cost.after - cost.before
    sign = "-" if round(more, 2) < 0 else "+"
    return f"${cost.before:,.2f} -> ${cost.after:,.2f} a month ({sign}${abs(more):,.2f})"


def dollars(one: CostDifference) -> str:
    """Return what a thing costs before and after."""
    return f"${one.before:,.2f} -> ${one.after:,.2f}"


def count(stack: StackFacts) -> str:
    """Return how many resources of *stack* change, by sign; in words where none does."""
    return counted([one.change for one in stack.changes]) or stack.what


def counted(changes: Collection[Change]) -> str:
    """Return how many of *changes* there are of each kind; empty for none."""
    replaced = sum(change.replacement in {"True", "Conditional"} for change in changes)
    counts = [(sum(change.action == action for change in changes), sign) for action, sign in SIGNS.items()]
    words = [f"{sign}{number}" for number, sign in counts if number]
    return " ".join([*words, *([f"({replaced} replaced)"] if replaced else [])])


def total(facts: PlanFacts) -> str:
    """Return the last line: how many stacks change, and how much in them."""
    changing = [stack for stack in facts.stacks if stack.plan.action != "none"]
    if not changing:
        return f"{facts.environment}: nothing changes"
    what = counted([one.change for stack in changing for one in stack.changes]) or "outputs or tags only"
    how = f"{facts.environment}: {len(changing)} of {len(facts.stacks)} stacks change, {what}"
    return f"{how}; {time(facts.seconds)}" if facts.seconds else how


def time(seconds: float) -> str:
    """Return how long a deployment will take, to the minute: in AWS, whose clock the sandbox outruns."""
    return f"about {max(round(seconds / 60), 1)} min in AWS"


def change_lines(fact: ChangeFact) -> list[str]:
    """Return a change in lines: the resource, then what differs, each with its two sides apart."""
    change = fact.change
    words = [f"{SIGNS.get(change.action, '*')} {change.logical_id} ({change.type})"]
    if change.replacement in {"True", "Conditional"}:
        words.append("REPLACED" if change.replacement == "True" else "may be REPLACED")
    if fact.at_risk:
        words.append("HOLDS DATA")
    if names := sorted(one.name for one in fact.properties if not one.differences):
        words.append(", ".join(names))
    lines = [line for one in fact.properties for line in _property(one)]
    if len(lines) == 1 and not names:
        words.append(lines.pop())
    if change.patched:
        words.append(change.patched)
    return ["  ".join(words), *(f"    {line}" for line in lines)]


def _property(one: PropertyFact) -> list[str]:
    if not one.differences:
        return []
    policies = statements.changed(PropertyChange("", one.name.rpartition(".")[2], "", one.before, one.after))
    return [*policies] or [line for each in one.differences for line in difference_lines(each)]


def difference_lines(one: Difference) -> list[str]:
    """Return a difference in a line; that of a text of several lines as a diff."""
    lines = one.lines
    if not lines:
        return [said(one)]
    left = len(lines) - LINES
    more = [f"  and {left} more lines"] if left > 0 else []
    return [f"{one.path}:", *(f"  {line}" for line in lines[:LINES]), *more]


def _block(stack: StackFacts) -> list[str]:
    plan = stack.plan
    exact = "" if plan.exact else "  (predicted from the template)"
    reason = f"  {plan.reason}" if plan.reason else ""
    lines = [f"{plan.stack_name}: {plan.action}{exact}{reason}"]
    lines += [f"  {line}" for fact in stack.changes for line in change_lines(fact)]
    lines += [f"  ! {problem}" for problem in plan.problems]
    if plan.protected:
        lines.append(f"  ! holds data: deploy refuses this without {consent_flags(plan.protected)}")
    return lines


def _file(name: str, diff: Iterable[str], problem: str) -> list[str]:
    return [f"{name}: {problem}"] if problem else [f"{name}:", *(f"  {line}" for line in diff)]


def _section(title: str, lines: Collection[str]) -> list[str]:
    if list(lines) == [NONE]:
        return [f"{title}: {NONE}"]
    return [title, *(f"  {line}" for line in lines)] if lines else []


def _will(word: str) -> str:
    return word if word.startswith("may") else f"is {word}"


def _cost(cost: PlanCost | None) -> list[str]:
    """Return the cost of a plan in a line, and what makes most of a difference between two that run."""
    if cost is None:
        return []
    shown = cost.differences[:SHOWN_DIFFERENCES] if cost.before and cost.after else ()
    lines = [f"  {one.stack}/{one.logical_id} {one.item}: {dollars(one)}" for one in shown]
    left = len(cost.differences) - len(shown)
    more = [f"  and {left} smaller differences"] if shown and left else []
    return [f"cost: {cost_line(cost)}", *lines, *more]
