"""Whether each approval was within the limits and its reservation, and whether days and their counters only go on."""

from decimal import Decimal
from typing import Final

from services.verify.checker.evidence import NO_LIMITS, NS_PER_SECOND, Evidence, Limits
from services.verify.checker.exchange_log import ZERO
from services.verify.checker.journal import Journal, Record
from services.verify.checker.risk_words import Approval, DayBegun, IntentJudged, ReservationFreed
from services.verify.checker.verdict import Judge, Place

DAY_NS: Final = 86_400 * NS_PER_SECOND
MIDNIGHT_NS_OFF_MAX: Final = 60 * NS_PER_SECOND  # a day is the exchange's, and a record is stamped by risk's own clock


def judge_limits(evidence: Evidence, judge: Judge) -> None:
    """Judge each approval by what risk wrote down with it and before it."""
    if evidence.risk is None:
        return
    if evidence.limits == NO_LIMITS:
        judge.skip("no limits were given: exposure, sizes and entries a day are not judged (I16, I18)")
    _Book(evidence.limits, judge).over(evidence.risk, settled=evidence.settled)


class _Book:
    """Goes through risk's journal with the reservations that are open and the day that it is."""

    def __init__(self, limits: Limits, judge: Judge) -> None:
        self._limits: Final = limits
        self._judge: Final = judge
        self._open: Final[dict[str, tuple[Approval, Place]]] = {}
        self._day: DayBegun | None = None
        self._entries_today = 0

    def over(self, risk: Journal, *, settled: bool) -> None:
        """Walk it to its end."""
        for record in risk.records:
            match record.body:
                case DayBegun() as day:
                    self._day_begun(day, record.place())
                case ReservationFreed(approval_id=approval_id):
                    freed = self._open.pop(approval_id, None)
                    what = f"what {approval_id} reserved is freed, and was not reserved"
                    self._judge.hold("I18", what, record.place(), holds=freed is not None)
                case IntentJudged() as judged:
                    self._judged(judged, record)
                case _:
                    pass
        for approval_id, (_, place) in self._open.items() if settled else ():
            self._judge.hold("I30", f"what {approval_id} reserved was never freed", place, holds=False)

    def _day_begun(self, day: DayBegun, place: Place) -> None:
        at_midnight = day.day_start_ns % DAY_NS == 0
        later = self._day is None or day.day_start_ns > self._day.day_start_ns
        self._judge.hold("I20", "it is no midnight, or no later day", place, holds=at_midnight and later)
        self._day, self._entries_today = day, 0

    def _judged(self, judged: IntentJudged, record: Record[object]) -> None:
        place = record.place()
        fewer = judged.entries_today < self._entries_today
        what = f"{judged.entries_today} entries today, where {self._entries_today} were before"
        self._judge.hold("I20", what, place, holds=not fewer)
        self._entries_today = judged.entries_today
        if self._day is not None and judged.approval is not None:  # without an executor no day begins: all is refused
            since_ns = record.wall_ns - self._day.day_start_ns
            of_today = -MIDNIGHT_NS_OFF_MAX <= since_ns < DAY_NS + MIDNIGHT_NS_OFF_MAX
            self._judge.hold("I20", "its day has not begun, or is over", place, holds=of_today)
        if judged.approval is not None:
            self._judge_reservation(judged, judged.approval, place)
            self._judge_size(judged, judged.approval, place)
            self._judge_day(judged, place)
            self._open[judged.approval.approval_id] = judged.approval, place

    def _judge_reservation(self, judged: IntentJudged, approval: Approval, place: Place) -> None:
        worth = approval.quantity_max * approval.decision_price
        if approval.side == "buy":
            what = f"{approval.reserved_quote} are reserved for {worth}"
            self._judge.hold("I18", what, place, holds=approval.reserved_quote >= worth)
        if self._limits.exposure_fraction_max is None:
            return
        cap = self._limits.exposure_fraction_max * judged.equity_quote
        exposed = judged.exposure_quote + approval.reserved_quote
        what = f"{judged.exposure_quote} are exposed and {approval.reserved_quote} reserved, {cap} is the most"
        self._judge.hold("I16", what, place, holds=exposed <= cap)
        others = sum((other.reserved_quote for other, _ in self._open.values()), ZERO)
        reserved = approval.reserved_quote + others
        self._judge.hold("I18", f"{reserved} are reserved, {cap} is the most", place, holds=reserved <= cap)

    def _judge_size(self, judged: IntentJudged, approval: Approval, place: Place) -> None:
        worth = approval.quantity_max * approval.decision_price
        for cap in size_caps(self._limits, judged.equity_quote):
            self._judge.hold("I16", f"an order of {worth}, {cap} is the most", place, holds=worth <= cap)

    def _judge_day(self, judged: IntentJudged, place: Place) -> None:
        most = self._limits.entries_per_day_max
        if most is not None:
            what = f"{judged.entries_today} entries were there before it today, {most} is the most"
            self._judge.hold("I16", what, place, holds=judged.entries_today < most)


def size_caps(limits: Limits, equity: Decimal) -> list[Decimal]:
    """Return what an order may be worth at most, by limits of a position, and by the greater of those of an order."""
    position, order = limits.position_fraction_max, limits.order_fraction_max
    caps = [limits.position_quote_max, None if position is None else position * equity]
    orders = [limits.order_quote_max, None if order is None else order * equity]
    of_order = max((cap for cap in orders if cap is not None), default=None)
    return [cap for cap in (*caps, of_order) if cap is not None]
