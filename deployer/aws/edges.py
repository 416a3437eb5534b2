"""Calls to other services of a deployment: ECR, RDS, S3, STS. Returns None where an endpoint lacks one."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any

from deployer.aws.databases import Databases
from deployer.aws.endpoint import emulated, partition_of
from deployer.aws.errors import call
from deployer.aws.existing import look as look_at_existing
from deployer.aws.keys import key_of
from deployer.aws.names import look as look_for_names
from deployer.aws.paging import pages
from deployer.aws.services import service_trouble
from deployer.aws.sign_in.login import Clients
from deployer.aws.stores.conditions import condition
from deployer.aws.stores.target_store import weights_of
from deployer.aws.tagged import look as look_for_kept
from deployer.aws.zones import look as look_at_zones
from deployer.checks import resolver
from deployer.checks.delegation import Delegation
from deployer.checks.facts import Facts
from deployer.checks.kept import Candidate
from deployer.checks.key import Key
from deployer.checks.names import Taken
from deployer.checks.zone_needs import Needs
from deployer.checks.zones import ZoneFacts
from deployer.errors import CloudError, DeployError, NotAllowed
from deployer.interfaces import Interface
from deployer.readiness.table import Condition
from deployer.states import Resource
from generator.manifest import Existing


class Edges(Databases):
    """Look-ups and uploads outside CloudFormation."""

    def __init__(self, clients: Clients, region: str, *, renew: Callable[[], bool] = lambda: False) -> None:
        super().__init__(clients, renew=renew)
        self._region = region
        self._artifacts = ""

    def account(self) -> str:
        """Return the account of the credentials."""
        return str(call(self._clients("sts"), "get_caller_identity")["Account"])

    def condition(self, type_name: str, physical_id: str) -> Condition | None:
        """Return the state of a resource from its own service."""
        return condition(self._clients, type_name, physical_id)

    def caller(self) -> str:
        """Return the ARN of the credentials."""
        answer = self._offered("sts", "get_caller_identity")
        return str(answer["Arn"]) if answer else ""

    def partition(self) -> str:
        """Return the partition of the region."""
        return partition_of(self._region)

    def existing(self, wanted: Existing, tags: Mapping[str, str]) -> Facts:
        """Return those resources of *wanted* that exist."""
        return look_at_existing(self._clients, self._region, wanted, tags)

    def taken(self, wanted: Mapping[str, Collection[str]]) -> Taken:
        """Return which names in *wanted* are taken, and by whom."""
        return look_for_names(self._clients, wanted)

    def kept(self, tags: Mapping[str, str], repositories: Collection[str]) -> tuple[Candidate, ...] | None:
        """Return the resources that carry *tags*, and those of *repositories*."""
        return self._where_there_is(
            "resourcegroupstaggingapi", lambda: look_for_kept(self._clients, tags, repositories)
        )

    def delegation(self, domain: str, servers: Collection[str]) -> Delegation | None:
        """Query public DNS; for an emulated zone, only a resolver that the user names."""
        named = resolver.chosen()
        if named is None and emulated(self._clients("route53")):
            return None
        return resolver.delegation(domain, servers, named or resolver.own())

    def key(self, alias: str) -> Key | None:
        """Return the KMS key behind *alias*."""
        try:
            return self._where_there_is("kms", lambda: key_of(self._clients, alias))
        except NotAllowed:
            return None

    def zones(self, needs: Needs, subnets: tuple[str, ...]) -> ZoneFacts | None:
        """Return the region's availability zones."""
        return self._where_there_is("ec2", lambda: look_at_zones(self._clients, needs, subnets))

    def has_image(self, repository: str, tag: str) -> bool | None:
        """Whether *tag* is in the ECR repository."""

        def look() -> bool | None:
            try:
                answer = call(
                    self._clients("ecr"),
                    "describe_images",
                    repositoryName=repository,
                    imageIds=[{"imageDigest" if tag.startswith("sha256:") else "imageTag": tag}],
                )
            except CloudError as error:
                if error.code in {"ImageNotFoundException", "RepositoryNotFoundException"}:
                    return False
                raise
            return True if answer.get("imageDetails") else None

        return self._where_there_is("ecr", look)

    def rule_groups(self, rule: str) -> Mapping[str, int] | None:
        """
        Return the weights of the target groups that a listener rule leads to; none if it does not exist.
        """

        def look() -> Mapping[str, int]:
            try:
                answer = call(self._clients("elbv2"), "describe_rules", RuleArns=[rule])
            except CloudError as error:
                if error.code not in {"RuleNotFound", "RuleNotFoundException"}:
                    raise
                return {}
            return weights_of(next(iter(answer.get("Rules", ())), {}))

        return self._where_there_is("elbv2", look)

    def interfaces(self, subnets: Collection[str], groups: Collection[str]) -> tuple[Interface, ...] | None:
        """Return the network interfaces in *subnets*, and those with *groups*: filters narrow each other."""
        wanted = {name: sorted(ids) for name, ids in (("subnet-id", subnets), ("group-id", groups)) if ids}

        def look() -> tuple[Interface, ...]:
            found: dict[str, Interface] = {}
            for name, ids in wanted.items():
                filters = [{"Name": name, "Values": ids}]
                ask = partial(call, self._clients("ec2"), "describe_network_interfaces", Filters=filters)
                for page in pages(ask, "ec2 describe_network_interfaces"):
                    found |= {one.id: one for one in map(_interface, page.get("NetworkInterfaces", ()))}
            return tuple(found.values())

        return self._where_there_is("ec2", look)

    def get_object(self, bucket: str, key: str) -> bytes | None:
        """Return an object; None if it does not exist, or an emulated endpoint has no S3."""

        def look() -> bytes | None:
            try:
                answer = call(self._clients("s3"), "get_object", Bucket=bucket, Key=key)
            except CloudError as error:
                if error.code in {"NoSuchKey", "NoSuchBucket"}:
                    return None
                raise
            return bytes(answer["Body"].read())

        return self._where_there_is("s3", look)

    def put_object(self, bucket: str, key: str, body: bytes) -> bool:
        """Write an object, overwriting an existing one; False where an emulated endpoint has no S3."""
        return self._offered("s3", "put_object", Bucket=bucket, Key=key, Body=body) is not None

    def object_url(self, bucket: str, key: str) -> str:
        """Return the URL by which CloudFormation reads an object."""
        return f"{self._clients('s3').meta.endpoint_url}/{bucket}/{key}"

    def artifacts_bucket(self, account: str) -> str:
        """
        Return the bucket for large templates, created on first use.

        Its name is predictable, so another account could create it first and supply other templates: only the
        account's own is used (Amazon S3 User Guide, "Verifying bucket ownership with bucket owner
        condition").
        """
        if not self._artifacts:
            name = f"gatestack-artifacts-{account}-{self._region}"
            client = self._clients("s3")
            try:
                call(client, "head_bucket", Bucket=name, ExpectedBucketOwner=account)
            except CloudError as error:
                if error.code not in {"404", "NoSuchBucket", "NotFound"}:
                    raise
                self._make(client, name)
            self._artifacts = name
        return self._artifacts

    def unlock(self, resource: Resource) -> None:
        """Switch off the deletion protection of a database or a load balancer; a cluster has its own."""
        if resource.type == "AWS::RDS::DBInstance":
            if self._where_there_is("rds", lambda: self._in_cluster(resource.physical_id)):
                return
            instance = {"DBInstanceIdentifier": resource.physical_id, "DeletionProtection": False}
            wanted: tuple[str, str, Mapping[str, Any]] = ("rds", "modify_db_instance", instance)
        elif resource.type == "AWS::RDS::DBCluster":
            cluster = {"DBClusterIdentifier": resource.physical_id, "DeletionProtection": False}
            wanted = ("rds", "modify_db_cluster", cluster)
        elif resource.type == "AWS::ElasticLoadBalancingV2::LoadBalancer":
            attributes = [{"Key": "deletion_protection.enabled", "Value": "false"}]
            balancer = {"LoadBalancerArn": resource.physical_id, "Attributes": attributes}
            wanted = ("elbv2", "modify_load_balancer_attributes", balancer)
        else:
            return
        service, method, parameters = wanted
        self._where_there_is(service, lambda: call(self._clients(service), method, **parameters))

    def _in_cluster(self, identifier: str) -> bool:
        return bool((self._instance(identifier) or {}).get("DBClusterIdentifier"))

    def empty_bucket(self, bucket: str) -> int | None:
        """Delete every version of every object."""

        def sweep() -> int | None:
            client, gone = self._clients("s3"), 0
            try:
                for batch in _versions(client, bucket):
                    objects = {"Objects": batch, "Quiet": True}
                    _check_deleted(call(client, "delete_objects", Bucket=bucket, Delete=objects), bucket)
                    gone += len(batch)
            except CloudError as error:
                if error.code != "NoSuchBucket":
                    raise
            return gone

        return self._where_there_is("s3", sweep)

    def delete_log_group(self, name: str) -> None:
        """Delete a log group, with what is in it."""
        try:
            call(self._clients("logs"), "delete_log_group", logGroupName=name)
        except CloudError as error:
            if error.code != "ResourceNotFoundException":
                raise

    def service_trouble(self, service: str) -> tuple[str, ...]:
        """Return why tasks of an ECS service have stopped; empty if unknown."""
        try:
            return service_trouble(self._clients, service)
        except DeployError:
            return ()

    def _make(self, client: Any, name: str) -> None:
        """Create the bucket and restrict access to it before anything is written."""
        where = {"LocationConstraint": self._region}
        place = {} if self._region == "us-east-1" else {"CreateBucketConfiguration": where}
        call(client, "create_bucket", Bucket=name, **place)
        shut = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        )
        call(client, "put_public_access_block", Bucket=name, PublicAccessBlockConfiguration=shut)
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        encryption = {"Rules": [rule]}
        call(client, "put_bucket_encryption", Bucket=name, ServerSideEncryptionConfiguration=encryption)
        call(client, "put_bucket_versioning", Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        call(client, "put_bucket_policy", Bucket=name, Policy=json.dumps(_tls_only(name, self._region)))


def _interface(answer: Mapping[str, Any]) -> Interface:
    return Interface(answer["NetworkInterfaceId"], answer.get("Description", ""))


def _tls_only(bucket: str, region: str) -> Mapping[str, Any]:
    arn = f"arn:{partition_of(region)}:s3:::{bucket}"
    statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _versions(client: Any, bucket: str) -> Iterator[list[dict[str, str]]]:
    """
    Yield a bucket's object versions, a page (1000 at most) at a time; the caller deletes each page.

    Raises:
        CloudError: a page was not deleted.

    """
    before: list[dict[str, str]] = []
    while True:
        page = call(client, "list_object_versions", Bucket=bucket)
        entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        batch = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
        if not batch:
            return
        if batch == before:
            raise CloudError(
                f"{bucket} cannot be emptied: {batch[0]['Key']} is still there after its deletion"
            )
        yield batch
        before = batch


def _check_deleted(answer: Mapping[str, Any], bucket: str) -> None:
    """Raise CloudError for the first object that was not deleted; S3 lists it in a successful response."""
    for one in answer.get("Errors", ()):
        why = f"{one.get('Message', '')} ({one.get('Code', '')})"
        raise CloudError(f"{bucket} cannot be emptied: {one.get('Key', '')}: {why}", code=one.get("Code", ""))
