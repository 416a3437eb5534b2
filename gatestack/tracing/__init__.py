"""OpenTelemetry: a run as one trace, sent at its end if OTEL_EXPORTER_OTLP_ENDPOINT is set."""
