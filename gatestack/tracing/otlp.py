"""
Encodes a trace as OTLP JSON. Pure.

OpenTelemetry Protocol Specification, "JSON Protobuf Encoding": names in lowerCamelCase, trace and span ids as
hexadecimal digits, 64-bit integers as decimal strings, enum values as integers. opentelemetry-proto,
trace/v1/trace.proto: SpanKind INTERNAL is 1, StatusCode ERROR is 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from deployer.history.trace import Part

INTERNAL, ERROR = 1, 2
SCOPE = "gatestack"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Text = Callable[[str], str]


def document(
    root: Part,
    resource: Mapping[str, str],
    ids: Callable[[int], str],
    told: Text,
    *,
    trace_id: str = "",
    parent_id: str = "",
    version: str = "",
) -> dict[str, Any]:
    """
    Return an ExportTraceServiceRequest with *root* and its parts as one trace.

    *ids* returns so many random bytes as hexadecimal digits; every text passes *told*, which hides secrets.
    """
    spans = list(_spans(root, trace_id or ids(16), parent_id, ids, told))
    scope = {"name": SCOPE, "version": version}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(resource, told)},
                "scopeSpans": [{"scope": scope, "spans": spans}],
            }
        ]
    }


def _spans(
    part: Part, trace_id: str, parent_id: str, ids: Callable[[int], str], told: Text
) -> Iterator[dict[str, Any]]:
    span_id = ids(8)
    yield {
        "traceId": trace_id,
        "spanId": span_id,
        **({"parentSpanId": parent_id} if parent_id else {}),
        "name": told(part.name),
        "kind": INTERNAL,
        "startTimeUnixNano": _nano(part.start),
        "endTimeUnixNano": _nano(part.end),
        "attributes": _attributes(part.attributes, told),
        "status": {"code": ERROR, "message": told(part.error)} if part.error else {},
    }
    for one in part.parts:
        yield from _spans(one, trace_id, span_id, ids, told)


def _attributes(found: Mapping[str, str | int], told: Text) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value, told)} for name, value in found.items()]


def _value(value: str | int, told: Text) -> dict[str, str]:
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": told(value)}


def _nano(moment: datetime) -> str:
    return str((moment - _EPOCH) // _MICROSECOND * 1000)
