"""
IAM permissions to create each resource type: the actions, and the ARN that each applies to.

Actions: the ``create`` handlers of the provider schemas, for the properties in our templates, without
read-only ones. Resources: Service Authorization Reference, "Resource types". Both as of 2026-11-28; the tests
compare them with the schemas that cfn-lint ships.

``{name}`` is the resource's name: the template's, else one that CloudFormation generates; ``{prefix}`` that
of the environment; ``{id}`` an id that AWS assigns.
"""

from __future__ import annotations

from collections.abc import Mapping

ZONE = "route53:hostedzone/{zone}"
_ROLE = "iam:role/{name}"
_GROUP = "ec2:security-group/sg-{id}"
_TABLE = "ec2:route-table/rtb-{id}"
_BUCKET = "s3:{name}"
_BALANCER = "elasticloadbalancing:loadbalancer/app/{prefix}/{id}"
_LISTENER = "elasticloadbalancing:listener/app/{prefix}/{id}/{id}"

CREATES: Mapping[str, Mapping[str, str]] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": {
        "application-autoscaling:scalable-target/{id}": "RegisterScalableTarget TagResource"
    },
    "AWS::ApplicationAutoScaling::ScalingPolicy": {
        "application-autoscaling:scalable-target/{id}": "PutScalingPolicy"
    },
    "AWS::CertificateManager::Certificate": {
        "*": "acm:RequestCertificate",
        "acm:certificate/{id}": "AddTagsToCertificate",
        ZONE: "ChangeResourceRecordSets",
    },
    "AWS::CloudTrail::Trail": {
        "cloudtrail:trail/{name}": "CreateTrail StartLogging AddTags PutEventSelectors"
    },
    "AWS::CloudWatch::Alarm": {"cloudwatch:alarm:{name}": "PutMetricAlarm TagResource"},
    "AWS::CloudWatch::Dashboard": {"cloudwatch:dashboard/{name}": "PutDashboard"},
    "AWS::EC2::EIP": {"ec2:elastic-ip/eipalloc-{id}": "AllocateAddress"},
    "AWS::EC2::FlowLog": {"ec2:vpc-flow-log/fl-{id}": "CreateFlowLogs"},
    "AWS::EC2::InternetGateway": {"ec2:internet-gateway/igw-{id}": "CreateInternetGateway"},
    "AWS::EC2::NatGateway": {"ec2:natgateway/nat-{id}": "CreateNatGateway"},
    "AWS::EC2::Route": {_TABLE: "CreateRoute"},
    "AWS::EC2::RouteTable": {_TABLE: "CreateRouteTable"},
    "AWS::EC2::SecurityGroup": {
        _GROUP: (
            "CreateSecurityGroup AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress "
            "RevokeSecurityGroupEgress"
        )
    },
    "AWS::EC2::SecurityGroupEgress": {_GROUP: "AuthorizeSecurityGroupEgress"},
    "AWS::EC2::SecurityGroupIngress": {_GROUP: "AuthorizeSecurityGroupIngress"},
    "AWS::EC2::Subnet": {"ec2:subnet/subnet-{id}": "CreateSubnet ModifySubnetAttribute"},
    "AWS::EC2::SubnetRouteTableAssociation": {_TABLE: "AssociateRouteTable"},
    "AWS::EC2::VPC": {"ec2:vpc/vpc-{id}": "CreateVpc CreateTags ModifyVpcAttribute"},
    "AWS::EC2::VPCEndpoint": {"ec2:vpc-endpoint/vpce-{id}": "CreateVpcEndpoint"},
    "AWS::EC2::VPCGatewayAttachment": {"ec2:internet-gateway/igw-{id}": "AttachInternetGateway"},
    "AWS::ECR::Repository": {
        "ecr:repository/{name}": "CreateRepository PutLifecyclePolicy SetRepositoryPolicy TagResource"
    },
    "AWS::ECS::Cluster": {"ecs:cluster/{name}": "CreateCluster TagResource"},
    "AWS::ECS::ClusterCapacityProviderAssociations": {"ecs:cluster/{prefix}": "PutClusterCapacityProviders"},
    "AWS::ECS::Service": {"ecs:service/{prefix}/{name}": "CreateService TagResource"},
    "AWS::ECS::TaskDefinition": {"ecs:task-definition/{name}:1": "RegisterTaskDefinition TagResource"},
    "AWS::ElastiCache::ParameterGroup": {
        "elasticache:parametergroup:{name}": (
            "CreateCacheParameterGroup ModifyCacheParameterGroup AddTagsToResource"
        )
    },
    "AWS::ElastiCache::ReplicationGroup": {
        "elasticache:replicationgroup:{name}": "CreateReplicationGroup AddTagsToResource"
    },
    "AWS::ElastiCache::SubnetGroup": {
        "elasticache:subnetgroup:{name}": "CreateCacheSubnetGroup AddTagsToResource"
    },
    "AWS::ElasticLoadBalancingV2::Listener": {_BALANCER: "CreateListener", _LISTENER: "AddTags"},
    "AWS::ElasticLoadBalancingV2::ListenerRule": {_LISTENER: "CreateRule"},
    "AWS::ElasticLoadBalancingV2::LoadBalancer": {
        _BALANCER: "CreateLoadBalancer ModifyLoadBalancerAttributes AddTags"
    },
    "AWS::ElasticLoadBalancingV2::TargetGroup": {
        "elasticloadbalancing:targetgroup/targets/{id}": (
            "CreateTargetGroup ModifyTargetGroupAttributes AddTags"
        )
    },
    "AWS::ElasticLoadBalancingV2::TrustStore": {
        "elasticloadbalancing:truststore/{name}/{id}": "CreateTrustStore AddTags"
    },
    "AWS::Events::Rule": {"events:rule/{name}": "PutRule PutTargets TagResource"},
    "AWS::IAM::Policy": {_ROLE: "PutRolePolicy"},
    "AWS::IAM::Role": {_ROLE: "CreateRole PutRolePolicy TagRole"},
    "AWS::KMS::Alias": {"kms:{name}": "CreateAlias", "kms:key/{id}": "CreateAlias"},
    "AWS::KMS::Key": {
        "*": "kms:CreateKey",
        "kms:key/{id}": "EnableKeyRotation PutKeyPolicy TagResource",
    },
    "AWS::KinesisFirehose::DeliveryStream": {
        "firehose:deliverystream/{name}": "CreateDeliveryStream TagDeliveryStream"
    },
    "AWS::Lambda::Function": {"lambda:function:{name}": "CreateFunction TagResource"},
    "AWS::Lambda::Permission": {"lambda:function:{prefix}-rotation": "AddPermission"},
    "AWS::Logs::LogGroup": {"logs:log-group:{name}": "CreateLogGroup PutRetentionPolicy TagResource"},
    "AWS::Logs::LogStream": {"logs:log-group:{prefix}-archive": "CreateLogStream"},
    "AWS::Logs::SubscriptionFilter": {"logs:log-group:/ecs/{prefix}-proxy": "PutSubscriptionFilter"},
    "AWS::RDS::DBCluster": {"rds:cluster:{name}": "CreateDBCluster AddTagsToResource"},
    "AWS::RDS::DBClusterParameterGroup": {
        "rds:cluster-pg:{name}": (
            "CreateDBClusterParameterGroup ModifyDBClusterParameterGroup AddTagsToResource"
        )
    },
    "AWS::RDS::DBInstance": {"rds:db:{name}": "CreateDBInstance AddTagsToResource"},
    "AWS::RDS::DBParameterGroup": {
        "rds:pg:{name}": "CreateDBParameterGroup ModifyDBParameterGroup AddTagsToResource"
    },
    "AWS::RDS::DBSubnetGroup": {"rds:subgrp:{name}": "CreateDBSubnetGroup AddTagsToResource"},
    "AWS::Route53::RecordSet": {ZONE: "ChangeResourceRecordSets"},
    "AWS::S3::Bucket": {
        _BUCKET: (
            "CreateBucket PutBucketTagging PutEncryptionConfiguration PutLifecycleConfiguration "
            "PutBucketPublicAccessBlock PutBucketVersioning"
        )
    },
    "AWS::S3::BucketPolicy": {"s3:{prefix}-bucket": "PutBucketPolicy"},
    "AWS::SNS::Subscription": {"sns:{prefix}-alarms": "Subscribe"},
    "AWS::SNS::Topic": {"sns:{name}": "CreateTopic TagResource"},
    "AWS::SNS::TopicPolicy": {"sns:{prefix}-alarms": "SetTopicAttributes"},
    "AWS::SSM::Parameter": {"ssm:parameter/{name}": "PutParameter AddTagsToResource"},
    "AWS::SecretsManager::RotationSchedule": {
        "secretsmanager:secret:{prefix}/database-abcdef": "RotateSecret",
        "lambda:function:{prefix}-rotation": "InvokeFunction",
    },
    "AWS::SecretsManager::Secret": {
        "*": "secretsmanager:GetRandomPassword",
        "secretsmanager:secret:{name}-abcdef": "CreateSecret TagResource",
    },
    "AWS::SecretsManager::SecretTargetAttachment": {
        "secretsmanager:secret:{prefix}/database-abcdef": "GetSecretValue PutSecretValue"
    },
    "AWS::WAFv2::IPSet": {"wafv2:regional/ipset/{name}/{id}": "CreateIPSet TagResource"},
    "AWS::WAFv2::LoggingConfiguration": {
        "*": "logs:CreateLogDelivery logs:PutResourcePolicy",
        "wafv2:regional/webacl/{prefix}/{id}": "PutLoggingConfiguration",
    },
    "AWS::WAFv2::WebACL": {"wafv2:regional/webacl/{name}/{id}": "CreateWebACL TagResource"},
    "AWS::WAFv2::WebACLAssociation": {"wafv2:regional/webacl/{prefix}/{id}": "AssociateWebACL"},
}
"""Resource type -> resource -> actions; those of a resource have its service, unless they say another."""

LOWER = ("rds:", "elasticache:", "s3:")
"""Services whose names CloudFormation makes of small letters."""

PASSED: Mapping[str, str] = {
    "AWS::EC2::FlowLog": "vpc-flow-logs",
    "AWS::ECS::TaskDefinition": "ecs-tasks",
    "AWS::KinesisFirehose::DeliveryStream": "firehose",
    "AWS::Lambda::Function": "lambda",
    "AWS::Logs::SubscriptionFilter": "logs",
}
"""Types that hand a role to a service -> which (iam:PassedToService, without its domain)."""

SERVICE_ROLES: Mapping[str, tuple[str, str]] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": (
        "ecs.application-autoscaling",
        "AWSServiceRoleForApplicationAutoScaling_ECSService",
    ),
    "AWS::ECS::Cluster": ("ecs", "AWSServiceRoleForECS"),
    "AWS::ElastiCache::ReplicationGroup": ("elasticache", "AWSServiceRoleForElastiCache"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (
        "elasticloadbalancing",
        "AWSServiceRoleForElasticLoadBalancing",
    ),
    "AWS::RDS::DBCluster": ("rds", "AWSServiceRoleForRDS"),
    "AWS::RDS::DBInstance": ("rds", "AWSServiceRoleForRDS"),
}
"""Types -> the service whose own role their first one makes, and that role (each service's user guide)."""

OWN: Mapping[str, str] = {
    "cloudformation:stack/{prefix}-network/*": (
        "CreateChangeSet DescribeChangeSet ExecuteChangeSet DeleteChangeSet DescribeStacks "
        "DescribeStackEvents ListStackResources GetTemplate"
    ),
    "*": "cloudformation:ListExports",
}
"""What `gatestack deploy` asks for itself, whatever is in the stacks."""
