"""The venue: the matching core of the simulated exchange, with a memory of how everything stood when.

A real venue answers questions from copies that lag behind. So every reading here is as of a moment, and whoever asks
says which. What happened is told to whoever listens at once; the way from there is the gateway's.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, TypeVar

from msgspec.structs import replace

from services.sim_exchange.record.lines import VERSION, Happened, Line, Opened, Received, lasting, written
from services.sim_exchange.venue import vocabulary as spoken
from services.sim_exchange.venue.exchange import Exchange
from services.sim_exchange.venue.orders import TRIGGERED_TYPES
from shared.execution.vocabulary import CancelOrder, SendOrder, VenueOrder, VenueStatus, VenueTrade
from shared.trading.instruments import Instrument
from tests.simulation.scheduler import BOOTED_NS, MILLISECOND_NS, WALL_NS, Scheduler

OUR_ACCOUNT: Final = "ours"
MARKET_ACCOUNTS: Final = ("maker", "crowd")
VENUE: Final = "binance"
AHEAD_NS: Final = WALL_NS - BOOTED_NS  # of our boot clock is the venue's
SYMBOLS: Final = {"BTC/USDT": "BTCUSDT", "ETH/USDT": "ETHUSDT"}
BNB: Final = "BNBUSDT"  # in which fees may be paid; it is not traded
OURS: Final = {theirs: ours for ours, theirs in SYMBOLS.items()}
TOO_LATE: Final = spoken.Refused(-1021, "Timestamp for this request is outside of the recvWindow.")
_STATUS: Final[dict[spoken.OrderStatus, VenueStatus]] = {
    "NEW": "open",
    "PARTIALLY_FILLED": "open",
    "FILLED": "filled",
    "CANCELED": "canceled",
    "REJECTED": "rejected",
    "EXPIRED": "expired",
    "EXPIRED_IN_MATCH": "expired",
}

Told = spoken.OrderChanged | spoken.BalanceChanged
Stood = TypeVar("Stood")


class SimVenue:
    """The exchange, its clock, and what it remembers. All times are virtual boot time."""

    def __init__(self, scheduler: Scheduler, client_ids: spoken.ClientIdRule, *, pays_in_bnb: bool) -> None:
        self._scheduler: Final = scheduler
        self._exchange: Final = Exchange(client_ids=client_ids, opened_ms=(BOOTED_NS + AHEAD_NS) // MILLISECOND_NS)
        self._orders: Final[dict[int, list[tuple[int, spoken.OrderView]]]] = {}
        self._trades: Final[list[tuple[int, spoken.OwnTrade]]] = []
        self._balances: Final[dict[str, list[tuple[int, spoken.Balance]]]] = {}
        self._listeners: Final[list[Callable[[Told], None]]] = []
        self._lines: Final[list[Line]] = []
        self.in_words_only: Final[set[str]] = set()  # the stops that were said to be cancelled, and were not
        self._note_line(lambda number, at_ms: Opened(number=number, at_ms=at_ms, version=VERSION, carried_over=0))
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
        kept = lasting(outcome.events)
        if kept:
            self._note_line(lambda number, at_ms: Happened(number=number, at_ms=at_ms, events=kept))
        for event in outcome.events:
            self._noted(event)
        return outcome.answer

    def received(self, endpoint: str, sent: dict[str, str]) -> None:
        """Write down a request of ours as it comes in."""
        account = OUR_ACCOUNT
        self._note_line(
            lambda number, at_ms: Received(
                number=number, at_ms=at_ms, endpoint=endpoint, address="", account=account, sent=sent
            )
        )

    def log(self) -> bytes:
        """Return the exchange's own log of the run, as it would stand in a file."""
        return b"".join(written(line) for line in self._lines)

    def place(self, wanted: SendOrder, stamp_ns: int) -> spoken.Done | spoken.Refused:
        """Take an order of ours, if its stamp still counts."""
        if self.time_ns > stamp_ns + wanted.window_ns:
            return TOO_LATE
        types: dict[str, spoken.OrderType] = {"market": "MARKET", "limit_ioc": "LIMIT", "stop_market": "STOP_LOSS"}
        return self.command(
            spoken.PlaceOrder(
                account=OUR_ACCOUNT,
                symbol=SYMBOLS[wanted.symbol],
                side="BUY" if wanted.side == "buy" else "SELL",
                type=types[wanted.order_type],
                client_id=wanted.client_order_id,
                time_in_force="IOC" if wanted.order_type == "limit_ioc" else None,
                quantity=wanted.quantity,
                price=wanted.limit_price,
                stop_price=wanted.stop_price,
            )
        )

    def cancel(self, wanted: CancelOrder) -> spoken.Done | spoken.Refused:
        """Cancel an order of ours."""
        return self.command(
            spoken.CancelOrder(account=OUR_ACCOUNT, symbol=SYMBOLS[wanted.symbol], client_id=wanted.client_order_id)
        )

    def is_waiting(self, wanted: CancelOrder) -> bool:
        """Say whether what shall be cancelled is a stop that waits for its price."""
        order = self._order(wanted)
        return order is not None and order.status == "NEW" and order.working_ms is None

    def canceled_in_words(self, wanted: CancelOrder) -> spoken.Done:
        """Return the answer to the cancellation of a stop that waits, without carrying it out."""
        order = self._order(wanted)
        assert order is not None, "it was looked at"
        self.in_words_only.add(order.client_id)
        return spoken.Done(orders=(replace(order, status="CANCELED"),), fills=((),))

    def trigger(self, wanted: CancelOrder) -> None:
        """Let a stop work that was cancelled in words, if it waits yet; where nobody buys it is cancelled after all."""
        order = self._order(wanted)
        if order is not None and self.is_waiting(wanted) and self.bids_and_asks(wanted.symbol).bids:
            self.command(spoken.TriggerOrder(account=OUR_ACCOUNT, symbol=order.symbol, order_id=order.order_id))
        else:
            self.cancel(wanted)

    def _order(self, wanted: CancelOrder) -> spoken.OrderView | None:
        symbol, name = SYMBOLS[wanted.symbol], wanted.client_order_id
        return self._exchange.order(OUR_ACCOUNT, symbol, client_id=name)

    def view(self, client_order_id: str, as_of_ns: int) -> spoken.OrderView | None:
        """Return the newest order under this id as it was at a moment."""
        found = [one for one in self.views(as_of_ns) if one.client_id == client_order_id]
        return found[-1] if found else None

    def views(self, as_of_ns: int) -> list[spoken.OrderView]:
        """Return every order of our account as it was at a moment, oldest first."""
        known = (_as_of(history, as_of_ns) for history in self._orders.values())
        return [view for view in known if view is not None]

    def own_trades(self, symbol: str, as_of_ns: int) -> list[spoken.OwnTrade]:
        """Return the trades of our account that had happened on a symbol at a moment."""
        return [trade for at_ns, trade in self._trades if at_ns <= as_of_ns and trade.symbol == SYMBOLS[symbol]]

    def orders(self, as_of_ns: int) -> list[VenueOrder]:
        """Return our orders in the words of the executor, for whoever holds them against its books."""
        return [_order(view) for view in self.views(as_of_ns)]

    def trades(self, symbol: str, as_of_ns: int) -> list[VenueTrade]:
        """Return our trades in the words of the executor."""
        return [_trade(trade) for trade in self.own_trades(symbol, as_of_ns)]

    def held(self, as_of_ns: int) -> dict[str, spoken.Balance]:
        """Return what our account had at a moment, by asset."""
        known = {asset: _as_of(history, as_of_ns) for asset, history in self._balances.items()}
        return {asset: balance for asset, balance in known.items() if balance is not None}

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
                if fill is not None:
                    trade = _own_trade(view, fill)
                    self._trades.append((now_ns, trade))
                self._tell(event)
            case spoken.BalanceChanged(asset=asset, balance=balance, reason=reason):
                self._balances.setdefault(asset, []).append((now_ns, balance))
                if reason == "TRANSFER":
                    self._tell(event)
            case _:
                pass

    def _tell(self, told: Told) -> None:
        for listener in self._listeners:
            listener(told)

    def _note_line(self, line: Callable[[int, int], Line]) -> None:
        self._lines.append(line(len(self._lines) + 1, self.time_ns // MILLISECOND_NS))


def _as_of(history: Sequence[tuple[int, Stood]], as_of_ns: int) -> Stood | None:
    as_of_ns = max(as_of_ns, BOOTED_NS)  # the world is older than the run
    return next((state for at_ns, state in reversed(history) if at_ns <= as_of_ns), None)


def _order(view: spoken.OrderView) -> VenueOrder:
    return VenueOrder(
        symbol=OURS[view.symbol],
        client_order_id=view.client_id,
        venue_order_id=str(view.order_id),
        side="buy" if view.side == "BUY" else "sell",
        status=_STATUS[view.status],
        quantity=view.quantity,
        executed_quantity=view.filled,
        venue_time_ns=view.updated_ms * MILLISECOND_NS,
        is_stop=view.type in TRIGGERED_TYPES,
    )


def _own_trade(view: spoken.OrderView, fill: spoken.Fill) -> spoken.OwnTrade:
    return spoken.OwnTrade(order_id=view.order_id, list_id=view.list_id, symbol=view.symbol, side=view.side, fill=fill)


def _trade(trade: spoken.OwnTrade) -> VenueTrade:
    fill = trade.fill
    return VenueTrade(
        symbol=OURS[trade.symbol],
        trade_id=fill.trade_id,
        venue_order_id=str(trade.order_id),
        side="buy" if trade.side == "BUY" else "sell",
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
        symbol=OURS[rules.symbol],
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
