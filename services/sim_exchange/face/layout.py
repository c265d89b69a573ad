"""Numbers and public matters as the venue lays them out: symbols, books, trades, bars, tickers. Pure."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from services.sim_exchange.market.bars import Kline
from services.sim_exchange.market.intervals import Interval
from services.sim_exchange.venue.vocabulary import Depth, SymbolRules, Traded

ORDER_TYPES: Final = (
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
)
PERMISSION: Final = "SPOT"
AVERAGE_MINUTES: Final = 5

Payload = dict[str, object]


def fixed(amount: Decimal) -> str:
    """Return the number as the venue writes every number: eight digits behind the point, no exponent."""
    return f"{amount:.8f}"


def levels(rows: Iterable[tuple[Decimal, Decimal]]) -> list[tuple[str, str]]:
    """Return one side of a book."""
    return [(fixed(price), fixed(quantity)) for price, quantity in rows]


def depth_answer(depth: Depth) -> Payload:
    """Return a snapshot of a book."""
    return {"lastUpdateId": depth.update_id, "bids": levels(depth.bids), "asks": levels(depth.asks)}


def symbol_answer(rules: SymbolRules) -> Payload:
    """Return a symbol as exchangeInfo has it."""
    return {
        "symbol": rules.symbol,
        "status": rules.status,
        "baseAsset": rules.base,
        "baseAssetPrecision": rules.base_precision,
        "quoteAsset": rules.quote,
        "quotePrecision": rules.quote_precision,
        "quoteAssetPrecision": rules.quote_precision,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ORDER_TYPES,
        "icebergAllowed": False,
        "ocoAllowed": True,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(rules),
        "permissions": [],
        "permissionSets": [[PERMISSION]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }


def _filters(rules: SymbolRules) -> list[Payload]:
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": fixed(rules.price_min),
            "maxPrice": fixed(rules.price_max),
            "tickSize": fixed(rules.tick_size),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": fixed(rules.quantity_min),
            "maxQty": fixed(rules.quantity_max),
            "stepSize": fixed(rules.step_size),
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": fixed(Decimal(0)),
            "maxQty": fixed(rules.market_quantity_max),
            "stepSize": fixed(Decimal(0)),
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": f"{rules.percent_up.normalize():f}",
            "bidMultiplierDown": f"{rules.percent_down.normalize():f}",
            "askMultiplierUp": f"{rules.percent_up.normalize():f}",
            "askMultiplierDown": f"{rules.percent_down.normalize():f}",
            "avgPriceMins": AVERAGE_MINUTES,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": fixed(rules.notional_min),
            "applyMinToMarket": True,
            "maxNotional": fixed(rules.notional_max),
            "applyMaxToMarket": False,
            "avgPriceMins": AVERAGE_MINUTES,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": rules.open_orders_max},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": rules.algo_orders_max},
    ]


def trade_answer(trade: Traded) -> Payload:
    """Return a public trade."""
    return {
        "id": trade.trade_id,
        "price": fixed(trade.price),
        "qty": fixed(trade.quantity),
        "quoteQty": fixed(trade.price * trade.quantity),
        "time": trade.time_ms,
        "isBuyerMaker": trade.buyer_is_maker,
        "isBestMatch": True,
    }


def kline_answer(bar: Kline) -> list[object]:
    """Return a bar as a row."""
    return [
        bar.open_ms,
        fixed(bar.open),
        fixed(bar.high),
        fixed(bar.low),
        fixed(bar.close),
        fixed(bar.volume),
        bar.close_ms,
        fixed(bar.quote_volume),
        bar.trades,
        fixed(bar.taker_buy_volume),
        fixed(bar.taker_buy_quote_volume),
        "0",
    ]


def kline_event(symbol: str, interval: Interval, bar: Kline, now_ms: int) -> Payload:
    """Return a bar as its stream tells it; it is closed when its time is over."""
    return {
        "e": "kline",
        "E": now_ms,
        "s": symbol,
        "k": {
            "t": bar.open_ms,
            "T": bar.close_ms,
            "s": symbol,
            "i": interval,
            "f": -1,  # bars from before the venue's start have no trades to name
            "L": -1,
            "o": fixed(bar.open),
            "c": fixed(bar.close),
            "h": fixed(bar.high),
            "l": fixed(bar.low),
            "v": fixed(bar.volume),
            "n": bar.trades,
            "x": bar.close_ms < now_ms,
            "q": fixed(bar.quote_volume),
            "V": fixed(bar.taker_buy_volume),
            "Q": fixed(bar.taker_buy_quote_volume),
            "B": "0",
        },
    }


def trade_event(trade: Traded, now_ms: int) -> Payload:
    """Return a public trade as its stream tells it."""
    return {
        "e": "trade",
        "E": now_ms,
        "s": trade.symbol,
        "t": trade.trade_id,
        "p": fixed(trade.price),
        "q": fixed(trade.quantity),
        "T": trade.time_ms,
        "m": trade.buyer_is_maker,
        "M": True,
    }


def book_ticker_event(symbol: str, depth: Depth) -> Payload:
    """Return the best prices as their stream tells them: spot has no event type here."""
    best = book_ticker_answer(symbol, depth)
    return {
        "u": depth.update_id,
        "s": symbol,
        "b": best["bidPrice"],
        "B": best["bidQty"],
        "a": best["askPrice"],
        "A": best["askQty"],
    }


def book_ticker_answer(symbol: str, depth: Depth) -> Payload:
    """Return the best prices; an empty side is all zeros, as on the venue."""
    nothing = (Decimal(0), Decimal(0))
    bid, ask = (next(iter(side), nothing) for side in (depth.bids, depth.asks))
    return {
        "symbol": symbol,
        "bidPrice": fixed(bid[0]),
        "bidQty": fixed(bid[1]),
        "askPrice": fixed(ask[0]),
        "askQty": fixed(ask[1]),
    }
