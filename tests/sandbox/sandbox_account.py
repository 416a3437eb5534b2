"""An account on a sandbox whose clock stands still: clients over the wire, and resources made in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import boto3

from sandbox.clock import ManualClock
from sandbox.key import Key
from sandbox.resources.provision import MotoProvisioner
from sandbox.server import Sandbox
from sandbox.services.services import ACCOUNT, Services
from tests.command import KEY
from tests.sandbox.provision_world import REGION, World

TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]}

HANG = """
import os, time
def handler(event, context):
    pipe = open(os.environ["PIPE"], "w")
    pipe.write("x")
    pipe.flush()
    time.sleep(600)
"""


def hanging(pipe: Path) -> str:
    """Return a template with an endless rotation; its function holds *pipe* open while it runs."""
    function = {
        "Role": {"Fn::GetAtt": "Role.Arn"},
        "Code": {"ZipFile": HANG},
        "Handler": "index.handler",
        "Timeout": 60,
        "Environment": {"Variables": {"PIPE": str(pipe)}},
    }
    invoke = {"Action": "lambda:InvokeFunction", "Principal": "secretsmanager.amazonaws.com"}
    schedule = {"SecretId": {"Ref": "Secret"}, "RotationLambdaARN": {"Fn::GetAtt": "Function.Arn"}}
    made: dict[str, tuple[str, dict[str, Any]]] = {
        "Role": ("IAM::Role", {"AssumeRolePolicyDocument": TRUST}),
        "Function": ("Lambda::Function", function),
        "Permission": ("Lambda::Permission", {"FunctionName": {"Ref": "Function"}, **invoke}),
        "Secret": ("SecretsManager::Secret", {"SecretString": "x"}),
        "Schedule": ("SecretsManager::RotationSchedule", schedule),
    }
    resources: dict[str, dict[str, Any]] = {
        name: {"Type": f"AWS::{kind}", "Properties": properties} for name, (kind, properties) in made.items()
    }
    resources["Schedule"]["DependsOn"] = "Permission"
    return json.dumps({"Resources": resources})


@contextmanager
def standing() -> Iterator[Sandbox]:
    """Give an empty sandbox."""
    Services().reset()  # moto keeps one account a process
    with Sandbox(clock=ManualClock(), key=KEY) as sandbox:
        yield sandbox


class Endpoint(Protocol):
    """A sandbox's data for clients."""

    @property
    def endpoint(self) -> str:
        """Its address."""

    @property
    def key(self) -> Key:
        """Its key."""


def client(sandbox: Endpoint, service: str) -> Any:
    """Return a client of *service* that connects to *sandbox*."""
    keys = {
        "aws_access_key_id": sandbox.key.access_key_id,
        "aws_secret_access_key": sandbox.key.secret_access_key,
    }
    make: Any = boto3.client
    return make(service, region_name=REGION, endpoint_url=sandbox.endpoint, **keys)


def services(sandbox: Sandbox) -> Services:
    """Return the services of *sandbox*."""
    found = sandbox.backing.services.__self__  # type: ignore[attr-defined]  # a bound method
    assert isinstance(found, Services)
    return found


def world(sandbox: Sandbox) -> World:
    """Return the account of *sandbox*, to create resources in."""
    made = World(ACCOUNT)
    made.services = services(sandbox)
    made.provisioner = MotoProvisioner(made.services, made.schemas, REGION)
    return made
