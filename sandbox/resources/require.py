"""Checks that referenced resources exist, where moto accepts anything. Each raises ProvisionError."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provisioning import ProvisionError
from sandbox.resources.handler import Call
from sandbox.rules.certificates import issued


def key(call: Call, key_id: str | None) -> None:
    """Refuse a missing KMS key, by id, ARN or alias; None and AWS's own keys are valid."""
    if key_id and "alias/aws/" not in key_id:
        try:
            call.ask("kms", "describe_key", KeyId=key_id)
        except ClientError as error:
            raise call.not_found("KMS key", key_id) from error


def role(call: Call, role_arn: str | None) -> None:
    """Refuse a missing IAM role, by ARN or name; service-linked roles are AWS's own."""
    if role_arn and "/aws-service-role/" not in role_arn:
        roles = call.services.backend("iam", "aws").roles.values()
        if role_arn.rsplit("/", 1)[-1] not in {one.name for one in roles}:
            raise call.not_found("role", role_arn)


def subnets(call: Call, ids: Iterable[str]) -> None:
    """Refuse missing subnets."""
    _each(call, "subnet ID", ids, _ec2(call).subnets.values())


def groups(call: Call, ids: Iterable[str]) -> None:
    """Refuse missing security groups."""
    _each(call, "security group", ids, _ec2(call).groups.values())


def vpc(call: Call, vpc_id: str | None) -> None:
    """Refuse a missing VPC."""
    if vpc_id:
        _each(call, "vpc ID", [vpc_id], [_ec2(call).vpcs])


def target_group(call: Call, arn: str | None) -> None:
    """Refuse a missing target group."""
    if arn:
        found = call.services.backend("elbv2", call.request.region).target_groups
        _each(call, "target group", [arn], [found])


def certificates(call: Call, asked: Iterable[Mapping[str, Any]]) -> None:
    """
    Refuse certificates of another region, missing ones, and those that ACM has not issued.

    Words: kubernetes-sigs/aws-load-balancer-controller#2552 (ValidationError: another region's),
    hashicorp/terraform#20587 (CertificateNotFound), hashicorp/terraform-provider-aws#41789
    (UnsupportedCertificate: not issued yet).
    """
    region = call.request.region
    backend = call.services.backend("elbv2", region)
    for one in asked:
        arn = one.get("CertificateArn", "")
        if arn.startswith("arn:") and arn.split(":")[2:4] not in (["iam", ""], ["acm", region]):
            raise _unfit(f"Certificate ARN '{arn}' is not valid", "InvalidRequest")
        if not backend._certificate_exists(arn):  # noqa: SLF001 - moto has no other name for it
            raise _unfit(f"Certificate '{arn}' not found", "NotFound")
        if ":acm:" in arn and not issued(call.services, arn, region):
            what = "must have a fully-qualified domain name, a supported signature, and a supported key size."
            raise _unfit(f"The certificate '{arn}' {what}", "InvalidRequest")


def _unfit(message: str, code: str) -> ProvisionError:
    told = f"{message} (Service: ElasticLoadBalancingV2, Status Code: 400)"
    return ProvisionError(f'Resource handler returned message: "{told}" (HandlerErrorCode: {code})')


def behind_balancer(call: Call, arn: str | None) -> None:
    """
    Refuse a target group for an ECS service without a listener.

    Words: hashicorp/terraform-provider-aws, which tries again at them.
    """
    target_group(call, arn)
    backend = call.services.backend("elbv2", call.request.region)
    if arn and not backend._any_listener_using(arn):  # noqa: SLF001 - moto has no other name for it
        raise ProvisionError(
            'Resource handler returned message: "Invalid request provided: CreateService error: The '
            f"target group with targetGroupArn {arn} does not have an associated load balancer. (Service: "
            'AmazonECS; Status Code: 400; Error Code: InvalidParameterException)" '
            "(HandlerErrorCode: InvalidRequest)"
        )


def snapshot(call: Call, identifier: str | None, kind: str) -> None:
    """
    Refuse a missing snapshot of databases, by name or ARN; another account's is accepted as shared.

    Words: hashicorp/terraform#7089 (DBSnapshot), aws-cloudformation/aws-cloudformation-templates#226
    (DBClusterSnapshot). A cluster is made from an instance's snapshot too, by its ARN.
    """
    parts = (identifier or "").split(":")
    foreign = parts[0] == "arn" and parts[4:5] != [call.request.account]
    if not identifier or foreign:
        return
    state = call.services.backend("rds", call.request.region)
    of_instances = kind == "DBSnapshot" or (parts[0] == "arn" and parts[5] == "snapshot")
    there = state.database_snapshots if of_instances else state.cluster_snapshots
    if ":".join(parts[6:] if parts[0] == "arn" else parts) not in there:
        raise ProvisionError(
            f'Resource handler returned message: "{kind} not found: {identifier} (Service: RDS, '
            'Status Code: 404)" (HandlerErrorCode: NotFound)'
        )


def _ec2(call: Call) -> Any:
    return call.services.backend("ec2", call.request.region)


def _each(call: Call, kind: str, ids: Iterable[str], known: Iterable[Iterable[str]]) -> None:
    """Look for *ids* in moto's own tables: API calls for that would be a fourth of a deployment's."""
    there = {one for table in list(known) for one in table}
    for identifier in ids:
        if identifier not in there:
            raise call.not_found(kind, identifier)
