"""A trade of ours as the books take it, and which trades they have taken.

Positions and ledger count the same fills. `TradesTaken` makes sure that each counts once, whoever tells it again: the
stream, a reply, a question after a gap.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from decimal import Decimal, localcontext
from typing import Final, Literal

import msgspec

from proto.fields import Asset, Name, Side, Symbol
from shared.trading.amounts import EXACT

TRADES_REMEMBERED: Final = 2_000  # of a symbol and side: two of the longest answers a venue gives about them

Novelty = Literal["new", "repeated", "forgotten"]


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One trade of one of our orders. A negative fee is a rebate.

    `quote_quantity` is what the venue counts: where price times quantity has more digits than it keeps, it rounds.

    `trade_id` is the venue's, which counts up on a symbol; with symbol and side it names the fill for ever.
    """

    strategy: Name
    symbol: Symbol
    base: Asset
    quote: Asset
    side: Side
    trade_id: int
    price: Decimal
    quantity: Decimal
    quote_quantity: Decimal
    fee: Decimal
    fee_asset: Asset

    def __post_init__(self) -> None:
        """Make sure that something was traded."""
        assert self.price > 0, f"a trade at {self.price}"
        assert self.quantity > 0, f"a trade of {self.quantity}"

    @property
    def traded(self) -> Mapping[Asset, Decimal]:
        """Return what the trade moved of either asset, without the fee; what was given is negative."""
        with localcontext(EXACT):
            signed = self.quantity if self.side == "buy" else -self.quantity
            return {self.base: signed, self.quote: -self.quote_quantity.copy_sign(signed)}


class SymbolTrades(msgspec.Struct, frozen=True):
    """The trades of a symbol that were taken: those remembered, in order, and the highest that was forgotten."""

    symbol: Symbol
    side: Side
    forgotten_to: int
    trade_ids: tuple[int, ...]


class TradesTaken:
    """The trades that the books have taken.

    Of each symbol and side the newest 2,000 are remembered. An older one cannot be told from a repetition, so it is not
    taken: it is said to be forgotten, and somebody has to look. Sides are kept apart because two orders of one account
    can meet, and then both of its sides have the number of the trade.
    """

    def __init__(self, symbols: Iterable[SymbolTrades] = ()) -> None:
        self._remembered: Final = {(trades.symbol, trades.side): list(trades.trade_ids) for trades in symbols}
        self._forgotten_to: Final = {(trades.symbol, trades.side): trades.forgotten_to for trades in symbols}

    def state(self) -> tuple[SymbolTrades, ...]:
        """Return all that is remembered, from which the same can be made again."""
        return tuple(
            SymbolTrades(symbol, side, self._forgotten_to[symbol, side], tuple(trade_ids))
            for (symbol, side), trade_ids in sorted(self._remembered.items())
        )

    def novelty(self, symbol: Symbol, side: Side, trade_id: int) -> Novelty:
        """Say whether a trade is new."""
        remembered = self._remembered.get((symbol, side), [])
        if trade_id <= self._forgotten_to.get((symbol, side), -1):
            return "forgotten"
        place = bisect_left(remembered, trade_id)
        return "repeated" if place < len(remembered) and remembered[place] == trade_id else "new"

    def take(self, symbol: Symbol, side: Side, trade_id: int) -> Novelty:
        """Say whether a trade is new, and remember it."""
        novelty = self.novelty(symbol, side, trade_id)
        if novelty == "new":
            remembered = self._remembered.setdefault((symbol, side), [])
            self._forgotten_to.setdefault((symbol, side), -1)
            insort(remembered, trade_id)
            if len(remembered) > TRADES_REMEMBERED:
                self._forgotten_to[symbol, side] = remembered.pop(0)
        return novelty
