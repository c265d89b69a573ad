"""A position is the fold of its fills: exact, whatever their order, and counted once."""

from decimal import Decimal
from typing import Final, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.fields import Side
from shared.trading.fills import Fill
from shared.trading.positions import Position, Positions, PositionsState, SetApart
from tests.shared.trading.booked import a_fill

SIDES: Final[tuple[Side, ...]] = get_args(Side)
# On the grid of a venue: prices to the cent, quantities to a thousandth, so that thirds of a position come up.
PRICES = st.integers(1, 10_000_000).map(lambda ticks: Decimal(ticks).scaleb(-2))
QUANTITIES = st.integers(1, 100_000).map(lambda steps: Decimal(steps).scaleb(-3))
FILLS = st.lists(st.builds(a_fill, st.sampled_from(SIDES), QUANTITIES, PRICES), min_size=1, max_size=30)


def folded(*fills: Fill) -> Position:
    """Return what is held after some fills."""
    positions = Positions()
    for fill in fills:
        positions.fold(fill)
    return positions.of("trend", "BTC/USDT")


def numbers(held: Position) -> str:
    """Write down how much is held, at which average, and what was gained."""
    shown = (held.quantity, held.average_entry_price, held.realised_quote)
    return " ".join("None" if number is None else f"{number.normalize():f}" for number in shown)


def set_apart(quantity: str) -> SetApart:
    """Let so much go to a manual trade."""
    return SetApart(strategy="trend", symbol="BTC/USDT", quantity=Decimal(quantity), reason="manual trade")


def test_a_position_opens_grows_shrinks_and_closes() -> None:
    """Each fold says what it did; the average is of what was bought, and a sale leaves it as it is."""
    positions = Positions()
    assert positions.fold(a_fill("buy", "1", "100")) == "opened"
    assert positions.fold(a_fill("buy", "3", "120")) == "added"
    assert positions.of("trend", "BTC/USDT").average_entry_price == Decimal(115)
    assert positions.fold(a_fill("sell", "1", "130")) == "reduced"
    held = positions.of("trend", "BTC/USDT")
    assert numbers(held) == "3 115 15"
    assert positions.held() == [held]
    assert positions.fold(a_fill("sell", "3", "110")) == "closed"
    closed = positions.of("trend", "BTC/USDT")
    assert numbers(closed) == "0 None 0"
    assert closed.cost_quote == 0
    assert positions.held() == []


def test_the_next_opening_begins_a_new_account() -> None:
    """The result of a closed position stands until a fill opens it again."""
    bought, sold = a_fill("buy", fee="0.1"), a_fill("sell", price="110", fee="0.1")
    assert folded(bought, sold).net_quote({}) == Decimal("9.8")
    assert folded(bought, sold, a_fill("buy", price="50", fee="0.05")).net_quote({}) == Decimal("-0.05")


def test_the_trade_of_the_worked_example() -> None:
    """Two units, in at 100.03 and out at 102.9691, with fees in BNB, gain 5.57370135."""
    trip = folded(
        a_fill("buy", "2", "100.03", fee="0.0002500750", fee_asset="BNB"),
        a_fill("sell", "2", "102.9691", fee="0.00025742275", fee_asset="BNB"),
    )
    assert trip.realised_quote == Decimal("5.8782")
    assert trip.fees_in_third_assets == (("BNB", Decimal("0.00050749775")),)
    assert trip.net_quote({"BNB": Decimal(600)}) == Decimal("5.57370135")


def test_a_fee_in_the_base_asset_comes_out_of_the_position() -> None:
    """Less is held than was bought; what is held was bought at the price of the trade, and the fee counts at it."""
    held = folded(a_fill("buy", "1", "100", fee="0.001", fee_asset="BTC"))
    assert numbers(held) == "0.999 100 0"
    assert held.fees_quote == Decimal("0.1")
    flat = folded(a_fill("buy", "1", "100", fee="0.001", fee_asset="BTC"), a_fill("sell", "0.999", "200", fee="0.1998"))
    assert flat.quantity == 0
    assert flat.net_quote({}) == Decimal("199.8") - Decimal("0.1998") - 100


def test_a_sale_of_bnb_may_be_paid_for_with_bnb() -> None:
    """A fee on the sale of everything is paid by other coins of the account: the position is closed, not oversold."""
    positions = Positions()
    positions.fold(a_fill("buy", "2", "600", base="BNB"))
    assert positions.fold(a_fill("sell", "1", "600", fee="0.00075", fee_asset="BNB", base="BNB")) == "reduced"
    assert positions.of("trend", "BNB/USDT").quantity == Decimal("0.99925")
    assert positions.fold(a_fill("sell", "0.99925", "600", fee="0.00075", fee_asset="BNB", base="BNB")) == "closed"
    assert positions.fold(a_fill("sell", "1", "600", fee="0.00075", fee_asset="BNB", base="BNB")) == "oversold"
    assert positions.of("trend", "BNB/USDT").oversold == 1


def test_a_rebate_counts_as_what_it_is() -> None:
    """A negative fee adds to what is held or to what is gained."""
    assert folded(a_fill("buy", fee="-0.001", fee_asset="BTC")).quantity == Decimal("1.001")
    assert folded(a_fill("buy", fee="-0.1")).net_quote({}) == Decimal("0.1")


def test_a_repeated_fill_changes_nothing() -> None:
    """It is told as repeated, also after a restart; the number alone means nothing on another symbol or side."""
    positions = Positions()
    positions.fold(a_fill(trade_id=7))
    known = positions.state()
    assert positions.fold(a_fill(trade_id=7)) == "repeated"
    assert positions.state() == known
    assert Positions(known).fold(a_fill(trade_id=7)) == "repeated"
    assert positions.fold(a_fill(trade_id=7, base="ETH")) == "opened"
    assert positions.fold(a_fill("sell", trade_id=7)) == "closed"


def test_positions_belong_to_strategies() -> None:
    """Two strategies that traded one symbol, one after the other, have a position each."""
    positions = Positions()
    positions.fold(a_fill(quantity="1"))
    positions.fold(a_fill(quantity="2", strategy="reversion"))
    assert positions.of("trend", "BTC/USDT").quantity == 1
    assert positions.of("reversion", "BTC/USDT").quantity == 2


def test_more_sold_than_held_is_told_and_counted() -> None:
    """Nothing of it may be sold again; the fill that was missing closes the hole, and the gain is what it would be."""
    positions = Positions()
    positions.fold(a_fill("buy", "1", "100"))
    assert positions.fold(a_fill("sell", "3", "130")) == "oversold"
    held = positions.of("trend", "BTC/USDT")
    assert held.owned == 0
    assert held.oversold == 2
    assert positions.fold(a_fill("buy", "0.5", "100")) == "oversold"
    assert positions.fold(a_fill("buy", "1.5", "100")) == "closed"
    assert positions.of("trend", "BTC/USDT").realised_quote == 90


def test_nothing_has_no_sign() -> None:
    """A quantity of nothing fits the messages, which refuse a zero below zero."""
    for held in (Position(strategy="trend", symbol="BTC/USDT"), folded(a_fill("buy"), a_fill("sell"))):
        assert [str(number) for number in (held.quantity, held.owned, held.oversold)] == ["0", "0", "0"]


def test_a_manual_trade_cuts_the_share_at_cost() -> None:
    """What is set apart neither gains nor loses, and the average of the rest stays."""
    positions = Positions()
    positions.fold(a_fill("buy", "3", "100"))
    positions.set_apart(set_apart("1"))
    held = positions.of("trend", "BTC/USDT")
    assert numbers(held) == "2 100 0"
    positions.set_apart(set_apart("2"))
    assert positions.held() == []


def test_an_oversold_position_can_be_settled() -> None:
    """An operator found that somebody else's coins were sold: the hole is closed, the strategy gains nothing by it."""
    positions = Positions()
    positions.fold(a_fill("buy", "1", "100"))
    positions.fold(a_fill("sell", "3", "130"))
    positions.set_apart(set_apart("2"))
    settled = positions.of("trend", "BTC/USDT")
    assert numbers(settled) == "0 None 30"
    assert settled.cost_quote == 0


@pytest.mark.parametrize("quantity", ["0", "-1", "1.001"])
def test_nothing_is_set_apart_that_is_not_there(quantity: str) -> None:
    """More than is held, or less than nothing, is a mistake of ours."""
    positions = Positions()
    positions.fold(a_fill("buy", "1"))
    with pytest.raises(AssertionError):
        positions.set_apart(set_apart(quantity))


@given(FILLS.flatmap(lambda fills: st.tuples(st.just(fills), st.permutations(fills))))
def test_the_order_of_fills_does_not_change_what_is_held(told: tuple[list[Fill], list[Fill]]) -> None:
    """A position is the sum of its signed fills, in whatever order they become known."""
    fills, shuffled = told
    assert folded(*shuffled).quantity == sum((fill.traded["BTC"] for fill in fills), Decimal(0))


@given(FILLS)
def test_no_cost_is_lost(fills: list[Fill]) -> None:
    """What was paid is in what is held or in what was gained, to the last digit, however the parts were rounded."""
    positions, paid, gained = Positions(), Decimal(0), Decimal(0)
    for fill in fills:
        if not positions.held():
            gained += positions.of("trend", "BTC/USDT").realised_quote
        positions.fold(fill)
        paid -= fill.traded["USDT"]
        held = positions.of("trend", "BTC/USDT")
        assert held.cost_quote - held.realised_quote == paid + gained
        if not held.quantity:
            assert held.cost_quote == 0


@given(FILLS, st.integers(0, 30))
def test_a_restart_changes_nothing(fills: list[Fill], at: int) -> None:
    """The state, stored and read again in the middle, leads to the same bytes."""
    straight, restarted = Positions(), Positions()
    for number, fill in enumerate(fills):
        if number == at:
            stored = msgspec.msgpack.encode(restarted.state())
            restarted = Positions(msgspec.msgpack.decode(stored, type=PositionsState))
        assert straight.fold(fill) == restarted.fold(fill)
    assert msgspec.msgpack.encode(straight.state()) == msgspec.msgpack.encode(restarted.state())
