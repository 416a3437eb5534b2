"""Parameters that only the account knows: looked up when a change set is prepared. Read-only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deployer import lookups
from deployer.changes.comparison import same_template
from deployer.checks.placing import RULE as ZONES
from deployer.checks.placing import zones_for
from deployer.cloud import Cloud
from deployer.observed import live
from deployer.progress import Notice, Owed, Tell
from deployer.run.leftovers import tags_of_stack
from deployer.run.live_groups import RULE as LIVE_GROUP
from deployer.run.live_groups import LiveGroups
from deployer.states import StackState
from generator.manifest import Lookup, Manifest, StackSpec


@dataclass(frozen=True)
class _Asked:
    """One look-up."""

    spec: StackSpec
    lookup: Lookup
    stack: StackState | None
    """The live one."""
    reverts: bool
    """Whether its drift is reverted."""

    @property
    def facts(self) -> Mapping[str, str]:
        return self.lookup.facts

    @property
    def before(self) -> str:
        """The live stack's value; empty for none."""
        return self.stack.parameters.get(self.lookup.parameter, "") if self.stack else ""


class Parameters:
    """Looks the parameters of one run's stacks up, by the rules of `generator.manifest.Lookup`."""

    def __init__(self, manifest: Manifest, cloud: Cloud, tell: Tell, env: str, push: str = "") -> None:
        """*env*: what commands call the environment; *push*: `deployer.options.Options`."""
        self._push = push
        self._manifest = manifest
        self._cloud = cloud
        self._tell = tell
        self._env = env
        self._rules: Mapping[str, Callable[[_Asked], lookups.Value]] = {
            "desired-count": self._desired_count,
            "engine-version": self._engine_version,
            "allocated-storage": self._allocated_storage,
            ZONES: lambda one: zones_for(manifest, one.spec, one.lookup, cloud, one.stack),
            LIVE_GROUP: self._live_group,
            "secret-version": self._secret_version,
        }
        self.groups = LiveGroups(cloud, self._env)
        """Target groups of the rules that ECS rewrites."""

    def look_up(
        self, spec: StackSpec, stack: StackState | None, *, reverts: bool = False
    ) -> Mapping[str, str]:
        """
        Look up and return the parameters of *spec*; *stack* is the live one, whose drift *reverts* reverts.

        Raises:
            DeployError: what the account has does not allow it; nothing was changed.

        """
        asked = (_Asked(spec, lookup, live(stack), reverts) for lookup in spec.lookups)
        return {one.lookup.parameter: self._look_up(one) for one in asked}

    def _look_up(self, one: _Asked) -> str:
        value = self._rules[one.lookup.rule](one)
        if value.notice:
            self._tell(Notice(value.notice, one.spec.name, warning=value.warning))
        if value.owed:
            self._tell(Owed(value.owed, value.steps, one.spec.name))
        return value.text

    def _live_group(self, one: _Asked) -> lookups.Value:
        def steady() -> bool:
            return not one.reverts and self._same(one.spec, one.stack)

        return self.groups.value(one.lookup, one.stack, steady=steady)

    def _desired_count(self, one: _Asked) -> lookups.Value:
        facts = one.facts
        image = self._cloud.has_image(facts["repository"], facts["tag"]) if facts["repository"] else True
        previous = None if one.stack is None else one.before
        runs = one.stack is not None and previous != "0"
        unchanged = runs and facts["scaled"] == "true" and self._unchanged(one.spec, one.stack)
        return lookups.desired_count(
            facts,
            environment=self._env,
            image=image,
            previous=previous,
            unchanged=unchanged,
            push=self._push,
        )

    def _unchanged(self, spec: StackSpec, stack: StackState | None) -> bool:
        return stack is not None and same_template(self._cloud.template(stack.id), spec.template)

    def _same(self, spec: StackSpec, stack: StackState | None) -> bool:
        """Whether neither template nor tags of the live stack would change."""
        same_tags = stack is not None and dict(stack.tags) == dict(tags_of_stack(self._manifest, spec))
        return same_tags and self._unchanged(spec, stack)

    def _engine_version(self, one: _Asked) -> lookups.Value:
        facts = one.facts
        if one.stack is None:
            offered = self._cloud.engine_versions(facts["engine"])
            return lookups.engine_version(facts, live=None, offered=offered, new=True)
        aurora = facts["engine"].startswith("aurora")
        runs = self._cloud.database_version(facts["identifier"], cluster=aurora)
        if runs is None and lookups.newer_minor(one.before, than=facts["version"]):
            runs = one.before
        return lookups.engine_version(facts, live=runs, offered=None, new=False)

    def _secret_version(self, one: _Asked) -> lookups.Value:
        return lookups.Value(self._cloud.secret_version(one.facts["secret"]) or one.before)

    def _allocated_storage(self, one: _Asked) -> lookups.Value:
        facts = one.facts
        snapshot = self._cloud.snapshot_storage(facts["snapshot"]) if facts["snapshot"] else None
        if one.stack is None:
            return lookups.allocated_storage(facts, live=None, snapshot=snapshot)
        size = self._cloud.database_storage(facts["identifier"])
        if size is None and one.before.isdecimal():
            size = int(one.before)
        return lookups.allocated_storage(facts, live=size, snapshot=snapshot)
