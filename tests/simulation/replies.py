"""What the venue answers, in its own bytes: laid out as the simulated exchange lays it out, or spoiled on the way.

The gateway reads them as it reads the venue's: with shared/mesh/gateway/classification.py and Binance's table.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from services.sim_exchange.face.layout import fixed
from services.sim_exchange.face.order_layout import canceled_answer, order_answer, own_trade_answer, placed_answer
from services.sim_exchange.venue.vocabulary import Balance, Done, OrderView, OwnTrade, Refused
from shared.mesh.gateway.reply import Reply

NO_SUCH_ORDER: Final = Refused(code=-2013, message="Order does not exist.")
OTHERS_ORDER: Final = {
    "symbol": "BTCUSDT",
    "orderId": 4_711,
    "clientOrderId": "bw-other-aaaaaaaaaaaaaa-1-0",
    "origClientOrderId": "bw-other-aaaaaaaaaaaaaa-1-0",
    "transactTime": 1_700_006_400_000,
    "updateTime": 1_700_006_400_000,
    "origQty": "1.00000000",
    "executedQty": "1.00000000",
    "status": "FILLED",
    "side": "BUY",
}


def _reply(status: int, body: object) -> Reply:
    return Reply(status, {}, msgspec.json.encode(body).decode())


def _refusal(status: int, code: int, words: str) -> Reply:
    return _reply(status, {"code": code, "msg": words})


# What proves nothing, whether it was done or not.
SPOILED: Final = (
    _refusal(503, -1000, "An unknown error occurred while processing the request."),
    _refusal(503, -1008, "Server is currently overloaded with other requests. Please try again in a few minutes."),
    _refusal(408, -1007, "Timeout waiting for response from backend server. Execution status unknown."),
    _refusal(400, -1006, "An unexpected response was received from the message bus. Execution status unknown."),
    Reply(500, {}, ""),
    Reply(502, {}, "<html><head><title>502 Bad Gateway</title></head></html>"),
    Reply(504, {}, "<!DOCTYPE html><html><body>Gateway Timeout</body></html>"),
    Reply(403, {}, "<html><body>Request blocked.</body></html>"),
    Reply(429, {}, "slow down"),
    Reply(200, {}, ""),
    Reply(200, {}, "{}"),
    Reply(200, {}, '{"symbol":"BTCUSDT","orderId":12,"clientOr'),
    Reply(200, {}, "<html><body>Welcome</body></html>"),
    _reply(200, OTHERS_ORDER),
)
# What proves that nothing was done, and that not: the venue says so itself, before its engine has the order.
TURNED_AWAY: Final = (
    _refusal(429, -1015, "Too many new orders; current limit is 50 orders per 10 SECOND."),
    _refusal(400, -1021, "Timestamp for this request was 1000ms ahead of the server's time."),
    _refusal(400, -1022, "Signature for this request is not valid."),
    _refusal(401, -2015, "Invalid API-key, IP, or permissions for action."),
)


def placed(answer: Done | Refused) -> Reply:
    """Return what the placing of an order is answered with."""
    if isinstance(answer, Refused):
        return refused(answer)
    return _reply(200, placed_answer(answer.orders[0], answer.fills[0], "FULL"))


def canceled(answer: Done | Refused) -> Reply:
    """Return what a cancellation is answered with."""
    if isinstance(answer, Refused):
        return refused(answer)
    return _reply(200, canceled_answer(answer.orders[0], "a name of its own"))


def refused(answer: Refused) -> Reply:
    """Return a refusal of the venue."""
    return _refusal(400, answer.code, answer.message)


def order(view: OrderView | None) -> Reply:
    """Return what a question about one order is answered with."""
    return refused(NO_SUCH_ORDER) if view is None else _reply(200, order_answer(view))


def orders(views: Iterable[OrderView]) -> Reply:
    """Return what a question about orders is answered with."""
    return _reply(200, [order_answer(view) for view in views])


def trades(found: Iterable[OwnTrade]) -> Reply:
    """Return what a question about trades is answered with."""
    return _reply(200, [own_trade_answer(trade) for trade in found])


def account(balances: dict[str, Balance]) -> Reply:
    """Return what a question about the balances is answered with."""
    rows = [
        {"asset": asset, "free": fixed(balance.free), "locked": fixed(balance.locked)}
        for asset, balance in balances.items()
    ]
    return _reply(200, {"balances": rows})
