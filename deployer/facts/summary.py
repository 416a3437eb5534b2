"""
The facts of a plan in the order in which a reviewer needs them. The only module that decides what is
shown.

Data at risk, interruptions, replacements, changes, cost, widened permissions, files. `deployer.secrecy` has
already masked the values of a plan; nothing here makes new ones.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from deployer.facts.differences import Difference, differences
from deployer.facts.interruptions import NOTHING, Effect, of_change, of_property
from deployer.facts.permissions import Widening
from deployer.facts.update_notes import KEPT
from deployer.facts.uploads import FileChange
from deployer.plan import Plan, PlanCost, StackPlan, consent_flags
from deployer.progress import again, with_command
from deployer.states import Change, PropertyChange

FATES: Mapping[str, str] = {
    "Delete": "it is deleted",
    "Retain": "it stays in the account, and no stack manages it",
    "Snapshot": "it is deleted, after a snapshot",
    "ReplaceAndDelete": "the old one is deleted",
    "ReplaceAndRetain": "the old one stays in the account, and no stack manages it",
    "ReplaceAndSnapshot": "the old one is deleted, after a snapshot",
}
"""What becomes of a resource, by ResourceChange.PolicyAction (CloudFormation API Reference)."""
WORDS: Mapping[str, str] = {
    "Add": "added",
    "Modify": "changed",
    "Remove": "removed",
    "Import": "imported",
    "Dynamic": "not known yet",
    "SyncWithActual": "changed",
}
REPLACEMENTS: Mapping[str, str] = {"True": "replaced", "Conditional": "may be replaced"}


@dataclass(frozen=True)
class PropertyFact:
    """One property of a changed resource."""

    name: str
    """``LoadBalancerAttributes``."""
    recreation: str
    """``Always``, ``Conditionally``, ``Never``, or empty."""
    cause: str
    """What the change comes from, where it is not the text: ``ResourceAttribute Key.Arn``."""
    effect: Effect
    """What its update in place interrupts."""
    before: str | None
    after: str | None
    """The whole values, where CloudFormation tells them."""
    differences: tuple[Difference, ...]
    """What of them differs; empty where CloudFormation tells no values."""


@dataclass(frozen=True)
class ChangeFact:
    """One changed resource."""

    stack: str
    change: Change
    word: str
    """``added``, ``changed``, ``replaced``, ``may be replaced``, ``removed``, …"""
    effect: Effect
    fate: str
    """What becomes of the resource that there is now; empty where it stays."""
    properties: tuple[PropertyFact, ...]

    @property
    def at_risk(self) -> bool:
        """Whether data would go, or may."""
        return self.change.stateful and self.change.destructive

    @property
    def because(self) -> tuple[str, ...]:
        """The properties that replace the resource, or may."""
        return tuple(one.name for one in self.properties if one.recreation in {"Always", "Conditionally"})

    @property
    def interrupting(self) -> tuple[str, ...]:
        """The properties that cause the change's interruption."""
        return tuple(one.name for one in self.properties if one.effect == self.effect)


@dataclass(frozen=True)
class Risk:
    """Data that goes, or may go."""

    fact: ChangeFact
    consent: str
    """``given``, ``missing``, or ``open``: a prediction, asked for once it is certain."""
    flag: str
    """``--allow-replace Database``."""


@dataclass(frozen=True)
class Interruption:
    """What is interrupted, and by which changes."""

    effect: Effect
    resources: tuple[tuple[str, str], ...]
    """Stack and logical id."""
    properties: tuple[str, ...]
    """Names of the properties that cause it; empty for a replacement or a removal."""


@dataclass(frozen=True)
class StackFacts:
    """One stack and its changes."""

    plan: StackPlan
    changes: tuple[ChangeFact, ...]

    @property
    def what(self) -> str:
        """What changes where no resource does: ``nothing``, or ``outputs or tags only``."""
        return "nothing" if self.plan.action == "none" else "outputs or tags only"


@dataclass(frozen=True)
class PlanFacts:
    """Everything that a plan tells, whatever the format."""

    environment: str
    stacks: tuple[StackFacts, ...]
    risks: tuple[Risk, ...]
    consent: str
    """The command that gives every consent that is missing; empty where none is."""
    interruptions: tuple[Interruption, ...]
    """What interrupts, or may, the worst first; what rolls without interruption comes last."""
    replaced: tuple[ChangeFact, ...]
    """What is replaced, or may be, and holds no data."""
    permissions: tuple[Widening, ...]
    files: tuple[FileChange, ...]
    problems: tuple[tuple[str, str], ...]
    """Stack and what would stop a deployment of it."""
    notices: tuple[str, ...]
    cost: PlanCost | None
    seconds: float
    """How long a deployment will take; 0 where nothing changes."""

    @property
    def changes_anything(self) -> bool:
        """Whether any stack would be touched."""
        return any(one.plan.action != "none" for one in self.stacks)


def facts(plan: Plan) -> PlanFacts:
    """Return what *plan* tells."""
    stacks = tuple(_stack(one) for one in plan.stacks)
    changes = [one for stack in stacks if stack.plan.action != "none" for one in stack.changes]
    risks = tuple(
        _risk(one, stack.plan, plan)
        for stack in stacks
        if stack.plan.action != "none"
        for one in stack.changes
        if one.at_risk
    )
    return PlanFacts(
        plan.environment,
        stacks,
        risks,
        consent_command(plan),
        _interruptions(changes),
        tuple(one for one in changes if one.word in REPLACEMENTS.values() and not one.at_risk),
        tuple(each for stack in plan.stacks for each in stack.permissions),
        tuple(each for stack in plan.stacks for each in stack.files),
        tuple((stack.name, problem) for stack in plan.stacks for problem in stack.problems),
        plan.notices,
        plan.cost,
        plan.seconds,
    )


def _interruptions(changes: Collection[ChangeFact]) -> tuple[Interruption, ...]:
    """Return what is interrupted, one row for all changes that interrupt the same in the same words."""
    found: dict[Effect, list[ChangeFact]] = {}
    for one in changes:
        if one.effect.level != "none":
            found.setdefault(one.effect, []).append(one)
    rows = (
        Interruption(
            effect,
            tuple((one.stack, one.change.logical_id) for one in those),
            tuple(dict.fromkeys(name for one in those for name in one.interrupting)),
        )
        for effect, those in found.items()
    )
    return tuple(sorted(rows, key=lambda one: one.effect.rank))


def consent_command(plan: Plan) -> str:
    """Return the command that deploys *plan* with every consent that it lacks; empty where it lacks none."""
    if not plan.consents:
        return ""
    return with_command(again("deploy", plan.called, *plan.flags, *plan.consents), plan.command)


def _stack(stack: StackPlan) -> StackFacts:
    return StackFacts(stack, tuple(_change(one, stack) for one in stack.changes))


def _change(change: Change, stack: StackPlan) -> ChangeFact:
    rows = properties(change)
    word = REPLACEMENTS.get(change.replacement or "", WORDS.get(change.action, change.action))
    effect = NOTHING if stack.action == "create" else of_change(change, _names(rows), _kept(stack))
    fate = FATES.get(change.policy_action, "")
    return ChangeFact(stack.name, change, word, effect, fate, rows)


def _kept(stack: StackPlan) -> list[str]:
    return [one.logical_id for one in stack.changes if one.action == "Modify" and not one.destructive]


def _names(properties: Collection[PropertyFact]) -> list[str]:
    return [one.name for one in properties if one.recreation != "Always"]


def properties(change: Change) -> tuple[PropertyFact, ...]:
    """
    Return a row a property, the values CloudFormation tells with the effect it tells.

    It names a property (``Tags``) and, where it knows values, what is in it (``/Properties/Tags/0/Value``)
    again: the first is left out then, and what it says of the effect and the cause goes to the second.
    """
    by_name: dict[str, list[PropertyChange]] = {}
    for one in change.details:
        by_name.setdefault(path_of(one), []).append(one)
    told = {name for name, those in by_name.items() if any(map(_has_value, those))}
    rows = []
    for name, those in by_name.items():
        if name not in told and any(_within(other, name) for other in told):
            continue
        above = [one for other in by_name.keys() - told if _within(name, other) for one in by_name[other]]
        shown = next(filter(_has_value, those), those[0])
        rows.append(_property(change.type, name, shown, [*those, *above]))
    order = {"Always": 0, "Conditionally": 1}
    return tuple(sorted(rows, key=lambda one: (order.get(one.recreation, 2), one.name)))


def _property(type_: str, name: str, shown: PropertyChange, same: Collection[PropertyChange]) -> PropertyFact:
    """Return one row; *same*: everything that CloudFormation says about this property."""
    known = [one.recreation for one in same]
    recreation = next((one for one in ("Always", "Conditionally", "Never") if one in known), "")
    cause = next((one.cause for one in (shown, *same) if one.cause), "")
    if shown.before is not None and shown.after is None:
        shown = replace(shown, after=KEPT.get(type_, {}).get(name))
    effect, found = of_property(type_, name), differences(name, shown)
    return PropertyFact(name, recreation, cause, effect, shown.before, shown.after, found)


def _has_value(detail: PropertyChange) -> bool:
    return detail.before is not None or detail.after is not None


def _within(name: str, other: str) -> bool:
    return name.startswith((f"{other}.", f"{other}["))


def path_of(detail: PropertyChange) -> str:
    """Return ``Tags[0].Value`` for ``/Properties/Tags/0/Value``."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in detail.name.split("/") if part]
    if detail.name.startswith("/") and parts[:1] == ["Properties"]:
        parts = parts[1:]
    elif detail.attribute not in {"", "Properties"} and parts[:1] != [detail.attribute]:
        parts = [detail.attribute, *parts]
    joined = ".".join(parts or [detail.attribute])
    return re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", joined)


def _risk(fact: ChangeFact, stack: StackPlan, plan: Plan) -> Risk:
    name = fact.change.logical_id
    consent = "missing" if name in stack.protected else "given" if name in plan.allowed else "open"
    return Risk(fact, consent, consent_flags([name]))
