"""What the account is worth at the venue: balances, and what is bid for them."""

from decimal import Decimal

from shared.execution.vocabulary import ReadWorth, WorthRead
from tests.services.sim_exchange.faults.sabotaged import Sabotaged
from tests.shared.mesh.gateway.opened import SYMBOL, Opened

FIRST_PRICES = {"endpoint": "GET /api/v3/ticker/bookTicker", "most": 1}


async def worth(ready: Opened, number: int, *symbols: str) -> WorthRead:
    """Ask, and return the answer."""
    ready.gateway.perform(ReadWorth(number, symbols))
    return await ready.brought.first(WorthRead, lambda read: read.read_number == number)


async def test_balances_come_with_the_best_bids(exchange: Sabotaged, ready: Opened) -> None:
    """Balances and bids are the venue's own; a symbol that it does not list has no price and spoils no other's."""
    read = await worth(ready, 1, SYMBOL, "NONE/USDT")
    assert read.failure is None
    held = {balance.asset: (balance.free, balance.locked) for balance in read.balances}
    truth = exchange.desk.core.balances("alice")
    assert held == {asset: (balance.free, balance.locked) for asset, balance in truth.items()}
    ((best_bid, _), *_) = exchange.desk.core.depth("BTCUSDT", 1).bids
    assert dict(read.bids) == {SYMBOL: best_bid}
    assert read.bids[SYMBOL] > Decimal(0)
    assert read.venue_time_ns > 0


async def test_reading_without_prices_is_none(exchange: Sabotaged, ready: Opened) -> None:
    """Where the venue does not say its prices the reading failed, and the next one does not."""
    exchange.suffer("http_status", status=503, executed=False, when=FIRST_PRICES)
    read = await worth(ready, 1, SYMBOL)
    assert (read.failure is None, dict(read.bids)) == (False, {})
    assert (await worth(ready, 2, SYMBOL)).failure is None
