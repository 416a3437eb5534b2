"""Settings -> Manifest: every stack's template as text, with the data that the deployer needs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from generator.existing import taken_for_granted
from generator.express_mode import express
from generator.extending import check_exports, own_templates, patched
from generator.manifest import (
    Lookup,
    Manifest,
    Migration,
    Notified,
    Patched,
    SnapshotFirst,
    StackSpec,
    Upload,
)
from stacks import STACKS, builder
from stacks.checking.deployment import replacing_minutes
from stacks.extensions import Extension
from stacks.parts import function_code
from stacks.settings import Settings
from stacks.systems import application

_quoted = json.encoder.encode_basestring_ascii

KEPT_SNAPSHOTS = 3
"""Snapshots kept before migrations: with releases every other week, those of a month and more."""

ROLLED_BACK_BY_ALARMS = frozenset({"alb", "service"})
"""The stacks that requests pass through. Their alarms say nothing about updates of the others, and a rollback
interrupts a database twice."""


def render(settings: Settings) -> Manifest:
    """
    Return the environment that *settings* describe, ready to be linted, planned and deployed.

    An empty stack is left out: CloudFormation accepts none without resources.

    Raises:
        ExtensionError: a patch, or a stack of the team's own, does not fit to the rest.

    """
    stacks = tuple(
        stack for stack in (builder(name).build(settings) for name in STACKS) if stack.template.resources
    )
    templates = {stack.name: stack.template.to_dict() for stack in stacks}
    own = own_templates(settings)
    check_exports(settings, templates, own)
    marked = patched(settings, templates)
    built = tuple(_spec(settings, name, *marked[name]) for name in templates)
    added = tuple(_own(settings, one, own[one.name]) for one in settings.added.stacks)
    return Manifest(
        environment=settings.environment,
        system=settings.system,
        region=settings.region,
        account=settings.account,
        production=settings.production,
        stacks=(*built, *added),
        files={file: _content(settings, file) for file in _uploaded(built)},
        existing=taken_for_granted(settings, built),
        usage=dict(settings.usage),
        notify=tuple(Notified(one.where, one.secret, one.events) for one in settings.deployment.notify),
        session_hours=settings.pipelines.session_hours if settings.pipelines.configured else None,
    )


def _uploaded(stacks: Iterable[StackSpec]) -> Iterator[str]:
    """Yield the names of the files that some stack needs in S3."""
    yield from dict.fromkeys(upload.file for stack in stacks for upload in stack.uploads)


def _content(settings: Settings, file: str) -> bytes:
    config = application(settings.system).config
    if config and file == config.file:
        return config.text(settings).encode()
    return function_code.archive()


def _own(settings: Settings, one: Extension, template: Mapping[str, Any]) -> StackSpec:
    """Return a stack of the team's own."""
    return StackSpec(
        name=one.name,
        stack_name=settings.stack_name(one.name),
        template=_text(template) + "\n",
        capabilities=_capabilities(template),
        tags={**settings.tags, **one.tags, **settings.stack_tags(one.name)},
        termination_protection=settings.production,
        timeout_minutes=one.timeout_minutes,
    )


def _spec(
    settings: Settings, name: str, template: Mapping[str, Any], patches: tuple[Patched, ...]
) -> StackSpec:
    deployment = template.get("Metadata", {}).get("gatestack", {})
    watched = name in ROLLED_BACK_BY_ALARMS
    return StackSpec(
        name=name,
        stack_name=settings.stack_name(name),
        template=_text(template) + "\n",
        capabilities=_capabilities(template),
        tags=settings.stack_tags(name),
        termination_protection=settings.production,
        timeout_minutes=getattr(settings.deployment.timeout_minutes, name),
        rollback_alarms=settings.observability.rollback_alarms if watched else (),
        rollback_minutes=settings.observability.rollback_monitoring_minutes if watched else 0,
        lookups=tuple(Lookup(**lookup) for lookup in deployment.get("lookups", ())),
        uploads=tuple(Upload(**upload) for upload in deployment.get("uploads", ())),
        migration=_migration(settings, deployment.get("migration")),
        login_secret=deployment.get("login_secret"),
        patched=patches,
        express=express(template) if settings.deployment.mode == "express" else "never",
    )


def _text(value: Any, margin: str = "\n") -> str:
    """Return the same as ``json.dumps(value, indent=1, sort_keys=True)``, in a third of its time."""
    if isinstance(value, str):
        return _quoted(value)
    inside = f"{margin} "
    if value and isinstance(value, dict):
        parts = (f"{_quoted(key)}: {_text(value[key], inside)}" for key in sorted(value))
        return f"{{{inside}{f',{inside}'.join(parts)}{margin}}}"
    if value and isinstance(value, list):
        return f"[{inside}{f',{inside}'.join(_text(one, inside) for one in value)}{margin}]"
    return json.dumps(value)


def _migration(settings: Settings, entry: Mapping[str, Any] | None) -> Migration | None:
    """
    Return the migration that a template's metadata describes.

    The steps before and after it are in no template, so that changing them changes no stack.
    """
    if entry is None:
        return None
    frozen: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()
    }
    database, first = settings.database, None
    if database.exists and database.snapshot_before_migration:
        first = SnapshotFirst(settings.database_identifier, database.aurora, KEPT_SNAPSHOTS)
    return Migration(**frozen, snapshot=first, old_tasks_minutes=replacing_minutes(settings))


def _capabilities(template: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the capabilities to acknowledge: CAPABILITY_NAMED_IAM includes CAPABILITY_IAM."""
    types = (resource["Type"] for resource in template["Resources"].values())
    makes_iam = any(one.startswith(("AWS::IAM::", "AWS::Serverless::")) for one in types)
    needed = {"CAPABILITY_NAMED_IAM": makes_iam, "CAPABILITY_AUTO_EXPAND": "Transform" in template}
    return tuple(name for name, is_needed in needed.items() if is_needed)
