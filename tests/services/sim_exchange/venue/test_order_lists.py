"""OCO, worked by hand: what is accepted, and how the two orders live and end together."""

from typing import Final

import pytest

from services.sim_exchange.venue.vocabulary import CancelList, CancelOrder, Command, ListChanged, OrderChanged
from tests.services.sim_exchange.venue.builders import BTC, a_desk, buy, leg, oco, order, sell
from tests.services.sim_exchange.venue.cases import Case, shown_balance, shown_order

TRADED_AT_100: Final = [sell("mm", "1", "100"), order("mm", "BUY", "MARKET", "1", stp="NONE")]
PROFIT: Final = leg("LIMIT_MAKER", "110", name="profit")
STOP: Final = leg("STOP_LOSS_LIMIT", "89", "90", name="stop")
HELD: Final = oco("ann", "SELL", "2", PROFIT, STOP)
LOW: Final = leg("LIMIT_MAKER", "90", name="low")
HIGH: Final = leg("STOP_LOSS_LIMIT", "111", "110", name="high")
SHORT: Final = oco("ann", "BUY", "2", HIGH, LOW)

UNRELATED: Final = "-2010 The relationship of the prices for the orders is not correct."

LIVES: Final = [
    Case(
        title="both orders wait, and what they sell is locked once",
        before=TRADED_AT_100,
        asked=HELD,
        answer="NEW NEW",
        have={"ann BTC": "98 + 2"},
    ),
    Case(
        title="an OCO to buy locks what its dearer order costs",
        before=TRADED_AT_100,
        asked=SHORT,
        answer="NEW NEW",
        have={"ann USDT": "99778 + 222"},
    ),
    Case(
        title="a part of the limit order filled ends the stop, and frees what only the stop needed",
        before=[*TRADED_AT_100, SHORT],
        asked=sell("bob", "0.5", "90"),
        answer="FILLED",
        fills=["0.5 @ 90, 0.09 USDT"],
        have={"ann USDT": "99820 + 135", "ann BTC": "100.4995 + 0"},
        orders={"ann low": "PARTIALLY_FILLED 0.5", "ann high": "EXPIRED 0"},
    ),
    Case(
        title="the limit order filled ends the stop",
        before=[*TRADED_AT_100, HELD],
        asked=buy("bob", "2", "110"),
        answer="FILLED",
        fills=["2 @ 110, 0.004 BTC"],
        have={"ann BTC": "98 + 0", "ann USDT": "100219.78 + 0"},
        orders={"ann profit": "FILLED 2", "ann stop": "EXPIRED 0"},
    ),
    Case(
        title="the stop triggered ends the limit order, and rests at its own price",
        before=[*TRADED_AT_100, HELD, buy("mm", "1", "90")],
        asked=sell("bob", "1", "90"),
        answer="FILLED",
        fills=["1 @ 90, 0.18 USDT"],
        have={"ann BTC": "98 + 2"},
        orders={"ann profit": "EXPIRED 0", "ann stop": "NEW 0"},
    ),
    Case(
        title="the stop of an OCO to buy has what it needs although the limit order needed less",
        before=[*TRADED_AT_100, SHORT, sell("mm", "1", "110")],
        asked=buy("bob", "1", "110"),
        answer="FILLED",
        fills=["1 @ 110, 0.002 BTC"],
        have={"ann USDT": "99778 + 222"},
        orders={"ann low": "EXPIRED 0", "ann high": "NEW 0"},
    ),
    Case(
        title="a market stop of an OCO sells at what the book pays",
        before=[
            *TRADED_AT_100,
            oco("ann", "SELL", "2", PROFIT, leg("STOP_LOSS", stop="90", name="stop")),
            buy("mm", "1", "90"),
            buy("mm", "5", "85"),
        ],
        asked=sell("bob", "1", "90"),
        answer="FILLED",
        fills=["1 @ 90, 0.18 USDT"],
        have={"ann BTC": "98 + 0", "ann USDT": "100169.66 + 0"},
        orders={"ann profit": "EXPIRED 0", "ann stop": "FILLED 2"},
    ),
    Case(
        title="a take-profit may stand where the limit order does",
        before=[
            *TRADED_AT_100,
            oco("ann", "SELL", "2", leg("TAKE_PROFIT_LIMIT", "109", "110", name="profit"), STOP),
            sell("mm", "1", "110"),
        ],
        asked=buy("bob", "1", "110"),
        answer="FILLED",
        fills=["1 @ 110, 0.002 BTC"],
        have={"ann BTC": "98 + 2"},
        orders={"ann profit": "NEW 0", "ann stop": "EXPIRED 0"},
    ),
    Case(
        title="one order cancelled ends both",
        before=[*TRADED_AT_100, HELD],
        asked=CancelOrder(account="ann", symbol=BTC, client_id="stop"),
        answer="CANCELED CANCELED",
        have={"ann BTC": "100 + 0"},
    ),
    Case(
        title="the list cancelled ends both",
        before=[*TRADED_AT_100, HELD],
        asked=CancelList(account="ann", symbol=BTC, list_client_id="oco"),
        answer="CANCELED CANCELED",
        have={"ann BTC": "100 + 0"},
    ),
    Case(
        title="a list that is done cannot be cancelled",
        before=[*TRADED_AT_100, HELD, buy("bob", "2", "110")],
        asked=CancelList(account="ann", symbol=BTC, list_id=1),
        answer="-2011 Unknown order sent.",
    ),
]

REFUSALS: Final = [
    Case(
        title="the limit order to sell must be above the last price",
        before=TRADED_AT_100,
        asked=oco("ann", "SELL", "1", leg("LIMIT_MAKER", "100"), leg("STOP_LOSS", stop="90")),
        answer=UNRELATED,
    ),
    Case(
        title="the stop to sell must be below the last price",
        before=TRADED_AT_100,
        asked=oco("ann", "SELL", "1", leg("LIMIT_MAKER", "110"), leg("STOP_LOSS", stop="100")),
        answer=UNRELATED,
    ),
    Case(
        title="before the first trade the two prices still have an order",
        asked=oco("ann", "BUY", "1", leg("STOP_LOSS", stop="90"), leg("LIMIT_MAKER", "91")),
        answer=UNRELATED,
    ),
    Case(
        title="a limit order that would take is refused, and the stop with it",
        before=[*TRADED_AT_100, buy("mm", "1", "111")],
        asked=HELD,
        answer="-2010 Order would immediately match and take.",
        have={"ann BTC": "100 + 0"},
    ),
    Case(
        title="a plain limit order is no part of an OCO",
        asked=oco("ann", "SELL", "1", leg("LIMIT", "110"), leg("STOP_LOSS", stop="90")),
        answer="-1158 Order type not supported in OCO.",
    ),
    Case(
        title="one of the two must wait for a price",
        asked=oco("ann", "SELL", "1", leg("LIMIT_MAKER", "110"), leg("LIMIT_MAKER", "90")),
        answer="-1168 At least one OCO order must be contingent.",
    ),
    Case(
        title="the limit order to sell stands above",
        asked=oco("ann", "SELL", "1", leg("STOP_LOSS", stop="110"), leg("LIMIT_MAKER", "90")),
        answer="-1166 A limit order in a sell OCO must be above.",
    ),
    Case(
        title="the limit order to buy stands below",
        asked=oco("ann", "BUY", "1", leg("LIMIT_MAKER", "110"), leg("STOP_LOSS", stop="90")),
        answer="-1165 A limit order in a buy OCO must be below.",
    ),
    Case(
        title="the stop to sell stands below",
        asked=oco("ann", "SELL", "1", leg("STOP_LOSS", stop="110", name="a"), leg("STOP_LOSS", stop="90", name="b")),
        answer="-1197 A stop loss order in a sell OCO must be below.",
    ),
    Case(
        title="the stop to buy stands above",
        asked=oco("ann", "BUY", "1", leg("STOP_LOSS", stop="110", name="a"), leg("STOP_LOSS", stop="90", name="b")),
        answer="-1196 A stop loss order in a buy OCO must be above.",
    ),
    Case(
        title="the take-profit to sell stands above",
        asked=oco("ann", "SELL", "1", leg("LIMIT_MAKER", "110"), leg("TAKE_PROFIT", stop="90")),
        answer="-1199 A take profit order in a sell OCO must be above.",
    ),
    Case(
        title="the take-profit to buy stands below",
        asked=oco("ann", "BUY", "1", leg("TAKE_PROFIT", stop="110"), leg("LIMIT_MAKER", "90")),
        answer="-1198 A take profit order in a buy OCO must be below.",
    ),
    Case(
        title="the two must have different ids",
        asked=oco("ann", "SELL", "1", leg("LIMIT_MAKER", "110", name="a"), leg("STOP_LOSS", stop="90", name="a")),
        answer="-2010 Duplicate order sent.",
    ),
    Case(
        title="an open list keeps its id",
        before=[*TRADED_AT_100, HELD],
        asked=oco("ann", "SELL", "1", leg("LIMIT_MAKER", "110"), leg("STOP_LOSS", stop="90")),
        answer="-2010 Duplicate order sent.",
    ),
    Case(
        title="an OCO counts as two orders",
        before=[buy("ann", "1", f"{price}") for price in range(80, 89)],
        asked=HELD,
        answer="-1013 Filter failure: MAX_NUM_ORDERS",
    ),
    Case(
        title="an OCO that cannot be paid for is refused",
        before=TRADED_AT_100,
        asked=oco("ann", "SELL", "101", PROFIT, STOP),
        answer="-2010 Account has insufficient balance for requested action.",
    ),
]


@pytest.mark.parametrize("case", [*LIVES, *REFUSALS], ids=lambda case: case.title)
def test_worked_case(case: Case) -> None:
    """An OCO does what its title says."""
    case.tried()


def test_the_owner_hears_of_a_list_from_its_beginning_to_its_end() -> None:
    """A list is told as begun before its orders, and as done after the last of them, once."""
    desk = a_desk()
    commands: list[Command] = [*TRADED_AT_100, HELD, buy("bob", "1", "110"), buy("bob", "1", "110")]
    for command in commands:
        desk.does(command)
    heard = [
        event.list.status if isinstance(event, ListChanged) else f"{event.order.client_id} {event.execution}"
        for event in desk.told
        if isinstance(event, ListChanged) or (isinstance(event, OrderChanged) and event.order.account == "ann")
    ]
    begin = ["EXEC_STARTED", "profit NEW", "stop NEW"]
    assert heard == [*begin, "stop EXPIRED", "profit TRADE", "profit TRADE", "ALL_DONE"]
    assert [order_list.status for order_list in desk.exchange.lists("ann")] == ["ALL_DONE"]


def test_a_list_whose_limit_order_is_prevented_from_trading_with_its_own_account_ends() -> None:
    """An order of a list that self-trade prevention ends takes the other with it."""
    desk = a_desk()
    for command in TRADED_AT_100:
        desk.does(command)
    desk.does(HELD)
    desk.does(order("ann", "BUY", "LIMIT", "1", "110", stp="EXPIRE_MAKER"))
    assert shown_order(desk, "ann", "profit") == "EXPIRED_IN_MATCH 0"
    assert shown_order(desk, "ann", "stop") == "EXPIRED 0"
    assert shown_balance(desk, "ann", "BTC") == "100 + 0"
