"""What the provisioning tests share: an account, requests, and the things that other things refer to."""

import itertools
import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provisioning import Provisioned, Request
from sandbox.resources.provision import MotoProvisioner
from sandbox.resources.schema import ProviderSchemas
from sandbox.services.services import Services

REGION = "us-east-1"
TAGS = {"ManagedBy": "gatestack", "Stack": "test", "aws:cloudformation:stack-name": "dev-litellm-test"}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
}
KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}],
}


class World:
    """One account, and the resources that tested ones refer to, created on first use."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.services = Services(account)
        self.schemas = ProviderSchemas()
        self.provisioner = MotoProvisioner(self.services, self.schemas, REGION)
        self._numbers = itertools.count(1)

    def api(self, service: str, region: str = REGION) -> Any:
        return self.services.client(service, region)

    def request(
        self, kind: str, properties: Mapping[str, Any], logical_id: str = "Thing", **more: Any
    ) -> Request:
        facts: dict[str, Any] = {
            "tags": TAGS,
            "stack_name": "dev-litellm-test",
            "stack_id": "arn:aws:cloudformation:us-east-1:1:stack/dev-litellm-test/1",
            "account": self.account,
            "region": REGION,
        }
        return Request(f"AWS::{kind}", logical_id, properties, **{**facts, **more})

    def make(self, kind: str, /, **properties: Any) -> Provisioned:
        return self.provisioner.create(self.request(kind, properties, f"Thing{next(self._numbers)}"))

    @cached_property
    def key(self) -> Provisioned:
        return self.make("KMS::Key", KeyPolicy=KEY_POLICY)

    @cached_property
    def key_arn(self) -> str:
        return str(self.key.attributes["Arn"])

    @cached_property
    def role(self) -> Provisioned:
        return self.make("IAM::Role", AssumeRolePolicyDocument=TRUST)

    @cached_property
    def role_arn(self) -> str:
        return str(self.role.attributes["Arn"])

    @cached_property
    def function_role(self) -> str:
        trust = json.loads(json.dumps(TRUST).replace("ecs-tasks", "lambda"))
        return str(self.make("IAM::Role", AssumeRolePolicyDocument=trust).attributes["Arn"])

    def function_properties(self, source: str = "def handler(event, context): pass") -> dict[str, Any]:
        return {
            "Code": {"ZipFile": source},
            "Handler": "index.handler",
            "Role": self.function_role,
            "Runtime": "python3.13",
            "Timeout": 30,
        }

    @cached_property
    def rotating(self) -> str:
        """ARN of a function that Secrets Manager may invoke."""
        made = self.make("Lambda::Function", FunctionName="world", **self.function_properties())
        principal = {"Action": "lambda:InvokeFunction", "Principal": "secretsmanager.amazonaws.com"}
        self.make("Lambda::Permission", FunctionName="world", **principal)
        return str(made.attributes["Arn"])

    @cached_property
    def topic(self) -> str:
        return self.make("SNS::Topic").physical_id

    @cached_property
    def bucket(self) -> str:
        return self.make("S3::Bucket").physical_id

    @cached_property
    def vpc(self) -> str:
        return self.make("EC2::VPC", CidrBlock="10.0.0.0/16").physical_id

    @cached_property
    def subnets(self) -> list[str]:
        places = (("10.0.1.0/24", "us-east-1a"), ("10.0.2.0/24", "us-east-1b"))
        return [
            self.make("EC2::Subnet", VpcId=self.vpc, CidrBlock=block, AvailabilityZone=zone).physical_id
            for block, zone in places
        ]

    @cached_property
    def gateway(self) -> str:
        gateway = self.make("EC2::InternetGateway").physical_id
        self.make("EC2::VPCGatewayAttachment", VpcId=self.vpc, InternetGatewayId=gateway)
        return gateway

    @cached_property
    def table(self) -> str:
        return self.make("EC2::RouteTable", VpcId=self.vpc).physical_id

    @cached_property
    def group(self) -> str:
        return self.make("EC2::SecurityGroup", GroupDescription="one", VpcId=self.vpc).physical_id

    @cached_property
    def other_group(self) -> str:
        return self.make("EC2::SecurityGroup", GroupDescription="other", VpcId=self.vpc).physical_id

    @cached_property
    def log_group(self) -> str:
        return self.make("Logs::LogGroup").physical_id

    @cached_property
    def balancer(self) -> Provisioned:
        return self.make("ElasticLoadBalancingV2::LoadBalancer", Name="world", Subnets=self.subnets)

    @cached_property
    def targets(self) -> str:
        made = self.make(
            "ElasticLoadBalancingV2::TargetGroup",
            Name="world",
            VpcId=self.vpc,
            Port=4000,
            Protocol="HTTP",
            TargetType="ip",
        )
        return made.physical_id

    @cached_property
    def served(self) -> str:
        """A target group with a listener."""
        self.make(
            "ElasticLoadBalancingV2::Listener",
            LoadBalancerArn=self.balancer.physical_id,
            Port=4000,
            Protocol="HTTP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.targets}],
        )
        return self.targets

    @cached_property
    def listener(self) -> str:
        return self.make(
            "ElasticLoadBalancingV2::Listener",
            LoadBalancerArn=self.balancer.physical_id,
            Port=8080,
            Protocol="HTTP",
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
        ).physical_id

    @cached_property
    def web_acl(self) -> Provisioned:
        seen = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}
        return self.make(
            "WAFv2::WebACL", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=seen
        )

    @cached_property
    def subnet_group(self) -> str:
        return self.make(
            "RDS::DBSubnetGroup", DBSubnetGroupDescription="d", SubnetIds=self.subnets
        ).physical_id

    @cached_property
    def database(self) -> Provisioned:
        return self.make("RDS::DBInstance", **self.database_properties("world-db"))

    def database_properties(self, identifier: str) -> dict[str, Any]:
        return {
            "DBInstanceIdentifier": identifier,
            "Engine": "postgres",
            "EngineVersion": "15.13",
            "DBInstanceClass": "db.t3.micro",
            "AllocatedStorage": "20",
            "StorageType": "gp3",
            "DBName": "litellm",
            "MasterUsername": "litellm",
            "MasterUserPassword": "not-a-secret-1",
            "DBSubnetGroupName": self.subnet_group,
            "VPCSecurityGroups": [self.group],
            "KmsKeyId": self.key_arn,
            "StorageEncrypted": True,
            "PreferredBackupWindow": "03:00-04:00",
            "PreferredMaintenanceWindow": "Sun:04:00-Sun:05:00",
            "BackupRetentionPeriod": 7,
        }

    @cached_property
    def cluster(self) -> str:
        return self.make("ECS::Cluster", ClusterName="world").physical_id

    def definition_properties(self, image: str, family: str = "proxy") -> dict[str, Any]:
        container = {
            "Name": "proxy",
            "Image": image,
            "Essential": True,
            "PortMappings": [{"ContainerPort": "4000"}],
            "Environment": [{"Name": "A", "Value": "b"}],
            "HealthCheck": {"Command": ["CMD", "x"], "Interval": 30, "Retries": 5, "StartPeriod": 180},
            "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-group": self.log_group}},
        }
        return {
            "Family": family,
            "Cpu": "512",
            "Memory": "2048",
            "NetworkMode": "awsvpc",
            "RequiresCompatibilities": ["FARGATE"],
            "ExecutionRoleArn": self.role_arn,
            "TaskRoleArn": self.role_arn,
            "ContainerDefinitions": [container],
        }

    @cached_property
    def definition(self) -> str:
        return self.make("ECS::TaskDefinition", **self.definition_properties("ghcr.io/x/y:1")).physical_id

    def service_properties(self, name: str, definition: str) -> dict[str, Any]:
        network = {"Subnets": self.subnets, "SecurityGroups": [self.group], "AssignPublicIp": "DISABLED"}
        return {
            "ServiceName": name,
            "Cluster": self.cluster,
            "TaskDefinition": definition,
            "DesiredCount": "1",
            "CapacityProviderStrategy": [{"CapacityProvider": "FARGATE_SPOT", "Weight": 1}],
            "DeploymentConfiguration": {
                "MinimumHealthyPercent": 100,
                "MaximumPercent": 200,
                "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
            },
            "NetworkConfiguration": {"AwsvpcConfiguration": network},
            "LoadBalancers": [
                {"ContainerName": "proxy", "ContainerPort": 4000, "TargetGroupArn": self.served}
            ],
        }

    @cached_property
    def service(self) -> Provisioned:
        return self.make("ECS::Service", **self.service_properties("world", self.definition))

    @cached_property
    def scaled(self) -> dict[str, str]:
        assert self.service
        return {
            "ResourceId": f"service/{self.cluster}/world",
            "ScalableDimension": "ecs:service:DesiredCount",
            "ServiceNamespace": "ecs",
        }

    def secret(self, arn: str) -> Any:
        text = self.api("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        with suppress(json.JSONDecodeError):
            return json.loads(text) if text.startswith("{") else text
        return text  # a generated password may begin so too

    def leaves(self, kind: str) -> set[str]:
        """Everything that `Fn::GetAtt` accepts of the type, without objects that hold others."""
        names = self.schemas.attributes(f"AWS::{kind}")
        return {name for name in names if not any(other.startswith(f"{name}.") for other in names)}

    def gone(self, read: Any, made: Provisioned) -> bool:
        """Whether *read* finds nothing any more."""
        try:
            return not read(self, made)
        except (ClientError, LookupError, StopIteration):
            return True
