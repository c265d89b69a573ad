"""The histogram against a sorted list, which is what it stands for."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.health import HOP_BOUNDS_NS, HOP_BUCKETS, HOPS_MAX
from shared.mesh.latency import (
    OTHER,
    PER_MILLION,
    RECORDED_MAX_NS,
    HopLatencies,
    LatencyHistogram,
    LatencySnapshot,
)

# As many short durations as long ones: a uniform draw would hardly ever be below a minute.
durations = st.integers(0, 40).flatmap(lambda bits: st.integers(0, (1 << bits) - 1))
samples = st.lists(durations, min_size=1, max_size=200)


def histogram_of(values: list[int]) -> LatencyHistogram:
    """Return a histogram of these durations."""
    histogram = LatencyHistogram()
    for value in values:
        histogram.record(value)
    return histogram


@given(samples)
def test_a_percentile_is_off_by_less_than_one_percent(values: list[int]) -> None:
    """Every percentile is within 1/128 of the value of that rank in the sorted list, and exact below 128 ns."""
    shown, rising = histogram_of(values).snapshot(), sorted(values)
    told = {500_000: shown.p50_ns, 900_000: shown.p90_ns, 990_000: shown.p99_ns, 999_000: shown.p999_ns}
    for per_million, found in told.items():
        exact = rising[max(-(-len(values) * per_million // PER_MILLION), 1) - 1]
        assert abs(found - exact) * 128 <= exact
        assert found == exact or exact >= 128


@given(samples)
def test_the_rest_is_exact(values: list[int]) -> None:
    """Count, least, greatest and mean are exact, and percentiles never leave what was seen nor cross each other."""
    shown = histogram_of(values).snapshot()
    assert (shown.count, shown.min_ns, shown.max_ns) == (len(values), min(values), max(values))
    assert shown.mean_ns == sum(values) // len(values)
    rising = [shown.min_ns, shown.p50_ns, shown.p90_ns, shown.p99_ns, shown.p999_ns, shown.max_ns]
    assert rising == sorted(rising)


@given(samples, samples)
def test_merging_is_recording_together(left: list[int], right: list[int]) -> None:
    """Adding a histogram gives what recording everything in one would have given."""
    merged = histogram_of(left)
    merged.add(histogram_of(right))
    assert vars(merged) == vars(histogram_of(left + right))


@pytest.mark.parametrize("value", [(1 << bits) + step for bits in range(41) for step in (-1, 0, 1)])
def test_every_edge_of_the_buckets_holds(value: int) -> None:
    """At and beside every power of two the error is within its bound, up to the very end of the range."""
    found = histogram_of([value, RECORDED_MAX_NS, 0]).snapshot().p50_ns
    assert abs(found - min(value, RECORDED_MAX_NS)) * 128 <= value


def test_too_long_is_clipped_and_counted() -> None:
    """A duration beyond the range is kept as the longest there is, and the snapshot says how many were."""
    shown = histogram_of([RECORDED_MAX_NS + 1, 10**18]).snapshot()
    assert (shown.count, shown.clipped, shown.max_ns) == (2, 2, RECORDED_MAX_NS)


def test_negative_is_refused_and_counted() -> None:
    """An end before its beginning is no latency: it is counted apart and spoils no number."""
    shown = histogram_of([-1, 5]).snapshot()
    assert (shown.count, shown.negative, shown.min_ns, shown.p50_ns) == (1, 1, 5, 5)


def test_an_empty_histogram_is_all_zero() -> None:
    """Nothing recorded is shown as zeros, not as an error."""
    assert LatencyHistogram().snapshot() == LatencySnapshot(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (0,) * HOP_BUCKETS)


@given(samples)
def test_buckets_are_counts_that_can_be_added_up(values: list[int]) -> None:
    """Up to each bound stands what was at most that long, give or take what lies within 1/64 of the bound."""
    shown = histogram_of(values).snapshot()
    assert (sum(shown.buckets), shown.sum_ns) == (len(values), sum(values))
    for bound_ns, reached in zip(HOP_BOUNDS_NS, accumulate(shown.buckets[:-1]), strict=True):
        surely = sum(value * 64 <= bound_ns * 63 for value in values)
        perhaps = sum(value * 64 <= bound_ns * 65 for value in values)
        assert surely <= reached <= perhaps


def test_bounds_are_as_the_message_says() -> None:
    """The bounds run from 10 us to 10 s in steps of 1, 2.5 and 5."""
    bounds = ", ".join(f"{bound_ns / 1e3:g}" for bound_ns in HOP_BOUNDS_NS)
    ms = "1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000"
    assert bounds == f"10, 25, 50, 100, 250, 500, {ms}, 1e+06, 2.5e+06, 5e+06, 1e+07"


def test_memory_does_not_grow() -> None:
    """A histogram has as many counts after a wide run of durations as when it was made."""
    histogram = LatencyHistogram()
    size = len(histogram.counts)
    for bits in range(64):
        histogram.record(1 << bits)
    assert len(histogram.counts) == size == 2_240


def test_hops_are_taken_in_turn() -> None:
    """Each take shows what was recorded since the last, and nothing of hops that had nothing."""
    hops = HopLatencies()
    hops.record("risk", 70)
    assert {hop: shown.p50_ns for hop, shown in hops.take().items()} == {"risk": 70}
    assert hops.take() == {}


def test_hops_beyond_the_bound_are_counted_together() -> None:
    """However many hops there are, so many are shown, and every duration is counted somewhere."""
    hops = HopLatencies()
    for number in range(10 * HOPS_MAX):
        hops.record(f"hop {number}", 1)
    taken = hops.take()
    assert len(taken) == HOPS_MAX
    assert taken[OTHER].count == 9 * HOPS_MAX + 1
