"""Settings -> Manifest: every stack's template as text, with what the deployer must know beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from generator.manifest import Lookup, Manifest, Migration, StackSpec, Upload
from stacks import STACKS, builder
from stacks.parts import function_code, litellm_config
from stacks.settings import Settings

ROLLED_BACK_BY_ALARMS = frozenset({"alb", "service"})
"""The stacks that requests pass through. An alarm on them says nothing about an update of the others, and a
database that is rolled back is interrupted twice."""


def render(settings: Settings) -> Manifest:
    """Return the environment that *settings* describe, ready to be linted, planned and deployed."""
    return Manifest(
        environment=settings.environment,
        system=settings.system,
        region=settings.region,
        account=settings.account,
        production=settings.production,
        stacks=tuple(_spec(settings, name) for name in STACKS),
        files={
            litellm_config.FILE: litellm_config.text(settings).encode(),
            function_code.FILE: function_code.archive(),
        },
    )


def _spec(settings: Settings, name: str) -> StackSpec:
    template = builder(name).build(settings).template.to_dict()
    deployment = template.get("Metadata", {}).get("gatestack", {})
    watched = name in ROLLED_BACK_BY_ALARMS
    return StackSpec(
        name=name,
        stack_name=settings.stack_name(name),
        template=json.dumps(template, indent=1, sort_keys=True) + "\n",
        capabilities=_capabilities(template["Resources"].values()),
        tags=settings.stack_tags(name),
        termination_protection=settings.production,
        timeout_minutes=getattr(settings.deployment.timeout_minutes, name),
        rollback_alarms=settings.observability.rollback_alarms if watched else (),
        rollback_minutes=settings.observability.rollback_monitoring_minutes if watched else 0,
        lookups=tuple(Lookup(**lookup) for lookup in deployment.get("lookups", ())),
        uploads=tuple(Upload(**upload) for upload in deployment.get("uploads", ())),
        migration=_migration(deployment.get("migration")),
    )


def _migration(entry: Mapping[str, Any] | None) -> Migration | None:
    """Return the migration that a template's metadata describes."""
    if entry is None:
        return None
    frozen: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()
    }
    return Migration(**frozen)


def _capabilities(resources: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return what has to be acknowledged: CAPABILITY_NAMED_IAM covers CAPABILITY_IAM."""
    makes_iam = any(resource["Type"].startswith("AWS::IAM::") for resource in resources)
    return ("CAPABILITY_NAMED_IAM",) if makes_iam else ()
