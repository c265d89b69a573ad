"""Every type of order, worked by hand. ann and bob pay 0.1% as makers and 0.2% as takers, the market maker nothing."""

from typing import Final

import pytest

from tests.services.sim_exchange.venue.builders import buy, order, sell
from tests.services.sim_exchange.venue.cases import Case

INSUFFICIENT: Final = "-2010 Account has insufficient balance for requested action."
TRIGGERS: Final = "-2010 Stop price would trigger immediately."

# Two sellers and two buyers of the market, around 100.
BOOK: Final = [sell("mm", "1", "101"), sell("mm", "2", "103"), buy("mm", "1", "99"), buy("mm", "2", "97")]
TRADED_AT_100: Final = [sell("mm", "1", "100"), order("mm", "BUY", "MARKET", "1", stp="NONE")]

LIMITS: Final = [
    Case(
        title="a limit order that crosses nothing rests, and locks what it would cost",
        asked=buy("ann", "1", "100"),
        answer="NEW",
        have={"ann USDT": "99900 + 100", "ann BTC": "100 + 0"},
    ),
    Case(
        title="a limit order to sell locks what it sells",
        asked=sell("ann", "1.5", "100"),
        answer="NEW",
        have={"ann BTC": "98.5 + 1.5"},
    ),
    Case(
        title="a limit order trades at the price that was there, and pays its fee in what it bought",
        before=BOOK,
        asked=buy("ann", "1", "105"),
        answer="FILLED",
        fills=["1 @ 101, 0.002 BTC"],
        have={"ann USDT": "99899 + 0", "ann BTC": "100.998 + 0", "mm USDT": "99808 + 293", "mm BTC": "97 + 2"},
    ),
    Case(
        title="the best price comes first, and what is left of the order rests at its own price",
        before=BOOK,
        asked=buy("ann", "4", "103"),
        answer="PARTIALLY_FILLED",
        fills=["1 @ 101, 0.002 BTC", "2 @ 103, 0.004 BTC"],
        have={"ann USDT": "99590 + 103", "ann BTC": "102.994 + 0"},
    ),
    Case(
        title="at one price the first to come is the first to be served",
        before=[sell("ann", "1", "100", name="first"), sell("bob", "1", "100", name="second")],
        asked=buy("mm", "1.5", "100"),
        answer="FILLED",
        fills=["1 @ 100, 0 BTC", "0.5 @ 100, 0 BTC"],
        orders={"ann first": "FILLED 1", "bob second": "PARTIALLY_FILLED 0.5"},
    ),
    Case(
        title="a maker pays the maker's rate, a seller in what it is paid with",
        before=[buy("ann", "2", "100", name="bid")],
        asked=sell("bob", "1", "90"),
        answer="FILLED",
        fills=["1 @ 100, 0.2 USDT"],
        have={
            "bob USDT": "100099.8 + 0",
            "bob BTC": "99 + 0",
            "ann USDT": "99800 + 100",
            "ann BTC": "100.999 + 0",
            "fees USDT": "0.2 + 0",
            "fees BTC": "0.001 + 0",
        },
        orders={"ann bid": "PARTIALLY_FILLED 1"},
    ),
    Case(
        title="what cannot be filled at once of an immediate-or-cancel order expires",
        before=BOOK,
        asked=buy("ann", "2", "102", tif="IOC"),
        answer="EXPIRED",
        fills=["1 @ 101, 0.002 BTC"],
        have={"ann USDT": "99899 + 0"},
    ),
    Case(
        title="a fill-or-kill order that cannot be filled as a whole expires untouched",
        before=BOOK,
        asked=buy("ann", "3.1", "103", tif="FOK"),
        answer="EXPIRED",
        have={"ann USDT": "100000 + 0", "ann BTC": "100 + 0"},
    ),
    Case(
        title="a fill-or-kill order that can be filled is, over several prices",
        before=BOOK,
        asked=sell("ann", "3", "97", tif="FOK"),
        answer="FILLED",
        fills=["1 @ 99, 0.198 USDT", "2 @ 97, 0.388 USDT"],
        have={"ann USDT": "100292.414 + 0", "ann BTC": "97 + 0"},
    ),
    Case(
        title="a post-only order rests",
        before=BOOK,
        asked=order("ann", "BUY", "LIMIT_MAKER", "1", "100.99"),
        answer="NEW",
        have={"ann USDT": "99899.01 + 100.99"},
    ),
    Case(
        title="a post-only order to buy that would take is refused",
        before=BOOK,
        asked=order("ann", "BUY", "LIMIT_MAKER", "1", "101"),
        answer="-2010 Order would immediately match and take.",
        have={"ann USDT": "100000 + 0"},
    ),
    Case(
        title="a post-only order to sell that would take is refused",
        before=BOOK,
        asked=order("ann", "SELL", "LIMIT_MAKER", "1", "98"),
        answer="-2010 Order would immediately match and take.",
    ),
    Case(title="nobody buys with what they have not got", asked=buy("ann", "1001", "100"), answer=INSUFFICIENT),
    Case(title="nobody sells what they have not got", asked=sell("ann", "100.001", "100"), answer=INSUFFICIENT),
    Case(
        title="what an open order has locked is not there for another",
        before=[sell("ann", "60", "100")],
        asked=sell("ann", "41", "110"),
        answer=INSUFFICIENT,
        have={"ann BTC": "40 + 60"},
    ),
]

MARKETS: Final = [
    Case(
        title="a market order takes the best prices one after the other",
        before=BOOK,
        asked=order("ann", "BUY", "MARKET", "1.5"),
        answer="FILLED",
        fills=["1 @ 101, 0.002 BTC", "0.5 @ 103, 0.001 BTC"],
        have={"ann USDT": "99847.5 + 0", "ann BTC": "101.497 + 0"},
    ),
    Case(
        title="a market order that empties the book expires with what it got",
        before=BOOK,
        asked=order("ann", "SELL", "MARKET", "5"),
        answer="EXPIRED",
        fills=["1 @ 99, 0.198 USDT", "2 @ 97, 0.388 USDT"],
        have={"ann USDT": "100292.414 + 0", "ann BTC": "97 + 0"},
    ),
    Case(title="a market order at an empty book expires", asked=order("ann", "BUY", "MARKET", "1"), answer="EXPIRED"),
    Case(
        title="a market order that its account cannot pay for is refused as a whole",
        before=[sell("mm", "10", "100"), sell("mm", "20", "20000")],
        asked=order("ann", "BUY", "MARKET", "15"),
        answer=INSUFFICIENT,
        have={"ann USDT": "100000 + 0"},
    ),
    Case(
        title="a market order for money buys whole steps of what that pays for, and keeps the rest",
        before=BOOK,
        asked=order("ann", "BUY", "MARKET", None, quote="200"),
        answer="FILLED",  # 99 are left after the first; 0.961 of the second cost 98.983
        fills=["1 @ 101, 0.002 BTC", "0.961 @ 103, 0.001922 BTC"],
        have={"ann USDT": "99800.017 + 0", "ann BTC": "101.957078 + 0"},
    ),
    Case(
        title="a market order to sell for an amount of money sells no more than that",
        before=BOOK,
        asked=order("ann", "SELL", "MARKET", None, quote="150"),
        answer="FILLED",  # 51 are left after the first; 0.525 at 97 bring 50.925
        fills=["1 @ 99, 0.198 USDT", "0.525 @ 97, 0.10185 USDT"],
        have={"ann BTC": "98.475 + 0", "ann USDT": "100149.62515 + 0"},
    ),
    Case(
        title="a market order for more money than the book is worth expires with all of it",
        before=BOOK,
        asked=order("ann", "BUY", "MARKET", None, quote="1000"),
        answer="EXPIRED",
        fills=["1 @ 101, 0.002 BTC", "2 @ 103, 0.004 BTC"],
        have={"ann USDT": "99693 + 0"},
    ),
    Case(
        title="a market order for money needs a book",
        asked=order("ann", "BUY", "MARKET", None, quote="1000"),
        answer="-2010 Order book liquidity is less than symbol minimum quantity.",
    ),
    Case(
        title="a market order for money needs that money, whatever it would spend of it",
        before=BOOK,
        asked=order("ann", "BUY", "MARKET", None, quote="100001"),
        answer=INSUFFICIENT,
    ),
]

OWN_ORDERS: Final = [
    Case(
        title="an account may trade with itself if it says so, and pays both fees",
        before=[sell("ann", "1", "100", name="own")],
        asked=order("ann", "BUY", "LIMIT", "1", "100", stp="NONE"),
        answer="FILLED",
        fills=["1 @ 100, 0.002 BTC"],
        have={"ann USDT": "99999.9 + 0", "ann BTC": "99.998 + 0"},
        orders={"ann own": "FILLED 1"},
    ),
    Case(
        title="the resting order gives way to its own account's new one, which goes on",
        before=[sell("ann", "1", "100", name="own"), sell("mm", "1", "101")],
        asked=order("ann", "BUY", "LIMIT", "1", "101", stp="EXPIRE_MAKER"),
        answer="FILLED",
        fills=["1 @ 101, 0.002 BTC"],
        have={"ann BTC": "100.998 + 0"},
        orders={"ann own": "EXPIRED_IN_MATCH 0"},
    ),
    Case(
        title="the new order gives way to its own account's resting one, with what it got before",
        before=[sell("mm", "1", "99"), sell("ann", "1", "100", name="own")],
        asked=order("ann", "BUY", "LIMIT", "3", "101", stp="EXPIRE_TAKER"),
        answer="EXPIRED_IN_MATCH",
        fills=["1 @ 99, 0.002 BTC"],
        have={"ann USDT": "99901 + 0", "ann BTC": "99.998 + 1"},
        orders={"ann own": "NEW 0"},
    ),
    Case(
        title="both give way",
        before=[sell("ann", "1", "100", name="own")],
        asked=order("ann", "BUY", "MARKET", "3", stp="EXPIRE_BOTH"),
        answer="EXPIRED_IN_MATCH",
        have={"ann USDT": "100000 + 0", "ann BTC": "100 + 0"},
        orders={"ann own": "EXPIRED_IN_MATCH 0"},
    ),
    Case(
        title="what is its own does not count for a fill-or-kill order",
        before=[sell("ann", "1", "100", name="own"), sell("mm", "1", "101")],
        asked=order("ann", "BUY", "LIMIT", "2", "101", tif="FOK", stp="EXPIRE_MAKER"),
        answer="EXPIRED",
        orders={"ann own": "NEW 0"},
    ),
]

STOPS: Final = [
    Case(
        title="a stop-loss waits, and locks what it will sell",
        before=[*TRADED_AT_100, *BOOK],
        asked=order("ann", "SELL", "STOP_LOSS", "1", stop="98"),
        answer="NEW",
        have={"ann BTC": "99 + 1"},
    ),
    Case(
        title="a stop-loss is reached by a trade at its price or beyond",
        before=[*TRADED_AT_100, *BOOK, order("ann", "SELL", "STOP_LOSS", "1", stop="98", name="stop")],
        asked=sell("bob", "1.5", "97"),
        answer="FILLED",
        fills=["1 @ 99, 0.198 USDT", "0.5 @ 97, 0.097 USDT"],
        have={"ann BTC": "99 + 0", "ann USDT": "100096.806 + 0"},
        orders={"ann stop": "FILLED 1"},
    ),
    Case(
        title="a stop-loss is not reached by a trade short of its price",
        before=[*TRADED_AT_100, *BOOK, order("ann", "SELL", "STOP_LOSS", "1", stop="98", name="stop")],
        asked=sell("bob", "1", "97"),
        answer="FILLED",
        fills=["1 @ 99, 0.198 USDT"],
        orders={"ann stop": "NEW 0"},
    ),
    Case(
        title="a stop-loss limit that is reached rests at its limit",
        before=[
            *TRADED_AT_100,
            *BOOK,
            order("ann", "SELL", "STOP_LOSS_LIMIT", "1", "98", stop="98.5", name="stop"),
        ],
        asked=sell("bob", "1.5", "97"),
        answer="FILLED",
        fills=["1 @ 99, 0.198 USDT", "0.5 @ 97, 0.097 USDT"],
        have={"ann BTC": "99 + 1"},
        orders={"ann stop": "NEW 0"},
    ),
    Case(
        title="a stop-loss to buy waits above the price, and keeps no more locked than it pays",
        before=[*TRADED_AT_100, *BOOK, order("ann", "BUY", "STOP_LOSS", "1", stop="102", name="stop")],
        asked=buy("bob", "1.5", "104"),
        answer="FILLED",
        fills=["1 @ 101, 0.002 BTC", "0.5 @ 103, 0.001 BTC"],
        have={"ann USDT": "99897 + 0", "ann BTC": "100.998 + 0"},
        orders={"ann stop": "FILLED 1"},
    ),
    Case(
        title="a take-profit to sell waits above the price",
        before=[*TRADED_AT_100, *BOOK, order("ann", "SELL", "TAKE_PROFIT", "1", stop="101", name="profit")],
        asked=buy("bob", "1", "101"),
        answer="FILLED",
        fills=["1 @ 101, 0.002 BTC"],
        have={"ann USDT": "100098.802 + 0"},
        orders={"ann profit": "FILLED 1"},
    ),
    Case(
        title="a take-profit limit to buy waits below the price",
        before=[
            *TRADED_AT_100,
            *BOOK,
            order("ann", "BUY", "TAKE_PROFIT_LIMIT", "1", "98", stop="99", name="profit"),
        ],
        asked=sell("bob", "1", "99"),
        answer="FILLED",
        fills=["1 @ 99, 0.198 USDT"],
        have={"ann USDT": "99902 + 98"},
        orders={"ann profit": "NEW 0"},
    ),
    Case(
        title="one stop triggers the next, the nearest first",
        before=[
            *TRADED_AT_100,
            *BOOK,
            order("ann", "SELL", "STOP_LOSS", "2", stop="96", name="far"),
            order("bob", "SELL", "STOP_LOSS", "2", stop="99", name="near"),
            buy("mm", "5", "95"),
        ],
        asked=sell("ann", "1", "99"),
        answer="FILLED",
        fills=["1 @ 99, 0.198 USDT"],
        orders={"bob near": "FILLED 2", "ann far": "NEW 0"},
    ),
    Case(
        title="a stop whose trades reach another lets it work before the command ends",
        before=[
            *TRADED_AT_100,
            *BOOK,
            order("ann", "SELL", "STOP_LOSS", "2", stop="97", name="far"),
            order("bob", "SELL", "STOP_LOSS", "2", stop="99", name="near"),
            buy("mm", "5", "95"),
        ],
        asked=sell("ann", "1", "99"),
        answer="FILLED",
        fills=["1 @ 99, 0.198 USDT"],
        orders={"bob near": "FILLED 2", "ann far": "FILLED 2"},
    ),
    Case(
        title="a stop to buy that its account cannot pay for when it is reached expires",
        before=[
            *TRADED_AT_100,
            sell("mm", "1", "101"),
            sell("mm", "40", "180"),
            order("ann", "BUY", "STOP_LOSS", "40", stop="101", name="stop"),
            order("ann", "BUY", "LIMIT", "1900", "50"),
        ],
        asked=buy("bob", "1", "101"),
        answer="FILLED",
        fills=["1 @ 101, 0.002 BTC"],
        have={"ann USDT": "5000 + 95000"},
        orders={"ann stop": "EXPIRED 0"},
    ),
    Case(
        title="a stop-loss to sell that the last price has reached is refused",
        before=TRADED_AT_100,
        asked=order("ann", "SELL", "STOP_LOSS", "1", stop="100"),
        answer=TRIGGERS,
    ),
    Case(
        title="a stop-loss to buy that the last price has reached is refused",
        before=TRADED_AT_100,
        asked=order("ann", "BUY", "STOP_LOSS_LIMIT", "1", "101", stop="100"),
        answer=TRIGGERS,
    ),
    Case(
        title="a take-profit to sell that the last price has reached is refused",
        before=TRADED_AT_100,
        asked=order("ann", "SELL", "TAKE_PROFIT_LIMIT", "1", "99", stop="99"),
        answer=TRIGGERS,
    ),
]


@pytest.mark.parametrize("case", [*LIMITS, *MARKETS, *OWN_ORDERS, *STOPS], ids=lambda case: case.title)
def test_worked_case(case: Case) -> None:
    """An order does what its title says."""
    case.tried()
