"""OpenTelemetry: a run as one trace, sent once at its end where OTEL_EXPORTER_OTLP_ENDPOINT says to."""
