"""
The log archive: S3 keeps for years what CloudWatch Logs deletes after days, by log group and day.

Subscription filters (`stacks.parts.logs`) -> Amazon Data Firehose -> S3. Each record is what CloudWatch Logs
sends: a JSON object with log group, stream and some events, one per line. No function is in between: Firehose
decompresses the records and reads the log group from them itself.
"""

from __future__ import annotations

from typing import ClassVar

from awacs import firehose, kms, logs, s3
from awacs.aws import ArnLike, Condition, StringEquals, StringLike
from troposphere import AccountId, GetAtt, Ref, Sub
from troposphere.firehose import (
    BufferingHints,
    CloudWatchLoggingOptions,
    DeliveryStream,
    DeliveryStreamEncryptionConfigurationInput,
    DynamicPartitioningConfiguration,
    EncryptionConfiguration,
    ExtendedS3DestinationConfiguration,
    KMSEncryptionConfig,
    ProcessingConfiguration,
    Processor,
    ProcessorParameter,
    RetryOptions,
)
from troposphere.iam import Role
from troposphere.logs import LogStream
from troposphere.s3 import Bucket

from stacks.application import Export
from stacks.parts import private_bucket
from stacks.parts.alarms import Metric, above, add_alarm
from stacks.parts.logs import ARCHIVE_ROLE, ARCHIVE_STREAM, add_log_group
from stacks.parts.policies import allow, arn, role, via
from stacks.security import record_bucket
from stacks.settings import Settings
from stacks.wiring import Stack

BUFFER_SECONDS = 900
BUFFER_MB = 64
"""As large as Firehose needs with a prefix per log group: objects are few and large."""

LATE_SECONDS = 3600
"""AWS advises an alarm above the buffer's time ("Implement best practices with CloudWatch Alarms")."""

ERROR_STREAM = "delivery"

LOG_GROUP = '{group: (if (.logGroup // "") == "" then "control" else (.logGroup | ltrimstr("/")) end)}'
"""
For jq: the log group of a record. CloudWatch Logs also sends test messages without a log group; an empty
result would make Firehose treat them as errors.
"""


class Step(Processor):  # type: ignore[misc]  # troposphere is not typed
    """A processor of records; troposphere 4 lacks decompression."""

    props: ClassVar = Processor.props | {"Type": (str, True)}


def add(stack: Stack) -> None:
    """Add bucket, stream, roles and alarm, where the file asks for an archive; export what filters need."""
    days = stack.settings.observability.log_archive_days
    if not days:
        return
    bucket = record_bucket.add(stack, "LogArchiveBucket", "log-archive", days=days, bucket_key=True)
    private_bucket.guard(stack, bucket)
    stream = _stream(stack, bucket)
    sender = role(
        stack,
        "LogArchiveSenderRole",
        "logs.amazonaws.com",
        Condition(ArnLike("aws:SourceArn", arn("logs", "*"))),  # CloudWatch Logs User Guide, Example 3
        allow("SendToArchive", [firehose.PutRecord, firehose.PutRecordBatch], [GetAtt(stream, "Arn")]),
    )
    stack.export(ARCHIVE_STREAM, GetAtt(stream, "Arn"), "Stream that log groups send to the archive by")
    stack.export(ARCHIVE_ROLE, GetAtt(sender, "Arn"), "Role with which CloudWatch Logs sends to the archive")
    stack.export("LogArchiveBucketName", Ref(bucket), "Bucket of the archived logs")
    _alarm(stack, stream)


def _stream(stack: Stack, bucket: Bucket) -> DeliveryStream:
    """
    Return the stream; its buffer is encrypted with a key of AWS's own.

    Sources: Amazon Data Firehose Developer Guide, "Decompress CloudWatch Logs", "Dynamic partitioning".
    """
    name = stack.settings.archive_stream_name
    errors = add_log_group(stack, "LogArchiveErrors", f"/aws/kinesisfirehose/{name}", archived=False)
    stack.add(LogStream("LogArchiveErrorStream", LogGroupName=Ref(errors), LogStreamName=ERROR_STREAM))
    key = stack.resolved(Export("security", "KmsKeyArn"))
    destination = ExtendedS3DestinationConfiguration(
        BucketARN=GetAtt(bucket, "Arn"),
        RoleARN=GetAtt(_writer(stack, bucket), "Arn"),
        Prefix="logs/!{partitionKeyFromQuery:group}/!{timestamp:yyyy/MM/dd}/",
        ErrorOutputPrefix="errors/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/",
        CompressionFormat="GZIP",
        BufferingHints=BufferingHints(IntervalInSeconds=BUFFER_SECONDS, SizeInMBs=BUFFER_MB),
        EncryptionConfiguration=EncryptionConfiguration(
            KMSEncryptionConfig=KMSEncryptionConfig(AWSKMSKeyARN=key)
        ),
        DynamicPartitioningConfiguration=DynamicPartitioningConfiguration(
            Enabled=True, RetryOptions=RetryOptions(DurationInSeconds=300)
        ),
        ProcessingConfiguration=ProcessingConfiguration(Enabled=True, Processors=_steps()),
        CloudWatchLoggingOptions=CloudWatchLoggingOptions(
            Enabled=True, LogGroupName=Ref(errors), LogStreamName=ERROR_STREAM
        ),
    )
    encryption = DeliveryStreamEncryptionConfigurationInput(KeyType="AWS_OWNED_CMK")
    return stack.add(
        DeliveryStream(
            "LogArchiveStream",
            DependsOn="LogArchiveErrorStream",
            DeliveryStreamName=name,
            DeliveryStreamType="DirectPut",
            DeliveryStreamEncryptionConfigurationInput=encryption,
            ExtendedS3DestinationConfiguration=destination,
        ),
        name="log-archive",
    )


def _steps() -> list[Step]:
    """Unpack each record, read its log group, end its line; extracting the messages would lose the group."""
    return [
        _step("Decompression", CompressionFormat="GZIP"),
        _step("MetadataExtraction", MetadataExtractionQuery=LOG_GROUP, JsonParsingEngine="JQ-1.6"),
        _step("AppendDelimiterToRecord", Delimiter="\\n"),
    ]


def _step(kind: str, **parameters: str) -> Step:
    given = [ProcessorParameter(ParameterName=name, ParameterValue=text) for name, text in parameters.items()]
    return Step(Type=kind, Parameters=given)


def _writer(stack: Stack, bucket: Bucket) -> Role:
    """
    Return Firehose's role: this bucket, this key for this bucket, its own errors.

    Firehose names the account whose stream it is as external id (Amazon Data Firehose Developer Guide,
    "Controlling access").
    """
    everything = [GetAtt(bucket, "Arn"), Sub(f"${{{bucket.title}.Arn}}/*")]
    for_bucket = Condition(
        [
            StringEquals("kms:ViaService", via("s3")),
            StringLike("kms:EncryptionContext:aws:s3:arn", everything),
        ]
    )
    key = stack.resolved(Export("security", "KmsKeyArn"))
    return role(
        stack,
        "LogArchiveWriterRole",
        "firehose.amazonaws.com",
        Condition(StringEquals("sts:ExternalId", AccountId)),
        allow("WriteArchive", _WRITE, everything),
        allow("EncryptArchive", [kms.Decrypt, kms.GenerateDataKey], [key], for_bucket),
        allow("WriteErrors", [logs.PutLogEvents], [_errors(stack.settings)]),
    )


def _errors(settings: Settings) -> Sub:
    group = f"/aws/kinesisfirehose/{settings.archive_stream_name}"
    return arn("logs", f"log-group:{group}:log-stream:*")


def _alarm(stack: Stack, stream: DeliveryStream) -> None:
    where = f"/aws/kinesisfirehose/{stack.settings.archive_stream_name}"
    dimensions = {"DeliveryStreamName": Ref(stream)}
    age = Metric("AWS/Firehose", "DeliveryToS3.DataFreshness", "Maximum", dimensions, reported_always=False)
    add_alarm(
        stack,
        "LogArchiveLate",
        age,
        above(LATE_SECONDS, periods=3, minutes=5),
        meaning=(
            "Logs have waited an hour for their archive in S3, and Firehose drops them after a day: look at "
            f"the log group {where}, then at the role and the key that it names"
        ),
    )


_WRITE = [
    s3.AbortMultipartUpload,
    s3.GetBucketLocation,
    s3.GetObject,
    s3.ListBucket,
    s3.ListBucketMultipartUploads,
    s3.PutObject,
]
