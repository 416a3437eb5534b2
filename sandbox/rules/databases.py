"""
Requests about a database that RDS refuses and moto accepts. In front of moto; pure but for moto's state.

Messages, read 2026-11-28: "Cannot find version" (sidpalas/devops-directive-terraform-course#8); a combination
of class, engine and version (aws-cloudformation/cfn-lint#4048), an unknown class (users' reports of
db.t2.nano); upgrades (ministryofjustice/cloud-platform-environments#4420,
hashicorp/terraform-provider-aws#13389); a group of another family (users' reports; an unknown family:
aws-cloudformation/cloudformation-coverage-roadmap#703); storage (#1312 there), the limit of its growth
(Amazon RDS User Guide, "Managing capacity automatically with Amazon RDS storage autoscaling"); capacity of
Aurora (aws/aws-cdk#32232, crossplane-contrib/provider-upjet-aws#1165; its other limits are those of the
Aurora User Guide, "Aurora Serverless v2 capacity", with similar messages).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from sandbox.rules import engines, parameters

Form = Mapping[str, str]
COMBINATION, VALUE = "InvalidParameterCombination", "InvalidParameterValue"
LEAST_STORAGE_GB: Mapping[str, int] = {"gp2": 20, "gp3": 20, "io1": 100, "io2": 100, "standard": 5}
MOST_STORAGE_GB = 65_536
"""Amazon RDS User Guide, "Amazon RDS DB instance storage": PostgreSQL's limits, in GiB."""
ACU = (0.0, 256.0)
LEAST_MOST_ACU = 1.0
_FAMILIES = re.compile(r"(?:aurora-postgresql|postgres)(?:9\.\d+|\d+)")


@dataclass(frozen=True)
class Refusal:
    """Why RDS refuses a request."""

    message: str
    code: str = COMBINATION


def refused(body: bytes, region: str, backend: Callable[[], Any]) -> Refusal | None:
    """Return RDS's refusal of a query-protocol request; *backend* gives moto's state of the region."""
    form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    rule = _RULES.get(form.get("Action", ""))
    return next(rule(form, region, backend()), None) if rule else None


def _create_instance(form: Form, region: str, there: Any) -> Iterator[Refusal]:
    engine = form.get("Engine", "")
    cluster = there.clusters.get(form.get("DBClusterIdentifier", ""))
    version = form.get("EngineVersion") or (cluster.engine_version if cluster is not None else "")
    yield from _version(engine, form.get("EngineVersion", ""))
    yield from _class(engine, version, form.get("DBInstanceClass", ""), region)
    yield from _family(engine, version, form.get("DBParameterGroupName"), there.db_parameter_groups)
    if engine == "postgres":
        yield from _storage(engine, form.get("StorageType", "gp2"), form)


def _modify_instance(form: Form, region: str, there: Any) -> Iterator[Refusal]:
    """The disk of an instance is checked by `database_storage`, which knows its last growth."""
    found = there.databases.get(form.get("DBInstanceIdentifier", ""))
    if found is None:
        return
    version = form.get("EngineVersion") or found.engine_version
    yield from _upgrade(found.engine, found.engine_version, version, form)
    if form.get("DBInstanceClass", found.db_instance_class) != found.db_instance_class:
        yield from _class(found.engine, version, form["DBInstanceClass"], region)
    yield from _family(found.engine, version, form.get("DBParameterGroupName"), there.db_parameter_groups)


def _create_cluster(form: Form, region: str, there: Any) -> Iterator[Refusal]:
    del region
    engine, version = form.get("Engine", ""), form.get("EngineVersion", "")
    yield from _version(engine, version)
    group = form.get("DBClusterParameterGroupName")
    yield from _family(engine, version, group, there.db_cluster_parameter_groups)
    yield from _capacity(form, both=True)


def _modify_cluster(form: Form, region: str, there: Any) -> Iterator[Refusal]:
    del region
    found = there.clusters.get(form.get("DBClusterIdentifier", ""))
    if found is None:
        return
    version = form.get("EngineVersion") or found.engine_version
    yield from _upgrade(found.engine, found.engine_version, version, form)
    group = form.get("DBClusterParameterGroupName")
    yield from _family(found.engine, version, group, there.db_cluster_parameter_groups)
    yield from _capacity(form, both=False)


def _create_group(form: Form, region: str, there: Any) -> Iterator[Refusal]:
    del region, there
    family = form.get("DBParameterGroupFamily", "")
    if "postgres" in family and not _FAMILIES.fullmatch(family):
        yield Refusal(f"ParameterGroupFamily {family} is not a valid parameter group family", VALUE)


def _modify_group(form: Form, region: str, there: Any) -> Iterator[Refusal]:
    del region
    groups = {**there.db_parameter_groups, **there.db_cluster_parameter_groups}
    name = form.get("DBParameterGroupName") or form.get("DBClusterParameterGroupName", "")
    if name not in groups:
        return
    for key, parameter in form.items():
        if key.endswith(".ParameterName"):
            value = form.get(f"{key.removesuffix('Name')}Value", "")
            message = parameters.refused(_of(groups[name]), parameter, value)
            if message:
                yield Refusal(message, VALUE)


def _version(engine: str, version: str) -> Iterator[Refusal]:
    if engine in engines.ENGINES and version and not engines.offered(engine, version):
        yield Refusal(f"Cannot find version {version} for {engine}")


def _upgrade(engine: str, before: str, after: str, form: Form) -> Iterator[Refusal]:
    if engine not in engines.ENGINES or after == before:
        return
    yield from _version(engine, after)
    if engines.number(after) < engines.number(before):
        yield Refusal(f"Cannot upgrade {engine} from {before} to {after}")
    major = engines.number(after)[0] > engines.number(before)[0]
    if major and form.get("AllowMajorVersionUpgrade", "").lower() != "true":
        yield Refusal(
            "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version."
        )


def _class(engine: str, version: str, name: str, region: str) -> Iterator[Refusal]:
    if engine not in engines.ENGINES or not name or not version:
        return
    if not engines.is_class(name):
        yield Refusal(f"Invalid DB Instance class: {name}", VALUE)
    if not engines.serves(engine, version, name, region):
        yield Refusal(
            "RDS does not support creating a DB instance with the following combination: "
            f"DBInstanceClass={name}, Engine={engine}, EngineVersion={version}, "
            "LicenseModel=postgresql-license. For supported combinations of instance class and database "
            "engine version, see the documentation."
        )


def _family(engine: str, version: str, group: str | None, groups: Mapping[str, Any]) -> Iterator[Refusal]:
    found = groups.get(group or "")
    if found is None or engine not in engines.ENGINES or not version:
        return
    wanted = f"{engine}{engines.number(version)[0]}"
    if _of(found) != wanted:
        yield Refusal(
            f"The Parameter Group {group} with DBParameterGroupFamily {_of(found)} cannot be used for this "
            f"instance. Please use a Parameter Group with DBParameterGroupFamily {wanted}"
        )


def _of(group: Any) -> str:
    """Return the family of one of moto's groups: a cluster's uses another attribute."""
    return str(getattr(group, "family", None) or group.db_parameter_group_family)


def _storage(engine: str, kind: str, form: Form) -> Iterator[Refusal]:
    size, most = int(form.get("AllocatedStorage") or 0), int(form.get("MaxAllocatedStorage") or 0)
    if size and not LEAST_STORAGE_GB.get(kind, 0) <= size <= MOST_STORAGE_GB:
        yield Refusal(f"Invalid storage size for engine name {engine} and storage type {kind}: {size}")
    if most not in (0, size) and most * 10 < size * 11:
        yield Refusal(f"Invalid max storage size for engine name {engine} and storage type {kind}: {most}")


def _capacity(form: Form, *, both: bool) -> Iterator[Refusal]:
    prefix = "ServerlessV2ScalingConfiguration."
    least, most = (form.get(f"{prefix}{side}Capacity") for side in ("Min", "Max"))
    if both and (least is None) != (most is None):
        yield Refusal(
            "Both MinCapacity and MaxCapacity must be specified when you initialize Serverless v2 scaling "
            "configuration.",
            VALUE,
        )
    if most is not None and float(most) < LEAST_MOST_ACU:
        yield _capacity_refusal("maximum", most, f"at least {LEAST_MOST_ACU}")
    for name, value in {"minimum": least, "maximum": most}.items():
        if value is not None and not ACU[0] <= float(value) <= ACU[1]:
            yield _capacity_refusal(name, value, f"from {ACU[0]} to {ACU[1]}")
        if value is not None and float(value) * 2 % 1:
            yield _capacity_refusal(name, value, "a multiple of 0.5")
    if least is not None and most is not None and float(least) > float(most):
        yield _capacity_refusal("minimum", least, f"at most the maximum capacity, {float(most)}")


def _capacity_refusal(side: str, value: str, must_be: str) -> Refusal:
    return Refusal(
        f"Serverless v2 {side} capacity {float(value)} isn't valid. The {side} capacity must be {must_be}.",
        VALUE,
    )


_RULES: Mapping[str, Callable[[Form, str, Any], Iterator[Refusal]]] = {
    "CreateDBInstance": _create_instance,
    "ModifyDBInstance": _modify_instance,
    "CreateDBCluster": _create_cluster,
    "ModifyDBCluster": _modify_cluster,
    "CreateDBParameterGroup": _create_group,
    "CreateDBClusterParameterGroup": _create_group,
    "ModifyDBParameterGroup": _modify_group,
    "ModifyDBClusterParameterGroup": _modify_group,
}
