"""What a change interrupts, from the table `update_notes`. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from deployer.facts.update_notes import HARMLESS, PROPERTIES, QUIET, REPLACED, WORDS, Level
from deployer.states import Change

ORDER: tuple[Level, ...] = ("interruption", "some", "unknown", "rolling", "none")
"""The worst first."""
BEFORE_REMOVAL = "what uses it fails from then on"
OF_A_REPLACEMENT = "what uses the old one is interrupted until it uses the new one"


@dataclass(frozen=True)
class Effect:
    """What a change interrupts."""

    level: Level
    words: str

    @property
    def rank(self) -> int:
        """0: the worst."""
        return ORDER.index(self.level)


NOTHING = Effect("none", WORDS["none"])


def of_property(type_: str, name: str) -> Effect:
    """Return what an update in place of the property *name* (its path, or its first part) interrupts."""
    top = _top(name)
    if top in {"Tags", "Metadata", "DeletionPolicy", "UpdateReplacePolicy", "UpdatePolicy"}:
        return NOTHING
    found = PROPERTIES.get(type_, {}).get(top)
    if found:
        return Effect(*found)
    return NOTHING if type_ in QUIET else Effect("unknown", WORDS["unknown"])


def of_change(change: Change, names: Collection[str], kept: Collection[str] = ()) -> Effect:
    """
    Return the worst that *change* interrupts; *names*: the properties that it changes.

    *kept*: resources of the stack that change and are not replaced: what refers to them keeps its value.
    """
    if change.action in {"Add", "Import"}:
        return NOTHING
    if change.action == "Remove":
        harmless = change.type in HARMLESS or change.policy_action == "Retain"
        return NOTHING if harmless else Effect("interruption", BEFORE_REMOVAL)
    each = [of_property(change.type, name) for name in names if not _certain_to_stay(change, name)]
    if change.replacement == "True" or (change.replacement == "Conditional" and not _stays(change, kept)):
        each.append(_of_replacement(change))
    return min(each, key=lambda one: one.rank, default=NOTHING)


def _of_replacement(change: Change) -> Effect:
    level, words = REPLACED.get(change.type, ("some", OF_A_REPLACEMENT))
    if change.type in HARMLESS:
        return NOTHING
    if change.replacement == "Conditional" and level != "none":
        return Effect("some", f"if it is replaced: {words}")
    return Effect(level, words)


def _stays(change: Change, kept: Collection[str]) -> bool:
    """
    Whether all that could replace the resource only refers to resources that are not replaced themselves.

    CloudFormation says "Conditional" of whatever refers to a resource that changes (API Reference,
    ResourceTargetDefinition, RequiresRecreation); an id or ARN of one that stays is the same afterwards.
    """
    causes = [one for one in change.details if one.recreation in {"Always", "Conditionally"}]
    return bool(causes) and all(
        one.before is None
        and one.after is None
        and one.cause.startswith("Resource")
        and one.cause.split()[-1].partition(".")[0] in kept
        for one in causes
    )


def _certain_to_stay(change: Change, name: str) -> bool:
    """Whether the property is only read again from a resource whose value is not known to change."""
    told = [one for one in change.details if one.top == _top(name)]
    known = any(one.before is not None or one.after is not None for one in told)
    caused = any(one.cause.startswith("ResourceAttribute") for one in told)
    return caused and not known


def _top(path: str) -> str:
    """Return the property that the path ``Tags[0].Value`` is in."""
    return path.partition(".")[0].partition("[")[0]
