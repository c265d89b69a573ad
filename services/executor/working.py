"""What to do next about what a strategy has of a symbol: end its entry, bring it down to its target, or cover it. Pure.

One step at a time for each place, and none while it is not known how an order of that place stands. Each step is a
record to be written, and whatever follows is decided anew from the books. So it makes no difference whether the process
was killed between two steps.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from proto.fields import clipped
from proto.orders import CancelMarked, EntryEnded, ExitEnded, ExitOpened, SendMarked
from services.executor.books import Books, Entry, Exit, Place
from services.executor.governor import Governor
from services.executor.leave import Leave
from services.executor.marks import Marks, Purpose
from services.executor.orders import Order
from shared.core.service import Moment, Report
from shared.market.prices import Prices
from shared.trading.amounts import ZERO
from shared.trading.instruments import Instrument, OrderTerms

RESIZE_NS: Final = 1_000_000_000  # a cover is changed once in this time
UNCOVERED_NS_MAX: Final = 15_000_000_000
BACKOFF_NS_FIRST: Final = 500_000_000
BACKOFF_NS_MAX: Final = 30_000_000_000
REFUSED_STOPS_MAX: Final = 2  # the price may have passed the stop where the venue sees it first
OURSELVES: Final = "executor"


class _Patience(msgspec.Struct):
    """What is waited for at a place."""

    not_before_ns: int = 0
    backoff_ns: int = BACKOFF_NS_FIRST
    resized_ns: int = -RESIZE_NS
    uncovered_since_ns: int | None = None
    refused_stops: int = 0


class Worker:
    """Decides the next step of every place."""

    def __init__(self, *, books: Books, leave: Leave, prices: Prices, governor: Governor, marks: Marks) -> None:
        self._books: Final = books
        self._leave: Final = leave
        self._prices: Final = prices
        self._governor: Final = governor
        self._marks: Final = marks
        self._patience: Final[dict[Place, _Patience]] = {}
        self.instruments: dict[str, Instrument] = {}
        self.epoch = 0

    def steps(self, now: Moment) -> Sequence[Report]:
        """Return what is to be written down next, of the first place where there is something to do."""
        for place in self._places():
            reports = self._step(place, now)
            if reports:
                return reports
        return ()

    def rejected(self, order: Order, now: Moment) -> None:
        """Wait longer and longer before the next order of a place whose orders the venue refuses."""
        self._of(order.place).refused_stops += order.key.purpose == "cover"
        self.unsent(order, now)

    def unsent(self, order: Order, now: Moment) -> None:
        """Wait likewise where an order could not be sent at all."""
        if order.key.purpose == "entry":
            return  # there is no next one, and what the place has besides shall not wait for it
        patience = self._of(order.place)
        patience.not_before_ns = now.boot_ns + patience.backoff_ns
        patience.backoff_ns = min(patience.backoff_ns * 2, BACKOFF_NS_MAX)

    def accepted(self, order: Order) -> None:
        """Begin with short waits again."""
        patience = self._of(order.place)
        patience.backoff_ns, patience.refused_stops = BACKOFF_NS_FIRST, 0

    def _places(self) -> list[Place]:
        places = dict.fromkeys((position.strategy, position.symbol) for position in self._books.positions.held())
        places |= dict.fromkeys((e.approval.strategy, e.approval.symbol) for e in self._books.entries.values())
        places |= dict.fromkeys(self._books.exits)
        places |= dict.fromkeys(order.place for order in self._books.working())
        for gone in self._patience.keys() - places.keys():
            del self._patience[gone]
        return list(places)

    def _step(self, place: Place, now: Moment) -> Sequence[Report]:
        working = self._books.working(place)
        if any(order.is_in_doubt or order.life == "cancel_marked" for order in working):
            return ()
        for entry in self._books.entries.values():
            if (entry.approval.strategy, entry.approval.symbol) == place:
                reports = self._entry_step(entry, working, now)
                if reports:
                    return reports
        found = self._books.exits.get(place)
        if found is not None:
            return self._exit_step(place, found, working, now)
        return self._cover_step(place, working, now)

    def _entry_step(self, entry: Entry, working: Sequence[Order], now: Moment) -> Sequence[Report]:
        approval = entry.approval
        resting = [order for order in working if order.key.parent_id == approval.approval_id]
        reason = self._why_over(entry, now)
        if resting:
            return (_cancelled(resting[0], reason),) if reason else ()
        if reason is None and self._books.next_child(approval.approval_id) == 1:
            return ()  # its order is being marked
        ended = EntryEnded(
            approval_id=approval.approval_id,
            intent_id=approval.intent_id,
            strategy=approval.strategy,
            symbol=approval.symbol,
            filled_quantity=self._filled(approval.approval_id),
            reason=reason or "its order has ended",
        )
        return (Report(ended, cause_id=approval.approval_id, reducing=True),)

    def _why_over(self, entry: Entry, now: Moment) -> str | None:
        """Say why an entry is worked no longer; nothing is ever resumed."""
        approval = entry.approval
        if entry.opened_epoch != self.epoch:
            return "the executor has begun anew since it took this"
        if (approval.strategy, approval.symbol) in self._books.exits:
            return "the position shall come down"
        if now.boot_ns > approval.work_until_boot_ns:
            return "work_until has passed"
        return self._leave.is_withdrawn(approval.risk_epoch, now)

    def _filled(self, parent_id: str) -> Decimal:
        ours = (order for order in self._books.orders.values() if order.key.parent_id == parent_id)
        return sum((order.executed_quantity for order in ours), ZERO)

    def _exit_step(self, place: Place, found: Exit, working: Sequence[Order], now: Moment) -> Sequence[Report]:
        instrument = self.instruments.get(place[1])
        if instrument is None or any(order.key.purpose == "exit" for order in working):
            return ()
        needed = self._books.positions.of(*place).owned - found.target_quantity
        terms = self._sellable(instrument, place, needed, now)
        if terms is None:
            return self._exit_ended(place, found, max(needed, ZERO), working)
        if working:  # on spot a resting order locks the coins
            return (_cancelled(working[0], "the coins shall be sold"),)
        mark = self._sale((found.parent_id, "exit"), place, terms, self._price_of(place), now)
        return () if mark is None else (Report(mark, cause_id=found.exit_id, reducing=True),)

    def _exit_ended(self, place: Place, found: Exit, left: Decimal, working: Sequence[Order]) -> Sequence[Report]:
        if working and not found.target_quantity:
            return (_cancelled(working[0], "nothing is left to cover"),)
        ended = ExitEnded(
            exit_id=found.exit_id,
            strategy=place[0],
            symbol=place[1],
            quantity_left=left,
            reason="what is left is below the venue's least order" if left else "the target is reached",
        )
        return (Report(ended, cause_id=found.exit_id, reducing=True),)

    def _cover_step(self, place: Place, working: Sequence[Order], now: Moment) -> Sequence[Report]:
        protection, instrument = self._books.protections.get(place), self.instruments.get(place[1])
        if instrument is None:
            return ()
        covers = [order for order in working if order.key.purpose == "cover"]
        owned = self._books.positions.of(*place).owned
        if protection is None:  # the position is gone, or came after its entry had ended
            if covers:
                return (_cancelled(covers[0], "there is nothing to cover"),)
            return self._given_up(place, "no stop is known") if owned else ()
        stop_price = instrument.stop_price("sell", protection.stop_price)
        terms = OrderTerms(
            side="sell",
            order_type="stop_market",
            quantity=_orderable(instrument, owned),
            stop_price=stop_price,
        )
        if covers:
            self._of(place).uncovered_since_ns = None
            return self._resized(covers, terms.quantity, stop_price, now)
        if not terms.quantity or self._fault(instrument, terms, None) is not None:
            # A fee taken in coins leaves crumbs: the exit sells what it can, and sets the rest apart as dust.
            return (
                ()
                if self._books.is_entered(place) or not owned
                else self._given_up(place, "it is too little for a stop")
            )
        hopeless = self._why_no_stop(place, stop_price, now)
        if hopeless is not None:
            return self._given_up(place, hopeless)
        mark = self._sale((protection.parent_id, "cover"), place, terms, stop_price, now)
        return () if mark is None else (Report(mark, cause_id=protection.parent_id, reducing=True),)

    def _why_no_stop(self, place: Place, stop_price: Decimal, now: Moment) -> str | None:
        """Say why a position that has no stop shall not wait for one."""
        price, patience = self._prices.of(place[1]), self._of(place)
        if patience.uncovered_since_ns is None:
            patience.uncovered_since_ns = now.boot_ns
        if price is not None and price.bid <= stop_price:
            return f"the price has passed the stop at {stop_price:f}"
        if patience.refused_stops >= REFUSED_STOPS_MAX:
            return "the venue refuses the stop"
        return "no stop can be placed" if now.boot_ns - patience.uncovered_since_ns > UNCOVERED_NS_MAX else None

    def _sale(
        self, parent: tuple[str, Purpose], place: Place, terms: OrderTerms, price: Decimal, now: Moment
    ) -> SendMarked | None:
        """Return the mark of an order that reduces risk; None while it has to wait."""
        if now.boot_ns < self._of(place).not_before_ns or self._governor.refusal(now.boot_ns) is not None:
            return None
        self._governor.sent(place[1], None, now.boot_ns)
        parent_id, purpose = parent
        return self._marks.next(
            parent_id=parent_id,
            place=place,
            side="sell",
            purpose=purpose,
            terms=terms,
            decision_price=price,
            lease_age_ns=None,
            now=now,
        )

    def _resized(self, covers: Sequence[Order], wanted: Decimal, stop_price: Decimal, now: Moment) -> Sequence[Report]:
        """Cancel a cover that is not what it should be, at most once a second: the next step places it anew."""
        patience = self._of(covers[0].place)
        is_right = len(covers) == 1 and (covers[0].open_quantity, covers[0].stop_price) == (wanted, stop_price)
        if is_right or now.boot_ns - patience.resized_ns < RESIZE_NS:
            return ()
        patience.resized_ns = now.boot_ns
        return (_cancelled(covers[0], "it shall cover another quantity or price"),)

    def _given_up(self, place: Place, reason: str) -> Sequence[Report]:
        """Bring a position down that cannot be covered."""
        strategy, symbol = place
        opened = ExitOpened(
            exit_id=f"{OURSELVES}:{strategy}:{symbol}:uncovered",
            strategy=strategy,
            symbol=symbol,
            target_quantity=ZERO,
            asked_by=OURSELVES,
            reason=clipped(reason),
        )
        return (Report(opened, cause_id=None, reducing=True),)

    def _sellable(self, instrument: Instrument, place: Place, needed: Decimal, now: Moment) -> OrderTerms | None:
        """Return the order that sells so much, capped by what the account holds; None where it is too little for one.

        What is worth too little is given up, so a price that is in doubt is no reason: the venue then has the word.
        """
        quantity = _orderable(instrument, min(needed, self._books.ledger.balance(instrument.base)))
        terms = OrderTerms(side="sell", order_type="market", quantity=quantity)
        price = self._prices.of(place[1]) if self._prices.trouble(place[1], now.boot_ns) is None else None
        is_enough = self._fault(instrument, terms, None if price is None else price.bid) is None
        return terms if terms.quantity > 0 and is_enough else None

    def _fault(self, instrument: Instrument, terms: OrderTerms, reference_price: Decimal | None) -> str | None:
        fault = instrument.filter_fault(terms, reference_price=reference_price, open_orders=0, algo_orders=0)
        return None if fault is None else fault.reason

    def _price_of(self, place: Place) -> Decimal:
        """Return what to hold a market order's price against: the middle, as costs are, and without it what we paid."""
        price = self._prices.of(place[1])
        if price is not None:
            return price.middle
        paid = self._books.positions.of(*place).average_entry_price
        assert paid is not None, "something is sold that was bought"
        return paid

    def _of(self, place: Place) -> _Patience:
        return self._patience.setdefault(place, _Patience())


def _cancelled(order: Order, reason: str | None) -> Report:
    return Report(CancelMarked(order.key, clipped(reason or "", 64)), cause_id=order.key.parent_id, reducing=True)


def _orderable(instrument: Instrument, quantity: Decimal) -> Decimal:
    """Return as much of a quantity as one order may be of."""
    bounds = (instrument.quantity_max, instrument.market_quantity_max)
    return instrument.quantity_floored(min(quantity, *(bound for bound in bounds if bound is not None), quantity))
