"""How long each hop takes, measured in production, always: by the stamps that every message carries."""

from collections import deque
from typing import Final

from proto.envelope import Envelope
from proto.health import HopLatency, HopsMeasured
from proto.topics import topic_of
from shared.core.continuity import Seen
from shared.core.service import Asked, Happening, Heard, Moment, Told, Watched
from shared.mesh.latency import HopLatencies

CORE: Final = "core"
JOURNAL: Final = "journal"
MARKET: Final = "market"


class Hops:
    """Records what the inputs of a core say about their way, and puts it into a message now and then.

    An input is counted when all that comes of it is done: what leaves because of it need not wait for that.
    """

    def __init__(self) -> None:
        self._latencies: Final = HopLatencies()
        self._arrived: Final[deque[tuple[Happening, Moment]]] = deque()
        self._took: Final[deque[tuple[str, int]]] = deque()

    def arrived(self, happening: Happening, now: Moment) -> None:
        """Note when an input came."""
        self._arrived.append((happening, now))

    def took(self, step: str, duration_ns: int) -> None:
        """Note what a step inside this process took."""
        self._took.append((step, duration_ns))

    def count(self) -> None:
        """Count what was noted."""
        while self._arrived:
            self._count_arrival(*self._arrived.popleft())
        while self._took:
            self._latencies.record(*self._took.popleft())

    def _count_arrival(self, happening: Happening, now: Moment) -> None:
        """Measure from the saying to the hearing. Of market data that came together, the newest stands for all."""
        match happening:
            case Asked(envelope=envelope) | Told(envelope=envelope) | Heard(envelope=envelope):
                self._came(envelope, now)
            case Watched(instance=instance, events=events):
                newest = events[-1]
                if isinstance(newest, Seen):
                    # The thin envelope has the wall clock only; a step of that shows as `negative` or as an outlier.
                    self._latencies.record(f"{instance}.{MARKET}", now.wall_ns - newest.envelope.published_wall_ns)
            case _:
                return

    def measured(self) -> HopsMeasured:
        """Return everything since the last time."""
        self.count()
        return HopsMeasured(
            hops=tuple(
                HopLatency(
                    hop=hop,
                    count=snapshot.count,
                    sum_ns=snapshot.sum_ns,
                    p50_ns=snapshot.p50_ns,
                    p90_ns=snapshot.p90_ns,
                    p99_ns=snapshot.p99_ns,
                    p999_ns=snapshot.p999_ns,
                    max_ns=snapshot.max_ns,
                    negative=snapshot.negative,
                    clipped=snapshot.clipped,
                    buckets=snapshot.buckets,
                )
                for hop, snapshot in self._latencies.take().items()
            )
        )

    def _came(self, envelope: Envelope, now: Moment) -> None:
        if envelope.boot_id == now.boot_id:
            hop = f"{envelope.sender}.{topic_of(type(envelope.body)).socket}"
            self._latencies.record(hop, now.boot_ns - envelope.sent_boot_ns)
