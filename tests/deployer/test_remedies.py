"""Reasons as AWS words them, by the type that gives them: the right remedy, or none."""

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session

from deployer.aws.errors import call
from deployer.denials import DENIALS, IDENTITY, UNNAMED, Denial, limits
from deployer.errors import NotAllowed
from deployer.remedies import remedy

SERVICE = "AWS::ECS::Service"
INSTANCE = "AWS::RDS::DBInstance"
CLUSTER = "AWS::RDS::DBCluster"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
FUNCTION = "AWS::Lambda::Function"
ROLE = "AWS::IAM::Role"
SECRET = "AWS::SecretsManager::Secret"
LOG = "AWS::Logs::LogGroup"
CACHE = "AWS::ElastiCache::ReplicationGroup"
DENIED = "User: arn:aws:sts::111122223333:assumed-role/ci/x is not authorized to perform: ecs:CreateCluster"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

CASES = (
    # what did not become steady is known for ECS alone
    (
        SERVICE,
        'Resource handler returned message: "did not stabilize." (HandlerErrorCode: NotStabilized)',
        "task logs",
    ),
    (SERVICE, "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.", "task logs"),
    (INSTANCE, "DBInstance did not stabilize", ""),
    (INSTANCE, "DB Instance is in state: incompatible-parameters (HandlerErrorCode: NotStabilized)", ""),
    (
        CLUSTER,
        "Exceeded attempts to wait: resource failed to stabilize (HandlerErrorCode: NotStabilized)",
        "",
    ),
    (CACHE, "Replication group did not stabilize", ""),
    ("AWS::EC2::NatGateway", "Exceeded attempts to wait (HandlerErrorCode: NotStabilized)", ""),
    ("AWS::CloudFormation::CustomResource", "Custom Resource failed to stabilize in expected time.", ""),
    # health checks are ECS's, too
    (SERVICE, "(service web) (task 1) failed container health checks.", "grace period"),
    (SERVICE, "(service web) Task failed ELB health checks in (target-group arn:x)", "grace period"),
    ("AWS::AutoScaling::AutoScalingGroup", "Group did not stabilize: instances failed ELB health checks", ""),
    ("AWS::Route53::HealthCheck", "the endpoint failed its health checks", ""),
    # certificates: the listener's is one thing, a database's or a domain's another
    (LISTENER, "Certificate ARN 'arn:aws:acm:eu-west-1:1:certificate/x' is not valid", "must be ISSUED"),
    (LISTENER, "Certificate 'arn:x' not found (HandlerErrorCode: NotFound)", "must be ISSUED"),
    (INSTANCE, "CA certificate rds-ca-2015 is not supported in this region: certificate not found", ""),
    (INSTANCE, "CertificateNotFound: rds-ca-rsa4096-g9 is not a valid CA certificate identifier", ""),
    ("AWS::CertificateManager::Certificate", "The certificate request failed: CAA_ERROR", ""),
    ("AWS::ApiGateway::DomainName", "The certificate provided must be owned by the account", ""),
    # versions
    (INSTANCE, "Cannot find version 15.99 for postgres", "describe-db-engine-versions"),
    (CLUSTER, "The engine version 15.3 is not available in this region", "describe-db-engine-versions"),
    (FUNCTION, "The runtime version python3.7 is not supported", ""),
    (CACHE, "Version 9.9 of redis is not supported", ""),
    # names that are taken
    (LOG, "Resource of type 'AWS::Logs::LogGroup' with identifier '/ecs/x' already exists.", "has that name"),
    (LOG, "The specified log group already exists", "has that name"),
    (ROLE, "EntityAlreadyExists: Role with name dev-litellm-task already exists.", "has that name"),
    (BALANCER, "A load balancer with the same name 'dev' exists, but with different settings", ""),
    (
        "AWS::S3::Bucket",
        "dev-config already exists in stack arn:aws:cloudformation:x:1:stack/a/b",
        "has that name",
    ),
    (LISTENER, "A listener already exists on this port for this load balancer 'arn:x'", ""),
    ("AWS::EC2::SecurityGroupIngress", 'the specified rule "peer: sg-1" already exists', ""),
    ("AWS::EC2::Route", "The route identified by 0.0.0.0/0 already exists.", ""),
    (
        SECRET,
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
        "--force-delete-without-recovery",
    ),
    # quotas, and what only sounds like one
    ("AWS::EC2::VPC", "The maximum number of VPCs has been reached.", "higher quota"),
    (
        "AWS::EC2::EIP",
        "The maximum number of addresses has been reached. (AddressLimitExceeded)",
        "higher quota",
    ),
    (ROLE, "LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10", "higher quota"),
    (ROLE, "Cannot exceed quota for PolicySize: 2048", ""),
    ("AWS::EC2::Subnet", "Request limit exceeded. (RequestLimitExceeded)", "throttled"),
    (FUNCTION, "Rate exceeded (Service: Lambda, Status Code: 429)", "throttled"),
    ("AWS::ApiGateway::Stage", "Invalid throttling settings: burst below rate", ""),
    ("AWS::SSM::Parameter", "value exceeds the maximum number of characters", ""),
    # zones
    ("AWS::EC2::NatGateway", "Nat Gateway is not available in this availability zone", "availability_zones"),
    (
        "AWS::EC2::Subnet",
        "Subnets can currently only be created in the following availability zones: us-east-1a.",
        "availability_zones",
    ),
    (
        "AWS::EC2::VPCEndpoint",
        "The VPC endpoint service x does not support the availability zone of the subnet: subnet-1.",
        "availability_zones",
    ),
    (INSTANCE, "db.x1.large is not available in this availability zone", ""),
    # dependencies
    (
        "AWS::EC2::SecurityGroup",
        "resource sg-1 has a dependent object (DependencyViolation)",
        "still uses it",
    ),
    ("AWS::EC2::VPC", "The vpc 'vpc-1' has dependencies and cannot be deleted.", "still uses it"),
    ("AWS::RDS::DBSubnetGroup", "the subnet group is in use by dev-db", ""),
    ("", "Export dev-a-Id cannot be deleted as it is in use by dev-b", "imports it first"),
    ("AWS::EC2::SecurityGroup", "sg-1 is in use by eni-2", ""),
    (
        "AWS::EC2::VPCGatewayAttachment",
        "Network vpc-1 has some mapped public address(es). (DependencyViolation)",
        "minutes after it",
    ),
    (
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "Target group 'arn:aws:x:targetgroup/name/1' is currently in use by a listener or a rule",
        "still being deleted",
    ),
    (
        "AWS::ECS::ClusterCapacityProviderAssociations",
        "The specified capacity provider is in use and cannot be removed.",
        "still being deleted",
    ),
    # what is known a little later
    ("AWS::WAFv2::WebACLAssociation", "AWS WAF couldn't retrieve the resource that you requested.", "yet"),
    ("AWS::KinesisFirehose::DeliveryStream", "Firehose is unable to assume role arn:x.", "everywhere yet"),
    (FUNCTION, "The role defined for the function cannot be assumed by Lambda.", "everywhere yet"),
    (SERVICE, "ECS was unable to assume role 'arn:x' that was provided for this task", ""),
    # what AWS never does
    (
        BALANCER,
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename dev-x.",
        "which property causes the replacement",
    ),
    (
        "AWS::EC2::VPCEndpoint",
        "private-dns-enabled cannot be set because there is already a conflicting DNS domain for x",
        "network.vpc_endpoints: false",
    ),
    # tasks' own troubles
    (SERVICE, "a task stopped: OutOfMemoryError: Container killed due to memory usage", "more memory"),
    (FUNCTION, "java.lang.OutOfMemoryError: Java heap space", ""),
    (
        "",
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found",
        "push the image",
    ),
    (FUNCTION, "Source image 1.dkr.ecr.x.amazonaws.com/a:b does not exist", ""),
    # keys
    (SECRET, f"{KEY} is pending deletion.", "cancel-key-deletion"),
    (
        INSTANCE,
        f"The specified KMS key [{KEY}] is pending deletion (KMSInvalidStateException)",
        "cancel-key-deletion",
    ),
    (SECRET, f"{KEY} is disabled.", "enable-key"),
    ("AWS::Events::Rule", "the rule is disabled", ""),
    # denials
    (
        ROLE,
        f"{DENIED} because no identity-based policy allows the ecs:CreateCluster action",
        "grant the deploy",
    ),
    (ROLE, f"{DENIED} with an explicit deny in a service control policy", "AWS Organizations"),
    (ROLE, f"{DENIED} because no service control policy allows the x action", "AWS Organizations"),
    (
        ROLE,
        f"{DENIED} with an explicit deny in a service control policy: arn:aws:organizations::1:policy/x",
        "no grant",
    ),
    (ROLE, f"{DENIED} with an explicit deny in a resource control policy", "resource control policy"),
    (ROLE, f"{DENIED} with an explicit deny in a permissions boundary", "permissions boundary"),
    (ROLE, f"{DENIED} because no permissions boundary allows the x action", "permissions boundary"),
    (ROLE, f"{DENIED} with an explicit deny in a session policy", "session"),
    (ROLE, f"{DENIED} with an explicit deny in a VPC endpoint policy", "VPC endpoint"),
    (ROLE, f"{DENIED} because no VPC endpoint policy allows the x action", "VPC endpoint"),
    (ROLE, f"{DENIED} with an explicit deny in a resource-based policy", "policy of the resource"),
    (
        ROLE,
        f"{DENIED} with an explicit deny in an identity-based policy",
        "Deny statement in one of the role's own",
    ),
    (ROLE, f"{DENIED} with an explicit deny", "AWS does not say in which policy"),
    # service-linked roles
    (
        SERVICE,
        "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
        "create-service-linked-role",
    ),
    ("AWS::IAM::ServiceLinkedRole", "Cannot delete the service linked role: it is in use", ""),
)


@pytest.mark.parametrize(("type_", "reason", "words"), CASES)
def test_a_reason_has_the_remedy_of_its_own_type_or_none(type_: str, reason: str, words: str) -> None:
    found = remedy(reason, type_)

    assert words in found
    assert bool(found) == bool(words), found


@pytest.mark.parametrize("one", [*DENIALS, IDENTITY, UNNAMED], ids=lambda one: one.example)
def test_a_refused_request_says_that_no_grant_helps_and_which_policy_denies(one: Denial) -> None:
    refused = _refused(f"{DENIED} on resource: * {one.example}")

    assert one.remedy in refused
    assert "grant the permission" not in refused


@pytest.mark.parametrize(
    "end", ["", " because no identity-based policy allows the ecs:CreateCluster action", " on resource: *"]
)
def test_a_missing_permission_is_to_be_granted(end: str) -> None:
    assert limits(DENIED + end) == ""
    assert _refused(DENIED + end).endswith("grant the permission ecs:CreateCluster")


def _refused(message: str) -> str:
    """Return what a request says that AWS denies with *message*."""
    session = Session()
    session.set_credentials("AKIAEXAMPLE", "example")
    client = session.create_client("ecs", region_name="us-east-1")

    def deny(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, "CreateCluster")

    client.meta.events.register("before-call.ecs.CreateCluster", deny)
    with pytest.raises(NotAllowed) as caught:
        call(client, "create_cluster", clusterName="a")
    return str(caught.value)
