"""Makers and takers: they follow the path, leave what need not move, and fill whom the price goes through."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal

import msgspec
import pytest

from services.sim_exchange.market.ladder import MAKERS
from services.sim_exchange.market.market import TAKERS
from services.sim_exchange.market.script import Scripts
from services.sim_exchange.market.synthetic import SyntheticMarket
from services.sim_exchange.venue.vocabulary import (
    CancelOrder,
    OpenAccount,
    Outcome,
    PlaceOrder,
    Refused,
    RulesChanged,
    Transfer,
)
from tests.services.sim_exchange.market.builders import NOON_MS, a_market, some_scripts, some_settings
from tests.services.sim_exchange.market.small_book import SmallBook, a_limit_order, play

MINUTE_MS = 60_000
REFUSAL = Outcome(answer=Refused(code=-1013, message="Filter failure: LOT_SIZE"))

TRADED = """
import sys
from tests.services.sim_exchange.market.test_market import digest_of_trades
sys.stdout.write(digest_of_trades())
"""


def digest_of_trades() -> str:
    """Return a fingerprint of some seconds of trading in four symbols, over a turn of a minute."""
    book = SmallBook()
    trades = play(a_market(some_settings()), book, NOON_MS - 10_000, NOON_MS + 10_000)
    return hashlib.sha256(msgspec.msgpack.encode(trades)).hexdigest()


def path_price(scripts: Scripts, now_ms: int) -> float:
    """Return where the price of BTCUSDT is, in quote."""
    return scripts.minute("BTCUSDT", now_ms - now_ms % MINUTE_MS).price(now_ms) / 100


def test_trading_is_the_same_in_every_process() -> None:
    """Two processes with different hash seeds make the same trades, given the same answers."""
    said = [
        subprocess.run(
            [sys.executable, "-c", TRADED],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "4242")
    ]
    assert said[0] == said[1] == digest_of_trades()


def test_the_market_opens_its_own_accounts() -> None:
    """Before the first step there are two accounts of the market's own that trade for nothing and never run dry."""
    commands = list(a_market(some_settings()).opening())
    opened = [command for command in commands if isinstance(command, OpenAccount)]
    assert [(command.account, command.is_market) for command in opened] == [(MAKERS, True), (TAKERS, True)]
    assert all(command.fees.maker == command.fees.taker == 0 for command in opened)
    given = {(command.account, command.asset) for command in commands if isinstance(command, Transfer)}
    assert given == {(name, asset) for name in (MAKERS, TAKERS) for asset in ("BNB", "BTC", "ETH", "SOL", "USDT")}


def test_the_book_stands_around_the_path() -> None:
    """Whenever one looks, each side has its levels, bid below ask, and the path is near both."""
    market, book, scripts = a_market(), SmallBook(), some_scripts()
    for now_ms in range(NOON_MS, NOON_MS + MINUTE_MS, 200):
        play(market, book, now_ms, now_ms + 1)
        bid, ask = book.best("BTCUSDT", "BUY"), book.best("BTCUSDT", "SELL")
        assert bid < ask
        assert float(bid) == pytest.approx(path_price(scripts, now_ms), rel=2e-4)
        assert float(ask) == pytest.approx(path_price(scripts, now_ms), rel=2e-4)
        assert 13 <= len(book.side("BTCUSDT", "BUY")) <= 15
        assert 13 <= len(book.side("BTCUSDT", "SELL")) <= 15


def test_trades_make_the_bars_of_the_path() -> None:
    """Over some minutes, what is traded has about the prices, the volume and the number of trades of the bars."""
    minutes = 5
    scripts = some_scripts()
    trades = play(a_market(), SmallBook(), NOON_MS, NOON_MS + minutes * MINUTE_MS)
    bars = scripts.history.minutes("BTCUSDT", NOON_MS, NOON_MS + minutes * MINUTE_MS).columns
    high, low = bars[1].max() / 100, bars[2].min() / 100
    assert float(max(trade.price for trade in trades)) == pytest.approx(high, rel=5e-4)
    assert float(min(trade.price for trade in trades)) == pytest.approx(low, rel=5e-4)
    assert float(trades[-1].price) == pytest.approx(bars[3, -1] / 100, rel=5e-4)
    assert float(sum(trade.quantity for trade in trades)) == pytest.approx(bars[4].sum() / 100_000, rel=0.1)
    takers = {max(trade.buyer_order_id, trade.seller_order_id) for trade in trades}
    assert len(takers) == pytest.approx(bars[6].sum(), rel=0.1)


def test_only_what_moved_is_changed() -> None:
    """A step changes far fewer orders than there are levels, and takers are the ones there should be."""
    market, book = a_market(), SmallBook()
    play(market, book, NOON_MS, NOON_MS + 1)
    before = book.commands
    trades = play(market, book, NOON_MS + 200, NOON_MS + MINUTE_MS)
    takers = len({max(trade.buyer_order_id, trade.seller_order_id) for trade in trades})
    assert (book.commands - before - takers) / 300 < 8


def test_nothing_happens_between_two_steps() -> None:
    """Asked more often than its step, a market does nothing."""
    market, book = a_market(), SmallBook()
    play(market, book, NOON_MS, NOON_MS + 1)
    assert market.step(NOON_MS + 199) == ()
    assert market.step(NOON_MS + 200) != ()


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_a_clients_order_is_filled_when_the_price_goes_through_it(side: str) -> None:
    """An order that rests where the path will come to is filled there, in full, and not before."""
    scripts, market, book = some_scripts(), a_market(), SmallBook()
    play(market, book, NOON_MS, NOON_MS + 200)
    bars = scripts.history.minutes("BTCUSDT", NOON_MS, NOON_MS + 10 * MINUTE_MS).columns
    reached = int(bars[2].min() + 500) if side == "BUY" else int(bars[1].max() - 500)
    order = a_limit_order("BUY" if side == "BUY" else "SELL", reached * Decimal("0.01"), Decimal("0.5"))
    market.heard(book.handle(order).events)
    mine = next(view for view in book.resting.values() if view.account == "client")
    first = min(m for m in range(10) if (bars[2, m] <= reached if side == "BUY" else bars[1, m] >= reached))
    play(market, book, NOON_MS + 200, NOON_MS + first * MINUTE_MS - 2_000, 1_000)
    assert book.resting[mine.order_id].filled == 0
    trades = play(market, book, NOON_MS + first * MINUTE_MS, NOON_MS + 10 * MINUTE_MS, 1_000)
    assert mine.order_id not in book.resting
    fills = [trade for trade in trades if mine.order_id in {trade.buyer_order_id, trade.seller_order_id}]
    assert sum(trade.quantity for trade in fills) == Decimal("0.5")
    assert {trade.price for trade in fills} == {order.price}


def test_makers_stand_again_where_a_client_took_all() -> None:
    """After somebody swept the book, the next step places the levels anew."""
    market, book = a_market(), SmallBook()
    play(market, book, NOON_MS, NOON_MS + 200)
    market.heard(book.handle(a_limit_order("BUY", Decimal(1_000_000), Decimal(60))).events)
    assert len(book.side("BTCUSDT", "SELL")) < 13
    book.resting = {key: order for key, order in book.resting.items() if order.account != "client"}
    play(market, book, NOON_MS + 200, NOON_MS + 400)
    assert len(book.side("BTCUSDT", "SELL")) >= 13


def test_what_was_refused_is_tried_again() -> None:
    """A venue that refuses everything for a while gets the same orders afterwards, and no cancels of what never was."""
    market, book = a_market(), SmallBook()
    for now_ms in (NOON_MS, NOON_MS + 200):
        for command in market.step(now_ms):
            assert isinstance(command, PlaceOrder)
            market.answered(command, REFUSAL)
    play(market, book, NOON_MS + 400, NOON_MS + 401)
    assert len(book.side("BTCUSDT", "BUY")) == len(book.side("BTCUSDT", "SELL")) == 15


def test_a_halted_symbol_is_left_alone() -> None:
    """While a symbol is halted nothing is sent for it; afterwards trading goes on."""
    settings = some_settings(symbols=2)
    market, book = a_market(settings), SmallBook()
    play(market, book, NOON_MS, NOON_MS + 1_000)
    rules = settings.symbols[0].rules
    market.heard([RulesChanged(rules=msgspec.structs.replace(rules, status="HALT"))])
    assert {command.symbol for command in market.step(NOON_MS + 1_000)} == {"ETHUSDT"}
    market.heard([RulesChanged(rules=rules)])
    assert {command.symbol for command in market.step(NOON_MS + 1_200)} == {"BTCUSDT", "ETHUSDT"}


def test_a_changed_filter_is_followed() -> None:
    """When tick and step change, everything is placed anew in the new ones, also what takers take."""
    settings = some_settings(symbols=1)
    market, book = a_market(settings), SmallBook()
    play(market, book, NOON_MS, NOON_MS + 1_000)
    tick, step = Decimal("0.5"), Decimal("0.001")
    rules = msgspec.structs.replace(
        settings.symbols[0].rules, tick_size=tick, step_size=step, quantity_min=step, market_quantity_max=Decimal(10)
    )
    market.heard([RulesChanged(rules=rules)])
    trades = play(market, book, NOON_MS + 1_000, NOON_MS + 20_000)
    assert all(order.price % tick == 0 and order.quantity % step == 0 for order in book.resting.values())
    assert trades
    assert all(trade.price % tick == 0 and trade.quantity % step == 0 for trade in trades)


def test_a_stall_does_not_flood_the_venue() -> None:
    """After standing still for ten minutes a market sends one step's commands, not those of ten minutes."""
    market, book = a_market(), SmallBook()
    play(market, book, NOON_MS, NOON_MS + 1_000)
    kinds = Counter(type(command) for command in market.step(NOON_MS + 600_000))
    assert kinds[PlaceOrder] < 60
    assert kinds[CancelOrder] <= 30


def test_every_seed_and_symbol_has_lawful_orders() -> None:
    """Whatever is sent obeys the symbol's filters."""
    settings = some_settings(seed=3)
    rules = settings.rules()
    market, book = a_market(settings, SyntheticMarket(settings)), SmallBook()
    for now_ms in range(NOON_MS, NOON_MS + 30_000, 200):
        book.now_ms = now_ms
        for command in market.step(now_ms):
            if isinstance(command, PlaceOrder):
                its, quantity = rules[command.symbol], command.quantity or Decimal(0)
                price = command.price or book.best(command.symbol, "BUY")
                assert quantity % its.step_size == 0
                assert price % its.tick_size == 0
                assert its.quantity_min <= quantity <= its.market_quantity_max
                assert quantity * price >= its.notional_min * Decimal("0.999")
            market.answered(command, book.handle(command))
