"""What an order is reckoned to cost stands in its mark, and each trade is held against its share."""

from decimal import Decimal

import pytest

from proto.envelope import MarketEnvelope
from proto.market import QuoteSeen
from proto.orders import OrderFilled, SendMarked
from shared.core.continuity import Seen
from shared.core.service import Moment
from shared.execution.reckoning import Reckoning
from shared.market.prices import Prices
from shared.trading.costs import FeeAccount
from tests.shared.execution.desk import A_DAY_NS, BTC, Desk, of

BINANCE = FeeAccount("binance", "spot", vip_level=0, pays_in_bnb=False)
WIDE = QuoteSeen(BTC, 99.8, 1.0, 100.2, 1.0)


@pytest.mark.parametrize(
    ("notional", "quote", "fraction"),
    [
        ("99", None, "0.0012"),  # 10 bps of fees, half of 2 bps, 1 bp of slippage
        ("99", WIDE, "0.0031"),  # half of 40 bps
        ("700", WIDE, "0.0033"),  # 3 bps of slippage
        ("0", None, "0.0012"),
    ],
)
def test_fee_half_the_spread_and_slippage(notional: str, quote: QuoteSeen | None, fraction: str) -> None:
    """The spread is the one that is seen; the usual one, where none is."""
    prices = Prices()
    if quote is not None:
        prices.take(Seen(b"binance/BTC/USDT/quotes", MarketEnvelope(1, 1, None, 0, 0, quote)), 1)
    reckoned = Reckoning(BINANCE, prices).cost_fraction(BTC, Decimal(notional), Moment(A_DAY_NS, 1, "boot"))
    assert reckoned == Decimal(fraction)


def test_a_trade_has_its_share_of_what_its_order_was_reckoned_to_cost() -> None:
    """That of an entry, and that of its stop, which is reckoned at its trigger."""
    desk = Desk().open()
    desk.fill(desk.entered(), price="94.9", then="filled")
    marks, fills = of(desk.reports, SendMarked), of(desk.reports, OrderFilled)
    assert [mark.decision_price for mark in marks] == [100, 95]
    assert [mark.cost_expected_fraction for mark in marks] == [Decimal("0.0013"), Decimal("0.0012")]
    assert [fill.cost_expected_quote for fill in fills] == [Decimal("0.13"), Decimal("94.9") * Decimal("0.0012")]


def test_a_day_without_known_fees_stops_no_order() -> None:
    """Where our clock is wrong by years nothing is reckoned, and what is bought is covered all the same."""
    desk = Desk(wall_ahead_ns=0).open()
    desk.entered()
    assert [mark.cost_expected_fraction for mark in of(desk.reports, SendMarked)] == [None, None]
    assert [fill.cost_expected_quote for fill in of(desk.reports, OrderFilled)] == [None]
