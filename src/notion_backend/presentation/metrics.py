"""Figures of this process for Prometheus: requests, leads, and the mails of the whole service."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from notion_backend.application.delivery.deliveries import DeliveryService
from notion_backend.core.clock import utcnow
from notion_backend.core.errors import BusinessError

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The figures of one process. Their labels are few and known: no path, no name of anybody."""

    def __init__(self, deliveries: DeliveryService) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_DeliveryGauges(deliveries))
        self._requests = Counter(
            "notion_http_requests",
            "Requests answered.",
            ("method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "notion_http_request_seconds",
            "Time from a request's head to the end of its answer.",
            ("method",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.leads = Counter(
            "notion_leads", "Submissions stored as new leads.", registry=self._registry
        )

    def observe_request(self, method: str, status: int, seconds: float) -> None:
        """Count an answer and how long it took."""
        self.count_answer(method, status)
        self._seconds.labels(_label(method)).observe(seconds)

    def count_answer(self, method: str, status: int) -> None:
        """Count an answer that took no time worth a place among the others."""
        self._requests.labels(_label(method), str(status)).inc()

    def render(self) -> bytes:
        """Write all figures in Prometheus' text format."""
        return generate_latest(self._registry)


def _label(method: str) -> str:
    """Return the method's label; methods that nobody serves share one."""
    return method if method in _METHODS else "other"


class _DeliveryGauges(Collector):
    """Asks the ledger at each scrape, so that every process tells the same."""

    def __init__(self, deliveries: DeliveryService) -> None:
        self._deliveries = deliveries

    def collect(self) -> Iterable[Metric]:
        try:
            health = self._deliveries.health()
        except BusinessError:
            return  # no figures rather than wrong ones; /readyz says what is away
        mails = GaugeMetricFamily("notion_deliveries", "Mails by status.", labels=["status"])
        for status, count in health.by_status.items():
            mails.add_metric([status], count)
        yield mails
        yield GaugeMetricFamily(
            "notion_delivery_queue_age_seconds",
            "How long the longest waiting mail has been due.",
            (utcnow() - health.oldest_due_at).total_seconds() if health.oldest_due_at else 0,
        )
        yield GaugeMetricFamily(
            "notion_mail_stopped", "1 while mail does not get out.", int(health.stopped)
        )
