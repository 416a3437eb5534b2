"""
The destination of a trace, from OpenTelemetry's own variables. Pure.

OpenTelemetry Specification, "Environment Variable Specification" and "OpenTelemetry Protocol Exporter", read
in November 2026; W3C Trace Context, "traceparent Header". An empty value counts as unset.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from deployer.web.exchange import allowed

MOST_SECONDS = 5.0
"""Longest wait of a finished run for the collector, whatever OTEL_EXPORTER_OTLP_TIMEOUT says."""
_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 1


class TracingError(Exception):
    """The variables give no valid destination for a trace; the message holds no value of them."""


@dataclass(frozen=True)
class Settings:
    """The destination of a trace, and its parent."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    attributes: Mapping[str, str]
    """Of the resource: OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME."""
    trace_id: str
    """Of TRACEPARENT, 32 hexadecimal digits; empty: the run has a trace of its own."""
    parent_id: str
    """16 hexadecimal digits."""
    seconds: float

    @property
    def where(self) -> str:
        """The host and port: the rest of the address may be secret."""
        return urlsplit(self.url).netloc


def settings(variables: Mapping[str, str]) -> Settings | None:
    """
    Return the settings from *variables*; None: no trace is wanted, or its parent is not sampled.

    Raises:
        TracingError: a trace is wanted, and cannot be sent with them.

    """
    given = {name: value.strip() for name, value in variables.items() if value.strip()}
    url = _of(given, "ENDPOINT")
    if not url or _off(given):
        return None
    parent = _PARENT.fullmatch(given.get("TRACEPARENT", ""))
    if parent and not int(parent[3], 16) & _SAMPLED:
        return None
    if "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" not in given:
        url = f"{url.rstrip('/')}/v1/traces"
    if _of(given, "PROTOCOL") == "grpc":
        raise TracingError(
            "OTEL_EXPORTER_OTLP_PROTOCOL is grpc, and gatestack sends OTLP over HTTP: set "
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT to the collector's HTTP address (its port is 4318, unless "
            "configured otherwise) and OTEL_EXPORTER_OTLP_TRACES_PROTOCOL to http/json"
        )
    headers = _pairs(_of(given, "HEADERS"))
    if not allowed(url, plain=True):
        raise TracingError("OTEL_EXPORTER_OTLP_ENDPOINT is no http:// or https:// address")
    if "@" in urlsplit(url).netloc:
        raise TracingError(
            "OTEL_EXPORTER_OTLP_ENDPOINT has a user or a password in it: put them into "
            "OTEL_EXPORTER_OTLP_HEADERS, as Authorization=Basic%20... of the collector's documentation"
        )
    if headers and not allowed(url):
        raise TracingError(
            "OTEL_EXPORTER_OTLP_HEADERS are sent over https:// or to this machine only, because they may "
            "hold a token: use the collector's https:// address, or unset them"
        )
    attributes = _pairs(given.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    if name := given.get("OTEL_SERVICE_NAME"):
        attributes["service.name"] = name
    trace_id, parent_id = (parent[1], parent[2]) if parent else ("", "")
    return Settings(url, headers, attributes, trace_id, parent_id, _seconds(_of(given, "TIMEOUT")))


def _of(given: Mapping[str, str], what: str) -> str:
    """Return the value for traces, else that for all signals."""
    return given.get(f"OTEL_EXPORTER_OTLP_TRACES_{what}") or given.get(f"OTEL_EXPORTER_OTLP_{what}", "")


def _off(given: Mapping[str, str]) -> bool:
    """Whether the SDK is disabled, or traces go elsewhere than to OTLP."""
    exporters = {one.strip() for one in given.get("OTEL_TRACES_EXPORTER", "otlp").split(",")}
    return given.get("OTEL_SDK_DISABLED", "").lower() == "true" or "otlp" not in exporters


def _pairs(text: str) -> dict[str, str]:
    """Return ``key=value,key2=value2``, percent-decoded (W3C Baggage); what is no pair is left out."""
    pairs = (one.partition("=") for one in text.split(","))
    return {
        unquote(key.strip()): unquote(value.strip()) for key, sign, value in pairs if sign and key.strip()
    }


def _seconds(milliseconds: str) -> float:
    wanted = float(milliseconds) / 1000 if milliseconds.isascii() and milliseconds.isdigit() else MOST_SECONDS
    return min(wanted, MOST_SECONDS) or MOST_SECONDS
