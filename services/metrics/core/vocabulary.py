"""What the core of metrics hands to its shell, and what the shell brings in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from proto.measures import MeasuresGiven
from shared.core.service import FromOutside, Outward

StoreState = Literal["off", "connecting", "up", "down", "full"]


@dataclass(frozen=True, slots=True)
class SymbolCounts:
    """What only grows, of a symbol; without a symbol it is what a feed says about its connections to the venue."""

    feed: str
    venue: str
    symbol: str | None
    messages: int
    took: Mapping[str, int]
    refused: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ProcessCounts:
    """What only grows, of a process, as of the last heartbeat of its epoch."""

    instance: str
    handled: int
    cpu_time_ns: int


@dataclass(frozen=True, slots=True)
class HopCounts:
    """Everything heard of a hop since metrics began: `buckets` as in `HopLatency`."""

    instance: str
    hop: str
    sum_ns: int
    buckets: tuple[int, ...]
    negative: int
    clipped: int


@dataclass(frozen=True, slots=True)
class BreakCount:
    """How often the market data of an instance broke off on some topic, for one reason."""

    instance: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Gathered(Outward):
    """Everything that is known: for the store and for whoever asks over HTTP."""

    measures: MeasuresGiven
    symbols: tuple[SymbolCounts, ...]
    processes: tuple[ProcessCounts, ...]
    hops: tuple[HopCounts, ...]
    breaks: tuple[BreakCount, ...]
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StoreChanged(FromOutside):
    """How it stands with Redis from now on; a reason where it is not up."""

    state: StoreState
    reason: str | None


@dataclass(frozen=True, slots=True)
class PageServed(FromOutside):
    """The page for Prometheus can be had at this address."""

    address: str


@dataclass(frozen=True, slots=True)
class PostAlert(Outward):
    """Something that a person should know, for whoever reads the webhook."""

    alert_id: str
    level: Literal["info", "warning", "critical"]
    name: str
    text: str
    at_wall_ns: int


@dataclass(frozen=True, slots=True)
class WebhookChanged(FromOutside):
    """How it stands with the webhook from now on: its trouble, None if it takes alerts."""

    trouble: str | None


@dataclass(frozen=True, slots=True)
class AlertLost(FromOutside):
    """An alert that nobody took."""

    alert_id: str
    name: str
    why: str
