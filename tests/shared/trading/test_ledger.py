"""Every entry balances, every sum is exact, and with the positions the ledger agrees about what was gained."""

from decimal import Decimal, localcontext
from typing import Final, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.fields import Side
from shared.trading.amounts import EXACT, ZERO
from shared.trading.fills import Fill
from shared.trading.ledger import Entry, Ledger, Line, MarkMissingError, Source, entry_of, entry_of_fill
from shared.trading.positions import Position, Positions
from tests.shared.trading.booked import a_fill

SOURCES: Final[tuple[Source, ...]] = get_args(Source)
MARKS: Final = {"USDT": Decimal(1), "BTC": Decimal("64000.37"), "ETH": Decimal("3210.01"), "BNB": Decimal("612.3")}

AMOUNTS = st.decimals("-1000000000", "1000000000", places=8)
CHANGES = st.dictionaries(st.sampled_from(sorted(MARKS)), AMOUNTS, min_size=1)
ENTRIES = st.lists(st.tuples(st.sampled_from(SOURCES), CHANGES).map(lambda made: entry_of(*made)))
PRICES = st.integers(1, 10_000_000).map(lambda ticks: Decimal(ticks).scaleb(-2))
QUANTITIES = st.integers(1, 100_000).map(lambda steps: Decimal(steps).scaleb(-3))
FEE_RATES = st.decimals("-0.0005", "0.002", places=6)
ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell"]),
        st.sampled_from(["BTC", "ETH"]),
        QUANTITIES,
        PRICES,
        FEE_RATES,
        st.sampled_from(["received", "BNB"]),
    ),
    max_size=40,
)


def a_ledger(**opening: str) -> Ledger:
    """Open the books with some balances."""
    ledger = Ledger()
    ledger.post(entry_of("opening", {asset: Decimal(amount) for asset, amount in opening.items()}))
    return ledger


def came_from(ledger: Ledger, source: Source, asset: str) -> Decimal:
    """Return how much of an asset came from a source in all, negative where more went there."""
    sums = (line.amount for line in ledger.state() if (line.account, line.asset) == (source, asset))
    return EXACT.minus(sum(sums, ZERO))


def test_a_fill_moves_what_was_bought_what_was_paid_and_the_fee() -> None:
    """Each in its own asset, from the source it belongs to."""
    ledger = a_ledger(USDT="1000", BNB="1")
    ledger.post(entry_of_fill(a_fill("buy", "2", "100.03", fee="0.000250075", fee_asset="BNB")))
    assert ledger.balances() == {"USDT": Decimal("799.94"), "BNB": Decimal("0.999749925"), "BTC": 2}
    assert came_from(ledger, "trades", "USDT") == Decimal("-200.06")
    assert came_from(ledger, "trades", "BTC") == 2
    assert came_from(ledger, "fees", "BNB") == Decimal("-0.000250075")
    assert came_from(ledger, "fees", "USDT") == 0


def test_the_trade_of_the_worked_example() -> None:
    """Two units, in at 100.03 and out at 102.9691: equity falls by a fee first, and has grown by 5.57370135 then."""
    ledger = a_ledger(USDT="2000")
    ledger.post(entry_of_fill(a_fill("buy", "2", "100.03", fee="0.150045")))
    bought_at_price = {"USDT": Decimal(1), "BTC": Decimal("100.03")}
    assert ledger.equity(bought_at_price) == Decimal("1999.849955")
    ledger.post(entry_of_fill(a_fill("sell", "2", "102.9691", fee="0.15445365")))
    assert ledger.equity({"USDT": Decimal(1)}) == Decimal("2005.57370135")


def test_transfers_and_dust_are_told_apart_from_gains() -> None:
    """A deposit, a withdrawal and a remainder that the venue changed have sources of their own."""
    ledger = a_ledger(USDT="100", BTC="0.00000999")
    ledger.post(entry_of("transfers", {"USDT": Decimal(500)}))
    ledger.post(entry_of("transfers", {"USDT": Decimal("-20.5")}))
    ledger.post(entry_of("dust", {"BTC": Decimal("-0.00000999"), "BNB": Decimal("0.00103")}))
    assert ledger.balances() == {"USDT": Decimal("579.5"), "BTC": 0, "BNB": Decimal("0.00103")}
    assert came_from(ledger, "transfers", "USDT") == Decimal("479.5")
    assert came_from(ledger, "dust", "BTC") == Decimal("-0.00000999")


def test_an_entry_out_of_balance_is_a_defect() -> None:
    """It cannot be made, let alone posted."""
    with pytest.raises(AssertionError, match="out of balance"):
        Entry((Line("balance", "BTC", Decimal(1)), Line("trades", "BTC", Decimal("-0.999999999999999999999999999999"))))
    with pytest.raises(AssertionError, match="out of balance"):
        Entry((Line("balance", "BTC", Decimal(1)), Line("trades", "USDT", Decimal(-1))))


def test_equity_needs_a_mark_of_all_that_is_held() -> None:
    """What nobody can value is not left out in silence; an asset that is gone needs none."""
    ledger = a_ledger(USDT="100", XYZ="5")
    with pytest.raises(MarkMissingError, match="XYZ"):
        ledger.equity({"USDT": Decimal(1)})
    ledger.post(entry_of("transfers", {"XYZ": Decimal(-5)}))
    assert ledger.equity({"USDT": Decimal(1)}) == 100


def test_differences_are_what_the_venue_has_more() -> None:
    """Assets that only one side knows count as nothing on the other."""
    ledger = a_ledger(USDT="100", BTC="1", ETH="2")
    venue = {"USDT": Decimal("100.00"), "BTC": Decimal("0.4"), "BNB": Decimal("0.1")}
    assert ledger.differences(venue) == {"BNB": Decimal("0.1"), "BTC": Decimal("-0.6"), "ETH": -2}
    ledger.post(entry_of("outside", ledger.differences(venue)))
    assert ledger.differences(venue) == {}


@given(ENTRIES, CHANGES)
def test_opening_and_flows_are_the_balance(entries: list[Entry], opening: dict[str, Decimal]) -> None:
    """To the last digit, for each asset, after any entries and a restart."""
    ledger = Ledger()
    for entry in [entry_of("opening", opening), *entries]:
        ledger.post(entry)
    stored = msgspec.msgpack.encode(ledger.state())
    ledger = Ledger(msgspec.msgpack.decode(stored, type=tuple[Line, ...]))
    assert msgspec.msgpack.encode(ledger.state()) == stored
    for asset in MARKS:
        with localcontext(EXACT):
            assert sum((came_from(ledger, source, asset) for source in SOURCES), ZERO) == ledger.balance(asset)


def fills_of(orders: list[tuple[Side, str, Decimal, Decimal, Decimal, str]]) -> list[Fill]:
    """Make fills that sell no more than was bought, with fees as a venue takes them: of what is received, or BNB."""
    positions, fills = Positions(), list[Fill]()
    for side, base, quantity, price, rate, fee_from in orders:
        owned = positions.of("trend", f"{base}/USDT").owned
        traded = quantity if side == "buy" else min(quantity, owned)
        if not traded:
            continue
        with localcontext(EXACT):
            received = (traded, base) if side == "buy" else (traded * price, "USDT")
            fee, asset = (received[0] * rate, received[1]) if fee_from == "received" else (rate, "BNB")
        fills.append(a_fill(side, traded, price, fee=fee, fee_asset=asset, base=base))
        positions.fold(fills[-1])
    return fills


def still_in(held: Position) -> Decimal:
    """Return what a position is worth at the marks, above what its quantity cost."""
    return held.quantity * MARKS[held.symbol.removesuffix("/USDT")] - held.cost_quote


@given(ORDERS, AMOUNTS)
def test_what_was_gained_is_what_equity_grew_by(
    orders: list[tuple[Side, str, Decimal, Decimal, Decimal, str]], deposit: Decimal
) -> None:
    """Opening, transfers, the net of closed positions and what open ones are ahead, after fees, are equity: exactly."""
    ledger, positions, closed = a_ledger(USDT="1000000", BNB="10"), Positions(), ZERO
    opened_with = ledger.equity(MARKS)
    ledger.post(entry_of("transfers", {"USDT": deposit}))
    with localcontext(EXACT):
        for fill in fills_of(orders):
            ledger.post(entry_of_fill(fill))
            if positions.fold(fill) == "closed":
                closed += positions.of("trend", fill.symbol).net_quote(MARKS)
            under_way = sum((held.net_quote(MARKS) + still_in(held) for held in positions.held()), ZERO)
            assert opened_with + deposit + closed + under_way == ledger.equity(MARKS)
