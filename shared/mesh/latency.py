"""How long each hop takes: histograms with bounded memory and a bounded error, for publishing all the time.

Every power of two is divided into 64 equal buckets. A bucket is at most 1/64 of its values wide and stands for its
middle, so a percentile is off by at most 1/128 (0.8 %) of itself; below 128 ns it is exact. Count, sum, least and
greatest are exact. A histogram holds 2,240 counts (about 18 kB) whatever happens. The `hdrhistogram` package was
weighed: docs/decisions/0006-locks-and-clocks.md says why these few lines stand here instead.
"""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

from proto.health import HOP_BOUNDS_NS, HOPS_MAX

SUB_BUCKET_BITS: Final = 6
RECORDED_MAX_NS: Final = (1 << 40) - 1  # 18 minutes; what takes longer is counted, and clipped to this
PER_MILLION: Final = 1_000_000
OTHER: Final = "other"

_BIT_LENGTH_EXACT: Final = SUB_BUCKET_BITS + 1
_BUCKETS: Final = (RECORDED_MAX_NS.bit_length() - _BIT_LENGTH_EXACT + 2) << SUB_BUCKET_BITS


@dataclass(frozen=True, slots=True)
class LatencySnapshot:
    """A histogram in plain numbers. All are zero when nothing was recorded."""

    count: int
    min_ns: int
    mean_ns: int
    p50_ns: int
    p90_ns: int
    p99_ns: int
    p999_ns: int
    max_ns: int
    clipped: int  # longer than the histogram reaches
    negative: int  # refused: an end before its beginning is a bug of the caller or a foreign clock
    sum_ns: int
    buckets: tuple[int, ...]  # of HOP_BOUNDS_NS, and last what is above them all


class LatencyHistogram:
    """The durations of one hop."""

    def __init__(self) -> None:
        self.counts = [0] * _BUCKETS
        self.sum_ns = 0
        self.min_ns = RECORDED_MAX_NS
        self.max_ns = 0
        self.clipped = 0
        self.negative = 0

    def record(self, duration_ns: int) -> None:
        """Count one duration."""
        if duration_ns < 0:
            self.negative += 1
            return
        if duration_ns > RECORDED_MAX_NS:
            self.clipped += 1
            duration_ns = RECORDED_MAX_NS
        shift = duration_ns.bit_length() - _BIT_LENGTH_EXACT
        # Written out, not called: this line runs for every message on every hop.
        self.counts[duration_ns if shift <= 0 else (shift << SUB_BUCKET_BITS) + (duration_ns >> shift)] += 1
        self.sum_ns += duration_ns
        if duration_ns < self.min_ns:  # noqa: PLR1730 - half the time of a call to min()
            self.min_ns = duration_ns
        if duration_ns > self.max_ns:  # noqa: PLR1730 - half the time of a call to max()
            self.max_ns = duration_ns

    def add(self, other: "LatencyHistogram") -> None:
        """Take in what another histogram recorded, as if it had been recorded here."""
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.sum_ns += other.sum_ns
        self.min_ns = min(self.min_ns, other.min_ns)
        self.max_ns = max(self.max_ns, other.max_ns)
        self.clipped += other.clipped
        self.negative += other.negative

    def snapshot(self) -> LatencySnapshot:
        """Return the plain numbers."""
        reached = list(accumulate(self.counts))
        count = reached[-1]
        p50_ns, p90_ns, p99_ns, p999_ns = self._percentiles([500_000, 900_000, 990_000, 999_000], reached)
        return LatencySnapshot(
            count=count,
            min_ns=self.min_ns if count else 0,
            mean_ns=self.sum_ns // count if count else 0,
            p50_ns=p50_ns,
            p90_ns=p90_ns,
            p99_ns=p99_ns,
            p999_ns=p999_ns,
            max_ns=self.max_ns,
            clipped=self.clipped,
            negative=self.negative,
            sum_ns=self.sum_ns,
            buckets=tuple(after - before for before, after in pairwise([0, *(reached[end] for end in _ENDS), count])),
        )

    def _percentiles(self, ascending_per_million: list[int], reached: list[int]) -> list[int]:
        """Walk the counts once; integers throughout, so that no rank is off by a rounding."""
        count = reached[-1]
        if not count:
            return [0] * len(ascending_per_million)
        found, index = [], 0
        for per_million in ascending_per_million:
            rank = max(-(-count * per_million // PER_MILLION), 1)
            while reached[index] < rank:
                index += 1
            found.append(min(max(_middle_ns(index), self.min_ns), self.max_ns))
        return found


def _middle_ns(index: int) -> int:
    shift = max((index >> SUB_BUCKET_BITS) - 1, 0)
    return ((index - (shift << SUB_BUCKET_BITS)) << shift) + ((1 << shift) >> 1)


# The last of our buckets that lies below each bound, by its middle, which is what it stands for.
_ENDS: Final = tuple(bisect_right(range(_BUCKETS), bound_ns, key=_middle_ns) - 1 for bound_ns in HOP_BOUNDS_NS)


class HopLatencies:
    """The histograms of a process, one per hop, at most HOPS_MAX of them: what comes later is counted as `other`."""

    def __init__(self) -> None:
        self._histograms: dict[str, LatencyHistogram] = {}

    def record(self, hop: str, duration_ns: int) -> None:
        """Count one duration of a hop."""
        histogram = self._histograms.get(hop)
        if histogram is None:
            name = hop if len(self._histograms) < HOPS_MAX - 1 else OTHER
            histogram = self._histograms.setdefault(name, LatencyHistogram())
        histogram.record(duration_ns)

    def take(self) -> dict[str, LatencySnapshot]:
        """Return the numbers since the last take, of the hops that had any, and begin anew."""
        taken = {hop: histogram.snapshot() for hop, histogram in self._histograms.items()}
        self._histograms = {}
        return taken
