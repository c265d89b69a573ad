"""`bowline why`: from an order back to what caused it, step by step. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from proto.orders import EntryOpened, OrderFilled
from proto.verdicts import IntentJudged
from services.inspection.costs import in_quote, real_cost_quote
from services.inspection.story import OrderStory, Story

NS_PER_SECOND: Final = 1_000_000_000


def time_of(ns: int) -> str:
    """Return a time as people write it, in UTC."""
    return datetime.fromtimestamp(ns / NS_PER_SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def chain(story: Story, order: OrderStory) -> Iterator[str]:
    """Yield the steps from the fills of an order back to the bar that its strategy decided on."""
    for one in story.fills:
        if one.fill.order.client_order_id == order.key.client_order_id:
            fill = one.fill
            yield (
                f"{time_of(fill.venue_time_ns)}  trade {fill.trade_id}: {fill.quantity:f} at {fill.price:f},"
                f" fee {fill.fee:f} {fill.fee_asset}, as {fill.liquidity}{_slippage(order, fill.price)}"
            )
            yield _cost(fill)
    ended = f"; {order.why_ended}" if order.why_ended else ""
    theirs = f" (the venue: {order.venue_order_id})" if order.venue_order_id else ""
    wanted = f"{order.mark.order_type} {order.key.side} {order.mark.quantity:f} {order.key.symbol}{_prices(order)}"
    yield (
        f"{time_of(order.marked.sent_wall_ns)}  order {order.key.client_order_id}{theirs}:"
        f" {order.key.purpose}, {wanted}: {order.state}{ended}"
    )
    yield from _parent(story, order)


def _parent(story: Story, order: OrderStory) -> Iterator[str]:
    found = story.entries.get(order.key.parent_id)
    if found is not None:
        entry, envelope = found
        yield from _approval(entry, envelope.sent_wall_ns)
        judged = story.verdicts.get(entry.approval.intent_id)
        if judged is None:
            yield "the verdict is not in risk's journal: see `bowline journal show risk`"
        else:
            yield from _intent(judged[0], judged[1].sent_wall_ns)
        return
    place = order.key.strategy, order.key.symbol
    if order.key.purpose == "exit":
        before = [one for one in story.exits if one[1].sent_wall_ns <= order.marked.sent_wall_ns]
        for opened, envelope in reversed(before):
            if (opened.strategy, opened.symbol) == place:
                yield (
                    f"{time_of(envelope.sent_wall_ns)}  exit {opened.exit_id}: down to {opened.target_quantity:f},"
                    f" asked by {opened.asked_by}: {opened.reason}"
                )
                return
    entries = [
        (entry, envelope)
        for entry, envelope in story.entries.values()
        if (entry.approval.strategy, entry.approval.symbol) == place
        and envelope.sent_wall_ns <= order.marked.sent_wall_ns
    ]
    if entries:
        entry, envelope = entries[-1]
        yield f"it covers what was bought under approval {entry.approval.approval_id}:"
        yield from _approval(entry, envelope.sent_wall_ns)


def _approval(entry: EntryOpened, wall_ns: int) -> Iterator[str]:
    approval = entry.approval
    yield (
        f"{time_of(wall_ns)}  approval {approval.approval_id}: up to {approval.quantity_max:f} {approval.symbol}"
        f" between {approval.price_low:f} and {approval.price_high:f}, {approval.reserved_quote:f} reserved"
    )


def _intent(judged: IntentJudged, wall_ns: int) -> Iterator[str]:
    intent = judged.intent
    yield (
        f"{time_of(wall_ns)}  verdict: approved with equity {judged.equity_quote:f},"
        f" exposure {judged.exposure_quote:f}, {judged.entries_today} entries before it today"
    )
    yield (
        f"intent {intent.intent_id} of {intent.strategy}: {intent.side} {intent.symbol} decided at"
        f" {intent.decision_price:f}, at worst {intent.price_worst:f}"
    )
    yield f"bar {intent.timeframe} of {intent.symbol} that closed at {time_of(intent.bar_close_time_ns)}:"
    for evidence in intent.evidence:
        yield f"    {evidence.name} = {evidence.value}"


def _prices(order: OrderStory) -> str:
    at_once = " at once, the rest expires" if order.mark.order_type == "limit_ioc" else ""
    limit = "" if order.mark.limit_price is None else f" at {order.mark.limit_price:f} or better{at_once}"
    stop = "" if order.mark.stop_price is None else f" when the price is {order.mark.stop_price:f}"
    return limit + stop


def _cost(fill: OrderFilled) -> str:
    quote = fill.order.symbol.partition("/")[2]
    real, reckoned = in_quote(real_cost_quote(fill)), in_quote(fill.cost_expected_quote)
    return f"    fee, half the spread and slippage cost {real} {quote}, reckoned were {reckoned}"


def _slippage(order: OrderStory, price: Decimal) -> str:
    decided = order.mark.decision_price
    worse = (price - decided) if order.key.side == "buy" else (decided - price)
    return f", {worse / decided * 10_000:+.1f} bps against the {decided:f} it was decided at"
