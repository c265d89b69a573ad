"""How long the hops took: as last heard, and added up for as long as metrics runs."""

from operator import add
from typing import Final

from proto.envelope import Envelope
from proto.health import HOP_BUCKETS, HopLatency, HopsMeasured
from proto.measures import HOPS_TOGETHER_MAX, HopMeasured, HopsGiven
from services.metrics.core.places import Places
from services.metrics.core.vocabulary import HopCounts
from shared.core.service import Moment

# A process says what its hops took every five seconds; who has missed three of them says nothing of late.
OF_LATE_NS: Final = 15_000_000_000


class HopTotals:
    """Every hop that was ever heard of, up to a bound."""

    def __init__(self) -> None:
        self._totals: Final[dict[tuple[str, str], _Total]] = {}
        self._places: Final[Places[tuple[str, str]]] = Places(HOPS_TOGETHER_MAX)
        self._last: Final[dict[str, tuple[int, tuple[HopLatency, ...]]]] = {}
        self._heard: Final[dict[str, tuple[int, int]]] = {}

    @property
    def left_out(self) -> int:
        """How many hops there was no room for."""
        return self._places.left_out

    def hear(self, instance: str, envelope: Envelope, now: Moment) -> None:
        """Take in what a process measured since it last said so. Its next epoch begins anew, and we go on adding."""
        body, number = envelope.body, (envelope.epoch, envelope.sequence)
        if not isinstance(body, HopsMeasured) or number <= self._heard.get(instance, (0, 0)):
            return
        self._heard[instance] = number
        admitted = tuple(hop for hop in body.hops if self._places.admits((instance, hop.hop)))
        self._last[instance] = (now.boot_ns, admitted)
        for hop in admitted:
            self._totals.setdefault((instance, hop.hop), _Total()).take(hop)

    def given(self, now: Moment) -> HopsGiven:
        """Return the hops that had a message of late."""
        hops = [
            HopMeasured(instance=instance, latency=hop)
            for instance, (heard_ns, latest) in sorted(self._last.items())
            if now.boot_ns - heard_ns <= OF_LATE_NS
            for hop in latest
        ]
        return HopsGiven(hops=tuple(hops))

    def counts(self) -> tuple[HopCounts, ...]:
        """Return what was added up."""
        return tuple(
            HopCounts(instance, hop, total.sum_ns, tuple(total.buckets), total.negative, total.clipped)
            for (instance, hop), total in self._totals.items()
        )


class _Total:
    """One hop, added up."""

    def __init__(self) -> None:
        self.sum_ns = 0
        self.negative = 0
        self.clipped = 0
        self.buckets = [0] * HOP_BUCKETS

    def take(self, hop: HopLatency) -> None:
        self.sum_ns += hop.sum_ns
        self.negative += hop.negative
        self.clipped += hop.clipped
        self.buckets = list(map(add, self.buckets, hop.buckets))
