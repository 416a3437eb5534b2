"""
Validation of a built folder: types, ranges, consistency. Pure; yields each problem with its place.

A folder comes from an artifact store or another checkout, and is executed with the deployer's credentials.
Messages repeat no values, only their places.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from stacks.checking import limits, zones
from stacks.checking.limits import SECTIONS, TRANSFORMS

if TYPE_CHECKING:
    from generator.manifest import Existing, Lookup, Manifest, Migration, Patched, StackSpec, Upload

_PARAMETER_NAME = r"[A-Za-z0-9_.-]{1,100}"
MOST_STACKS = 1000
MOST_FILES = 50
MOST_INDEX_BYTES = 4_000_000
MOST_TEMPLATE_BYTES = 1_000_000
"""Of a template in S3 (CloudFormation User Guide, "Understand CloudFormation quotas")."""
MOST_FILE_BYTES = 50_000_000
"""Of a function's archive (AWS Lambda Developer Guide, "Lambda quotas")."""
MOST_RESOURCES = 500
"""In a template (CloudFormation quotas)."""
MOST_SNAPSHOTS = 100
"""Manual ones of a region (Amazon RDS User Guide, "Quotas in Amazon RDS")."""

CAPABILITIES: Final = frozenset({"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"})
"""The last for AWS's own transforms only: another macro would change the reviewed template."""
_ITSELF: Final = "AWS::CloudFormation::"
"""Nested stacks, macros, custom resources: what they create is in no template of the folder."""

_FILE: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_SHORT: Final = r"[a-z][a-z0-9-]{0,40}"
_STACK: Final = r"[A-Za-z][A-Za-z0-9-]{0,127}"
"""CloudFormation API Reference, CreateChangeSet, StackName."""
_LOGICAL: Final = r"[A-Za-z0-9]{1,255}"
_EXPORT: Final = r"[A-Za-z0-9:-]{1,255}"
_TEXT: Final = r"[!-~]{1,512}"
_KEY: Final = r"[A-Za-z0-9][A-Za-z0-9._/-]{0,511}"
_TAG: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|sha256:[0-9a-f]{64}"
_ALARM: Final = r"[ -~]{1,512}"
_CIDR: Final = r"([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}"
_ZONE: Final = f"{zones.ID}|{zones.NAME}"
_LINE: Final = r"[^\x00-\x1f\x7f]{1,1200}"
_ID: Final = r"[a-z]{1,10}-[0-9a-f]{8,17}"

FACTS: Final[Mapping[str, Mapping[str, str]]] = {
    "desired-count": {
        "repository": r"|[a-z0-9][a-z0-9._/-]{0,255}",
        "tag": _TAG,
        "count": r"[0-9]{1,4}",
        "scaled": "true|false",
    },
    "engine-version": {
        "engine": "postgres|aurora-postgresql",
        "version": r"[0-9]{1,2}(\.[0-9]{1,2})?",
        "identifier": r"[a-z][a-z0-9-]{0,62}",
    },
    "allocated-storage": {
        "identifier": r"[a-z][a-z0-9-]{0,62}",
        "size": r"[0-9]{1,5}",
        "most": r"[0-9]{1,5}",
        "snapshot": r"|[A-Za-z0-9][A-Za-z0-9:._/-]{0,511}",
    },
    "live-group": {"listener_rule": _LOGICAL, "group": _LOGICAL, "other": _LOGICAL},
    "availability-zones": {"wanted": rf"|({_ZONE})(,({_ZONE})){{0,5}}"},
    "secret-version": {"secret": r"[A-Za-z0-9/_+=.@-]{1,512}"},
}
"""Rule of a lookup -> exactly its facts, and the shape of each."""


def name_problems(stacks: Collection[str], files: Collection[str]) -> Iterator[str]:
    """Yield what is wrong with the names that become paths in the folder."""
    if not 1 <= len(stacks) <= MOST_STACKS:
        yield f"stacks: {len(stacks)} of them; 1 to {MOST_STACKS}"
    if len(files) > MOST_FILES:
        yield f"files: {len(files)} of them; {MOST_FILES} at most"
    for number, name in enumerate(stacks):
        if not re.fullmatch(_SHORT, name):
            yield f"stacks.{number}.name: not lower-case letters, digits and hyphens"
    for number, name in enumerate(files):
        if not re.fullmatch(_FILE, name):
            yield f"files.{number}: no plain file name"
    count = Counter(name.casefold() for name in (*files, "manifest.json", *(f"{one}.json" for one in stacks)))
    if any(many > 1 for many in count.values()):
        yield "two stacks or files have the same name"


def template_problems(document: Any) -> Iterator[str]:
    """Yield what is wrong with a template, which may be any JSON value."""
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        yield "a template is a JSON object with Resources"
        return
    if document.keys() - set(SECTIONS):
        yield "a template has no such section (Hooks)"
    if not _transformed(document.get("Transform", [])):
        yield f"Transform: only {' and '.join(sorted(TRANSFORMS))}"
    for section in ("Resources", "Outputs", "Parameters", "Conditions", "Metadata", "Mappings", "Rules"):
        entries = document.get(section, {})
        if not isinstance(entries, dict) or not all(isinstance(one, dict) for one in entries.values()):
            yield f"{section}: expected objects by their names"
            return
    if len(document["Resources"]) > MOST_RESOURCES:
        yield f"Resources: CloudFormation takes {MOST_RESOURCES}"
    yield from _resources(document["Resources"].values())
    exports = [one["Export"] for one in document.get("Outputs", {}).values() if "Export" in one]
    if not all(isinstance(one, dict) and "Name" in one for one in exports):
        yield "Outputs: an Export has a Name"
    if _transforms(document):
        yield "a template of gatestack's has no Fn::Transform"


def _transformed(said: Any) -> bool:
    names = said if isinstance(said, list) else [said]
    return all(isinstance(one, str) and one in TRANSFORMS for one in names)


def _resources(found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for resource in found:
        kind = resource.get("Type")
        if not isinstance(kind, str) or not isinstance(resource.get("Properties", {}), dict):
            yield "Resources: each has a Type and Properties"
        elif kind.startswith(_ITSELF):
            yield "Resources: a template of gatestack's has neither nested stacks nor macros"


def problems(manifest: Manifest) -> Iterator[str]:
    """Yield all problems except those of file names and templates."""
    yield from _shaped(
        {
            "environment": (manifest.environment, _SHORT),
            "system": (manifest.system, _SHORT),
            "region": (manifest.region, limits.REGION),
            "account": (manifest.account, "[0-9]{12}"),
        }
    )
    if manifest.production and any(stack.express != "never" for stack in manifest.stacks):
        yield "stacks: express is not for production"
    for number, stack in enumerate(manifest.stacks):
        yield from (f"stacks.{number}.{problem}" for problem in _stack(stack, manifest))
    if manifest.existing:
        yield from (f"existing.{problem}" for problem in _existing(manifest.existing))
    if any(not re.fullmatch(_PARAMETER_NAME, one.secret) for one in manifest.notify):
        yield "notify: no name of a parameter"
    for key, value in manifest.usage.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,60}", key) or not 0 <= (value or 0) <= 1e9:
            yield "usage: a name or a number out of range"


def _stack(stack: StackSpec, manifest: Manifest) -> Iterator[str]:
    prefix = f"{manifest.environment}-{manifest.system}"
    if stack.stack_name != f"{prefix}-{stack.name}" or not re.fullmatch(_STACK, stack.stack_name):
        yield "stack_name: not environment, system and name, with hyphens between them"
    if not set(stack.capabilities) <= CAPABILITIES or len(stack.capabilities) > len(CAPABILITIES):
        yield f"capabilities: only {' and '.join(sorted(CAPABILITIES))}"
    yield from _tags(stack, manifest)
    if not 1 <= stack.timeout_minutes <= limits.MOST_TIMEOUT_MINUTES:
        yield f"timeout_minutes: 1 to {limits.MOST_TIMEOUT_MINUTES}"
    if not 0 <= stack.rollback_minutes <= limits.MOST_ROLLBACK_MINUTES:
        yield f"rollback_minutes: 0 to {limits.MOST_ROLLBACK_MINUTES}"
    alarms = stack.rollback_alarms
    if len(alarms) > limits.ROLLBACK_TRIGGERS or not all(re.fullmatch(_ALARM, one) for one in alarms):
        yield f"rollback_alarms: {limits.ROLLBACK_TRIGGERS} names or ARNs at most"
    if len({one.parameter for one in stack.lookups}) < len(stack.lookups):
        yield "lookups: a parameter stands twice"
    for number, lookup in enumerate(stack.lookups):
        yield from (f"lookups.{number}.{problem}" for problem in _lookup(lookup))
    for number, upload in enumerate(stack.uploads):
        yield from (f"uploads.{number}.{problem}" for problem in _upload(upload, manifest))
    yield from _shaped({"login_secret": (stack.login_secret, r"[A-Za-z0-9/_+=.@-]{1,512}")})
    yield from _patches(stack.patched)
    if stack.migration:
        yield from (f"migration.{problem}" for problem in _migration(stack.migration, prefix))


def _tags(stack: StackSpec, manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with tags; gatestack identifies its stacks by four of them."""
    own = {
        "managedby": ("ManagedBy", "gatestack"),
        "environment": ("Environment", manifest.environment),
        "system": ("System", manifest.system),
        "stack": ("Stack", stack.name),
    }
    if len(stack.tags) > limits.TAGS_OF_A_RESOURCE:
        yield f"tags: {limits.TAGS_OF_A_RESOURCE} at most"
    if len({key.casefold() for key in stack.tags}) < len(stack.tags):
        yield "tags: two names differ in upper and lower case alone"
    for key, value in stack.tags.items():
        if own.get(key.casefold(), (key, value)) != (key, value):
            yield f"tags: {own[key.casefold()][0]} contradicts what the stack is"
        elif key.casefold().startswith("aws:"):
            yield "tags: names that begin with aws: belong to AWS"
        elif not re.fullmatch(limits.TAG_TEXT, key) or not 1 <= len(key) <= limits.TAG_KEY_LENGTH:
            yield f"tags: {limits.TAG_KEY_RULE}"
        elif not re.fullmatch(limits.TAG_TEXT, value) or len(value) > limits.TAG_VALUE_LENGTH:
            yield f"tags: {limits.TAG_VALUE_RULE}"


def _lookup(lookup: Lookup) -> Iterator[str]:
    yield from _shaped({"parameter": (lookup.parameter, _LOGICAL)})
    wanted = FACTS[lookup.rule]
    if lookup.facts.keys() != wanted.keys():
        yield f"facts: {lookup.rule} has {', '.join(wanted)}"
        return
    yield from _shaped({f"facts.{name}": (lookup.facts[name], shape) for name, shape in wanted.items()})


def _upload(upload: Upload, manifest: Manifest) -> Iterator[str]:
    if upload.file not in manifest.files:
        yield "file: not among the manifest's files"
    yield from _shaped({"key": (upload.key, _KEY)})
    yield from _exports(f"{manifest.environment}-{manifest.system}", bucket_export=(upload.bucket_export,))


def _migration(migration: Migration, prefix: str) -> Iterator[str]:
    yield from _shaped(
        {
            "image": (migration.image, _TEXT),
            "cluster": (migration.cluster, _STACK),
            "container": (migration.container, _STACK),
            "log_group": (migration.log_group, r"[A-Za-z0-9_/.#-]{1,512}"),
        }
    )
    if first := migration.snapshot:
        yield from _shaped({"snapshot.database": (first.database, r"[a-z][a-z0-9-]{0,62}")})
        if not first.database.startswith(prefix):
            yield f"snapshot.database: not one of {prefix}"
        if not 1 <= first.keep <= MOST_SNAPSHOTS:
            yield f"snapshot.keep: 1 to {MOST_SNAPSHOTS}"
    if not migration.subnet_exports or not migration.security_group_exports:
        yield "subnet_exports and security_group_exports: one at least"
    yield from _exports(
        prefix,
        definition_export=(migration.definition_export,),
        subnet_exports=migration.subnet_exports,
        security_group_exports=migration.security_group_exports,
    )


def _patches(patches: Iterable[Patched]) -> Iterator[str]:
    for number, one in enumerate(patches):
        lines = {"where": one.where, "reason": one.reason}
        lines |= {f"risks.{place}": risk for place, risk in enumerate(one.risks)}
        shapes = {
            "resource": (one.resource, _LOGICAL),
            **{name: (text, _LINE) for name, text in lines.items()},
        }
        yield from _shaped({f"patched.{number}.{name}": shape for name, shape in shapes.items()})


def _exports(prefix: str, **found: tuple[str, ...]) -> Iterator[str]:
    for place, names in found.items():
        shaped = all(re.fullmatch(_EXPORT, name) and name.startswith(f"{prefix}-") for name in names)
        if not shaped or len(names) > 16:
            yield f"{place}: no export of this environment's stacks"


def _existing(existing: Existing) -> Iterator[str]:
    yield from _shaped(
        {
            "vpc_id": (existing.vpc_id, _ID),
            "vpc_cidr": (existing.vpc_cidr, f"|{_CIDR}"),
            "certificate_arn": (existing.certificate_arn, _TEXT),
            "domain": (existing.domain, limits.DOMAIN),
            "hosted_zone_id": (existing.hosted_zone_id, "[A-Z0-9]{1,32}"),
            "bundle": (existing.bundle, r"s3://[a-z0-9.-]{3,63}/[!-~]{1,1024}"),
            "bundle_version": (existing.bundle_version, r"[!-~]{1,1024}"),
        }
    )
    if not all(re.fullmatch(r"[a-z0-9.-]{1,100}", one) for one in (*existing.endpoints, *existing.reached)):
        yield "endpoints and reached: no names of services"
    for number, subnets in enumerate(existing.subnets):
        yield from _shaped({f"subnets.{number}.key": (subnets.key, r"[a-z_.]{1,100}")})
        if len(subnets.ids) != 2 or not all(re.fullmatch(_ID, one) for one in subnets.ids):
            yield f"subnets.{number}.ids: two ids of subnets"
        counts = [count for pair in subnets.addresses.values() for count in pair]
        names = all(re.fullmatch(r"[a-z ]{1,40}", what) for what in subnets.addresses)
        if not names or not all(0 <= count <= 100_000 for count in counts):
            yield f"subnets.{number}.addresses: a name or a number out of range"


def _shaped(texts: Mapping[str, tuple[str | None, str]]) -> Iterator[str]:
    for place, (text, shape) in texts.items():
        if text is not None and not re.fullmatch(shape, text):
            yield f"{place}: {'empty' if not text else 'not of its shape'}"


def _transforms(node: Any) -> bool:
    """Whether a macro is used somewhere; `generator.foreign` limits the depth."""
    if isinstance(node, dict):
        return "Fn::Transform" in node or any(map(_transforms, node.values()))
    return isinstance(node, list) and any(map(_transforms, node))
