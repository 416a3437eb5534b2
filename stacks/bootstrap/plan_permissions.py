"""
Permissions to plan: to read, and to create and delete change sets, but not to execute them or read
secrets.

Resource ``*`` is used where AWS supports no resource for an action, and for lists that can only be read as a
whole (Service Authorization Reference, column "Resource types", November 2026). None of those changes
anything. What they show of others in the account is in docs/bootstrap.md.
"""

from __future__ import annotations

from awacs.aws import ArnEquals, Deny, Null, Statement
from troposphere import Sub

from stacks.bootstrap.reach import HERE, Reach, actions, arn_of, when
from stacks.parts.foreign_secrets import logins
from stacks.parts.policies import allow
from stacks.settings import Settings


def planning(reach: Reach) -> list[Statement]:
    """
    Return what change sets take.

    They have names that a deployment gives none of its own (`deployer.changes.preview`), so that the plan
    role can neither create a change set that a deployment uses, nor delete one of its. No role is passed to
    CloudFormation, which would keep it for the next caller; no existing resource is imported, so that no
    stack takes over what belongs to others; the template is in the request, since a bucket's could be
    anybody's.
    """
    nothing_else = Null(
        {
            "cloudformation:RoleArn": "true",
            "cloudformation:ImportResourceTypes": "true",
            "cloudformation:TemplateUrl": "true",
        }
    )
    stacks = reach.arns("cloudformation", "stack/{p}-*/*")
    plans = reach.change_sets(PLANS)
    return [
        allow("MakePlans", actions("cloudformation", "CreateChangeSet"), stacks, when(plans, nothing_else)),
        allow("ForgetPlans", actions("cloudformation", "DeleteChangeSet"), stacks, when(plans)),
        allow("TendChangeSets", actions("cloudformation", _CHANGE_SETS), stacks),
        allow("ReadStacks", actions("cloudformation", _STACKS), stacks),
        allow("FindStacks", actions("cloudformation", _ALL_STACKS), ["*"]),
        allow("WhoAmI", actions("sts", "GetCallerIdentity"), ["*"]),
    ]


def never() -> list[Statement]:
    """Return what the plan role is denied, even if another policy of the account allows it."""
    refused = [one for service, names in _NEVER for one in actions(service, names)]
    return [Statement(Sid="OnlyPlans", Effect=Deny, Action=refused, Resource=["*"])]


def looking(zones: list[object]) -> list[Statement]:
    """
    Return the reads of the whole account: by CloudFormation for drift, by gatestack for plans.

    DescribeTaskDefinition knows neither resource nor condition.
    """
    return [
        allow("LookAtNetwork", actions("ec2", _NETWORK), ["*"]),
        allow("LookAtBalancers", actions("elasticloadbalancing", _BALANCERS), ["*"]),
        allow("LookAtDatabases", actions("rds", _DATABASES), ["*"]),
        allow("LookAtCaches", actions("elasticache", _CACHES), ["*"]),
        allow("LookAtScaling", actions("application-autoscaling", _SCALING), ["*"]),
        allow("LookAtLogGroups", actions("logs", _LOG_GROUPS), ["*"]),
        allow("LookAtMetrics", actions("cloudwatch", "DescribeAlarms GetMetricData"), ["*"]),
        allow("LookAtTaskDefinitions", actions("ecs", "DescribeTaskDefinition"), ["*"]),
        allow("LookAtKeys", actions("kms", "ListAliases"), ["*"]),
        allow("LookAtZones", actions("route53", "ListHostedZones ListHostedZonesByVPC"), ["*"]),
        allow("LookAtTrails", actions("cloudtrail", "DescribeTrails"), ["*"]),
        allow("LookAtSubscriptions", actions("sns", "GetSubscriptionAttributes"), ["*"]),
        allow("LookAtCertificates", actions("acm", _CERTIFICATES), [*_certificates()]),
        allow("LookAtRecords", actions("route53", _RECORDS), [*zones, *_changes()]),
    ]


def looking_at_own(reach: Reach) -> list[Statement]:
    """Return the reads of what runs, and of its monitoring."""
    service = reach.arns
    tasks = service("ecs", "cluster/{p}", "cluster/{p}-*", "*/{p}/*", "*/{p}-*/*", "task-definition/{p}-*")
    return [
        allow("ReadTasks", actions("ecs", _TASKS), [*tasks, *_capacity()]),
        allow("ReadImages", actions("ecr", _IMAGES), service("ecr", "repository/{p}", "repository/{p}-*")),
        allow("ReadFunctions", actions("lambda", _FUNCTIONS), service("lambda", "function:{p}-*")),
        allow("ReadLogs", actions("logs", _LOGS), log_groups(reach)),
        allow("ReadAlarms", actions("cloudwatch", "ListTagsForResource"), alarms(reach)),
        allow("ReadDashboards", actions("cloudwatch", _DASHBOARDS), dashboards(reach)),
        allow("ReadRules", actions("events", _RULES), service("events", "rule/{p}-*")),
        allow("ReadTrails", actions("cloudtrail", _TRAILS), service("cloudtrail", "trail/{p}-*")),
        allow("ReadArchives", actions("firehose", _ARCHIVES), service("firehose", "deliverystream/{p}-*")),
        allow("ReadFirewalls", actions("wafv2", _FIREWALLS), firewalls(reach)),
    ]


def looking_at_contents(reach: Reach, settings: Settings) -> list[Statement]:
    """
    Return the reads of resources with contents; of secrets all but their values.

    Tasks are listed here for want of room elsewhere; ListTasks is kept to clusters by a condition.
    """
    service = reach.arns
    shared = [one.resource for one in logins(settings)]
    in_cluster = ArnEquals("ecs:cluster", service("ecs", "cluster/{p}", "cluster/{p}-*"))
    return [
        allow("LookAtTasks", actions("ecs", "ListTasks"), ["*"], when(in_cluster)),
        allow("ReadTopics", actions("sns", _TOPICS), service("sns", "{p}-*")),
        allow("ReadParameters", actions("ssm", _PARAMETERS), service("ssm", "parameter/{p}/*")),
        allow("ReadSecretsFacts", actions("secretsmanager", _SECRETS), [*secrets(reach), *shared]),
        allow("ReadBuckets", actions("s3", _BUCKETS), [*reach.buckets()], when(HERE)),
        allow(
            "ReadFiles",
            actions("s3", "GetObject GetObjectVersion"),
            [*reach.buckets("/*")],
            when(HERE),
        ),
        *_authorities(settings),
        allow("ReadRoles", actions("iam", _ROLES), roles(reach)),
        allow("ReadKeys", actions("kms", _KEYS), keys(), when(*reach.owned())),
        allow(
            "LookAtNames",
            [
                *actions("ssm", "DescribeParameters"),
                *actions("secretsmanager", "ListSecrets"),
                *actions("tag", "GetResources"),
                *actions("ec2", "DescribeVpcEndpointServices"),
                *actions("rds", "DescribeOrderableDBInstanceOptions"),
            ],
            ["*"],
        ),
        *foreseeing(),
    ]


def _authorities(settings: Settings) -> list[Statement]:
    """Return what reads the file of the clients' authorities, also when a trust store is created from it."""
    clients = settings.alb.mutual_authentication
    if clients is None or clients.authorities is None:
        return []
    bucket, key = clients.authorities
    file = Sub(f"arn:${{AWS::Partition}}:s3:::{bucket}/{key}")
    return [allow("ReadAuthorities", actions("s3", "GetObject GetObjectVersion"), [file])]


def foreseeing() -> list[Statement]:
    """
    Return the further reads of `preflight`: quotas, the region's offers, and the deploy role's permissions.

    IAM's simulation carries nothing out; it is allowed of the role that deploys, and reads its policies.
    """
    deploys = arn_of("iam", "role/gatestack-deploy-${AWS::Region}", regional=False)
    linked = arn_of("iam", "role/aws-service-role/*", regional=False)
    public = Sub("arn:${AWS::Partition}:ssm:${AWS::Region}::parameter/aws/service/global-infrastructure/*")
    account = [one for service, names in _ACCOUNT for one in actions(service, names)]
    return [
        allow("Simulate", actions("iam", "SimulatePrincipalPolicy"), [deploys]),
        allow("ReadServiceRoles", actions("iam", "GetRole"), [deploys, linked]),
        allow("ReadOffers", actions("ssm", "GetParameters"), [public]),
        allow("LookAtAccount", account, ["*"]),
    ]


def log_groups(reach: Reach) -> list[object]:
    """Groups of tasks, functions, databases, Firehose and firewalls, and those that CloudFormation names."""
    names = ("/ecs/{p}-*", "/aws/*/{p}-*", "{p}-*", "aws-waf-logs-{p}")
    return [*reach.arns("logs", *(f"log-group:{name}" for name in names))]


def alarms(reach: Reach) -> list[object]:
    """Our alarms, and those that Application Auto Scaling makes for our services."""
    return [*reach.arns("cloudwatch", "alarm:{p}-*", "alarm:TargetTracking-service/{p}/*")]


def dashboards(reach: Reach) -> list[object]:
    """CloudWatch's dashboards know no region."""
    return [*reach.arns("cloudwatch", "dashboard/{p}", "dashboard/{p}-*", regional=False)]


def secrets(reach: Reach) -> list[object]:
    """Secrets: ``dev-litellm/master-key-AbCdEf``."""
    return [*reach.arns("secretsmanager", "secret:{p}/*")]


def roles(reach: Reach) -> list[object]:
    """The stacks' roles: CloudFormation's names begin with the stack's."""
    return [*reach.roles()]


def keys() -> list[object]:
    """Keys have no names; ours are known by tags."""
    return [*Reach(("",)).arns("kms", "key/*")]


def firewalls(reach: Reach) -> list[object]:
    """Web ACLs, their sets of addresses, and the load balancers that they protect."""
    names = ("regional/webacl/{p}/*", "regional/webacl/{p}-*/*", "regional/ipset/{p}-*/*")
    return [*reach.arns("wafv2", *names), *balancers(reach)]


def balancers(reach: Reach) -> list[object]:
    """Load balancers: ``dev-litellm``, ``dev-litellm-vpc``."""
    names = ("loadbalancer/app/{p}/*", "loadbalancer/app/{p}-*/*")
    return [*reach.arns("elasticloadbalancing", *names)]


def _capacity() -> list[object]:
    return [*Reach(("",)).arns("ecs", "capacity-provider/FARGATE*")]


def _certificates() -> list[object]:
    """Also those that the environment's file names; a certificate is no secret."""
    return [*Reach(("",)).arns("acm", "certificate/*")]


def _changes() -> list[object]:
    return [*Reach(("",)).globally("route53", "change/*")]


PLANS = "gatestack-plan-*"
"""Names of change sets that only show what would change, and of those that a saved plan holds."""
_NEVER = (
    ("cloudformation", "CreateStack DeleteStack ExecuteChangeSet SetStackPolicy UpdateStack"),
    ("iam", "PassRole"),
    ("secretsmanager", "BatchGetSecretValue GetSecretValue"),
    ("sts", "AssumeRole"),
)
_CHANGE_SETS = "DescribeChangeSet ListChangeSets TagResource"
_STACKS = (
    "DescribeEvents DescribeStackEvents DescribeStackResourceDrifts DescribeStacks DetectStackDrift "
    "DetectStackResourceDrift GetTemplate ListStackResources"
)
_ALL_STACKS = "DescribeStackDriftDetectionStatus ListExports ListImports"
_ACCOUNT = (
    ("ec2", "DescribeRegions"),
    ("ecs", "ListAccountSettings"),
    ("iam", "GetAccountSummary"),
    ("rds", "DescribeAccountAttributes DescribeOrderableDBInstanceOptions"),
    ("servicequotas", "GetServiceQuota"),
)
"""What an account has and may have; none of these supports a resource."""
_NETWORK = (
    "DescribeAccountAttributes DescribeAddresses DescribeAvailabilityZones DescribeFlowLogs "
    "DescribeInternetGateways DescribeNatGateways DescribeNetworkAcls DescribeNetworkInterfaces "
    "DescribeRouteTables DescribeSecurityGroupRules DescribeSecurityGroups DescribeSubnets DescribeTags "
    "DescribeVpcAttribute DescribeVpcEndpoints DescribeVpcs DescribeVpnGateways DescribeInstances"
)
_BALANCERS = (
    "DescribeCapacityReservation DescribeListenerAttributes DescribeListeners DescribeLoadBalancerAttributes "
    "DescribeLoadBalancers DescribeRules DescribeTags DescribeTargetGroupAttributes DescribeTargetGroups "
    "DescribeTargetHealth DescribeTrustStores"
)
_DATABASES = (
    "DescribeDBClusterAutomatedBackups DescribeDBClusterParameterGroups DescribeDBClusterParameters "
    "DescribeDBClusterSnapshots DescribeDBClusters DescribeDBEngineVersions "
    "DescribeDBInstanceAutomatedBackups DescribeDBInstances DescribeDBParameterGroups DescribeDBParameters "
    "DescribeDBSnapshots DescribeDBSubnetGroups DescribeEngineDefaultClusterParameters "
    "DescribeEngineDefaultParameters DescribeEvents DescribeGlobalClusters ListTagsForResource"
)
_CACHES = (
    "DescribeCacheClusters DescribeCacheParameterGroups DescribeCacheParameters DescribeCacheSubnetGroups "
    "DescribeEngineDefaultParameters DescribeReplicationGroups ListTagsForResource"
)
_SCALING = "DescribeScalableTargets DescribeScalingPolicies DescribeScheduledActions ListTagsForResource"
_LOG_GROUPS = "DescribeIndexPolicies DescribeLogGroups DescribeResourcePolicies"
_CERTIFICATES = "DescribeCertificate ListTagsForCertificate"
_RECORDS = "GetChange GetHostedZone ListResourceRecordSets"
_TASKS = (
    "DescribeCapacityProviders DescribeClusters DescribeServiceDeployments DescribeServices DescribeTasks "
    "ListServiceDeployments ListTagsForResource"
)
_IMAGES = (
    "BatchGetImage DescribeImages DescribeRepositories GetLifecyclePolicy GetRepositoryPolicy "
    "ListTagsForResource"
)
_FUNCTIONS = (
    "GetFunction GetFunctionCodeSigningConfig GetFunctionRecursionConfig GetFunctionScalingConfig GetPolicy "
    "GetRuntimeManagementConfig"
)
_LOGS = (
    "DescribeLogStreams DescribeSubscriptionFilters FilterLogEvents GetDataProtectionPolicy "
    "ListTagsForResource"
)
_DASHBOARDS = "GetDashboard ListTagsForResource"
_RULES = "DescribeRule ListTagsForResource ListTargetsByRule"
_TOPICS = "GetDataProtectionPolicy GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource"
_PARAMETERS = "GetParameter GetParameters GetParametersByPath ListTagsForResource"
_SECRETS = "DescribeSecret ListSecretVersionIds"
_BUCKETS = (
    "GetBucket* GetAccelerateConfiguration GetAnalyticsConfiguration GetEncryptionConfiguration "
    "GetIntelligentTieringConfiguration GetInventoryConfiguration GetLifecycleConfiguration "
    "GetMetricsConfiguration GetReplicationConfiguration ListBucket ListTagsForResource"
)
_ROLES = "GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies"
_KEYS = "DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags"
_FIREWALLS = "GetIPSet GetLoggingConfiguration GetWebACL GetWebACLForResource ListTagsForResource"
_TRAILS = "GetEventConfiguration GetEventSelectors GetInsightSelectors GetTrail GetTrailStatus ListTags"
_ARCHIVES = "DescribeDeliveryStream ListTagsForDeliveryStream"
