"""What trades cost."""

from decimal import Decimal
from typing import Final

import pytest

from services.sim_exchange.venue.vocabulary import Fees, OpenAccount, Transfer
from tests.services.sim_exchange.venue.builders import Desk, a_desk, buy, order, rules, sell
from tests.services.sim_exchange.venue.cases import shown_balance, shown_fill

IN_BNB: Final = OpenAccount(account="ann", fees=Fees(maker=Decimal("0.001"), taker=Decimal("0.001"), in_bnb=True))


def a_desk_with_bnb(*, traded_at: str | None = "300") -> Desk:
    """Return an exchange where ann pays in BNB, and BNB has a price, or none yet."""
    desk = a_desk(rules(), rules("BNBUSDT"), rules("ETHBNB"))
    desk.does(IN_BNB)
    if traded_at is not None:
        desk.does(order("mm", "SELL", "LIMIT", "0.1", traded_at, symbol="BNBUSDT"))
        desk.does(order("mm", "BUY", "MARKET", "0.1", symbol="BNBUSDT", stp="NONE"))
    return desk


def paid(desk: Desk, quantity: str, price: str) -> str:
    """Let ann buy from the market, and return the fill."""
    desk.does(sell("mm", quantity, price))
    return shown_fill(desk.does(buy("ann", quantity, price)).fills[0][0])


def test_a_fee_may_be_paid_in_bnb_at_a_discount() -> None:
    """0.1% of 100 USDT is 0.1; a quarter off, at 300, rounded up to the last digit, is 0.00025 BNB."""
    desk = a_desk_with_bnb()
    assert paid(desk, "1", "100") == "1 @ 100, 0.00025 BNB"
    assert shown_balance(desk, "ann", "BTC") == "101 + 0"
    assert shown_balance(desk, "ann", "BNB") == "0.99975 + 0"
    assert shown_balance(desk, "fees", "BNB") == "0.00025 + 0"


@pytest.mark.parametrize(
    ("bnb_left", "fill"), [("0.00025", "1 @ 100, 0.00025 BNB"), ("0.00024999", "1 @ 100, 0.001 BTC")]
)
def test_who_has_not_enough_bnb_pays_the_plain_fee(bnb_left: str, fill: str) -> None:
    """The free balance must be enough for the whole fee."""
    desk = a_desk_with_bnb()
    desk.does(Transfer(account="ann", asset="BNB", amount=Decimal(bnb_left) - 1))
    assert paid(desk, "1", "100") == fill


def test_where_bnb_has_no_price_the_plain_fee_is_paid() -> None:
    """A fee in BNB needs a last price of BNB in the quote asset."""
    assert paid(a_desk_with_bnb(traded_at=None), "1", "100") == "1 @ 100, 0.001 BTC"


def test_bnb_is_worth_one_bnb() -> None:
    """Where prices are in BNB no other price is needed."""
    desk = a_desk_with_bnb(traded_at=None)
    desk.does(Transfer(account="ann", asset="BNB", amount=Decimal(20)))
    desk.does(order("mm", "SELL", "LIMIT", "1", "10", symbol="ETHBNB"))
    answer = desk.does(order("ann", "BUY", "LIMIT", "1", "10", symbol="ETHBNB"))
    assert shown_fill(answer.fills[0][0]) == "1 @ 10, 0.0075 BNB"


def test_a_fee_has_no_more_than_eight_digits_and_is_rounded_up() -> None:
    """Nobody trades for less than the rate by trading in small pieces."""
    desk = a_desk_with_bnb(traded_at="301.07")
    assert paid(desk, "0.051", "100.01") == "0.051 @ 100.01, 0.00001271 BNB"  # 0.0000127058...
    desk.does(Transfer(account="ann", asset="BNB", amount=Decimal("-0.99998729")))
    desk.does(buy("mm", "0.051", "100.01"))
    answer = desk.does(sell("ann", "0.051", "100.01"))
    assert shown_fill(answer.fills[0][0]) == "0.051 @ 100.01, 0.00510051 USDT"


def test_costs_change_from_one_trade_to_the_next() -> None:
    """An account that is opened again has new rates and keeps what it had."""
    desk = a_desk()
    assert paid(desk, "1", "100") == "1 @ 100, 0.002 BTC"
    desk.does(OpenAccount(account="ann", fees=Fees(maker=Decimal(0), taker=Decimal(0))))
    assert paid(desk, "1", "100") == "1 @ 100, 0 BTC"
    assert shown_balance(desk, "ann", "BTC") == "101.998 + 0"
