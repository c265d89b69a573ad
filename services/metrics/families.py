"""Everything that was gathered, in the terms of Prometheus. docs/metrics.md lists it; a test holds the two together.

Labels are few and bounded: instances, venues, symbols, hops, and words of our own. A counter falls only when the
process that counts begins anew. What nobody knows has no sample.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from proto.health import HOP_BOUNDS_NS
from proto.measures import ProcessMeasured, SymbolMeasured
from services.metrics.core.vocabulary import Gathered, SymbolCounts
from services.metrics.store import StoreCounts

Number = Decimal | float | None
Samples = Iterable[tuple[Sequence[str], Number]]

_NS_PER_S: Final = 1_000_000_000
_BPS: Final = 10_000
_UNITS: Final = frozenset({"bytes", "ratio", "seconds"})
_BOUNDS: Final = (*(repr(bound_ns / _NS_PER_S) for bound_ns in HOP_BOUNDS_NS), "+Inf")
_SYMBOL: Final = ("instance", "venue", "symbol")
_HOP: Final = ("instance", "hop")


def _seconds(duration_ns: int | None) -> float | None:
    return None if duration_ns is None else duration_ns / _NS_PER_S


_SYMBOL_GAUGES: Final[tuple[tuple[str, str, Callable[[SymbolMeasured], Number]], ...]] = (
    ("bid_price", "Best bid, in the quote asset.", lambda one: one.bid_price),
    ("ask_price", "Best ask, in the quote asset.", lambda one: one.ask_price),
    ("mid_price", "Middle of bid and ask, in the quote asset.", lambda one: one.mid_price),
    ("last_price", "Price of the last trade, in the quote asset.", lambda one: one.last_price),
    (
        "spread_ratio",
        "Spread, of the mid price: 0.0001 is a basis point.",
        lambda one: None if one.spread_bps is None else one.spread_bps / _BPS,
    ),
    (
        "received_age_seconds",
        "Since the last trade, quote or change of the book was received.",
        lambda one: _seconds(one.received_age_ns),
    ),
    (
        "exchange_age_seconds",
        "Since the last message that the venue stamped, by its stamp.",
        lambda one: _seconds(one.exchange_age_ns),
    ),
    ("link_open", "1 while data flows; 0 when it is lost, or its feed is silent.", lambda one: one.link == "open"),
    ("doubted", "1 while the data is not to be relied on.", lambda one: bool(one.doubts)),
)

# Of a process that was ever heard; the rest only while it is.
_PROCESS_GAUGES_EVER: Final[tuple[tuple[str, str, Callable[[ProcessMeasured], Number]], ...]] = (
    ("epoch", "Which start of it this is.", lambda one: one.epoch),
    ("heartbeat_age_seconds", "Since its last heartbeat.", lambda one: _seconds(one.heartbeat_age_ns)),
)
_PROCESS_GAUGES: Final[tuple[tuple[str, str, Callable[[ProcessMeasured], Number]], ...]] = (
    ("uptime_seconds", "Since metrics first heard it in this epoch.", lambda one: _seconds(one.uptime_ns)),
    ("queued_messages", "Inputs that wait in it, and answers that it waits for.", lambda one: one.queued),
    ("resident_memory_bytes", "Memory that it holds.", lambda one: one.memory_bytes),
    (
        "loop_gap_seconds",
        "Longest that its loop stood still, of the last few heartbeats.",
        lambda one: _seconds(one.loop_gap_max_ns),
    ),
)


class Families(Collector):
    """The families, made anew for each reading; those without a sample too."""

    def __init__(self, gathered: Gathered, counts: StoreCounts) -> None:
        self._gathered: Final = gathered
        self._counts: Final = counts

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield them all."""
        yield from _of_symbols(self._gathered)
        yield from _of_feeds(self._gathered)
        yield from _of_processes(self._gathered)
        yield from _of_hops(self._gathered)
        yield from _of_store(self._gathered, self._counts)


def _of_symbols(gathered: Gathered) -> Iterator[Metric]:
    symbols = [((one.feed, one.venue, one.symbol), one) for one in gathered.measures.symbols]
    for name, words, value in _SYMBOL_GAUGES:
        yield _gauge(f"symbol_{name}", words, _SYMBOL, ((labels, value(one)) for labels, one in symbols))
    heard = [one for one in gathered.symbols if one.symbol is not None]
    yield _counter(
        "symbol_messages_total",
        "Trades, quotes and changes of the book that metrics heard.",
        _SYMBOL,
        ((_labels(one), one.messages) for one in heard),
    )


def _of_feeds(gathered: Gathered) -> Iterator[Metric]:
    for done, label in (("taken", "kind"), ("refused", "reason")):
        tallies = ((one, one.took if done == "taken" else one.refused) for one in gathered.symbols)
        yield _counter(
            f"feed_{done}_total",
            f"What a feed has {done}, by {label}; without a symbol it is about its connections to the venue.",
            (*_SYMBOL, label),
            (((*_labels(one), what), count) for one, counts in tallies for what, count in counts.items()),
        )
    yield _counter(
        "feed_breaks_total",
        "How often a topic of a feed broke off for metrics, by reason; a snapshot closes each.",
        ("instance", "reason"),
        (((one.instance, one.reason), one.count) for one in gathered.breaks),
    )


def _of_processes(gathered: Gathered) -> Iterator[Metric]:
    known = [((one.instance,), one) for one in gathered.measures.processes]
    ever = [(labels, one) for labels, one in known if one.epoch]
    heard = [(labels, one) for labels, one in ever if one.state != "silent"]
    yield _gauge(
        "process_up",
        "1 while its heart beats; 0 for every instance that has a key and is silent.",
        ("instance",),
        ((labels, one.state != "silent") for labels, one in known),
    )
    for rows, processes in ((_PROCESS_GAUGES_EVER, ever), (_PROCESS_GAUGES, heard)):
        for name, words, value in rows:
            yield _gauge(f"process_{name}", words, ("instance",), ((labels, value(one)) for labels, one in processes))
    counts = [((one.instance,), one) for one in gathered.processes]
    for name, words, samples in (
        ("restarts_total", "How often it was started again.", [(labels, one.restarts) for labels, one in ever]),
        ("handled_total", "Inputs that it handled in this epoch.", [(labels, one.handled) for labels, one in counts]),
    ):
        yield _counter(f"process_{name}", words, ("instance",), samples)
    yield _counter(
        "process_cpu_seconds_total",
        "Processor time that it took in this epoch.",
        ("instance",),
        ((labels, _seconds(one.cpu_time_ns)) for labels, one in counts),
    )


def _of_hops(gathered: Gathered) -> Iterator[Metric]:
    latency = HistogramMetricFamily(
        "bowline_hop_latency_seconds",
        "How long a hop took that ends in this instance, added up from what that says every five seconds.",
        labels=_HOP,
        unit="seconds",
    )
    for hop in gathered.hops:
        reached = list(zip(_BOUNDS, accumulate(hop.buckets), strict=True))
        latency.add_metric((hop.instance, hop.hop), reached, hop.sum_ns / _NS_PER_S)
    yield latency
    yield _counter(
        "hop_negative_total",
        "Measurements refused because they ended before they began: a clock was set.",
        _HOP,
        (((hop.instance, hop.hop), hop.negative) for hop in gathered.hops),
    )
    yield _counter(
        "hop_clipped_total",
        "Measurements over 18 minutes, which count as 18 minutes.",
        _HOP,
        (((hop.instance, hop.hop), hop.clipped) for hop in gathered.hops),
    )


def _of_store(gathered: Gathered, counts: StoreCounts) -> Iterator[Metric]:
    yield _gauge("store_up", "1 while Redis takes the measures.", (), [((), gathered.measures.store == "up")])
    yield _counter("store_written_total", "Writings into Redis that were done.", (), [((), counts.written)])
    yield _counter(
        "store_left_out_total",
        "Seconds that were not written, for Redis was slow or away.",
        (),
        [((), counts.left_out)],
    )
    yield _counter(
        "store_failed_total",
        "Writings into Redis that failed, by reason.",
        ("reason",),
        (((reason,), count) for reason, count in counts.failed.items()),
    )
    yield _counter(
        "measures_left_out_total",
        "Symbols, processes and hops that there was no room for.",
        ("kind",),
        (((kind,), count) for kind, count in gathered.left_out.items()),
    )


def _labels(one: SymbolCounts) -> tuple[str, str, str]:
    return (one.feed, one.venue, one.symbol or "")


def _gauge(name: str, words: str, labels: Sequence[str], samples: Samples) -> Metric:
    return _filled(GaugeMetricFamily(f"bowline_{name}", words, labels=labels, unit=_unit(name)), samples)


def _counter(name: str, words: str, labels: Sequence[str], samples: Samples) -> Metric:
    return _filled(CounterMetricFamily(f"bowline_{name}", words, labels=labels, unit=_unit(name)), samples)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, samples: Samples) -> Metric:
    for labels, number in samples:
        if number is not None:
            family.add_metric(labels, float(number))  # Prometheus reckons in floats
    return family


def _unit(name: str) -> str:
    unit = name.removesuffix("_total").rpartition("_")[2]
    return unit if unit in _UNITS else ""
