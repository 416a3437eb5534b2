"""Active failures and settings of a sandbox, as text. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["fail", "slow", "throttle", "lose", "expire", "act-as", "quota"]
_EVERY: Mapping[str, tuple[Kind, str]] = {
    "throttle": ("throttle", "{percent} % of the API calls are throttled"),
    "drop-after": ("lose", "{percent} % of the answers are lost after the call was carried out"),
    "expired": ("expire", "the login has expired: every API call is refused"),
}
"""Kind of a fault of all services -> its command, and its sentence."""
SECONDS_PER_MINUTE = 60.0
_REDIS = "AWS::ElastiCache::ReplicationGroup"
_NO_REDIS = (
    "Redis: a record, nobody answers at its endpoint: no package of PyPI has a Redis 7 server with TLS"
)


@dataclass(frozen=True)
class Fault:
    """An active fault: its command, and its effect."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        """Return the line of it."""
        return f"{self.kind}: {self.text}"


def faults(described: Mapping[str, Any]) -> list[Fault]:
    """Return the active faults of the sandbox's page `faults`, of those that commands can set."""
    return [*_of_calls(described["calls"]), *_of_resources(described["resources"])]


def acting(role_arn: str) -> Fault:
    """Return the line that calls are authorized as a role's."""
    return Fault("act-as", f"calls are judged as those of {role_arn}")


def everything(asked: Callable[[str], Any]) -> list[Fault]:
    """Return everything active in a sandbox that is *asked* for its pages."""
    role = asked("acting")["role"]
    return [*faults(asked("faults")), *([acting(role)] if role else []), *_set(asked("quotas"))]


def quotas(described: Sequence[Mapping[str, Any]], only: str | None = None) -> Iterator[str]:
    """Yield a line for each quota that the sandbox's page `quotas` describes, or for that called *only*."""
    for one in described:
        if only is None or only.lower() in {one["name"], one["code"].lower()}:
            default = "" if one["value"] == one["default"] else f" (default: {one['default']:g})"
            yield f"{one['name']:<22}{one['code']:<12}{one['value']:g}{default}"


def _set(described: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    for one in described:
        if one["value"] != one["default"]:
            text = f"{one['name']} is {one['value']:g} (default: {one['default']:g})"
            yield Fault("quota", text)


def environments(stacks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the environments of the stacks that the sandbox's page `stacks` tells, by their tags."""
    tags = [stack["tags"] for region in stacks.values() for stack in region.values()]
    return sorted({one["Environment"] for one in tags if "Environment" in one})


def addresses(listeners: list[Mapping[str, Any]]) -> list[str]:
    """Return a line for each listener of the sandbox's page `load-balancers`: its address."""
    return [f"load balancer {one['balancer']}, port {one['port']}: {_reached(one)}" for one in listeners]


def _reached(listener: Mapping[str, Any]) -> str:
    """Return how to reach a name of yours, which leads elsewhere or nowhere: where to connect."""
    here = f"localhost:{listener['here']}"
    if listener["protocol"] != "HTTPS":
        return f"http://{here}"
    name = next((one for one in listener["names"] if "*" not in one), None)
    trusting = f"curl --cacert {shlex.quote(listener['ca'])}"
    if name is None:
        return f"{trusting} https://{here}"
    port = listener["port"]
    url = f"https://{name}" if port == 443 else f"https://{name}:{port}"
    return f"{trusting} --connect-to {name}:{port}:{here} {url}"


def databases(found: Mapping[str, Any], stacks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """
    Return a line for each server of the sandbox's page `databases`, and what of the stacks has none.

    Nothing is *found* in a sandbox whose databases are to be records.
    """
    if not found:
        return []
    lines = [_server(one) for one in found["servers"]] + ([found["lacks"]] if found["lacks"] else [])
    there = {
        kind for region in stacks.values() for one in region.values() for kind in one["resources"].values()
    }
    return lines + ([_NO_REDIS] if _REDIS in there else [])


def _server(one: Mapping[str, Any]) -> str:
    asked = (
        "" if one["asked"].partition(".")[0] == one["version"].partition(".")[0] else f", not {one['asked']}"
    )
    state = "running" if one["running"] else "stopped"
    line = f"{one['name']}: PostgreSQL {one['version']}{asked}, {state} at {one['address']}:{one['port']}"
    line += f", {one['mebibytes']} MiB on disk"
    for name, reason in sorted(one["left_out"].items()):
        line += f"; without {name} ({reason})"
    return line + (f"; {one['trouble']}" if one["trouble"] else "")


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
