"""Resource types without cost, each with the reason. Data only."""

from __future__ import annotations

from collections.abc import Mapping

_PART = "part of what it belongs to, and no charge of its own"
_VPC = "Amazon VPC charges for gateways, endpoints and addresses only"

FREE: Mapping[str, str] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": "Application Auto Scaling is free, its alarms are not",
    "AWS::CertificateManager::Certificate": "public certificates are free with a load balancer (ACM pricing)",
    "AWS::EC2::InternetGateway": _VPC,
    "AWS::EC2::Route": _VPC,
    "AWS::EC2::RouteTable": _VPC,
    "AWS::EC2::SecurityGroup": _VPC,
    "AWS::EC2::SecurityGroupEgress": _VPC,
    "AWS::EC2::SecurityGroupIngress": _VPC,
    "AWS::EC2::Subnet": _VPC,
    "AWS::EC2::SubnetRouteTableAssociation": _VPC,
    "AWS::EC2::VPC": _VPC,
    "AWS::EC2::VPCGatewayAttachment": _VPC,
    "AWS::ECS::ClusterCapacityProviderAssociations": _PART,
    "AWS::ElastiCache::ParameterGroup": _PART,
    "AWS::ElastiCache::SubnetGroup": _PART,
    "AWS::ElasticLoadBalancingV2::Listener": _PART,
    "AWS::ElasticLoadBalancingV2::ListenerRule": "their evaluations are in the capacity units (LCU)",
    "AWS::ElasticLoadBalancingV2::TargetGroup": _PART,
    "AWS::Events::Rule": "events of AWS's own services are free (Amazon EventBridge pricing)",
    "AWS::IAM::ManagedPolicy": "IAM is free",
    "AWS::IAM::OIDCProvider": "IAM is free",
    "AWS::IAM::RolePolicy": "IAM is free",
    "AWS::KMS::Alias": "aliases are free (AWS KMS pricing)",
    "AWS::Lambda::Permission": _PART,
    "AWS::Logs::LogStream": _PART,
    "AWS::Logs::SubscriptionFilter": "paid by the stream that it feeds",
    "AWS::RDS::DBClusterParameterGroup": _PART,
    "AWS::RDS::DBParameterGroup": _PART,
    "AWS::RDS::DBSubnetGroup": _PART,
    "AWS::S3::BucketPolicy": _PART,
    "AWS::SNS::Topic": "a topic is free, its deliveries are the subscriptions'",
    "AWS::SNS::TopicPolicy": _PART,
    "AWS::SSM::Parameter": "standard parameters are free (AWS Systems Manager pricing)",
    "AWS::SecretsManager::RotationSchedule": "paid by the function's time",
    "AWS::SecretsManager::SecretTargetAttachment": _PART,
    "AWS::WAFv2::IPSet": _PART,
    "AWS::WAFv2::LoggingConfiguration": "paid by what the log group takes in",
    "AWS::WAFv2::WebACLAssociation": _PART,
}
"""Type -> why it is free."""
