"""What Binance's spot market lets be ordered, read from the raw filters of `exchangeInfo`.

ccxt's own markets are not used: they know no band of prices, no counts of orders, and round what they know.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final

import msgspec

from proto.fields import Asset
from shared.mesh.gateway.venues.binance import NUMBER_BOUND, PLACES_MAX, MarketId, amount, decoded
from shared.mesh.gateway.venues.venue import Listing, UnreadableError
from shared.trading.instruments import Instrument, InstrumentError, PriceBand

_NOTHING: Final = Decimal(0)
SYMBOL_CHARACTERS_MAX: Final = 40  # so that a reference made of a symbol, numbers and an asset is still an id
_Places = Annotated[int, msgspec.Meta(ge=0, le=PLACES_MAX)]


class _Filter(msgspec.Struct, frozen=True, rename="camel"):
    """Any filter: each kind has some of these."""

    filter_type: str
    min_price: Decimal = _NOTHING
    max_price: Decimal = _NOTHING
    tick_size: Decimal = _NOTHING
    min_qty: Decimal = _NOTHING
    max_qty: Decimal = _NOTHING
    step_size: Decimal = _NOTHING
    multiplier_up: Decimal | None = None
    multiplier_down: Decimal | None = None
    bid_multiplier_up: Decimal | None = None
    bid_multiplier_down: Decimal | None = None
    ask_multiplier_up: Decimal | None = None
    ask_multiplier_down: Decimal | None = None
    min_notional: Decimal = _NOTHING
    max_notional: Decimal = _NOTHING
    max_num_orders: int | None = None
    max_num_algo_orders: int | None = None


class _Symbol(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    base_asset: str
    quote_asset: str
    quote_precision: _Places
    base_asset_precision: _Places
    filters: tuple[_Filter, ...]
    is_spot_trading_allowed: bool = True


class _Named(msgspec.Struct, frozen=True, rename="camel"):
    symbol: MarketId
    base_asset: Asset
    quote_asset: Asset


class _Info(msgspec.Struct, frozen=True):
    symbols: tuple[msgspec.Raw, ...]


_NONE: Final = _Filter(filter_type="")
_NAMED: Final = msgspec.json.Decoder(_Named)
_SYMBOLS: Final = msgspec.json.Decoder(_Symbol)


def listing_read(body: str) -> Listing:
    """Read every symbol, also those that do not trade at the moment: what is held of them is still held.

    {"symbols":[{"symbol":"ETHBTC","status":"TRADING","baseAsset":"ETH","baseAssetPrecision":8,"quoteAsset":"BTC",
    "quotePrecision":8,"filters":[{"filterType":"PRICE_FILTER","minPrice":"0.00000100","maxPrice":"100000.00000000",
    "tickSize":"0.00000100"}]}]}
    """
    instruments: dict[str, Instrument] = {}
    symbols: dict[str, str] = {}
    for raw in decoded(body, _Info).symbols:
        try:
            named = _NAMED.decode(raw)
        except (ValueError, RecursionError):
            continue
        symbol = f"{named.base_asset}/{named.quote_asset}"
        if len(symbol) > SYMBOL_CHARACTERS_MAX:
            continue
        symbols[named.symbol] = symbol
        try:
            listed = _SYMBOLS.decode(raw)
            if listed.is_spot_trading_allowed:
                instruments[symbol] = _instrument(symbol, listed)
        except (ValueError, RecursionError, InstrumentError, UnreadableError):
            continue  # one with rules that nobody understands takes no other with it, and is not traded
    if not instruments:
        raise UnreadableError("no symbol that can be traded")
    return Listing(instruments, symbols)


def _instrument(symbol: str, listed: _Symbol) -> Instrument:
    filters = {one.filter_type: one for one in listed.filters}
    price, lot = filters.get("PRICE_FILTER", _NONE), filters.get("LOT_SIZE", _NONE)
    market_lot = filters.get("MARKET_LOT_SIZE", _NONE)
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL", _NONE)
    return Instrument(
        symbol=symbol,
        base=listed.base_asset,
        quote=listed.quote_asset,
        # A step of nothing is a filter that is off: then the digits of the asset are the step.
        price_tick=amount(price.tick_size) or Decimal(1).scaleb(-listed.quote_precision),
        price_min=amount(price.min_price),
        price_max=_greatest(price.max_price),
        quantity_step=max(amount(lot.step_size), amount(market_lot.step_size))
        or Decimal(1).scaleb(-listed.base_asset_precision),
        quantity_min=amount(lot.min_qty),
        quantity_max=_greatest(lot.max_qty),
        market_quantity_min=amount(market_lot.min_qty),
        market_quantity_max=_greatest(market_lot.max_qty),
        notional_min=amount(notional.min_notional),
        notional_max=_greatest(notional.max_notional),
        price_band=_band(filters),
        open_orders_max=filters.get("MAX_NUM_ORDERS", _NONE).max_num_orders,
        algo_orders_max=filters.get("MAX_NUM_ALGO_ORDERS", _NONE).max_num_algo_orders,
    )


def _greatest(value: Decimal) -> Decimal | None:
    """Return a greatest bound; with the venue 0 bounds nothing, nor does what no order of ours comes near."""
    if value.is_finite() and value >= NUMBER_BOUND:
        return None
    return amount(value) or None


def _band(filters: Mapping[str, _Filter]) -> PriceBand | None:
    by_side = filters.get("PERCENT_PRICE_BY_SIDE")
    if by_side is not None:
        return PriceBand(
            buy_low=_multiplier(by_side.bid_multiplier_down),
            buy_high=_multiplier(by_side.bid_multiplier_up),
            sell_low=_multiplier(by_side.ask_multiplier_down),
            sell_high=_multiplier(by_side.ask_multiplier_up),
        )
    both = filters.get("PERCENT_PRICE")
    if both is None:
        return None
    low, high = _multiplier(both.multiplier_down), _multiplier(both.multiplier_up)
    return PriceBand(buy_low=low, buy_high=high, sell_low=low, sell_high=high)


def _multiplier(value: Decimal | None) -> Decimal:
    if value is None:
        raise UnreadableError("a band of prices without its width")
    return amount(value)
