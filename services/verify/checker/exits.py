"""Whether each exit was served within seconds, or it was said in time why not.

What holds an exit up stands in the journal: an order of it that is on its way or in doubt, a stop that is cancelled
first, an entry that has not ended, a word of the executor on why nothing can be sent, or a new life that has not read
the venue yet. Where none of these stands there, its next order is due.
"""

from dataclasses import dataclass
from typing import Final

from services.verify.checker.evidence import NS_PER_SECOND, Evidence
from services.verify.checker.journal import Journal, Record
from services.verify.checker.positions import Holder
from services.verify.checker.verdict import Judge
from services.verify.checker.words import (
    CancelMarked,
    ExitEnded,
    ExitHeldUp,
    ExitOpened,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderFilled,
    ReconcileFinished,
    SendMarked,
    Word,
)

SERVED_NS_MAX: Final = 2 * NS_PER_SECOND
HELD_UP_NS_MAX: Final = 32 * NS_PER_SECOND  # behind a word on why: it is said again within 30 s, or the order leaves


@dataclass(slots=True)
class _Exit:
    """An exit that has not ended: since when its next step is due, within which time, and whether that has passed."""

    opened: Record[Word]
    due_since: Record[Word]
    within_ns: int = SERVED_NS_MAX
    late_ns: int = 0


def judge_exits(evidence: Evidence, judge: Judge) -> None:
    """Judge every exit, at every moment that the executor wrote something down."""
    if evidence.executor is None:
        return
    older = [one for one in evidence.executor.of(ExitOpened) if one.sequence < evidence.of_this_version_from]
    if older:
        judge.skip(
            f"{len(older)} exits up to record {older[-1].sequence} are of a version that did not say what held "
            "one up: how fast they were served is not judged (I15)"
        )
    _Walk(judge, evidence.of_this_version_from).over(evidence.executor)


class _Walk:
    """Goes through the journal with the exits that are open, and the orders that are in their way."""

    def __init__(self, judge: Judge, judged_from: int) -> None:
        self._judge: Final = judge
        self._judged_from: Final = judged_from
        self._exits: Final[dict[Holder, _Exit]] = {}
        self._in_the_way: Final[dict[str, Holder]] = {}  # orders by client id
        self._epoch = -1
        self._has_read = False  # the venue, in this life

    def over(self, executor: Journal) -> None:
        """Walk it to its end."""
        for record in executor.records:
            if record.epoch != self._epoch:
                self._epoch, self._has_read = record.epoch, False
            self._time_passed(record)
            self._take(record)
        for holder in list(self._exits):
            self._ended(holder)

    def _time_passed(self, record: Record[Word]) -> None:
        for holder, one in self._exits.items():
            same_life = (record.epoch, record.boot_id) == (one.due_since.epoch, one.due_since.boot_id)
            if not same_life or holder in self._in_the_way.values():
                one.due_since, one.within_ns = record, SERVED_NS_MAX
            elif not self._has_read:
                one.due_since = record
            late_ns = record.boot_ns - one.due_since.boot_ns
            if late_ns > one.within_ns:
                one.late_ns = max(one.late_ns, late_ns)

    def _take(self, record: Record[Word]) -> None:
        match record.body:
            case ReconcileFinished():
                self._has_read = True
            case ExitOpened(strategy=strategy, symbol=symbol):
                self._ended((strategy, symbol))  # a further one takes the place of one that was open
                self._exits[strategy, symbol] = _Exit(record, record)
            case ExitEnded(strategy=strategy, symbol=symbol):
                self._ended((strategy, symbol))
            case ExitHeldUp(strategy=strategy, symbol=symbol):
                self._serve((strategy, symbol), record, HELD_UP_NS_MAX)
            case SendMarked(order=order) | CancelMarked(order=order) | OrderDoubted(order=order):
                self._in_the_way[order.client_order_id] = order.strategy, order.symbol
                self._serve((order.strategy, order.symbol), record, SERVED_NS_MAX)
            case OrderAcknowledged(order=order) | OrderFilled(order=order) if order.purpose == "cover":
                self._in_the_way.pop(order.client_order_id, None)  # it rests, and is to be cancelled
                self._serve((order.strategy, order.symbol), record, SERVED_NS_MAX)
            case OrderEnded(order=order, ending=ending):
                self._in_the_way.pop(order.client_order_id, None)
                is_sold = order.purpose == "exit" and ending == "filled"  # what is due then is a word
                self._serve((order.strategy, order.symbol), record, HELD_UP_NS_MAX if is_sold else SERVED_NS_MAX)
            case _:
                pass

    def _serve(self, holder: Holder, record: Record[Word], within_ns: int) -> None:
        """Let the next step be due from here."""
        one = self._exits.get(holder)
        if one is not None:
            one.due_since, one.within_ns = record, within_ns

    def _ended(self, holder: Holder) -> None:
        one = self._exits.pop(holder, None)
        if one is not None and one.opened.sequence >= self._judged_from:
            what = f"the exit of {holder[1]} of {holder[0]} waits for {one.late_ns} ns, and nothing says why"
            self._judge.hold("I15", what, one.opened.place(), holds=not one.late_ns)
