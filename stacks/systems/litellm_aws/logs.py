"""
LiteLLM's callbacks and caches that write to AWS. Pure.

Sources: litellm/integrations/s3.py, s3_v2.py, sqs.py, dynamodb.py and focus; litellm/caching/s3_cache.py;
litellm/proxy/types_utils/utils.py (`get_instance_fn`); `load_config` of litellm/proxy/proxy_server.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from stacks.calls.call import Call, Grant, arn
from stacks.checking import limits
from stacks.systems.litellm_aws.buckets import bucket_of, listed, parted, read, written
from stacks.systems.litellm_aws.identity import (
    KEYS_ONLY,
    LOGGED,
    VARIABLES,
    Names,
    calls,
    identity,
    is_foreign,
)
from stacks.systems.litellm_aws.values import Hidden, Params, Unclear

CALLBACKS: Final = (*limits.CALLBACKS, "audit_log_callbacks")
_S3_READERS: Final = frozenset({"s3", "s3_v2"})


def callbacks(settings: Params, *keys: str) -> frozenset[str]:
    """Return the callbacks that *keys* of litellm_settings name."""
    named = [settings.values.get(key) for key in keys]
    lists = [one if isinstance(one, list) else [one] for one in named]
    return frozenset(one for some in lists for one in some if isinstance(one, str))


def logged(settings: Params, *, recorded: bool = False) -> Iterator[Call]:
    """
    Yield what the callbacks of *settings*, litellm_settings, call.

    *recorded*: `observability.prompt_logs` says where LiteLLM's callbacks to S3 write, and grants it.

    Raises:
        Unclear: a callback has no destination, or none in this file.

    """
    named = callbacks(settings, *CALLBACKS)
    to_s3 = frozenset() if recorded else _S3_READERS
    audited = callbacks(settings, "audit_log_callbacks")
    apart = not recorded and "s3_v2" in audited and "s3_audit_callback_params" in settings.values
    if apart:
        yield from _s3(settings.section("s3_audit_callback_params"), LOGGED["s3"])
    for name in sorted((callbacks(settings, *limits.CALLBACKS) if apart else named) & to_s3):
        names = LOGGED["s3"] if name == "s3_v2" else KEYS_ONLY
        yield from _s3(settings.section("s3_callback_params"), names, read_back=_is_read_back(settings))
    if "aws_sqs" in named:
        yield from _sqs(settings.section("aws_sqs_callback_params"))
    if "dynamodb" in named:
        yield from _dynamodb(settings)
    if "focus" in named:
        yield from _focus(settings)
    for one in sorted(named):
        yield from code(settings, one)


def _is_read_back(settings: Params) -> bool:
    return settings.values.get("cold_storage_custom_logger") in _S3_READERS


def _s3(params: Params, names: Names, *, read_back: bool = False) -> Iterator[Call]:
    who = identity(params, "s3:PutObject", names)
    if is_foreign(params, "s3_endpoint_url"):
        yield from calls(who, params, "s3", elsewhere=True)
        return
    bucket = bucket_of(params, "s3_bucket_name")
    if bucket is None:
        raise Unclear("names no s3_bucket_name, and the callback writes to one", *params.below)
    path = params.clear("s3_path", "s3:PutObject") or ""
    needs = [written(bucket, path)] + ([read(bucket, path)] if read_back else [])
    yield from calls(who, params, "s3", *needs)


def _sqs(params: Params) -> Iterator[Call]:
    action = "sqs:SendMessage"
    who = identity(params, action, LOGGED["sqs"])
    url = params.clear("sqs_queue_url", action)
    found = re.fullmatch(r"https?://[^/]+/([0-9]{12})/([\w-]{1,80}(?:\.fifo)?)", url or "")
    if is_foreign(params, "sqs_endpoint_url"):
        yield from calls(who, params, "sqs", elsewhere=True)
        return
    if found is None:
        message = f"{url} is not the address of a queue: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME"
        raise Unclear(message, *params.below, "sqs_queue_url", allow=action)
    region = re.search(r"\.([a-z0-9-]+)\.amazonaws\.", urlsplit(str(url)).hostname or "")
    if region and region[1] != who.region:
        message = f"{who.region} is not the queue's region; write {region[1]}"
        raise Unclear(message, *params.below, "sqs_region_name")
    need = Grant("SendMessages", (action,), (arn("sqs", who.region, found[2], found[1]),))
    yield from calls(who, params, "sqs", need)


def _dynamodb(params: Params) -> Iterator[Call]:
    who = identity(params, "dynamodb:PutItem", VARIABLES._replace(assumes=False))
    table = params.clear("dynamodb_table_name", "dynamodb:PutItem")
    if table is None or not re.fullmatch(r"[\w.-]{3,255}", table):
        message = "names no dynamodb_table_name, and the callback dynamodb writes to one"
        raise Unclear(message, *params.below)
    need = Grant("PutItems", ("dynamodb:PutItem",), (arn("dynamodb", who.region, f"table/{table}"),))
    yield from calls(who, params, "dynamodb", need)


def _focus(settings: Params) -> Iterator[Call]:
    """Yield the calls of FOCUS's export, which only variables configure; S3 is its default."""
    known = settings.known
    if (known.variable("FOCUS_PROVIDER") or "s3") != "s3":
        return
    names = {"s3_bucket_name": "BUCKET_NAME", "s3_region_name": "REGION_NAME", "endpoint_url": "ENDPOINT_URL"}
    keys = {"s3_aws_access_key_id": "ACCESS_KEY", "s3_aws_secret_access_key": "SECRET_KEY"}
    said = {
        name: f"{limits.ENVIRONMENT}FOCUS_S3_{variable}"
        for name, variable in {**names, **keys}.items()
        if known.variable(f"FOCUS_S3_{variable}") is not None
    }
    params = Params(known, said, settings.below)
    who = identity(params, "s3:PutObject", KEYS_ONLY)
    if not is_foreign(params, "endpoint_url"):
        bucket = bucket_of(params, "s3_bucket_name")
        if bucket is None:
            message = "the callback focus writes to FOCUS_S3_BUCKET_NAME, and nothing sets it"
            raise Unclear(message, *settings.below, "callbacks")
        prefix = known.variable("FOCUS_PREFIX") or "focus_exports"
        yield from calls(who, params, "s3", written(bucket, "" if isinstance(prefix, Hidden) else prefix))


def code(params: Params, text: str) -> Iterator[Call]:
    """Yield the fetching of Python code that stands in S3: ``s3://bucket/path/module.instance``."""
    place = parted(text) if text.startswith("s3://") else None
    if place is None:
        return
    bucket, path = place
    who = identity(params, "s3:GetObject", VARIABLES)
    whole = read(bucket).resources[0].removesuffix("*") + path.rpartition(".")[0] + ".py"
    yield from calls(who, params, "s3", Grant("ReadObjects", ("s3:GetObject",), (whole,)))


def cached(settings: Params) -> Iterator[Call]:
    """Yield the calls of a cache in S3: it reads, writes, and must learn that an answer is missing."""
    params = settings.section("cache_params")
    if not settings.values.get("cache") or params.values.get("type") != "s3":
        return
    who = identity(params, "s3:GetObject", KEYS_ONLY)
    if is_foreign(params, "s3_endpoint_url"):
        return
    bucket = bucket_of(params, "s3_bucket_name")
    if bucket is None:
        raise Unclear("names no s3_bucket_name, and a cache of type s3 is one", *params.below)
    path = params.clear("s3_path", "s3:GetObject") or ""
    yield from calls(who, params, "s3", read(bucket, path), written(bucket, path), listed(bucket))
