"""How a process says who it is and that it moves; and the tick by which time reaches a core."""

from typing import Annotated, Literal

from msgspec import Meta

from proto.fields import Count, Digest, DurationNs, Id, Message, Name, Part, ShortText, TimeNs

PUBLISHED_STREAMS_MAX = 1024


class Hello(Message, frozen=True, tag="hello.1"):
    """The first word of a process. Peers that differ in build, schema, configuration or account give no approvals.

    `money_config_digest` covers the money-relevant settings only; `account_fingerprint` is None for a process that
    knows no account.
    """

    instance: Name
    process_id: Count
    restarts: Count
    build_id: ShortText
    schema_digest: Digest
    money_config_digest: Digest
    account_fingerprint: Digest | None


class Published(Part, frozen=True):
    """The last number a publisher gave out on a stream: how a reader notices that it missed the very last message."""

    stream: Id
    epoch: Count
    sequence: Count


class Heartbeat(Message, frozen=True, tag="heartbeat.1"):
    """Sent by the core loop itself, so it proves that the loop moves. `handled` only grows; no growth is silence."""

    state: Literal["booting", "standby", "running", "draining"]
    handled: Count
    queued: Count
    loop_gap_max_ns: DurationNs
    memory_bytes: Count
    cpu_time_ns: DurationNs
    published: Annotated[tuple[Published, ...], Meta(max_length=PUBLISHED_STREAMS_MAX)]


class ClockTick(Message, frozen=True, tag="clock_tick.1"):
    """Time passed. A core knows no other clock; `boot_id` says which boot the boot-time clock counts from."""

    wall_time_ns: TimeNs
    boot_time_ns: TimeNs
    boot_id: Id
