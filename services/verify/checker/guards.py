"""Whether each guard that tripped had to, no day that was lost was entered on, and each flow is one that was told.

The rules are those of docs/what-stops-the-account.md. Amounts are fractions here: nothing is rounded but what a journal
rounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import takewhile
from typing import Final

from services.verify.checker.evidence import NS_PER_SECOND, Evidence, Limits
from services.verify.checker.guards_sheet import Sheet
from services.verify.checker.journal import Journal, Record
from services.verify.checker.risk_words import (
    Alerted,
    DayBegun,
    EquityRead,
    FlowCounted,
    GuardTripped,
    IntentJudged,
    KillCleared,
)
from services.verify.checker.verdict import Judge
from services.verify.checker.words import OutsideSeen, Word

TOLERANCE: Final = Fraction(1, 100)
APART_NS_MIN: Final = NS_PER_SECOND
APART_NS_MAX: Final = 15 * NS_PER_SECOND
ALONE_NS: Final = 30 * NS_PER_SECOND
FLOWS: Final = frozenset({"trade", "transfer", "unexplained"})
DAY_LOST: Final = "guard-daily_loss-entries"  # the cause of the alert that ends a day's entries
# From so much equity on a day may lose so much; it may be held to less, where its account was larger before.
BY_SIZE: Final = ((5_000, Fraction(5, 1000)), (2_000, Fraction(75, 10_000)), (0, Fraction(1, 100)))


def judge_guards(evidence: Evidence, judge: Judge) -> None:
    """Judge the trips by risk's journal, and what was counted as money by the executor's."""
    risk, executor = evidence.risk, evidence.written["executor"]
    if risk is None:
        return
    _judge_flows(risk, executor, judge)
    if risk.gaps:
        if risk.of(GuardTripped) or evidence.limits.daily_loss_fraction_max is not None:
            judge.skip("risk's journal has a hole: what its guards rest on is not reckoned anew (I16)")
        return
    _Guards(evidence.limits, judge).over(risk)


def _judge_flows(risk: Journal, executor: Journal | None, judge: Judge) -> None:
    """Judge that each is one that the executor told, and is counted once."""
    told = None if executor is None or executor.gaps else {one.sequence: one.body for one in executor.of(OutsideSeen)}
    before = 0
    for record in risk.of(FlowCounted):
        flow = record.body
        what = f"the executor's report {flow.report_sequence} is counted after {before}"
        judge.hold("I16", what, record.place(), holds=flow.report_sequence > before)
        before = flow.report_sequence
        if told is not None:
            seen = told.get(flow.report_sequence)
            is_it = seen is not None and (seen.asset, seen.quantity) == (flow.asset, flow.quantity)
            what = f"{flow.quantity} {flow.asset} are counted as a flow, of which report {before} says nothing"
            judge.hold("I16", what, record.place(), holds=is_it and seen is not None and seen.kind in FLOWS)


@dataclass(frozen=True, slots=True)
class _Read:
    """A reading, what is left by it for certain, and whether it shows something else to be there than is known."""

    told: EquityRead
    left: Fraction
    strays: bool


class _Guards:
    """Goes through risk's journal with what each guard counts from."""

    def __init__(self, limits: Limits, judge: Judge) -> None:
        self._limits: Final = limits
        self._judge: Final = judge
        self._day_quote: Fraction | None = None  # what the day began with
        self._is_lost = False  # the day, for entries
        self._marks: Final[dict[str, Fraction | None]] = {"drawdown": None, "daily_loss": None}
        self._due: Final[set[str]] = set(self._marks)
        self._tripped: Final[dict[str, GuardTripped]] = {}
        self._flow = Fraction(0)
        self._run: list[_Read] = []  # that follow each other
        self._sheet = Sheet()
        self._account: tuple[str, str] | None = None
        self._newest = (0, 0)

    def over(self, risk: Journal) -> None:
        """Walk it to its end."""
        for record in risk.records:
            self._take(record)

    def _take(self, record: Record[Word]) -> None:
        match record.body:
            case EquityRead() as read:
                self._read(read)
            case FlowCounted(asset=asset, quantity=quantity, worth_quote=worth) if worth:
                self._flow += Fraction(worth)
                self._sheet.move(asset, Fraction(quantity))
                self._run = []
            case DayBegun(equity_quote=equity):
                self._day_quote = Fraction(equity)
                self._due.add("daily_loss")
                self._run = []
            case Alerted() if record.cause_id == DAY_LOST:
                self._is_lost = True
            case GuardTripped() as trip:
                self._judge_trip(trip, record)
                self._tripped[trip.guard] = trip
            case KillCleared():
                self._is_lost &= "daily_loss" not in self._tripped
                for guard in self._tripped:
                    self._marks[guard] = None
                    self._due.add(guard)
                self._tripped.clear()
                self._run = []
            case IntentJudged(intent=intent, approval=approval) as judged if approval is not None:
                what = f"{intent.intent_id} is approved though a guard of the account has tripped"
                self._judge.hold("I13", what, record.place(), holds=not self._tripped)
                self._judge_day(judged, record)
            case _:
                pass

    def _read(self, read: EquityRead) -> None:
        number = (read.reader_epoch, read.read_number)
        if number <= self._newest:
            return
        self._newest = number
        self._count(read)
        one = _Read(read, _left(read, self._sheet.worth(read)), self._sheet.strays(read))
        last = self._run[-1] if self._run else None
        apart_ns = read.venue_time_ns - last.told.venue_time_ns if last else 0
        if last is None or last.told.reader_epoch != read.reader_epoch or not 0 <= apart_ns <= APART_NS_MAX:
            self._run = [one]
        elif apart_ns >= APART_NS_MIN:
            if _agrees(last.told) and _agrees(read):
                self._settle((last.told, read))
                self._sheet.learn(read)
                one = replace(one, strays=False)
            elif last.strays and one.strays:
                self._sheet.follow(read)
                one = replace(one, strays=False)
            self._run.append(one)

    def _count(self, read: EquityRead) -> None:
        """Take what is counted otherwise for money that came or went, and begin anew with another account."""
        account = read.account_fingerprint, read.quote_asset
        if self._account not in {None, account}:
            self._marks.update(dict.fromkeys(self._marks))
            self._due.update(self._marks)
            self._is_lost = False
            self._flow, self._run, self._sheet = Fraction(0), [], Sheet()
        elif (change := self._sheet.recount(read)) is not None:
            self._flow, self._run = self._flow + change, []
        self._account = account

    def _settle(self, pair: Sequence[EquityRead]) -> None:
        """Set what is due, move the marks with the money, lift the peak."""
        least = min(Fraction(said or 0) for read in pair for said in (read.equity_quote, read.executor_equity_quote))
        equity = Fraction(pair[1].equity_quote)
        before = equity - self._flow
        begins_anew = before <= 0 or self._flow > equity / 2
        self._is_lost &= "daily_loss" not in self._due and not begins_anew
        for guard, mark in self._marks.items():
            if mark is None or guard in self._due or begins_anew:
                self._marks[guard] = least
            elif self._flow:
                self._marks[guard] = _eight_places(mark * equity / before)
        self._marks["drawdown"] = max(self._marks["drawdown"] or least, least)
        self._due.clear()
        self._flow = Fraction(0)

    def _judge_day(self, judged: IntentJudged, record: Record[Word]) -> None:
        """Judge that the day had not lost too much yet: by what was told of it, and by what equity was."""
        what = f"{judged.intent.intent_id} is approved on a day of which too much was told to be lost"
        self._judge.hold("I13", what, record.place(), holds=not self._is_lost)
        start, loss = self._marks["daily_loss"], self._limits.daily_loss_fraction_max
        if loss is None or start is None:
            return
        most = Fraction(loss)
        if self._limits.daily_loss_is_by_size and self._day_quote is not None:
            most = min(most, next((part for least, part in BY_SIZE if self._day_quote >= least), BY_SIZE[-1][1]))
        floor = start * (1 - most)
        what = f"equity is {judged.equity_quote}, and entries stop at {float(floor)} today"
        self._judge.hold("I16", what, record.place(), holds=Fraction(judged.equity_quote) > floor)

    def _judge_trip(self, trip: GuardTripped, record: Record[Word]) -> None:
        mark, floor = self._marks[trip.guard], Fraction(trip.floor_quote)
        what = f"{trip.trip_id} counts from {trip.base_quote}, and the readings before it lead to {_told(mark)}"
        self._judge.hold("I16", what, record.place(), holds=mark == Fraction(trip.base_quote) and floor < (mark or 0))
        down = takewhile(lambda one: one.left - self._flow <= floor, reversed(self._run))
        below = [one.told for one in down]
        by_pair = len(below) > 1 and all(map(_agrees, below[:2]))
        by_time = len(below) > 1 and below[0].venue_time_ns - below[-1].venue_time_ns >= ALONE_NS
        what = f"{trip.trip_id} rests neither on two readings that agree with the books nor on half a minute of them"
        self._judge.hold("I16", what, record.place(), holds=by_pair or by_time)
        what = f"{trip.trip_id} tripped a guard that had tripped before, and was not cleared"
        self._judge.hold("I16", what, record.place(), holds=trip.guard not in self._tripped)


def _left(read: EquityRead, known: Fraction | None) -> Fraction:
    """Return what is left for certain: without the books' agreement, what the prices alone have left of it."""
    equity = Fraction(read.equity_quote)
    return equity if known is None or _agrees(read) else max(equity, known)


def _agrees(read: EquityRead) -> bool:
    ours, books = Fraction(read.equity_quote), read.executor_equity_quote
    if books is None:
        return False
    theirs = Fraction(books)
    return abs(ours - theirs) <= TOLERANCE * max(abs(ours), abs(theirs))


def _eight_places(amount: Fraction) -> Fraction:
    return Fraction(round(amount * 10**8), 10**8)


def _told(mark: Fraction | None) -> str:
    return "nothing" if mark is None else f"{float(mark)}"
