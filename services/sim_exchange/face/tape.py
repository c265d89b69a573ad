"""The public trades as the face keeps them: the last of each symbol, and those of one taker at one price put together.

Pure. Fed with every event by the market feed; the core remembers the single trades.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from services.sim_exchange.face.layout import Payload, fixed
from services.sim_exchange.face.records import Records
from services.sim_exchange.venue.vocabulary import Event, Traded

AGGREGATES_MAX: Final = 20_000  # kept per symbol; older ones are forgotten


class Aggregate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one order took at one price."""

    aggregate_id: int
    symbol: str
    price: Decimal
    quantity: Decimal
    first_id: int
    last_id: int
    buyer_is_maker: bool
    time_ms: int


class _Ribbon:
    """The tape of one symbol."""

    def __init__(self) -> None:
        self.aggregates: Final[deque[Aggregate]] = deque(maxlen=AGGREGATES_MAX)
        self.last: Traded | None = None
        self._taker: tuple[int, Decimal] | None = None

    def add(self, trade: Traded) -> Aggregate:
        """Put a trade to the aggregate it belongs to, or begin the next one, and return it."""
        taker = (trade.seller_order_id if trade.buyer_is_maker else trade.buyer_order_id, trade.price)
        if taker == self._taker:
            before = self.aggregates.pop()
            grown = msgspec.structs.replace(before, quantity=before.quantity + trade.quantity, last_id=trade.trade_id)
        else:
            # Begun at the id of the oldest trade that is remembered, ids of aggregates are never given twice: there
            # are at most as many of them as of trades.
            next_id = self.aggregates[-1].aggregate_id + 1 if self.aggregates else trade.trade_id
            grown = Aggregate(
                aggregate_id=next_id,
                symbol=trade.symbol,
                price=trade.price,
                quantity=trade.quantity,
                first_id=trade.trade_id,
                last_id=trade.trade_id,
                buyer_is_maker=trade.buyer_is_maker,
                time_ms=trade.time_ms,
            )
        self._taker = taker
        self.last = trade
        self.aggregates.append(grown)
        return grown


class Tape:
    """The tapes of all symbols, begun with the trades that are remembered."""

    def __init__(self, records: Records) -> None:
        self._ribbons: Final[dict[str, _Ribbon]] = {}
        for symbol in records.rules():
            self._put(records.trades(symbol))

    def take(self, events: Iterable[Event]) -> list[Aggregate]:
        """Take up what was traded and return the aggregates this made."""
        return self._put(event for event in events if isinstance(event, Traded))

    def last(self, symbol: str) -> Traded | None:
        """Return the last trade of a symbol."""
        ribbon = self._ribbons.get(symbol)
        return None if ribbon is None else ribbon.last

    def aggregates(self, symbol: str) -> Sequence[Aggregate]:
        """Return the aggregates of a symbol, oldest first."""
        ribbon = self._ribbons.get(symbol)
        return () if ribbon is None else ribbon.aggregates

    def _put(self, trades: Iterable[Traded]) -> list[Aggregate]:
        made: dict[tuple[str, int], Aggregate] = {}
        for trade in trades:
            ribbon = self._ribbons.get(trade.symbol)
            if ribbon is None:
                ribbon = self._ribbons[trade.symbol] = _Ribbon()
            grown = ribbon.add(trade)
            made[trade.symbol, grown.aggregate_id] = grown
        return list(made.values())


def aggregate_answer(aggregate: Aggregate) -> Payload:
    """Return an aggregate as the venue answers it."""
    return {
        "a": aggregate.aggregate_id,
        "p": fixed(aggregate.price),
        "q": fixed(aggregate.quantity),
        "f": aggregate.first_id,
        "l": aggregate.last_id,
        "T": aggregate.time_ms,
        "m": aggregate.buyer_is_maker,
        "M": True,
    }


def aggregate_event(aggregate: Aggregate, now_ms: int) -> Payload:
    """Return an aggregate as its stream tells it."""
    return {"e": "aggTrade", "E": now_ms, "s": aggregate.symbol, **aggregate_answer(aggregate)}
