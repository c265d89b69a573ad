"""What an account is told over its user data stream: executions, balances, order lists. Pure."""

from collections.abc import Container, Iterator, Sequence
from decimal import Decimal

from services.sim_exchange.face.layout import Payload, fixed
from services.sim_exchange.face.order_layout import LIST_ORDER_STATUS
from services.sim_exchange.venue.vocabulary import (
    BalanceChanged,
    Event,
    Fill,
    ListChanged,
    ListView,
    OrderChanged,
)


def account_events(events: Sequence[Event], followed: Container[str], now_ms: int) -> Iterator[tuple[str, Payload]]:
    """Yield the accounts that somebody follows with what they are told, in the order in which it happened.

    Balances of an account that changed together come in one message, as they do from the venue.
    """
    changed: dict[str, list[BalanceChanged]] = {}
    for event in events:
        if changed and not isinstance(event, BalanceChanged):
            yield from _positions(changed, now_ms)
        match event:
            case BalanceChanged(account=account) if account in followed:
                if event.reason == "TRANSFER":
                    yield account, _transfer(event, now_ms)
                changed.setdefault(account, []).append(event)
            case OrderChanged(order=order) if order.account in followed:
                yield order.account, execution_report(event, now_ms)
            case ListChanged(list=orders) if orders.account in followed:
                yield orders.account, _list_status(orders, now_ms)
            case _:
                pass
    yield from _positions(changed, now_ms)


def _positions(changed: dict[str, list[BalanceChanged]], now_ms: int) -> Iterator[tuple[str, Payload]]:
    for account, changes in changed.items():
        yield account, _position(changes, now_ms)
    changed.clear()


def execution_report(event: OrderChanged, now_ms: int) -> Payload:
    """Return what happened to an order."""
    order = event.order
    canceled_under = event.cancel_client_id
    return {
        "e": "executionReport",
        "E": now_ms,
        "s": order.symbol,
        "c": canceled_under or order.client_id,
        "S": order.side,
        "o": order.type,
        "f": order.time_in_force,
        "q": fixed(order.quantity),
        "p": fixed(order.price),
        "P": fixed(order.stop_price),
        "F": fixed(Decimal(0)),
        "g": order.list_id,
        "C": order.client_id if canceled_under else "",
        # The venue has no word of its own for a stop that was triggered: it reports the order as new, and working.
        "x": "NEW" if event.execution == "TRIGGERED" else event.execution,
        "X": order.status,
        "r": event.reason,
        "i": order.order_id,
        **_execution(event.fill),
        "z": fixed(order.filled),
        "T": order.updated_ms,
        "w": order.working_ms is not None and order.status in {"NEW", "PARTIALLY_FILLED"},
        "M": False,
        "O": order.placed_ms,
        "Z": fixed(order.filled_quote),
        "Q": fixed(order.quote_quantity),
        "V": order.self_trade_prevention,
        **({} if order.working_ms is None else {"W": order.working_ms}),
    }


def _execution(fill: Fill | None) -> Payload:
    if fill is None:
        nothing = fixed(Decimal(0))
        return {"l": nothing, "L": nothing, "n": "0", "N": None, "t": -1, "m": False, "Y": nothing}
    return {
        "l": fixed(fill.quantity),
        "L": fixed(fill.price),
        "n": fixed(fill.fee),
        "N": fill.fee_asset,
        "t": fill.trade_id,
        "m": fill.is_maker,
        "Y": fixed(fill.quote_quantity),
    }


def _position(changed: Sequence[BalanceChanged], now_ms: int) -> Payload:
    latest = {change.asset: change.balance for change in changed}
    return {
        "e": "outboundAccountPosition",
        "E": now_ms,
        "u": now_ms,
        "B": [{"a": asset, "f": fixed(balance.free), "l": fixed(balance.locked)} for asset, balance in latest.items()],
    }


def _transfer(event: BalanceChanged, now_ms: int) -> Payload:
    return {
        "e": "balanceUpdate",
        "E": now_ms,
        "a": event.asset,
        "d": fixed(event.transferred),
        "T": now_ms,
    }


def _list_status(orders: ListView, now_ms: int) -> Payload:
    return {
        "e": "listStatus",
        "E": now_ms,
        "s": orders.symbol,
        "g": orders.list_id,
        "c": "OCO",
        "l": orders.status,
        "L": LIST_ORDER_STATUS[orders.status],
        "r": "NONE",
        "C": orders.list_client_id,
        "T": orders.time_ms,
        "O": [
            {"s": orders.symbol, "i": order_id, "c": client_id}
            for order_id, client_id in zip(orders.order_ids, orders.client_ids, strict=True)
        ],
    }
