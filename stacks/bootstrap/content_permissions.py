"""
Deploy permissions for resources that hold data and for monitoring: the other part of `deploy_permissions`.

Resources are identified by names and tags, as there.
"""

from __future__ import annotations

from awacs.aws import ForAllValuesStringLike, Statement

from stacks.bootstrap.plan_permissions import alarms, dashboards, keys, log_groups, secrets
from stacks.bootstrap.reach import BY_CLOUDFORMATION, HERE, Reach, actions, arn_of, when
from stacks.parts.policies import allow


def watching(reach: Reach) -> list[Statement]:
    """
    Return what creates monitoring: alarms, dashboards, rules, trails, the log archive.

    An alarm notifies topics of this account and does nothing else, or it could stop somebody's machine
    (Service Authorization Reference, "Condition keys for Amazon CloudWatch", November 2026).
    """
    topics = when(ForAllValuesStringLike("cloudwatch:AlarmActions", [arn_of("sns", "*")]))
    return [
        allow("Alarms", actions("cloudwatch", _ALARMS), alarms(reach)),
        allow("TellingAlarms", actions("cloudwatch", "PutMetricAlarm"), alarms(reach), topics),
        allow("Dashboards", actions("cloudwatch", _DASHBOARDS), dashboards(reach)),
        allow("Rules", actions("events", _EVENTS), reach.arns("events", "rule/{p}-*")),
        allow("Trails", actions("cloudtrail", _TRAILS), reach.arns("cloudtrail", "trail/{p}-*")),
        allow("Archives", actions("firehose", _ARCHIVES), reach.arns("firehose", "deliverystream/{p}-*")),
    ]


def contents(reach: Reach) -> list[Statement]:
    """
    Return what creates log groups, topics, parameters, secrets, buckets and keys, and writes to them.

    A key is tagged as CloudFormation makes it; a key of somebody else's cannot become ours by a tag. Buckets
    are this account's. Log deliveries and what becomes of a subscription know no resource: CloudFormation
    alone asks for them, for what its stack made. A firewall's log also has AWS itself let log delivery write,
    in a resource policy of the account (AWS WAF Developer Guide, "CloudWatch Logs", Permissions).
    """
    bucket, subscription = [*reach.buckets()], "SetSubscriptionAttributes Unsubscribe"
    aliases = reach.arns("kms", "alias/{p}", "alias/{p}-*")
    return [
        allow("Logs", actions("logs", _LOGS), log_groups(reach)),
        allow("Deliveries", actions("logs", _DELIVERIES), ["*"], when(BY_CLOUDFORMATION)),
        allow("Topics", actions("sns", _TOPICS), reach.arns("sns", "{p}-*")),
        allow("Subscriptions", actions("sns", subscription), ["*"], when(BY_CLOUDFORMATION)),
        allow("Parameters", actions("ssm", _PARAMETERS), reach.arns("ssm", "parameter/{p}/*")),
        allow("Secrets", actions("secretsmanager", _SECRETS), secrets(reach)),
        allow("Passwords", actions("secretsmanager", "GetRandomPassword"), ["*"]),  # knows no resource
        allow("NewBuckets", actions("s3", "CreateBucket"), bucket),
        allow("Buckets", actions("s3", _BUCKETS), bucket, when(HERE)),
        allow("Files", actions("s3", _FILES), [*reach.buckets("/*")], when(HERE)),
        allow("NewKeys", actions("kms", "CreateKey"), ["*"], when(*reach.tagged(), BY_CLOUDFORMATION)),
        allow("TagNewKeys", actions("kms", "TagResource"), keys(), when(*reach.tagged(), BY_CLOUDFORMATION)),
        allow("Keys", actions("kms", _KEYS), keys(), when(*reach.owned())),
        allow("Aliases", actions("kms", "CreateAlias DeleteAlias UpdateAlias"), aliases),
    ]


_ALARMS = "DeleteAlarms TagResource UntagResource"
_DASHBOARDS = "DeleteDashboards PutDashboard TagResource UntagResource"
_EVENTS = "DeleteRule PutRule PutTargets RemoveTargets TagResource UntagResource"
_TRAILS = (
    "AddTags CreateTrail DeleteTrail PutEventConfiguration PutEventSelectors RemoveTags "
    "StartLogging StopLogging UpdateTrail"
)
_ARCHIVES = (
    "CreateDeliveryStream DeleteDeliveryStream StartDeliveryStreamEncryption StopDeliveryStreamEncryption "
    "TagDeliveryStream UntagDeliveryStream UpdateDestination"
)
_LOGS = (
    "AssociateKmsKey CreateLogGroup CreateLogStream DeleteDataProtectionPolicy DeleteLogGroup "
    "DeleteLogStream DeleteRetentionPolicy DeleteSubscriptionFilter DisassociateKmsKey "
    "PutDataProtectionPolicy PutLogGroupDeletionProtection PutRetentionPolicy PutSubscriptionFilter "
    "TagResource UntagResource"
)
_DELIVERIES = "CreateLogDelivery DeleteLogDelivery PutResourcePolicy"
_TOPICS = (
    "CreateTopic DeleteTopic PutDataProtectionPolicy SetTopicAttributes Subscribe TagResource UntagResource"
)
_PARAMETERS = "AddTagsToResource DeleteParameter LabelParameterVersion PutParameter RemoveTagsFromResource"
_SECRETS = (
    "CancelRotateSecret CreateSecret DeleteSecret GetSecretValue PutSecretValue RotateSecret TagResource "
    "UntagResource UpdateSecret UpdateSecretVersionStage"
)
_BUCKETS = (
    "DeleteBucket DeleteBucketPolicy ListBucketVersions PutBucketAcl PutBucketLogging "
    "PutBucketNotification PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock "
    "PutBucketTagging PutBucketVersioning PutEncryptionConfiguration PutLifecycleConfiguration TagResource "
    "UntagResource"
)
_FILES = "DeleteObject DeleteObjectVersion PutObject"
_KEYS = (
    "CreateAlias CreateGrant Decrypt DeleteAlias DisableKeyRotation EnableKeyRotation "
    "Encrypt GenerateDataKey PutKeyPolicy RevokeGrant ScheduleKeyDeletion TagResource UntagResource "
    "UpdateAlias UpdateKeyDescription"
)
