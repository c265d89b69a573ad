"""What can be ordered, read from the venue's raw filters."""

import json
from decimal import Decimal
from typing import Any

import pytest

from shared.mesh.gateway.venues.binance_listing import listing_read
from shared.mesh.gateway.venues.venue import UnreadableError
from shared.trading.instruments import Instrument, PriceBand

# As the venue listed it in 2024, the sets of permissions left out.
BNBBTC: dict[str, Any] = {
    "symbol": "BNBBTC",
    "status": "TRADING",
    "baseAsset": "BNB",
    "baseAssetPrecision": 8,
    "quoteAsset": "BTC",
    "quotePrecision": 8,
    "quoteAssetPrecision": 8,
    "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT"],
    "isSpotTradingAllowed": True,
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.00000100", "maxPrice": "100000.0000", "tickSize": "0.00000100"},
        {"filterType": "LOT_SIZE", "minQty": "0.00100000", "maxQty": "100000.00000000", "stepSize": "0.00100000"},
        {"filterType": "ICEBERG_PARTS", "limit": 10},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "2421.77", "stepSize": "0.00000000"},
        {"filterType": "TRAILING_DELTA", "minTrailingAboveDelta": 10, "maxTrailingAboveDelta": 2000},
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": "5",
            "bidMultiplierDown": "0.2",
            "askMultiplierUp": "4",
            "askMultiplierDown": "0.25",
            "avgPriceMins": 5,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": "0.00010000",
            "applyMinToMarket": True,
            "maxNotional": "9000000.00000000",
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
    ],
}  # fmt: skip


def listed(*symbols: dict[str, Any]) -> str:
    """Return an answer with these symbols."""
    return json.dumps({"timezone": "UTC", "symbols": symbols})


def only(symbol: dict[str, Any]) -> Instrument:
    """Return the instrument that one symbol makes."""
    (instrument,) = listing_read(listed(symbol)).instruments.values()
    return instrument


def with_filter(**fields: object) -> dict[str, Any]:
    """Return the symbol with one filter in the place of its like."""
    others = [one for one in BNBBTC["filters"] if one["filterType"] != fields["filterType"]]
    return {**BNBBTC, "filters": [*others, fields]}


def test_every_filter_becomes_a_rule() -> None:
    """An instrument has each bound of its venue."""
    assert only(BNBBTC) == Instrument(
        symbol="BNB/BTC",
        base="BNB",
        quote="BTC",
        price_tick=Decimal("0.000001"),
        price_min=Decimal("0.000001"),
        price_max=Decimal(100_000),
        quantity_step=Decimal("0.001"),
        quantity_min=Decimal("0.001"),
        quantity_max=Decimal(100_000),
        market_quantity_min=Decimal(0),
        market_quantity_max=Decimal("2421.77"),
        notional_min=Decimal("0.0001"),
        notional_max=Decimal(9_000_000),
        price_band=PriceBand(
            buy_low=Decimal("0.2"), buy_high=Decimal(5), sell_low=Decimal("0.25"), sell_high=Decimal(4)
        ),
        open_orders_max=200,
        algo_orders_max=5,
    )


def test_bounds_of_nothing_bind_nothing() -> None:
    """With the venue a bound of 0 is one that is off; what has no step has that of its digits."""
    nothing = {"minPrice": "0", "maxPrice": "0", "tickSize": "0"}
    instrument = only(with_filter(filterType="PRICE_FILTER", **nothing))
    assert (instrument.price_min, instrument.price_max) == (Decimal(0), None)
    assert instrument.price_tick == Decimal("1E-8")
    bare = only({**BNBBTC, "filters": []})
    assert (bare.quantity_step, bare.price_band, bare.open_orders_max) == (Decimal("1E-8"), None, None)


def test_coarser_step_counts() -> None:
    """Where market orders have a coarser step than others, it is the step of all."""
    market = {"minQty": "0.01", "maxQty": "10", "stepSize": "0.01"}
    instrument = only(with_filter(filterType="MARKET_LOT_SIZE", **market))
    assert (instrument.quantity_step, instrument.market_quantity_min) == (Decimal("0.01"), Decimal("0.01"))


def test_older_filters_are_read() -> None:
    """The filters that some symbols still have instead mean the same."""
    older = {
        **BNBBTC,
        "filters": [
            {"filterType": "PERCENT_PRICE", "multiplierUp": "1.3", "multiplierDown": "0.7", "avgPriceMins": 5},
            {"filterType": "MIN_NOTIONAL", "minNotional": "0.001", "applyToMarket": True, "avgPriceMins": 5},
        ],
    }
    instrument = only(older)
    low, high = Decimal("0.7"), Decimal("1.3")
    assert instrument.price_band == PriceBand(buy_low=low, buy_high=high, sell_low=low, sell_high=high)
    assert (instrument.notional_min, instrument.notional_max) == (Decimal("0.001"), None)


def test_symbol_that_rests_keeps_its_rules() -> None:
    """A symbol that does not trade at the moment is listed: what is held of it is still held."""
    assert only({**BNBBTC, "status": "HALT"}).symbol == "BNB/BTC"


@pytest.mark.parametrize(
    "odd",
    [
        {**BNBBTC, "symbol": "ODD", "filters": [{"filterType": "LOT_SIZE", "stepSize": "-1"}]},
        {**BNBBTC, "symbol": "ODD", "filters": [{"filterType": "LOT_SIZE", "stepSize": "NaN"}]},
        {**BNBBTC, "symbol": "ODD", "filters": [{"filterType": "PERCENT_PRICE_BY_SIDE"}]},
        {**BNBBTC, "symbol": "ODD", "filters": "none"},
        {**BNBBTC, "symbol": "ODD", "filters": [], "quotePrecision": 40},
        {**BNBBTC, "symbol": "ODD", "isSpotTradingAllowed": False},
    ],
    ids=["negative step", "no number", "no width", "no filters", "no digits", "no spot"],
)
def test_odd_symbol_takes_no_other_with_it(odd: dict[str, Any]) -> None:
    """A symbol with rules that make no sense is not traded, but has its name; the others are traded."""
    other = {**odd, "baseAsset": "ODD", "quoteAsset": "BTC"}
    listing = listing_read(listed(other, BNBBTC))
    assert set(listing.instruments) == {"BNB/BTC"}
    assert listing.symbols == {"ODD": "ODD/BTC", "BNBBTC": "BNB/BTC"}


@pytest.mark.parametrize("names", [("ODD", "", "BTC"), ("ODD", "O" * 24, "D" * 24), ("O" * 25, "ODD", "BTC")], ids=str)
def test_symbol_whose_name_no_message_holds_is_not_listed(names: tuple[str, str, str]) -> None:
    """A symbol without a name, or with one beyond all bounds, is passed over."""
    symbol, base, quote = names
    other = {**BNBBTC, "symbol": symbol, "baseAsset": base, "quoteAsset": quote}
    assert listing_read(listed(other, BNBBTC)).symbols == {"BNBBTC": "BNB/BTC"}


def test_greatest_bound_beyond_all_numbers_binds_nothing() -> None:
    """Some symbols may be ordered up to the greatest integer there is."""
    filters = [{"filterType": "LOT_SIZE", "minQty": "1", "maxQty": "9223372036854775807", "stepSize": "1"}]
    assert only({**BNBBTC, "filters": filters}).quantity_max is None


@pytest.mark.parametrize("body", ["", "{}", '{"symbols":[]}', '{"symbols":[{}]}', "null"])
def test_answer_without_symbols_is_none(body: str) -> None:
    """A list without anything to trade is a failed answer, and leaves what is known in force."""
    with pytest.raises(UnreadableError):
        listing_read(body)
