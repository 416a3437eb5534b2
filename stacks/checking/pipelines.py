"""Trust that would admit nobody, or a role that could not deploy its own environment. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from stacks.checking.limits import KEPT_OF_STACK
from stacks.checking.problems import Finding
from stacks.sections.pipelines import AzureDevOps, GitHub
from stacks.settings import Settings

MOST_DEPLOYED = 2
"""Entries of pipelines.deploys whose policies surely fit into IAM's 6144 characters each."""


def pipelines_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is refused of the section `pipelines`."""
    pipelines = settings.pipelines
    if pipelines.azure_devops:
        yield from _azure_devops(pipelines.azure_devops)
    if pipelines.github:
        yield from _github(pipelines.github)
    yield from _deploys(settings)
    for key, arn in _arns(settings):
        owner = arn.split(":")[4]
        if settings.account not in {None, owner} and owner != "aws":
            message = f"it belongs to account {owner}; the environment is for {settings.account}"
            yield Finding(f"pipelines.{key}", message, ("account",))


def _azure_devops(trust: AzureDevOps) -> Iterator[Finding]:
    key = "pipelines.azure_devops"
    if not trust.service_connection:
        message = "nobody may deploy; add service_connection, with approvals and branch control as its checks"
        yield Finding(key, message, (f"{key}.service_connection",))
    if _same_connection(trust.service_connection, trust.plan_service_connection):
        message = "is the connection that deploys; planning alone needs one of its own, or plan_pipelines"
        yield Finding(f"{key}.plan_service_connection", message, (f"{key}.service_connection",))
    issuer = f"vstoken.dev.azure.com/{trust.organization_id}"
    yield from _provider(f"{key}.provider_arn", trust.provider_arn, issuer)


def _same_connection(one: str | None, other: str | None) -> bool:
    """Whether both are one connection of a project; Azure DevOps ignores case."""
    return one is not None and other is not None and one.casefold() == other.casefold()


def _github(trust: GitHub) -> Iterator[Finding]:
    key = "pipelines.github"
    if not trust.environments:
        message = "nobody may deploy; add environments, with required reviewers as their protection"
        yield Finding(key, message, (f"{key}.environments",))
    for index, other in enumerate(trust.other_forms):
        if other in (trust.repository, *trust.other_forms[:index]):
            yield Finding(f"{key}.other_forms", f"{other} stands twice; keep one of them", below=(index,))
        if _numbers(other) and _numbers(trust.repository) and _numbers(other) != _numbers(trust.repository):
            message = f"{other} has other numbers than {trust.repository}, so it is another repository"
            yield Finding(f"{key}.other_forms", message, (f"{key}.repository",), below=(index,))
    yield from _provider(f"{key}.provider_arn", trust.provider_arn, "token.actions.githubusercontent.com")


def _numbers(repository: str) -> list[str]:
    """Return the numbers of owner and repository, where the name has them: owner@123/name@456."""
    return re.findall(r"@(\d+)", repository)


def _provider(key: str, arn: str | None, issuer: str) -> Iterator[Finding]:
    if arn and not arn.endswith(f":oidc-provider/{issuer}"):
        yield Finding(key, f"is not the provider of {issuer}; its ARN ends with oidc-provider/{issuer}")


def _deploys(settings: Settings) -> Iterator[Finding]:
    """Check entries and their number: each is in every policy (IAM User Guide, "IAM and AWS STS quotas")."""
    key, deployed = "pipelines.deploys", settings.pipelines.deploys
    if len(deployed) > MOST_DEPLOYED:
        message = (
            f"{len(deployed)} entries; {MOST_DEPLOYED} at most, or *-{settings.system} for all of a system"
        )
        yield Finding(key, message)
    for index, entry in enumerate(deployed):
        if entry in deployed[:index]:
            yield Finding(key, f"{entry} stands twice; keep one of them", below=(index,))
    if deployed and not any(fnmatchcase(settings.prefix, entry) for entry in deployed):
        message = f"the role could not deploy {settings.prefix} itself; add it"
        yield Finding(key, message, ("environment", "system"))
    if deployed and settings.prefix not in deployed and len(settings.prefix) >= KEPT_OF_STACK:
        message = (
            f"CloudFormation may cut the names of roles after {KEPT_OF_STACK} characters of the stack's, and "
            f"a pattern then misses those of {settings.prefix}; name {settings.prefix} itself here, or "
            "shorten environment"
        )
        yield Finding(key, message, ("environment",))


def _arns(settings: Settings) -> Iterator[tuple[str, str]]:
    pipelines = settings.pipelines
    if pipelines.azure_devops and pipelines.azure_devops.provider_arn:
        yield "azure_devops.provider_arn", pipelines.azure_devops.provider_arn
    if pipelines.github and pipelines.github.provider_arn:
        yield "github.provider_arn", pipelines.github.provider_arn
    if pipelines.permissions_boundary not in {None, "gatestack"}:
        yield "permissions_boundary", str(pipelines.permissions_boundary)
