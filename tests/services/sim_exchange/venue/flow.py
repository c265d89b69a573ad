"""Random order flow: commands that often mean something, over three symbols, of which one does not count exactly."""

from decimal import Decimal
from typing import Final

from hypothesis import strategies as st

from services.sim_exchange.venue.vocabulary import (
    CancelAll,
    CancelList,
    CancelOrder,
    CancelReplace,
    Command,
    Fees,
    OcoLeg,
    OpenAccount,
    OrderType,
    PlaceOco,
    PlaceOrder,
    SelfTradePrevention,
    SetRules,
    Side,
    SymbolRules,
    TimeInForce,
    Transfer,
)
from tests.services.sim_exchange.venue.builders import BTC, RATES, Desk, a_desk, order, rules

FINE: Final = "ETHUSDT"  # its prices times its quantities have more digits than money
BNB: Final = "BNBUSDT"
LISTED: Final = (
    rules(BTC, open_orders_max=30, algo_orders_max=10),
    rules(FINE, tick_size=Decimal("0.00001"), step_size=Decimal("0.0001"), open_orders_max=30),
    rules(BNB),
)
IN_BNB: Final = OpenAccount(account="bob", fees=Fees(maker=Decimal("0.0007"), taker=Decimal("0.0013"), in_bnb=True))

accounts = st.sampled_from(sorted(RATES))
symbols = st.sampled_from([BTC, BTC, FINE, BNB])
sides: st.SearchStrategy[Side] = st.sampled_from(["BUY", "SELL"])
client_ids = st.sampled_from([f"id {number}" for number in range(30)])
preventions: st.SearchStrategy[SelfTradePrevention] = st.sampled_from(
    ["NONE", "NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"]
)
in_force: st.SearchStrategy[TimeInForce] = st.sampled_from(["GTC", "GTC", "IOC", "FOK"])
resting_types: Final[list[OrderType]] = ["LIMIT", "LIMIT", "LIMIT_MAKER"]
other_types: Final[list[OrderType]] = ["MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"]


@st.composite
def prices(draw: st.DrawFn, symbol: str) -> Decimal:
    """Return a price near 100, most of the time one that the symbol allows."""
    fine = Decimal("0.00007") if symbol == FINE else Decimal(0)
    return draw(st.integers(94, 106)) + draw(st.integers(0, 2)) * fine


@st.composite
def quantities(draw: st.DrawFn, symbol: str) -> Decimal:
    """Return a quantity, small beside what an account has; rarely one that is too small."""
    step = Decimal("0.3333") if symbol == FINE else Decimal("0.5")
    return draw(st.sampled_from([step * count for count in (1, 2, 3, 5, 8, 60)] + [Decimal("0.0001")]))


@st.composite
def orders(draw: st.DrawFn) -> PlaceOrder:
    """Return an order of any type."""
    symbol = draw(symbols)
    order_type = draw(st.sampled_from(resting_types * 2 + other_types))
    by_quote = order_type == "MARKET" and draw(st.booleans())
    limited = order_type in {"LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"}
    triggered = order_type not in {"LIMIT", "LIMIT_MAKER", "MARKET"}
    return PlaceOrder(
        account=draw(accounts),
        symbol=symbol,
        side=draw(sides),
        type=order_type,
        client_id=draw(client_ids),
        time_in_force=draw(in_force) if limited else None,
        quantity=None if by_quote else draw(quantities(symbol)),
        quote_quantity=draw(st.sampled_from([Decimal(10), Decimal("333.33"), Decimal(5000)])) if by_quote else None,
        price=draw(prices(symbol)) if limited or order_type == "LIMIT_MAKER" else None,
        stop_price=draw(prices(symbol)) if triggered else None,
        self_trade_prevention=draw(preventions),
    )


@st.composite
def ocos(draw: st.DrawFn) -> PlaceOco:
    """Return an OCO around 100, so that it is accepted more often than not."""
    symbol, side = draw(symbols), draw(sides)
    far, near = Decimal(draw(st.integers(101, 107))), Decimal(draw(st.integers(93, 99)))
    profit_price, stop_price = (near, far) if side == "BUY" else (far, near)
    profit_type: OrderType = draw(st.sampled_from(["LIMIT_MAKER", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"]))
    stop_type: OrderType = draw(st.sampled_from(["STOP_LOSS", "STOP_LOSS_LIMIT"]))
    profit = OcoLeg(
        type=profit_type,
        client_id=draw(client_ids),
        price=None if profit_type == "TAKE_PROFIT" else profit_price,
        stop_price=None if profit_type == "LIMIT_MAKER" else profit_price,
    )
    stop = OcoLeg(
        type=stop_type,
        client_id=draw(client_ids),
        price=stop_price + draw(st.integers(-2, 2)) if stop_type == "STOP_LOSS_LIMIT" else None,
        stop_price=stop_price,
    )
    return PlaceOco(
        account=draw(accounts),
        symbol=symbol,
        side=side,
        quantity=draw(quantities(symbol)),
        list_client_id=draw(client_ids),
        above=stop if side == "BUY" else profit,
        below=profit if side == "BUY" else stop,
        self_trade_prevention=draw(preventions),
    )


@st.composite
def cancels(draw: st.DrawFn) -> Command:
    """Return a cancel of any kind, most often by a client id that may be in use."""
    account, symbol, client_id = draw(accounts), draw(symbols), draw(client_ids)
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return CancelAll(account=account, symbol=symbol)
    if kind <= 2:
        return CancelList(account=account, symbol=symbol, list_client_id=client_id)
    return CancelOrder(account=account, symbol=symbol, client_id=client_id, cancel_client_id="cancel")


@st.composite
def replacements(draw: st.DrawFn) -> CancelReplace:
    """Return an exchange of one order for another."""
    place = draw(orders())
    return CancelReplace(
        cancel=CancelOrder(account=place.account, symbol=place.symbol, client_id=draw(client_ids)),
        place=place,
        cancel_replace_mode=draw(st.sampled_from(["STOP_ON_FAILURE", "ALLOW_FAILURE"])),
    )


@st.composite
def rule_changes(draw: st.DrawFn) -> SetRules:
    """Return a symbol with coarser filters, halted, or as it was."""
    listed = draw(st.sampled_from(LISTED))
    changed: SymbolRules = draw(
        st.sampled_from(
            [
                listed,
                listed,
                rules(listed.symbol, status="HALT"),
                rules(listed.symbol, tick_size=Decimal(2), step_size=Decimal("0.5")),
            ]
        )
    )
    return SetRules(rules=changed)


@st.composite
def transfers(draw: st.DrawFn) -> Transfer:
    """Return a deposit, or a withdrawal that there may be too little for."""
    amount = draw(st.sampled_from(["-100000", "-0.12345678", "10000"]))
    asset = draw(st.sampled_from(["BTC", "ETH", "BNB", "USDT"]))
    return Transfer(account=draw(accounts), asset=asset, amount=Decimal(amount))


def a_market() -> Desk:
    """Return an exchange with three symbols that the market quotes; bob pays in BNB."""
    desk = a_desk(*LISTED)
    desk.does(IN_BNB)
    for asset in ("ETH", "BNB"):
        for account in RATES:
            desk.does(Transfer(account=account, asset=asset, amount=Decimal(100)))
    for listed in LISTED:
        for distance in (1, 2, 4):
            desk.does(order("mm", "SELL", "LIMIT", "3", str(100 + distance), symbol=listed.symbol))
            desk.does(order("mm", "BUY", "LIMIT", "3", str(100 - distance), symbol=listed.symbol))
    return desk
