"""Count what is alerted of. A rule's name is no label: rules are many, and change."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from runtail_gateway.alerts.rules import WHENS, When


class AlertMetrics:
    """The metrics of this process's alerts; they exist only where there are rules."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.alerting = Gauge(
            "runtail_gateway_alerting", "1 while this process sends alerts", registry=registry
        )
        fired = Counter(
            "runtail_gateway_alerts", "Alerts by what they are of", ["when"], registry=registry
        )
        self._fired = {when: fired.labels(when) for when in WHENS}
        self.waiting = Gauge(
            "runtail_gateway_alerts_waiting",
            "Messages that are still to be sent",
            registry=registry,
        )
        self.sent = Counter(
            "runtail_gateway_alerts_sent", "Messages that receivers took", registry=registry
        )
        self.failed = Counter(
            "runtail_gateway_alerts_failed", "Attempts to send that failed", registry=registry
        )
        self.given_up = Counter(
            "runtail_gateway_alerts_given_up",
            "Messages that no receiver took for a day",
            registry=registry,
        )
        self.put_off = Counter(
            "runtail_gateway_alerts_put_off",
            "Times that an alert was put off because too many wait",
            registry=registry,
        )

    def fired(self, when: When) -> None:
        """Count an alert."""
        self._fired[when].inc()
