"""A stack's links to other stacks and to the deployer: tags, exports, imports, lookups, uploads, tasks."""

from __future__ import annotations

from typing import Any, TypeVar

from troposphere import AWSObject, ImportValue, Output, Parameter, Ref, Sub, Tags, Template
from troposphere import Export as ExportName

from stacks.application import Export, Text, Value
from stacks.settings import Settings
from stacks.systems import application

Resource = TypeVar("Resource", bound=AWSObject)

BOUNDARY_NAME = "gatestack-boundary-${AWS::Region}"
PIPELINE_ROLE = "gatestack-{}-${{AWS::Region}}"
"""Names of the pipelines' roles: ``deploy``, ``plan``. An account has one of each for a region."""
OWN_BOUNDARY = f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:policy/{BOUNDARY_NAME}"
"""The boundary that `gatestack bootstrap` makes: its ARN follows from its name, so nothing is imported."""


class Stack:
    """
    One template being built.

    What only the account knows at deployment (an image that may be missing, a live engine version) is a
    template parameter with a rule beside it, in the template's ``Metadata`` under ``gatestack``; so are files
    that must be in S3 first, and a task that must have run. The generator lifts all of it into the manifest.
    """

    def __init__(self, settings: Settings, name: str, description: str) -> None:
        self.settings = settings
        self.application = application(settings.system)
        self.name = name
        self.template = Template(Description=f"{self.stack_name}: {description}")
        self.template.set_version("2010-09-09")
        self._deployment: dict[str, Any] = {}

    def add(self, resource: Resource, *, name: str | None = None) -> Resource:
        """
        Add *resource*, with the stack's tags where its type carries any, and with ``Name`` on wish.

        A role gets the boundary that the settings say.
        """
        if "Tags" in resource.props:
            tags = self.tags
            if name:
                tags["Name"] = f"{self.prefix}-{name}"
            resource.Tags = tags if resource.props["Tags"][0] is dict else Tags(**tags)
        if "PermissionsBoundary" in resource.props and self.boundary:
            resource.PermissionsBoundary = self.boundary
        self.template.add_resource(resource)
        return resource

    @property
    def stack_name(self) -> str:
        """Name in CloudFormation."""
        return self.settings.stack_name(self.name)

    @property
    def prefix(self) -> str:
        """What the names of its resources begin with."""
        return self.settings.prefix

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the stack and of everything in it."""
        return self.settings.stack_tags(self.name)

    @property
    def boundary(self) -> Sub | str | None:
        """The ARN of the policy that limits every role of the stack."""
        chosen = self.settings.pipelines.boundary
        return Sub(OWN_BOUNDARY) if chosen == "gatestack" else chosen

    def export(self, output: str, value: Any, description: str) -> None:
        """Export *value* as ``{stack name}-{output}``."""
        names = [output, self.application.aliases.get(output)]
        for name in filter(None, names):
            export = ExportName(f"{self.stack_name}-{name}")
            self.template.add_output(Output(name, Value=value, Description=description, Export=export))

    def imported(self, stack: str, output: str) -> ImportValue | str:
        """Return the value that *stack* exports as *output*, or the settings' value instead."""
        given = self.settings.given.get((stack, output))
        return given if given is not None else ImportValue(self.settings.export_name(stack, output))

    def resolved(self, value: Value) -> Any:
        """Return *value* as the template says it: this stack's own output itself, another's by its import."""
        if isinstance(value, Text):
            return Sub(value.template, **{name: self.resolved(one) for name, one in value.exports.items()})
        if not isinstance(value, Export):
            return value
        if value.stack == self.name and (value.stack, value.output) not in self.settings.given:
            return self.template.outputs[value.output].Value
        return self.imported(value.stack, value.output)

    @property
    def service_name(self) -> str:
        """Name of the ECS service that gets the requests: ``dev-litellm-proxy``."""
        return self.settings.named(self.application.entrance.name)

    @property
    def log_group_name(self) -> str:
        """Name of its tasks' log group: ``/ecs/dev-litellm-proxy``."""
        return self.settings.log_group_of(self.application.entrance.name)

    def look_up(self, parameter: Parameter, rule: str, **facts: str) -> Ref:
        """Add *parameter*, which the deployer sets by *rule* (see `generator.manifest.Lookup`)."""
        entry = {"parameter": parameter.title, "rule": rule, "facts": facts}
        self._note("lookups", entry)
        return Ref(self.template.add_parameter(parameter))

    def upload(self, file: str, bucket_export: str, key: str) -> None:
        """Have the deployer put *file* of the built folder at *key* before this stack changes."""
        self._note("uploads", {"file": file, "bucket_export": bucket_export, "key": key})

    def migrate(self, **how: str | list[str]) -> None:
        """Have the deployer run a task before this stack changes (see `generator.manifest.Migration`)."""
        self._deployment["migration"] = how
        self.template.set_metadata({"gatestack": self._deployment})

    def log_in_with(self, secret_name: str) -> None:
        """Have the deployer wait for the first rotation of *secret_name* before tasks start with it."""
        self._deployment["login_secret"] = secret_name
        self.template.set_metadata({"gatestack": self._deployment})

    def _note(self, kind: str, entry: dict[str, Any]) -> None:
        self._deployment.setdefault(kind, []).append(entry)
        self.template.set_metadata({"gatestack": self._deployment})
