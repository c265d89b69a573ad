"""What the readers let through can be written down and read again: a record that cannot ends every later life."""

import json
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proto.codec import EnvelopeCodec
from proto.envelope import SCHEMA, Body, Envelope
from proto.orders import OrderAcknowledged, OrderEnded, OrderFilled, OrderKey, OutsideSeen
from shared.execution.outside import openings
from shared.execution.vocabulary import AccountRead, OrderTold, TransferTold, VenueTrade
from shared.mesh.gateway.venues.catalog import VENUES
from shared.mesh.gateway.venues.venue import UnreadableError
from shared.trading.amounts import EXACT
from tests.shared.mesh.gateway.test_frames import event
from tests.shared.mesh.gateway.test_frames import read as frame_read

VENUE: Final = VENUES["binance"]
CODEC: Final = EnvelopeCodec()
SYMBOLS: Final = {"ETHBTC": "ETH/BTC"}
ORDER: Final = OrderKey("bw-desk-a", "approval", "trend", "ETH/BTC", "buy", "entry")
TRADE: Final[dict[str, Any]] = {
    "symbol": "ETHBTC",
    "id": 28_457,
    "orderId": 100_234,
    "price": "4.00000100",
    "qty": "12.00000000",
    "quoteQty": "48.000012",
    "commission": "10.10000000",
    "commissionAsset": "BNB",
    "time": 1_499_865_549_590,
    "isBuyer": True,
    "isMaker": False,
}
TOLD: Final = {"x": "TRADE", "t": 77, "l": "0.4", "L": "0.1", "Y": "0.04", "n": "0.0004", "N": "ETH", "z": "0.4"}
LONG: Final = "A" * 25
odd_numbers: Final = st.one_of(
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.sampled_from(["0", "-0", "0E-30", "1E-12", "1E-13", "9999999999999999.999999999999", "1E+16", "1E+999999"]),
)
odd_texts: Final = st.one_of(st.text(max_size=60), st.sampled_from(["", "BNB", LONG, "A" * 24]))


def is_kept(body: Body) -> bool:
    """Say whether a record is the same after it was written and read."""
    envelope = Envelope(SCHEMA, "executor", 1, 1, "id", "id", 1, "boot", 1, None, body)
    return CODEC.decode_stored(CODEC.encode_proved(envelope)) == envelope


def records(trade: VenueTrade) -> list[Body]:
    """Return all that a trade can lead to."""
    average = EXACT.create_decimal(trade.quote_quantity / trade.quantity)
    filled = OrderFilled(
        order=ORDER,
        venue_order_id=trade.venue_order_id,
        trade_id=trade.trade_id,
        price=trade.price,
        quantity=trade.quantity,
        quote_quantity=trade.quote_quantity,
        cumulative_quantity=EXACT.add(trade.quantity, trade.quantity),
        fee=trade.fee,
        fee_asset=trade.fee_asset,
        liquidity=trade.liquidity,
        venue_time_ns=trade.venue_time_ns,
        decision_price=trade.price,
        cost_expected_quote=None,
    )
    reference = f"trade-{trade.symbol}-{trade.trade_id}-{trade.side}-{trade.fee_asset}"
    outside = OutsideSeen("trade", reference, trade.symbol, trade.fee_asset, trade.fee, trade.venue_time_ns)
    return [filled, OrderEnded(ORDER, "filled", trade.quantity, average, "", ""), outside]


@example({"qty": "1E-12", "quoteQty": "1000001"})
@example({"qty": "1000001", "quoteQty": "1E-12"})
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("price", "qty", "quoteQty", "commission"), odd_numbers)))
def test_trade_with_odd_numbers_is_refused_or_can_be_written_down(odd: dict[str, str]) -> None:
    """Whatever numbers a trade has, it is refused by its reader, or every record of it can be read again."""
    try:
        (trade,) = VENUE.trades_read(json.dumps([{**TRADE, **odd}]), SYMBOLS)
    except UnreadableError:
        return
    assert all(is_kept(record) for record in records(trade))


@given(odd_texts, odd_numbers, st.integers(-2, 2**70))
def test_stream_tells_only_what_can_be_written_down(text: str, number: str, whole: int) -> None:
    """Whatever names, numbers and ids the stream tells, they are refused or can be read again."""
    transfer = {"e": "balanceUpdate", "a": text, "d": number, "T": 1_573_200_697_068}
    odd_frames: list[object] = [{"event": transfer}]
    odd_frames += [event(**{**TOLD, field: text}) for field in ("N", "s", "c", "C")]
    odd_frames += [event(**{**TOLD, field: number}) for field in ("l", "L", "Y", "n", "q", "z")]
    odd_frames += [event(**{**TOLD, field: whole}) for field in ("t", "i", "T")]
    for frame in odd_frames:
        try:
            told = frame_read(frame)
        except UnreadableError:
            continue
        if isinstance(told, TransferTold):
            seen = OutsideSeen("transfer", told.reference, None, told.asset, told.quantity, told.venue_time_ns)
            assert is_kept(seen)
        if isinstance(told, OrderTold):
            order, trade = told.order, told.trade
            assert is_kept(OrderAcknowledged(ORDER, order.venue_order_id, order.venue_time_ns))
            assert trade is None or all(is_kept(record) for record in records(trade))


@given(odd_texts, odd_numbers, odd_numbers)
def test_balances_are_refused_or_can_be_written_down(asset: str, free: str, locked: str) -> None:
    """Whatever the account is said to hold, it is refused, or the books can be opened with it."""
    try:
        balances = VENUE.account_read(json.dumps({"balances": [{"asset": asset, "free": free, "locked": locked}]}))
    except UnreadableError:
        return
    assert all(is_kept(report.body) for report in openings(AccountRead(1, balances, 1, None)))


@pytest.mark.parametrize(
    "odd",
    [
        {"price": "0.00000000"},
        {"qty": "0.00000000"},
        {"quoteQty": "0"},
        {"qty": "-0.00000000"},
        {"price": "1E-13"},
        {"qty": "10000000000000000"},
        {"commission": "NaN"},
        {"commissionAsset": ""},
        {"commissionAsset": LONG},
        {"symbol": "A" * 49},
    ],
    ids=str,
)
def test_trade_that_no_record_holds_is_refused(odd: dict[str, str]) -> None:
    """A trade of nothing, for nothing, or in an asset without a name is no trade."""
    with pytest.raises(UnreadableError):
        VENUE.trades_read(json.dumps([{**TRADE, **odd}]), SYMBOLS)


@pytest.mark.parametrize(
    "odd",
    [
        {"l": "0"},
        {"L": "0"},
        {"Y": "0"},
        {"t": -1},
        {"N": LONG},
        {"s": "GONEBTC"},
        {"z": "1.1"},
        {"X": "FILLED", "z": "0.4"},
    ],
    ids=str,
)
def test_report_that_no_record_holds_is_refused(odd: dict[str, Any]) -> None:
    """Nor is one on a market that has no name of ours, or of an order that is filled with less than all of it."""
    with pytest.raises(UnreadableError):
        frame_read(event(**{**TOLD, **odd}))


def test_order_for_a_worth_may_have_no_quantity() -> None:
    """An order by another hand for so much money has none, however much of it was executed."""
    told = frame_read(event(q="0.00000000", z="0.4", X="FILLED", x="CALCULATED"))
    assert isinstance(told, OrderTold)
    assert (told.order.quantity, told.order.executed_quantity) == (Decimal(0), Decimal("0.4"))
