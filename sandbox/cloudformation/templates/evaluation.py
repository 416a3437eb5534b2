"""One deployment of a stack, evaluated: resources with properties, outputs, exports, imports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.availability import listed
from sandbox.cloudformation.account import Account
from sandbox.cloudformation.records import Deployment, Output, Resource, Stack
from sandbox.cloudformation.templates.intrinsics import (
    KNOWN_AFTER_APPLY,
    NO_VALUE,
    Resolver,
    World,
    with_dynamic,
)
from sandbox.cloudformation.templates.parameters import masked, seen
from sandbox.cloudformation.templates.references import dependencies
from sandbox.cloudformation.templates.template import OutputSpec, ResourceSpec, scalar
from sandbox.errors import ApiError, ResourceFailure
from sandbox.provisioning import ProvisionError, Request

Json = Any


class Live:
    """The live state while a deployment is executed."""

    def __init__(self, account: Account, stack: Stack) -> None:
        self._account = account
        self._stack = stack

    def ref(self, logical_id: str) -> Json:
        """Return the physical id."""
        return self._made(logical_id).physical_id

    def attribute(self, logical_id: str, name: str) -> Json:
        """Return the attribute, also where it is one level down."""
        attributes = self._made(logical_id).attributes
        if name in attributes:
            return attributes[name]
        head, _, rest = name.partition(".")
        inner = attributes.get(head)
        if isinstance(inner, Mapping) and rest in inner:
            return inner[rest]
        if head == "Outputs":
            raise ResourceFailure(f"Output '{rest}' not found in stack '{self.ref(logical_id)}'")
        raise ResourceFailure(f"Attribute '{name}' of resource [{logical_id}] does not exist")

    def exported(self, name: str) -> Json:
        """Return the export's value."""
        exporter = self._account.exporter(name)
        if exporter is None:
            raise ResourceFailure(f"No export named {name} found.")
        return exporter.exports[name]

    def output(self, stack: str, name: str, region: str) -> Json:
        """Return the other stack's output."""
        found = self._account.elsewhere(region).find(stack)
        if found is None:
            raise ResourceFailure(f"Stack with id {stack} does not exist")
        value = next((each.value for each in found.outputs if each.key == name), None)
        if value is None:
            raise ResourceFailure(f"Output '{name}' not found in stack '{found.id}'")
        return value

    def zones(self, region: str) -> list[str]:
        """Return the account's."""
        return listed(self._account.faults.behaviour.zones, region)

    def _made(self, logical_id: str) -> Any:
        resource = self._stack.resources.get(logical_id)
        if resource is None or resource.made is None:
            raise ResourceFailure(
                f"Unresolved resource dependencies [{logical_id}] in the Resources block of the template"
            )
        return resource.made


class _Importing:
    """A world that only records which exports are used."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def ref(self, _: str) -> Json:
        return KNOWN_AFTER_APPLY

    def attribute(self, _: str, __: str) -> Json:
        return KNOWN_AFTER_APPLY

    def exported(self, name: str) -> Json:
        self.names.add(name)
        return KNOWN_AFTER_APPLY

    def output(self, _: str, __: str, ___: str) -> Json:
        return KNOWN_AFTER_APPLY

    def zones(self, region: str) -> list[str]:
        return listed((), region)


class Evaluation:
    """Evaluates *deployment* of *stack*, in the live state or another one."""

    def __init__(
        self, account: Account, stack: Stack, deployment: Deployment, world: World | None = None
    ) -> None:
        self._account = account
        self._stack = stack
        self.deployment = deployment
        self.template = deployment.template
        values = seen(self.template, deployment.parameters, deployment.looked_up)
        pseudo = self._pseudo()
        world = world or Live(account, stack)
        self._values = {**values, **pseudo}
        self._plain = Resolver(self.template, self._values, world)
        self._masked = Resolver(self.template, {**masked(self.template, values), **pseudo}, world)

    def _pseudo(self) -> dict[str, Json]:
        return {
            "AWS::AccountId": self._account.number,
            "AWS::Region": self._account.region,
            "AWS::StackName": self._stack.name,
            "AWS::StackId": self._stack.id,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NotificationARNs": list(self.deployment.notification_arns),
        }

    def active(self) -> dict[str, ResourceSpec]:
        """Return the resources with true conditions."""
        specs = self.template.resources.items()
        return {
            name: spec
            for name, spec in specs
            if spec.condition is None or self._plain.condition(spec.condition)
        }

    def needs(self) -> dict[str, frozenset[str]]:
        """Return for each active resource the active resources that must exist before."""
        active = self.active()
        return {
            name: needed & active.keys()
            for name, needed in dependencies(self.template).items()
            if name in active
        }

    def properties(self, spec: ResourceSpec) -> tuple[Mapping[str, Json], Mapping[str, Json]]:
        """
        Return the properties, with unresolved dynamic references, and the same with NoEcho values hidden.
        """
        return self._plain.resolve(dict(spec.properties)), self._masked.resolve(dict(spec.properties))

    def metadata(self, spec: ResourceSpec) -> Json:
        """Return a resource's metadata."""
        return self._masked.resolve(dict(spec.metadata))

    def tags(self, spec: ResourceSpec) -> dict[str, str]:
        """Return the tags that the stack gives its resources."""
        named = {"stack-id": self._stack.id, "stack-name": self._stack.name, "logical-id": spec.logical_id}
        return {
            **self.deployment.tags,
            **{f"aws:cloudformation:{key}": value for key, value in named.items()},
        }

    def request(self, spec: ResourceSpec, plain: Mapping[str, Json]) -> Request:
        """Return the provisioner's request, with dynamic references resolved."""
        try:
            properties = with_dynamic(plain, self._account.provisioner.resolve)
        except ProvisionError as error:
            raise ResourceFailure(str(error)) from error
        return Request(
            type=spec.type,
            logical_id=spec.logical_id,
            properties=properties,
            tags=self.tags(spec),
            stack_name=self._stack.name,
            stack_id=self._stack.id,
            account=self._account.number,
            region=self._account.region,
        )

    def outputs(self) -> list[Output]:
        """Return the outputs with true conditions; raises ResourceFailure if one cannot be resolved."""
        return [output for spec in self._outputs() if (output := self._output(spec)) is not None]

    def _outputs(self) -> list[OutputSpec]:
        specs = self.template.outputs.values()
        return [spec for spec in specs if spec.condition is None or self._plain.condition(spec.condition)]

    def _output(self, spec: OutputSpec) -> Output | None:
        value = self._plain.resolve(spec.value)
        if value is NO_VALUE:
            return None
        export = None if spec.export is None else scalar(self._plain.resolve(spec.export))
        text = ",".join(value) if isinstance(value, list) else scalar(value)
        return Output(spec.key, text, spec.description, export)

    def imports(self) -> frozenset[str]:
        """Return the names of the exports that the deployment imports."""
        noting = _Importing()
        resolver = Resolver(self.template, self._values, noting)
        for spec in self.active().values():
            resolver.resolve(dict(spec.properties))
        for output in self._outputs():
            resolver.resolve([output.value])
        return frozenset(noting.names)


def evaluated(resource: Resource, evaluation: Evaluation) -> Request:
    """Set the values of *evaluation* in *resource*, and return the request; raises ResourceFailure."""
    try:
        resource.plain, resource.shown = evaluation.properties(resource.spec)
    except ApiError as error:
        raise ResourceFailure(error.message) from error
    resource.request = evaluation.request(resource.spec, resource.plain)
    return resource.request
