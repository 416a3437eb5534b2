"""What `service.secrets_from` may not say, and what the owner of another account has to allow. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.checking import limits
from stacks.checking.problems import Finding
from stacks.checking.region_table import REGIONS
from stacks.checking.regions import KNOWN
from stacks.checking.task_secrets import no_secret, told_otherwise
from stacks.sections.secret_sources import SecretSource
from stacks.settings import Settings
from stacks.systems import application

_ALSO = (
    "region",
    "account",
    "service.secrets",
    "service.environment",
    "service.parameters",
    "service.providers",
    "cache",
    "database",
    "dispatcher",
    "network",
)


def source_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong between the variables from elsewhere, all others, and where the tasks run."""
    taken = told_otherwise(settings, application(settings.system))
    for name, source in settings.service.secrets_from.items():
        message = taken.get(name) or no_secret(name)
        if name in settings.service.secrets:
            message = "stands in service.secrets too; keep one of them"
        if message := message or _unreachable(settings, source) or _encrypted_by_aws(settings, source):
            yield Finding("service.secrets_from", f"{name} {message}", _ALSO, (name,))
    length = sum(len(one.arn) + len(one.kms_key_arn or "") for one in settings.service.secrets_from.values())
    if length > limits.SOURCE_CHARACTERS:
        message = f"the ARNs have {length} characters; the role has room for {limits.SOURCE_CHARACTERS}"
        yield Finding("service.secrets_from", message)


def _unreachable(settings: Settings, source: SecretSource) -> str | None:
    partition, _, region, *_ = source.parts
    if region not in KNOWN:
        return f"is in {region}, which is no region of AWS's"
    if region not in REGIONS.get(partition, ()):
        return f"is in {region}, which is not of the partition {partition}"
    if settings.region not in REGIONS[partition]:
        return f"is in the partition {partition}, and the tasks are not: no login is good for both"
    if settings.closed and region != settings.region:
        return f"is in {region}, and tasks without a way to the internet reach {settings.region} alone"
    if source.kms_key_arn and source.kms_key_arn.split(":")[3] != region:
        return f"is in {region}, and its kms_key_arn is not: a key encrypts in its own region"
    return None


def _encrypted_by_aws(settings: Settings, source: SecretSource) -> str | None:
    """AWS Secrets Manager User Guide, "Access AWS Secrets Manager secrets from a different account"."""
    if _is_elsewhere(settings, source) and not source.kms_key_arn and not source.is_parameter:
        return (
            "is of another account, whose secrets can be read only where a customer key encrypts them; write "
            "{arn: ..., kms_key_arn: ...}"
        )
    return None


def _is_elsewhere(settings: Settings, source: SecretSource) -> bool:
    return settings.account not in {None, source.parts[3]}


def source_advice(settings: Settings) -> Iterator[str]:
    """
    Yield what the other account has to allow for each of its secrets and parameters.

    Sources: AWS Secrets Manager User Guide, as above; AWS Systems Manager User Guide, "Working with shared
    parameters in Parameter Store": of the advanced tier alone, and with a customer key where one encrypts.
    """
    reader = f"the role of {settings.stack_name('security')}'s output ExecutionRoleArn"
    for name, source in settings.service.secrets_from.items():
        if not _is_elsewhere(settings, source):
            continue
        whose = f"service.secrets_from.{name} is of account {source.parts[3]}, which has to"
        key = f", and kms:Decrypt in the policy of {source.kms_key_arn}" if source.kms_key_arn else ""
        if source.is_parameter:
            share = "share it by AWS RAM (advanced tier only)"
            yield f"{whose} {share} with this account{key and f', and allow {reader}{key[4:]}'}"
        else:
            yield f"{whose} allow {reader}: secretsmanager:GetSecretValue in the secret's policy{key}"
