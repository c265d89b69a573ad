"""The endpoints of an account: balances, fees, trades, counts, and what its wallet and its keys may do."""

import zlib
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from services.sim_exchange.face import refusals
from services.sim_exchange.face.endpoint import Asked, Endpoint, Weigh, weight
from services.sim_exchange.face.layout import PERMISSION, Payload, fixed
from services.sim_exchange.face.order_layout import own_trade_answer
from services.sim_exchange.face.parameters import Parameters
from services.sim_exchange.venue.vocabulary import Balance, Fees

ROWS_USUAL: Final = 500
ROWS_MAX: Final = 1_000
BASIS_POINTS: Final = 10_000
NOTHING: Final = Balance(free=Decimal(0), locked=Decimal(0))


def account(asked: Asked) -> Payload:
    """Answer the balances of an account, and what it may do."""
    is_without_zeros = asked.parameters.flag("omitZeroBalances")
    fees = asked.records.accounts()[asked.account]
    return {
        "makerCommission": int(fees.maker * BASIS_POINTS),
        "takerCommission": int(fees.taker * BASIS_POINTS),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": _rates(fees),
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": asked.now_ms,
        "accountType": PERMISSION,
        "balances": [
            {"asset": asset, "free": fixed(balance.free), "locked": fixed(balance.locked)}
            for asset, balance in _balances(asked).items()
            if not is_without_zeros or balance.free or balance.locked
        ],
        "permissions": [PERMISSION],
        "uid": zlib.crc32(asked.account.encode()),
    }


def _balances(asked: Asked) -> dict[str, Balance]:
    """Return every asset of the venue, with what the account has of it."""
    assets = {asset for rules in asked.records.rules().values() for asset in (rules.base, rules.quote)}
    return dict.fromkeys(sorted(assets), NOTHING) | asked.records.balances(asked.account)


def _rates(fees: Fees) -> Payload:
    nothing = fixed(Decimal(0))
    return {"maker": fixed(fees.maker), "taker": fixed(fees.taker), "buyer": nothing, "seller": nothing}


def commission(asked: Asked) -> Payload:
    """Answer what trading a symbol costs."""
    symbol = asked.rules().symbol
    fees = asked.records.accounts()[asked.account]
    none = _rates(Fees(maker=Decimal(0), taker=Decimal(0)))
    return {
        "symbol": symbol,
        "standardCommission": _rates(fees),
        "specialCommission": none,
        "taxCommission": none,
        "discount": {
            "enabledForAccount": fees.in_bnb,
            "enabledForSymbol": fees.in_bnb,
            "discountAsset": "BNB",
            "discount": fixed(fees.bnb_discount),
        },
    }


def own_trades(asked: Asked) -> list[Payload]:
    """Answer the trades of an account on a symbol: of an order, from an id on, within a time, or the last ones."""
    parameters, symbol = asked.parameters, asked.rules().symbol
    limit = parameters.bounded("limit", usual=ROWS_USUAL, most=ROWS_MAX)
    order_id, from_id = parameters.integer("orderId"), parameters.integer("fromId")
    start_ms, end_ms = parameters.integer("startTime"), parameters.integer("endTime")
    if from_id is not None and (start_ms is not None or end_ms is not None):
        raise refusals.invalid_combination()
    found = [
        trade
        for trade in asked.records.own_trades(asked.account, symbol)
        if order_id in {None, trade.order_id}
        and (from_id is None or trade.fill.trade_id >= from_id)
        and (start_ms is None or trade.fill.time_ms >= start_ms)
        and (end_ms is None or trade.fill.time_ms <= end_ms)
    ]
    is_from_start = from_id is not None or start_ms is not None
    return [own_trade_answer(trade) for trade in (found[:limit] if is_from_start else found[-limit:])]


def order_counts(asked: Asked) -> list[Payload]:
    """Answer how many orders the account placed in each interval."""
    return asked.venue.order_counts.laid_out(asked.account, asked.now_ms)


def coins(asked: Asked) -> list[Payload]:
    """Answer every asset; nothing is brought in or taken out over a network here."""
    return [
        {
            "coin": asset,
            "name": asset,
            "depositAllEnable": False,
            "withdrawAllEnable": False,
            "free": fixed(balance.free),
            "locked": fixed(balance.locked),
            "freeze": fixed(Decimal(0)),
            "ipoable": fixed(Decimal(0)),
            "ipoing": fixed(Decimal(0)),
            "isLegalMoney": False,
            "storage": fixed(Decimal(0)),
            "trading": True,
            "withdrawing": fixed(Decimal(0)),
            "networkList": [],
        }
        for asset, balance in _balances(asked).items()
    ]


def trade_fees(asked: Asked) -> list[Payload]:
    """Answer what trading costs, for one symbol or for all."""
    symbols = [asked.rules().symbol] if asked.parameters.has("symbol") else list(asked.records.rules())
    fees = asked.records.accounts()[asked.account]
    return [
        {"symbol": symbol, "makerCommission": f"{fees.maker:f}", "takerCommission": f"{fees.taker:f}"}
        for symbol in symbols
    ]


def key_restrictions(asked: Asked) -> Payload:
    """Answer what the key that asks may do, for whoever wants to know before arming it."""
    key = asked.owner
    return {
        "ipRestrict": bool(key.addresses),
        "createTime": key.created_ms,
        "enableReading": key.may_read,
        "enableWithdrawals": key.may_withdraw,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enablePortfolioMarginTrading": False,
        "enableSpotAndMarginTrading": key.may_trade,
    }


def account_status(asked: Asked) -> Payload:
    """Answer that all is well with the account."""
    del asked
    return {"data": "Normal"}


def system_status(asked: Asked) -> Payload:
    """Answer that the venue is open."""
    del asked
    return {"status": 0, "msg": "normal"}


def _weigh_trades(parameters: Parameters) -> int:
    return 5 if parameters.has("orderId") else 20


def _read(path: str, weigh: Weigh, answer: Callable[[Asked], object]) -> Endpoint:
    return Endpoint(method="GET", path=path, weigh=weigh, answer=answer, permission="read")


ACCOUNT_ENDPOINTS: Final = (
    _read("/api/v3/account", weight(20), account),
    _read("/api/v3/account/commission", weight(20), commission),
    _read("/api/v3/myTrades", _weigh_trades, own_trades),
    _read("/api/v3/rateLimit/order", weight(40), order_counts),
    _read("/sapi/v1/capital/config/getall", weight(10), coins),
    _read("/sapi/v1/asset/tradeFee", weight(1), trade_fees),
    _read("/sapi/v1/account/apiRestrictions", weight(1), key_restrictions),
    _read("/sapi/v1/account/status", weight(1), account_status),
    Endpoint(method="GET", path="/sapi/v1/system/status", weigh=weight(1), answer=system_status),
)
