"""
The least permissions to invoke a model of Amazon Bedrock. Pure.

An inference profile needs permission for the profile and for its model in every region that it routes to, the
latter only through a profile: then AWS may add regions to it. Sources, read 2026-11-28: Amazon Bedrock User
Guide, "Prerequisites for inference profiles", "Geographic" and "Global cross-Region inference"; Service
Authorization Reference, "Amazon Bedrock".
"""

from __future__ import annotations

import re
from typing import Final

from stacks.calls.call import ACCOUNT, PARTITION, Grant, When, arn

INVOKE: Final = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
"""Of Converse too, of asynchronous calls and of two-way streams (Bedrock API Reference, Bedrock Runtime)."""
MODEL: Final = r"[a-z0-9][A-Za-z0-9-]*\.[A-Za-z0-9][A-Za-z0-9.:-]{0,139}"
"""A foundation model's id, ``vendor.model``, or a system-defined inference profile's, ``us.vendor.model``."""
PREFIXES: Final = frozenset({"us", "us-gov", "ca", "eu", "apac", "jp", "au", "global"})
"""What profiles begin with (Bedrock User Guide, "Supported Regions and models for inference profiles")."""
_GEOGRAPHIES: Final = {
    "us": ("us-", "ca-"),
    "us-gov": ("us-gov-",),
    "eu": ("eu-", "il-"),
    "apac": ("ap-", "me-"),
    "jp": ("ap-northeast-",),
    "au": ("ap-southeast-",),
    "ca": ("ca-", "us-"),
}
"""Prefix -> what the regions begin with that it may be called in: wide, as AWS adds to them (the same)."""
VENDORS: Final = frozenset(
    {
        *(
            "ai21",
            "amazon",
            "anthropic",
            "cohere",
            "deepseek",
            "google",
            "luma",
            "meta",
            "minimax",
            "mistral",
        ),
        *("moonshot", "moonshotai", "nvidia", "openai", "qwen", "stability", "twelvelabs", "writer", "xai"),
        "zai",
    }
)
"""What models begin with: before one of them, anything is the prefix of a profile, also a later one."""

_ARN: Final = (
    r"arn:(?P<partition>aws[a-z-]*):bedrock:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12})?:"
    r"(?P<kind>[a-z-]+)/(?P<name>[A-Za-z0-9][A-Za-z0-9.:/_-]*)"
)
_ALONE: Final = frozenset(
    {"foundation-model", "provisioned-model", "imported-model", "custom-model-deployment"}
)
"""Kinds that are called by their own name, without a model behind them to allow."""
_ROUTERS: Final = frozenset({"prompt-router", "default-prompt-router"})


def region_of(model: str) -> str | None:
    """Return the region of *model* if it is an ARN of Bedrock's."""
    found = re.fullmatch(_ARN, model)
    return found["region"] if found else None


def is_profile(model: str) -> bool:
    """Whether *model*, an id, is a system-defined inference profile's."""
    first, _, rest = model.partition(".")
    return "." in rest and (first in PREFIXES or (first not in VENDORS and rest.split(".")[0] in VENDORS))


def geography_of(resource: str) -> tuple[str, ...]:
    """Return the prefix of the regions that *resource* is called in; empty except for AWS's profiles."""
    _, found, name = resource.rpartition(":inference-profile/")
    return _GEOGRAPHIES.get(name.partition(".")[0], ()) if found else ()


def is_known(model: str) -> bool:
    """Whether *model* begins as Bedrock's ids do; other names may be models of somebody else."""
    parts = model.split(".")
    return bool(re.fullmatch(MODEL, model)) and (parts[0] in VENDORS or is_profile(model))


def needs(model: str, region: str) -> tuple[Grant, ...]:
    """
    Return what *model*, an id or an ARN, needs where it is called in *region*.

    Raises:
        ValueError: it is neither, or no kind of which the permissions are known.

    """
    if re.fullmatch(MODEL, model):
        if not is_profile(model):
            return (_invoke(arn("bedrock", region, f"foundation-model/{model}", "")),)
        return _profile(arn("bedrock", region, f"inference-profile/{model}"), model)
    found = re.fullmatch(_ARN, model)
    if found is None:
        raise ValueError(
            f"{model} is neither a model's id (vendor.model), an inference profile's, nor an ARN of Bedrock's"
        )
    kind = found["kind"]
    if kind in _ALONE:
        return (_invoke(model),)
    if kind == "inference-profile":
        return _profile(model, found["name"])
    if kind == "application-inference-profile":
        return (_invoke(model), _behind("InvokeThroughOwnProfiles", "bedrock:InferenceProfileArn", model))
    if kind in _ROUTERS:
        return (_invoke(model), _behind("InvokeThroughRouters", "bedrock:PromptRouterArn", model))
    raise ValueError(f"what {kind} of Bedrock's needs is not known here")


def _invoke(resource: str) -> Grant:
    return Grant("InvokeConfiguredModels", INVOKE, (resource,))


def _profile(profile: str, name: str) -> tuple[Grant, ...]:
    """
    Return what a system-defined profile needs.

    Its models are allowed through any profile of the account's; the first statement lists the profiles.
    ``global`` asks for the model without a region, which the wildcard stands for as well.
    """
    model = f"arn:{PARTITION}:bedrock:*::foundation-model/{name.partition('.')[2]}"
    profiles = f"arn:{PARTITION}:bedrock:*:{ACCOUNT}:inference-profile/*"
    through = When("StringLike", "bedrock:InferenceProfileArn", (profiles,))
    return (_invoke(profile), Grant("InvokeThroughProfiles", INVOKE, (model,), through))


def _behind(sid: str, key: str, front: str) -> Grant:
    """Return the models behind *front*, which its ARN does not name: only through it."""
    behind = (
        f"arn:{PARTITION}:bedrock:*::foundation-model/*",
        f"arn:{PARTITION}:bedrock:*:{ACCOUNT}:inference-profile/*",
    )
    return Grant(sid, INVOKE, behind, When("StringEquals", key, (front,)))
