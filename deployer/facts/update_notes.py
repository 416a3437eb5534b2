"""
What an update interrupts according to AWS's documentation, by type and property. Data.

Sources, read 2026-11-28: CloudFormation Template Reference, "Update requires" of each property (AWS's public
copy of the guide of 2023-09-19); a service's own guide where it says more, named with the row. Properties
that replace the resource are left out: CloudFormation's change set reports those.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Level = Literal["interruption", "some", "rolling", "none", "unknown"]
"""
``interruption``: it is down meanwhile; ``some``: AWS says "Some interruptions"; ``rolling``: new tasks take
over from the old ones; ``none``: AWS says "No interruption"; ``unknown``: this table does not have the type.
"""

SOME = "some interruption, AWS says"
RESTART = "restarts the database: minutes of downtime, less with a standby in another zone"
WORDS: Mapping[Level, str] = {
    "none": "no interruption",
    "unknown": "not known: see the type's page in AWS's template reference",
}

PROPERTIES: Mapping[str, Mapping[str, tuple[Level, str]]] = {
    "AWS::RDS::DBInstance": {
        # Amazon RDS User Guide, "Settings for DB instances": an outage occurs during this change
        "DBInstanceClass": ("interruption", RESTART),
        "EngineVersion": ("interruption", "upgrades the engine: minutes of downtime, also with a standby"),
        "CACertificateIdentifier": ("some", "may restart the database"),
        # the same: an outage occurs where it changes from 0 or to 0
        "BackupRetentionPeriod": ("some", "restarts the database where backups are switched on or off"),
        "DBParameterGroupName": ("some", "applies at the next restart of the database"),
        # the same: no outage; the storage is optimized for hours meanwhile, and cannot change again
        "AllocatedStorage": ("none", "no downtime; storage cannot change again for six hours"),
        "MultiAZ": ("some", "no downtime; slower writes while the standby is made"),
        "StorageType": ("some", SOME),
        "AvailabilityZone": ("some", SOME),
        "AutoMinorVersionUpgrade": ("some", SOME),
        "PreferredMaintenanceWindow": ("some", SOME),
        "Engine": ("some", SOME),
    },
    "AWS::RDS::DBCluster": {
        "EngineVersion": ("interruption", "upgrades the engine: minutes of downtime"),
        "Engine": ("some", SOME),
        "GlobalClusterIdentifier": ("some", SOME),
        "MasterUsername": ("some", SOME),
        "DBClusterParameterGroupName": ("some", "static parameters apply at the next restart"),
    },
    # Amazon RDS User Guide, "Parameter groups": dynamic ones apply at once, static ones after a reboot
    "AWS::RDS::DBParameterGroup": {"Parameters": ("some", "static parameters apply at the next restart")},
    "AWS::RDS::DBClusterParameterGroup": {
        "Parameters": ("some", "static parameters apply at the next restart")
    },
    "AWS::ElastiCache::ReplicationGroup": {
        # Amazon ElastiCache User Guide, "Scaling", "Version management": connections move to new nodes
        "CacheNodeType": ("some", "connections drop for seconds while nodes change"),
        "EngineVersion": ("some", "connections drop for seconds while nodes change"),
        "AuthToken": ("some", SOME),
        "NodeGroupConfiguration": ("some", SOME),
        "NumNodeGroups": ("some", SOME),
    },
    "AWS::ECS::Service": {
        # Amazon ECS Developer Guide, "Rolling update": old tasks stop once new ones are healthy
        "TaskDefinition": ("rolling", "new tasks roll, no interruption"),
        "NetworkConfiguration": ("rolling", "new tasks roll, no interruption"),
        "LoadBalancers": ("rolling", "new tasks roll, no interruption"),
        "CapacityProviderStrategy": ("rolling", "new tasks roll, no interruption"),
        "ServiceRegistries": ("rolling", "new tasks roll, no interruption"),
        "ForceNewDeployment": ("rolling", "new tasks roll, no interruption"),
    },
    "AWS::EC2::SecurityGroup": {
        "SecurityGroupIngress": ("some", "connections that no rule allows any more end"),
        "SecurityGroupEgress": ("some", "connections that no rule allows any more end"),
    },
    "AWS::EC2::Subnet": {"Ipv6CidrBlock": ("some", SOME)},
    "AWS::EC2::VPC": {"InstanceTenancy": ("some", SOME)},
    "AWS::ElasticLoadBalancingV2::LoadBalancer": {
        "LoadBalancerAttributes": ("none", "load balancer attribute: no interruption"),
    },
    "AWS::ElasticLoadBalancingV2::TargetGroup": {
        "TargetGroupAttributes": ("none", "target group attribute: no interruption"),
    },
}
"""Type -> property -> what its update interrupts. Properties that are not here: see `QUIET`."""

KEPT: Mapping[str, Mapping[str, str]] = {
    # CloudFormation Template Reference, AWS::ECS::Service, DesiredCount: where it is not specified for an
    # existing service, it is omitted from the operation. So it is where scaling owns the count.
    "AWS::ECS::Service": {"DesiredCount": "(not set: ECS keeps the number of tasks)"},
}
"""Type -> property -> what becomes of it in an update that no longer gives it, where that resets nothing."""

QUIET = frozenset(
    {
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::CertificateManager::Certificate",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::EC2::EIP",
        "AWS::EC2::FlowLog",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::NatGateway",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::EC2::VPCEndpoint",
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::ECR::Repository",
        "AWS::ECS::Cluster",
        "AWS::ECS::ClusterCapacityProviderAssociations",
        "AWS::ECS::Service",
        "AWS::ECS::TaskDefinition",
        "AWS::ElastiCache::ParameterGroup",
        "AWS::ElastiCache::ReplicationGroup",
        "AWS::ElastiCache::SubnetGroup",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::ElasticLoadBalancingV2::TrustStore",
        "AWS::Events::Rule",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::KMS::Key",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBClusterParameterGroup",
        "AWS::RDS::DBInstance",
        "AWS::RDS::DBParameterGroup",
        "AWS::RDS::DBSubnetGroup",
        "AWS::Route53::RecordSet",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SSM::Parameter",
        "AWS::SecretsManager::RotationSchedule",
        "AWS::SecretsManager::Secret",
        "AWS::SecretsManager::SecretTargetAttachment",
        "AWS::WAFv2::LoggingConfiguration",
        "AWS::WAFv2::WebACL",
        "AWS::WAFv2::WebACLAssociation",
    }
)
"""Types of which AWS says "No interruption" for all that is updated in place, but for `PROPERTIES`."""

REPLACED: Mapping[str, tuple[Level, str]] = {
    "AWS::RDS::DBInstance": ("interruption", "a new database takes its place: downtime until it is there"),
    "AWS::RDS::DBCluster": ("interruption", "a new database takes its place: downtime until it is there"),
    "AWS::ElastiCache::ReplicationGroup": ("interruption", "a new, empty cache takes its place"),
    "AWS::ECS::Service": ("interruption", "its tasks stop once the new service is there"),
    "AWS::ECS::TaskDefinition": ("none", "a new revision; tasks that run keep theirs"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("interruption", "it gets another name and addresses"),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("some", "targets register again"),
    "AWS::EC2::VPC": ("interruption", "everything in it moves"),
}
"""What the replacement of a type interrupts; the new one is made before the old one is deleted."""
HARMLESS = frozenset(
    {
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::EC2::FlowLog",
        "AWS::Events::Rule",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SSM::Parameter",
        "AWS::SecretsManager::RotationSchedule",
    }
)
"""Types that carry no request: their replacement or removal interrupts none."""
