"""What is measured about the market data and the mesh: for people to look at, never for decisions."""

from typing import Annotated, Literal

from msgspec import Meta

from proto.fields import Count, DurationNs, Instance, Message, Name, Part, Price, Quantity, Symbol, TimeNs
from proto.health import HopLatency

SYMBOLS_MAX = 120
TALLIES_MAX = 64
PROCESSES_MAX = 64
DOUBTS_MAX = 12  # that many of a feed's reasons are told
HOPS_TOGETHER_MAX = 400
REASON_LENGTH_MAX = 120


class Tally(Part, frozen=True):
    """How often something happened since the process began."""

    what: Name
    count: Count


Tallies = Annotated[tuple[Tally, ...], Meta(max_length=TALLIES_MAX)]


class FeedCounted(Message, frozen=True, tag="feed_counted.1"):
    """What a feed counted of a symbol since it began: what it `took`, by kind, and what it `refused`, by reason.

    Without a symbol it is about the connections to the venue.
    """

    venue: Name
    symbol: Symbol | None
    took: Tallies
    refused: Tallies


class AskMeasures(Message, frozen=True, tag="ask_measures.1"):
    """Ask how the symbols and the processes are at this moment, or how long the hops took of late."""

    of: Literal["symbols and processes", "hops"]


class SymbolMeasured(Part, frozen=True):
    """A symbol of a feed. What was never heard is None; ages are by the clock of metrics.

    `lost_reason` says in a line why the link is lost. `spread_bps` is of the mid price; `exchange_age_ns` is by the
    venue's stamp and None where it stamps nothing.
    """

    feed: Instance
    venue: Name
    symbol: Symbol
    link: Literal["unknown", "open", "lost"]
    lost_reason: Annotated[str, Meta(min_length=1, max_length=REASON_LENGTH_MAX)] | None
    doubts: Annotated[tuple[Name, ...], Meta(max_length=DOUBTS_MAX)]
    bid_price: Price | None
    ask_price: Price | None
    mid_price: Price | None
    spread_bps: Quantity | None
    last_price: Price | None
    messages_per_second: Quantity
    received_age_ns: DurationNs | None
    exchange_age_ns: DurationNs | None
    refused_count: Count


class ProcessMeasured(Part, frozen=True):
    """A process of the mesh, by its own heartbeats. Silent: it says nothing; where `epoch` is 0 it never did.

    Crash loop: it speaks, and three of its lives ended within a minute without the word that they drain.
    """

    instance: Instance
    state: Literal["silent", "crash loop", "booting", "running", "draining"]
    epoch: Count
    restarts: Count
    process_id: Count
    uptime_ns: DurationNs
    heartbeat_age_ns: DurationNs | None
    queued: Count
    handled_per_second: Quantity
    memory_bytes: Count
    cpu_percent: Quantity
    loop_gap_max_ns: DurationNs


class MeasuresGiven(Message, frozen=True, tag="measures_given.1"):
    """Symbols and processes as they are. `store` is how it stands with Redis; without it all of this is the same."""

    taken_wall_ns: TimeNs
    store: Literal["off", "connecting", "up", "down", "full"]
    store_reason: Name | None
    symbols: Annotated[tuple[SymbolMeasured, ...], Meta(max_length=SYMBOLS_MAX)]
    processes: Annotated[tuple[ProcessMeasured, ...], Meta(max_length=PROCESSES_MAX)]


class HopMeasured(Part, frozen=True):
    """A hop that ends in `instance`, over what it measured last."""

    instance: Instance
    latency: HopLatency


class HopsGiven(Message, frozen=True, tag="hops_given.1"):
    """Every hop that had a message of late."""

    hops: Annotated[tuple[HopMeasured, ...], Meta(max_length=HOPS_TOGETHER_MAX)]
