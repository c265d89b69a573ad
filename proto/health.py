"""How a process says who it is and that it moves."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from proto.fields import Count, Digest, DurationNs, Message, Name, Part, ShortText, Text
from proto.risk import Anchor
from proto.streams import TOPICS_MAX, StreamPosition

PUBLISHED_STREAMS_MAX = TOPICS_MAX + 1  # market data, and what the process reports from its journal
TROUBLES_MAX = 8
HOPS_MAX = 64

# Where the buckets of a hop's histogram end: 10 us to 10 s. What took longer has a bucket more, behind the last.
HOP_BOUNDS_NS: Final = tuple(
    step * 10**power for power in range(3, 10) for step in (10, 25, 50) if step * 10**power <= 10**10
)
HOP_BUCKETS = len(HOP_BOUNDS_NS) + 1


class Hello(Message, frozen=True, tag="hello.1"):
    """Who a process is: its first word, and repeated every few seconds, so that losing one costs nothing.

    Peers that differ in build, schema, configuration or account give no approvals. `money_config_digest` covers the
    money-relevant settings only; `account_fingerprint` is None for a process that knows no account.
    """

    process_id: Count
    restarts: Count
    build_id: ShortText
    schema_digest: Digest
    money_config_digest: Digest
    account_fingerprint: Digest | None


class Heartbeat(Message, frozen=True, tag="heartbeat.1"):
    """Sent by the core loop itself, so it proves that the loop moves. `handled` only grows; no growth is silence.

    `flatten_step` grows with every step of a flatten that is under way. `published` says the last number given out on
    each stream, which is how a reader notices that it missed the very last message. `anchor` is the last record of the
    journal, for readers to keep. The configuration may change under a running mesh, so its digest is here as well as in
    `Hello`. `troubles` are what its start found to be wary of, and a disk that has no room.
    """

    state: Literal["booting", "running", "draining"]
    handled: Count
    queued: Count
    flatten_step: Count
    money_config_digest: Digest
    loop_gap_max_ns: DurationNs
    memory_bytes: Count
    cpu_time_ns: DurationNs
    published: Annotated[tuple[StreamPosition, ...], Meta(max_length=PUBLISHED_STREAMS_MAX)]
    anchor: Anchor | None
    troubles: Annotated[tuple[Text, ...], Meta(max_length=TROUBLES_MAX)]


class HopLatency(Part, frozen=True):
    """How long one hop took. `negative` were refused: a clock was set; `clipped` took over 18 minutes.

    `buckets` says how many took at most 10, 25, 50, 100 us and so on to 10 s, each without those before it, and last
    how many took longer. Together they are `count`, so that readers can add up what they hear.
    """

    hop: Name
    count: Count
    sum_ns: DurationNs
    p50_ns: DurationNs
    p90_ns: DurationNs
    p99_ns: DurationNs
    p999_ns: DurationNs
    max_ns: DurationNs
    negative: Count
    clipped: Count
    buckets: Annotated[tuple[Count, ...], Meta(min_length=HOP_BUCKETS, max_length=HOP_BUCKETS)]


class HopsMeasured(Message, frozen=True, tag="hops_measured.1"):
    """What the hops that end in this process took since the last of these: `executor.reports` from saying to hearing.

    `core` is the time the core took for an input, `journal` what it took to make reports durable.
    """

    hops: Annotated[tuple[HopLatency, ...], Meta(max_length=HOPS_MAX)]
