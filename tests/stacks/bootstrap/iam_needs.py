"""What deploying asks AWS for, by its templates: what the handlers of each resource need."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from generator.manifest import Manifest
from sandbox.access.needs import Resource
from sandbox.access.policies import Request
from sandbox.resources.schema import ProviderSchemas
from tests.stacks.bootstrap.iam_policies import ACCOUNT, REGION

BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/gatestack-boundary-{REGION}"


@dataclass(frozen=True)
class Owned:
    """An account in which everything has the same owner's tags, and every role the boundary."""

    def tags(self, arn: str) -> Mapping[str, str] | None:
        """Nothing is known of resources outside the templates."""
        del arn
        return None

    def boundary(self, role: str) -> str | None:
        """The same for all."""
        del role
        return BOUNDARY


def needs(manifest: Manifest, schemas: ProviderSchemas) -> Iterator[Request]:
    """Yield CloudFormation's requests to create, read, change and delete everything in *manifest*."""
    for spec in manifest.stacks:
        tags = {key: spec.tags[key] for key in ("ManagedBy", "Environment", "System")}
        for title, found in json.loads(spec.template)["Resources"].items():
            made = Resource(
                found["Type"],
                title,
                spec.stack_name,
                found["Properties"],
                tags,
                tags,
                Owned(),
                ACCOUNT,
                REGION,
            )
            schema = schemas.schema(found["Type"])
            for operation in ("create", "read", "update", "delete"):
                yield from made.needs(operation, schema)
