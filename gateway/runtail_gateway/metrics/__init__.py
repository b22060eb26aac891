"""Count what the gateway does, for Prometheus and OpenTelemetry."""
