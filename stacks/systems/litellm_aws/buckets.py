"""Permissions to read and write S3 objects, by bucket and prefix. Pure."""

from __future__ import annotations

import re
from typing import Final

from stacks.calls.call import PARTITION, Grant
from stacks.systems.litellm_aws.values import Params, Unclear

WRITE: Final = "s3:PutObject"
READ: Final = "s3:GetObject"
_BUCKET: Final = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"


def written(bucket: str, prefix: str = "") -> Grant:
    """Return what writing objects under *prefix* needs."""
    return Grant("WriteObjects", (WRITE,), (_objects(bucket, prefix),))


def read(bucket: str, prefix: str = "") -> Grant:
    """Return what reading objects under *prefix* needs."""
    return Grant("ReadObjects", (READ,), (_objects(bucket, prefix),))


def listed(bucket: str) -> Grant:
    """Return what S3 requires to answer that an object is missing (Amazon S3 API Reference, GetObject)."""
    return Grant("ListBuckets", ("s3:ListBucket",), (f"arn:{PARTITION}:s3:::{bucket}",))


def bucket_of(params: Params, name: str, *, allow: str = WRITE) -> str | None:
    """
    Return the bucket that *name* says.

    Raises:
        Unclear: it is no bucket's name, or only a task knows it.

    """
    found = params.clear(name, allow)
    if found is not None and not re.fullmatch(_BUCKET, found):
        raise Unclear(f"{found} is no bucket's name", *params.below, name)
    return found


def parted(uri: str) -> tuple[str, str] | None:
    """Return bucket and key of an ``s3://`` address."""
    found = re.fullmatch(rf"s3://({_BUCKET})/?(.*)", uri)
    return (found[1], found[2]) if found else None


def _objects(bucket: str, prefix: str) -> str:
    folder = prefix.strip("/")
    return f"arn:{PARTITION}:s3:::{bucket}/{folder}/*" if folder else f"arn:{PARTITION}:s3:::{bucket}/*"
