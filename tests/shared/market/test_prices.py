"""What a reader of prices may rely on: no old quote, none across a hole, and no trust that may have been withdrawn."""

from decimal import Decimal

from proto.envelope import MarketEnvelope
from proto.market import MarketBody, QuoteSeen, SymbolDoubted, SymbolTrusted
from shared.core.continuity import Broken, Seen, Synced
from shared.market.prices import FRESH_NS, Prices

SYMBOL = "BTC/USDT"
QUOTES, TRUST = b"binance/BTC/USDT/quotes", b"binance/BTC/USDT/trust"
QUOTE = QuoteSeen(symbol=SYMBOL, bid_price=64000.1, bid_quantity=1.0, ask_price=64000.3, ask_quantity=1.0)


def told(body: MarketBody) -> MarketEnvelope:
    """Return a message as it comes."""
    return MarketEnvelope(1, 1, None, 0, 0, body)


def trusted_prices() -> Prices:
    """Return prices with a fresh quote of a trusted symbol."""
    prices = Prices()
    prices.take(Synced(TRUST, told(SymbolTrusted(symbol=SYMBOL))), 0)
    prices.take(Seen(QUOTES, told(QUOTE)), 0)
    return prices


def test_a_price_is_the_number_that_was_sent() -> None:
    """Out of the float comes the decimal that it was written as."""
    price = trusted_prices().of(SYMBOL)
    assert price is not None
    assert (price.bid, price.ask, price.middle) == (Decimal("64000.1"), Decimal("64000.3"), Decimal("64000.2"))


def test_an_old_quote_is_none_to_enter_on() -> None:
    """After two seconds the price is known and not to be relied on."""
    prices = trusted_prices()
    assert prices.trouble(SYMBOL, FRESH_NS) is None
    assert prices.trouble(SYMBOL, FRESH_NS + 1) == "the newest quote of BTC/USDT is 2.0 s old"


def test_a_hole_takes_the_price_with_it() -> None:
    """Across a hole there may have been any price."""
    prices = trusted_prices()
    prices.take(Broken(QUOTES, "gap"), 1)
    assert prices.of(SYMBOL) is None
    assert prices.trouble(SYMBOL, 1) == "no quote of BTC/USDT is known"


def test_a_hole_takes_trust_with_it_and_leaves_doubt() -> None:
    """What was lost may have been a doubt: only the feed's next word restores trust."""
    prices = trusted_prices()
    prices.take(Broken(TRUST, "gap"), 1)
    assert prices.trouble(SYMBOL, 1) == "the feed has not said whether BTC/USDT can be trusted"
    prices.take(Synced(TRUST, None), 1)
    assert prices.trouble(SYMBOL, 1) is not None
    prices.take(Seen(TRUST, told(SymbolDoubted(symbol=SYMBOL, reasons=("stale quotes",)))), 1)
    prices.take(Broken(TRUST, "gap"), 1)
    assert prices.trouble(SYMBOL, 1) == "BTC/USDT is doubted: stale quotes"
