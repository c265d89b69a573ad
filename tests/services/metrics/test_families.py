"""What Prometheus is given: lawful, complete, and what the page of documentation says."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import pytest
from prometheus_client import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from proto.market import LinkOpened
from services.metrics.families import Families
from services.metrics.store import StoreCounts
from tests.house.tree import CHECKOUT
from tests.services.metrics.gathering import Gathering, a_beat, a_count, a_hello, a_hop, a_quote, a_trade, broken, hops

LABELS: Final = frozenset({"instance", "venue", "symbol", "hop", "reason", "kind"})
ROW: Final = re.compile(r"^\| `(bowline_\w+)` \| (\w+) \| (.*?) \| (.*) \|$", re.MULTILINE)


def everything() -> Families:
    """Return families each of which has a sample."""
    gathering = Gathering()
    gathering.hear("feed", a_hello())
    gathering.hear("feed", a_beat(cpu_time_ns=1_500_000_000))
    gathering.hear("feed", a_count())
    gathering.hear("feed", a_count(None))
    gathering.hear("metrics", hops(a_hop(counts=(0, 3, 1), sum_ns=130_000)))
    gathering.see(a_quote(64000.0, 64006.4))
    gathering.see(a_trade(), age_ns=10_000_000, exchange_age_ns=20_000_000)
    gathering.see(LinkOpened(symbol="BTC/USDT"))
    gathering.see(a_trade(symbol='ODD"\\\n/USD'), topic="binance/odd")
    gathering.watch(broken("binance/odd"))
    counts = StoreCounts()
    counts.failed["out of memory"] += 1
    return Families(gathering.gathered(), counts)


def parsed(families: Families) -> dict[str, Metric]:
    """Return the families as a reader of the text sees them."""
    return {family.name: family for family in parse_text(generate_latest(families).decode())}


def value(families: dict[str, Metric], name: str, **labels: str) -> float:
    """Return one sample."""
    samples = [sample for family in families.values() for sample in family.samples if sample.name == name]
    (found,) = [sample.value for sample in samples if labels.items() <= sample.labels.items()]
    return float(found)


def test_text_can_be_read_in_both_forms() -> None:
    """What is written can be read: as Prometheus always did, and by the stricter rules of OpenMetrics."""
    families = everything()
    assert len(parsed(families)) == len(list(families.collect()))
    text = generate_openmetrics(families).decode()  # type: ignore[no-untyped-call]  # so the library has it
    strict = list(parse_openmetrics(text))  # type: ignore[no-untyped-call]  # so the library has it
    assert len(strict) == len(list(families.collect()))


def test_names_keep_the_customs() -> None:
    """Names are ours, in base units; each family comes once, with words of its own, and a counter ends in _total."""
    families = list(everything().collect())
    names = [family.name for family in families]
    assert len(set(names)) == len(names)
    for family in families:
        assert re.fullmatch(r"bowline_[a-z]+(_[a-z]+)+", family.name)
        assert family.documentation.endswith(".")
        assert not re.search(r"_(ms|ns|us|milliseconds|percent|pct|bps|kb|mb|count|sum|bucket)$", family.name)
        assert not family.name.endswith("_total"), "the library adds it"
        if family.unit:
            assert family.name.endswith(f"_{family.unit}")
    assert len({family.documentation for family in families}) == len(families)


def test_samples_are_unique_and_their_labels_known() -> None:
    """No sample comes twice, and no label could take ever new values."""
    seen = set()
    for family in everything().collect():
        assert family.samples, f"{family.name} has no sample, so nothing here tries it"
        for sample in family.samples:
            assert sample.labels.keys() - {"le"} <= LABELS
            key = (sample.name, *sorted(sample.labels.items()))
            assert key not in seen
            seen.add(key)


def test_numbers_are_in_base_units() -> None:
    """Seconds, bytes and ratios, whatever the messages have."""
    families = parsed(everything())
    symbol = {"symbol": "BTC/USDT", "venue": "binance", "instance": "feed"}
    assert value(families, "bowline_symbol_spread_ratio", **symbol) == pytest.approx(0.0001, rel=1e-3)
    assert value(families, "bowline_symbol_received_age_seconds", **symbol) == pytest.approx(0.01)
    assert value(families, "bowline_symbol_exchange_age_seconds", **symbol) == pytest.approx(0.02)
    assert value(families, "bowline_symbol_link_open", **symbol) == 1
    assert value(families, "bowline_feed_taken_total", kind="trades", **symbol) == 100
    assert value(families, "bowline_feed_refused_total", reason="spike", symbol="") == 2
    assert value(families, "bowline_process_cpu_seconds_total", instance="feed") == 1.5
    assert value(families, "bowline_process_up", instance="risk") == 0
    assert value(families, "bowline_process_resident_memory_bytes", instance="feed") == 50_000_000
    assert value(families, "bowline_store_failed_total", reason="out of memory") == 1


def test_histogram_is_one() -> None:
    """Buckets only grow, the last is everything, and bounds are those of the message, in seconds."""
    family = parsed(everything())["bowline_hop_latency_seconds"]
    buckets = [sample for sample in family.samples if sample.name.endswith("_bucket")]
    assert [float(sample.labels["le"]) for sample in buckets][:3] == [1e-05, 2.5e-05, 5e-05]
    assert [sample.value for sample in buckets][:4] == [0, 3, 4, 4]
    assert all(before.value <= after.value for before, after in pairwise(buckets))
    assert buckets[-1].labels["le"] == "+Inf"
    rest = {sample.name: sample.value for sample in family.samples if sample not in buckets}
    assert rest == {"bowline_hop_latency_seconds_count": 4, "bowline_hop_latency_seconds_sum": 0.00013}


def test_process_that_is_silent_has_no_numbers_of_this_moment() -> None:
    """Of a silent process only what it was last heard to have counted stands there, and that it is not up."""
    gathering = Gathering()
    gathering.hear("feed", a_hello())
    gathering.hear("feed", a_beat(7))
    gathering.wait(10)
    families = parsed(Families(gathering.gathered(), StoreCounts()))
    assert value(families, "bowline_process_up", instance="feed") == 0
    assert value(families, "bowline_process_handled_total", instance="feed") == 7
    assert value(families, "bowline_process_heartbeat_age_seconds", instance="feed") == 10
    assert families["bowline_process_uptime_seconds"].samples == []


def documented(family: Metric) -> str:
    """Return the line that the page must have for a family."""
    name = f"{family.name}_total" if family.type == "counter" else family.name
    labels = dict.fromkeys(label for sample in family.samples for label in sample.labels if label != "le")
    return f"| `{name}` | {family.type} | {', '.join(labels) or 'none'} | {family.documentation} |"


def rows() -> Iterator[str]:
    """Yield the lines of the page."""
    text = (CHECKOUT / "docs/metrics.md").read_text(encoding="utf-8")
    yield from (match[0] for match in ROW.finditer(text))


def test_page_of_documentation_is_the_code() -> None:
    """Every family has its row, in order, with kind, labels and meaning; no row is of a family that is not."""
    assert list(rows()) == [documented(family) for family in everything().collect()]
