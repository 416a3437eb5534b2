"""
The OpenTelemetry collector of `observability.collector`: one more sidecar, with its configuration. Pure.

The program sends traces and metrics over OTLP to localhost; the collector sends the traces to X-Ray and
writes the metrics to CloudWatch Logs in the embedded metric format, from which CloudWatch creates metrics.

Its configuration is gatestack's, in ``AOT_CONFIG_CONTENT``, not the image's
``/etc/ecs/ecs-default-config.yaml``: that one writes to a log group outside the stacks, without a key and
without retention, and would need the permission to create log groups. Sources, read 2026-11-28:
aws-observability/aws-otel-collector, config/ecs; OpenTelemetry Collector Contrib, README of awsemfexporter
and awsxrayexporter; OpenTelemetry specification, "OpenTelemetry Protocol Exporter" and "General SDK
Configuration" (the variables), which LiteLLM reads too (LiteLLM docs, "OpenTelemetry v1", and
litellm/integrations/opentelemetry.py, OpenTelemetryConfig.from_env).
"""

from __future__ import annotations

from typing import Final

import yaml

from stacks.sections.beside import Sidecar, SidecarCheck
from stacks.settings import Settings

NAME: Final = "collector"
IMAGE: Final = "public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0"
"""
The AWS Distro for OpenTelemetry of 14 July 2026, the newest release on 2026-11-28, for amd64 and arm64.

Pinned: the collector's configuration changes its words from release to release.
"""
PORT: Final = 4318
"""OTLP over HTTP: the exporter that every SDK has; gRPC needs a library of its own."""
LOG_GROUP: Final = "metrics"
NAMESPACE: Final = "gatestack"
CPU, MEMORY_MB, LIMIT_MB = 128, 256, 200
"""The collector drops what comes in before it would be ended for its memory (processor memory_limiter)."""


def wanted(settings: Settings) -> bool:
    """Whether the tasks that get the requests have a collector."""
    return settings.observability.collector == "otel"


def sidecar(settings: Settings) -> Sidecar:
    """Return the collector's container; its image has a program for ECS's health check, and no shell."""
    return Sidecar(
        name=NAME,
        image=settings.observability.collector_image or IMAGE,
        cpu=CPU,
        memory_mb=MEMORY_MB,
        environment={"AOT_CONFIG_CONTENT": configuration(settings)},
        ports=(PORT,),
        health_check=SidecarCheck(command=("CMD", "/healthcheck"), start_seconds=10),
    )


def log_group(settings: Settings) -> str:
    """Return the log group that metrics are written to: ``/ecs/dev-litellm-metrics``."""
    return settings.log_group_of(LOG_GROUP)


def variables(settings: Settings) -> dict[str, str]:
    """Return what tells LiteLLM, or a program with an OpenTelemetry SDK, where the collector is."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{PORT}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": settings.prefix,
    }


def configuration(settings: Settings) -> str:
    """Return the collector's configuration as YAML."""
    region = settings.region
    limiter = {"check_interval": "1s", "limit_mib": LIMIT_MB}
    metrics = {
        "region": region,
        "namespace": NAMESPACE,
        "log_group_name": log_group(settings),
        "log_stream_name": "{TaskId}",
        "dimension_rollup_option": "NoDimensionRollup",
    }
    whole = {
        "extensions": {"health_check": {"endpoint": "127.0.0.1:13133"}},
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{PORT}"}}}},
        "processors": {
            "memory_limiter": limiter,
            "resourcedetection": {"detectors": ["ecs"], "timeout": "2s"},
            "batch/traces": {"timeout": "1s", "send_batch_size": 50},
            "batch/metrics": {"timeout": "60s"},
        },
        "exporters": {"awsxray": {"region": region}, "awsemf": metrics},
        "service": {
            "extensions": ["health_check"],
            "pipelines": {
                "traces": _pipeline("batch/traces", "awsxray"),
                "metrics": _pipeline("batch/metrics", "awsemf"),
            },
        },
    }
    return yaml.safe_dump(whole, sort_keys=False)


def _pipeline(batch: str, exporter: str) -> dict[str, list[str]]:
    return {
        "receivers": ["otlp"],
        "processors": ["memory_limiter", "resourcedetection", batch],
        "exporters": [exporter],
    }
