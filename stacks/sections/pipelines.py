"""`pipelines`: which pipelines deploy without stored credentials, and the scope of their roles."""

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from stacks.checking import fields
from stacks.checking.fields import between
from stacks.sections import Section

APPROVED = (
    r"sc://[^/*?:]+/[^/*?:]+/[^/*?:]+|repo:[A-Za-z0-9@._-]+/[A-Za-z0-9@._-]+:environment:[A-Za-z0-9._/-]+"
)
"""
Subjects of tokens that are given only behind an approval: of a service connection, of a GitHub environment.

The resource's owner puts the approval there, not the file of the pipeline (Azure DevOps docs, "Define
approvals and checks": checks of a service connection hold up every stage that uses it; GitHub docs, "Managing
environments for deployment", and "OpenID Connect reference", both read in November 2026).
"""


def binds_to_approval(subject: str) -> bool:
    """
    Whether a job can get a token of *subject* only behind an approval, by the kind of the subject.

    A pipeline's own subject (``p://organization/project/pipeline``) names no branch and no check, so anyone
    who can push a branch can use it; those of pull requests and branches need no approval; a pattern may be
    any of them.
    """
    return re.fullmatch(APPROVED, subject) is not None


class AzureDevOps(Section):
    """Azure Pipelines: AWS trusts the tokens that one organization gives to its jobs."""

    organization: fields.AzureOrganization
    """Name, as in https://dev.azure.com/NAME."""
    organization_id: fields.Guid
    """GUID: the last part of the issuer of its tokens, https://vstoken.dev.azure.com/GUID."""
    project: fields.AzureName
    service_connection: fields.AzureName | None = None
    """Service connection whose jobs deploy; its approvals and checks decide who may deploy."""
    plan_service_connection: fields.AzureName | None = None
    """Service connection whose jobs only plan; an alternative to plan_pipelines."""
    plan_pipelines: Annotated[tuple[fields.AzureName, ...], Field(strict=False)] = ()
    """Pipelines whose jobs plan with their own token, without a service connection. They cannot deploy."""
    provider_arn: fields.ProviderArn | None = None
    """The account's OIDC provider for this organization, if one exists."""

    @property
    def deploy_subjects(self) -> tuple[str, ...]:
        """Whose tokens deploy (AWS Toolkit for Azure DevOps User Guide, "OIDC federation")."""
        return self._connection(self.service_connection)

    @property
    def plan_subjects(self) -> tuple[str, ...]:
        """Whose tokens plan; ``p://`` is a job's own, without a service connection."""
        own = tuple(f"p://{self.organization}/{self.project}/{one}" for one in self.plan_pipelines)
        return self._connection(self.plan_service_connection) + own

    def _connection(self, name: str | None) -> tuple[str, ...]:
        return (f"sc://{self.organization}/{self.project}/{name}",) if name else ()


class GitHub(Section):
    """GitHub Actions: AWS trusts the tokens that GitHub gives to one repository's jobs."""

    repository: fields.Repository
    """owner/name; owner@123/name@456 if GitHub's tokens contain the numeric ids."""
    other_forms: Annotated[tuple[fields.Repository, ...], Field(strict=False)] = ()
    """The repository's other names while its tokens change from one form to the other: owner/name in
    addition to owner@123/name@456."""
    environments: Annotated[tuple[fields.GitHubName, ...], Field(strict=False)] = ()
    """Environments of the repository whose jobs deploy; their protection rules decide who approves."""
    pull_requests: bool = False
    """Whether pull requests may plan. They never deploy."""
    plan_branches: Annotated[tuple[fields.GitHubName, ...], Field(strict=False)] = ()
    """Branches whose jobs plan without an environment, before the approval: main."""
    provider_arn: fields.ProviderArn | None = None
    """The account's OIDC provider for GitHub, if one exists."""

    @property
    def deploy_subjects(self) -> tuple[str, ...]:
        """Whose tokens deploy (GitHub docs, "OpenID Connect reference")."""
        return self._of(f"environment:{one}" for one in self.environments)

    @property
    def plan_subjects(self) -> tuple[str, ...]:
        """Whose tokens plan."""
        requests = ("pull_request",) if self.pull_requests else ()
        return self._of((*requests, *(f"ref:refs/heads/{one}" for one in self.plan_branches)))

    def _of(self, ends: Iterable[str]) -> tuple[str, ...]:
        """Return the subjects that end so, by every form of the repository's name."""
        names = (self.repository, *self.other_forms)
        return tuple(f"repo:{name}:{end}" for end in ends for name in names)


class Pipelines(Section):
    """Deployment from pipelines: what `gatestack bootstrap` creates, once per account and region."""

    azure_devops: AzureDevOps | None
    github: GitHub | None
    deploys: Annotated[tuple[fields.Deployed, ...], Field(strict=False)]
    """What the role may deploy: dev-litellm, prod-litellm, or *-litellm for all environments of a system;
    left out: this environment only. Environments that share an account must have the same value."""
    permissions_boundary: fields.Boundary | None
    """Permissions boundary of every role of the stacks: gatestack for the one that bootstrap creates, or the
    ARN of a policy; left out: gatestack if a pipeline is configured, otherwise none."""
    session_hours: Annotated[int, between(1, 12, "hours")]
    """Maximum lifetime of a job's credentials."""

    @property
    def configured(self) -> bool:
        """Whether any pipeline is trusted."""
        return self.azure_devops is not None or self.github is not None

    @property
    def boundary(self) -> str | None:
        """What limits the stacks' roles: ``gatestack``, the ARN of another policy, or nothing."""
        return self.permissions_boundary or ("gatestack" if self.configured else None)
