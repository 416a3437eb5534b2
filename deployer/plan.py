"""A plan: what would change, as frozen data, and what templates alone say about it. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from deployer.facts.permissions import Widening
from deployer.facts.uploads import FileChange
from deployer.states import Change, ChangeSetState, PropertyChange, StackState

PlanVerb = Literal["create", "update", "none", "delete", "recreate"]


@dataclass(frozen=True)
class StackPlan:
    """What a run would do to one stack."""

    name: str
    stack_name: str
    action: PlanVerb
    exact: bool
    """Whether CloudFormation itself said so (a change set), or the template alone."""
    changes: tuple[Change, ...] = ()
    reason: str = ""
    """Why this action, and why it is no more exact than it is."""
    problems: tuple[str, ...] = ()
    """What would stop a deployment: a refused change set, a missing image, a stack that is not ours."""
    protected: tuple[str, ...] = ()
    """Logical ids that need ``--allow-replace``."""
    stack: StackState | None = None
    """The stack as it was when the plan was made."""
    change_set: ChangeSetState | None = None
    """The change set that says so; it is there for as long as the plan is kept."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Values that were looked up in the account."""
    consents: tuple[str, ...] = ()
    """Options, beside ``--allow-replace``, that a deployment refuses to do without: ``--migrate-exports``."""
    permissions: tuple[Widening, ...] = ()
    """What the changes allow that was not allowed before."""
    files: tuple[FileChange, ...] = ()
    """Files that other ones take the place of."""
    seconds: float = 0.0
    """How long the stack will take: as the same took before, else as is usual."""


@dataclass(frozen=True)
class CostDifference:
    """What one thing is estimated at, in US dollars a month, before and after; 0 if it does not exist."""

    stack: str
    logical_id: str
    item: str
    """What is paid for: ``Fargate vCPU``."""
    before: float
    after: float


@dataclass(frozen=True)
class PlanCost:
    """The monthly estimate of the environment as it runs, and as it would be, in US dollars."""

    before: float
    after: float
    differences: tuple[CostDifference, ...] = ()
    """Only what differs, the largest first."""


@dataclass(frozen=True)
class Plan:
    """What a run would do to an environment."""

    environment: str
    stacks: tuple[StackPlan, ...]
    notices: tuple[str, ...] = ()
    cost: PlanCost | None = None
    """None: not estimated."""
    refusal: str = ""
    """Why a deployment would be refused before anything is changed: names that are taken."""
    env: str = ""
    """What the user calls the environment in a command, quoted for a shell; empty: its name."""
    allowed: tuple[str, ...] = ()
    """Logical ids of ``--allow-replace`` that it was made with."""
    flags: tuple[str, ...] = ()
    """The options that it was made with, as a command says them again: ``--only alb``."""
    command: str = ""
    """What deploys it, where that is another command than `deploy`."""
    seconds: float = 0.0
    """How long the stacks on the longest path will take together."""

    @property
    def called(self) -> str:
        """The environment as commands name it."""
        return self.env or self.environment

    @property
    def only(self) -> tuple[str, ...]:
        """Short names of ``--only``; empty: all stacks."""
        return tuple(one.removeprefix("--only ") for one in self.flags if one.startswith("--only "))

    @property
    def changes_anything(self) -> bool:
        """Whether any stack would change."""
        return any(stack.action != "none" for stack in self.stacks)

    @property
    def problems(self) -> tuple[str, ...]:
        """What would stop a deployment, each with its stack."""
        return tuple(f"{stack.name}: {problem}" for stack in self.stacks for problem in stack.problems)

    @property
    def protected(self) -> tuple[str, ...]:
        """Logical ids, over all stacks, that need ``--allow-replace``."""
        return tuple(logical_id for stack in self.stacks for logical_id in stack.protected)

    @property
    def consents(self) -> tuple[str, ...]:
        """The options that a deployment refuses to do without, ``--allow-replace`` with its id."""
        others = (one for stack in self.stacks for one in stack.consents)
        return tuple(dict.fromkeys((*(consent_flags([one]) for one in self.protected), *others)))


def predicted(template: str) -> tuple[Change, ...]:
    """Return what creating *template* adds, conditions not evaluated: every resource, none of it exact."""
    resources: Mapping[str, Mapping[str, str]] = json.loads(template).get("Resources", {})
    return tuple(Change("Add", name, resource["Type"]) for name, resource in sorted(resources.items()))


def compared(live: str, wanted: str) -> tuple[Change, ...]:
    """Return what differs between two templates, by resource; replacements are unknown."""
    before, after = (json.loads(text).get("Resources", {}) for text in (live, wanted))
    changes = [Change("Add", name, after[name]["Type"]) for name in after.keys() - before.keys()]
    changes += [Change("Remove", name, before[name]["Type"]) for name in before.keys() - after.keys()]
    both = [name for name in after.keys() & before.keys() if after[name] != before[name]]
    changes += [Change("Modify", name, after[name]["Type"], replacement="Conditional") for name in both]
    return tuple(sorted(changes, key=lambda change: change.logical_id))


def consent_flags(logical_ids: Iterable[str]) -> str:
    """Return the options that allow the resources *logical_ids* to go."""
    return " ".join(f"--allow-replace {logical_id}" for logical_id in logical_ids)


def needs_consent(changes: Collection[Change], allowed: Collection[str]) -> tuple[Change, ...]:
    """Return the changes that delete a stateful resource, or may, and that *allowed* does not name."""
    return tuple(
        change
        for change in changes
        if change.stateful and change.destructive and change.logical_id not in allowed
    )


def merged(plain: ChangeSetState, valued: ChangeSetState | None) -> ChangeSetState:
    """
    Return *plain* with the before and after values that *valued* knows.

    DescribeChangeSet with IncludePropertyValues can leave out whole resources: never trusted alone.
    """
    if valued is None:
        return plain
    known = {change.logical_id: change for change in valued.changes}
    changes = tuple(_with_values(change, known.pop(change.logical_id, None)) for change in plain.changes)
    return replace(plain, changes=changes + tuple(known.values()))


def _with_values(change: Change, valued: Change | None) -> Change:
    if valued is None:
        return change
    details: dict[tuple[str, str], PropertyChange] = {}
    for detail in (*change.details, *valued.details):
        key = (detail.attribute, detail.name)
        if key not in details or detail.before is not None or detail.after is not None:
            details[key] = detail
    return replace(change, details=tuple(details.values()))
