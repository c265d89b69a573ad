"""`bowline orders`: the newest orders, and how each stands."""

from collections.abc import Iterator, Sequence

from services.inspection.command import show
from services.inspection.story import Story
from services.inspection.why import time_of
from shared.core.tables import Row


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    return show("orders", _rows, argv)


def _rows(story: Story) -> Iterator[Row]:
    for order in story.orders.values():
        yield {
            "marked": time_of(order.marked.sent_wall_ns),
            "order": order.key.client_order_id,
            "strategy": order.key.strategy,
            "symbol": order.key.symbol,
            "purpose": order.key.purpose,
            "side": order.key.side,
            "type": order.mark.order_type,
            "quantity": f"{order.mark.quantity:f}",
            "filled": f"{order.executed_quantity:f}",
            "price": f"{order.executed_quote / order.executed_quantity:.8f}" if order.executed_quantity else "",
            "state": order.state,
        }
