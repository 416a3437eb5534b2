"""Where a trace goes, by OpenTelemetry's variables; what cannot be is one sentence without their values."""

from __future__ import annotations

import pytest

from gatestack.tracing.settings import Settings, TracingError, settings

BASE = "OTEL_EXPORTER_OTLP_"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HERE = {f"{BASE}ENDPOINT": "http://127.0.0.1:4318"}
SECRET = "Bearer 0123456789abcdef"


def found(**variables: str) -> Settings:
    one = settings(HERE | variables)
    assert one is not None
    return one


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"ENDPOINT": "http://collector:4318"}, "http://collector:4318/v1/traces"),
        ({"ENDPOINT": "https://otlp.example/otlp/"}, "https://otlp.example/otlp/v1/traces"),
        ({"ENDPOINT": "http://a:1", "TRACES_ENDPOINT": "https://b/traces"}, "https://b/traces"),
        ({"ENDPOINT": "", "TRACES_ENDPOINT": " https://b/traces "}, "https://b/traces"),
    ],
)
def test_the_address_is_that_for_traces_else_that_for_all_signals(
    variables: dict[str, str], url: str
) -> None:
    one = settings({f"{BASE}{name}": value for name, value in variables.items()})

    assert one is not None
    assert one.url == url
    assert "traces" not in one.where


@pytest.mark.parametrize(
    "variables",
    [
        {f"{BASE}ENDPOINT": " "},
        {"OTEL_SDK_DISABLED": "True"},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_TRACES_EXPORTER": "console"},
        {"TRACEPARENT": f"00-{TRACE}-{SPAN}-00"},
    ],
)
def test_no_trace_is_wanted(variables: dict[str, str]) -> None:
    assert settings({}) is None
    assert settings(HERE | variables) is None


def test_headers_and_attributes_are_pairs_percent_decoded() -> None:
    one = found(
        OTEL_EXPORTER_OTLP_HEADERS="api-key=abc%3D%3D, Authorization=Basic%20eA==,broken",
        OTEL_RESOURCE_ATTRIBUTES="team=platform,service.name=other,deployment.environment.name=dev%2C1",
        OTEL_SERVICE_NAME="gateway",
    )

    assert one.headers == {"api-key": "abc==", "Authorization": "Basic eA=="}
    assert one.attributes == {
        "team": "platform",
        "service.name": "gateway",
        "deployment.environment.name": "dev,1",
    }
    assert found(OTEL_EXPORTER_OTLP_HEADERS="a=1", OTEL_EXPORTER_OTLP_TRACES_HEADERS="b=2").headers == {
        "b": "2"
    }
    assert "abc" not in repr(one)


@pytest.mark.parametrize(
    ("parent", "ids"),
    [
        (f"00-{TRACE}-{SPAN}-01", (TRACE, SPAN)),
        (f"01-{TRACE}-{SPAN}-03-more", (TRACE, SPAN)),
        (f"ff-{TRACE}-{SPAN}-01", ("", "")),
        (f"00-{'0' * 32}-{SPAN}-01", ("", "")),
        (f"00-{TRACE}-{'0' * 16}-01", ("", "")),
        (f"00-{TRACE.upper()}-{SPAN}-01", ("", "")),
        ("nonsense", ("", "")),
    ],
)
def test_the_parent_is_what_the_pipeline_says_unless_it_is_none(parent: str, ids: tuple[str, str]) -> None:
    one = found(TRACEPARENT=parent)

    assert (one.trace_id, one.parent_id) == ids


@pytest.mark.parametrize(
    ("milliseconds", "seconds"), [("", 5), ("1500", 1.5), ("60000", 5), ("0", 5), ("soon", 5)]
)
def test_the_collector_is_waited_for_as_long_as_asked_and_five_seconds_at_most(
    milliseconds: str, seconds: float
) -> None:
    assert found(OTEL_EXPORTER_OTLP_TIMEOUT=milliseconds).seconds == seconds


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({f"{BASE}PROTOCOL": "grpc"}, "to the collector's HTTP address"),
        ({f"{BASE}ENDPOINT": "collector:4318"}, "no http:// or https:// address"),
        ({f"{BASE}ENDPOINT": "https://["}, "no http:// or https:// address"),
        ({f"{BASE}ENDPOINT": "https://me:s3cret@collector"}, "has a user or a password in it"),
        (
            {f"{BASE}ENDPOINT": "http://collector:4318", f"{BASE}HEADERS": f"Authorization={SECRET}"},
            "use the collector's https:// address, or unset them",
        ),
    ],
)
def test_what_cannot_be_sent_is_said_without_the_values(variables: dict[str, str], words: str) -> None:
    with pytest.raises(TracingError) as raised:
        settings(HERE | variables)

    assert words in str(raised.value)
    assert not {"s3cret", "0123456789abcdef"} & set(str(raised.value).split())
    assert "0123456789" not in str(raised.value)


def test_every_way_out_that_a_refusal_names_is_one() -> None:
    headers = {f"{BASE}HEADERS": f"Authorization={SECRET}"}
    assert settings(headers | {f"{BASE}ENDPOINT": "https://collector"}) is not None
    assert settings({f"{BASE}ENDPOINT": "http://collector:4318"}) is not None
    over_http = {f"{BASE}TRACES_ENDPOINT": "http://collector:4318", f"{BASE}TRACES_PROTOCOL": "http/json"}
    assert settings(HERE | {f"{BASE}PROTOCOL": "grpc"} | over_http) is not None
