"""
What deploying asks AWS for: what the handlers of each resource need, says its type's provider schema.

Which resources an action is about stands in `service_authorization.json`. Nothing here knows the policies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from generator.manifest import Manifest, StackSpec
from sandbox.resources.schema import ProviderSchemas
from tests.iam_policies import ACCOUNT, PARTITION, REGION, Request, Values

_TABLE = json.loads((Path(__file__).parent / "service_authorization.json").read_text())
ACTIONS: Mapping[str, Mapping[str, list[str]]] = _TABLE["actions"]
ARNS: Mapping[str, str] = _TABLE["resources"]
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/gatestack-boundary-{REGION}"
VIA_CLOUDFORMATION = {"aws:CalledVia": ["cloudformation.amazonaws.com"]}

NOT_ASKED: Mapping[str, str] = {
    "acm-pca:*": "no certificate is private",
    "amplify:* apigateway:* apprunner:* appsync:* bedrock-agentcore:* cognito-idp:* payments:*": (
        "WAF stands before a load balancer alone, and no listener asks Cognito who somebody is"
    ),
    "ec2:*VerifiedAccess* ec2:*VpnGateway ec2:AcceptAddressTransfer": "the same, and no VPN",
    "ec2:*PrivateNatGatewayAddress ec2:*SubnetCidrBlock ec2:*VpcEncryptionControl* ec2:ModifyVpcTenancy": (
        "not among our properties"
    ),
    "ec2:DescribeIpamPools autoscaling:DescribeTags": "no pools of addresses",
    "vpc-lattice:* vpce:AllowMultiRegion": "endpoints of AWS's services in the same region",
    "docdb-elastic:* redshift:* redshift-serverless:*": "secrets of RDS",
    "elasticfilesystem:* s3files:* s3tables:*": "functions and buckets without them",
    "elasticloadbalancing:*WebACL* elasticloadbalancing:ModifyIpPools": "SetWebAcl is IAM's name of it",
    "elasticloadbalancing:ModifyCapacityReservation": "none is reserved",
    "lambda:DeleteFunctionCodeSigning* lambda:PutFunctionCodeSigning*": "no code is signed",
    "lambda:*ProvisionedConcurrency* lambda:PassCapacityProvider lambda:PutFunctionScaling*": "scaled by AWS",
    "lambda:AssociateRuntimeAlias lambda:GetLayerVersion": "no layers, no runtime of our own",
    "organizations:*": "a trail of this account",
    "ecs:PutAccountSetting*": "clusters take what the account has",
    "application-autoscaling:*ScheduledAction": "no schedules",
    "cloudtrail:PutInsightSelectors": "no insights",
    "iam:*GroupPolicy iam:*UserPolicy": "policies of roles",
    "iam:DeleteRolePermissionsBoundary": "never: that is what it is for",
    "iam:ListRoles": "RDS looks for a monitoring role, which none of ours has",
    "kms:RetireGrant": "those who hold a grant retire it",
    "logs:*BearerToken* logs:*IndexPolicy logs:*ResourcePolicy logs:UpdateLogDelivery": "not our properties",
    "logs:GetLogDelivery logs:ListLogDeliveries": "log delivery of a cache",
    "rds:*GlobalCluster rds:*Role*DB* rds:*ReadReplica rds:*ToPointInTime rds:*Replication": "not ours",
    "rds:*HttpEndpoint": "no Data API",
    "s3:*BucketMetadata* s3:PutBucketAbac s3:*ObjectLock* s3:PutObjectAcl": "not our buckets",
    "s3:PutAnalytics* s3:DeleteBucketAnalytics* s3:*Cors s3:PutBucketCORS": "not our buckets",
    "s3:DeleteBucketWebsite s3:PutBucketWebsite": "no website",
    "s3:Put*Replication* s3:DeleteBucketReplication": "no copies elsewhere",
    "s3:PutMetrics* s3:DeleteBucketMetrics* s3:PutInventory*": "no metrics, no inventory",
    "s3:PutIntelligentTiering* s3:PutAccelerate*": "neither",
    "s3:DeleteBucketEncryption s3:DeleteBucketLifecycle s3:REST.PUT.OBJECT": "no IAM actions",
    "secretsmanager:RemoveRegions* secretsmanager:Replicate*": "secrets of one region",
    "wafv2:*PermissionPolicy": "rule groups are AWS's",
    "lambda:GetCodeSigningConfig": "none",
    "firehose:PutRecord* logs:PutLogEvents": "caches deliver no logs; the streams' writers have roles",
}
"""What handlers may ask and never do for our properties -> why."""

MAKES = {
    "ec2:AllocateAddress",
    "ec2:CreateFlowLogs",
    "ec2:CreateInternetGateway",
    "ec2:CreateNatGateway",
    "ec2:CreateRouteTable",
    "ec2:CreateSecurityGroup",
    "ec2:CreateSubnet",
    "ec2:CreateVpc",
    "ec2:CreateVpcEndpoint",
    "acm:RequestCertificate",
    "elasticloadbalancing:CreateTargetGroup",
    "kms:CreateKey",
    "iam:CreateRole",
    "application-autoscaling:RegisterScalableTarget",
}
"""What makes something that is known by its tags alone: it has none before."""
TAGS = {
    "ec2:CreateTags",
    "elasticloadbalancing:AddTags",
    "acm:AddTagsToCertificate",
    "kms:TagResource",
    "iam:TagRole",
    "application-autoscaling:TagResource",
}

ALSO: Mapping[str, tuple[str, ...]] = {
    "ec2:AssociateRouteTable": ("ec2:subnet",),
    "ec2:AttachInternetGateway": ("ec2:vpc",),
    "ec2:CreateFlowLogs": ("ec2:vpc",),
    "ec2:CreateNatGateway": ("ec2:elastic-ip", "ec2:subnet"),
    "ec2:CreateSecurityGroup": ("ec2:vpc",),
    "ec2:DisassociateRouteTable": ("ec2:subnet",),
    "ec2:ReplaceRouteTableAssociation": ("ec2:subnet",),
    "rds:CreateDBInstance": ("rds:og", "rds:pg", "rds:subgrp"),
    "rds:ModifyDBInstance": ("rds:og", "rds:pg", "rds:subgrp"),
    "rds:ModifyDBCluster": ("rds:cluster-pg", "rds:og"),
    "elasticloadbalancing:CreateListener": ("elasticloadbalancing:loadbalancer/app/",),
    "wafv2:UpdateWebACL": ("wafv2:managedruleset",),
    "wafv2:CreateWebACL": ("wafv2:managedruleset",),
}
"""Resource types that are optional in the table, and there with our properties."""


@dataclass(frozen=True)
class Kind:
    """How a resource type of CloudFormation is called in policies."""

    name: str
    """Of `ARNS`."""
    property: str = ""
    """The property that has its name; without one CloudFormation makes a name of the stack's."""


KINDS: Mapping[str, Kind] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": Kind("application-autoscaling:ScalableTarget"),
    "AWS::ApplicationAutoScaling::ScalingPolicy": Kind("application-autoscaling:ScalableTarget"),
    "AWS::CertificateManager::Certificate": Kind("acm:certificate"),
    "AWS::CloudTrail::Trail": Kind("cloudtrail:trail", "TrailName"),
    "AWS::CloudWatch::Alarm": Kind("cloudwatch:alarm", "AlarmName"),
    "AWS::CloudWatch::Dashboard": Kind("cloudwatch:dashboard", "DashboardName"),
    "AWS::EC2::EIP": Kind("ec2:elastic-ip"),
    "AWS::EC2::FlowLog": Kind("ec2:vpc-flow-log"),
    "AWS::EC2::InternetGateway": Kind("ec2:internet-gateway"),
    "AWS::EC2::NatGateway": Kind("ec2:natgateway"),
    "AWS::EC2::RouteTable": Kind("ec2:route-table"),
    "AWS::EC2::SecurityGroup": Kind("ec2:security-group"),
    "AWS::EC2::Subnet": Kind("ec2:subnet"),
    "AWS::EC2::VPC": Kind("ec2:vpc"),
    "AWS::EC2::VPCEndpoint": Kind("ec2:vpc-endpoint"),
    "AWS::ECR::Repository": Kind("ecr:repository", "RepositoryName"),
    "AWS::ECS::Cluster": Kind("ecs:cluster", "ClusterName"),
    "AWS::ECS::Service": Kind("ecs:service", "ServiceName"),
    "AWS::ECS::TaskDefinition": Kind("ecs:task-definition", "Family"),
    "AWS::ElastiCache::ParameterGroup": Kind("elasticache:parametergroup"),
    "AWS::ElastiCache::ReplicationGroup": Kind("elasticache:replicationgroup", "ReplicationGroupId"),
    "AWS::ElastiCache::SubnetGroup": Kind("elasticache:subnetgroup"),
    "AWS::ElasticLoadBalancingV2::Listener": Kind("elasticloadbalancing:listener/app"),
    "AWS::ElasticLoadBalancingV2::ListenerRule": Kind("elasticloadbalancing:listener-rule/app"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Kind("elasticloadbalancing:loadbalancer/app/", "Name"),
    "AWS::ElasticLoadBalancingV2::TargetGroup": Kind("elasticloadbalancing:targetgroup"),
    "AWS::Events::Rule": Kind("events:rule-on-default-event-bus", "Name"),
    "AWS::IAM::Role": Kind("iam:role"),
    "AWS::KMS::Alias": Kind("kms:alias", "AliasName"),
    "AWS::KMS::Key": Kind("kms:key"),
    "AWS::KinesisFirehose::DeliveryStream": Kind("firehose:deliverystream", "DeliveryStreamName"),
    "AWS::Lambda::Function": Kind("lambda:function", "FunctionName"),
    "AWS::Logs::LogGroup": Kind("logs:log-group", "LogGroupName"),
    "AWS::RDS::DBCluster": Kind("rds:cluster", "DBClusterIdentifier"),
    "AWS::RDS::DBClusterParameterGroup": Kind("rds:cluster-pg"),
    "AWS::RDS::DBInstance": Kind("rds:db", "DBInstanceIdentifier"),
    "AWS::RDS::DBParameterGroup": Kind("rds:pg"),
    "AWS::RDS::DBSubnetGroup": Kind("rds:subgrp"),
    "AWS::S3::Bucket": Kind("s3:bucket"),
    "AWS::SNS::Topic": Kind("sns:topic", "TopicName"),
    "AWS::SSM::Parameter": Kind("ssm:parameter", "Name"),
    "AWS::SecretsManager::Secret": Kind("secretsmanager:Secret", "Name"),
    "AWS::WAFv2::WebACL": Kind("wafv2:webacl", "Name"),
}

ROLE_PROPERTIES = re.compile(r"Role(Arn|ARN)?$|^DeliverLogsPermissionArn$")
PASSED_TO = {
    "AWS::EC2::FlowLog": "vpc-flow-logs",
    "AWS::ECS::Service": "ecs",
    "AWS::ECS::TaskDefinition": "ecs-tasks",
    "AWS::KinesisFirehose::DeliveryStream": "firehose",
    "AWS::Lambda::Function": "lambda",
    "AWS::Logs::SubscriptionFilter": "logs",
}
LINKED = {
    "AWS::ApplicationAutoScaling::ScalableTarget": "ecs.application-autoscaling",
    "AWS::ECS::Cluster": "ecs",
    "AWS::ECS::Service": "ecs",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "elasticloadbalancing",
    "AWS::ElastiCache::ReplicationGroup": "elasticache",
    "AWS::RDS::DBInstance": "rds",
    "AWS::RDS::DBCluster": "rds",
}
"""Whose service-linked role a type's first resource makes; the other types' handlers need none here."""


def excused(action: str) -> bool:
    """Whether *action* stands in `NOT_ASKED`."""
    return any(fnmatchcase(action, pattern) for patterns in NOT_ASKED for pattern in patterns.split())


def needs(manifest: Manifest, schemas: ProviderSchemas) -> Iterator[Request]:
    """Yield what CloudFormation asks for to make, read, change and remove everything in *manifest*."""
    for spec in manifest.stacks:
        for title, resource in json.loads(spec.template)["Resources"].items():
            made = _Made(manifest, spec, title, resource)
            for operation, handler in _handlers(schemas, resource["Type"]).items():
                for permission in handler.get("permissions", ()):
                    service, _, name = permission.partition(":")
                    action = f"{service.lower()}:{name}"
                    if operation != "list" and not excused(action):
                        yield from made.requests(action, operation)


def _handlers(schemas: ProviderSchemas, type_name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schemas._schema(type_name).get("handlers", {})
    return found


@dataclass(frozen=True)
class _Made:
    """One resource of a template."""

    manifest: Manifest
    spec: StackSpec
    title: str
    resource: Mapping[str, Any]

    @property
    def type(self) -> str:
        return str(self.resource["Type"])

    @property
    def prefix(self) -> str:
        return f"{self.manifest.environment}-{self.manifest.system}"

    def requests(self, action: str, operation: str) -> Iterator[Request]:
        if action == "iam:PassRole":
            yield from self._passed(operation)
        elif action == "iam:CreateServiceLinkedRole":
            yield from self._linked(operation)
        elif action == "iam:AttachRolePolicy":
            yield from self._attached(operation)
        elif not (action == "iam:DetachRolePolicy" and self.type != "AWS::IAM::Role"):
            for arn in self._resources(action):
                yield Request(action, arn, self._context(action, arn, operation), self._why(operation))

    def _why(self, operation: str) -> str:
        return f"to {operation} {self.spec.name}'s {self.title}, {self.type}"

    def _resources(self, action: str) -> list[str]:
        """The ARNs of what *action* is about, ``*`` where IAM knows none."""
        row = ACTIONS.get(action)
        if not row:
            return ["*"]
        service = action.partition(":")[0]
        own = KINDS.get(self.type, Kind("")).name
        kinds = [f"{service}:{kind}" for kind in row.get("required", ())]
        optional = [f"{service}:{kind}" for kind in row.get("optional", ())]
        kinds += [kind for kind in optional if kind == own]
        kinds += [kind for kind in ALSO.get(action, ()) if kind not in kinds]
        return [self._arn(kind, own) for kind in kinds or optional[:1]]

    def _arn(self, kind: str, own: str) -> str:
        name = self._name() if kind == own else self._other(kind)
        text = ARNS[kind]
        for place, value in (
            ("Partition", PARTITION),
            ("Region", REGION),
            ("Account", ACCOUNT),
            ("Scope", "regional"),
        ):
            text = text.replace(f"${{{place}}}", value)
        if kind == "kms:alias":
            return text.replace("alias/${Alias}", name)
        if kind == "ecs:service":
            text = text.replace("${ClusterName}", self.prefix)
        first = re.compile(r"\$\{[A-Za-z]*\}")
        text = first.sub(lambda _: name, text, count=1)
        return first.sub("0123456789abcdef", text)

    def _name(self) -> str:
        kind = KINDS[self.type]
        name = self.resource["Properties"].get(kind.property) if kind.property else None
        if isinstance(name, str):
            return name.removeprefix("/") if kind.name == "ssm:parameter" else name
        return self._generated(kind.name)

    def _generated(self, kind: str) -> str:
        if kind.startswith(("ec2:", "kms:", "acm:", "application-autoscaling:")):
            return "0123456789abcdef0"
        if kind == "elasticloadbalancing:targetgroup":
            return f"{self.spec.stack_name[:6]}-Targe-ABCDEFGHIJKL"
        if kind.startswith("elasticloadbalancing:"):
            return self.prefix
        name = f"{self.spec.stack_name}-{self.title}-ABCDEFGHIJKL"
        return name if kind in {"iam:role", "logs:log-group"} else name.lower()

    def _other(self, kind: str) -> str:
        """The name of something else that the action is about: of the same environment."""
        if kind.startswith(("ec2:", "kms:key", "acm:", "application-autoscaling:")):
            return "0123456789abcdef0"
        return {
            "rds:og": "default:postgres-16",
            "kms:alias": f"alias/{self.prefix}",
            "ecs:cluster": self.prefix,
            "ecs:service-deployment": self.prefix,
            "ecs:capacity-provider": "FARGATE",
            "ecr:repository": self.prefix,
            "elasticloadbalancing:loadbalancer/app/": self.prefix,
            "elasticloadbalancing:listener/app": self.prefix,
            "elasticloadbalancing:targetgroup": "dev-li-Targe-ABCDEFGHIJKL",
            "wafv2:loadbalancer/app/": self.prefix,
            "wafv2:webacl": self.prefix,
            "wafv2:managedruleset": "AWSManagedRulesCommonRuleSet",
            "secretsmanager:Secret": f"{self.prefix}/database",
            "logs:log-group": f"/ecs/{self.prefix}-proxy",
            "logs:log-stream": f"/ecs/{self.prefix}-proxy",
            "cloudwatch:alarm": f"TargetTracking-service/{self.prefix}/{self.prefix}-proxy-AlarmHigh-x",
            "route53:hostedzone": "Z0123456789ABCDEFGHIJ",
            "route53:change": "C1",
        }.get(kind, f"{self.spec.stack_name}-other-abcdefghijkl")

    def _context(self, action: str, arn: str, operation: str) -> dict[str, Values]:
        """What AWS knows of the request: the tags asked for, and those that are there."""
        tags = {key: self.spec.tags[key] for key in ("ManagedBy", "Environment", "System")}
        own_kind = KINDS.get(self.type, Kind("")).name
        new = operation == "create" and action in (MAKES | TAGS) and arn == self._arn(own_kind, own_kind)
        context: dict[str, Values] = {**VIA_CLOUDFORMATION, "aws:ResourceAccount": ACCOUNT}
        if action in MAKES | TAGS:
            context |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
        if not new and action not in {"kms:CreateKey", "acm:RequestCertificate"}:
            context |= {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
        if new and action in {"ec2:CreateTags", "elasticloadbalancing:AddTags"}:
            service = action.partition(":")[0]
            context[f"{service}:CreateAction"] = self._maker()
        context |= self._asked(action)
        if action.startswith("application-autoscaling:"):
            context["application-autoscaling:service-namespace"] = "ecs"
        if action.startswith("iam:"):
            context["iam:PermissionsBoundary"] = BOUNDARY
        return context

    def _asked(self, action: str) -> dict[str, Values]:
        """What the request says, as far as conditions look at it."""
        properties = self.resource["Properties"]
        if action == "lambda:AddPermission":
            return {"lambda:Principal": properties.get("Principal", "secretsmanager.amazonaws.com")}
        if action == "cloudwatch:PutMetricAlarm" and self.type == "AWS::CloudWatch::Alarm":
            topics = properties.get("AlarmActions", [])
            return {
                "cloudwatch:AlarmActions": [
                    f"arn:aws:sns:{REGION}:{ACCOUNT}:{self.prefix}-alarms" for _ in topics
                ]
            }
        return {}

    def _maker(self) -> str:
        made_by = {
            "EIP": "AllocateAddress",
            "FlowLog": "CreateFlowLogs",
            "VPC": "CreateVpc",
            "VPCEndpoint": "CreateVpcEndpoint",
        }
        name = self.type.rpartition("::")[2]
        return made_by.get(name, f"Create{name}")

    def _passed(self, operation: str) -> Iterator[Request]:
        if self.type not in PASSED_TO or not _names_a_role(self.resource["Properties"]):
            return
        arn = f"arn:aws:iam::{ACCOUNT}:role/{self.prefix}-security-Role-ABCDEFGHIJKL"
        context = {"iam:PassedToService": f"{PASSED_TO[self.type]}.amazonaws.com", **VIA_CLOUDFORMATION}
        yield Request("iam:PassRole", arn, context, self._why(operation))

    def _linked(self, operation: str) -> Iterator[Request]:
        if self.type not in LINKED:
            return
        service = f"{LINKED[self.type]}.amazonaws.com"
        arn = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{service}/AWSServiceRoleForIt"
        yield Request(
            "iam:CreateServiceLinkedRole", arn, {"iam:AWSServiceName": service}, self._why(operation)
        )

    def _attached(self, operation: str) -> Iterator[Request]:
        for policy in self.resource["Properties"].get("ManagedPolicyArns", ()):
            name = policy["Fn::Sub"].rpartition("/")[2]
            managed = f"arn:aws:iam::aws:policy/{name}"
            context = {"iam:PermissionsBoundary": BOUNDARY, "iam:PolicyARN": managed}
            yield Request(
                "iam:AttachRolePolicy", self._arn("iam:role", "iam:role"), context, self._why(operation)
            )


def _names_a_role(value: Any) -> bool:
    if isinstance(value, dict):
        return any(ROLE_PROPERTIES.search(key) or _names_a_role(one) for key, one in value.items())
    return isinstance(value, list) and any(_names_a_role(one) for one in value)
