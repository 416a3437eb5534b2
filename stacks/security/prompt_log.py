"""
The bucket in which LiteLLM records each request; its tasks may only add objects.

Reading prompts is separate from operating the gateway: no role of gatestack may read them.
"""

from __future__ import annotations

from awacs import kms, s3
from awacs.aws import Condition, Statement, StringEquals
from troposphere import GetAtt, Ref, Sub
from troposphere.s3 import Bucket

from stacks.application import Export
from stacks.parts import private_bucket
from stacks.parts.policies import allow, via
from stacks.sections.prompt_logs import AUDIT, PROMPTS
from stacks.security import record_bucket
from stacks.wiring import Stack


def add(stack: Stack) -> Bucket | None:
    """Add the bucket and export its name, where the file asks for a record."""
    days = stack.settings.observability.prompt_logs.keep_days
    if not days:
        return None
    bucket = record_bucket.add(stack, "PromptLogBucket", "prompt-log", days=days, bucket_key=True)
    private_bucket.guard(stack, bucket)
    stack.export("PromptLogBucketName", Ref(bucket), "Bucket of LiteLLM's record of requests")
    stack.export("PromptLogBucketArn", GetAtt(bucket, "Arn"), "Its ARN, for policies of who may read it")
    return bucket


def writing(stack: Stack, bucket: Bucket | None) -> tuple[Statement, ...]:
    """
    Return the tasks' permission to write.

    With a bucket key the encryption context is the bucket's ARN (Amazon S3 User Guide, "Reducing the cost of
    SSE-KMS with Amazon S3 Bucket Keys").
    """
    if bucket is None:
        return ()
    prefixes = (PROMPTS, AUDIT) if stack.settings.observability.prompt_logs.audit else (PROMPTS,)
    objects = [Sub(f"${{{bucket.title}.Arn}}/{prefix}/*") for prefix in prefixes]
    for_bucket = Condition(
        StringEquals({"kms:ViaService": via("s3"), "kms:EncryptionContext:aws:s3:arn": GetAtt(bucket, "Arn")})
    )
    key = stack.resolved(Export("security", "KmsKeyArn"))
    return (
        allow("RecordRequests", [s3.PutObject], objects),
        allow("EncryptRecords", [kms.GenerateDataKey], [key], for_bucket),
    )
