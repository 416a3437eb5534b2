"""The contract between the two halves: what `generate` writes and `deploy` reads. Knows neither of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

FORMAT = 1
INDEX = "manifest.json"


@dataclass(frozen=True)
class Lookup:
    """
    A template parameter whose value is found in the account at deployment, by one of the named rules.

    ``desired-count``: facts ``repository`` (empty for an image outside ECR), ``tag``, ``count`` (tasks,
    decimal) and ``scaled`` ("true" when scaling owns the count).
    ``engine-version``: facts ``engine``, ``version`` (wanted), ``identifier`` of the database.
    """

    parameter: str
    rule: Literal["desired-count", "engine-version"]
    facts: Mapping[str, str]


@dataclass(frozen=True)
class Upload:
    """A file of the built folder that must be in S3 before the stack's change set is executed."""

    file: str
    """Name inside the built folder."""
    bucket_export: str
    """Export that holds the bucket's name."""
    key: str
    """Object key, content-addressed: the same key always means the same bytes."""


@dataclass(frozen=True)
class Migration:
    """
    The one-off task that brings the database's schema to what an image needs.

    It runs to its end before the stack's tasks start, and again before they change to another image.
    """

    image: str
    """
    What the image in the task's definition ends with: ``dev-litellm:v1.93.0``.

    It stands in the stack's own template too (``Metadata``): where the live template names another image, or
    none, the schema was not migrated for this one.
    """
    definition_export: str
    """Export that holds the ARN of the task definition."""
    cluster: str
    container: str
    subnet_exports: tuple[str, ...]
    security_group_exports: tuple[str, ...]
    log_group: str
    login_secret: str
    """Name of the secret that the task logs in with; no migration begins in the middle of its rotation."""


@dataclass(frozen=True)
class ExistingSubnets:
    """Two subnets that are there already, and what they have to be good for."""

    key: str
    """The settings key that names them."""
    ids: tuple[str, ...]
    way_out: Literal["internet", "any", "endpoints", "none"]
    """
    Where the default route leads: to an ``internet`` gateway; ``any`` way but one, for hosts without a public
    address; the same, or to nowhere if ``endpoints`` stand for it; with ``none``, not to an internet gateway.
    """
    addresses: Mapping[str, tuple[int, int]]
    """What needs addresses -> how many in the first and in the second subnet, at the most."""


@dataclass(frozen=True)
class Existing:
    """What an environment takes for granted: it is looked at before anything is touched."""

    vpc_id: str | None = None
    """None: the network stack makes a VPC."""
    vpc_cidr: str = ""
    """The range that security groups take for the VPC's."""
    subnets: tuple[ExistingSubnets, ...] = ()
    endpoints: tuple[str, ...] = ()
    """Services (``ecr.api``) that the network stack makes interface endpoints for, with private DNS."""
    reached: tuple[str, ...] = ()
    """Services that need an endpoint of the VPC's own where its private subnets have no way out."""
    certificate_arn: str | None = None
    domain: str | None = None
    hosted_zone_id: str | None = None
    internal: bool = False
    """Whether the load balancer is reachable from the VPC only."""


@dataclass(frozen=True)
class StackSpec:
    """One stack as it should be. What it exports and imports stands in its template alone."""

    name: str
    """Short name: ``network``."""
    stack_name: str
    """CloudFormation's name: ``dev-litellm-network``."""
    template: str
    """The template's exact text."""
    capabilities: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    termination_protection: bool = False
    timeout_minutes: int = 60
    """The deployer's own limit for one operation on this stack."""
    rollback_alarms: tuple[str, ...] = ()
    """Names or ARNs of alarms that roll an update back."""
    rollback_minutes: int = 0
    """How long the alarms are watched after everything is done."""
    lookups: tuple[Lookup, ...] = ()
    uploads: tuple[Upload, ...] = ()
    migration: Migration | None = None


@dataclass(frozen=True)
class Manifest:
    """A whole environment, ready to be linted, planned and deployed."""

    environment: str
    system: str
    region: str
    account: str | None
    """Twelve digits; deploying with the credentials of another account is refused."""
    production: bool
    stacks: tuple[StackSpec, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Files that stacks upload, by name."""
    existing: Existing | None = None
    """None: nothing is taken for granted."""
    usage: Mapping[str, float | None] = field(default_factory=dict)
    """What a month is taken to bring, by the keys of `usage`; nothing is deployed from it."""


def write(manifest: Manifest, folder: Path) -> None:
    """Write ``manifest.json``, a ``<stack>.json`` for each stack, and the files; same input, same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = contents(manifest)
    for stale in {path.name for path in folder.glob("*.json")} - wanted.keys():
        (folder / stale).unlink()
    for name, content in wanted.items():
        (folder / name).write_bytes(content)


def contents(manifest: Manifest) -> dict[str, bytes]:
    """Return what `write` writes, by file name."""
    templates = {f"{stack.name}.json": stack.template.encode() for stack in manifest.stacks}
    return {**templates, **manifest.files, INDEX: _index(manifest).encode()}


def read(folder: Path) -> Manifest:
    """
    Read what `write` wrote.

    Raises:
        ValueError: the folder is not one that gatestack wrote, or of another format.

    """
    try:
        index = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if index["format"] != FORMAT:
            there = f"{folder / 'manifest.json'}: format {index['format']}"
            raise ValueError(f"{there}, this gatestack reads {FORMAT}: run `gatestack generate` again")
        stacks = tuple(_stack(entry, folder) for entry in index["stacks"])
        files = {name: (folder / name).read_bytes() for name in index["files"]}
        names = ("environment", "system", "region", "account", "production")
        taken = _existing(index.get("existing"))
        known = {name: index[name] for name in names} | {"usage": index.get("usage", {})}
        return Manifest(**known, stacks=stacks, files=files, existing=taken)
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{folder} is not a folder that `gatestack generate` wrote: {error}") from error


def _index(manifest: Manifest) -> str:
    index = asdict(replace(manifest, files={})) | {"format": FORMAT, "files": sorted(manifest.files)}
    for entry in index["stacks"]:
        del entry["template"]
    for absent in (name for name in ("existing", "usage") if not index[name]):
        del index[absent]
    return json.dumps(index, indent=1, sort_keys=True) + "\n"


def _stack(entry: Mapping[str, Any], folder: Path) -> StackSpec:
    template = (folder / f"{entry['name']}.json").read_text(encoding="utf-8")
    lists = {
        "capabilities": tuple(entry["capabilities"]),
        "rollback_alarms": tuple(entry.get("rollback_alarms", ())),
        "lookups": tuple(Lookup(**lookup) for lookup in entry["lookups"]),
        "uploads": tuple(Upload(**upload) for upload in entry["uploads"]),
        "migration": _migration(entry.get("migration")),
    }
    return StackSpec(**{**entry, **lists}, template=template)


def _migration(entry: Mapping[str, Any] | None) -> Migration | None:
    if entry is None:
        return None
    lists = {name: tuple(entry[name]) for name in ("subnet_exports", "security_group_exports")}
    return Migration(**{**entry, **lists})


def _existing(entry: Mapping[str, Any] | None) -> Existing | None:
    if entry is None:
        return None
    lists = {name: tuple(entry[name]) for name in ("endpoints", "reached")}
    subnets = tuple(_subnets(one) for one in entry["subnets"])
    return Existing(**{**entry, **lists, "subnets": subnets})


def _subnets(entry: Mapping[str, Any]) -> ExistingSubnets:
    addresses = {what: (first, second) for what, (first, second) in entry["addresses"].items()}
    return ExistingSubnets(**{**entry, "ids": tuple(entry["ids"]), "addresses": addresses})
