"""How a process says who it is and that it moves."""

from typing import Annotated, Literal

from msgspec import Meta

from proto.fields import Count, Digest, DurationNs, Message, Name, Part, ShortText
from proto.risk import Anchor
from proto.streams import TOPICS_MAX, StreamPosition

PUBLISHED_STREAMS_MAX = TOPICS_MAX + 1  # market data, and what the process reports from its journal
HOPS_MAX = 64


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
    `Hello`.
    """

    state: Literal["booting", "standby", "running", "draining"]
    handled: Count
    queued: Count
    flatten_step: Count
    money_config_digest: Digest
    loop_gap_max_ns: DurationNs
    memory_bytes: Count
    cpu_time_ns: DurationNs
    published: Annotated[tuple[StreamPosition, ...], Meta(max_length=PUBLISHED_STREAMS_MAX)]
    anchor: Anchor | None


class HopLatency(Part, frozen=True):
    """How long one hop took. `negative` were refused: a clock was set; `clipped` took over 18 minutes."""

    hop: Name
    count: Count
    p50_ns: DurationNs
    p90_ns: DurationNs
    p99_ns: DurationNs
    p999_ns: DurationNs
    max_ns: DurationNs
    negative: Count
    clipped: Count


class HopsMeasured(Message, frozen=True, tag="hops_measured.1"):
    """What the hops that end in this process took since the last of these: `executor.reports` from saying to hearing.

    `core` is the time the core took for an input, `journal` what it took to make reports durable.
    """

    hops: Annotated[tuple[HopLatency, ...], Meta(max_length=HOPS_MAX)]
