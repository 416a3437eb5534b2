"""What is switched on in a sandbox, in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["fail", "slow", "throttle", "lose", "expire", "act-as", "quota"]
_EVERY: Mapping[str, tuple[Kind, str]] = {
    "throttle": ("throttle", "{percent} % of the API calls are throttled"),
    "drop-after": ("lose", "{percent} % of the answers are lost after the call was carried out"),
    "expired": ("expire", "the login has expired: every API call is refused"),
}
"""Kind of a fault of all services -> the command that sets it, and the sentence of it."""
SECONDS_PER_MINUTE = 60.0


@dataclass(frozen=True)
class Fault:
    """Something that is switched on: by which command, and what it does."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        """Return the line of it."""
        return f"{self.kind}: {self.text}"


def faults(described: Mapping[str, Any]) -> list[Fault]:
    """Return what the sandbox's page `faults` describes and is not used up, of what commands can set."""
    return [*_of_calls(described["calls"]), *_of_resources(described["resources"])]


def acting(role_arn: str) -> Fault:
    """Return that calls are judged as those of a role."""
    return Fault("act-as", f"calls are judged as those of {role_arn}")


def everything(asked: Callable[[str], Any]) -> list[Fault]:
    """Return all that is switched on, of a sandbox that is *asked* for its pages."""
    role = asked("acting")["role"]
    return [*faults(asked("faults")), *([acting(role)] if role else []), *_set(asked("quotas"))]


def quotas(described: Sequence[Mapping[str, Any]], only: str | None = None) -> Iterator[str]:
    """Yield a line for each quota that the sandbox's page `quotas` describes, or for that called *only*."""
    for one in described:
        if only is None or only.lower() in {one["name"], one["code"].lower()}:
            default = "" if one["value"] == one["default"] else f" (AWS's default: {one['default']:g})"
            yield f"{one['name']:<22}{one['code']:<12}{one['value']:g}{default}"


def _set(described: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    for one in described:
        if one["value"] != one["default"]:
            text = f"{one['name']} is {one['value']:g} (AWS's default: {one['default']:g})"
            yield Fault("quota", text)


def environments(stacks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the environments of the stacks that the sandbox's page `stacks` tells, by their tags."""
    tags = [stack["tags"] for region in stacks.values() for stack in region.values()]
    return sorted({one["Environment"] for one in tags if "Environment" in one})


def _of_calls(those: list[Mapping[str, Any]]) -> Iterator[Fault]:
    for one in those:
        if one["service"] == "*" and one["share"] and one["kind"] in _EVERY:
            kind, text = _EVERY[one["kind"]]
            yield Fault(kind, text.format(percent=f"{100 * one['share']:g}"))


def _of_resources(those: list[Mapping[str, Any]]) -> Iterator[Fault]:
    for one in those:
        if one["times"] == 0:
            continue
        when = "next operation" if one["operation"] == "any" else f"next {one['operation']}"
        often = when if one["times"] == 1 else f"{when}s, {one['times']} times"
        what = f"{one['logical_id']} of {one['stack']}, at its {often}"
        if one["reason"] is not None:
            yield Fault("fail", f"{what}: {one['reason']}")
        elif one["seconds"]:
            yield Fault("slow", f"{what}: {one['seconds'] / SECONDS_PER_MINUTE:g} sandbox minutes longer")
