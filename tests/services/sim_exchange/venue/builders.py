"""Commands with sensible defaults, and a small exchange to send them to: ann, bob and the market maker `mm`."""

from decimal import Decimal
from typing import Final

import msgspec

from services.sim_exchange.venue.exchange import IDS_PER_MS, Exchange
from services.sim_exchange.venue.vocabulary import (
    Command,
    Done,
    Event,
    Fees,
    OcoLeg,
    OpenAccount,
    OrderType,
    Outcome,
    PlaceOco,
    PlaceOrder,
    Refused,
    SelfTradePrevention,
    SetRules,
    Side,
    SymbolRules,
    TimeInForce,
    Transfer,
)

START_MS: Final = 1_700_000_000_000
FIRST_ID: Final = START_MS * IDS_PER_MS + 1
BTC: Final = "BTCUSDT"
FUNDS: Final = {"BTC": "100", "ETH": "100", "BNB": "1", "USDT": "100000"}
RATES: Final = {"ann": ("0.001", "0.002"), "bob": ("0.001", "0.002"), "mm": ("0", "0")}


def rules(symbol: str = BTC, **changes: object) -> SymbolRules:
    """Return a symbol with round filters; any of them may be another."""
    plain = SymbolRules(
        symbol=symbol,
        base=symbol[:3],
        quote=symbol[3:],
        tick_size=Decimal("0.01"),
        price_min=Decimal("0.01"),
        price_max=Decimal(100000),
        step_size=Decimal("0.001"),
        quantity_min=Decimal("0.001"),
        quantity_max=Decimal(9000),
        market_quantity_max=Decimal(50),
        notional_min=Decimal(5),
        notional_max=Decimal(500000),
        percent_up=Decimal(2),
        percent_down=Decimal("0.5"),
        open_orders_max=10,
        algo_orders_max=3,
    )
    return msgspec.structs.replace(plain, **changes)


def order(
    account: str,
    side: Side,
    order_type: OrderType,
    quantity: str | None,
    price: str | None = None,
    *,
    stop: str | None = None,
    quote: str | None = None,
    tif: TimeInForce | None = None,
    name: str = "",
    stp: SelfTradePrevention = "EXPIRE_MAKER",
    symbol: str = BTC,
) -> PlaceOrder:
    """Return an order; without a name it has one that no other order has."""
    limited = order_type in {"LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"}
    return PlaceOrder(
        account=account,
        symbol=symbol,
        side=side,
        type=order_type,
        client_id=name,
        time_in_force=tif or ("GTC" if limited else None),
        quantity=_amount(quantity),
        quote_quantity=_amount(quote),
        price=_amount(price),
        stop_price=_amount(stop),
        self_trade_prevention=stp,
    )


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def buy(
    account: str,
    quantity: str,
    price: str,
    *,
    name: str = "",
    tif: TimeInForce = "GTC",
    stp: SelfTradePrevention = "EXPIRE_MAKER",
) -> PlaceOrder:
    """Return a limit order to buy."""
    return order(account, "BUY", "LIMIT", quantity, price, name=name, tif=tif, stp=stp)


def sell(
    account: str,
    quantity: str,
    price: str,
    *,
    name: str = "",
    tif: TimeInForce = "GTC",
    stp: SelfTradePrevention = "EXPIRE_MAKER",
) -> PlaceOrder:
    """Return a limit order to sell."""
    return order(account, "SELL", "LIMIT", quantity, price, name=name, tif=tif, stp=stp)


def leg(order_type: OrderType, price: str | None = None, stop: str | None = None, name: str = "") -> OcoLeg:
    """Return one of the orders of an OCO."""
    limited = order_type.endswith("_LIMIT")
    return OcoLeg(
        type=order_type,
        client_id=name or f"leg {order_type}",
        price=_amount(price),
        stop_price=_amount(stop),
        time_in_force="GTC" if limited else None,
    )


def oco(account: str, side: Side, quantity: str, above: OcoLeg, below: OcoLeg) -> PlaceOco:
    """Return an OCO."""
    return PlaceOco(
        account=account,
        symbol=BTC,
        side=side,
        quantity=Decimal(quantity),
        list_client_id="oco",
        above=above,
        below=below,
    )


class Desk:
    """An exchange, its clock, and everything it told."""

    def __init__(self, exchange: Exchange | None = None) -> None:
        self.exchange = Exchange(opened_ms=START_MS) if exchange is None else exchange
        self.now_ms = START_MS
        self.told: list[Event] = []
        self._named = 0

    def send(self, command: Command) -> Outcome:
        """Send a command, one millisecond after the last; an order without a name is given one."""
        self.now_ms += 1
        if isinstance(command, PlaceOrder) and not command.client_id:
            self._named += 1
            command = msgspec.structs.replace(command, client_id=f"unnamed {self._named}")
        outcome = self.exchange.handle(command, self.now_ms)
        self.told += outcome.events
        return outcome

    def does(self, command: Command) -> Done:
        """Send a command that must not be refused."""
        answer = self.send(command).answer
        assert isinstance(answer, Done), answer
        return answer

    def refuses(self, command: Command) -> Refused:
        """Send a command that must be refused, and see that it told nobody anything."""
        outcome = self.send(command)
        assert isinstance(outcome.answer, Refused), outcome.answer
        assert outcome.events == ()
        return outcome.answer


def a_desk(*listed: SymbolRules, exchange: Exchange | None = None) -> Desk:
    """Return an exchange with accounts that have something of everything; `mm` is the market's."""
    desk = Desk(exchange)
    for symbol_rules in listed or (rules(),):
        desk.does(SetRules(rules=symbol_rules))
    for account, (maker, taker) in RATES.items():
        fees = Fees(maker=Decimal(maker), taker=Decimal(taker))
        desk.does(OpenAccount(account=account, fees=fees, is_market=account == "mm"))
        for asset, amount in FUNDS.items():
            desk.does(Transfer(account=account, asset=asset, amount=Decimal(amount)))
    return desk
