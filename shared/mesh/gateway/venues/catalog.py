"""The venues that can be traded on, by their names in the settings and in ccxt."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from shared.execution.vocabulary import CancelOrder, ReadOrder, ReadTrades, SendOrder
from shared.mesh.gateway.venues import binance, binance_listing, binance_stream
from shared.mesh.gateway.venues.binance_refusals import REFUSALS
from shared.mesh.gateway.venues.venue import Request, Venue
from shared.trading.instruments import OrderType

ROWS_MAX: Final = 1_000
_TYPE: Final[Mapping[OrderType, str]] = {
    "market": "MARKET",
    "limit": "LIMIT",
    "limit_ioc": "LIMIT",
    "stop_market": "STOP_LOSS",
    "stop_limit": "STOP_LOSS_LIMIT",
}


def _placing(order: SendOrder, market_id: str) -> Request:
    parameters: dict[str, str | int] = {
        "symbol": market_id,
        "side": order.side.upper(),
        "type": _TYPE[order.order_type],
        "quantity": f"{order.quantity:f}",
        "newClientOrderId": order.client_order_id,
        "newOrderRespType": "RESULT",  # stops would be answered without their state
        # What we are about to do goes before what rests: an exit is never stopped by an order of our own.
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }
    if order.limit_price is not None:
        in_force = "IOC" if order.order_type == "limit_ioc" else "GTC"
        parameters |= {"price": f"{order.limit_price:f}", "timeInForce": in_force}
    if order.stop_price is not None:
        parameters["stopPrice"] = f"{order.stop_price:f}"
    return Request("privatePostOrder", parameters)


def _canceling(order: CancelOrder, market_id: str) -> Request:
    return Request("privateDeleteOrder", {"symbol": market_id, "origClientOrderId": order.client_order_id})


def _order_asked(wanted: ReadOrder, market_id: str) -> Request:
    return Request("privateGetOrder", {"symbol": market_id, "origClientOrderId": wanted.client_order_id})


def _trades_asked(wanted: ReadTrades, market_id: str) -> Request:
    parameters: dict[str, str | int] = {"symbol": market_id, "limit": ROWS_MAX}
    if wanted.from_id is not None:
        parameters["fromId"] = wanted.from_id
    elif wanted.from_time_ns is not None:
        parameters["startTime"] = wanted.from_time_ns // binance.NS_PER_MS
    return Request("privateGetMyTrades", parameters)


def _bids_asked(market_ids: Sequence[str]) -> Request:
    return Request("publicGetTickerBookTicker", {"symbols": json.dumps(list(market_ids), separators=(",", ":"))})


def _subscription(signed: Mapping[str, object]) -> Mapping[str, object]:
    return {"id": 1, "method": "userDataStream.subscribe.signature", "params": dict(signed)}


VENUES: Final[Mapping[str, Venue]] = {
    "binance": Venue(
        ccxt_class="binance",
        stream_address=("ws", "ws-api", "spot"),
        refusals=REFUSALS,
        weight_header="x-mbx-used-weight-1m",
        # Half of the 6,000. The dearest reading weighs 80 (open orders of every symbol), and four are asked at once.
        routine_weight_max=3_000,
        time_asked=Request("publicGetTime", {}),
        # The sets of permissions are four fifths of the answer, and say nothing about orders.
        listing_asked=Request("publicGetExchangeInfo", {"showPermissionSets": "false"}),
        rights_asked=Request("sapiGetAccountApiRestrictions", {}),
        account_asked=Request("privateGetAccount", {"omitZeroBalances": "true"}),
        open_orders_asked=Request("privateGetOpenOrders", {}),
        order_asked=_order_asked,
        trades_asked=_trades_asked,
        bids_asked=_bids_asked,
        placing=_placing,
        canceling=_canceling,
        subscription=_subscription,
        complaint=binance.complaint,
        time_read=binance.time_read,
        listing_read=binance_listing.listing_read,
        rights_read=binance.rights_read,
        account_read=binance.account_read,
        bids_read=binance.bids_read,
        order_read=binance.order_read,
        cancel_read=binance.cancel_read,
        orders_read=binance.orders_read,
        trades_read=binance.trades_read,
        frame_read=binance_stream.frame_read,
    ),
}
