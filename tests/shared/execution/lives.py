"""Lives of an executor, one after the other: a small venue that goes on, a HALT file, and a death after any commit."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final, Literal

from proto.codec import EnvelopeCodec
from proto.envelope import Envelope
from proto.orders import FlatnessTold
from proto.risk import Latch
from services.verify.checker.evidence import Evidence
from services.verify.checker.flatness import judge_flatness
from services.verify.checker.frames import Frame
from services.verify.checker.journal import Journal, _take
from services.verify.checker.latches import judge_latches
from services.verify.checker.permission import judge_permission
from services.verify.checker.verdict import Judge
from shared.core.service import Effect, HaltSeen, Happening, MakeHalt, Recorded, Report, Restored
from shared.execution.vocabulary import (
    AccountRead,
    Acknowledged,
    CancelOrder,
    CancelSent,
    OpenOrdersRead,
    OrderRead,
    OrderSent,
    OrderTold,
    ReadAccount,
    ReadOpenOrders,
    ReadOrder,
    ReadTrades,
    Rejected,
    SendOrder,
    StreamOpened,
    TradesRead,
    Unproved,
    VenueBalance,
    VenueOrder,
    VenueTrade,
)
from shared.trading.instruments import IMMEDIATE, Instrument
from tests.shared.execution.desk import AHEAD_NS, BTC, SECOND_NS, TREND, Desk, of

PRICE: Final = Decimal(100)
NOTHING: Final = Decimal(0)
Manner = Literal["works", "refuses", "is silent", "loses"]


class SmallVenue:
    """Fills what is for now at once, lets stops rest, and remembers. `manner` is how it takes orders."""

    def __init__(self) -> None:
        self.manner: Manner = "works"
        self.halt: Latch | None = None
        self.coin_fee = NOTHING  # of each purchase, in the coins that were bought
        self.amounts: Final = {"USDT": Decimal(10_000), "BTC": NOTHING}
        self.orders: Final[dict[str, VenueOrder]] = {}
        self.trades: Final[list[VenueTrade]] = []

    def answers(self, effect: Effect, now_ns: int) -> list[Happening]:
        """Return what comes of an effect."""
        time_ns = now_ns + AHEAD_NS
        match effect:
            case SendOrder():
                return self._sent(effect, time_ns)
            case CancelOrder(client_order_id=name):
                return [CancelSent(name, self._canceled(name))]
            case ReadOrder(client_order_id=name):
                return [OrderRead(name, self.orders.get(name), time_ns, None)]
            case ReadOpenOrders(read_number=number):
                resting = tuple(order for order in self.orders.values() if order.status == "open")
                return [OpenOrdersRead(number, resting, None)]
            case ReadTrades(read_number=number, symbol=symbol, from_id=from_id):
                trades = tuple(trade for trade in self.trades if from_id is None or trade.trade_id >= from_id)
                return [TradesRead(number, symbol, trades, None)]
            case ReadAccount(read_number=number):
                balances = tuple(VenueBalance(asset, amount, NOTHING) for asset, amount in self.amounts.items())
                return [AccountRead(number, balances, time_ns, None)]
            case MakeHalt(latch=latch):
                self.halt = self.halt or latch
                return [HaltSeen(self.halt)]
            case _:
                return []

    def late(self, order: SendOrder, now_ns: int) -> Happening:
        """Let an order come through that was held to be lost, and tell of it."""
        self.manner = "works"
        return self._sent(order, now_ns + AHEAD_NS)[-1]

    def _sent(self, order: SendOrder, time_ns: int) -> list[Happening]:
        name = order.client_order_id
        if self.manner == "refuses":
            return [OrderSent(name, Rejected("-2010", "the market is closed"), time_ns)]
        if self.manner == "loses":
            return [OrderSent(name, Unproved(504, "", "no reply"), time_ns)]
        placed = VenueOrder(
            symbol=order.symbol,
            client_order_id=name,
            venue_order_id=f"v-{name}",
            side=order.side,
            status="open",
            quantity=order.quantity,
            executed_quantity=NOTHING,
            venue_time_ns=time_ns,
        )
        self.orders[name] = placed
        told: list[Happening] = []
        if order.order_type in IMMEDIATE:
            filled = replace(placed, status="filled", executed_quantity=order.quantity)
            self.orders[name] = filled
            told.append(OrderTold(filled, self._traded(filled, time_ns)))
        if self.manner == "is silent":
            return [OrderSent(name, Unproved(504, "", "no reply"), time_ns)]
        return [OrderSent(name, Acknowledged(placed), time_ns), *told]

    def _traded(self, order: VenueOrder, time_ns: int) -> VenueTrade:
        sign = 1 if order.side == "buy" else -1
        fee = self.coin_fee if order.side == "buy" else NOTHING
        self.amounts["BTC"] += sign * order.quantity - fee
        self.amounts["USDT"] -= sign * order.quantity * PRICE
        trade = VenueTrade(
            symbol=order.symbol,
            trade_id=len(self.trades) + 1,
            venue_order_id=order.venue_order_id,
            side=order.side,
            price=PRICE,
            quantity=order.quantity,
            quote_quantity=order.quantity * PRICE,
            fee=fee,
            fee_asset="BTC" if fee else "USDT",
            liquidity="taker",
            venue_time_ns=time_ns,
        )
        self.trades.append(trade)
        return trade

    def _canceled(self, name: str) -> Acknowledged | Rejected:
        order = self.orders.get(name)
        if order is None or order.status != "open":
            return Rejected("-2011", "Unknown order sent.")
        self.orders[name] = replace(order, status="canceled")
        return Acknowledged(self.orders[name])


class DiedError(Exception):
    """The process was killed."""


class Life(Desk):
    """One life at a venue that answers everything at once. It may die right after a commit, before anything else."""

    def __init__(
        self,
        venue: SmallVenue,
        before: "Life | None" = None,
        *,
        of_state: bool = False,
        dies_at: int | None = None,
        instrument: Instrument | None = None,
    ) -> None:
        super().__init__(instrument=instrument)
        self.venue: Final = venue
        self._dies_at: Final = dies_at
        if before is not None:
            self.now_ns, self.epoch = before.now_ns + SECOND_NS, before.epoch + 1
            self.recorded, self.reports = list(before.recorded), list(before.reports)
            self._sequence, self._said = before._sequence, before._said + 100
            self._remember(before.recorded, of_state=of_state)

    def _remember(self, records: Sequence[Envelope], *, of_state: bool) -> None:
        """Fold the journal, from its beginning or from the state that a new segment has at its head."""
        if of_state:
            folded = Desk()
            for record in records:
                folded.core.handle(Recorded(record), self._moment())
            self.core.handle(Restored(folded.core.state()), self._moment())
            return
        for record in records:
            self.core.handle(Recorded(record), self._moment())

    def run(self) -> "Life":
        """Begin, as a process does: the file is looked for at once, and the stream comes later."""
        self.begin()
        self.take(HaltSeen(self.venue.halt))
        self.take(StreamOpened())
        self.pass_time(4)
        return self

    def take(self, happening: Happening) -> list[Effect]:
        """Hand something in, and let the venue answer until it has nothing to say."""
        waiting, done = [happening], list[Effect]()
        while waiting:
            effects = super().take(waiting.pop(0))
            done += effects
            for effect in effects:
                waiting += self.venue.answers(effect, self.now_ns)
        return done

    def pass_time(self, seconds: float) -> list[Effect]:
        """Let the clock ring ten times a second, and keep lease and prices fresh."""
        done: list[Effect] = []
        for tenth in range(int(seconds * 10)):
            done += self.wait(0.1)
            if tenth % 5 == 0:
                self.lease(latch=None)
                self.quote("99.99", "100.01")
        return done

    def file(self, latch: Latch | None) -> None:
        """Let somebody make the HALT file, or remove it."""
        self.venue.halt = latch
        self.take(HaltSeen(latch))

    def _committed(self, reports: Sequence[Report]) -> list[Envelope]:
        envelopes = super()._committed(reports)
        if envelopes and self._dies_at is not None and self._sequence >= self._dies_at:
            raise DiedError
        return envelopes


def judged(life: Desk) -> list[str]:
    """Return what the checker has against a journal."""
    journal, codec = Journal("executor"), EnvelopeCodec()
    for record in life.recorded:
        frame = Frame(b"", record.sequence, position=0, group_size=1, payload=codec.encode(record), digest=b"")
        _take(journal, frame, record.sequence)
    judge = Judge()
    evidence = Evidence(executor=journal, risk=None, log=None)
    judge_latches(evidence, judge)
    judge_flatness(evidence, judge)
    judge_permission(evidence, judge)
    return [str(violation) for violation in (*journal.troubles, *judge.violations)]


def holding() -> Life:
    """Return a life that holds a coin under its stop."""
    life = Life(SmallVenue()).run()
    life.ask(life.approval())
    life.pass_time(0.5)
    assert life.core.books.positions.of(TREND, BTC).owned == 1
    return life


def told(desk: Desk) -> list[FlatnessTold]:
    """Return what was said of what shall be flat."""
    return of(desk.reports, FlatnessTold)
