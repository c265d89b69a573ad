"""All that a strategy's core has around it, within a test: a market, its feed, risk, and an executor with a journal."""

from collections import deque
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from proto.account import InstrumentRules, InstrumentsTold
from proto.bars import AskBars, Bar, BarsGiven
from proto.envelope import Body, MarketEnvelope
from proto.fields import Side
from proto.health import Heartbeat
from proto.intents import EnterBracket, ExitTaken, SetExit, StopCover
from proto.market import BarClosed, LinkOpened, MarketBody, SymbolTrusted
from proto.orders import EntryEnded, EntryOpened, ExitEnded, ExitOpened, OrderFilled, PositionChanged
from proto.streams import RequestRefused, StreamPosition
from proto.verdicts import IntentApproved, IntentRefused
from services.strategy.core.host import StrategyCore
from services.strategy.core.vocabulary import Kept, Remember, Remembered, Terms
from shared.core.continuity import BreakReason, Broken, Event, Seen, Synced
from shared.core.service import (
    Answered,
    Ask,
    BeWary,
    Effect,
    Follow,
    Happening,
    Heard,
    Listen,
    Moment,
    Note,
    Started,
    Told,
    Unanswered,
    Watch,
    Watched,
    Woken,
)
from shared.strategies.catalog import STRATEGIES
from tests.proto.examples import AN_APPROVAL, AN_ORDER, BODIES, an_envelope
from tests.shared.market.walks import walked_bars

SYMBOL: Final = "BTC/USDT"
OWNER: Final = "trend_continuation"
STRATEGY: Final = STRATEGIES["trend_continuation"]
# It rests for a while after each fill, so that what it decides depends on how often bars have closed since.
QUICK: Final = {**STRATEGY.parameter_sets["quick"], "target_atr": 4.0, "rest_bars": 9.0}
SECOND_NS: Final = 1_000_000_000
LAG_NS: Final = SECOND_NS // 5  # from a bar's close to us
A_HEARTBEAT: Final = next(body for body in BODIES if isinstance(body, Heartbeat))
BOUGHT: Final = Decimal("0.5")
RULES: Final = InstrumentRules(
    symbol=SYMBOL,
    base="BTC",
    quote="USDT",
    price_tick=Decimal("0.01"),
    quantity_step=Decimal("0.00001"),
    quantity_min=Decimal("0.00001"),
    notional_min_quote=Decimal(5),
)

Verdict = Literal["approved", "refused", "turned away", "nothing"]
WARM: Final = 100  # bars that have closed when a strategy begins: more than it takes


def the_terms(chosen: Mapping[str, float] = MappingProxyType(QUICK)) -> Terms:
    """Return what the strategy under test decides on."""
    return Terms(
        owner=OWNER, strategy=STRATEGY, chosen=chosen, bar_length="5s", venue="binance", feeds={SYMBOL: "feed"}
    )


def some_bars(count: int = 700, *, seed: int = 3) -> list[BarClosed]:
    """Return a market in which there is something to decide every few minutes."""
    return walked_bars(count, seed=seed, bar_length="5s")


class Executor:
    """Fills what is approved in the next bar, hits stops, and leaves what it is told to leave: all in its journal."""

    def __init__(self) -> None:
        self.reports: Final[list[Body]] = []
        self.held = Decimal(0)
        self.reports_kept_from_us = 0
        self._entered: EnterBracket | None = None
        self._stop: Decimal | None = None

    def takes(self, intent: EnterBracket) -> None:
        """Take what risk approved. An intent is worked once, ever."""
        opened = (told.approval.intent_id for told in self.reports if isinstance(told, EntryOpened))
        if intent.intent_id not in opened:
            self._entered = intent

    def declines(self) -> None:
        """Let go of what it has taken and not begun."""
        self._entered = None

    def within(self, bar: BarClosed, now_ns: int) -> tuple[Body, ...]:
        """Fill the entry that was approved, or hit the stop that rests."""
        if self._entered is not None:
            intent, self._entered = self._entered, None
            assert isinstance(intent.cover, StopCover)
            self._stop = intent.cover.stop_price
            approval = msgspec.structs.replace(
                AN_APPROVAL,
                approval_id=f"approved-{intent.intent_id}",
                intent_id=intent.intent_id,
                strategy=intent.strategy,
                quantity_max=BOUGHT,
                targets=intent.targets,
            )
            return (
                EntryOpened(approval),
                *self.traded("buy", now_ns, Decimal(repr(bar.open_price))),
                EntryEnded(approval.approval_id, intent.intent_id, OWNER, SYMBOL, BOUGHT, "it is filled"),
            )
        if self.held and self._stop is not None and Decimal(repr(bar.low_price)) <= self._stop:
            return self.traded("sell", now_ns, self._stop)
        return ()

    def leaves(self, wanted: SetExit, now_ns: int) -> tuple[Body, ...]:
        """Sell what it was told to."""
        if not self.held:
            return ()
        return (
            ExitOpened(wanted.exit_id, OWNER, SYMBOL, Decimal(0), "strategy", wanted.reason),
            *self.traded("sell", now_ns),
            ExitEnded(wanted.exit_id, OWNER, SYMBOL, Decimal(0), "the target is reached"),
        )

    def traded(self, side: Side, now_ns: int, price: Decimal = BOUGHT) -> tuple[Body, ...]:
        """Trade, and return what is written down of it."""
        self.held = BOUGHT if side == "buy" else Decimal(0)
        purpose: Literal["entry", "exit"] = "entry" if side == "buy" else "exit"
        filled = OrderFilled(
            order=msgspec.structs.replace(AN_ORDER, strategy=OWNER, symbol=SYMBOL, side=side, purpose=purpose),
            venue_order_id="1",
            trade_id=len(self.reports) + 1,
            price=price,
            quantity=BOUGHT,
            quote_quantity=BOUGHT * price,
            cumulative_quantity=BOUGHT,
            fee=Decimal(0),
            fee_asset="USDT",
            liquidity="taker",
            venue_time_ns=now_ns,
            decision_price=price,
            cost_expected_quote=Decimal(0),
        )
        return filled, PositionChanged(OWNER, SYMBOL, self.held, price if self.held else None, self.held)


class World:
    """The core under test, and what it asked for. Whatever is not answered here at once is never answered."""

    def __init__(self, bars: Sequence[BarClosed] | None = None, *, closed: int = WARM) -> None:
        self.bars: Final = list(some_bars() if bars is None else bars)
        self.closed = closed  # so many of them have
        self.now_ns = self.bars[closed - 1].close_time_ns + LAG_NS
        self.verdict: Verdict = "approved"
        self.executor_answers = True
        self.feed_gives = 1_000
        self.feed_answers = True
        self.is_trusted = True
        self.tells_instruments = True
        self.opened: Final[list[Effect]] = []  # what it reads
        self.asked: Final[list[Ask]] = []
        self.notes: Final[list[Note]] = []
        self._troubles: tuple[str, ...] = ()
        self.kept: Kept | None = None
        self.executor: Final = Executor()
        self._todo: Final[deque[Effect]] = deque()
        self.core = StrategyCore(the_terms())
        self._told = 0
        self._epoch = 0
        self.inputs = 0
        self.dies_at: frozenset[int] = frozenset()  # before these inputs; with the effects of the last one undone
        self.forgets = False  # what was written down, when it dies
        self._is_dying = False

    @property
    def moment(self) -> Moment:
        """What the clocks show."""
        return Moment(self.now_ns, self.now_ns - self.bars[0].open_time_ns, "boot")

    # What happens.

    def starts(self, *, terms: Terms | None = None) -> None:
        """Start the process, or start it anew after it was killed."""
        self._todo.clear()
        self._epoch += 1
        self.core = StrategyCore(terms or the_terms())
        self.hands(Started("strategy", self._epoch, 0, ()))
        self.hands(Remembered(self.kept, ""))
        self.feed_tells("link", LinkOpened(symbol=SYMBOL))
        if self.is_trusted:
            self.feed_tells("trust", SymbolTrusted(symbol=SYMBOL))
        if self.tells_instruments:
            self.hands(Heard("executor", an_envelope(InstrumentsTold(instruments=(RULES,)))))
        self.executor_beats()

    def closes(self, count: int = 1, *, late_ns: int = 0) -> None:
        """Let bars close, and what rests at the venue be hit within them."""
        for _ in range(count):
            bar = self.bars[self.closed]
            self.now_ns = max(self.now_ns, bar.open_time_ns + 2 * SECOND_NS)
            self.executor_tells(*self.executor.within(bar, self.now_ns))
            self.closed += 1
            self.now_ns = bar.close_time_ns + LAG_NS + late_ns
            self.feed_tells(f"bars/{bar.timeframe}", bar)
            self.now_ns += SECOND_NS
            self.hands(Woken("clock"))
            self.executor_beats()

    def closes_unheard(self, count: int = 1) -> None:
        """Let bars close while nobody reads them."""
        for _ in range(count):
            self.now_ns = self.bars[self.closed].close_time_ns + LAG_NS
            self.closed += 1

    def passes(self, duration_ns: int) -> None:
        """Let time pass in which nothing is heard."""
        for _ in range(duration_ns // SECOND_NS):
            self.now_ns += SECOND_NS
            self.hands(Woken("clock"))

    def feed_tells(self, kind: str, body: MarketBody) -> None:
        """Let the feed publish something."""
        self.hears(Seen(f"binance/{SYMBOL}/{kind}".encode(), self._market_envelope(body)))

    def feed_breaks(self, reason: BreakReason = "gap") -> None:
        """Let bars be lost on their way, and the stream flow again behind them."""
        topic = f"binance/{SYMBOL}/bars/5s".encode()
        self.hears(Broken(topic, reason))
        self.hears(Synced(topic, self._market_envelope(self.bars[self.closed - 1])))

    def hears(self, event: Event) -> None:
        """Hand in one event of the feed."""
        self.hands(Watched("feed", [event]))

    def executor_beats(self) -> None:
        """Let the executor say how many reports there are."""
        count = len(self.executor.reports) + self.executor.reports_kept_from_us
        position = StreamPosition(stream="reports", epoch=1, sequence=count)
        self.hands(Heard("executor", an_envelope(msgspec.structs.replace(A_HEARTBEAT, published=(position,)))))

    def executor_tells(self, *bodies: Body) -> None:
        """Let the executor write something down, and tell it."""
        self.executor.reports.extend(bodies)
        self._tell_reports()

    def hands(self, happening: Happening) -> None:
        """Hand something in, and do what comes of it; die instead where that was to be."""
        self.inputs += 1
        if self.inputs in self.dies_at and not self._is_dying:
            self._is_dying, self.kept = True, None if self.forgets else self.kept
            self.starts()
            self._is_dying = False
            return
        self._todo.extend(self.core.handle(happening, self.moment))
        while self._todo:
            self._does(self._todo.popleft())

    # What came of it.

    @property
    def intents(self) -> list[EnterBracket]:
        """The entries that were asked for, each once, without the place in the stream they rest on."""
        found = {ask.ask_id: ask.body for ask in self.asked if isinstance(ask.body, EnterBracket)}
        unseen = StreamPosition(stream="-", epoch=0, sequence=0)
        return [msgspec.structs.replace(body, market_seen=unseen) for body in found.values()]

    @property
    def exits(self) -> list[SetExit]:
        """The exits that were asked for, each once."""
        return list({ask.ask_id: ask.body for ask in self.asked if isinstance(ask.body, SetExit)}.values())

    def wary_of(self) -> tuple[str, ...]:
        """Return what stands beside the state of the process."""
        return self._troubles

    def events(self) -> list[str]:
        """Return what was noted."""
        return [note.event for note in self.notes]

    def why(self) -> list[object]:
        """Return why wishes were let go."""
        return [note.details["why"] for note in self.notes if note.event == "a wish is let go"]

    def closes_until_asked(self) -> EnterBracket:
        """Let bars close until an entry is asked for, and return it."""
        before = len(self.intents)
        while len(self.intents) == before:
            self.closes()
        return self.intents[-1]

    # What the others do.

    def _does(self, effect: Effect) -> None:
        match effect:
            case Ask(body=AskBars()):
                self.asked.append(effect)
                self._feed_answers(effect)
            case Ask(body=EnterBracket() as intent):
                self.asked.append(effect)
                self._risk_answers(effect, intent)
            case Ask(body=SetExit() as wanted):
                self.asked.append(effect)
                self._executor_answers(effect, wanted)
            case Follow(next_sequence=next_sequence):
                self._told = next_sequence - 1
                self._tell_reports()
            case Remember(kept=kept):
                self.kept = msgspec.json.decode(msgspec.json.encode(kept), type=Kept)
            case Note():
                self.notes.append(effect)
            case BeWary(troubles=troubles):
                self._troubles = troubles
            case Watch() | Listen():
                self.opened.append(effect)
            case _:
                pass

    def _feed_answers(self, ask: Ask) -> None:
        asked = ask.body
        assert isinstance(asked, AskBars)
        if not self.feed_answers:
            self.hands(Unanswered(ask.ask_id))
            return
        before_ns = asked.before_open_time_ns
        known = [bar for bar in self.bars[: self.closed] if before_ns is None or bar.open_time_ns < before_ns]
        count = min(asked.bars_max, self.feed_gives)
        given = BarsGiven(symbol=SYMBOL, timeframe="5s", bars=tuple(map(exact, known[-count:])) if count else ())
        self.hands(Answered(ask.ask_id, an_envelope(given)))

    def _risk_answers(self, ask: Ask, intent: EnterBracket) -> None:
        assert not self.executor.held, "whoever holds something asks for no more"
        match self.verdict:
            case "approved":
                answer: Body = IntentApproved(intent.intent_id, f"approved-{intent.intent_id}", BOUGHT)
                self.executor.takes(intent)
                self.hands(Answered(ask.ask_id, an_envelope(answer)))
            case "refused":
                answer = IntentRefused(intent.intent_id, "exposure_total_within_limit", "2", "1", "too much is held")
                self.hands(Answered(ask.ask_id, an_envelope(answer)))
            case "turned away":
                self.hands(Answered(ask.ask_id, an_envelope(RequestRefused("request_in_time", "it expired"))))
            case "nothing":
                pass

    def _executor_answers(self, ask: Ask, wanted: SetExit) -> None:
        if not self.executor_answers:
            return
        self.hands(Answered(ask.ask_id, an_envelope(ExitTaken(wanted.exit_id, wanted.target_quantity))))
        self.executor_tells(*self.executor.leaves(wanted, self.now_ns))

    def _tell_reports(self) -> None:
        while self._told < len(self.executor.reports):
            self._told += 1
            envelope = msgspec.structs.replace(an_envelope(self.executor.reports[self._told - 1]), sequence=self._told)
            self.hands(Told("executor", envelope))

    def _market_envelope(self, body: MarketBody) -> MarketEnvelope:
        return MarketEnvelope(1, self.closed, None, self.now_ns, self.now_ns, body)


def exact(bar: BarClosed) -> Bar:
    """Return a bar as it is given on request."""
    numbers = {
        name: Decimal(repr(getattr(bar, name)))
        for name in ("open_price", "high_price", "low_price", "close_price", "base_volume", "quote_volume")
    }
    return Bar(
        open_time_ns=bar.open_time_ns,
        trade_count=bar.trade_count,
        source=bar.source,
        gapless=bar.gapless,
        **numbers,
    )
