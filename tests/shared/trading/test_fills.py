"""A trade counts once, whoever tells it again and however late."""

from decimal import Decimal
from typing import Final, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.fields import Side
from shared.trading.fills import TRADES_REMEMBERED, SymbolTrades, TradesTaken
from tests.shared.trading.booked import a_fill


def test_a_trade_moves_both_assets() -> None:
    """What was given is negative, to the last digit; the fee is no part of it."""
    assert a_fill("buy", "0.00000003", "0.1", fee="1").traded == {
        "BTC": Decimal("0.00000003"),
        "USDT": Decimal("-0.000000003"),
    }
    assert a_fill("sell", "2", "100.5").traded == {"BTC": Decimal(-2), "USDT": Decimal(201)}


def test_a_trade_of_nothing_is_a_defect() -> None:
    """Neither quantity nor price may be zero by the time a trade is booked."""
    with pytest.raises(AssertionError):
        a_fill(quantity="0")
    with pytest.raises(AssertionError):
        a_fill(price="0")


SIDES: Final[tuple[Side, ...]] = get_args(Side)
TRADES = st.tuples(st.sampled_from(["BTC/USDT", "ETH/USDT"]), st.sampled_from(SIDES), st.integers(0, 30))


@given(st.lists(TRADES))
def test_each_trade_is_new_once(trades: list[tuple[str, Side, int]]) -> None:
    """In any order, with any repetitions, and with a restart in between."""
    taken, known = TradesTaken(), set[tuple[str, Side, int]]()
    for trade in trades:
        assert taken.take(*trade) == ("repeated" if trade in known else "new")
        known.add(trade)
        stored = msgspec.msgpack.encode(taken.state())
        taken = TradesTaken(msgspec.msgpack.decode(stored, type=tuple[SymbolTrades, ...]))
        assert msgspec.msgpack.encode(taken.state()) == stored


def test_what_is_too_old_to_be_told_apart_is_not_taken() -> None:
    """Of a symbol the newest are remembered; below them a trade is neither called new nor repeated."""
    taken = TradesTaken()
    for trade_id in range(10, 10 + TRADES_REMEMBERED):
        assert taken.take("BTC/USDT", "buy", trade_id) == "new"
    assert taken.take("BTC/USDT", "buy", 5) == "new"
    assert taken.take("BTC/USDT", "buy", 5) == "forgotten"
    assert taken.take("BTC/USDT", "buy", 6) == "new"
    assert taken.take("BTC/USDT", "buy", 10) == "repeated"
    assert taken.take("BTC/USDT", "buy", 10 + TRADES_REMEMBERED) == "new"
    assert taken.take("BTC/USDT", "buy", 10) == "forgotten"
    assert taken.take("BTC/USDT", "buy", 11) == "repeated"
    assert taken.take("ETH/USDT", "buy", 10) == "new"
    assert taken.take("BTC/USDT", "sell", 10) == "new"
    assert [len(trades.trade_ids) for trades in taken.state()] == [TRADES_REMEMBERED, 1, 1]
