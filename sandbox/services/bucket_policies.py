"""Removes conditional statements from bucket policies: moto applies every Deny, whatever its condition."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any


def applied(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return *document* without conditional statements ("Deny without TLS"), None if none is left."""
    statements = [one for one in document["Statement"] if "Condition" not in one]
    return {**document, "Statement": statements} if statements else None


def put_by_api(environ: dict[str, Any]) -> bool:
    """
    Replace the policy in *environ*, a request that sets a bucket's policy, by what moto can apply.

    Returns whether moto still has to handle it.
    """
    if environ["REQUEST_METHOD"] != "PUT" or environ.get("QUERY_STRING", "").rstrip("=") != "policy":
        return True
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    left = _left(body)
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(left), str(len(left))
    return left != b""


def _left(body: bytes) -> bytes:
    """Return the remaining policy; invalid policies are left for moto to refuse."""
    try:
        document = applied(json.loads(body))
    except (ValueError, KeyError, TypeError):
        return body
    return json.dumps(document).encode() if document else b""
