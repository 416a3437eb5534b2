"""
Listener rules that ECS rewrites: their current target group, so that an update does not redirect clients.

Elastic Load Balancing API Reference, ModifyRule: an update of any property or tag of a rule writes the
template's actions. The template therefore names the current group by a looked-up parameter.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from deployer import lookups
from deployer.cloud import Cloud
from deployer.errors import DeployError
from deployer.states import Change, StackState
from generator.manifest import Lookup, StackSpec

RULE = "live-group"
LISTENER_RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"


class LiveGroups:
    """Finds the target groups that the rules of live stacks lead to. Read-only."""

    def __init__(self, cloud: Cloud, env: str) -> None:
        self._cloud = cloud
        self._env = env

    def value(self, lookup: Lookup, stack: StackState | None, *, steady: Callable[[], bool]) -> lookups.Value:
        """Return the parameter's value; *steady* says whether nothing else of the stack would change."""
        previous = stack.parameters.get(lookup.parameter) if stack else None
        if stack is None or (previous and steady()):
            return lookups.live_group(lookup.facts, self._env, weights=None, previous=previous)
        weights = self._weights(stack.id, lookup.facts)
        return lookups.live_group(lookup.facts, self._env, weights=weights, previous=previous)

    def check_leaving(self, spec: StackSpec, stack: StackState) -> None:
        """
        Refuse a template whose rule ECS no longer rewrites while it leads clients to the other group.

        Raises:
            DeployError: the other group has the tasks, and the template leads to the first.

        """
        wanted = json.loads(spec.template)
        rules = {
            name for name, one in wanted.get("Resources", {}).items() if one.get("Type") == LISTENER_RULE
        }
        if not rules or stack.parameters.keys() <= wanted.get("Parameters", {}).keys():
            return
        own = {one.facts["listener_rule"] for one in spec.lookups if one.rule == RULE}
        for facts in _facts(self._cloud.template(stack.id)):
            if facts["listener_rule"] in own or facts["listener_rule"] not in rules:
                continue
            weights = self._weights(stack.id, facts) or {}
            if weights.get(facts["other"], 0) > 0:
                rule, other = facts["listener_rule"], facts["other"]
                what = f"{rule} routes the clients to {other}, which this would remove"
                raise DeployError(
                    f"{what}: `gatestack rollout {self._env}` with the current strategy routes them back to "
                    f"{facts['group']}; then deploy again"
                )

    def check_current(
        self,
        spec: StackSpec,
        stack: StackState | None,
        parameters: Mapping[str, str],
        changes: Collection[Change],
    ) -> None:
        """
        Refuse to execute *changes* that would lead clients away from the group that ECS has chosen since.

        Raises:
            DeployError: a rule leads to another group than *parameters*, which were looked up before, say.

        """
        changed = {one.logical_id for one in changes if one.action == "Modify"}
        for one in spec.lookups if stack else ():
            rule = one.facts.get("listener_rule", "")
            if one.rule != RULE or rule not in changed or stack is None:
                continue
            weights = self._weights(stack.id, one.facts)
            now = lookups.live_group(one.facts, self._env, weights=weights, previous=None).text
            if weights and now != parameters.get(one.parameter):
                what = f"ECS has routed the clients to {now} since this change of {rule} was prepared"
                raise DeployError(f"{what}: deploy again, with a new plan if it was planned")

    def _weights(self, stack_id: str, facts: Mapping[str, str]) -> Mapping[str, int] | None:
        """Return the weight of both groups by logical id; None if there is no rule, or it is unknown."""
        there = {one.logical_id: one.physical_id for one in self._cloud.resources(stack_id)}
        rule = there.get(facts["listener_rule"])
        found = self._cloud.rule_groups(rule) if rule else None
        if found is None:
            return None
        return {name: found.get(there.get(name, ""), 0) for name in (facts["group"], facts["other"])}


def _facts(template: str) -> list[Mapping[str, str]]:
    """Return the facts of the look-ups of this rule that a deployed *template* was made with, of ours."""
    try:
        said: Any = json.loads(template)["Metadata"]["gatestack"]["lookups"]
        return [one["facts"] for one in said if one["rule"] == RULE]
    except (ValueError, KeyError, TypeError):
        return []
