"""The executor's core at a desk: what it reports is durable at once, and every answer of the venue is given by hand."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from proto.envelope import SCHEMA, Body, Envelope, MarketEnvelope
from proto.intents import SetExit, StopCover
from proto.market import MarketBody, QuoteSeen, SymbolTrusted
from proto.risk import AskLease, LeaseAnswered
from proto.verdicts import Approval
from shared.core.continuity import Seen
from shared.core.service import (
    Answer,
    Answered,
    Ask,
    Asked,
    Effect,
    Happening,
    Moment,
    NotRecorded,
    Recorded,
    Report,
    Started,
    Watched,
    Woken,
)
from shared.execution.core import ExecutorCore, TradedAccount
from shared.execution.governor import EgressLimits
from shared.execution.vocabulary import (
    AccountRead,
    Acknowledged,
    InstrumentsKnown,
    OpenOrdersRead,
    OrderSent,
    OrderTold,
    ReadAccount,
    ReadOpenOrders,
    ReadTrades,
    SendOrder,
    StreamOpened,
    TradesRead,
    VenueBalance,
    VenueClock,
    VenueOrder,
    VenueStatus,
    VenueTrade,
)
from shared.trading.costs import FeeAccount
from shared.trading.instruments import Instrument

BTC: Final = "BTC/USDT"
TREND: Final = "trend"
SECOND_NS: Final = 1_000_000_000
A_DAY_NS: Final = 1_790_000_000 * SECOND_NS  # whose fees are known
AHEAD_NS: Final = 5_000 * SECOND_NS
LIMITS: Final = EgressLimits(orders_max=20, entries_max=5, symbol_entries_max=3, entries_quote_max=Decimal(10_000))
ACCOUNT: Final = TradedAccount(
    venue="sim",
    feeds=dict.fromkeys((BTC,), "feed"),
    quote_asset="USDT",
    tag="desk",
    fees=FeeAccount("binance", "spot", vip_level=0, pays_in_bnb=False),
    name="sim/simulated/main",
)
Wanted = TypeVar("Wanted")


def an_instrument(**changes: object) -> Instrument:
    """Return a symbol with round filters; any of them may be another."""
    plain = Instrument(
        symbol=BTC,
        base="BTC",
        quote="USDT",
        price_tick=Decimal("0.01"),
        price_min=Decimal("0.01"),
        price_max=Decimal(100_000),
        quantity_step=Decimal("0.001"),
        quantity_min=Decimal("0.001"),
        quantity_max=Decimal(100),
        market_quantity_min=Decimal("0.001"),
        market_quantity_max=Decimal(50),
        notional_min=Decimal(5),
        notional_max=None,
        price_band=None,
        open_orders_max=10,
        algo_orders_max=3,
    )
    return msgspec.structs.replace(plain, **changes)


class Desk:
    """A core, its time, and what it did."""

    def __init__(
        self,
        *,
        account: TradedAccount = ACCOUNT,
        limits: EgressLimits = LIMITS,
        instrument: Instrument | None = None,
        wall_ahead_ns: int = A_DAY_NS,
    ) -> None:
        self.core: Final = ExecutorCore(account, limits)
        self.now_ns = 100 * SECOND_NS
        self.epoch = 1
        self.has_room = True
        self.reports: list[Body] = []
        self.recorded: list[Envelope] = []
        self.effects: list[Effect] = []
        self._wall_ahead_ns: Final = wall_ahead_ns
        self._instrument: Final = instrument or an_instrument()
        self._sequence = self._said = self._trades = self._commit_ns = 0

    def take(self, happening: Happening) -> list[Effect]:
        """Hand something in, let every report be durable, and return everything that was done about it."""
        done: list[Effect] = []
        waiting: list[Sequence[Effect]] = [self.core.handle(happening, self._moment())]
        while waiting:
            effects = waiting.pop(0)
            bodies = tuple(effect.body for effect in effects if isinstance(effect, Report))
            if bodies and not self.has_room:  # then nothing of it is done
                waiting.append(
                    self.core.handle(NotRecorded(bodies, "the disk is full", is_reducing=True), self._moment())
                )
                continue
            envelopes = self._committed([effect for effect in effects if isinstance(effect, Report)])
            self.now_ns += self._commit_ns if envelopes else 0
            waiting += [self.core.handle(Recorded(envelope), self._moment()) for envelope in envelopes]
            done += [effect for effect in effects if not isinstance(effect, Report)]
        self.effects += done
        return done

    def disk_takes(self, seconds: float) -> None:
        """Let commits take so long from here."""
        self._commit_ns = int(seconds * SECOND_NS)

    def wait(self, seconds: float, timer: str = "clock") -> list[Effect]:
        """Let time pass, and the clock, or another timer, ring at its end."""
        self.now_ns += int(seconds * SECOND_NS)
        return self.take(Woken(timer))

    def open(self, *, usdt: str = "10000") -> "Desk":
        """Begin, with books that agree with the venue's."""
        self.begin()
        self.reconcile(self.take(StreamOpened()), usdt=usdt)
        return self

    def begin(self) -> None:
        """Begin: rules, time, lease and prices."""
        self.take(Started("executor", self.epoch, 0, ()))
        self.take(InstrumentsKnown({BTC: self._instrument}))
        self.quote("99.99", "100.01")
        self.tell(SymbolTrusted(BTC), "trust")
        self.take(VenueClock(AHEAD_NS, 1_000_000))
        self.lease()

    def reconcile(self, effects: Sequence[Effect], *, usdt: str, btc: str = "0") -> None:
        """Answer every question of a pass: no orders, no trades, this much money."""
        number = of(effects, ReadOpenOrders)[0].read_number
        for read in of(self.take(OpenOrdersRead(number, (), None)), ReadTrades):
            effects = self.take(TradesRead(number, read.symbol, (), None))
        assert of(effects, ReadAccount), "the balances are read last"
        self.account(number, usdt=usdt, btc=btc)

    def account(self, number: int, *, usdt: str, btc: str) -> None:
        """Answer how much money there is."""
        amounts = {"USDT": Decimal(usdt), "BTC": Decimal(btc)}
        balances = tuple(VenueBalance(asset, amount, Decimal(0)) for asset, amount in amounts.items() if amount)
        self.take(AccountRead(number, balances, self.now_ns + AHEAD_NS, None))

    def lease(self, **changes: object) -> None:
        """Let the core ask for its lease, and be answered."""
        asked = of(self.take(Woken("lease")), Ask)[0]
        assert isinstance(asked.body, AskLease), "which is all it asks"
        granted = LeaseAnswered(asked.body.number, 1, "RUN", (), None)
        answer = self.envelope("risk", msgspec.structs.replace(granted, **changes))
        self.take(Answered(asked.ask_id, answer))

    def quote(self, bid: str, ask: str) -> None:
        """Tell a price."""
        self.tell(QuoteSeen(BTC, float(bid), 1.0, float(ask), 1.0), "quotes")

    def tell(self, body: MarketBody, kind: str) -> None:
        """Tell what the feed says."""
        envelope = MarketEnvelope(1, 1, None, 0, 0, body)
        self.take(Watched("feed", (Seen(f"sim/{BTC}/{kind}".encode(), envelope),)))

    def ask(self, body: Body, *, instance: str = "risk", boot_id: str = "boot") -> Body:
        """Ask the executor, and return its answer."""
        envelope = msgspec.structs.replace(self.envelope(instance, body), boot_id=boot_id)
        return of(self.take(Asked(instance, envelope)), Answer)[0].body

    def leave(self, quantity: str = "0") -> Body:
        """Let the strategy bring its position down."""
        self._said += 1
        return self.ask(SetExit(f"exit-{self._said}", TREND, BTC, Decimal(quantity), "enough"), instance=TREND)

    def approval(self, name: str = "one", **changes: object) -> Approval:
        """Return an approval for one coin, with a stop at 95."""
        plain = Approval(
            approval_id=f"approval-{name}",
            intent_id=f"intent-{name}",
            strategy=TREND,
            symbol=BTC,
            side="buy",
            quantity_max=Decimal("1.0005"),
            price_low=Decimal(95),
            price_high=Decimal(105),
            decision_price=Decimal(100),
            cover=StopCover(Decimal(95)),
            targets=(),
            trail_distance=None,
            reserved_quote=Decimal(105),
            start_by_boot_ns=self.now_ns + 2 * SECOND_NS,
            work_until_boot_ns=self.now_ns + 10 * SECOND_NS,
            risk_epoch=1,
        )
        return msgspec.structs.replace(plain, **changes)

    def sent(self) -> list[SendOrder]:
        """Return every order that left."""
        return of(self.effects, SendOrder)

    def acknowledge(self, order: SendOrder) -> None:
        """Let the venue reply that it has an order."""
        self.take(OrderSent(order.client_order_id, Acknowledged(self.shown(order, "open")), self.now_ns + AHEAD_NS))

    def fill(
        self, order: SendOrder, quantity: str | None = None, price: str = "100", *, then: VenueStatus
    ) -> list[Effect]:
        """Let the venue tell of a trade without a fee, and of the order after it."""
        filled = order.quantity if quantity is None else Decimal(quantity)
        shown = self.shown(order, then, executed=filled)
        return self.take(OrderTold(shown, self.trade(shown, filled, Decimal(price))))

    def trade(self, order: VenueOrder, quantity: Decimal, price: Decimal) -> VenueTrade:
        """Return the next trade at the venue, without a fee."""
        self._trades += 1
        return VenueTrade(
            symbol=order.symbol,
            trade_id=self._trades,
            venue_order_id=order.venue_order_id,
            side=order.side,
            price=price,
            quantity=quantity,
            quote_quantity=quantity * price,
            fee=Decimal(0),
            fee_asset="USDT",
            liquidity="taker",
            venue_time_ns=self.now_ns + AHEAD_NS,
        )

    def shown(self, order: SendOrder, status: VenueStatus, *, executed: Decimal = Decimal(0)) -> VenueOrder:
        """Return an order as the venue shows it."""
        return VenueOrder(
            symbol=order.symbol,
            client_order_id=order.client_order_id,
            venue_order_id=f"v-{order.client_order_id}",
            side=order.side,
            status=status,
            quantity=order.quantity,
            executed_quantity=executed,
            venue_time_ns=self.now_ns + AHEAD_NS,
        )

    def entered(self, name: str = "one", **changes: object) -> SendOrder:
        """Enter with one coin, and return the stop that left for it, acknowledged."""
        self.ask(self.approval(name, **changes))
        entry = self.sent()[-1]
        self.acknowledge(entry)
        self.fill(entry, then="filled")
        stop = self.sent()[-1]
        self.acknowledge(stop)
        return stop

    def envelope(self, sender: str, body: Body, sequence: int = 0, cause_id: str | None = None) -> Envelope:
        """Wrap a message."""
        self._said += 1
        name = f"{sender}-{self._said}"
        cause_id = cause_id or name
        now = self._moment()
        return Envelope(
            SCHEMA, sender, self.epoch, sequence, name, cause_id, now.wall_ns, now.boot_id, now.boot_ns, None, body
        )

    def _committed(self, reports: Sequence[Report]) -> list[Envelope]:
        """Make reports durable, all of them or none."""
        for report in reports:
            self._sequence += 1
            self.reports.append(report.body)
            self.recorded.append(self.envelope("executor", report.body, self._sequence, report.cause_id))
        return self.recorded[len(self.recorded) - len(reports) :]

    def _moment(self) -> Moment:
        return Moment(self.now_ns + self._wall_ahead_ns, self.now_ns, "boot")


def of(things: Sequence[object], kind: type[Wanted]) -> list[Wanted]:
    """Return those of one kind."""
    return [thing for thing in things if isinstance(thing, kind)]
