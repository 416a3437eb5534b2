"""An OpenTelemetry collector on this machine that records what it is sent, and the shape of that."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

HEX = re.compile("[0-9a-f]+")
SPAN = {
    "traceId": 32,
    "spanId": 16,
    "parentSpanId": 16,
    "name": str,
    "kind": int,
    "startTimeUnixNano": re.compile(r"\d{19}"),
    "endTimeUnixNano": re.compile(r"\d{19}"),
    "attributes": list,
    "status": dict,
}
"""
Fields of a span as opentelemetry-proto's trace/v1/trace.proto has them, in its JSON encoding.

A number: so many hexadecimal digits; a pattern: a 64-bit integer as a text (ProtoJSON).
"""
VALUES = {"stringValue": str, "intValue": re.compile(r"-?\d+")}
"""Those of common/v1/common.proto's AnyValue that gatestack sends."""


@dataclass
class Collector:
    """A WSGI application; returns each of *answers* once, then 200."""

    answers: list[tuple[str, Any]] = field(default_factory=list)
    got: list[Any] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    """Path and headers."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.got.append(json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
        self.asked.append({name: value for name, value in environ.items() if isinstance(value, str)})
        status, answer = self.answers.pop(0) if self.answers else ("200 OK", {"partialSuccess": {}})
        start_response(status, [("Content-Type", "application/json"), ("Location", "/elsewhere")])
        return [json.dumps(answer).encode()]

    @property
    def spans(self) -> list[dict[str, Any]]:
        """The spans of the only request, checked."""
        (request,) = self.got
        return spans_of(request)


def spans_of(request: Any) -> list[dict[str, Any]]:
    """Return the spans of an ExportTraceServiceRequest; fails if it is none."""
    assert request.keys() == {"resourceSpans"}
    (resource,) = request["resourceSpans"]
    assert resource.keys() == {"resource", "scopeSpans"}
    assert resource["resource"].keys() == {"attributes"}
    attributes(resource["resource"])
    (scope,) = resource["scopeSpans"]
    assert scope.keys() == {"scope", "spans"}
    assert scope["scope"].keys() == {"name", "version"}
    for span in scope["spans"]:
        assert span.keys() - {"parentSpanId"} == SPAN.keys() - {"parentSpanId"}
        for name, value in span.items():
            kind = SPAN[name]
            if isinstance(kind, int):
                assert HEX.fullmatch(value)
                assert len(value) == kind
            elif isinstance(kind, re.Pattern):
                assert kind.fullmatch(value), (name, value)
            else:
                assert isinstance(value, kind), (name, value)
        assert span["status"].keys() <= {"code", "message"}
        attributes(span)
    found: list[dict[str, Any]] = scope["spans"]
    return found


def attributes(one: dict[str, Any]) -> dict[str, str]:
    """Return the attributes of a span or a resource; fails if they are malformed."""
    found = {}
    for each in one["attributes"]:
        assert each.keys() == {"key", "value"}
        ((kind, value),) = each["value"].items()
        expected = VALUES[kind]
        assert expected.fullmatch(value) if isinstance(expected, re.Pattern) else isinstance(value, expected)
        found[each["key"]] = value
    return found
