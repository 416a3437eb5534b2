"""
How long resources take to be created or deleted, in virtual seconds. Data only.

Figures are those of usual deployments to us-east-1, rounded; they order waits as AWS does, no more.
"""

from __future__ import annotations

from collections.abc import Mapping

ORDINARY = 5.0
"""Seconds for every type that is not listed."""

_SECONDS: Mapping[str, float] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": 3,
    "AWS::ApplicationAutoScaling::ScalingPolicy": 3,
    "AWS::CertificateManager::Certificate": 240,
    "AWS::CloudFront::Distribution": 240,
    "AWS::CloudWatch::Alarm": 3,
    "AWS::CloudWatch::Dashboard": 2,
    "AWS::EC2::EIP": 15,
    "AWS::EC2::FlowLog": 5,
    "AWS::EC2::InternetGateway": 15,
    "AWS::EC2::NatGateway": 100,
    "AWS::EC2::RouteTable": 10,
    "AWS::EC2::SecurityGroup": 8,
    "AWS::EC2::SecurityGroupEgress": 3,
    "AWS::EC2::SecurityGroupIngress": 3,
    "AWS::EC2::Subnet": 5,
    "AWS::EC2::VPC": 12,
    "AWS::EC2::VPCEndpoint": 60,
    "AWS::ECR::Repository": 3,
    "AWS::ECS::Cluster": 10,
    "AWS::ECS::ClusterCapacityProviderAssociations": 10,
    "AWS::ECS::Service": 150,
    "AWS::ECS::TaskDefinition": 3,
    "AWS::ElastiCache::ReplicationGroup": 480,
    "AWS::ElastiCache::ServerlessCache": 180,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": 150,
    "AWS::ElasticLoadBalancingV2::TargetGroup": 15,
    "AWS::IAM::InstanceProfile": 120,
    "AWS::IAM::ManagedPolicy": 15,
    "AWS::IAM::Policy": 15,
    "AWS::IAM::Role": 15,
    "AWS::KMS::Alias": 5,
    "AWS::KMS::Key": 10,
    "AWS::Lambda::Function": 10,
    "AWS::Lambda::Permission": 5,
    "AWS::Logs::LogGroup": 3,
    "AWS::RDS::DBCluster": 240,
    "AWS::RDS::DBClusterParameterGroup": 10,
    "AWS::RDS::DBInstance": 600,
    "AWS::RDS::DBParameterGroup": 10,
    "AWS::Route53::RecordSet": 35,
    "AWS::S3::Bucket": 20,
    "AWS::SNS::Topic": 10,
    "AWS::SecretsManager::RotationSchedule": 5,
    "AWS::SecretsManager::Secret": 5,
    "AWS::SecretsManager::SecretTargetAttachment": 5,
    "AWS::WAFv2::IPSet": 5,
    "AWS::WAFv2::LoggingConfiguration": 5,
    "AWS::WAFv2::WebACL": 10,
    "AWS::WAFv2::WebACLAssociation": 10,
}


def seconds(type_name: str) -> float:
    """Return the virtual seconds that making or removing a resource of *type_name* takes."""
    return float(_SECONDS.get(type_name, ORDINARY))
