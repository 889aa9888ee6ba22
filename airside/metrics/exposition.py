"""The text format for Prometheus. Imported at the first scrape: the library costs start-up time and memory."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from airside import __version__
from airside.db.database import Reader
from airside.metrics.gauges import Gauge, count_waiting_events, read_gauges
from airside.metrics.keep import write_counts
from airside.metrics.tables import metric_counts
from airside.runtime.counters import BUCKETS, ENDLESS
from airside.runtime.site import Site

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Name → its help text and its label, "" for none. A label value without a count yet is not exported.
COUNTERS = {
    "airside_events_recorded": ("Events that happened.", ""),
    "airside_events_fanned_out": ("Events that were matched with their listeners.", ""),
    "airside_webhook_deliveries_planned": ("Deliveries made of them: one a listener and payload.", ""),
    "airside_webhook_attempts": ("Attempts by what was decided after them.", "outcome"),
    "airside_oauth_token_requests": ("Requests for tokens: issued, or the error they got.", "outcome"),
    "airside_agent_runs_refused": ("Runs of agents that a guard refused, by reason.", "reason"),
    "airside_untrusted_forwarded_requests": (
        "Requests whose X-Forwarded-For was not believed, by the peer that sent it.",
        "peer",
    ),
    "airside_api_requests": ("Requests below /api/v1 by the class of their status.", "status"),
}
HISTOGRAMS = {"airside_webhook_attempt_seconds": "How long attempts took, answered or not."}

Counted = dict[str, dict[str, int]]


async def render_metrics(site: Site) -> bytes:
    """All counters and gauges of the instance."""
    await write_counts(site)
    counted = await _read_counts(site.db)
    fanned_out = counted.get("airside_events_fanned_out", {}).get("", 0)
    counted["airside_events_recorded"] = {"": fanned_out + await count_waiting_events(site.db)}
    gauges = await read_gauges(site.db, site.clock.now())
    registry = CollectorRegistry()
    registry.register(_Collector(list(_collect(counted, gauges))))
    return generate_latest(registry)


class _Collector(Collector):
    """Metrics that were read before, since the library collects synchronously."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


def _collect(counted: Counted, gauges: list[Gauge]) -> Iterator[Metric]:
    info = GaugeMetricFamily("airside_info", "Which Airside this is.", labels=["version"])
    info.add_metric([__version__], 1)
    yield info
    for name, (sentence, label) in COUNTERS.items():
        counter = CounterMetricFamily(name, sentence, labels=[label] if label else [])
        for value, count in sorted(counted.get(name, {} if label else {"": 0}).items()):
            counter.add_metric([value] if label else [], count)
        yield counter
    for name, sentence in HISTOGRAMS.items():
        yield _as_histogram(name, sentence, counted)
    for gauge in gauges:
        family = GaugeMetricFamily(gauge.name, gauge.sentence, labels=list(gauge.labels))
        for values, value in gauge.samples:
            family.add_metric(list(values), value)
        yield family


def _as_histogram(name: str, sentence: str, counted: Counted) -> Metric:
    found, total = counted.get(name, {}), 0
    buckets: list[tuple[str, float]] = []
    for bound in (*map(str, BUCKETS), ENDLESS):
        total += found.get(bound, 0)
        buckets.append((bound, total))
    seconds = counted.get(f"{name}_sum", {}).get("", 0) / 1000
    histogram = HistogramMetricFamily(name, sentence)
    histogram.add_metric([], buckets, seconds)
    return histogram


async def _read_counts(reader: Reader) -> Counted:
    counted: Counted = {}
    for row in await reader.find_all(metric_counts):
        counted.setdefault(row["name"], {})[row["label"]] = row["value"]
    return counted
