"""The changes that a change set lists, in the API's format. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.cloudformation import reverting
from sandbox.cloudformation.account import Account
from sandbox.cloudformation.changes import changed, recreates
from sandbox.cloudformation.records import Deployment, Resource, Stack
from sandbox.cloudformation.templates.evaluation import Evaluation, Live
from sandbox.cloudformation.templates.intrinsics import KNOWN_AFTER_APPLY
from sandbox.cloudformation.templates.references import order, references
from sandbox.cloudformation.templates.template import ResourceSpec
from sandbox.errors import ResourceFailure

Json = Any
Detail = dict[str, Any]
AUTOMATIC: Detail = {
    "Target": {"Attribute": "Properties", "RequiresRecreation": "Never"},
    "Evaluation": "Dynamic",
    "ChangeSource": "Automatic",
}
"""A nested stack's template may be another one (CloudFormation API Reference, ResourceChangeDetail)."""


@dataclass
class Plan:
    """The changes, without and with property values."""

    changes: list[Mapping[str, Any]] = field(default_factory=list)
    valued: list[Mapping[str, Any]] = field(default_factory=list)
    warning: str | None = None
    missing_import: str | None = None
    empty: bool = False
    asked: dict[str, Mapping[str, Json]] = field(default_factory=dict)
    """Logical id -> the properties to create or change, as far as known."""


class _Preview(Live):
    """The state after the update, as far as it is known: what changes is known afterwards."""

    def __init__(self, account: Account, stack: Stack) -> None:
        super().__init__(account, stack)
        self._there = {name: resource for name, resource in stack.resources.items() if resource.made}
        self.replaced: set[str] = set()
        self.modified: dict[str, set[str]] = {}
        self.missing: list[str] = []

    def ref(self, logical_id: str) -> Json:
        return super().ref(logical_id) if self._stays(logical_id) else KNOWN_AFTER_APPLY

    def attribute(self, logical_id: str, name: str) -> Json:
        known = self._stays(logical_id) and name not in self.modified.get(logical_id, ())
        return super().attribute(logical_id, name) if known else KNOWN_AFTER_APPLY

    def exported(self, name: str) -> Json:
        if self._account.exporter(name) is None:
            self.missing.append(name)
            return KNOWN_AFTER_APPLY
        return super().exported(name)

    def output(self, stack: str, name: str, region: str) -> Json:
        try:
            return super().output(stack, name, region)
        except ResourceFailure:  # it may exist when the change set is executed
            return KNOWN_AFTER_APPLY

    def _stays(self, logical_id: str) -> bool:
        return logical_id in self._there and logical_id not in self.replaced


def plan(account: Account, stack: Stack, deployment: Deployment, *, reverts_drift: bool = False) -> Plan:
    """Compare *stack* with *deployment*; raises ApiError where the deployment cannot be evaluated."""
    world = _Preview(account, stack)
    planner = _Planner(account, stack, deployment, world, reverts_drift=reverts_drift)
    made = planner.plan()
    evaluation = planner.evaluation
    same_outputs = evaluation.outputs() == stack.outputs
    made.missing_import = next(iter(world.missing), None)
    made.empty = not made.changes and same_outputs and _same_settings(stack.deployment, deployment)
    return made


def _same_settings(old: Deployment, new: Deployment) -> bool:
    return (old.tags, old.notification_arns, old.role_arn, old.rollback_configuration) == (
        new.tags,
        new.notification_arns,
        new.role_arn,
        new.rollback_configuration,
    )


class _Planner:
    def __init__(
        self, account: Account, stack: Stack, deployment: Deployment, world: _Preview, *, reverts_drift: bool
    ) -> None:
        self._reverts_drift = reverts_drift
        self._account = account
        self._stack = stack
        self._world = world
        self._old_parameters = dict(stack.deployment.parameters) | dict(stack.deployment.looked_up)
        self._new_parameters = dict(deployment.parameters) | dict(deployment.looked_up)
        self.evaluation = Evaluation(account, stack, deployment, world)

    def plan(self) -> Plan:
        made = Plan()
        active = self.evaluation.active()
        for name in order(self.evaluation.needs()):
            self._consider(made, active[name])
        for name, resource in reversed(self._stack.resources.items()):
            if name not in active:
                change = self._removed(resource)
                made.changes.append(change)
                made.valued.append(change)
        for entries in (made.changes, made.valued):
            entries.sort(key=lambda entry: str(entry["ResourceChange"]["LogicalResourceId"]))
        return made

    def _consider(self, made: Plan, spec: ResourceSpec) -> None:
        missing = len(self._world.missing)
        plain, shown = self.evaluation.properties(spec)
        if len(self._world.missing) > missing and made.warning is None:
            made.warning = (
                "[WARN] --include-property-values option can return incomplete ChangeSet data because: "
                f"ChangeSet creation failed for resource [{spec.logical_id}] because: "
                f"No export named {self._world.missing[missing]}"
            )
        old = self._stack.resources.get(spec.logical_id)
        if old is None or old.made is None:
            made.asked[spec.logical_id] = plain
            added = _change("Add", spec, {"Details": [], "Scope": []})
            made.changes.append(added)
            made.valued.append(_with_context(added, None, shown))
            return
        if not self._reverts_drift:
            self._modified(made, spec, old, plain, shown)
            return
        self._reverted(made, spec, reverting.found(self._account, self._stack, old, plain), plain, shown)

    def _reverted(
        self,
        made: Plan,
        spec: ResourceSpec,
        looked: reverting.Found,
        plain: Mapping[str, Json],
        shown: Mapping[str, Json],
    ) -> None:
        """Plan against the actual state."""
        if looked.gone:
            self._world.replaced.add(spec.logical_id)
            added = _change("Add", spec, {"Details": [], "Scope": []})
            made.changes.append(reverting.marked(added, looked))
            made.valued.append(reverting.marked(_with_context(added, None, shown), looked))
            return
        listed, valued = len(made.changes), len(made.valued)
        self._modified(made, spec, looked.seen, plain, shown)
        made.changes[listed:] = [reverting.marked(each, looked) for each in made.changes[listed:]]
        made.valued[valued:] = [reverting.marked(each, looked) for each in made.valued[valued:]]
        names = changed(looked.deployed.plain, plain)
        if names and len(made.changes) == listed:
            entry = reverting.sync(looked, looked.deployed.physical_id, names)
            made.changes.append(entry)
            made.valued.append(entry)

    def _modified(
        self,
        made: Plan,
        spec: ResourceSpec,
        old: Resource,
        plain: Mapping[str, Json],
        shown: Mapping[str, Json],
    ) -> None:
        names = changed(old.plain, plain)
        details = [detail for name in names for detail in self._details(spec, old, name, plain)]
        details += self._beside(spec, old)
        if spec.type == "AWS::CloudFormation::Stack" and not details:
            details = [AUTOMATIC]
        if spec.type != old.spec.type or _replacement(details) == "True":
            self._world.replaced.add(spec.logical_id)
        if details:
            self._world.modified[spec.logical_id] = set(names)
            made.asked[spec.logical_id] = plain
            entry = self._entry(spec, old, details)
            made.valued.append(_with_context(_valued(entry, old, shown), old.shown, shown))
        dynamic = [] if _replacement(details) == "True" else self._dynamic(spec, names)
        if details or dynamic:
            made.changes.append(self._entry(spec, old, details + dynamic))

    def _entry(self, spec: ResourceSpec, old: Resource, details: list[Detail]) -> dict[str, Any]:
        replacement = "True" if spec.type != old.spec.type else _replacement(details)
        more: dict[str, Any] = {
            "PhysicalResourceId": old.physical_id,
            "Replacement": replacement,
            "Details": details,
            "Scope": list(dict.fromkeys(detail["Target"]["Attribute"] for detail in details)),
        }
        if replacement != "False":
            policy = old.spec.update_replace_policy
            more["PolicyAction"] = f"ReplaceAnd{policy if policy in ('Retain', 'Snapshot') else 'Delete'}"
        return _change("Modify", spec, more)

    def _removed(self, resource: Resource) -> dict[str, Any]:
        policy = resource.spec.deletion_policy
        action = {"Retain": "Retain", "RetainExceptOnCreate": "Retain", "Snapshot": "Snapshot"}.get(
            policy, "Delete"
        )
        more = {
            "PhysicalResourceId": resource.physical_id,
            "PolicyAction": action,
            "Details": [],
            "Scope": [],
        }
        return _change("Remove", resource.spec, more)

    def _details(
        self, spec: ResourceSpec, old: Resource, name: str, plain: Mapping[str, Json]
    ) -> list[Detail]:
        always = recreates(self._account.schemas, spec.type, name, old.plain, plain)
        target = _target(name, always=always)
        causes = self._causes(spec.properties.get(name))
        if not causes:
            return [{"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}]
        direct = {"Target": target, "Evaluation": "Dynamic", "ChangeSource": "DirectModification"}
        static = [
            {"Target": target, "Evaluation": "Static", "ChangeSource": source, "CausingEntity": entity}
            for source, entity in causes
        ]
        return [*static, direct]

    def _causes(self, value: Json) -> list[tuple[str, str]]:
        found: dict[tuple[str, str], None] = {}
        for reference in references(value):
            name, attribute = reference.name, reference.attribute
            if name in self._new_parameters and self._old_parameters.get(name) != self._new_parameters[name]:
                found["ParameterReference", name] = None
            elif name in self._world.replaced:
                kind = "ResourceReference" if attribute is None else "ResourceAttribute"
                found[kind, name if attribute is None else f"{name}.{attribute}"] = None
            elif attribute is not None and attribute in self._world.modified.get(name, ()):
                found["ResourceAttribute", f"{name}.{attribute}"] = None
        return list(found)

    def _beside(self, spec: ResourceSpec, old: Resource) -> list[Detail]:
        """Return the differences outside the properties."""
        differing = [
            ("Metadata", old.spec.metadata != spec.metadata),
            ("DeletionPolicy", old.spec.deletion_policy != spec.deletion_policy),
            ("UpdateReplacePolicy", old.spec.update_replace_policy != spec.update_replace_policy),
            ("Tags", self._tags_differ(spec)),
        ]
        return [
            {
                "Target": {"Attribute": attribute, "RequiresRecreation": "Never"},
                "Evaluation": "Static",
                "ChangeSource": "DirectModification",
            }
            for attribute, differs in differing
            if differs
        ]

    def _tags_differ(self, spec: ResourceSpec) -> bool:
        taggable = self._account.schemas.tag_property(spec.type) is not None
        return taggable and self._stack.deployment.tags != self.evaluation.deployment.tags

    def _dynamic(self, spec: ResourceSpec, names: list[str]) -> list[Detail]:
        """Return possible changes by attributes of modified resources; AWS lists them without values only."""
        found = []
        for name, value in spec.properties.items():
            for reference in references(value) if name not in names else ():
                if reference.attribute is not None and reference.name in self._world.modified:
                    always = name in {
                        path.partition(".")[0] for path in self._account.schemas.create_only(spec.type)
                    }
                    entity = f"{reference.name}.{reference.attribute}"
                    detail = {
                        "Evaluation": "Dynamic",
                        "ChangeSource": "ResourceAttribute",
                        "CausingEntity": entity,
                    }
                    found.append({"Target": _target(name, always=always), **detail})
        return found


def _target(name: str, *, always: bool) -> Detail:
    return {"Attribute": "Properties", "Name": name, "RequiresRecreation": "Always" if always else "Never"}


def _replacement(details: list[Detail]) -> str:
    always = [detail for detail in details if detail["Target"]["RequiresRecreation"] == "Always"]
    if any(detail["Evaluation"] == "Static" for detail in always):
        return "True"
    return "Conditional" if always else "False"


def _change(action: str, spec: ResourceSpec, more: Mapping[str, Any]) -> dict[str, Any]:
    named = {"Action": action, "LogicalResourceId": spec.logical_id, "ResourceType": spec.type}
    return {"Type": "Resource", "ResourceChange": {**named, **more}}


def _with_context(
    change: Mapping[str, Any], before: Mapping[str, Json] | None, after: Mapping[str, Json]
) -> dict[str, Any]:
    contexts = {"AfterContext": json.dumps({"Properties": after})}
    if before is not None:
        contexts["BeforeContext"] = json.dumps({"Properties": before})
    return {**change, "ResourceChange": {**change["ResourceChange"], **contexts}}


def _valued(change: Mapping[str, Any], old: Resource, shown: Mapping[str, Json]) -> dict[str, Any]:
    """Add path, before and after values to the details that are about properties."""
    details = []
    for detail in change["ResourceChange"]["Details"]:
        name = detail["Target"].get("Name")
        target = dict(detail["Target"])
        if name is not None:
            target["Path"] = f"/Properties/{name}"
            sides = {"BeforeValue": old.shown.get(name), "AfterValue": shown.get(name)}
            target |= {side: _text(value) for side, value in sides.items() if value is not None}
            kinds = {(False, True): "Add", (True, False): "Remove", (True, True): "Modify"}
            target["AttributeChangeType"] = kinds[name in old.shown, name in shown]
        details.append({**detail, "Target": target})
    return {**change, "ResourceChange": {**change["ResourceChange"], "Details": details}}


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)
