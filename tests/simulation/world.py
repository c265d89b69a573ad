"""One seed: everything put together, a time with faults, a time without, and then the judgement."""

import traceback
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, get_args

from services.sim_exchange.venue.vocabulary import ClientIdRule
from services.strategy.core.vocabulary import Kept
from shared.execution.reconciliation import EVERYTHING_NS
from shared.mesh.journal import JournalError
from shared.trading.order_life import OrderContradictionError
from tests.simulation.crew import Crew, Witnesses
from tests.simulation.fall import Fall
from tests.simulation.feed import Feed
from tests.simulation.flattener import FlattenerWitness
from tests.simulation.halt import SimHalt
from tests.simulation.judgement import judge_files
from tests.simulation.links import Mesh
from tests.simulation.machine import Surroundings
from tests.simulation.market import Market
from tests.simulation.operator import EXECUTOR, Operator
from tests.simulation.other_hands import OTHER_HANDS, OtherHands
from tests.simulation.risk import RISK
from tests.simulation.risk_witness import RiskWitness, StrategyWitness
from tests.simulation.scheduler import BOOTED_NS, SECOND_NS, Dice, Scheduler
from tests.simulation.strategy import OWNER, QUIET_BARS, File
from tests.simulation.trace import Trace
from tests.simulation.venue import SYMBOLS, SimVenue
from tests.simulation.verdict import Verdict
from tests.simulation.weather import Weather
from tests.simulation.wire import Wire
from tests.simulation.witness import Witness

STARTED_NS: Final = 8 * SECOND_NS  # most seeds begin calm
STORM_NS: Final = 48 * SECOND_NS
PAUSED_NS: Final = 8 * SECOND_NS  # after the faults ended, entries are paused, and then all positions come down
PROBED_NS: Final = 21 * SECOND_NS  # entries are tried again
KILLED_SHARE: Final = 0.4  # of the seeds: the kill latch is set in the end
KILLED_NS: Final = 16 * SECOND_NS  # after which all is flat, and FLAT is told
# Or later, where another latch came behind it, or coins that somebody else has sold or taken are looked for.
LATER_NS: Final = 11 * SECOND_NS
ALONE_SHARE: Final = 0.5  # of those: the executor is gone then, for so long
AWAY_MS: Final = 13_000
UNWATCHED_SHARE: Final = 0.4  # of those: risk is
RISK_AWAY_MS: Final = 8_000
MANY_SHARE: Final = 0.5  # of those that are killed: others press as well
# Risk allows none for a minute after the third death in one. It hears of a death when the next life speaks, and counts
# for one the epoch of a flattener that died before it had written down that it holds the role.
LOOP_DEATHS: Final = 3
CRASH_LOOP_NS: Final = 66 * SECOND_NS
CALMED_NS_MAX: Final = 200 * SECOND_NS  # after the faults; whoever dies on then is not waited for
TRIED_NS_MAX: Final = 40 * SECOND_NS  # what is declined is tried again after 6 s, and a guard may trip meanwhile
RESTED_NS: Final = 3 * SECOND_NS
COUNTED_NS: Final = 10 * SECOND_NS
# Money that moved without a word shows in the next whole pass, and has to stand in another.
FOUND_NS_MAX: Final = EVERYTHING_NS + 15 * SECOND_NS
EXIT_NS_CALM: Final = 3 * SECOND_NS  # cancel the stop, see it ended, sell
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


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a seed."""

    seed: int
    violations: tuple[str, ...]
    digest: str
    faults: tuple[str, ...]
    struck: dict[str, int]
    counts: dict[str, int]
    lines: tuple[str, ...]


class World:
    """Strategy, risk, executor and venue, and everybody around them."""

    def __init__(self, seed: int, *, without: Collection[str] = ()) -> None:
        self._seed: Final = seed
        dice = Dice(seed)
        scheduler = self._scheduler = Scheduler(dice)
        weather = self._weather = Weather(dice, without=without)
        trace = self._trace = Trace(scheduler)
        halt = self._halt = SimHalt(scheduler, weather, dice, trace)
        around = Surroundings(scheduler, weather, dice, trace, halt)
        rule = dice.of("client ids").choice(get_args(ClientIdRule))
        venue = self._venue = SimVenue(scheduler, rule, pays_in_bnb=dice.of("fees").random() < 0.5)
        wire = Wire(scheduler, weather, dice)
        feed = self._feed = Feed(scheduler, wire)
        mesh = Mesh(scheduler, wire, feed)
        self._market: Final = Market(scheduler=scheduler, weather=weather, dice=dice, venue=venue, feed=feed)
        self._operator: Final = Operator(around, mesh, lambda: self._risk_witness.latch_id)
        self._file: Final = File(self._look_at_kept)
        witness = self._witness = Witness(scheduler, trace, halt, self._operator.told)
        halt.before_removal = witness.latch.removes_file
        self._other_hands: Final = OtherHands(around, venue, self._market)
        fall = Fall(around, venue, self._market)
        self._risk_witness: Final = RiskWitness(trace, witness, self._market.bid, fall, self._operator.overhears)
        self._strategy_witness: Final = StrategyWitness(trace)
        self._flattener_witness: Final = FlattenerWitness(witness)
        witnesses = Witnesses(witness, self._risk_witness, self._strategy_witness, self._flattener_witness)
        crew = self._crew = Crew(around=around, mesh=mesh, venue=venue, witnesses=witnesses, file=self._file)
        self._verdict: Final = Verdict(
            around=around, witness=witness, venue=venue, executor=crew.executor, risk=crew.risk
        )
        fall.begin(crew.executor)
        in_the_end = dice.of("killed in the end")
        self._kills: Final = in_the_end.random() < KILLED_SHARE and not weather.is_calm
        self._is_alone: Final = in_the_end.random() < ALONE_SHARE
        self._is_unwatched: Final = in_the_end.random() < UNWATCHED_SHARE
        self._is_one_of_many: Final = in_the_end.random() < MANY_SHARE
        self._pressed = ""  # the latch that is set in the end
        self._opened_before: dict[str, int] = {}
        self._calmed_by_ns = self._tried_until_ns = self._counts_at_ns = 0
        self._is_over = False

    def run(self) -> Result:
        """Let the seed happen, and judge it."""
        for machine in self._crew.named.values():
            machine.boot()
        self._scheduler.every(lambda: SECOND_NS, self._weather_changes)
        self._scheduler.every(lambda: SECOND_NS, lambda: self._verdict.look(is_calm=self._weather.is_calm))
        self._scheduler.at(BOOTED_NS + STARTED_NS, self._brew)
        self._scheduler.at(BOOTED_NS + STORM_NS, self._heal)
        try:
            while not self._is_over:
                self._scheduler.run_until(self._scheduler.now_ns + SECOND_NS)
        except DEFECTS as defect:
            where = traceback.extract_tb(defect.__traceback__)[-1]
            self._trace.violated("defect", f"{defect!r} in {where.name}, {where.filename}:{where.lineno}")
        return self._result()

    def _weather_changes(self) -> None:
        for machine in self._crew.named.values():
            machine.weather_changes()
        if self._weather.strikes("killed with the executor gone"):  # for longer than the flattener waits
            self._operator.kill()
            self._crew.executor.end(away_ms=self._weather.amount("killed with the executor gone", 8_000, 20_000))
        self._other_hands.act()

    def _brew(self) -> None:
        self._weather.is_over = False

    def _heal(self) -> None:
        """End the faults; let operators lift what they set; come down, and see that it can be entered again."""
        self._trace.note("world", "the faults end")
        self._weather.is_over = self._operator.is_quiet = True
        for machine in self._crew.named.values():
            machine.disk.hold_power()
        after, operator = self._scheduler.after, self._operator
        self._calmed_by_ns = self._scheduler.now_ns + CALMED_NS_MAX
        after(3 * SECOND_NS, self._verdict.note_unfinished)
        after(9 * SECOND_NS, self._verdict.judge_unfinished)
        after(4 * SECOND_NS, self._resume)
        if self._kills:
            after(PAUSED_NS, self._kill)
            after(PAUSED_NS + KILLED_NS, self._judge_kill)
        else:
            after(PAUSED_NS, lambda: operator.pause(RISK))
            for seconds in (2, 6):
                after(PAUSED_NS + seconds * SECOND_NS, operator.leave_all)
        probed_ns = PROBED_NS + (KILLED_NS if self._kills else 0)
        after(probed_ns - 2 * SECOND_NS, lambda: operator.resume(EXECUTOR))
        after(probed_ns, self._probe)

    def _kill(self) -> None:
        """Set the latch; in some of these seeds the executor is gone then, and the flattener has to do it."""
        self._pressed = self._operator.kill()
        if self._is_one_of_many:
            self._operator.others_kill()
        if self._is_alone:
            self._crew.executor.end(away_ms=AWAY_MS)
        if self._is_unwatched:
            self._crew.risk.end(away_ms=RISK_AWAY_MS)

    def _judge_kill(self) -> None:
        """Judge that the latch stands everywhere, and that what was held is flat, as was read back."""
        standing = self._risk_witness.latch_id
        stands = standing is not None and self._witness.latch.stands and self._halt.latch is not None
        if not stands:
            self._trace.violated("I13", f"killed by hand, and the latch does not stand everywhere: risk has {standing}")
        self._judge_name(self._scheduler.now_ns + LATER_NS)
        is_later = standing != self._pressed or not OTHER_HANDS.isdisjoint(self._weather.struck)
        self._judge_flatness(self._scheduler.now_ns + (LATER_NS if is_later else 0))

    def _judge_name(self, until_ns: int) -> None:
        """Judge that one latch stands, whoever pressed: whoever acts for an executor that is away has it by then."""
        file = self._halt.latch
        names = {self._risk_witness.latch_id, self._witness.latch.latch_id, None if file is None else file.latch_id}
        if len(names) == 1 or self._risk_witness.latch_id is None:
            return
        if self._scheduler.now_ns < until_ns:
            self._scheduler.after(SECOND_NS, lambda: self._judge_name(until_ns))
        else:
            self._trace.violated("I13", f"killed by hand, and the latch has several names: {names}")

    def _judge_flatness(self, until_ns: int) -> None:
        """Judge that FLAT is told, and that it is so."""
        if self._witness.latch.latch_id in self._witness.latch.flat:
            self._verdict.judge_flat()
        elif self._scheduler.now_ns < until_ns:
            self._scheduler.after(SECOND_NS, lambda: self._judge_flatness(until_ns))
        else:
            self._trace.violated("I30", "killed by hand, and nobody says that it is FLAT")

    def _resume(self) -> None:
        self._operator.clear()
        self._operator.resume(EXECUTOR)
        self._operator.resume(RISK)

    def _probe(self) -> None:
        """Let entries pass again, hold the price, so that what is entered stays as it is, and count."""
        now_ns, last_ns = self._scheduler.now_ns, self._crew.executor.epochs_ns[-1]
        if self._seems_to_loop() and now_ns < min(last_ns + CRASH_LOOP_NS, self._calmed_by_ns):
            self._scheduler.after(SECOND_NS, self._probe)
            return
        self._trace.note("world", "entries are tried again")
        self._market.is_still = True
        self._opened_before = dict(self._witness.entries)
        self._tried_until_ns = now_ns + TRIED_NS_MAX
        self._resume()
        self._scheduler.after(SECOND_NS, self._look_for_entries)

    def _seems_to_loop(self) -> bool:
        """Say whether risk may have heard of three deaths in a minute: of any by the time that the last life speaks."""
        epochs_ns = self._crew.executor.epochs_ns
        return len(epochs_ns) > LOOP_DEATHS and epochs_ns[-1] < epochs_ns[-LOOP_DEATHS] + CRASH_LOOP_NS

    def _look_for_entries(self) -> None:
        """Let entries pass until each symbol was entered, or should have been; then let all come to rest."""
        entered, after = self._witness.entries, self._scheduler.after
        missing = [symbol for symbol in SYMBOLS if entered[symbol] == self._opened_before.get(symbol, 0)]
        if missing and self._scheduler.now_ns < self._tried_until_ns:
            self._resume()  # what moved without a word shows late, and is to be looked at
            after(SECOND_NS, self._look_for_entries)
            return
        for symbol in missing:
            self._trace.violated("I30", f"{symbol} cannot be entered again")
        self._operator.pause(RISK)
        after(RESTED_NS, self._judge)
        after(RESTED_NS + COUNTED_NS, self._count)

    def _judge(self) -> None:
        self._verdict.judge()
        self._risk_witness.judge()
        if self._weather.is_calm and not (self._witness.fills and self._witness.exits_ns):
            self._trace.violated("calm", "nothing is wrong with this seed, and nothing was traded")
        if self._weather.is_calm and max(self._witness.exits_ns, default=0) > EXIT_NS_CALM:
            self._trace.violated("I15", "nothing is wrong with this seed, and an exit took too long")

    def _count(self) -> None:
        now_ns = self._scheduler.now_ns
        if not self._verdict.money_agrees() and now_ns < self._tried_until_ns + FOUND_NS_MAX:
            self._counts_at_ns = now_ns + COUNTED_NS
        if now_ns < self._counts_at_ns:
            self._scheduler.after(SECOND_NS, self._count)
            return
        self._is_over = True
        self._verdict.judge_money()
        if self._file.kept() is None:
            self._trace.violated("I30", "the strategy has written down nothing")
        judge_files(
            executor=self._crew.executor.disk,
            risk=self._crew.risk.disk,
            flattener=self._crew.flattener.disk,
            venue=self._venue,
            trace=self._trace,
            is_calm=self._weather.is_calm,
        )

    def _look_at_kept(self, kept: Kept) -> None:
        """Hold what the strategy knows against what it was told: none of its lives may have forgotten a fill."""
        for known in kept.symbols:
            held = self._witness.told_until(kept.reports_read, (OWNER, known.symbol))
            if known.holding.quantity != held:
                what = f"the strategy holds {known.holding.quantity} of {known.symbol}, by the reports it is {held}"
                self._trace.violated("I10", what)
            waiting_ns = {fill.venue_time_ns for fill in known.fills}
            told_ns = [
                fill.venue_time_ns
                for sequence, fill in self._witness.fill_records
                if sequence <= kept.reports_read and fill.order.symbol == known.symbol
            ]
            last_ns = max((ns for ns in told_ns if ns not in waiting_ns), default=None)
            decided_ns = known.kernel.bar_open_time_ns + SECOND_NS
            if last_ns is not None and last_ns < decided_ns:
                closes_ns = (bar.close_time_ns for bar in self._feed.bars(known.symbol))
                quiet = sum(last_ns < close_ns <= decided_ns for close_ns in closes_ns)
                if known.kernel.numbers[QUIET_BARS] > quiet:
                    what = f"the kernel of {known.symbol} counts {known.kernel.numbers} bars since a fill, of {quiet}"
                    self._trace.violated("strategy", what)

    def _result(self) -> Result:
        counts = {f"deaths of {name}": len(machine.deaths_ns) for name, machine in self._crew.named.items()}
        counts |= {
            "records of the executor": self._witness.records,
            "entries": sum(self._witness.entries.values()),
            "fills": sum(len(fills) for fills in self._witness.fills.values()),
            "exits": len(self._witness.exits_ns),
            "takeovers": self._flattener_witness.takeovers,
            "records adopted": len(self._witness.adopted),
            "intents approved": self._risk_witness.approved,
            "intents refused": self._risk_witness.refused,
            "readings of the account": self._risk_witness.readings,
            "trips": self._risk_witness.trips,
            "trips without the books": self._risk_witness.trips_alone,
            "intents asked for again": self._strategy_witness.asked_again,
        }
        return Result(
            seed=self._seed,
            violations=tuple(self._trace.violations),
            digest=self._trace.digest(),
            faults=tuple(self._weather.faults),
            struck=dict(self._weather.struck),
            counts=counts,
            lines=tuple(self._trace.lines),
        )
