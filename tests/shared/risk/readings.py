"""A journal of risk's for the tests of the guards: readings, flows and days, one after the other."""

from decimal import Decimal
from typing import Final

import msgspec

from proto.account import Counted
from proto.envelope import Body, Envelope
from proto.risk import Latch
from proto.verdicts import Alerted, DayBegun, EquityRead, FlowCounted, GuardTripped, KillCleared, KillLatched
from shared.risk.guards import DayLost, GuardLimits, GuardState, Trip, Warned, due, folded
from tests.proto.examples import DIGEST, an_envelope

LIMITS: Final = GuardLimits(
    drawdown_kill_fraction=Decimal("0.15"),
    daily_loss_kill_fraction=Decimal("0.05"),
    daily_loss_breaker_fraction=Decimal("0.03"),
)
SECOND_NS: Final = 1_000_000_000
AGREED: Final = "agreed"


class Tape:
    """Risk's journal, written by whoever holds it, and what the guards make of it."""

    def __init__(self, limits: GuardLimits = LIMITS) -> None:
        self.limits: Final = limits
        self.records: Final[list[Envelope]] = []
        self.state = GuardState()
        self.epoch, self.number, self.flows = 1, 0, 0
        self.venue_time_ns = 1_000 * SECOND_NS
        self.account = DIGEST
        self.money, self.coins = Decimal(0), Decimal(1)
        self.bid: Decimal | None = None  # for the coin once there is none of it
        self.others: tuple[Counted, ...] = ()

    def writes(self, body: Body, cause_id: str = "cause") -> None:
        """Write a record."""
        record = msgspec.structs.replace(an_envelope(body), cause_id=cause_id, sequence=len(self.records) + 1)
        self.records.append(record)
        self.state = folded(self.state, record)

    def reads(self, *equities: str | int, books: str | int | None = AGREED, after: float = 2) -> None:
        """Read the account again and again; the executor's books say the same unless told."""
        for equity in equities:
            self.number += 1
            self.venue_time_ns += round(after * SECOND_NS)
            said = equity if books == AGREED else books
            self.writes(self.a_reading(equity, said))

    def a_reading(self, equity: str | int, books: str | int | None) -> EquityRead:
        """Return a reading as it would be written."""
        return EquityRead(
            reader_epoch=self.epoch,
            read_number=self.number,
            venue_time_ns=self.venue_time_ns,
            equity_quote=Decimal(equity),
            executor_equity_quote=None if books is None else Decimal(books),
            account_fingerprint=self.account,
            quote_asset="USDT",
            counted=self.counted(Decimal(equity)),
        )

    def counted(self, equity: Decimal) -> tuple[Counted, ...]:
        """Return what there is: money, coins of others at their price, and one coin, whose price is all the rest."""
        price = equity - self.money - sum(one.quantity * (one.bid_quote or 0) for one in self.others)
        coin = Counted("BTC", self.coins, price / self.coins) if price > 0 else Counted("BTC", Decimal(0), self.bid)
        return Counted("USDT", self.money, Decimal(1)), coin, *self.others

    def flows_in(self, worth: str | int, quantity: int | None = None) -> None:
        """Count money that came, or with a minus went; or what is worth nothing, as a trade by hand."""
        self.flows += 1
        self.writes(FlowCounted(self.flows, "USDT", Decimal(worth if quantity is None else quantity), Decimal(worth)))

    def day_begins(self) -> None:
        """Begin another day."""
        self.writes(DayBegun(self.venue_time_ns, Decimal(1)))

    def clears(self) -> None:
        """Clear the latch."""
        self.writes(KillCleared("latch", "ada", "it was looked into"))

    def due(self) -> list[Trip | Warned | DayLost]:
        """Return what is due."""
        return due(self.state, self.limits)

    def trips(self) -> list[str]:
        """Write down what is due, and return which guards tripped."""
        tripped: list[str] = []
        for one in self.due():
            if isinstance(one, Trip):
                tripped.append(one.guard)
                self.writes(
                    GuardTripped(one.trip_id, one.guard, one.base_quote, one.floor_quote, one.equity_quote, "a reason")
                )
                self.writes(KillLatched(Latch(one.trip_id, "risk", "a reason", 1)))
            else:
                name = "daily-loss" if isinstance(one, DayLost) else "guard-near"
                self.writes(Alerted("warning", name, "a text"), cause_id=one.cause_id)
        return tripped
