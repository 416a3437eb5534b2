"""Finds resources with an environment's tags, of the types that `destroy` keeps. Read-only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from deployer.aws.endpoint import ask
from deployer.aws.keys import key_of
from deployer.aws.paging import pages
from deployer.aws.sign_in.login import Clients
from deployer.checks.kept import Candidate
from deployer.checks.key import trouble
from deployer.errors import CloudError

GONE = frozenset({"404", "NoSuchBucket", "NotFound", "ResourceNotFoundException"})
SECRET_SUFFIX = 7
"""A secret's ARN ends in its name, a dash and six characters (Secrets Manager User Guide, "Secret ARN")."""


def look(clients: Clients, tags: Mapping[str, str], repositories: Collection[str]) -> tuple[Candidate, ...]:
    """
    Return what carries all of *tags*, and the existing ones of *repositories* (ECR, by name).

    Deleted resources are left out: the tagging API lists them for a while.

    Raises:
        DeployError: it cannot be asked.

    """
    filters = [{"Key": key, "Values": [value]} for key, value in sorted(tags.items())]
    answer = partial(ask, clients("resourcegroupstaggingapi"), "get_resources", TagFilters=filters)
    found: list[Candidate] = []
    for page in pages(answer, "tagging get_resources", "PaginationToken"):
        for one in page["ResourceTagMappingList"]:
            found += _found(one["ResourceARN"], {tag["Key"]: tag["Value"] for tag in one["Tags"]})
    there = {(one.type, one.id) for one in found}
    named = [Candidate("AWS::ECR::Repository", name, name, name, tags) for name in repositories]
    found += [one for one in named if (one.type, one.id) not in there]
    checked = (CHECKS[one.type](clients, one) if one.type in CHECKS else one for one in found)
    return tuple(one for one in checked if one is not None)


def _found(arn: str, tags: Mapping[str, str]) -> Iterator[Candidate]:
    """Read an ARN (Service Authorization Reference, "Resource types defined by ...")."""
    service, rest = arn.split(":", 5)[2], arn.split(":", 5)[5]
    if service == "kms" and rest.startswith("key/"):
        yield Candidate("AWS::KMS::Key", rest.removeprefix("key/"), "", arn, tags)
    elif service == "secretsmanager":
        yield Candidate(
            "AWS::SecretsManager::Secret", arn, rest.partition(":")[2][:-SECRET_SUFFIX], arn, tags
        )
    elif service == "s3" and "/" not in rest and ":" not in rest:
        yield Candidate("AWS::S3::Bucket", rest, rest, arn, tags)
    elif service == "ecr" and rest.startswith("repository/"):
        name = rest.removeprefix("repository/")
        yield Candidate("AWS::ECR::Repository", name, name, arn, tags)
    elif service == "logs" and rest.startswith("log-group:"):
        name = rest.removeprefix("log-group:").removesuffix(":*")
        yield Candidate("AWS::Logs::LogGroup", name, name, arn, tags)


def _key(clients: Clients, one: Candidate) -> Candidate | None:
    key = key_of(clients, one.id)
    if key is None:
        return None
    what, remedy = trouble(key)
    return replace(one, trouble=f"{what}: {remedy}" if what else "")


def _secret(clients: Clients, one: Candidate) -> Candidate | None:
    """Read a secret; `deployer.aws.names` reports those that are scheduled for deletion."""
    answer = _answer(clients, "secretsmanager", "describe_secret", SecretId=one.id)
    return None if answer is None or "DeletedDate" in answer else one


def _bucket(clients: Clients, one: Candidate) -> Candidate | None:
    return None if _answer(clients, "s3", "head_bucket", Bucket=one.id) is None else one


def _answer(clients: Clients, service: str, method: str, **which: Any) -> Any | None:
    try:
        return ask(clients(service), method, **which)
    except CloudError as error:
        if error.code in GONE:
            return None
        raise


CHECKS: Mapping[str, Callable[[Clients, Candidate], Candidate | None]] = {
    "AWS::KMS::Key": _key,
    "AWS::S3::Bucket": _bucket,
    "AWS::SecretsManager::Secret": _secret,
}
