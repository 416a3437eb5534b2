"""
Bedrock's batch jobs and asynchronous calls, with input and output in S3. Pure.

Source: litellm/llms/bedrock/batches/transformation.py, .../files/transformation.py, .../embed/embedding.py;
Amazon Bedrock User Guide, "Required permissions for batch inference".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from stacks.calls import bedrock
from stacks.calls.call import Call, Grant, When, arn
from stacks.systems.litellm_aws.buckets import bucket_of, parted, read, written
from stacks.systems.litellm_aws.identity import Identity, calls
from stacks.systems.litellm_aws.values import Params, Unclear

CREATE: Final = "bedrock:CreateModelInvocationJob"
HAND_OVER: Final = "iam:PassRole"
_PARAMETERS: Final = {
    "s3_bucket_name": "AWS_S3_BUCKET_NAME",
    "s3_output_bucket_name": "AWS_S3_OUTPUT_BUCKET_NAME",
    "aws_batch_role_arn": "AWS_BATCH_ROLE_ARN",
}
"""Parameter -> the variable that replaces it; the role's or the bucket's implies batches."""


def batch(model: str, who: Identity, params: Params) -> Iterator[Call]:
    """Yield the calls of *model*'s batches, if its parameters name a bucket or a role for them."""
    if not any(params.values.get(name) for name in _PARAMETERS):
        return
    merged = params.over({name: _from(params, name) for name in _PARAMETERS})
    bucket = bucket_of(merged, "s3_bucket_name")
    output = bucket_of(merged, "s3_output_bucket_name") or bucket
    needs = [written(bucket)] if bucket else []
    needs += [read(one) for one in dict.fromkeys([bucket, output]) if one]
    s3 = Identity(merged.clear("s3_region_name", "s3:PutObject") or who.region, who.role, who.own)
    if needs:
        yield from calls(s3, params, "s3", *needs)
    role = merged.clear("aws_batch_role_arn", HAND_OVER)
    if role:
        yield from calls(who, params, "bedrock", *_jobs(model, who.region, role, params))


def _jobs(model: str, region: str, role: str, params: Params) -> Iterator[Grant]:
    """The job runs as *role*, which has to be passed to Bedrock."""
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+", role):
        raise Unclear(f"{role} is not the ARN of a role", *params.below, "aws_batch_role_arn")
    resources = [one for need in bedrock.needs(model, region) for one in need.resources]
    own = arn("bedrock", region, "model-invocation-job/*")
    yield Grant("StartBatches", (CREATE,), (*resources, own))
    yield Grant("WatchBatches", ("bedrock:GetModelInvocationJob", "bedrock:StopModelInvocationJob"), (own,))
    to = When("StringEquals", "iam:PassedToService", ("bedrock.amazonaws.com",))
    yield Grant("PassBatchRoles", (HAND_OVER,), (role,), to)


def asynchronous(who: Identity, params: Params) -> Iterator[Call]:
    """Yield the calls after an asynchronous call: its state is polled, its answer is written to a bucket."""
    own = arn("bedrock", who.region, "async-invoke/*")
    state = Grant("WatchAsynchronousCalls", ("bedrock:GetAsyncInvoke",), (own,))
    yield from calls(who, params, "bedrock-runtime", state)
    address = params.clear("output_s3_uri", "s3:PutObject")
    place = parted(address) if address else None
    if place:
        yield from calls(who, params, "s3", written(*place))


def _from(params: Params, name: str) -> object:
    found = params.known.variable(_PARAMETERS[name])
    return found if isinstance(found, str) else None
