"""A provisioner and schemas in memory, and the sandbox on them: for tests of the control plane alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.clock import ManualClock
from sandbox.errors import invalid
from sandbox.provisioning import Gone, Provisioned, ProvisionError, Refused, Request
from sandbox.server import Backing, Sandbox
from tests.command import CREDENTIALS, KEY

THING = "AWS::Test::Thing"
SLOW = "AWS::Test::Slow"
BARE = "AWS::Test::Bare"
ROLE = "AWS::IAM::Role"
QUEUE = "AWS::SQS::Queue"
"""A type with data."""


class FakeSchemas:
    """Things have an Arn, are replaced when Name or Options.Kind changes; bare ones have no tags."""

    def known(self, type_name: str, /) -> bool:
        return type_name in ("AWS::CloudFormation::Stack", THING, SLOW, BARE, ROLE, QUEUE)

    def create_only(self, type_name: str, /) -> frozenset[str]:
        return frozenset(["Name", "Options.Kind"])

    def identifier(self, type_name: str, /) -> tuple[str, ...]:
        return ("Name",)

    def attributes(self, type_name: str, /) -> frozenset[str]:
        return frozenset(["Arn", "Value", "Nested"])

    def required(self, type_name: str, /) -> frozenset[str]:
        return frozenset(["Needed"]) if type_name == BARE else frozenset()

    def refused(self, type_name: str, properties: Mapping[str, Any], region: str, /) -> tuple[Refused, ...]:
        return ()

    def tag_property(self, type_name: str, /) -> str | None:
        return None if type_name == BARE else "Tags"


class FakeProvisioner:
    """Keeps its resources by physical id."""

    def __init__(self) -> None:
        self.made: dict[str, Request] = {}
        self.log: list[tuple[str, str]] = []
        self.values: dict[str, str] = {}
        self._count = 0

    def create(self, request: Request) -> Provisioned:
        if request.properties.get("Broken"):
            raise ProvisionError("it is broken")
        if request.properties.get("Crash"):
            raise RuntimeError(str(request.properties["Crash"]))
        self._count += 1
        name = str(request.properties.get("Name") or f"{request.logical_id.lower()}-{self._count}")
        if name in self.made:
            raise ProvisionError(f"{name} already exists")
        self.log.append(("create", name))
        return self._keep(name, request)

    def adopt(self, request: Request, identifier: str) -> Provisioned:
        if identifier not in self.made:
            raise ProvisionError(f"{identifier} does not exist")
        self.log.append(("adopt", identifier))
        kept = self.made[identifier].properties.get("Value", "")
        return Provisioned(identifier, {"Arn": f"arn:test:{identifier}", "Value": kept, "Nested": {}})

    def update(
        self, request: Request, old_properties: Mapping[str, Any], current: Provisioned
    ) -> Provisioned:
        if request.properties.get("Broken"):
            raise ProvisionError("it is broken")
        self.log.append(("update", current.physical_id))
        return self._keep(current.physical_id, request)

    def awaits(self, request: Request, current: Provisioned, told: Callable[[str | None], None]) -> bool:
        return False

    def snapshot(self, request: Request, current: Provisioned, name: str) -> None:
        pass

    def delete(self, request: Request, current: Provisioned) -> None:
        if request.properties.get("Sticky"):
            raise ProvisionError("it sticks")
        self.log.append(("delete", current.physical_id))
        self.made.pop(current.physical_id, None)

    def read(self, request: Request, current: Provisioned) -> Mapping[str, Any] | None:
        if request.type == BARE:
            return None
        if current.physical_id not in self.made:
            raise Gone(current.physical_id)
        return self.made[current.physical_id].properties

    def duration(self, type_name: str, /) -> float:
        return 600.0 if type_name == SLOW else 4.0

    def resolve(self, reference: str) -> str:
        if reference not in self.values:
            raise ProvisionError(f"{reference} does not exist")
        return self.values[reference]

    def _keep(self, name: str, request: Request) -> Provisioned:
        self.made[name] = request
        value = request.properties.get("Value", "")
        return Provisioned(name, {"Arn": f"arn:test:{name}", "Value": value, "Nested": {"Port": "5432"}})


class World:
    """A sandbox on fakes, with a client for it."""

    def __init__(self, sandbox: Sandbox, provisioner: FakeProvisioner, files: dict[str, str]) -> None:
        self.sandbox = sandbox
        self.provisioner = provisioner
        self.files = files
        self.client = self.client_in("eu-central-1")

    def client_in(self, region: str, **config: Any) -> Any:
        return boto3.client(
            "cloudformation",
            region_name=region,
            endpoint_url=self.sandbox.endpoint,
            **CREDENTIALS,
            config=Config(retries={"total_max_attempts": 1}, **config),
        )

    def prepare(
        self, stack: str, template: Any, *, kind: str = "CREATE", name: str = "cs", **more: Any
    ) -> Any:
        """Create a change set and wait until it is complete; returns its description."""
        body = {} if template is None else {"TemplateBody": text(template)}
        made = self.client.create_change_set(
            StackName=stack, ChangeSetName=name, ChangeSetType=kind, **body, **more
        )
        self.sandbox.advance(5)
        return self.client.describe_change_set(ChangeSetName=made["Id"])

    def execute(self, stack: str, name: str = "cs", **more: Any) -> Any:
        """Execute a change set to the end; returns the stack."""
        stack_id = self.client.describe_change_set(StackName=stack, ChangeSetName=name)["StackId"]
        self.client.execute_change_set(StackName=stack, ChangeSetName=name, **more)
        self.sandbox.finish()
        return self.stack(stack_id)

    def deploy(self, stack: str, template: Any, *, kind: str = "CREATE", **more: Any) -> Any:
        """Prepare and execute."""
        self.prepare(stack, template, kind=kind, **more)
        return self.execute(stack)

    def stack(self, name: str) -> Any:
        return self.client.describe_stacks(StackName=name)["Stacks"][0]

    def events(self, name: str) -> list[Any]:
        """Return all events, oldest first."""
        pages = self.client.get_paginator("describe_stack_events").paginate(StackName=name)
        return [event for page in pages for event in page["StackEvents"]][::-1]

    def story(self, name: str) -> list[tuple[str, str, str]]:
        """Return the events as (logical id, status, reason), oldest first."""
        return [
            (each["LogicalResourceId"], each["ResourceStatus"], each.get("ResourceStatusReason", ""))
            for each in self.events(name)
        ]


def refusal(call: Any, **params: Any) -> tuple[str, str, int]:
    """Return code, text and HTTP status of a call's error."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    response = caught.value.response
    return (
        response["Error"]["Code"],
        response["Error"]["Message"],
        response["ResponseMetadata"]["HTTPStatusCode"],
    )


def text(template: Any) -> str:
    return template if isinstance(template, str) else json.dumps(template)


def thing(type_: str = THING, *, extra: Mapping[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    return {"Type": type_, "Properties": properties, **(extra or {})}


def of(resources: Mapping[str, Any], **sections: Any) -> dict[str, Any]:
    return {"Resources": dict(resources), **sections}


def exporting(name: str, value: Any) -> dict[str, Any]:
    return {"Value": value, "Export": {"Name": name}}


@contextmanager
def world(seed: int = 0) -> Iterator[World]:
    """Give a sandbox on a manual clock."""
    provisioner, files = FakeProvisioner(), dict[str, str]()

    def fetch(url: str) -> str:
        if url not in files:
            raise invalid("TemplateURL must be a supported URL.")
        return files[url]

    def services(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b'{"served": "elsewhere"}']

    backing = Backing(lambda _: provisioner, FakeSchemas(), fetch, services)
    with Sandbox(clock=ManualClock(), backing=backing, seed=seed, key=KEY) as sandbox:
        yield World(sandbox, provisioner, files)
