"""The IAM permissions of an API call, from its HTTP request (Service Authorization Reference)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sandbox.access.handlers import ACTIONS, ARNS
from sandbox.access.needs import fitting
from sandbox.access.policies import Request, Values

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/aws4_request")
_SIGNED = {"monitoring": "cloudwatch", "tagging": "tag"}
"""Service names in signatures -> IAM's, if different (Service Authorization Reference)."""
_OF_BUCKETS = {
    "encryption": "EncryptionConfiguration",
    "policy": "BucketPolicy",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "versioning": "BucketVersioning",
}
_OF_OBJECTS = {
    "HEAD": "s3:GetObject",
    "GET": "s3:GetObject",
    "PUT": "s3:PutObject",
    "DELETE": "s3:DeleteObject",
}


_NAMED: Mapping[str, tuple[str, ...]] = {
    "cloudformation:stack": ("StackName",),
    "ecr:repository": ("repositoryName",),
    "ecs:cluster": ("cluster",),
    "ecs:service": ("service", "services"),
    "ecs:task": ("task", "tasks"),
    "ecs:task-definition": ("taskDefinition",),
    "iam:role": ("RoleName",),
    "kms:key": ("KeyId",),
    "logs:log-group": ("logGroupName",),
    "rds:cluster": ("DBClusterIdentifier",),
    "rds:db": ("DBInstanceIdentifier",),
    "secretsmanager:Secret": ("SecretId", "Name"),
    "ssm:parameter": ("Name", "Names"),
}
"""Resource type -> the parameters that name one other than by ARN."""


def requests(
    method: str, path: str, headers: Mapping[str, str], body: bytes, account: str, region: str
) -> Iterator[Request]:
    """Yield the IAM requests of one call; ``*`` if it names no resource."""
    given = {key: values for key, values in _parameters(path, headers, body).items() if values}
    for action in actions(method, path, headers, body):
        context = _context(action, given, account, region)
        in_s3 = action.startswith("s3:")
        for arn in _in_s3(action, path, body) if in_s3 else _arns(action, given, account, region):
            yield Request(action, arn, context)
        if action.startswith("cloudformation:") and "RoleARN" in given:  # who gives it a role must pass it
            passed: dict[str, Values] = {"iam:PassedToService": "cloudformation.amazonaws.com"}
            yield Request("iam:PassRole", given["RoleARN"][0], passed)


def _parameters(path: str, headers: Mapping[str, str], body: bytes) -> dict[str, list[str]]:
    """Return the values in a call, by the name of their parameter."""
    if "X-Amz-Target" in headers:
        found: dict[str, list[str]] = {}
        for key, value in json.loads(body or b"{}").items():
            found[key] = [str(one) for one in (value if isinstance(value, list) else [value])]
        return found
    form: dict[str, list[str]] = {}
    for key, values in (parse_qs(body.decode()) if b"Action=" in body else {}).items():
        form.setdefault(key.partition(".member.")[0], []).extend(values)
    return form | {"path": [unquote(urlsplit(path).path)]}


def _in_s3(action: str, path: str, body: bytes) -> Iterator[str]:
    """Yield the bucket or object of *path*, or the objects that a call deletes together."""
    place = f"arn:aws:s3:::{unquote(urlsplit(path).path).strip('/')}"
    keys = re.findall(rb"<Key>([^<]*)</Key>", body) if action.startswith("s3:DeleteObject") else []
    yield from [f"{place}/{key.decode()}" for key in keys] or [place]


def _arns(action: str, given: Mapping[str, list[str]], account: str, region: str) -> Iterator[str]:
    service = action.partition(":")[0]
    row = ACTIONS.get(action, {})
    kinds = row.get("required") or row.get("optional", [])[:1]
    found = [
        arn for kind in kinds for arn in _of_kind(f"{service}:{kind}", given, account, region)
    ]  # AWS checks each of several kinds
    yield from found or ["*"]


def _of_kind(kind: str, given: Mapping[str, list[str]], account: str, region: str) -> list[str]:
    shape = ARNS[kind]
    for place, value in (("Partition", "aws"), ("Region", region), ("Account", account)):
        shape = shape.replace(f"${{{place}}}", value)
    pattern = fitting(shape)
    texts = [text for values in given.values() for text in values]
    by_arn = [text for text in texts if pattern.fullmatch(text)]
    if by_arn:
        return by_arn
    if kind in {"route53:hostedzone", "lambda:function"}:
        names = [part for part in given.get("path", [""])[0].split("/")[3:4] if part]
    else:
        names = [name for key in _NAMED.get(kind, ()) for name in given.get(key, ())]
    return [_filled(shape, kind, name, given) for name in names]


def _filled(shape: str, kind: str, name: str, given: Mapping[str, list[str]]) -> str:
    """Return the ARN of *name*; Secrets Manager appends six characters of its own."""
    cluster = given.get("cluster", ["default"])[0].rpartition("/")[2]
    shape = shape.replace("${ClusterName}", cluster) if kind != "ecs:cluster" else shape
    name = name.rpartition("/")[2] if name.startswith("arn:") else name
    if kind == "secretsmanager:Secret":
        name = f"{name}-AbCdEf"
    if kind == "ecs:task-definition" and ":" in name:
        name = name.partition(":")[0]
    first = re.compile(r"\$\{[A-Za-z]*\}")
    return first.sub("1", first.sub(lambda _: name.removeprefix("/"), shape, count=1))


def _context(action: str, given: Mapping[str, list[str]], account: str, region: str) -> dict[str, Values]:
    """Return the call's parameters that conditions can check."""
    context: dict[str, Values] = {"aws:ResourceAccount": account, "aws:RequestedRegion": region}
    if action.startswith("cloudformation:"):
        for parameter, key in (
            ("ChangeSetName", "cloudformation:ChangeSetName"),
            ("TemplateURL", "cloudformation:TemplateUrl"),
            ("RoleARN", "cloudformation:RoleArn"),
        ):
            if parameter in given:
                context[key] = given[parameter][0]
        if types := [one for key, one in _flat(given) if key.endswith("ResourceType")]:
            context["cloudformation:ImportResourceTypes"] = types
    if action.startswith("ecs:") and "cluster" in given:
        name = given["cluster"][0].rpartition("/")[2]
        context["ecs:cluster"] = f"arn:aws:ecs:{region}:{account}:cluster/{name}"
    return context


def _flat(given: Mapping[str, list[str]]) -> Iterator[tuple[str, Any]]:
    return ((key, one) for key, values in given.items() for one in values)


def actions(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    """Yield the IAM actions of one request (Service Authorization Reference)."""
    found = _SCOPE.search(headers.get("Authorization", ""))
    service = found[1] if found else "unsigned"
    service = _SIGNED.get(service, service)
    if target := headers.get("X-Amz-Target"):
        yield f"{service}:{target.rpartition('.')[2]}"
    elif b"Action=" in body:
        yield f"{service}:{parse_qs(body.decode())['Action'][0]}"
    elif service == "s3":
        yield from _of_s3(method, path, body)
    elif service == "route53":
        yield "route53:ListResourceRecordSets" if "/rrset" in path else "route53:GetHostedZone"
    elif service == "lambda" and method == "GET":
        yield "lambda:ListTags" if "/tags/" in path else "lambda:GetFunction"
    elif service != "unsigned":
        yield f"{service}:{json.dumps([method, path])}"


def _of_s3(method: str, path: str, body: bytes) -> Iterator[str]:
    parts = urlsplit(path)
    query = parse_qs(parts.query, keep_blank_values=True).keys()
    of_bucket = [word for key, word in _OF_BUCKETS.items() if key in query]
    if of_bucket:
        yield f"s3:{'Put' if method == 'PUT' else 'Get'}{of_bucket[0]}"
    elif "delete" in query:
        yield "s3:DeleteObject"
        if b"VersionId" in body:
            yield "s3:DeleteObjectVersion"
    elif "versions" in query:
        yield "s3:ListBucketVersions"
    elif parts.path.strip("/").count("/"):
        yield _OF_OBJECTS[method]
    else:
        yield "s3:CreateBucket" if method == "PUT" else "s3:ListBucket"
