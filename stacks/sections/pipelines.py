"""`pipelines`: who deploys without a person's credentials, and how far their role reaches."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.checking import fields
from stacks.checking.fields import between
from stacks.sections import Section


class AzureDevOps(Section):
    """Azure Pipelines: AWS trusts the tokens that one organization gives to its jobs."""

    organization: fields.AzureOrganization
    """Name, as in https://dev.azure.com/NAME."""
    organization_id: fields.Guid
    """GUID: the last part of the issuer of its tokens, https://vstoken.dev.azure.com/GUID."""
    project: fields.AzureName
    service_connection: fields.AzureName | None = None
    """Name of the service connection whose jobs deploy."""
    plan_service_connection: fields.AzureName | None = None
    """Name of the one whose jobs only plan, for the validation of pull requests."""
    pipelines: Annotated[tuple[fields.AzureName, ...], Field(strict=False)] = ()
    """Names of pipelines that deploy without a service connection, by the token of their own job."""
    provider_arn: fields.ProviderArn | None = None
    """The account's OIDC provider of this organization, where it has one already."""


class GitHub(Section):
    """GitHub Actions: AWS trusts the tokens that GitHub gives to one repository's jobs."""

    repository: fields.Repository
    """owner/name; owner@123/name@456 where GitHub's tokens name both with their numbers."""
    environments: Annotated[tuple[fields.GitHubName, ...], Field(strict=False)] = ()
    """Environments of the repository whose jobs deploy; its protection rules say who approves."""
    branches: Annotated[tuple[fields.GitHubName, ...], Field(strict=False)] = ()
    """Branches whose jobs deploy without an environment."""
    pull_requests: bool = False
    """Let pull requests plan, never deploy."""
    plan_branches: Annotated[tuple[fields.GitHubName, ...], Field(strict=False)] = ()
    """Branches whose jobs plan outside of an environment, for a plan that comes before its approval: main."""
    provider_arn: fields.ProviderArn | None = None
    """The account's OIDC provider of GitHub, where it has one already."""


class Pipelines(Section):
    """Deploying from pipelines: what `gatestack bootstrap` makes, once for an account and region."""

    azure_devops: AzureDevOps | None
    github: GitHub | None
    deploys: Annotated[tuple[fields.Deployed, ...], Field(strict=False)]
    """What the role may deploy: dev-litellm, prod-litellm, or *-litellm for all environments of a system;
    left out: this environment alone. Environments that share an account say the same here."""
    permissions_boundary: fields.Boundary | None
    """What every role of the stacks is limited by: gatestack for the one that bootstrap makes, or the ARN of
    a policy; left out: gatestack where something deploys from a pipeline, else none."""
    session_hours: Annotated[int, between(1, 12, "hours")]
    """How long a job's credentials may last at the most."""

    @property
    def configured(self) -> bool:
        """Whether any pipeline is trusted."""
        return self.azure_devops is not None or self.github is not None

    @property
    def boundary(self) -> str | None:
        """What limits the stacks' roles: ``gatestack``, the ARN of another policy, or nothing."""
        return self.permissions_boundary or ("gatestack" if self.configured else None)
