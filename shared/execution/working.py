"""What to do next about what a strategy has of a symbol: end its entry, bring it down to its target, or cover it. Pure.

One step at a time for each place, and none while it is not known how an order of that place stands. Each step is a
record to be written, and whatever follows is decided anew from the books. So it makes no difference whether the process
was killed between two steps.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from proto.fields import clipped, clipped_short
from proto.orders import CancelMarked, EntryEnded, ExitEnded, ExitOpened, SendMarked
from shared.core.service import Moment, Report
from shared.execution.allowance import Allowance
from shared.execution.books import Books, Entry, Exit, Place
from shared.execution.governor import Governor
from shared.execution.held_up import HeldUp
from shared.execution.leave import Leave
from shared.execution.marks import Marks, Purpose
from shared.execution.orders import Order
from shared.execution.patience import RESIZE_NS, Patiences
from shared.execution.selling import Selling, orderable
from shared.execution.vocabulary import InstrumentsKnown, WorthRead
from shared.market.prices import Prices
from shared.trading.amounts import ZERO
from shared.trading.instruments import Instrument, OrderTerms

UNCOVERED_NS_MAX: Final = 15_000_000_000
REFUSED_STOPS_MAX: Final = 2  # the price may have passed the stop where the venue sees it first
OURSELVES: Final = "executor"


class Worker:
    """Decides the next step of every place."""

    def __init__(
        self,
        *,
        books: Books,
        leave: Leave,
        allowance: Allowance,
        prices: Prices,
        governor: Governor,
        marks: Marks,
    ) -> None:
        self._books: Final = books
        self._leave: Final = leave
        self._allowance: Final = allowance
        self._prices: Final = prices
        self._governor: Final = governor
        self._marks: Final = marks
        self.patience: Final = Patiences()
        self.instruments: Final[dict[str, Instrument]] = {}
        self._bids: Final[dict[str, Decimal]] = {}  # as the account was last read; only the flattener reads it so
        self.selling: Final = Selling(books, prices, self.instruments)
        self._held_up: Final = HeldUp(
            books=books,
            instruments=self.instruments,
            selling=self.selling,
            patience=self.patience,
            allowance=allowance,
            governor=governor,
        )
        self.epoch = 0
        self.is_stopping = False

    def told(self, told: InstrumentsKnown | WorthRead) -> None:
        """Take in what the venue trades, and by which rules, in the place of what was known; or what is bid there."""
        if isinstance(told, WorthRead):
            self._bids.update(told.bids)
            return
        self.instruments.clear()
        self.instruments.update(told.instruments)

    def steps(self, now: Moment) -> Sequence[Report]:
        """Return what is to be written down next, of the first place where there is something to do."""
        for place in self._places():
            reports = self._step(place, now)
            if reports:
                return reports
        return self._held_up.due(now) if self._leave.has_room else ()  # the last room is for orders

    def is_at_rest(self) -> bool:
        """Say whether nothing would be left half done: no entry, exit or doubt, and all covered that can be."""
        return not self._books.entries and not self._books.exits and all(map(self._rests, self._places()))

    def _rests(self, place: Place) -> bool:
        working = self._books.working(place)
        if any(order.is_in_doubt or order.life == "cancel_marked" for order in working):
            return False
        instrument, owned = self.instruments.get(place[1]), self._books.positions.of(*place).owned
        return bool(working) or instrument is None or not instrument.quantity_floored(owned)

    def _places(self) -> list[Place]:
        places = self._books.places()
        self.patience.keep(places)
        return places

    def _step(self, place: Place, now: Moment) -> Sequence[Report]:
        orders = self._books.working(place)
        if any(order.life == "cancel_marked" or (order.is_in_doubt and order.key.side == "sell") for order in orders):
            return ()
        working = [order for order in orders if not order.is_in_doubt]
        is_buying = len(working) < len(orders)  # or it is not known: what is known to be there is covered and sold
        for entry in self._books.entries.values():
            if (entry.approval.strategy, entry.approval.symbol) == place and not is_buying:
                reports = self._entry_step(entry, working, now)
                if reports:
                    return reports
        found = self._books.exits.get(place)
        if found is not None:
            return self._exit_step(place, found, working, now, is_buying=is_buying)
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
            filled_quantity=sum((order.executed_quantity for order in self._orders_of(approval.approval_id)), ZERO),
            reason=reason or _how_it_ended(self._orders_of(approval.approval_id)[-1], approval.price_high),
        )
        return (Report(ended, cause_id=approval.approval_id, reducing=True),)

    def _why_over(self, entry: Entry, now: Moment) -> str | None:
        """Say why an entry is worked no longer; nothing is ever resumed."""
        approval = entry.approval
        if entry.opened_epoch != self.epoch:
            return "the executor has begun anew since it took this"
        if self.is_stopping:
            return "the executor ends"
        if (approval.strategy, approval.symbol) in self._books.exits:
            return "the position shall come down"
        if now.boot_ns > approval.work_until_boot_ns:
            return "work_until has passed"
        return self._leave.is_withdrawn(approval.risk_epoch, now)

    def _orders_of(self, parent_id: str) -> list[Order]:
        return [order for order in self._books.orders.values() if order.key.parent_id == parent_id]

    def _exit_step(
        self, place: Place, found: Exit, working: Sequence[Order], now: Moment, *, is_buying: bool
    ) -> Sequence[Report]:
        self.patience.of(place).uncovered_since_ns = None  # it is brought down: that counts anew if it is called off
        instrument = self.instruments.get(place[1])
        if instrument is None or any(order.key.purpose == "exit" for order in working):
            return ()
        needed = self._books.positions.of(*place).owned - found.target_quantity
        terms = self.selling.order(instrument, place, needed)
        if terms is None:
            is_over = not is_buying and self.selling.why_stuck(place) is None
            return self._exit_ended(place, found, max(needed, ZERO), working) if is_over else ()
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
            reason=self.selling.why_left(place, left) if left else "the target is reached",
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
            quantity=orderable(instrument, owned),
            stop_price=stop_price,
        )
        if covers:
            self.patience.of(place).uncovered_since_ns = None
            return self._resized(covers, terms.quantity, stop_price, now)
        fault = instrument.filter_fault(terms, reference_price=None, open_orders=None, algo_orders=None)
        if fault is not None:
            # A fee taken in coins leaves crumbs: the exit sells what it can, and sets the rest apart as dust.
            is_waited_for = self._books.is_entered(place) or not owned
            return () if is_waited_for else self._given_up(place, f"the venue would not take its stop: {fault.reason}")
        hopeless = self._why_no_stop(place, stop_price, now)
        if hopeless is not None:
            return self._given_up(place, hopeless)
        mark = self._sale((protection.parent_id, "cover"), place, terms, stop_price, now)
        return () if mark is None else (Report(mark, cause_id=protection.parent_id, reducing=True),)

    def _why_no_stop(self, place: Place, stop_price: Decimal, now: Moment) -> str | None:
        """Say why a position that has no stop shall not wait for one."""
        price, patience = self._prices.of(place[1]), self.patience.of(place)
        if patience.uncovered_since_ns is None:
            patience.uncovered_since_ns = now.boot_ns
        if price is not None and price.bid <= stop_price:
            return f"the price has passed the stop at {stop_price:f}"
        if patience.refused_stops >= REFUSED_STOPS_MAX:
            return f"the venue refuses the stop: {patience.stop_refusal}"
        return "no stop can be placed" if now.boot_ns - patience.uncovered_since_ns > UNCOVERED_NS_MAX else None

    def _sale(
        self, parent: tuple[str, Purpose], place: Place, terms: OrderTerms, price: Decimal, now: Moment
    ) -> SendMarked | None:
        """Return the mark of an order that reduces risk; None while it has to wait."""
        parent_id, purpose = parent
        if not self.patience.of(place).pauses[purpose].is_over(now.boot_ns) or self._allowance.is_left_alone(now):
            return None
        if self._governor.refusal(now.boot_ns) is not None:
            return None
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
        patience = self.patience.of(covers[0].place)
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

    def _price_of(self, place: Place) -> Decimal:
        """Return what to hold a market order's price against: the middle, as costs are.

        Who hears no feed takes what was bid when the account was read; and where nobody bid, what we paid.
        """
        price, bid = self._prices.of(place[1]), self._bids.get(place[1])
        if price is not None:
            return price.middle
        if bid is not None:
            return bid
        paid = self._books.positions.of(*place).average_entry_price
        assert paid is not None, "something is sold that was bought"
        return paid


def _how_it_ended(order: Order, price_high: Decimal) -> str:
    """Say what the order of an entry that nobody ended has come to."""
    if order.life != "expired":
        return "its order has ended"
    bought = f"{order.executed_quantity:f}" if order.executed_quantity else "nothing"
    return f"its order expired: {bought} of {order.quantity:f} was bought, at {price_high:f} at most"


def _cancelled(order: Order, reason: str | None) -> Report:
    return Report(CancelMarked(order.key, clipped_short(reason or "")), cause_id=order.key.parent_id, reducing=True)
