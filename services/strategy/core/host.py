"""The core of the strategy host: keeps a desk for each symbol of a strategy, and hands it what is about it. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

from proto.account import InstrumentsTold
from proto.envelope import Body
from proto.fields import Symbol
from proto.health import Heartbeat
from proto.orders import EntryEnded, EntryOpened, OrderFilled, PositionChanged
from services.strategy.core.desk import Desk, Kind
from services.strategy.core.leaving import EXECUTOR
from services.strategy.core.vocabulary import Kept, NotRemembered, Remember, Remembered, Terms
from shared.core.continuity import Event
from shared.core.service import (
    Answered,
    BeWary,
    Effect,
    Follow,
    Happening,
    Heard,
    Listen,
    Moment,
    Note,
    Stop,
    StopAsked,
    Told,
    ToldOfLoss,
    Unanswered,
    WakeAt,
    Watched,
    Woken,
)

REPORTS: Final = "reports"
CLOCK: Final = "clock"
CLOCK_NS: Final = 1_000_000_000


class StrategyCore:
    """Decides on bars in their order, and on none before every report is read of what the executor did."""

    def __init__(self, terms: Terms) -> None:
        self._terms: Final = terms
        self._desks: Final = {symbol: Desk(symbol, terms) for symbol in terms.feeds}
        self._topics: Final[dict[bytes, tuple[Desk, Kind]]] = {
            topic: (desk, kind) for desk in self._desks.values() for topic, kind in desk.topics.items()
        }
        self._read = 0  # the number of the last report
        self._announced: int | None = None  # the number of the last one there is, by the executor's own word
        self._kept: Kept | None = None
        self._is_remembered = True
        self._is_another_journal = False
        self._silent: dict[Symbol, str] = {}  # why nothing is decided on it

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Take in what happened and return what shall be done."""
        effects = self._taken(happening, now)
        if self._is_current:
            for desk in self._concerned(happening):
                effects += desk.work(now)
        if isinstance(happening, StopAsked):
            effects += [*self._remember(now), Stop()]
        return effects

    def _taken(self, happening: Happening, now: Moment) -> list[Effect]:
        match happening:
            case Watched(events=events):
                return self._watched(events, now)
            case Told(envelope=envelope):
                self._read = envelope.sequence
                self._told(envelope.body)
                return []
            case Heard(envelope=envelope):
                return self._heard(envelope.body)
            case Answered(ask_id=ask_id, envelope=envelope):
                return self._answered(ask_id, envelope.body, now)
            case Unanswered(ask_id=ask_id):
                return self._answered(ask_id, None, now)
            case Woken():
                return self._clock(now)
            case Remembered():
                return self._begin(happening, now)
            case NotRemembered(reason=reason):
                is_news, self._is_remembered = self._is_remembered, False
                return [Note("warning", "what is known cannot be written down", {"reason": reason})] if is_news else []
            case ToldOfLoss(next_sequence=next_sequence):
                return self._lost_reports(next_sequence)
            case _:
                return []

    def _concerned(self, happening: Happening) -> Iterable[Desk]:
        """Return whose bars may be decided on now: those of market data, and of anything else that comes everybody."""
        if not isinstance(happening, Watched):
            return self._desks.values()
        return dict.fromkeys(self._topics[event.topic][0] for event in happening.events if event.topic in self._topics)

    @property
    def _is_current(self) -> bool:
        """Whether it is known what is held: every report is read that the executor spoke of."""
        return self._announced is not None and self._read >= self._announced

    def _begin(self, remembered: Remembered, now: Moment) -> list[Effect]:
        effects: list[Effect] = []
        if remembered.trouble:
            effects.append(Note("warning", "what was written down cannot be used", {"why": remembered.trouble}))
        kept = remembered.kept
        if kept is not None and self._is_ours(kept):
            self._kept, self._read = kept, kept.reports_read
            for symbol in kept.symbols:
                if symbol.symbol in self._desks:
                    self._desks[symbol.symbol].restore(symbol)
        effects += [
            Note("info", "the executor's reports are read", {"from": self._read + 1}),
            Follow(EXECUTOR, REPORTS, self._read + 1),
            Listen(EXECUTOR, "account"),
            Listen(EXECUTOR, "health"),
            WakeAt(CLOCK, now.boot_ns + CLOCK_NS),
        ]
        for desk in self._desks.values():
            effects += desk.begin(now)
        return effects

    def _is_ours(self, kept: Kept) -> bool:
        """Say whether it is about these positions, decisions and symbols; if not, all is read from the beginning."""
        is_same = (kept.owner, kept.decides_by) == (self._terms.owner, self._terms.decides_by)
        return is_same and {symbol.symbol for symbol in kept.symbols} >= self._desks.keys()

    def _watched(self, events: Sequence[Event], now: Moment) -> list[Effect]:
        effects: list[Effect] = []
        for event in events:
            if event.topic in self._topics:
                desk, kind = self._topics[event.topic]
                effects += desk.heard(kind, event, now)
        return effects

    def _told(self, body: Body) -> None:
        owner, symbol = _place(body)
        if owner == self._terms.owner and symbol in self._desks:
            self._desks[symbol].told(body)

    def _lost_reports(self, next_sequence: int) -> list[Effect]:
        self._read = next_sequence - 1
        for desk in self._desks.values():
            desk.lose_reports()
        return [Note("critical", "reports of the executor are lost for good", {"before": next_sequence})]

    def _heard(self, body: Body) -> list[Effect]:
        match body:
            case InstrumentsTold(instruments=instruments):
                for instrument in instruments:
                    if instrument.symbol in self._desks:
                        self._desks[instrument.symbol].traded_by(instrument)
            case Heartbeat(published=published):
                for position in published:
                    if position.stream == REPORTS:
                        return self._announce(position.sequence)
            case _:
                pass
        return []

    def _announce(self, last: int) -> list[Effect]:
        """Take in how many reports there are. Fewer than were read once are those of another journal."""
        if self._kept is None or last >= self._kept.reports_read:
            self._announced = last
            return []
        if self._is_another_journal:
            return []
        self._is_another_journal = True
        details = {
            "read": self._kept.reports_read,
            "there_are": last,
            "what_to_do": "bowline down, and see its journal",
        }
        return [Note("critical", "the executor has fewer reports than were read: nothing is decided", details)]

    def _answered(self, ask_id: str, answer: Body | None, now: Moment) -> list[Effect]:
        return [effect for desk in self._desks.values() for effect in desk.answered(ask_id, answer, now)]

    def _clock(self, now: Moment) -> list[Effect]:
        effects: list[Effect] = [WakeAt(CLOCK, now.boot_ns + CLOCK_NS)]
        for desk in self._desks.values():
            effects += desk.clock(now)
        return [*effects, *self._wary(now), *self._remember(now)]

    def _wary(self, now: Moment) -> list[Effect]:
        """Tell a person on what nothing is decided though bars should have closed, when that has changed."""
        found = {symbol: why for symbol, desk in self._desks.items() if (why := desk.silence(now)) is not None}
        if not self._is_current:  # bars wait for that, whatever else is the matter
            found = dict.fromkeys(found, "what the executor has done since is not all read yet")
        if found == self._silent:
            return []
        before, self._silent = self._silent, found
        notes = [
            Note("warning", "nothing is decided", {"symbol": symbol, "why": why})
            for symbol, why in found.items()
            if symbol not in before
        ]
        notes += [Note("info", "it is decided again", {"symbol": symbol}) for symbol in before if symbol not in found]
        symbols = {why: [one for one in found if found[one] == why] for why in found.values()}
        return [*notes, BeWary(tuple(f"nothing is decided on {', '.join(ons)}: {why}" for why, ons in symbols.items()))]

    def _remember(self, now: Moment) -> list[Effect]:
        """Have it written down if there is news. It need not be the latest: what came since comes again."""
        symbols = [desk.kept(now) for desk in self._desks.values()]
        found = tuple(symbol for symbol in symbols if symbol is not None)
        if len(found) < len(symbols) or not self._is_current:
            return []
        kept = Kept(self._terms.owner, self._terms.decides_by, self._read, found)
        if kept == self._kept:
            return []
        self._kept, self._is_remembered = kept, True
        return [Remember(kept)]


def _place(body: Body) -> tuple[str | None, Symbol]:
    """Return whose report it is, and of which symbol; of others nobody."""
    match body:
        case EntryOpened(approval=approval):
            return approval.strategy, approval.symbol
        case OrderFilled(order=order):
            return order.strategy, order.symbol
        case EntryEnded() | PositionChanged():
            return body.strategy, body.symbol
        case _:
            return None, ""
