"""
Permissions to deploy, in addition to those to plan, by topic; data and monitoring are in
`content_permissions`.

The deploy role creates the resources itself: CloudFormation acts with its caller's permissions
(CloudFormation User Guide, "CloudFormation service role"). A service role would stay with each stack for
every later update, by a person or a pipeline, and a stack whose role is deleted can no longer be deleted.

An environment's resources are identified by names and tags: - A resource with a name: it begins with
environment and system, or with the name of the stack. - A resource with only an id (VPC and its parts, target
groups, certificates, keys): by gatestack's tags. They are set on creation (every type here supports that, by
its provider schema), and never on existing resources: tagging would otherwise be a way to take those over.
"""

from __future__ import annotations

from awacs.aws import (
    ArnEquals,
    ForAllValuesStringEquals,
    Null,
    Statement,
    StringEquals,
    StringEqualsIfExists,
    StringLikeIfExists,
)
from troposphere import Sub

from stacks.bootstrap.plan_permissions import balancers, firewalls
from stacks.bootstrap.reach import BY_CLOUDFORMATION, Reach, actions, arn_of, when
from stacks.parts.policies import allow
from stacks.settings import Settings


def stacks(reach: Reach) -> list[Statement]:
    """
    Return what executes change sets and deletes stacks, and what the commands call themselves.

    Change sets are gatestack's by their names, and a template in no request is in the account's own bucket,
    by one of the two addresses that the deployer gives (`deployer.aws.edges`). RunTask knows no condition
    for subnets (Service Authorization Reference, Amazon ECS, November 2026): the cluster is our own.

    An import imports what `destroy` has kept. Its handlers read the resource with the same role, which may
    read none but the environment's own, by name or by tag.
    """
    types = ForAllValuesStringEquals("cloudformation:ImportResourceTypes", _TAKEN_UP.split())
    imports = Null({"cloudformation:RoleArn": "true", "cloudformation:ImportResourceTypes": "false"})
    own = reach.arns("cloudformation", "stack/{p}-*/*")
    tasks = reach.arns("ecs", "task-definition/{p}-*")
    ours = reach.change_sets("gatestack-*")
    no_handover = Null({"cloudformation:RoleArn": "true", "cloudformation:ImportResourceTypes": "true"})
    template = StringLikeIfExists("cloudformation:TemplateUrl", _template_addresses())
    in_cluster = ArnEquals("ecs:cluster", reach.arns("ecs", "cluster/{p}", "cluster/{p}-*"))
    return [
        allow("Deploy", actions("cloudformation", _STACKS), own),
        allow(
            "MakeChangeSets",
            actions("cloudformation", "CreateChangeSet"),
            own,
            when(ours, no_handover, template),
        ),
        allow(
            "TakeUpKept",
            actions("cloudformation", "CreateChangeSet"),
            own,
            when(ours, imports, types, template),
        ),
        allow("ChangeSets", actions("cloudformation", "DeleteChangeSet ExecuteChangeSet"), own, when(ours)),
        allow("AllStacks", actions("cloudformation", "DescribeStacks ListStacks"), ["*"]),
        allow(
            "RunMigration",
            actions("ecs", "RunTask"),
            [*tasks, *reach.arns("ecs", "task/{p}-*/*")],
            when(in_cluster),
        ),
        allow("PushImages", actions("ecr", _PUSH), reach.arns("ecr", "repository/{p}", "repository/{p}-*")),
        allow("EcrLogin", actions("ecr", "GetAuthorizationToken"), ["*"]),  # knows no resource
    ]


def network(reach: Reach, settings: Settings) -> list[Statement]:
    """
    Return what creates VPCs and their parts, and changes ours.

    An interface endpoint with private DNS needs route53:AssociateVPCWithHostedZone (Service Authorization
    Reference, "Actions for Amazon EC2", CreateVpcEndpoint); the zone is AWS's own.
    """
    made = [arn_of("ec2", f"{kind}/*") for kind in _PARTS]
    in_vpc = [arn_of("ec2", f"{kind}/*") for kind in ("vpc", "subnet", "route-table", "security-group")]
    every = [arn_of("ec2", f"{kind}/*") for kind in ("vpc", *_PARTS)]
    created = StringEquals("ec2:CreateAction", _MAKE.split())
    zones = Reach(("",)).globally("route53", "hostedzone/*")
    return [
        allow("MakeVpc", actions("ec2", "CreateVpc"), [arn_of("ec2", "vpc/*")], when(*reach.tagged())),
        allow("MakeParts", actions("ec2", _MAKE_PARTS), made, when(*reach.tagged())),
        allow(
            "MakeIn",
            actions("ec2", _MAKE_IN),
            [*in_vpc, arn_of("ec2", "elastic-ip/*")],
            when(*reach.owned()),
        ),
        *_existing(settings),
        allow("TagNew", actions("ec2", "CreateTags"), every, when(created)),
        allow("Change", actions("ec2", _CHANGE), every, when(*reach.owned())),
        # The rule has no tags of its own; the group, which is asked for as well, has ours.
        allow("MakeRules", actions("ec2", _RULES), [arn_of("ec2", "security-group-rule/*")]),
        allow("PrivateDns", actions("route53", "AssociateVPCWithHostedZone"), zones),
    ]


def _existing(settings: Settings) -> list[Statement]:
    """Return what creates groups and endpoints in an existing VPC, and in no other."""
    there = settings.network.existing_vpc
    if there is None:
        return []
    subnets = (*there.public_subnet_ids, *there.private_subnet_ids, *there.data_subnet_ids)
    places = [f"vpc/{there.vpc_id}", *(f"subnet/{one}" for one in subnets)]
    into = actions("ec2", "CreateFlowLogs CreateSecurityGroup CreateVpcEndpoint ModifyVpcEndpoint")
    return [allow("IntoExistingVpc", into, [arn_of("ec2", place) for place in places])]


def entrance(reach: Reach, zones: list[object]) -> list[Statement]:
    """
    Return what creates load balancer, certificate, DNS records and web application firewall.

    A listener that verifies clients asks a trust store of the load balancer's name. Target groups get their
    names from CloudFormation, cut to 32 characters, so tags tell which are ours.
    SetWebAcl knows no resource, and CloudFormation alone asks for it. A web ACL of AWS's managed rules asks
    for ``managedruleset`` as well. Records are changed in the environment's own hosted zone.
    """
    service = "elasticloadbalancing"
    listeners = reach.arns(
        service, *(f"{kind}/app/{{p}}{end}" for kind in _LISTENERS for end in ("/*", "-*"))
    )
    stores = reach.arns(service, "truststore/{p}/*")
    groups, certificates = [arn_of(service, "targetgroup/*")], [arn_of("acm", "certificate/*")]
    tag_new = StringEquals(f"{service}:CreateAction", "CreateTargetGroup")
    records = [allow("Records", actions("route53", "ChangeResourceRecordSets"), zones)] if zones else []
    return [
        allow("Balancers", actions(service, _BALANCERS), [*balancers(reach), *listeners, *stores]),
        allow("NewGroups", actions(service, "CreateTargetGroup"), groups, when(*reach.tagged())),
        allow("TagNewGroups", actions(service, "AddTags"), groups, when(tag_new)),
        allow("Groups", actions(service, _GROUPS), groups, when(*reach.owned())),
        allow("BeforeBalancers", actions(service, "SetWebAcl"), ["*"], when(BY_CLOUDFORMATION)),
        allow("NewCertificates", actions("acm", "RequestCertificate"), ["*"], when(*reach.tagged())),
        allow(
            "TagNewCertificates",
            actions("acm", "AddTagsToCertificate"),
            certificates,
            when(*reach.tagged(), BY_CLOUDFORMATION),
        ),
        allow("Certificates", actions("acm", _CERTIFICATES), certificates, when(*reach.owned())),
        allow("Firewalls", actions("wafv2", _FIREWALLS), firewalls(reach)),
        allow("ManagedRules", actions("wafv2", "CreateWebACL UpdateWebACL"), _managed_rules()),
        *records,
    ]


def data(reach: Reach, snapshot: str | None) -> list[Statement]:
    """
    Return what creates databases and caches, with their snapshots.

    An instance without an option group of its own is made in AWS's default one. A snapshot is restored that
    has a name of ours, as RDS's nightly ones (``rds:dev-litellm-db-...``) and CloudFormation's last ones have
    it, or that ENV's file names: else a database of somebody else's would open with a password of the stack's
    own (Service Authorization Reference, Amazon RDS, "snapshot", "cluster-snapshot", November 2026).
    Snapshots are deleted that the deployer itself has taken before migrations, which their names say.
    """
    rds = reach.arns("rds", *(f"{kind}:{{p}}-*" for kind in _RDS_KINDS))
    defaults = [arn_of("rds", f"{kind}:default*") for kind in ("og", "pg", "cluster-pg")]
    names = [f"{kind}:rds:{{p}}-*" for kind in _SNAPSHOTS]
    snapshots = [*reach.arns("rds", *names), *_named(snapshot)]
    before = [f"{kind}:{{p}}-*-before-*" for kind in _SNAPSHOTS]
    caches = reach.arns("elasticache", *(f"{kind}:{{p}}-*" for kind in _CACHE_KINDS))
    return [
        allow("Databases", actions("rds", _DATABASES), rds),
        allow("DefaultGroups", actions("rds", _IN_DEFAULTS), defaults),
        allow("Restore", actions("rds", _RESTORE), [*rds, *defaults, *snapshots]),
        allow("OldSnapshots", actions("rds", _OLD_SNAPSHOTS), reach.arns("rds", *before)),
        allow("Caches", actions("elasticache", _CACHES), caches),
    ]


def running(reach: Reach, settings: Settings) -> list[Statement]:
    """
    Return what creates clusters, services, functions and repositories, and scales them.

    DeregisterTaskDefinition knows no resource, and CloudFormation alone asks for it. A scalable target has an
    id of AWS's own: the namespace keeps it to ECS, and tags to ours. In an existing VPC,
    functions are in that one. A function is opened to Secrets Manager alone.
    """
    ecs = reach.arns("ecs", "cluster/{p}", "cluster/{p}-*", "*/{p}/*", "task-definition/{p}-*")
    in_ecs = StringEquals("application-autoscaling:service-namespace", "ecs")
    targets = [arn_of("application-autoscaling", "scalable-target/*")]
    functions = reach.arns("lambda", "function:{p}-*")
    there = settings.network.existing_vpc
    in_vpc = when(StringEqualsIfExists("lambda:VpcIds", there.vpc_id)) if there else None
    rotates = when(StringEquals("lambda:Principal", "secretsmanager.amazonaws.com"))
    scaling = "application-autoscaling"
    new_target = actions(scaling, "RegisterScalableTarget")
    tag_target = actions(scaling, "TagResource")
    return [
        allow("Tasks", actions("ecs", _TASKS), ecs),
        allow(
            "OldTaskDefinitions",
            actions("ecs", "DeregisterTaskDefinition"),
            ["*"],
            when(BY_CLOUDFORMATION),
        ),
        allow("Images", actions("ecr", _IMAGES), reach.arns("ecr", "repository/{p}", "repository/{p}-*")),
        allow("Functions", actions("lambda", _FUNCTIONS), functions),
        allow("PlacedFunctions", actions("lambda", _PLACED), functions, in_vpc),
        allow("OpenFunctions", actions("lambda", "AddPermission"), functions, rotates),
        allow("NewTargets", new_target, targets, when(in_ecs, *reach.tagged(), BY_CLOUDFORMATION)),
        allow("TagNewTargets", tag_target, targets, when(*reach.tagged(), BY_CLOUDFORMATION)),
        allow("Scaling", actions(scaling, _SCALING), targets, when(in_ecs, *reach.owned())),
        allow("TagScaling", actions(scaling, "TagResource UntagResource"), targets, when(*reach.owned())),
    ]


def _managed_rules() -> list[object]:
    return [arn_of("wafv2", "regional/managedruleset/*/*")]


def _named(snapshot: str | None) -> list[object]:
    """Return the one snapshot that ENV's file names, by name or ARN: of an instance, or of a cluster."""
    if snapshot is None:
        return []
    if snapshot.startswith("arn:"):
        return [snapshot]
    return [arn_of("rds", f"{kind}:{snapshot}") for kind in _SNAPSHOTS]


def _template_addresses() -> list[object]:
    bucket = "gatestack-artifacts-${AWS::AccountId}-${AWS::Region}/*"
    hosts = ("s3.${AWS::Region}.${AWS::URLSuffix}", "s3.${AWS::URLSuffix}")
    return [Sub(f"https://{host}/{bucket}") for host in hosts]


_SNAPSHOTS = ("snapshot", "cluster-snapshot")
_STACKS = "ContinueUpdateRollback DeleteStack RollbackStack UntagResource UpdateTerminationProtection"
_PUSH = (
    "BatchCheckLayerAvailability CompleteLayerUpload GetDownloadUrlForLayer InitiateLayerUpload PutImage "
    "UploadLayerPart"
)
_PARTS = (
    *("subnet", "route-table", "security-group", "internet-gateway", "natgateway", "elastic-ip"),
    *("vpc-endpoint", "vpc-flow-log"),
)
_MAKE_IN = (
    "CreateFlowLogs CreateNatGateway CreateRouteTable CreateSecurityGroup CreateSubnet CreateVpcEndpoint"
)
_MAKE_PARTS = f"AllocateAddress CreateInternetGateway {_MAKE_IN}"
_MAKE = f"CreateVpc {_MAKE_PARTS}"
_RULES = "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress"
_CHANGE = (
    "AssociateAddress AssociateNatGatewayAddress AssociateRouteTable AttachInternetGateway "
    "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress CreateRoute CreateTags DeleteFlowLogs "
    "DeleteInternetGateway DeleteNatGateway DeleteRoute DeleteRouteTable DeleteSecurityGroup DeleteSubnet "
    "DeleteTags DeleteVpc DeleteVpcEndpoints DetachInternetGateway DisassociateAddress "
    "DisassociateNatGatewayAddress DisassociateRouteTable ModifySubnetAttribute ModifyVpcAttribute "
    "ModifyVpcEndpoint ReleaseAddress ReplaceRoute ReplaceRouteTableAssociation RevokeSecurityGroupEgress "
    "RevokeSecurityGroupIngress UpdateSecurityGroupRuleDescriptionsEgress "
    "UpdateSecurityGroupRuleDescriptionsIngress"
)
_LISTENERS = ("listener", "listener-rule")
_BALANCERS = (
    "AddTags CreateListener CreateLoadBalancer CreateRule CreateTrustStore DeleteListener DeleteLoadBalancer "
    "DeleteRule DeleteTrustStore ModifyListener ModifyListenerAttributes ModifyLoadBalancerAttributes "
    "ModifyRule ModifyTrustStore RemoveTags SetIpAddressType SetRulePriorities SetSecurityGroups SetSubnets"
)
_GROUPS = (
    "AddTags DeleteTargetGroup DeregisterTargets ModifyTargetGroup ModifyTargetGroupAttributes "
    "RegisterTargets RemoveTags"
)
_CERTIFICATES = "AddTagsToCertificate DeleteCertificate RemoveTagsFromCertificate UpdateCertificateOptions"
_FIREWALLS = (
    "AssociateWebACL CreateIPSet CreateWebACL DeleteIPSet DeleteLoggingConfiguration DeleteWebACL "
    "DisassociateWebACL PutLoggingConfiguration TagResource UntagResource UpdateIPSet UpdateWebACL"
)
_RDS_KINDS = ("db", "cluster", "pg", "cluster-pg", "subgrp", "snapshot", "cluster-snapshot")
_IN_DEFAULTS = "CreateDBCluster CreateDBInstance ModifyDBCluster ModifyDBInstance"
_OLD_SNAPSHOTS = "DeleteDBClusterSnapshot DeleteDBSnapshot"
_RESTORE = "RestoreDBClusterFromSnapshot RestoreDBInstanceFromDBSnapshot"
_DATABASES = (
    "AddTagsToResource CreateDBClusterParameterGroup CreateDBClusterSnapshot CreateDBParameterGroup "
    "CreateDBSnapshot CreateDBSubnetGroup DeleteDBCluster DeleteDBClusterParameterGroup DeleteDBInstance "
    "DeleteDBParameterGroup DeleteDBSubnetGroup "
    "ModifyDBClusterParameterGroup ModifyDBParameterGroup ModifyDBSubnetGroup RebootDBInstance "
    "RemoveTagsFromResource ResetDBClusterParameterGroup ResetDBParameterGroup " + _IN_DEFAULTS
)
_CACHE_KINDS = ("replicationgroup", "cluster", "parametergroup", "subnetgroup", "snapshot")
_CACHES = (
    "AddTagsToResource CreateCacheCluster CreateCacheParameterGroup CreateCacheSubnetGroup "
    "CreateReplicationGroup CreateSnapshot DecreaseReplicaCount DeleteCacheCluster "
    "DeleteCacheParameterGroup DeleteCacheSubnetGroup DeleteReplicationGroup IncreaseReplicaCount "
    "ModifyCacheParameterGroup ModifyCacheSubnetGroup ModifyReplicationGroup "
    "ModifyReplicationGroupShardConfiguration RemoveTagsFromResource"
)
_TASKS = (
    "CreateCluster CreateService DeleteCluster DeleteService PutClusterCapacityProviders "
    "RegisterTaskDefinition StopServiceDeployment TagResource UntagResource UpdateCluster "
    "UpdateClusterSettings UpdateService"
)
_IMAGES = (
    "CreateRepository DeleteLifecyclePolicy DeleteRepository DeleteRepositoryPolicy "
    "PutImageScanningConfiguration PutImageTagMutability PutLifecyclePolicy SetRepositoryPolicy TagResource "
    "UntagResource"
)
_PLACED = "CreateFunction UpdateFunctionConfiguration"
_FUNCTIONS = (
    "DeleteFunction DeleteFunctionConcurrency InvokeFunction PublishVersion "
    "PutFunctionConcurrency PutFunctionRecursionConfig PutRuntimeManagementConfig RemovePermission "
    "TagResource UntagResource UpdateFunctionCode"
)
_SCALING = "DeleteScalingPolicy DeregisterScalableTarget PutScalingPolicy RegisterScalableTarget"
_TAKEN_UP = (
    "AWS::ECR::Repository AWS::KMS::Key AWS::Logs::LogGroup AWS::S3::Bucket AWS::SecretsManager::Secret"
)
