"""Finds which names are already taken, with one request per type where the service allows it. Read-only."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from itertools import groupby
from typing import Any

from deployer.aws.endpoint import ask
from deployer.aws.paging import pages
from deployer.aws.sign_in.login import Clients
from deployer.checks.names import Holder, Taken
from deployer.errors import CloudError, LostSight, Transient
from deployer.run.concurrency import Workers

WORKERS = 4
AT_ONCE = 50
"""Names in one request to SSM (DescribeParameters, filter values) and to CloudWatch (100 there)."""

Names = Collection[str]
Look = Callable[[Clients, str, Names], Iterator[Holder]]


def look(clients: Clients, wanted: Mapping[str, Names]) -> Taken:
    """
    Return which names in *wanted* (resource type -> names) are taken, and by whom.

    What cannot be asked (a missing permission, an endpoint without the service, a type without a query here)
    is reported as unknown.

    Raises:
        LostSight, Transient: nothing can be asked, or not now.

    """

    def one(asked: tuple[str, Names]) -> tuple[str, tuple[Holder, ...] | str]:
        type_, names = asked
        try:
            return type_, tuple(LOOKS[type_](clients, type_, names))
        except (LostSight, Transient):
            raise
        except CloudError as error:
            return type_, str(error)

    known = {type_: names for type_, names in wanted.items() if type_ in LOOKS and names}
    with Workers(WORKERS) as workers:
        answers = workers.each(one, known.items())
    unknown = dict.fromkeys(wanted.keys() - known.keys(), "nobody asks about it")
    unknown |= {type_: found for type_, found in answers if isinstance(found, str)}
    holders = tuple(one for _, found in answers if not isinstance(found, str) for one in found)
    return Taken(holders, unknown)


def _alarms(clients: Clients, type_: str, names: Names) -> Iterator[Holder]:
    client, ordered = clients("cloudwatch"), sorted(names)
    for start in range(0, len(ordered), AT_ONCE):
        asked = ordered[start : start + AT_ONCE]
        answer = ask(client, "describe_alarms", AlarmNames=asked, AlarmTypes=["MetricAlarm"])
        for one in answer.get("MetricAlarms", ()):
            tags = _tags(client, "list_tags_for_resource", "Tags", ResourceARN=one["AlarmArn"])
            yield Holder(type_, one["AlarmName"], tags)


def _repositories(clients: Clients, type_: str, names: Names) -> Iterator[Holder]:
    client = clients("ecr")
    for name in names:
        gone = {"RepositoryNotFoundException"}
        for one in _there(client, "describe_repositories", "repositories", gone, repositoryNames=[name]):
            arn = one["repositoryArn"]
            yield Holder(type_, name, _tags(client, "list_tags_for_resource", "tags", resourceArn=arn))


def _clusters(clients: Clients, type_: str, names: Names) -> Iterator[Holder]:
    """Look up clusters; the name of an INACTIVE one is free."""
    answer = ask(clients("ecs"), "describe_clusters", clusters=sorted(names), include=["TAGS"])
    for one in answer.get("clusters", ()):
        if one.get("status") != "INACTIVE":
            yield Holder(type_, one["clusterName"], _as_tags(one.get("tags", ())))


def _balancers(clients: Clients, type_: str, names: Names) -> Iterator[Holder]:
    yield from _balancing(clients, type_, names, "describe_load_balancers", "LoadBalancer")


def _target_groups(clients: Clients, type_: str, names: Names) -> Iterator[Holder]:
    yield from _balancing(clients, type_, names, "describe_target_groups", "TargetGroup")


def _balancing(clients: Clients, type_: str, names: Names, method: str, what: str) -> Iterator[Holder]:
    """Send one request per name: a request for several fails if one does not exist."""
    client = clients("elbv2")
    gone = {f"{what}NotFound", f"{what}NotFoundException"}
    for name in names:
        for one in _there(client, method, f"{what}s", gone, Names=[name]):
            yield Holder(type_, name, _balancing_tags(client, one[f"{what}Arn"]))


def _balancing_tags(client: Any, arn: str) -> Mapping[str, str] | None:
    try:
        answer = ask(client, "describe_tags", ResourceArns=[arn])
    except CloudError as error:
        _check_answered(error)
        return None
    return _as_tags(tag for one in answer.get("TagDescriptions", ()) for tag in one.get("Tags", ()))


def _roles(clients: Clients, type_: str, names: Names) -> Iterator[Holder]:
    client = clients("iam")
    for name in names:
        for one in _there(client, "get_role", "Role", {"NoSuchEntity"}, RoleName=name):
            yield Holder(type_, name, _as_tags(one.get("Tags", ())))


def _aliases(clients: Clients, type_: str, names: Names) -> Iterator[Holder]:
    """Look up aliases; they have no tags, so those of their keys count."""
    client = clients("kms")
    for name in names:
        for one in _there(client, "describe_key", "KeyMetadata", {"NotFoundException"}, KeyId=name):
            yield Holder(type_, name, _tags(client, "list_resource_tags", "Tags", KeyId=one["KeyId"]))


def _functions(clients: Clients, type_: str, names: Names) -> Iterator[Holder]:
    client, gone = clients("lambda"), {"ResourceNotFoundException"}
    for name in names:
        for one in _there(client, "get_function", "Configuration", gone, FunctionName=name):
            yield Holder(type_, name, _tags(client, "list_tags", "Tags", Resource=one["FunctionArn"]))


def _log_groups(clients: Clients, type_: str, names: Names) -> Iterator[Holder]:
    client = clients("logs")
    for prefix in _prefixes(names):
        for page in _pages(client, "describe_log_groups", "nextToken", logGroupNamePrefix=prefix):
            for one in page.get("logGroups", ()):
                if one["logGroupName"] in names:
                    arn = one["arn"].removesuffix(":*")
                    tags = _tags(client, "list_tags_for_resource", "tags", resourceArn=arn)
                    yield Holder(type_, one["logGroupName"], tags)


def _instances(clients: Clients, type_: str, names: Names) -> Iterator[Holder]:
    yield from _databases(clients, type_, names, "describe_db_instances", "DBInstance")


def _db_clusters(clients: Clients, type_: str, names: Names) -> Iterator[Holder]:
    yield from _databases(clients, type_, names, "describe_db_clusters", "DBCluster")


def _databases(clients: Clients, type_: str, names: Names, method: str, what: str) -> Iterator[Holder]:
    gone, which = {f"{what}NotFound", f"{what}NotFoundFault"}, f"{what}Identifier"
    for name in names:
        for one in _there(clients("rds"), method, f"{what}s", gone, **{which: name}):
            yield Holder(type_, name, _as_tags(one.get("TagList", ())))


def _buckets(clients: Clients, type_: str, names: Names) -> Iterator[Holder]:
    """Look up buckets; a name in another account is taken too (HEAD returns 403)."""
    client = clients("s3")
    for name in names:
        try:
            ask(client, "head_bucket", Bucket=name)
        except CloudError as error:
            if error.code in {"404", "NoSuchBucket", "NotFound"}:
                continue
            if error.code not in {"403", "301"}:
                raise
            yield Holder(type_, name, {} if error.code == "301" else None)  # 301: in another region
            continue
        yield Holder(type_, name, _bucket_tags(client, name))


def _bucket_tags(client: Any, name: str) -> Mapping[str, str] | None:
    try:
        return _as_tags(ask(client, "get_bucket_tagging", Bucket=name).get("TagSet", ()))
    except CloudError as error:
        _check_answered(error)
        return {} if error.code == "NoSuchTagSet" else None


def _secrets(clients: Clients, type_: str, names: Names) -> Iterator[Holder]:
    for prefix in _prefixes(names):
        filters = [{"Key": "name", "Values": [prefix]}]
        asked = {"Filters": filters, "IncludePlannedDeletion": True}
        for page in _pages(clients("secretsmanager"), "list_secrets", "NextToken", **asked):
            for one in page.get("SecretList", ()):
                if one["Name"] in names:
                    yield Holder(type_, one["Name"], _as_tags(one.get("Tags", ())), "DeletedDate" in one)


def _parameters(clients: Clients, type_: str, names: Names) -> Iterator[Holder]:
    client, ordered = clients("ssm"), sorted(names)
    for start in range(0, len(ordered), AT_ONCE):
        filters = [{"Key": "Name", "Option": "Equals", "Values": ordered[start : start + AT_ONCE]}]
        for page in _pages(client, "describe_parameters", "NextToken", ParameterFilters=filters):
            for one in page.get("Parameters", ()):
                which = {"ResourceType": "Parameter", "ResourceId": one["Name"]}
                yield Holder(type_, one["Name"], _tags(client, "list_tags_for_resource", "TagList", **which))


LOOKS: Mapping[str, Look] = {
    "AWS::CloudWatch::Alarm": _alarms,
    "AWS::ECR::Repository": _repositories,
    "AWS::ECS::Cluster": _clusters,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _balancers,
    "AWS::ElasticLoadBalancingV2::TargetGroup": _target_groups,
    "AWS::IAM::Role": _roles,
    "AWS::KMS::Alias": _aliases,
    "AWS::Lambda::Function": _functions,
    "AWS::Logs::LogGroup": _log_groups,
    "AWS::RDS::DBCluster": _db_clusters,
    "AWS::RDS::DBInstance": _instances,
    "AWS::S3::Bucket": _buckets,
    "AWS::SSM::Parameter": _parameters,
    "AWS::SecretsManager::Secret": _secrets,
}
"""Resource type -> its query."""


def _there(client: Any, method: str, member: str, gone: Collection[str], **which: Any) -> list[Any]:
    """Return the items under *member* of the response, one or several; none if it does not exist."""
    try:
        answer = ask(client, method, **which)
    except CloudError as error:
        if error.code in gone:
            return []
        raise
    found = answer.get(member)
    return list(found) if isinstance(found, list) else [found] if found else []


def _tags(client: Any, method: str, member: str, **which: Any) -> Mapping[str, str] | None:
    """Return a resource's tags; None if they cannot be read."""
    try:
        found = ask(client, method, **which).get(member, ())
    except CloudError as error:
        _check_answered(error)
        return None
    return found if isinstance(found, Mapping) else _as_tags(found)


def _check_answered(error: CloudError) -> None:
    """Raise *error* if a retry may succeed."""
    if isinstance(error, Transient):
        raise error


def _as_tags(pairs: Any) -> Mapping[str, str]:
    """Read a list of pairs; services write their names in three ways."""
    lowered = ({name.lower().removeprefix("tag"): value for name, value in one.items()} for one in pairs)
    return {one["key"]: one.get("value", "") for one in lowered}


def _prefixes(names: Names) -> Iterator[str]:
    """Yield the prefixes to search for: one for each folder, or the whole names if they share none."""

    def folder(name: str) -> str:
        return name.rpartition("/")[0]

    for _, group in groupby(sorted(names, key=folder), folder):
        these = list(group)
        common = os.path.commonprefix(these)  # noqa: RUF071 - services match prefixes by character
        yield from [common] if common.strip("/") else these


def _pages(client: Any, method: str, token: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
    return pages(partial(ask, client, method, **parameters), method, token)
