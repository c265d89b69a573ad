"""Whether each fill counts once, adds up within its order, has its fee, and is a trade that the exchange made."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from services.verify.checker.endings import is_average
from services.verify.checker.evidence import Evidence
from services.verify.checker.exchange_log import LOG, NS_PER_MS, ZERO, ExchangeLog, LogTrade
from services.verify.checker.journal import Record
from services.verify.checker.orders import NEVER_WORKED, Order, Orders
from services.verify.checker.verdict import Judge, Place
from services.verify.checker.words import OrderEnded, OrderFilled

UNIT: Final = Decimal("1E-8")  # what the venue counts money in: a price times a quantity may have more digits

FillKey = tuple[str, str, int]  # symbol as the venue spells it, side, number of the trade


def judge_fills(evidence: Evidence, judge: Judge) -> None:
    """Judge every fill by itself, with its order, and by the trades of the exchange."""
    if evidence.executor is None:
        return
    seen: set[FillKey] = set()
    for fill in evidence.executor.of(OrderFilled):
        key = key_of(fill.body)
        place = fill.place(fill.body.order.client_order_id)
        judge.hold("I8", f"trade {fill.body.trade_id} is counted a second time", place, holds=key not in seen)
        seen.add(key)
        _judge_fill(fill, judge)
    for order in evidence.orders.all():
        _judge_sums(order, judge)
    if evidence.log is not None:
        _judge_by_trades(evidence.log, evidence.executor.of(OrderFilled), judge)
        _judge_all_known(evidence, evidence.log, evidence.orders, seen, judge)


def key_of(fill: OrderFilled) -> FillKey:
    """Return what names a fill for ever: an order that meets another of ours shares the number of the trade."""
    return fill.order.symbol.replace("/", ""), fill.order.side, fill.trade_id


def _judge_fill(fill: Record[OrderFilled], judge: Judge) -> None:
    body, place = fill.body, fill.place(fill.body.order.client_order_id)
    whole = body.quantity > 0 and body.fee_asset != ""
    judge.hold("I8", "it filled nothing, or its fee is in no asset", place, holds=whole)
    off = abs(body.price * body.quantity - body.quote_quantity)
    what = f"{body.quantity} at {body.price} are not {body.quote_quantity}"
    judge.hold("I8", what, place, holds=off < UNIT)


def _judge_sums(order: Order, judge: Judge) -> None:
    executed = ZERO
    for fill in order.fills:
        executed += fill.body.quantity
        place = fill.place(order.client_id)
        what = f"its fills are {executed} together, and it says {fill.body.cumulative_quantity}"
        judge.hold("I8", what, place, holds=executed == fill.body.cumulative_quantity)
        what = f"{executed} are filled of {order.mark.body.quantity}"
        judge.hold("I8", what, place, holds=executed <= order.mark.body.quantity)
    for ending in order.endings:
        _judge_ending(order, ending, judge)


def _judge_ending(order: Order, ending: Record[OrderEnded], judge: Judge) -> None:
    known = [fill.body for fill in order.fills if fill.sequence < ending.sequence]
    executed = sum((fill.quantity for fill in known), ZERO)
    quote = sum((fill.quote_quantity for fill in known), ZERO)
    body, place = ending.body, ending.place(order.client_id)
    what = f"it ends with {body.executed_quantity} executed, its fills are {executed}"
    judge.hold("I8", what, place, holds=body.executed_quantity == executed)
    average = is_average(body.average_price, quote=quote, quantity=executed)
    judge.hold("I8", f"{body.average_price} is not the average price of its fills", place, holds=average)
    if body.ending == "filled":
        judge.hold("I8", f"it is called filled at {executed}", place, holds=executed == order.mark.body.quantity)
    if body.ending in NEVER_WORKED:
        judge.hold("I5", f"it is called {body.ending} with {executed} executed", place, holds=not executed)


def _judge_by_trades(log: ExchangeLog, fills: Sequence[Record[OrderFilled]], judge: Judge) -> None:
    trades = {(trade.symbol, trade.side, trade.trade_id): trade for trade in log.trades}
    for fill in fills:
        trade, place = trades.get(key_of(fill.body)), fill.place(fill.body.order.client_order_id)
        if trade is None:
            before = not log.covers(fill.body.venue_time_ns)
            judge.hold("I8", "the exchange knows of no such trade", place, holds=before)
            continue
        known, made = _as_known(fill.body), _as_made(trade, log)
        what = f"it is told as {', '.join(map(str, known))}, and was {', '.join(map(str, made))}"
        judge.hold("I8", what, place, holds=known == made)


def _as_known(fill: OrderFilled) -> tuple[object, ...]:
    money = (fill.price, fill.quantity, fill.quote_quantity, fill.fee, fill.fee_asset)
    return fill.order.client_order_id, *money, fill.liquidity, fill.venue_time_ns


def _as_made(trade: LogTrade, log: ExchangeLog) -> tuple[object, ...]:
    order = log.orders.get((trade.account, trade.order_id))
    money = (trade.price, trade.quantity, trade.quote_quantity, trade.fee, trade.fee_asset)
    liquidity = "maker" if trade.is_maker else "taker"
    return "" if order is None else order.client_id, *money, liquidity, trade.time_ms * NS_PER_MS


def _judge_all_known(evidence: Evidence, log: ExchangeLog, orders: Orders, seen: set[FillKey], judge: Judge) -> None:
    for trade in log.trades:
        made_by = log.orders.get((trade.account, trade.order_id))
        order = None if made_by is None else orders.by_client_id.get(made_by.client_id)
        if made_by is None or order is None:  # another's, or never marked, which is a violation of its own
            continue
        if not evidence.may_be_news(trade.at_ms, order):
            known = (trade.symbol, trade.side, trade.trade_id) in seen
            place = Place(LOG, trade.number, made_by.client_id)
            judge.hold("I8", f"trade {trade.trade_id} is in no record of the executor", place, holds=known)
