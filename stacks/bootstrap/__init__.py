"""
What an account needs before a pipeline can deploy to it: trust, roles, a permissions boundary, a bucket.

Not a stack of an environment: an administrator creates it once per account and region, and it imports
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from awacs import sts
from awacs.aws import Allow, Condition, Principal, Statement, StringEquals
from troposphere import AccountId, AWSHelperFn, GetAtt, Output, Ref, Sub, iam
from troposphere.s3 import (
    AbortIncompleteMultipartUpload,
    Bucket,
    LifecycleRule,
    NoncurrentVersionExpiration,
)

from stacks.bootstrap import deploy_permissions as may
from stacks.bootstrap.content_permissions import contents, watching
from stacks.bootstrap.pipeline_roles import identities, limits
from stacks.bootstrap.plan_permissions import (
    looking,
    looking_at_contents,
    looking_at_own,
    never,
    planning,
)
from stacks.bootstrap.reach import Reach, actions
from stacks.checking.tasks.task_policy import at_the_most
from stacks.parts import private_bucket
from stacks.parts.policies import allow, document
from stacks.parts.retention import kept
from stacks.settings import Settings
from stacks.wiring import BOUNDARY_NAME, OWN_BOUNDARY, PIPELINE_ROLE, Stack

NAME = "bootstrap"
STACK_NAME = "gatestack-bootstrap"
DEPLOYS = "Deploys"
TRUSTS = "Trusts"
"""Outputs that say whom the stack trusts, so that an update does not drop the others."""

TEMPLATES_BUCKET = "gatestack-artifacts-${AWS::AccountId}-${AWS::Region}"
"""
The deployer's own, for templates of more than 51 200 bytes, created on first use.

That may be for this stack, so this stack cannot create it.
"""
KEPT_DAYS = 90
"""How long plans are kept."""

AZURE_AUDIENCE = "api://AzureADTokenExchange"
AWS_AUDIENCE = "sts.amazonaws.com"
GITHUB_ISSUER = "token.actions.githubusercontent.com"


class AccountStack(Stack):
    """The one stack that belongs to an account and not to an environment."""

    @property
    def stack_name(self) -> str:
        """The same for every environment."""
        return STACK_NAME

    @property
    def prefix(self) -> str:
        """The tags' name for it."""
        return "gatestack"

    @property
    def tags(self) -> dict[str, str]:
        """The file's tags and gatestack's own, by which it belongs to no environment."""
        own = {"Environment": "gatestack", "System": NAME, "Stack": NAME, "ManagedBy": "gatestack"}
        return self.settings.tags | own

    @property
    def boundary(self) -> None:
        """None: its roles create the roles that have one."""
        return None


@dataclass(frozen=True)
class Trust:
    """An issuer whose tokens AWS accepts: for which audience, and for which subjects."""

    title: str
    """Logical id of the provider."""
    issuer: str
    """URL without https://."""
    audience: str
    deploy: tuple[str, ...]
    """Subjects that deploy: each binds its job to an approval."""
    plan: tuple[str, ...]
    """Subjects that only plan."""
    provider_arn: str | None
    """The account's existing provider, if any: an account can have only one of an issuer."""


def build(settings: Settings) -> Stack:
    """Return the stack; the settings trust somebody, else there would be nothing to make."""
    stack = AccountStack(settings, NAME, "what pipelines need: OIDC trust, roles, boundary, artifacts bucket")
    reach, trusts = Reach.of(settings), tuple(trusted(settings))
    providers = {trust: _provider(stack, trust) for trust in trusts}
    boundary = _boundary(stack, reach)
    artifacts = _bucket(stack)
    plan = [
        _policy(stack, title, statements)
        for title, statements in (
            ("Look", [*planning(reach), *looking(_zones(settings))]),
            ("LookAtRunning", looking_at_own(reach)),
            ("LookAtContents", looking_at_contents(reach, settings)),
        )
    ]
    makes = _deploying(stack, reach, boundary, artifacts)
    deploy_subjects = {providers[one]: (one, one.deploy) for one in trusts}
    _role(stack, "Deploy", deploy_subjects, [*plan, *makes])
    plan_subjects = {providers[one]: (one, one.plan) for one in trusts if one.plan}
    if plan_subjects:
        _role(stack, "Plan", plan_subjects, plan, never())
    _say(stack, DEPLOYS, " ".join(reach.prefixes), "Environments that the role deploys")
    _say(stack, TRUSTS, " | ".join(sorted(_subjects(trusts))), "Whose tokens are taken")
    return stack


def trusted(settings: Settings) -> Iterator[Trust]:
    """Yield the trusts of the settings; each subject is complete, without wildcards."""
    azure, github = settings.pipelines.azure_devops, settings.pipelines.github
    if azure:
        issuer = f"vstoken.dev.azure.com/{azure.organization_id}"
        found = (azure.deploy_subjects, azure.plan_subjects, azure.provider_arn)
        yield Trust("AzureDevOpsProvider", issuer, AZURE_AUDIENCE, *found)
    if github:
        found = (github.deploy_subjects, github.plan_subjects, github.provider_arn)
        yield Trust("GitHubProvider", GITHUB_ISSUER, AWS_AUDIENCE, *found)


def _subjects(trusts: tuple[Trust, ...]) -> Iterator[str]:
    for trust in trusts:
        yield from (f"deploy {one}" for one in trust.deploy)
        yield from (f"plan {one}" for one in trust.plan)


def _provider(stack: Stack, trust: Trust) -> Any:
    """
    Add the provider and return its ARN.

    No thumbprint: IAM takes the issuer's from its certificate (CloudFormation Template Reference,
    "AWS::IAM::OIDCProvider").
    """
    if trust.provider_arn:
        return trust.provider_arn
    provider = iam.OIDCProvider(trust.title, Url=f"https://{trust.issuer}", ClientIdList=[trust.audience])
    return GetAtt(stack.add(provider, name=trust.title), "Arn")


def _boundary(stack: Stack, reach: Reach) -> Any:
    """Add the boundary if the stacks' roles are to have ours; return the ARN of theirs."""
    chosen = stack.settings.pipelines.boundary
    if chosen != "gatestack":
        return chosen
    policy = iam.ManagedPolicy(
        "Boundary",
        ManagedPolicyName=Sub(BOUNDARY_NAME),
        Description="What a role of gatestack's stacks may be allowed at the most",
        PolicyDocument=_with_the_files(limits(reach, stack.settings), stack.settings),
    )
    stack.add(policy)
    stack.export("BoundaryArn", Ref(policy), "Boundary of the stacks' roles")
    return Sub(OWN_BOUNDARY)


def _with_the_files(own: list[Statement], settings: Settings) -> Any:
    """Return a policy of *own* and of what ENV's file allows its tasks, as written there."""
    added = [at_the_most(one, settings) for one in settings.service.task_policy if one.effect == "Allow"]
    if not added:
        return document(*own)
    return {"Version": "2012-10-17", "Statement": [*(one.JSONrepr() for one in own), *added]}


def _deploying(stack: Stack, reach: Reach, boundary: Any, artifacts: Bucket) -> list[iam.ManagedPolicy]:
    settings = stack.settings
    snapshot = settings.database.snapshot_identifier
    themes = {
        "Stacks": [*may.stacks(reach), *_files(artifacts)],
        "Network": may.network(reach, settings),
        "Entrance": may.entrance(reach, _zones(settings)),
        "Data": may.data(reach, snapshot),
        "Running": may.running(reach, settings),
        "RolesAndWatching": [*identities(reach, boundary, settings), *watching(reach)],
        "Contents": contents(reach),
    }
    return [_policy(stack, title, statements) for title, statements in themes.items()]


def _zones(settings: Settings) -> list[object]:
    """Return the hosted zone of ENV's file."""
    zone = settings.alb.hosted_zone_id
    return [*Reach(("",)).globally("route53", f"hostedzone/{zone}")] if zone else []


def _files(artifacts: Bucket) -> list[Statement]:
    """
    Let the deploy role use both buckets, and create that of large templates as the deployer does.

    The plan role writes nothing there: it could place a template for others. Bucket names are unique
    worldwide, so that of the second might be somebody else's: this account's are meant.
    """
    here = Condition(StringEquals("aws:ResourceAccount", AccountId))
    templates = f"arn:${{AWS::Partition}}:s3:::{TEMPLATES_BUCKET}"
    buckets = [GetAtt(artifacts, "Arn"), Sub(templates)]
    objects = [Sub(f"${{{artifacts.title}.Arn}}/*"), Sub(f"{templates}/*")]
    return [
        allow("Artifacts", actions("s3", "ListBucket"), buckets, here),
        allow("ArtifactFiles", actions("s3", "GetObject GetObjectVersion PutObject"), objects, here),
        allow("TemplatesBucket", actions("s3", _MAKE_BUCKET), [Sub(templates)]),
    ]


def _policy(stack: Stack, title: str, statements: list[Statement]) -> iam.ManagedPolicy:
    """Add a policy for a theme: of 6144 characters each, ten to a role (IAM User Guide, quotas)."""
    return stack.add(iam.ManagedPolicy(f"{title}Policy", PolicyDocument=document(*statements)))


def _role(
    stack: Stack,
    title: str,
    subjects: dict[Any, tuple[Trust, tuple[str, ...]]],
    policies: list[iam.ManagedPolicy],
    refused: list[Statement] | None = None,
) -> None:
    """Add the role *title*, which only the subjects assume, by their tokens."""
    statements = [_assume(provider, trust, whom) for provider, (trust, whom) in subjects.items() if whom]
    more = (
        {"Policies": [iam.Policy(PolicyName="Never", PolicyDocument=document(*refused))]} if refused else {}
    )
    role = iam.Role(
        f"{title}Role",
        RoleName=Sub(PIPELINE_ROLE.format(title.lower())),
        AssumeRolePolicyDocument=document(*statements),
        MaxSessionDuration=stack.settings.pipelines.session_hours * 3600,
        ManagedPolicyArns=[Ref(policy) for policy in policies],
        **more,
    )
    stack.add(role, name=title)
    stack.export(f"{title}RoleArn", GetAtt(role, "Arn"), f"Role that pipelines {title.lower()} with")


def _assume(provider: AWSHelperFn | str, trust: Trust, subjects: tuple[str, ...]) -> Statement:
    conditions = {f"{trust.issuer}:aud": trust.audience, f"{trust.issuer}:sub": list(subjects)}
    return Statement(
        Effect=Allow,
        Principal=Principal("Federated", provider),
        Action=[sts.AssumeRoleWithWebIdentity],
        Condition=Condition(StringEquals(conditions)),
    )


def _bucket(stack: Stack) -> Bucket:
    """
    Add the bucket for files that one stage of a pipeline may pass to the next.

    It outlives the stack: plans of changes that went wrong may be in it.
    """
    forget = LifecycleRule(
        Id="forget",
        Status="Enabled",
        ExpirationInDays=KEPT_DAYS,
        NoncurrentVersionExpiration=NoncurrentVersionExpiration(NoncurrentDays=KEPT_DAYS),
        AbortIncompleteMultipartUpload=AbortIncompleteMultipartUpload(DaysAfterInitiation=1),
    )
    encryption = private_bucket.S3_MANAGED
    bucket = private_bucket.add(stack, "ArtifactsBucket", "artifacts", encryption, kept(), [forget])
    private_bucket.guard(stack, bucket)
    stack.export("ArtifactsBucketName", Ref(bucket), "Bucket for plans and built folders")
    return bucket


def _say(stack: Stack, output: str, value: str, description: str) -> None:
    stack.template.add_output(Output(output, Value=value, Description=description))


_MAKE_BUCKET = (
    "CreateBucket PutBucketPolicy PutBucketPublicAccessBlock PutBucketVersioning PutEncryptionConfiguration"
)
