"""The manifest: `generate` writes it and `deploy` reads it. Independent of both."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, make_dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from generator import manifest_rules
from generator.foreign import (
    MOST_PROBLEMS,
    Foreign,
    decode,
    parse,
    private_folder,
    read_bytes,
    write_private,
)
from stacks.checking import limits

Occasion = limits.Occasion
FORMAT = 1
INDEX = "manifest.json"


@dataclass(frozen=True)
class Lookup:
    """
    A template parameter whose value is found in the account at deployment, by one of the named rules.

    ``desired-count``: facts ``repository`` (empty for an image outside ECR), ``tag``, ``count`` (tasks,
    decimal) and ``scaled`` ("true" when scaling owns the count).
    ``engine-version``: facts ``engine``, ``version`` (wanted), ``identifier`` of the database.
    ``allocated-storage``: facts ``size`` (wanted) and ``most``, in GiB, ``identifier`` of the DB instance,
    and the ``snapshot`` that it is made from (empty for none).
    ``live-group``: facts ``listener_rule``, ``group`` and ``other``, logical ids of a listener rule and of
    the two target groups between which ECS changes it; the value is one of these two, ``group`` at first.
    ``availability-zones``: fact ``wanted``, names or ids with commas between them; empty: those that fit.
    What they have to have stands in the templates.
    ``secret-version``: fact ``secret``, a name; the value is the id of its current version, empty for none.
    """

    parameter: str
    rule: Literal[
        "desired-count",
        "engine-version",
        "allocated-storage",
        "live-group",
        "availability-zones",
        "secret-version",
    ]
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
class SnapshotFirst:
    """The snapshot of a database that is taken before a migration changes its schema."""

    database: str
    """Identifier of the DB instance, or of the cluster."""
    cluster: bool
    keep: int
    """How many such snapshots stay; older ones are deleted."""


@dataclass(frozen=True)
class Migration:
    """
    The one-off task that migrates the database's schema for an image.

    It runs to its end before the stack's tasks start, and again before they change to another image.
    """

    image: str
    """
    What the image in the task's definition ends with: ``dev-litellm:v1.108.7``.

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
    snapshot: SnapshotFirst | None = None
    """None: no snapshot is taken first."""
    old_tasks_minutes: int = 0
    """About how long the old tasks continue with the migrated schema; 0: not estimated."""


@dataclass(frozen=True)
class ExistingSubnets:
    """Two existing subnets, and the requirements on them."""

    key: str
    """The settings key that names them."""
    ids: tuple[str, ...]
    way_out: Literal["internet", "any", "endpoints", "none"]
    """
    Target of the default route: an ``internet`` gateway; ``any`` other, for hosts without a public address;
    the same, or none if ``endpoints`` replace it; with ``none``, no internet gateway.
    """
    addresses: Mapping[str, tuple[int, int]]
    """What needs addresses -> how many in the first and in the second subnet, at the most."""


@dataclass(frozen=True)
class ExistingStore:
    """An existing database or cache, and the tasks' requirements on it."""

    key: str
    """The settings key that names it: ``database.existing``."""
    host: str
    port: int
    clients: str
    """The VPC's range, in which the tasks are."""
    secret_arn: str | None = None
    secret_keys: tuple[str, ...] = ()
    """The keys of the secret's JSON that tasks are given."""
    kms_key_arn: str | None = None
    """The key that their role may decrypt the secret with; None: AWS's own."""


@dataclass(frozen=True)
class Existing:
    """What an environment expects to exist: checked before anything is changed."""

    vpc_id: str | None = None
    """None: the network stack creates a VPC."""
    vpc_cidr: str = ""
    """The range that security groups use as the VPC's."""
    subnets: tuple[ExistingSubnets, ...] = ()
    endpoints: tuple[str, ...] = ()
    """Services (``ecr.api``) that the network stack makes interface endpoints for, with private DNS."""
    reached: tuple[str, ...] = ()
    """Services that need an endpoint of the VPC's own where its private subnets have no way out."""
    certificate_arn: str | None = None
    domain: str | None = None
    hosted_zone_id: str | None = None
    security_groups: tuple[str, ...] = ()
    """Groups that the tasks are to have beside their own; they are in the tasks' VPC."""
    internal: bool = False
    """Whether the load balancer is reachable from the VPC only."""
    stores: tuple[ExistingStore, ...] = ()
    bundle: str | None = None
    """``s3://bucket/key``: certificates of the authorities whose clients the load balancer accepts."""
    bundle_version: str | None = None


@dataclass(frozen=True)
class Patched:
    """A resource that the environment's file patches."""

    resource: str
    """Logical id."""
    where: str
    """``environments/prod.yaml:41``."""
    reason: str
    risks: tuple[str, ...] = ()
    """What protected data and now does so less, by its path in the resource; the file accepts it."""

    def __str__(self) -> str:
        return f"patched by {self.where}: {self.reason}"


@dataclass(frozen=True)
class StackSpec:
    """One stack as it should be. Its exports and imports are only in its template."""

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
    login_secret: str | None = None
    """
    Name of the secret that the stack's tasks log in to their database with; None for a stack without such.

    Its first value is the administrator's. Tasks start once it is rotated, and no migration begins in the
    middle of its rotation.
    """
    patched: tuple[Patched, ...] = ()
    """Patches of the template, in the order in which they were made."""
    express: Literal["never", "updates", "always"] = "never"
    """Which of its operations end once its configuration is applied, before its resources are ready."""


@dataclass(frozen=True)
class Notified:
    """A webhook that is notified of deployments."""

    where: limits.Receiver
    secret: str
    """Name of the SSM parameter with its URL, below the environment's path."""
    events: tuple[Occasion, ...]


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
    """None: there are no expectations."""
    usage: Mapping[str, float | None] = field(default_factory=dict)
    """The assumed monthly usage, by the keys of `usage`; nothing is deployed from it."""
    session_hours: int | None = None
    """How long a session of the pipelines' roles lasts; None where no pipeline deploys."""
    notify: tuple[Notified, ...] = ()


def write(manifest: Manifest, folder: Path) -> None:
    """
    Write ``manifest.json``, a ``<stack>.json`` for each stack, and the files; same input, same bytes.

    Raises:
        Foreign: the folder, or a file in it, is a link or somebody else's.
        OSError: it cannot be written.

    """
    private_folder(folder)
    wanted = contents(manifest)
    for stale in {path.name for path in folder.glob("*.json")} - wanted.keys():
        (folder / stale).unlink()
    for name, content in wanted.items():
        write_private(folder / name, content)


def contents(manifest: Manifest) -> dict[str, bytes]:
    """Return what `write` writes, by file name."""
    templates = {f"{stack.name}.json": stack.template.encode() for stack in manifest.stacks}
    return {**templates, **manifest.files, INDEX: _index(manifest).encode()}


def read(folder: Path) -> Manifest:
    """
    Read what `write` wrote. The folder may be anybody's: nothing in it is followed, converted or guessed.

    Raises:
        ValueError: the folder is not one that gatestack wrote, or of another format.

    """
    try:
        return _read(folder)
    except OSError as error:
        problem = f"{error.filename}: {error.strerror}"
    except Foreign as error:
        problem = str(error)
    raise Foreign(f"{folder} is not a folder that `gatestack generate` wrote: {problem}")


def _read(folder: Path) -> Manifest:
    where = folder / INDEX
    text = read_bytes(where, manifest_rules.MOST_INDEX_BYTES)
    whole = decode(text, INDEX)
    found = whole.get("format") if isinstance(whole, dict) else None
    if isinstance(found, int) and found != FORMAT:
        raise Foreign(
            f"{INDEX}: format {found}, this gatestack reads {FORMAT}: run `gatestack generate` again"
        )
    index = parse(_schema(), text, INDEX)
    _check(INDEX, manifest_rules.name_problems([entry.name for entry in index.stacks], index.files))
    stacks = tuple(
        StackSpec(**_fields(entry), template=_template(folder / f"{entry.name}.json"))
        for entry in index.stacks
    )
    files = {name: read_bytes(folder / name, manifest_rules.MOST_FILE_BYTES) for name in index.files}
    known = {name: value for name, value in _fields(index).items() if name != "format"}
    manifest = Manifest(**known | {"stacks": stacks, "files": files})
    _check(INDEX, manifest_rules.problems(manifest))
    return manifest


def _template(path: Path) -> str:
    content = read_bytes(path, manifest_rules.MOST_TEMPLATE_BYTES)
    _check(path.name, manifest_rules.template_problems(decode(content, path.name)))
    return content.decode()


def _check(where: str, problems: Iterable[str]) -> None:
    if first := list(dict.fromkeys(islice(problems, 100)))[:MOST_PROBLEMS]:
        raise Foreign(f"{where}: {'; '.join(first)}")


@cache
def _schema() -> type[Any]:
    """Return the schema of the index: a `Manifest` whose templates and files are in separate files."""
    here = {"__module__": __name__}
    own = [(one.name, one.type, one) for one in fields(StackSpec) if one.name != "template"]
    entry = make_dataclass("Entry", own, frozen=True, namespace=here)
    inside = {"stacks": tuple[entry, ...], "files": tuple[str, ...]}  # type: ignore[valid-type]
    whole = [(one.name, inside.get(one.name, one.type), one) for one in fields(Manifest)]
    return make_dataclass("Index", [("format", int), *whole], frozen=True, namespace=here)


def _fields(one: Any) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in fields(one)}


def _index(manifest: Manifest) -> str:
    index = asdict(replace(manifest, files={})) | {"format": FORMAT, "files": sorted(manifest.files)}
    for entry in index["stacks"]:
        for name in ("template", *(one for one in ("patched", "express") if entry[one] in ((), "never"))):
            del entry[name]
    for absent in (name for name in ("existing", "usage", "session_hours", "notify") if not index[name]):
        del index[absent]
    if existing := index.get("existing"):
        unusual = ("security_groups", "stores", "bundle", "bundle_version")
        index["existing"] = {key: one for key, one in existing.items() if one or key not in unusual}
    return json.dumps(index, indent=1, sort_keys=True) + "\n"
