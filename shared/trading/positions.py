"""What each strategy holds of each symbol: the fold of its fills, and of what others did with its coins.

A position is a sum: signed quantities, signed costs. So the order in which fills become known does not change what is
held. A sell that is folded before the buy it closes takes the position below zero for a while; on a spot market that
is no short but a hole, called oversold: either a fill is missing, or coins were sold that were not the strategy's. The
books say so and hold on; whoever asked them lets entries wait. What may be sold is never more than `owned`.

Fees are kept apart, as they were paid. A fee in the symbol's own asset is taken out of the position as far as there is
any, and counts in the quote asset at the price of its trade; one in a third asset stays in that asset, since what it is
worth is nobody's certain knowledge.
"""

from collections.abc import Mapping
from decimal import Context, Decimal, localcontext
from typing import Final, Literal

import msgspec

from proto.fields import Asset, Name, Side, Symbol
from shared.trading.amounts import EXACT, ROUNDING, ZERO
from shared.trading.fills import Fill, Novelty, SymbolTrades, TradesTaken

# What a part of a position cost is a division. It is rounded to this; what is cut off stays with the other part, so
# that nothing is lost, and a position that is closed has left no cost behind.
COST_UNIT: Final = Decimal("1E-18")
_shown: Final = Context(prec=28)  # of an average price, which nothing is counted with

Folded = Literal["opened", "added", "reduced", "closed", "oversold", "repeated", "forgotten"]


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy holds of a symbol, and how its trading went since it last held nothing.

    `cost_quote` is what the quantity was bought for, at the prices of the trades. `realised_quote` is what was gained
    by what is sold again, at those prices too; the fees are not in it.
    """

    strategy: Name
    symbol: Symbol
    quantity: Decimal = ZERO
    cost_quote: Decimal = ZERO
    realised_quote: Decimal = ZERO
    fees_quote: Decimal = ZERO
    fees_in_third_assets: tuple[tuple[Asset, Decimal], ...] = ()

    @property
    def owned(self) -> Decimal:
        """Return how much the strategy may sell."""
        return max(ZERO, self.quantity)

    @property
    def oversold(self) -> Decimal:
        """Return how much more was sold than was held."""
        return max(ZERO, EXACT.minus(self.quantity))

    @property
    def average_entry_price(self) -> Decimal | None:
        """Return what a unit was bought for, rounded for show, None where nothing is held."""
        return _shown.divide(self.cost_quote, self.quantity) if self.quantity else None

    def net_quote(self, prices: Mapping[Asset, Decimal]) -> Decimal:
        """Return what was gained by what is sold again, after all fees, with the prices of third assets they took."""
        with localcontext(EXACT):
            in_third_assets = sum((fee * prices[asset] for asset, fee in self.fees_in_third_assets), ZERO)
            return self.realised_quote - self.fees_quote - in_third_assets


class SetApart(msgspec.Struct, frozen=True, kw_only=True):
    """So much of a position is the strategy's no more, though no trade of ours took it, nor did it gain or lose by it.

    A manual trade was adopted that sold its coins; what is left is too little to sell; or, of an oversold position, an
    operator found that the coins were somebody else's. It brings a position nearer to zero and never across.
    """

    strategy: Name
    symbol: Symbol
    quantity: Decimal
    reason: Literal["manual trade", "dust", "oversold"]


class PositionsState(msgspec.Struct, frozen=True):
    """All that the positions know, in an order of its own, so that the same knowledge is the same bytes."""

    positions: tuple[Position, ...] = ()
    trades: tuple[SymbolTrades, ...] = ()


NOTHING_HELD: Final = PositionsState()


class Positions:
    """The positions of all strategies. One that was closed stays, with its result, until the next fill opens it."""

    def __init__(self, state: PositionsState = NOTHING_HELD) -> None:
        self._positions: Final = {(held.strategy, held.symbol): held for held in state.positions}
        self._trades: Final = TradesTaken(state.trades)

    def state(self) -> PositionsState:
        """Return all that is known, from which the same can be made again."""
        held = tuple(position for _, position in sorted(self._positions.items()))
        return PositionsState(held, self._trades.state())

    def of(self, strategy: Name, symbol: Symbol) -> Position:
        """Return what a strategy holds of a symbol."""
        return self._positions.get((strategy, symbol), Position(strategy=strategy, symbol=symbol))

    def held(self) -> list[Position]:
        """Return the positions that are not zero."""
        return [position for position in self._positions.values() if position.quantity]

    def novelty(self, symbol: Symbol, side: Side, trade_id: int) -> Novelty:
        """Say whether a trade would be new."""
        return self._trades.novelty(symbol, side, trade_id)

    def fold(self, fill: Fill) -> Folded:
        """Count a fill, and say what it did to the position; one that was counted before does nothing."""
        novelty = self._trades.take(fill.symbol, fill.side, fill.trade_id)
        if novelty != "new":
            return novelty
        before = self.of(fill.strategy, fill.symbol)
        with localcontext(EXACT):
            position = _after_fill(before, fill)
        self._positions[fill.strategy, fill.symbol] = position
        return _folded(before.quantity, position.quantity)

    def set_apart(self, event: SetApart) -> None:
        """Let go of a part of a position, at what it cost."""
        held = self.of(event.strategy, event.symbol)
        assert 0 < event.quantity <= abs(held.quantity), f"{event.quantity} of {held.quantity} cannot be set apart"
        with localcontext(EXACT):
            self._positions[event.strategy, event.symbol] = msgspec.structs.replace(
                held,
                quantity=held.quantity - event.quantity.copy_sign(held.quantity),
                cost_quote=held.cost_quote - _cost_of(held, event.quantity),
            )


def _after_fill(before: Position, fill: Fill) -> Position:
    if not before.quantity:
        before = Position(strategy=before.strategy, symbol=before.symbol)
    traded = fill.traded[fill.base]
    if fill.fee_asset == fill.base:
        # Of what the position does not have, other coins of the account paid.
        traded -= min(fill.fee, max(before.quantity + traded, ZERO))
    return _with_fee(_after_trade(before, traded, fill.price), fill)


def _after_trade(before: Position, traded: Decimal, price: Decimal) -> Position:
    """Return the position after so much was added to it, or with a negative sign taken from it."""
    closes = (traded > 0) != (before.quantity > 0)
    closing = min(abs(traded), abs(before.quantity)) if closes else ZERO
    closed_cost = _cost_of(before, closing)
    closed_value = (closing * price).copy_sign(before.quantity)
    opened_value = (traded + closing.copy_sign(before.quantity)) * price
    return msgspec.structs.replace(
        before,
        quantity=before.quantity + traded,
        cost_quote=before.cost_quote - closed_cost + opened_value,
        realised_quote=before.realised_quote + closed_value - closed_cost,
    )


def _cost_of(held: Position, quantity: Decimal) -> Decimal:
    """Return what a part of a position cost."""
    if quantity == abs(held.quantity):
        return held.cost_quote
    share = ROUNDING.divide(held.cost_quote * quantity, abs(held.quantity))
    return share.quantize(COST_UNIT, context=ROUNDING)


def _with_fee(position: Position, fill: Fill) -> Position:
    if fill.fee_asset == fill.quote:
        return msgspec.structs.replace(position, fees_quote=position.fees_quote + fill.fee)
    if fill.fee_asset == fill.base:
        return msgspec.structs.replace(position, fees_quote=position.fees_quote + fill.fee * fill.price)
    fees = dict(position.fees_in_third_assets)
    fees[fill.fee_asset] = fees.get(fill.fee_asset, ZERO) + fill.fee
    return msgspec.structs.replace(position, fees_in_third_assets=tuple(sorted(fees.items())))


def _folded(before: Decimal, after: Decimal) -> Folded:
    if after < 0:
        return "oversold"
    if not after:
        return "closed"
    if before <= 0:
        return "opened"
    return "added" if after > before else "reduced"
