"""One seed: everything put together, a time with faults, a time without, and then the judgement."""

import traceback
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, get_args

from proto.control import PauseEntries, ResumeEntries
from proto.envelope import Body, Envelope
from proto.intents import ExitRefused, ExitTaken
from proto.risk import Everything
from services.executor.core import ExecutorCore, TradedAccount
from services.executor.governor import EgressLimits
from services.sim_exchange.venue.vocabulary import CancelAll, ClientIdRule, PlaceOrder, Transfer
from shared.core.service import Asked
from shared.mesh.journal import JournalError
from shared.trading.costs import FeeAccount
from shared.trading.order_life import OrderContradictionError
from tests.simulation.host import Host, MakeCore
from tests.simulation.market import Market
from tests.simulation.risk import ScriptedRisk
from tests.simulation.scheduler import BOOTED_NS, MILLISECOND_NS, SECOND_NS, Dice, Scheduler
from tests.simulation.strategy import ScriptedStrategy
from tests.simulation.trace import Trace
from tests.simulation.venue import OUR_ACCOUNT, SYMBOLS, SimVenue
from tests.simulation.verdict import Verdict
from tests.simulation.weather import Weather
from tests.simulation.witness import Witness

STORM_NS: Final = 40 * SECOND_NS
PROBED_NS: Final = 21 * SECOND_NS  # after the faults ended, entries are tried again
HEALED_NS: Final = 30 * SECOND_NS
# Money that moved without a word shows in the next pass, half a minute later at worst, and has to stand in another.
COUNTED_NS: Final = 40 * SECOND_NS
EXIT_NS_CALM: Final = 3 * SECOND_NS  # cancel the stop, see it ended, sell
TRADED: Final = TradedAccount(
    venue="sim",
    feeds=dict.fromkeys(SYMBOLS, "feed"),
    quote_asset="USDT",
    tag="sim",
    fees=FeeAccount("binance", "spot", vip_level=0, pays_in_bnb=False),
    fingerprint="0" * 64,
)
LIMITS: Final = EgressLimits(
    orders_max=300, entries_max=100, symbol_entries_max=60, entries_quote_max=Decimal(1_000_000)
)
# What a defect of ours looks like: the shell would end the process.
DEFECTS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    JournalError,
    LookupError,
    OrderContradictionError,
    TypeError,
    ValueError,
)


def executor() -> ExecutorCore:
    """Return the executor as it is."""
    return ExecutorCore(TRADED, LIMITS)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a seed."""

    seed: int
    violations: tuple[str, ...]
    digest: str
    faults: tuple[str, ...]
    struck: dict[str, int]
    deaths: int
    records: int
    entries: int
    fills: int
    exits: int
    lines: tuple[str, ...]


class World:
    """The executor, the venue, and everybody around them."""

    def __init__(self, seed: int, *, make_core: MakeCore = executor, without: Collection[str] = ()) -> None:
        self._seed: Final = seed
        dice = Dice(seed)
        self._dice: Final = dice
        self._scheduler: Final = Scheduler(dice)
        self._trace: Final = Trace(self._scheduler)
        self._weather: Final = Weather(dice, without=without)
        self._witness: Final = Witness(self._scheduler, self._trace)
        rule = dice.of("client ids").choice(get_args(ClientIdRule))
        self._venue: Final = SimVenue(self._scheduler, rule, pays_in_bnb=dice.of("fees").random() < 0.5)
        scheduler, weather = self._scheduler, self._weather
        self._host: Final = Host(
            make_core=make_core,
            venue=self._venue,
            scheduler=scheduler,
            weather=weather,
            dice=dice,
            trace=self._trace,
            witness=self._witness,
        )
        deliver = self._host.deliver
        self._market: Final = Market(
            scheduler=scheduler, weather=weather, dice=dice, venue=self._venue, deliver=deliver
        )
        self._risk: Final = ScriptedRisk(
            scheduler=scheduler,
            weather=weather,
            dice=dice,
            witness=self._witness,
            deliver=deliver,
            reply=self._host.reply,
        )
        self._strategies: Final = [
            ScriptedStrategy(
                name=f"strategy-{symbol[:3].lower()}",
                symbol=symbol,
                scheduler=scheduler,
                weather=weather,
                dice=dice,
                market=self._market,
                risk=self._risk,
                deliver=deliver,
            )
            for symbol in SYMBOLS
        ]
        self._verdict: Final = Verdict(
            scheduler=scheduler, trace=self._trace, witness=self._witness, venue=self._venue, host=self._host
        )
        self._opened_before: dict[str, int] = {}
        self._wire()

    def run(self) -> Result:
        """Let the seed happen, and judge it."""
        self._host.boot()
        self._scheduler.every(lambda: SECOND_NS, self._weather_changes)
        self._scheduler.every(lambda: 500 * MILLISECOND_NS, lambda: self._verdict.look(is_calm=self._weather.is_calm))
        healed_ns = BOOTED_NS + STORM_NS
        self._scheduler.at(healed_ns, self._heal)
        try:
            self._scheduler.run_until(healed_ns + HEALED_NS)
            self._verdict.judge()
            self._judge_trading()
            self._scheduler.run_until(healed_ns + COUNTED_NS)
            self._verdict.judge_money()
        except DEFECTS as defect:
            where = traceback.extract_tb(defect.__traceback__)[-1]
            self._trace.violated("defect", f"{defect!r} in {where.name}, {where.filename}:{where.lineno}")
        return self._result()

    def _wire(self) -> None:
        def recorded(envelope: Envelope) -> None:
            for strategy in self._strategies:
                strategy.told(envelope)

        def answered(instance: str, body: Body) -> None:
            for strategy in self._strategies:
                if strategy.name == instance and isinstance(body, ExitTaken | ExitRefused):
                    strategy.answered(body)

        self._host.on_lease = self._risk.asked
        self._host.on_record = recorded
        self._host.on_answer = answered
        self._host.on_feed_anew = self._market.tell_all

    def _weather_changes(self) -> None:
        self._host.weather_changes()
        if self._weather.strikes("traded by hand"):
            self._trade_by_hand()
        if self._weather.strikes("moved by hand"):
            amount = Decimal(self._weather.amount("moved by hand", -500, 500))
            self._venue.command(Transfer(account=OUR_ACCOUNT, asset="USDT", amount=amount))
        if self._weather.strikes("ordered by hand"):
            self._by_hand("LIMIT", Decimal("0.1"), self._market.bid("BTC/USDT") - 20)
        if self._weather.strikes("paused by hand"):
            self._tell_executor(PauseEntries("operator", "to look", Everything()))
            self._scheduler.after(3 * SECOND_NS, self._resume)

    def _trade_by_hand(self) -> None:
        """Buy or sell as somebody else would who has the account's password."""
        quantity = Decimal(self._weather.amount("traded by hand", 60, 2_000)) / 1_000
        if self._weather.amount("traded by hand: cancels first", 0, 1):  # or what the bot holds is locked by its stop
            self._venue.command(CancelAll(account=OUR_ACCOUNT, symbol="BTCUSDT"))
        self._by_hand("MARKET", quantity, None)

    def _by_hand(self, kind: str, quantity: Decimal, price: Decimal | None) -> None:
        assert kind in {"MARKET", "LIMIT"}, kind
        buys = price is not None or self._weather.amount("traded by hand: buys", 0, 1) == 1
        self._venue.command(
            PlaceOrder(
                account=OUR_ACCOUNT,
                symbol="BTCUSDT",
                side="BUY" if buys else "SELL",
                type="MARKET" if price is None else "LIMIT",
                client_id=f"web-{self._scheduler.now_ns}",
                time_in_force=None if price is None else "GTC",
                quantity=quantity,
                price=price,
            )
        )

    def _heal(self) -> None:
        """End the faults; let operators lift what they set; come down, and see that it can be entered again."""
        self._trace.note("world", "the faults end")
        self._weather.is_over = True
        after = self._scheduler.after
        for strategy in self._strategies:
            strategy.is_told_what_to_do = True
            after(10 * SECOND_NS, strategy.leave)
            after(PROBED_NS, strategy.enter)
        after(PROBED_NS, self._probe)
        after(3 * SECOND_NS, self._verdict.note_unfinished)
        after(9 * SECOND_NS, self._verdict.judge_unfinished)
        for seconds in (4, 14, 20):
            after(seconds * SECOND_NS, self._resume)

    def _probe(self) -> None:
        """Hold the price, so that what is entered now stays as it is, and count."""
        self._market.is_still = True
        self._opened_before = {one.name: one.entries_opened for one in self._strategies}

    def _resume(self) -> None:
        self._tell_executor(ResumeEntries("operator", "it was looked at", Everything()))

    def _tell_executor(self, body: PauseEntries | ResumeEntries) -> None:
        self._host.deliver(Asked("operator", self._risk.envelope("operator", body)))

    def _judge_trading(self) -> None:
        for one in self._strategies:
            if one.entries_opened == self._opened_before[one.name]:
                self._trace.violated("I30", f"{one.symbol} cannot be entered again")
        fills = sum(len(fills) for fills in self._witness.fills.values())
        if self._weather.is_calm and not (fills and sum(one.exits_ended for one in self._strategies)):
            self._trace.violated("calm", "nothing is wrong with this seed, and nothing was traded")

        if self._weather.is_calm and max(self._witness.exits_ns, default=0) > EXIT_NS_CALM:
            self._trace.violated("I15", "nothing is wrong with this seed, and an exit took too long")

    def _result(self) -> Result:
        return Result(
            seed=self._seed,
            violations=tuple(self._trace.violations),
            digest=self._trace.digest(),
            faults=tuple(self._weather.faults),
            struck=dict(self._weather.struck),
            deaths=self._host.deaths,
            records=self._witness.records,
            entries=sum(one.entries_opened for one in self._strategies),
            fills=sum(len(fills) for fills in self._witness.fills.values()),
            exits=sum(one.exits_ended for one in self._strategies),
            lines=tuple(self._trace.lines),
        )
