"""
Corrections to the provider schemas' IAM permissions: those that our resources never need, and ARNs.

Data only. Sources: the provider schemas' `handlers`, and the Service Authorization Reference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

_TABLE = json.loads((Path(__file__).parent / "service_authorization.json").read_text("utf-8"))
ACTIONS: Mapping[str, Mapping[str, list[str]]] = _TABLE["actions"]
"""Action -> the resource types that it is about, by `required` and `optional`."""
ARNS: Mapping[str, str] = _TABLE["resources"]
"""Resource type -> the format of its ARN."""

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
    "kms:DisableKey kms:EnableKey": "no key of ours is disabled",
    "kms:RetireGrant": "those who hold a grant retire it",
    "logs:*BearerToken* logs:*IndexPolicy logs:UpdateLogDelivery": "not our properties",
    "logs:DeleteResourcePolicy": "not our properties",
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
"""Permissions that handlers list and never use for our properties -> why."""

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
"""Actions that create something known only by its tags: it has none before."""
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
    "wafv2:UpdateWebACL": ("wafv2:ipset", "wafv2:managedruleset"),
    "wafv2:CreateWebACL": ("wafv2:ipset", "wafv2:managedruleset"),
}
"""Resource types that are optional in the table, and present with our properties."""


@dataclass(frozen=True)
class Kind:
    """The name of a CloudFormation resource type in policies."""

    name: str
    """Of `ARNS`."""
    property: str = ""
    """The property with its name; without one, CloudFormation generates a name from the stack's."""


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
    "AWS::ElasticLoadBalancingV2::TrustStore": Kind("elasticloadbalancing:truststore", "Name"),
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
    "AWS::WAFv2::IPSet": Kind("wafv2:ipset", "Name"),
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
"""The service-linked role that a type's first resource creates; other types' handlers need none here."""


@cache
def excused(action: str) -> bool:
    """Whether *action* is in `NOT_ASKED`."""
    return any(fnmatchcase(action, pattern) for patterns in NOT_ASKED for pattern in patterns.split())
