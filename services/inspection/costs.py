"""What a trade really cost, to be held against what it was reckoned to cost. Pure."""

from decimal import Decimal

from proto.orders import OrderFilled


def real_cost_quote(fill: OrderFilled) -> Decimal | None:
    """Return the fee and what the price was worse than decided; None where the fee is paid in a third asset."""
    base, _, quote = fill.order.symbol.partition("/")
    worth = fill.decision_price * fill.quantity
    worse = fill.quote_quantity - worth if fill.order.side == "buy" else worth - fill.quote_quantity
    if fill.fee_asset == quote:
        return worse + fill.fee
    return worse + fill.fee * fill.price if fill.fee_asset == base else None


def in_quote(cost: Decimal | None) -> str:
    """Return a cost as a person reads it."""
    return "unknown" if cost is None else f"{cost:.4f}"
