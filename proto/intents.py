"""What a strategy wants: entries asked of risk, exits told to the executor.

A bracket (one entry, its protection, its targets) is the first kind of entry; ladders and pairs become messages of
their own beside it, each level and leg approved as a parent of its own.
"""

from typing import Annotated

from msgspec import Meta

from proto.fields import (
    DurationNs,
    Fraction,
    Id,
    Message,
    Name,
    Part,
    Price,
    Quantity,
    ShortText,
    Side,
    Symbol,
    Text,
    Timeframe,
    TimeNs,
)
from proto.streams import StreamPosition

TARGETS_MAX = 8
EVIDENCE_MAX = 16


class StopCover(Part, frozen=True, tag="stop"):
    """A protective order rests on the exchange after each fill."""

    stop_price: Price


class WatchCover(Part, frozen=True, tag="watch"):
    """The executor itself watches the level on ticks, where an order cannot rest (below the venue's minimum size)."""

    level_price: Price


Cover = StopCover | WatchCover


class Target(Part, frozen=True):
    """Take profit: leave with this fraction of the filled quantity at this price."""

    price: Price
    quantity_fraction: Fraction


class Evidence(Part, frozen=True):
    """One thing the decision rests on, by name and value as the strategy saw it: the answer to "why did we buy?"."""

    name: Name
    value: ShortText


Targets = Annotated[tuple[Target, ...], Meta(max_length=TARGETS_MAX)]
EvidenceList = Annotated[tuple[Evidence, ...], Meta(max_length=EVIDENCE_MAX)]


class EnterBracket(Message, frozen=True, tag="enter_bracket.1"):
    """Ask risk for an entry. `intent_id` is a function of strategy, symbol, bar close, side and n: twice is once.

    `market_seen` is the last market message the decision rests on. `price_worst` is the highest
    price a buy (the lowest a sell) may pay. `expected_gain_fraction` stands in for targets where there are none.
    """

    intent_id: Id
    strategy: Name
    symbol: Symbol
    side: Side
    timeframe: Timeframe
    bar_close_time_ns: TimeNs
    market_seen: StreamPosition
    decision_price: Price
    price_worst: Price
    cover: Cover
    targets: Targets
    trail_distance: Price | None
    risk_fraction: Fraction
    expected_gain_fraction: Fraction | None
    work_for_ns: DurationNs
    evidence: EvidenceList


class SetExit(Message, frozen=True, tag="set_exit.1"):
    """Bring the position of a strategy in a symbol down to a quantity. Targets only ratchet: the lowest one holds."""

    exit_id: Id
    strategy: Name
    symbol: Symbol
    target_quantity: Quantity
    reason: Text


class ExitTaken(Message, frozen=True, tag="exit_taken.1"):
    """The executor works towards this target, which is lower than the one asked for where a lower one already held."""

    exit_id: Id
    target_quantity: Quantity


class ExitRefused(Message, frozen=True, tag="exit_refused.1"):
    """The exit names nothing the executor holds. A position is never refused its exit."""

    exit_id: Id
    reason: Text
