"""The venue: the matching core of the simulated exchange, with a memory of how everything stood when.

A real venue answers questions from copies that lag behind. So every reading here is as of a moment, and whoever asks
says which. What happened is told to whoever listens at once; the way from there is the gateway's.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, TypeVar

from services.executor.vocabulary import (
    Acknowledged,
    CancelOrder,
    OrderTold,
    Rejected,
    SendOrder,
    TransferTold,
    Unproved,
    VenueBalance,
    VenueOrder,
    VenueStatus,
    VenueTrade,
)
from services.sim_exchange.venue import vocabulary as spoken
from services.sim_exchange.venue.exchange import Exchange
from shared.trading.instruments import Instrument
from tests.simulation.scheduler import BOOTED_NS, MILLISECOND_NS, SECOND_NS, Scheduler

OUR_ACCOUNT: Final = "ours"
MARKET_ACCOUNTS: Final = ("maker", "crowd")
AHEAD_NS: Final = 1_700_000_000 * SECOND_NS - BOOTED_NS  # of our boot clock is the venue's
SYMBOLS: Final = {"BTC/USDT": "BTCUSDT", "ETH/USDT": "ETHUSDT"}
BNB: Final = "BNBUSDT"  # in which fees may be paid; it is not traded
_OURS: Final = {theirs: ours for ours, theirs in SYMBOLS.items()}
DUPLICATE: Final = "Duplicate order sent."
_STATUS: Final[dict[spoken.OrderStatus, VenueStatus]] = {
    "NEW": "open",
    "PARTIALLY_FILLED": "open",
    "FILLED": "filled",
    "CANCELED": "canceled",
    "REJECTED": "rejected",
    "EXPIRED": "expired",
    "EXPIRED_IN_MATCH": "expired",
}

Told = OrderTold | TransferTold
Stood = TypeVar("Stood")


class SimVenue:
    """The exchange, its clock, and what it remembers. All times are virtual boot time."""

    def __init__(self, scheduler: Scheduler, client_ids: spoken.ClientIdRule, *, pays_in_bnb: bool) -> None:
        self._scheduler: Final = scheduler
        self._exchange: Final = Exchange(client_ids=client_ids, opened_ms=(BOOTED_NS + AHEAD_NS) // MILLISECOND_NS)
        self._orders: Final[dict[int, list[tuple[int, spoken.OrderView]]]] = {}
        self._trades: Final[list[tuple[int, VenueTrade]]] = []
        self._balances: Final[dict[str, list[tuple[int, spoken.Balance]]]] = {}
        self._listeners: Final[list[Callable[[Told], None]]] = []
        self._transfers = 0
        for symbol in (*SYMBOLS.values(), BNB):
            self.command(spoken.SetRules(rules=_rules(symbol)))
        plain = spoken.Fees(maker=Decimal("0.001"), taker=Decimal("0.001"), in_bnb=pays_in_bnb)
        self.command(spoken.OpenAccount(account=OUR_ACCOUNT, fees=plain))
        free = spoken.Fees(maker=Decimal(0), taker=Decimal(0))
        for account in MARKET_ACCOUNTS:
            self.command(spoken.OpenAccount(account=account, fees=free, is_market=True))
            for asset in ("BTC", "ETH", "BNB", "USDT"):
                self.command(spoken.Transfer(account=account, asset=asset, amount=Decimal(10_000_000)))
        self._give_bnb_a_price()
        self.command(spoken.Transfer(account=OUR_ACCOUNT, asset="USDT", amount=Decimal(10_000)))
        # Enough for some trades, so that fees change their asset in the middle of a run.
        self.command(spoken.Transfer(account=OUR_ACCOUNT, asset="BNB", amount=Decimal("0.01")))

    @property
    def time_ns(self) -> int:
        """Return the time by the venue's clock."""
        return self._scheduler.now_ns + AHEAD_NS

    def listen(self, listener: Callable[[Told], None]) -> None:
        """Tell somebody whatever happens on our account."""
        self._listeners.append(listener)

    def command(self, command: spoken.Command) -> spoken.Done | spoken.Refused:
        """Carry out a command of anybody, and remember what it changed."""
        outcome = self._exchange.handle(command, self.time_ns // MILLISECOND_NS)
        for event in outcome.events:
            self._noted(event)
        return outcome.answer

    def place(self, wanted: SendOrder, stamp_ns: int) -> Acknowledged | Rejected | Unproved:
        """Take an order of ours, if its stamp still counts."""
        if self.time_ns > stamp_ns + wanted.window_ns:
            return Rejected("-1021", "Timestamp for this request is outside of the recvWindow.")
        types: dict[str, spoken.OrderType] = {"market": "MARKET", "stop_market": "STOP_LOSS"}
        answer = self.command(
            spoken.PlaceOrder(
                account=OUR_ACCOUNT,
                symbol=SYMBOLS[wanted.symbol],
                side="BUY" if wanted.side == "buy" else "SELL",
                type=types[wanted.order_type],
                client_id=wanted.client_order_id,
                quantity=wanted.quantity,
                stop_price=wanted.stop_price,
            )
        )
        if isinstance(answer, spoken.Done):
            return Acknowledged(_order(answer.orders[0]))
        if answer.message == DUPLICATE:
            return Unproved(400, str(answer.code), answer.message)
        return Rejected(str(answer.code), answer.message)

    def cancel(self, wanted: CancelOrder) -> Acknowledged | Rejected:
        """Cancel an order of ours."""
        answer = self.command(
            spoken.CancelOrder(account=OUR_ACCOUNT, symbol=SYMBOLS[wanted.symbol], client_id=wanted.client_order_id)
        )
        if isinstance(answer, spoken.Done):
            return Acknowledged(_order(answer.orders[0]))
        return Rejected(str(answer.code), answer.message)

    def order(self, client_order_id: str, as_of_ns: int) -> VenueOrder | None:
        """Return the newest order under this id as it was at a moment."""
        found = [one for one in self.orders(as_of_ns) if one.client_order_id == client_order_id]
        return found[-1] if found else None

    def orders(self, as_of_ns: int) -> list[VenueOrder]:
        """Return every order of our account as it was at a moment, oldest first."""
        known = (_as_of(history, as_of_ns) for history in self._orders.values())
        return [_order(view) for view in known if view is not None]

    def trades(self, symbol: str, as_of_ns: int) -> list[VenueTrade]:
        """Return the trades of our account that had happened on a symbol at a moment."""
        return [trade for at_ns, trade in self._trades if at_ns <= as_of_ns and trade.symbol == symbol]

    def balances(self, as_of_ns: int) -> tuple[VenueBalance, ...]:
        """Return what our account had at a moment."""
        known = {asset: _as_of(history, as_of_ns) for asset, history in self._balances.items()}
        return tuple(VenueBalance(asset, one.free, one.locked) for asset, one in known.items() if one is not None)

    def bids_and_asks(self, symbol: str) -> spoken.Depth:
        """Return the top of a book."""
        return self._exchange.depth(SYMBOLS[symbol], 1)

    def instruments(self) -> dict[str, Instrument]:
        """Return what can be traded, as the gateway tells it."""
        rules = self._exchange.rules()
        return {ours: _instrument(rules[theirs]) for ours, theirs in SYMBOLS.items()}

    def _give_bnb_a_price(self) -> None:
        sides: tuple[tuple[str, spoken.Side], ...] = (("maker", "SELL"), ("crowd", "BUY"))
        for account, side in sides:
            self.command(
                spoken.PlaceOrder(
                    account=account,
                    symbol=BNB,
                    side=side,
                    type="LIMIT",
                    client_id="for the price",
                    time_in_force="GTC",
                    quantity=Decimal(1),
                    price=Decimal(50),
                )
            )

    def _noted(self, event: spoken.Event) -> None:
        now_ns = self._scheduler.now_ns
        match event:
            case spoken.OrderChanged(order=view, fill=fill):
                self._orders.setdefault(view.order_id, []).append((now_ns, view))
                trade = None if fill is None else _trade(view, fill)
                if trade is not None:
                    self._trades.append((now_ns, trade))
                self._tell(OrderTold(_order(view), trade))
            case spoken.BalanceChanged(asset=asset, balance=balance, reason=reason):
                self._balances.setdefault(asset, []).append((now_ns, balance))
                if reason == "TRANSFER":
                    self._transfers += 1
                    self._tell(TransferTold(asset, event.transferred, f"transfer-{self._transfers}", self.time_ns))
            case _:
                pass

    def _tell(self, told: Told) -> None:
        for listener in self._listeners:
            listener(told)


def _as_of(history: Sequence[tuple[int, Stood]], as_of_ns: int) -> Stood | None:
    as_of_ns = max(as_of_ns, BOOTED_NS)  # the world is older than the run
    return next((state for at_ns, state in reversed(history) if at_ns <= as_of_ns), None)


def _order(view: spoken.OrderView) -> VenueOrder:
    return VenueOrder(
        symbol=_OURS[view.symbol],
        client_order_id=view.client_id,
        venue_order_id=str(view.order_id),
        side="buy" if view.side == "BUY" else "sell",
        status=_STATUS[view.status],
        quantity=view.quantity,
        executed_quantity=view.filled,
        venue_time_ns=view.updated_ms * MILLISECOND_NS,
    )


def _trade(view: spoken.OrderView, fill: spoken.Fill) -> VenueTrade:
    return VenueTrade(
        symbol=_OURS[view.symbol],
        trade_id=fill.trade_id,
        venue_order_id=str(view.order_id),
        side="buy" if view.side == "BUY" else "sell",
        price=fill.price,
        quantity=fill.quantity,
        quote_quantity=fill.quote_quantity,
        fee=fill.fee,
        fee_asset=fill.fee_asset,
        liquidity="maker" if fill.is_maker else "taker",
        venue_time_ns=fill.time_ms * MILLISECOND_NS,
    )


def _rules(symbol: str) -> spoken.SymbolRules:
    return spoken.SymbolRules(
        symbol=symbol,
        base=symbol[:3],
        quote=symbol[3:],
        tick_size=Decimal("0.01"),
        price_min=Decimal("0.01"),
        price_max=Decimal(100_000),
        step_size=Decimal("0.001"),
        quantity_min=Decimal("0.001"),
        quantity_max=Decimal(9000),
        market_quantity_max=Decimal(50),
        notional_min=Decimal(5),
        notional_max=Decimal(500_000),
        percent_up=Decimal(2),
        percent_down=Decimal("0.5"),
        open_orders_max=10,
        algo_orders_max=3,
    )


def _instrument(rules: spoken.SymbolRules) -> Instrument:
    return Instrument(
        symbol=_OURS[rules.symbol],
        base=rules.base,
        quote=rules.quote,
        price_tick=rules.tick_size,
        price_min=rules.price_min,
        price_max=rules.price_max,
        quantity_step=rules.step_size,
        quantity_min=rules.quantity_min,
        quantity_max=rules.quantity_max,
        market_quantity_min=rules.quantity_min,
        market_quantity_max=rules.market_quantity_max,
        notional_min=rules.notional_min,
        notional_max=rules.notional_max,
        price_band=None,
        open_orders_max=rules.open_orders_max,
        algo_orders_max=rules.algo_orders_max,
    )
