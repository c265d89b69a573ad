"""One symbol of a strategy: its bars, what is decided at their closes, and what is asked for because of it.

The way of a decision: a bar closes (`heard`) and waits until the executor's reports are all read; then the kernel is
told the fills before its close, and decides on it (`_decide`); and if nothing stands against it, risk is asked. While
bars are missing, what is there is gathered anew (`Past`), and the kernel goes on from where it was.
"""

from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal

import msgspec

from proto.account import InstrumentRules
from proto.envelope import Body, MarketEnvelope
from proto.market import BarClosed
from proto.orders import EntryOpened, OrderFilled
from proto.streams import StreamPosition
from services.strategy.core.entry import Entry, is_fresh
from services.strategy.core.holding import Holding
from services.strategy.core.leaving import Leaving
from services.strategy.core.past import Past
from services.strategy.core.standing import Standing
from services.strategy.core.vocabulary import Fill, SymbolKept, Terms
from shared.core.continuity import Broken, Event, Seen, Synced
from shared.core.service import Effect, Moment, Note, Watch
from shared.market.timeframe import timeframe
from shared.strategies.brackets import enter_bracket
from shared.strategies.decider import Decider, Decision, StoredState

DOUBTFUL_MAX: Final = 3  # bars in a row that may lack a trade: behind more of them the past begins anew
SILENT_BARS: Final = 3  # that have closed since the last decision: a person is told of more
LATE_NS: Final = 15_000_000_000  # within this after its close a bar is decided on, also in a quiet market
WAITING_MAX: Final = 1_000  # bars, until the executor's reports are read
FILLS_MAX: Final = 1_000  # that the kernel is told with the next bar
WORK_NS_MAX: Final = 10_000_000_000

Kind = Literal["bars", "link", "trust"]
KINDS: Final[tuple[Kind, ...]] = ("bars", "link", "trust")


class Desk:
    """Decides on the bars of one symbol."""

    def __init__(self, symbol: str, terms: Terms) -> None:
        self.symbol: Final = symbol
        self._terms: Final = terms
        self._frame: Final = timeframe(terms.bar_length)
        self._holding = Holding()
        self._decider = self._begun(None)
        self._fills: Final[deque[Fill]] = deque()
        self._past: Final = Past(
            feed=terms.feeds[symbol],
            owner=terms.owner,
            symbol=symbol,
            frame=self._frame,
            bars_wanted=self._decider.bars_wanted,
        )
        self._is_gathering = True
        self._waiting: Final[deque[BarClosed]] = deque()
        self._newest_close_ns = 0  # of the bars that wait or were decided on
        self._heard_close_ns = 0  # of all bars
        self._begun_ns = 0
        self._doubtful = 0
        self._seen = StreamPosition(stream=self._topic("bars"), epoch=0, sequence=0)
        self._standing: Final = Standing()
        self._entry: Final = Entry()
        self._leaving: Final = Leaving(owner=terms.owner, symbol=symbol)
        self._rules: InstrumentRules | None = None  # once the executor has said them

    @property
    def topics(self) -> dict[bytes, Kind]:
        """What is read of the feed."""
        return {self._topic(kind).encode(): kind for kind in KINDS}

    def kept(self, now: Moment) -> SymbolKept | None:
        """Return what has to be remembered; None while an entry is under way that no report tells of yet.

        A restart then goes on from before that entry was asked for, and asks for the same again.
        """
        if self._entry.is_asked or self._entry.entering(now):
            return None
        holding = msgspec.structs.replace(self._holding, entries=dict(self._holding.entries))
        return SymbolKept(self.symbol, self._decider.stored, holding, tuple(self._fills))

    def restore(self, kept: SymbolKept) -> None:
        """Go on from what was remembered."""
        self._holding = msgspec.structs.replace(kept.holding, entries=dict(kept.holding.entries))
        self._fills.extend(kept.fills)
        self._decider = self._begun(kept.kernel)

    def begin(self, now: Moment) -> list[Effect]:
        """Read the feed, and ask it for the past."""
        self._begun_ns = now.wall_ns
        feed = self._terms.feeds[self.symbol]
        return [*(Watch(feed, topic) for topic in self.topics), *self._gather(now)]

    def heard(self, kind: Kind, event: Event, now: Moment) -> list[Effect]:
        """Take in what the feed tells."""
        if kind != "bars":
            self._standing.take(kind, event)
            return []
        match event:
            case Broken(reason=reason):
                note = Note("info", "bars are missing: the past is read anew", {"symbol": self.symbol, "why": reason})
                return [*([] if reason == "joined" else [note]), *self._gather(now)]
            case Seen(envelope=envelope) | Synced(latest=MarketEnvelope() as envelope):
                self._seen = StreamPosition(self._seen.stream, envelope.epoch, envelope.sequence)
                assert isinstance(envelope.body, BarClosed), "nothing else travels under this topic"
                return self._came(envelope.body, now)
            case _:
                return []

    def told(self, body: Body) -> None:
        """Take in a report about this strategy and symbol."""
        self._holding.fold(body)
        self._leaving.told(self._holding)
        match body:
            case EntryOpened(approval=approval):
                self._entry.opened(approval.intent_id)
            case OrderFilled():
                sign = 1 if body.order.side == "buy" else -1
                self._fills.append(Fill(body.venue_time_ns, sign * float(body.quantity), float(body.price)))
                if len(self._fills) > FILLS_MAX:
                    self._fill(self._fills.popleft())
            case _:
                pass

    def lose_reports(self) -> None:
        """Take in that reports are missing which nobody will ever see."""
        self._holding.lose()
        self._leaving.lose()

    def traded_by(self, rules: InstrumentRules) -> None:
        """Take in by which rules the venue trades it."""
        self._rules = rules

    def answered(self, ask_id: str, answer: Body | None, now: Moment) -> Sequence[Effect]:
        """Take an answer, None if there came none in time."""
        if ask_id == self._past.ask_id:
            return [*self._past.answered(answer, now), *self._gathered()]
        if ask_id == self._entry.ask_id:
            return self._entry.answered(answer, now)
        if ask_id == self._leaving.ask_id:
            return self._leaving.answered(answer)
        return ()  # to what is wanted no longer

    def silence(self, now: Moment) -> str | None:
        """Say why nothing is decided, once some bars have closed without it; None while there is nothing to tell."""
        said_after_ns = SILENT_BARS * self._frame.duration_ns + LATE_NS
        decided_ns = self._frame.close_time_ns(self._decider.stored.bar_open_time_ns)
        if now.wall_ns - max(decided_ns, self._begun_ns) <= said_after_ns:
            return None
        if now.wall_ns - max(self._heard_close_ns, self._begun_ns) > said_after_ns:
            return "no bar has come from the feed for a while"
        if self._is_gathering:
            return "the feed does not give as many bars of the past as it takes"
        if self._doubtful > DOUBTFUL_MAX:
            return "its bars may lack trades"
        there_are, wanted = self._decider.bars_in_a_row, self._decider.bars_wanted
        return f"bars were missing, and of the {wanted} in a row that it may take there are {there_are}"

    def clock(self, now: Moment) -> list[Effect]:
        """Ask again for what nobody answered."""
        return [*self._leaving.again(), *self._past.clock(now)]

    def work(self, now: Moment) -> list[Effect]:
        """Decide on the bars that wait, as far as it is known what is held."""
        effects: list[Effect] = []
        while self._waiting and not self._entry.is_asked:
            effects += self._decide(self._waiting.popleft(), now)
        return effects

    def _gather(self, now: Moment) -> list[Effect]:
        """Give up the bars that wait, and ask for those before the next one."""
        self._waiting.clear()
        self._is_gathering = True
        return [*self._past.begin(self._decider.stored.bar_open_time_ns, now)]

    def _came(self, bar: BarClosed, now: Moment) -> list[Effect]:
        effects = self._look(bar)
        self._heard_close_ns = max(self._heard_close_ns, bar.close_time_ns)
        if self._is_gathering:
            self._past.came(bar)
            effects += self._gathered()
        elif bar.open_time_ns > self._newest_close_ns:
            effects += self._gather(now)
            self._past.came(bar)
        elif bar.open_time_ns == self._newest_close_ns:
            self._wait(bar)
        return effects

    def _gathered(self) -> list[Effect]:
        """Begin to decide once there are as many bars as it takes."""
        if not self._past.is_enough:
            return []
        self._is_gathering, self._doubtful = False, 0
        self._decider = self._begun(self._decider.stored)
        row = self._past.taken()
        for bar in row:
            self._wait(bar)
        return [Note("info", "enough bars are known to decide", {"symbol": self.symbol, "bars": len(row)})]

    def _wait(self, bar: BarClosed) -> None:
        self._waiting.append(bar)
        self._newest_close_ns = bar.close_time_ns
        if len(self._waiting) > WAITING_MAX:  # nobody decides on it any more, and the kernel sees a hole
            self._waiting.popleft()

    def _decide(self, bar: BarClosed, now: Moment) -> list[Effect]:
        while self._fills and self._fills[0].venue_time_ns < bar.close_time_ns:
            self._fill(self._fills.popleft())
        effects = self._look(bar)
        self._doubtful = 0 if bar.gapless else self._doubtful + 1
        if self._doubtful > DOUBTFUL_MAX:
            return effects  # it is missing to the kernel, which is warm again when the last of them is far behind
        held = self._owned(bar) + self._holding.entering + self._entry.entering(now)
        decision = self._decider.bar(bar, held=float(held))
        if decision is not None:
            effects += self._ask(decision, bar, now)
        return effects

    def _ask(self, decision: Decision, bar: BarClosed, now: Moment) -> Sequence[Effect]:
        trouble, rules = self._trouble(bar, now), self._rules
        if trouble is None and rules is None:
            trouble = "the executor has not said in which steps the venue trades"
        if trouble is not None or rules is None:
            details: dict[str, object] = {"symbol": self.symbol, "bar_close_time_ns": bar.close_time_ns}
            return (Note("info", "a wish is let go", details | {"why": trouble}),)
        return self._entry.ask(
            enter_bracket(
                decision,
                strategy=self._terms.owner,
                symbol=self.symbol,
                bar_length=self._terms.bar_length,
                market_seen=self._seen,
                tick=rules.price_tick,
                work_for_ns=min(self._frame.duration_ns, WORK_NS_MAX),
            )
        )

    def _trouble(self, bar: BarClosed, now: Moment) -> str | None:
        """Say why nothing is asked for because of this bar."""
        if not is_fresh(bar.close_time_ns, now):
            return "its bar closed too long ago, or has not closed yet by our clock"
        if not bar.gapless:
            return "its bar may lack a trade"
        if self._fills:
            return "something was filled since"
        if self._entry.entering(now):
            return "an entry was approved a moment ago, and is not reported yet"
        return self._standing.trouble

    def _look(self, bar: BarClosed) -> list[Effect]:
        """Leave what is held if the price has come to its target."""
        return [*self._leaving.look(bar, self._holding)] if self._owned(bar) else []

    def _owned(self, bar: BarClosed) -> Decimal:
        return self._holding.owned(self._rules, Decimal(repr(bar.close_price)))

    def _fill(self, fill: Fill) -> None:
        self._decider.fill(fill.quantity, fill.price)

    def _begun(self, stored: StoredState | None) -> Decider:
        terms = self._terms
        return Decider(terms.strategy, bar_length=terms.bar_length, chosen=terms.chosen, stored=stored)

    def _topic(self, kind: Kind) -> str:
        ending = f"bars/{self._terms.bar_length}" if kind == "bars" else kind
        return f"{self._terms.venue}/{self.symbol}/{ending}"
