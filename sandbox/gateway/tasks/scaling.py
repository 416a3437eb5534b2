"""
The task count by a service's target tracking policies, from the load of its processes and clients.

Sources: Application Auto Scaling User Guide, "How target tracking scaling for Application Auto Scaling works"
(the policy that wants most tasks scales out, all have to want fewer to scale in; cooldowns); the alarms that
a policy makes: three minutes above the target, fifteen minutes more than 10 % below it. Amazon ECS Developer
Guide, "Use a target metric to scale Amazon ECS services": no scaling in while a deployment is in progress.

Minutes and cooldowns are those of the sandbox's clock. The measured rate is in real seconds, in which
processes and clients run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Any

MINUTE = 60.0
OUT_POINTS, IN_POINTS = 3, 15
_SLACK = 0.9
_COOLDOWN = 300.0
"""Seconds if a policy sets none (API Reference, TargetTrackingScalingPolicyConfiguration, for ECS)."""
_WINDOW = 2.0
"""Least real seconds over which a rate is measured."""
CPU, REQUESTS = "ECSServiceAverageCPUUtilization", "ALBRequestCountPerTarget"
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Policy:
    """One target tracking policy."""

    name: str
    measure: str
    """CPU in percent of the tasks' share, or REQUESTS a minute for each healthy task."""
    group: str
    """Of REQUESTS: the end of the target group's ARN."""
    goal: float
    out_cooldown: float
    in_cooldown: float
    scales_in: bool

    @classmethod
    def read(cls, name: str, configuration: Json) -> Policy:
        """Return one from a TargetTrackingScalingPolicyConfiguration."""
        metric = configuration.get("PredefinedMetricSpecification", {})
        label = str(metric.get("ResourceLabel", ""))
        return cls(
            name,
            str(metric.get("PredefinedMetricType", "")),
            label[label.find("targetgroup/") :],
            float(configuration["TargetValue"]),
            float(configuration.get("ScaleOutCooldown", _COOLDOWN)),
            float(configuration.get("ScaleInCooldown", _COOLDOWN)),
            not configuration.get("DisableScaleIn", False),
        )


@dataclass(frozen=True)
class Use:
    """The usage of one service at one moment."""

    real: float
    """Seconds."""
    seconds: Mapping[str, float]
    """CPU seconds that each healthy task has used so far, by its ARN."""
    share: float
    """CPUs of a task."""
    requests: Mapping[str, int]
    """To each target group so far, by its ARN."""


@dataclass
class Scaling:
    """The measurements for one service's policies."""

    _uses: deque[Use] = field(default_factory=deque)
    _points: dict[str, deque[float]] = field(default_factory=dict)
    _due: float = -inf
    _last: float = -inf
    """Time of the last scaling, in virtual seconds."""

    def wanted(
        self, policies: Sequence[Policy], use: Use, count: int, now: float, *, deploying: bool
    ) -> tuple[int, str]:
        """
        Return how many tasks are wanted instead of *count*, and the name of the policy that wants it.

        To be called often, with the usage at the virtual time *now*.
        """
        self._uses.append(use)
        while len(self._uses) > 1 and use.real - self._uses[1].real >= _WINDOW:
            self._uses.popleft()
        if now < self._due or not count:
            return count, ""
        self._due = now + MINUTE
        before = self._uses[0]
        if use.real - before.real < _WINDOW:
            return count, ""
        for policy in policies:
            self._note(policy, measured(policy, before, use))
        found = decided(policies, self._points, count, now - self._last, deploying=deploying)
        if found[0] != count:
            self._last = now
            self._points.clear()
        return found

    def _note(self, policy: Policy, value: float | None) -> None:
        if value is None:
            self._points.pop(policy.name, None)
        else:
            self._points.setdefault(policy.name, deque(maxlen=IN_POINTS)).append(value)


def measured(policy: Policy, before: Use, after: Use) -> float | None:
    """Return the value of *policy*'s metric between two moments; None if it cannot be measured."""
    real, both = after.real - before.real, before.seconds.keys() & after.seconds.keys()
    if not both or real <= 0:
        return None
    if policy.measure == CPU:
        used = sum(after.seconds[each] - before.seconds[each] for each in both)
        return 100 * used / real / len(both) / after.share
    if policy.measure == REQUESTS:
        came = sum(
            number - before.requests.get(group, number)
            for group, number in after.requests.items()
            if group.endswith(policy.group)
        )
        return MINUTE * came / real / len(both)
    return None


def decided(
    policies: Iterable[Policy],
    points: Mapping[str, Sequence[float]],
    count: int,
    since: float,
    *,
    deploying: bool,
) -> tuple[int, str]:
    """
    Return how many tasks are wanted instead of *count*, and by which policy.

    *points*: of each policy that can be measured, the last minutes' values; *since* the last scaling there
    are that many virtual seconds.
    """
    seen = [(one, list(points[one.name])) for one in policies if points.get(one.name)]
    above = [
        (ceil(count * last[-1] / one.goal), one.name)
        for one, last in seen
        if len(last) >= OUT_POINTS and min(last[-OUT_POINTS:]) > one.goal and since >= one.out_cooldown
    ]
    if above:
        return max(above)
    may = [(one, last) for one, last in seen if one.scales_in]
    below = [
        (max(ceil(count * last[-1] / one.goal), 1), one.name)
        for one, last in may
        if len(last) >= IN_POINTS and max(last) < _SLACK * one.goal and since >= one.in_cooldown
    ]
    if below and len(below) == len(may) and not deploying and max(below)[0] < count:
        return max(below)
    return count, ""
