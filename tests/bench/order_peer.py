"""The processes of the benchmark of the order path: the real strategy hosts, risk, executor, and two ends of ours.

`python -m tests.bench.order_peer ROOT INSTANCE`. At one end a feed tells bars, and a kernel wishes for an entry with
each that is marked; at the other end what is handed over to the venue client is stamped, and comes back as not sent, so
that nothing is ever held and as little as possible is written down behind it. The caps of risk and the governor are
lifted. When it has ended, each process writes down what came by when.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from proto.orders import SendMarked
from proto.verdicts import Approval, IntentJudged
from services.executor.__main__ import plan_of as executor_plan
from services.risk_watchdog.__main__ import plan_of as risk_plan
from services.risk_watchdog.__main__ import terms_of
from services.risk_watchdog.core.facts import Day, FactsState
from services.risk_watchdog.core.watchdog import RiskCore
from services.strategy.__main__ import FOLDER
from services.strategy.core.host import StrategyCore
from services.strategy.core.vocabulary import Terms
from services.strategy.shelf import Shelf
from shared.core.service import Asked, Effect, FromOutside, Happening, Journaling, Moment, Outward, Recorded, Restored
from shared.execution.core import ExecutorCore
from shared.execution.governor import EgressLimits
from shared.execution.vocabulary import (
    AccountRead,
    InstrumentsKnown,
    NotSent,
    OpenOrdersRead,
    OrderSent,
    ReadAccount,
    ReadOpenOrders,
    ReadTrades,
    SendOrder,
    StreamOpened,
    TradesRead,
    VenueBalance,
    VenueClock,
)
from shared.market.columns import Floats
from shared.market.features import Feature
from shared.mesh.clock import SystemClock
from shared.mesh.service import Plan, run
from shared.mesh.settings import Configuration, load_configuration
from shared.mesh.trading_account import account_of
from shared.risk.limits import Limits
from shared.risk.tiers import Tier
from shared.strategies.strategy import NOTHING, VOLUME, BracketWish, Strategy
from shared.trading.instruments import Instrument
from tests.bench.order_feed import HOSTS, SYMBOLS, FlowOrders, PacedFeed, Stamps, host_of

STAMPS: Final = "stamps"
DAY_NS: Final = 86_400_000_000_000
MUCH: Final = Decimal(1_000_000)
MANY: Final = 10**9
LIFTED: Final = Limits(
    risk_per_trade_fraction=Decimal(1),
    order_fraction=Decimal(0),
    order_quote_max=Decimal(100),
    position_fraction=Decimal(1),
    position_quote_max=MUCH,
    exposure_fraction=Decimal(1),
    reserve_cash_fraction=Decimal(0),
    positions_max=MANY,
    entries_per_day_max=MANY,
    daily_loss_breaker_fraction=Decimal(1),
    daily_loss_is_by_size=False,
)
UNGOVERNED: Final = EgressLimits(
    orders_max=MANY, entries_max=MANY, symbol_entries_max=MANY, entries_quote_max=Decimal(MANY)
)


class Witnessed:
    """A core whose happenings somebody looks at before it does."""

    def __init__(self, core: Journaling, look: Callable[[Happening, Moment], None]) -> None:
        self._core: Final = core
        self._look: Final = look

    def state(self) -> bytes:
        """Return what the core does."""
        return self._core.state()

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Look, and do what the core does."""
        self._look(happening, now)
        return self._core.handle(happening, now)


def _on_bar(_state: Floats, _row: Floats, bar: Floats, _params: Floats, held: float) -> BracketWish:
    """Wish for an entry with every bar that is marked."""
    return BracketWish(1.0, 100.0, 100.1, 99.0, 110.0, 0.01) if bar[VOLUME] and not held else NOTHING


def _on_fill(_state: Floats, _params: Floats, _quantity: float, _price: float) -> None:
    """Nothing is ever filled."""


EVERY_BAR: Final = Strategy(
    name="every_bar",
    idea="enter with every bar that is marked",
    parameters=(),
    constraints=(),
    parameter_sets={},
    features=lambda _: (Feature("sma_close", 2),),
    initial_state=lambda params: params.copy(),
    on_bar=_on_bar,
    on_fill=_on_fill,
)


def _strategy(instance: str, configuration: Configuration) -> Plan:
    terms = Terms(
        owner=instance,
        strategy=EVERY_BAR,
        chosen={},
        bar_length="1s",
        venue="binance",
        feeds={symbol: "feed" for symbol in SYMBOLS if host_of(symbol) == instance},
    )
    shelf = Shelf(configuration.var_directory / FOLDER, instance)
    return Plan(instance=instance, core=StrategyCore(terms), outside=shelf)


def _risk(configuration: Configuration, stamps: Stamps) -> Plan:
    plan, clock = risk_plan(configuration.settings), SystemClock()
    core = RiskCore(replace(terms_of(configuration.settings), limits=LIFTED))
    # A day that has begun already, in a tier without caps: those are in no settings.
    day = Day(clock.wall_ns() // DAY_NS * DAY_NS, MUCH, Tier(Decimal(0), Decimal(1), MANY))
    begun = FactsState([], [], [], [], None, day, 0, MUCH)
    core.handle(Restored(msgspec.json.encode(begun)), Moment(clock.wall_ns(), clock.boot_ns(), clock.boot_id))

    def look(happening: Happening, now: Moment) -> None:
        if isinstance(happening, Recorded) and isinstance(happening.envelope.body, IntentJudged):
            stamps.take("verdict journaled", happening.envelope.body.intent.intent_id, now.boot_ns)
        elif isinstance(happening, Asked) and happening.instance in HOSTS:
            stamps.take("intent sent", happening.envelope.id, happening.envelope.sent_boot_ns)
            stamps.take("intent came", happening.envelope.id, now.boot_ns)

    return replace(plan, core=Witnessed(core, look))


class HandOver:
    """The outside of the executor: stamps what it is handed, and has no venue behind it."""

    def __init__(self, stamps: Stamps) -> None:
        self._stamps: Final = stamps
        self._clock: Final = SystemClock()
        self._intents: Final[dict[str, str]] = {}  # by approval, and by client order id

    def look(self, happening: Happening, now: Moment) -> None:
        """Note an approval, and its mark once that is durable."""
        match happening:
            case Asked(envelope=envelope) if isinstance(envelope.body, Approval):
                approval = envelope.body
                self._intents[approval.approval_id] = approval.intent_id
                self._stamps.take("approval sent", approval.intent_id, envelope.sent_boot_ns)
                self._stamps.take("approval came", approval.intent_id, now.boot_ns)
            case Recorded(envelope=envelope) if isinstance(envelope.body, SendMarked):
                key = envelope.body.order
                intent = self._intents[key.client_order_id] = self._intents.pop(key.parent_id)
                self._stamps.take("mark durable", intent, now.boot_ns)
            case _:
                pass

    def open(self, bring: Callable[[FromOutside], None]) -> None:
        """Begin."""
        self._bring: Callable[[FromOutside], None] = bring
        ahead_ns = self._clock.wall_ns() - self._clock.boot_ns()
        for told in (InstrumentsKnown({symbol: _rules_of(symbol) for symbol in SYMBOLS}), VenueClock(ahead_ns, 0)):
            bring(told)
        bring(StreamOpened())

    def perform(self, effect: Outward) -> None:
        """Stamp an order, and say that it did not leave; answer what is read."""
        match effect:
            case SendOrder():
                handed_ns = self._clock.boot_ns()
                self._stamps.take("handed over", self._intents.pop(effect.client_order_id), handed_ns)
                told = OrderSent(effect.client_order_id, NotSent("there is no venue"), None)
                asyncio.get_running_loop().call_soon(self._bring, told)
            case ReadOpenOrders(read_number=number):
                self._bring(OpenOrdersRead(number, (), None))
            case ReadTrades(read_number=number, symbol=symbol):
                self._bring(TradesRead(number, symbol, (), None))
            case ReadAccount(read_number=number):
                funds = VenueBalance("USDT", MUCH, Decimal(0))
                self._bring(AccountRead(number, (funds,), self._clock.wall_ns(), None))
            case _:
                raise AssertionError(f"nobody is there for {effect}")

    def close(self) -> None:
        """End."""


def _rules_of(symbol: str) -> Instrument:
    step = Decimal("0.01")
    return Instrument(
        symbol=symbol,
        base=symbol.partition("/")[0],
        quote="USDT",
        price_tick=step,
        price_min=step,
        price_max=MUCH,
        quantity_step=step,
        quantity_min=step,
        quantity_max=MUCH,
        market_quantity_min=step,
        market_quantity_max=MUCH,
        notional_min=Decimal(5),
        notional_max=None,
        price_band=None,
        open_orders_max=None,
        algo_orders_max=None,
    )


def _executor(configuration: Configuration, stamps: Stamps) -> Plan:
    venue_end = HandOver(stamps)
    core = ExecutorCore(account_of(configuration.settings), UNGOVERNED)
    return replace(executor_plan(configuration), core=Witnessed(core, venue_end.look), outside=venue_end)


def plan_of(instance: str, configuration: Configuration, stamps: Stamps) -> Plan:
    """Return what one of the processes is."""
    match instance:
        case "feed":
            return Plan(instance=instance, core=PacedFeed(stamps), publishes_market=True, outside=FlowOrders())
        case "risk":
            return _risk(configuration, stamps)
        case "executor":
            return _executor(configuration, stamps)
        case _:
            return _strategy(instance, configuration)


def main() -> int:
    """Run one of them, and write down what it stamped."""
    root, instance, stamps = Path(sys.argv[1]), sys.argv[2], Stamps()
    code = run(plan_of(instance, load_configuration(root=root, environment=os.environ), stamps), root=root)
    (root / STAMPS / f"{instance}.json").write_bytes(msgspec.json.encode(stamps.taken))
    return code


if __name__ == "__main__":
    sys.exit(main())
