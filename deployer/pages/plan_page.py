"""
What the page about a plan says: the verdict, what is lost, what is replaced, the changes. Pure.

Values come through `deployer.secrecy` before they are in a plan; nothing here makes one of anything else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from deployer.pages.properties import PropertyView, property_views
from deployer.plan import Plan, PlanCost, StackPlan, consent_flags
from deployer.states import Change

FEW = 12
"""So many changed resources are all open at first; of more, only those that are replaced or hold data."""
KINDS: Mapping[str, tuple[str, str]] = {
    "add": ("+", "added"),
    "change": ("~", "changed"),
    "replace": ("±", "replaced"),
    "remove": ("\N{MINUS SIGN}", "removed"),
    "other": ("?", "other"),
}
"""Kind of a change -> its sign, its word."""
ACTIONS: Mapping[str, tuple[str, str]] = {
    "create": ("add", "new stack"),
    "update": ("change", "update"),
    "recreate": ("replace", "made again"),
    "delete": ("remove", "removed"),
    "none": ("none", "no change"),
}
FATES: Mapping[str, str] = {
    "Delete": "it is deleted",
    "Retain": "it stays in the account, and no stack manages it",
    "Snapshot": "it is deleted, after a snapshot",
    "ReplaceAndDelete": "the old one is deleted",
    "ReplaceAndRetain": "the old one stays in the account, and no stack manages it",
    "ReplaceAndSnapshot": "the old one is deleted, after a snapshot",
}
"""What becomes of a resource, by ResourceChange.PolicyAction (CloudFormation API Reference)."""


@dataclass(frozen=True)
class Made:
    """How and for what a plan was made."""

    region: str
    moment: datetime
    env: str
    """What the user calls the environment in a command, quoted for a shell."""
    account: str = ""
    """Empty where nobody said, and no stack's ARN tells it."""
    allowed: Collection[str] = ()
    """Logical ids of ``--allow-replace``."""
    only: Collection[str] = ()
    """Short names of ``--only``; empty: all stacks."""


@dataclass(frozen=True)
class ChangeView:
    """One changed resource."""

    anchor: str
    kind: str
    """One of `KINDS`."""
    word: str
    logical_id: str
    type: str
    physical_id: str
    holds_data: bool
    """Whether data would go, or may."""
    fate: str
    properties: tuple[PropertyView, ...]
    open: bool = False
    patched: str = ""
    """Where and why the environment's file patches it."""

    @property
    def sign(self) -> str:
        """One character for its kind."""
        return KINDS[self.kind][0]


@dataclass(frozen=True)
class StackView:
    """One stack and its changes."""

    anchor: str
    name: str
    stack_name: str
    kind: str
    word: str
    exact: bool
    reason: str
    """Why this is done, and why nothing more exact is known; empty for what every stack is in for."""
    problems: tuple[str, ...]
    changes: tuple[ChangeView, ...]
    counts: tuple[tuple[str, str, int], ...]
    """Kind, word, how many; only what there is."""


@dataclass(frozen=True)
class Risk:
    """A resource that goes, or may go, named at the top of the page."""

    stack: str
    change: ChangeView
    because: tuple[str, ...]
    """Names of the properties that cause it."""
    consent: str
    """``given``, ``missing``, or ``open``: a prediction, asked for once it is certain."""
    flag: str


@dataclass(frozen=True)
class CostRow:
    """One thing whose cost differs."""

    stack: str
    logical_id: str
    item: str
    before: str
    after: str
    difference: str


@dataclass(frozen=True)
class CostView:
    """The monthly estimate, in words."""

    before: str
    after: str
    difference: str
    direction: str
    """``more``, ``less`` or ``same``."""
    rows: tuple[CostRow, ...]


@dataclass(frozen=True)
class PlanPage:
    """Everything that the page says."""

    environment: str
    verdict: str
    facts: tuple[tuple[str, str], ...]
    counts: tuple[tuple[str, str, int], ...]
    losses: tuple[Risk, ...]
    loss_command: str
    replacements: tuple[Risk, ...]
    problems: tuple[tuple[str, str], ...]
    notices: tuple[str, ...]
    cost: CostView | None
    stacks: tuple[StackView, ...]
    predicted: tuple[StackView, ...]
    """Stacks of which CloudFormation could not be asked yet."""


def plan_page(plan: Plan, made: Made) -> PlanPage:
    """Return what the page says about *plan*."""
    changed = sum(len(stack.changes) for stack in plan.stacks)
    views = tuple(_stack(stack, f"s{at}", few=changed <= FEW) for at, stack in enumerate(plan.stacks))
    risks = [
        _risk(stack, change, view, made)
        for stack, shown in zip(plan.stacks, views, strict=True)
        for change, view in zip(stack.changes, shown.changes, strict=True)
        if change.destructive and stack.action != "none"
    ]
    losses = tuple(risk for risk in risks if risk.change.holds_data)
    return PlanPage(
        plan.environment,
        _verdict(plan),
        _facts(plan, made),
        _counts([change for stack in views for change in stack.changes]),
        losses,
        _command(plan, made),
        tuple(risk for risk in risks if not risk.change.holds_data and risk.change.kind == "replace"),
        tuple((stack.name, problem) for stack in plan.stacks for problem in stack.problems),
        plan.notices,
        _cost(plan.cost),
        views,
        tuple(view for view in views if not view.exact and view.kind != "none"),
    )


def _stack(stack: StackPlan, anchor: str, *, few: bool) -> StackView:
    kind, word = ACTIONS[stack.action]
    plain = stack.exact and stack.action in {"create", "update", "none"}
    changes = tuple(_change(change, f"{anchor}c{at}", few=few) for at, change in enumerate(stack.changes))
    return StackView(
        anchor,
        stack.name,
        stack.stack_name,
        kind,
        word,
        stack.exact,
        "" if plain else stack.reason,
        stack.problems,
        changes,
        _counts(changes),
    )


def _change(change: Change, anchor: str, *, few: bool) -> ChangeView:
    kind, word = _kind(change)
    data = change.stateful and change.destructive
    properties = sorted(property_views(change.details), key=lambda one: (not one.drastic, one.name))
    return ChangeView(
        anchor,
        kind,
        word,
        change.logical_id,
        change.type,
        change.physical_id,
        data,
        FATES.get(change.policy_action, ""),
        tuple(properties),
        few or data or kind == "replace",
        change.patched,
    )


def _kind(change: Change) -> tuple[str, str]:
    if change.replacement == "True":
        return "replace", "replaced"
    if change.replacement == "Conditional":
        return "replace", "may be replaced"
    others = {"Import": ("other", "imported"), "Dynamic": ("other", "not known yet")}
    kind = {"Add": "add", "Modify": "change", "Remove": "remove", "SyncWithActual": "change"}.get(
        change.action
    )
    return (kind, KINDS[kind][1]) if kind else others.get(change.action, ("other", change.action))


def _risk(stack: StackPlan, change: Change, view: ChangeView, made: Made) -> Risk:
    if change.logical_id in stack.protected:
        consent = "missing"
    elif change.logical_id in made.allowed:
        consent = "given"
    else:
        consent = "open"
    because = tuple(dict.fromkeys(one.name for one in view.properties if one.drastic))
    return Risk(stack.name, view, because, consent, consent_flags([change.logical_id]))


def _command(plan: Plan, made: Made) -> str:
    """Return the command that would allow everything that is refused; empty when nothing is."""
    if not plan.protected:
        return ""
    return f"gatestack plan {made.env} {consent_flags(dict.fromkeys((*made.allowed, *plan.protected)))}"


def _verdict(plan: Plan) -> str:
    changing = [stack for stack in plan.stacks if stack.action != "none"]
    stacks = f"{len(changing)} of {len(plan.stacks)} stacks change" if changing else "Nothing changes"
    if changing and not any(stack.changes for stack in changing):
        stacks = f"{stacks}, in outputs or tags only"
    if plan.problems:
        many = "1 problem" if len(plan.problems) == 1 else f"{len(plan.problems)} problems"
        return f"{stacks}, and deploying this would fail: {many}"
    return stacks


def _facts(plan: Plan, made: Made) -> tuple[tuple[str, str], ...]:
    arns = [stack.stack.id.split(":") for stack in plan.stacks if stack.stack]
    account = made.account or next((arn[4] for arn in arns if len(arn) > 5), "")
    only = (("Only", ", ".join(sorted(made.only))),) if made.only else ()
    known = (("Account", account),) if account else ()
    moment = f"{made.moment:%Y-%m-%d %H:%M:%S} {made.moment:%Z}".strip()
    return (*known, ("Region", made.region), ("Made", moment), *only)


def _counts(changes: Collection[ChangeView]) -> tuple[tuple[str, str, int], ...]:
    numbers = [(kind, word, sum(one.kind == kind for one in changes)) for kind, (_, word) in KINDS.items()]
    return tuple(row for row in numbers if row[2])


def _cost(cost: PlanCost | None) -> CostView | None:
    if cost is None:
        return None
    more = round(cost.after - cost.before, 2)
    rows = tuple(
        CostRow(
            one.stack,
            one.logical_id,
            one.item,
            _dollars(one.before),
            _dollars(one.after),
            _signed(one.after - one.before),
        )
        for one in cost.differences
    )
    direction = "more" if more > 0 else "less" if more < 0 else "same"
    difference = _signed(more) if more else "none"
    return CostView(_dollars(cost.before), _dollars(cost.after), difference, direction, rows)


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}"


def _signed(amount: float) -> str:
    amount = round(amount, 2)
    sign = "+" if amount > 0 else KINDS["remove"][0] if amount < 0 else "±"
    return f"{sign}${abs(amount):,.2f}"
