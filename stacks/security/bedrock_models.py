"""Which ARNs a task needs to invoke a Bedrock model: the model's, or the profile's and its models'."""

from __future__ import annotations

from troposphere import Sub

from stacks.parts.policies import arn

DESTINATIONS = {
    "us": ("us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    "us-gov": ("us-gov-east-1", "us-gov-west-1"),
    "ca": ("ca-central-1", "ca-west-1"),
    "eu": ("eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"),
    "apac": (
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-south-2",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-southeast-4",
    ),
    "jp": ("ap-northeast-1", "ap-northeast-3"),
    "au": ("ap-southeast-2", "ap-southeast-4"),
    "global": ("",),
}
"""
Regions that a profile's prefix routes to, beside the caller's own; ``global`` is asked for without a region.

Source: Amazon Bedrock User Guide, "Supported Regions and models for inference profiles" (the union over its
models), and the IAM policy requirements of "Geographic" and "Global cross-Region inference".
"""


def model_arns(model: str, region: str) -> list[Sub]:
    """Return what must be allowed so that a task in *region* may invoke *model* and nothing else."""
    prefix, _, foundation = model.partition(".")
    if prefix not in DESTINATIONS:
        return [_foundation_model(region, model)]
    regions = dict.fromkeys((region, *DESTINATIONS[prefix]))
    return [
        arn("bedrock", f"inference-profile/{model}"),
        *(_foundation_model(destination, foundation) for destination in regions),
    ]


def _foundation_model(region: str, model: str) -> Sub:
    return Sub(f"arn:${{AWS::Partition}}:bedrock:{region}::foundation-model/{model}")
