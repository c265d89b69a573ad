"""`bowline fills`: the newest trades."""

from collections.abc import Iterator, Sequence

from services.inspection.command import show
from services.inspection.costs import in_quote, real_cost_quote
from services.inspection.story import Story
from services.inspection.why import time_of
from shared.core.tables import Row


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    return show("fills", _rows, argv)


def _rows(story: Story) -> Iterator[Row]:
    for one in story.fills:
        fill = one.fill
        yield {
            "time": time_of(fill.venue_time_ns),
            "trade": str(fill.trade_id),
            "order": fill.order.client_order_id,
            "strategy": fill.order.strategy,
            "symbol": fill.order.symbol,
            "side": fill.order.side,
            "quantity": f"{fill.quantity:f}",
            "price": f"{fill.price:f}",
            "fee": f"{fill.fee:f} {fill.fee_asset}",
            "cost": in_quote(real_cost_quote(fill)),
            "reckoned": in_quote(fill.cost_expected_quote),
        }
