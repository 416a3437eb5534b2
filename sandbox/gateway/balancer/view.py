"""Load balancers, listeners, rules and target groups in moto's current state, as own types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.resources.entrance import trust_stores

Json = Any
_IDLE = 60.0
"""Seconds of idle_timeout.timeout_seconds where it is not set (API Reference, "LoadBalancerAttribute")."""


@dataclass(frozen=True)
class Rule:
    """Conditions in moto's form, which is the API's; the actions in their order."""

    conditions: Sequence[Mapping[str, Json]]
    actions: Sequence[Mapping[str, Json]]


@dataclass(frozen=True)
class Listener:
    """A port of a load balancer, as AWS has it."""

    port: int
    protocol: str
    certificates: Sequence[str]
    """ARNs, the default one first."""
    rules: Sequence[Rule]
    """In the order of evaluation."""
    authorities: str = ""
    """The authorities of client certificates, in PEM; empty: none are required."""


@dataclass(frozen=True)
class Balancer:
    """An Application Load Balancer."""

    arn: str
    name: str
    region: str
    listeners: Sequence[Listener]
    attributes: Mapping[str, str]

    @property
    def idle(self) -> float:
        """Seconds without a byte after which a connection is closed."""
        return float(self.attributes.get("idle_timeout.timeout_seconds", _IDLE))


@dataclass(frozen=True)
class Check:
    """The health check of a target group; seconds are AWS's."""

    enabled: bool
    protocol: str
    port: str
    path: str
    interval: float
    timeout: float
    healthy: int
    unhealthy: int
    codes: str
    """Like ``200,301-302``."""

    def accepts(self, status: int) -> bool:
        """Whether *status* is a healthy response."""
        bounds = (one.partition("-") for one in self.codes.split(","))
        return any(int(low) <= status <= int(high or low) for low, _, high in bounds)


@dataclass(frozen=True)
class Group:
    """A target group, its registered targets as address and port."""

    arn: str
    protocol: str
    port: int
    """Port of targets that are registered without one."""
    version: str
    check: Check
    delay: float
    """Seconds of deregistration_delay.timeout_seconds."""
    targets: Sequence[tuple[str, int]]
    used: bool
    """Whether a rule of a listener forwards to it, with any weight."""


def balancers(backend: Any) -> list[Balancer]:
    """Return the Application Load Balancers of moto's *backend*, which is one region's."""
    there = list(backend.load_balancers.values())
    stores = trust_stores.held(backend)
    return [_balancer(one, backend.region_name, stores) for one in there if one.type == "application"]


def balancer(backend: Any, arn: str) -> Balancer | None:
    """Return one of them, None where it was deleted."""
    found = backend.load_balancers.get(arn)
    return _balancer(found, backend.region_name, trust_stores.held(backend)) if found else None


def group(backend: Any, arn: str) -> Group | None:
    """Return a target group with HTTP targets, None where there is none."""
    found = backend.target_groups.get(arn)
    return _group(found, used=True) if found and found.protocol in ("HTTP", "HTTPS") else None


def groups(backend: Any) -> list[Group]:
    """Return all of them, used or not."""
    used = {arn for one in balancers(backend) for listener in one.listeners for arn in _led_to(listener)}
    there = [one for one in list(backend.target_groups.values()) if one.protocol in ("HTTP", "HTTPS")]
    return [_group(one, used=one.arn in used) for one in there]


def forwards(action: Mapping[str, Json]) -> dict[str, int]:
    """Return the weight of each target group that a forward *action* names."""
    named = action.get("ForwardConfig", {}).get("TargetGroups") or [action]
    return {one["TargetGroupArn"]: int(one.get("Weight", 1)) for one in named if "TargetGroupArn" in one}


def _led_to(listener: Listener) -> Iterator[str]:
    for rule in listener.rules:
        for action in rule.actions:
            yield from forwards(action)


def _balancer(held: Any, region: str, stores: Mapping[str, trust_stores.Held]) -> Balancer:
    listeners = [_listener(one, stores) for one in list(held.listeners.values())]
    attributes = {name: str(value) for name, value in dict(held.attrs).items()}
    return Balancer(held.arn, held.name, region, listeners, attributes)


def _listener(held: Any, stores: Mapping[str, trust_stores.Held]) -> Listener:
    rules = [_rule(one.conditions, one.actions) for one in sorted(held.rules.values(), key=_place)]
    store = stores.get(trust_stores.asked_of_clients(held).get("TrustStoreArn", ""))
    return Listener(
        int(held.port), held.protocol, list(held.certificates), rules, store.authorities if store else ""
    )


def _place(rule: Any) -> tuple[bool, int]:
    return (True, 0) if rule.is_default else (False, int(rule.priority))


def _rule(conditions: Sequence[Mapping[str, Json]], actions: Sequence[Any]) -> Rule:
    given = [getattr(one, "data", one) for one in actions]
    return Rule(list(conditions), sorted(given, key=lambda one: int(one.get("Order") or 0)))


def _group(held: Any, *, used: bool) -> Group:
    check = Check(
        enabled=bool(held.health_check_enabled),
        protocol=held.health_check_protocol,
        port=str(held.health_check_port),
        path=held.health_check_path or "/",
        interval=float(held.health_check_interval_seconds),
        timeout=float(held.health_check_timeout_seconds),
        healthy=int(held.healthy_threshold_count),
        unhealthy=int(held.unhealthy_threshold_count),
        codes=str((held.matcher or {}).get("HttpCode") or "200"),
    )
    delay = float(held.attributes.get("deregistration_delay.timeout_seconds", 300))
    targets = [(one["Id"], int(one["Port"])) for one in list(held.targets.values())]
    version = held.protocol_version or "HTTP1"
    return Group(held.arn, held.protocol, int(held.port), version, check, delay, targets, used)
