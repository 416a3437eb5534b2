"""
The content of the plan page: verdict, lost data, replacements, changes. Pure.

`deployer.secrecy` has already masked the values of a plan; nothing here makes new ones.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from deployer.facts.permissions import Widening
from deployer.facts.summary import ChangeFact, Interruption, StackFacts, facts
from deployer.facts.texts import time
from deployer.facts.uploads import FileChange
from deployer.pages.properties import PropertyView, property_view
from deployer.pages.values import Kind, Part, TextLine
from deployer.plan import Plan, PlanCost
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


@dataclass(frozen=True)
class Made:
    """How and for what a plan was made."""

    region: str
    moment: datetime
    account: str = ""
    """Empty if unknown."""


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
class InterruptionView:
    """What is interrupted, and by which changes."""

    level: str
    words: str
    resources: tuple[tuple[str, str], ...]
    """Name and anchor of each change."""
    properties: tuple[str, ...]


@dataclass(frozen=True)
class FileView:
    """A file that is replaced by another one."""

    name: str
    lines: tuple[TextLine, ...]
    problem: str


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
    changes: bool
    """Whether any stack changes."""
    verdict: str
    facts: tuple[tuple[str, str], ...]
    counts: tuple[tuple[str, str, int], ...]
    losses: tuple[Risk, ...]
    loss_command: str
    replacements: tuple[Risk, ...]
    problems: tuple[tuple[str, str], ...]
    notices: tuple[str, ...]
    interruptions: tuple[InterruptionView, ...]
    """What is interrupted, the worst first; empty: nothing."""
    permissions: tuple[Widening, ...]
    files: tuple[FileView, ...]
    cost: CostView | None
    stacks: tuple[StackView, ...]
    predicted: tuple[StackView, ...]
    """Stacks of which CloudFormation could not be asked yet."""


def plan_page(plan: Plan, made: Made) -> PlanPage:
    """Return what the page says about *plan*."""
    known = facts(plan)
    few = sum(len(stack.changes) for stack in known.stacks) <= FEW
    views = tuple(_stack(stack, f"s{at}", few=few) for at, stack in enumerate(known.stacks))
    shown = {(stack.name, change.logical_id): change for stack in views for change in stack.changes}
    return PlanPage(
        plan.environment,
        plan.changes_anything,
        _verdict(plan),
        _facts(plan, made),
        _counts([change for stack in views for change in stack.changes]),
        tuple(_risk(one.fact, shown, one.consent, one.flag) for one in known.risks),
        known.consent,
        tuple(_risk(one, shown) for one in known.replaced),
        known.problems,
        known.notices,
        tuple(_interruption(one, shown) for one in known.interruptions),
        known.permissions,
        tuple(_file(one) for one in known.files),
        _cost(known.cost),
        views,
        tuple(view for view in views if not view.exact and view.kind != "none"),
    )


Shown = Mapping[tuple[str, str], ChangeView]
"""Changes as the page shows them, by stack and logical id."""


def _stack(stack: StackFacts, anchor: str, *, few: bool) -> StackView:
    plan = stack.plan
    kind, word = ACTIONS[plan.action]
    plain = plan.exact and plan.action in {"create", "update", "none"}
    changes = tuple(_change(fact, f"{anchor}c{at}", few=few) for at, fact in enumerate(stack.changes))
    return StackView(
        anchor,
        plan.name,
        plan.stack_name,
        kind,
        word,
        plan.exact,
        "" if plain else plan.reason,
        plan.problems,
        changes,
        _counts(changes),
    )


def _change(fact: ChangeFact, anchor: str, *, few: bool) -> ChangeView:
    change = fact.change
    kind = _kind(change)
    return ChangeView(
        anchor,
        kind,
        fact.word,
        change.logical_id,
        change.type,
        change.physical_id,
        fact.at_risk,
        fact.fate,
        tuple(map(property_view, fact.properties)),
        few or fact.at_risk or kind == "replace",
        change.patched,
    )


def _kind(change: Change) -> str:
    if change.replacement in {"True", "Conditional"}:
        return "replace"
    kinds = {"Add": "add", "Modify": "change", "Remove": "remove", "SyncWithActual": "change"}
    return kinds.get(change.action, "other")


def _risk(fact: ChangeFact, shown: Shown, consent: str = "", flag: str = "") -> Risk:
    return Risk(fact.stack, shown[fact.stack, fact.change.logical_id], fact.because, consent, flag)


def _interruption(one: Interruption, shown: Shown) -> InterruptionView:
    resources = tuple((f"{stack}/{name}", shown[stack, name].anchor) for stack, name in one.resources)
    return InterruptionView(one.effect.level, one.effect.words, resources, one.properties)


def _file(one: FileChange) -> FileView:
    kinds: Mapping[str, Kind] = {"-": "gone", "+": "new"}
    lines = tuple(
        TextLine(kinds.get(line[:1], "same"), (Part(line[1:]),))
        for line in one.diff
        if not line.startswith(("--- ", "+++ "))
    )
    return FileView(one.file, lines, one.problem)


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
    only = (("Only", ", ".join(plan.only)),) if plan.only else ()
    known = (("Account", account),) if account else ()
    moment = f"{made.moment:%Y-%m-%d %H:%M:%S} {made.moment:%Z}".strip()
    takes = (("Time", time(plan.seconds)),) if plan.seconds else ()
    return (*known, ("Region", made.region), ("Made", moment), *only, *takes)


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
