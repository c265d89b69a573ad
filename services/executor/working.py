"""What to do next about what a strategy has of a symbol: end its entry, bring it down to its target, or cover it. Pure.

One step at a time for each place, and none while it is not known how an order of that place stands. Each step is a
record to be written, and whatever follows is decided anew from the books. So it makes no difference whether the process
was killed between two steps.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal

import msgspec

from proto.fields import Side, clipped
from proto.orders import CancelMarked, EntryEnded, ExitEnded, ExitOpened, OrderKey, SendMarked
from services.executor.books import Books, Entry, Exit, Place
from services.executor.enquiries import WINDOW_NS
from services.executor.governor import Governor
from services.executor.leave import Leave
from services.executor.orders import Order
from shared.core.service import Moment, Report
from shared.market.prices import Prices
from shared.trading.amounts import ZERO
from shared.trading.client_ids import ClientIds
from shared.trading.instruments import Instrument, OrderTerms

RESIZE_NS: Final = 1_000_000_000  # a cover is changed once in this time
UNCOVERED_NS_MAX: Final = 15_000_000_000
BACKOFF_NS_FIRST: Final = 500_000_000
BACKOFF_NS_MAX: Final = 30_000_000_000
OURSELVES: Final = "executor"

Purpose = Literal["entry", "exit", "cover"]


class _Patience(msgspec.Struct):
    """What is waited for at a place."""

    not_before_ns: int = 0
    backoff_ns: int = BACKOFF_NS_FIRST
    resized_ns: int = -RESIZE_NS
    uncovered_since_ns: int | None = None


class Worker:
    """Decides the next step of every place."""

    def __init__(
        self, *, books: Books, leave: Leave, prices: Prices, governor: Governor, client_ids: ClientIds
    ) -> None:
        self._books: Final = books
        self._leave: Final = leave
        self._prices: Final = prices
        self._governor: Final = governor
        self._client_ids: Final = client_ids
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
        patience = self._of(order.place)
        patience.not_before_ns = now.boot_ns + patience.backoff_ns
        patience.backoff_ns = min(patience.backoff_ns * 2, BACKOFF_NS_MAX)

    def accepted(self, order: Order) -> None:
        """Begin with short waits again."""
        self._of(order.place).backoff_ns = BACKOFF_NS_FIRST

    def marked(
        self,
        *,
        parent_id: str,
        place: Place,
        side: Side,
        purpose: Purpose,
        terms: OrderTerms,
        decision_price: Decimal,
        lease_age_ns: int | None,
    ) -> SendMarked:
        """Return the mark of the next order of a parent."""
        child_number = self._books.next_child(parent_id)
        return SendMarked(
            order=OrderKey(
                client_order_id=self._client_ids.of(parent_id, child_number=child_number, attempt=0),
                parent_id=parent_id,
                strategy=place[0],
                symbol=place[1],
                side=side,
                purpose=purpose,
            ),
            order_type=terms.order_type,
            quantity=terms.quantity,
            limit_price=terms.limit_price,
            stop_price=terms.stop_price,
            decision_price=decision_price,
            child_number=child_number,
            attempt=0,
            window_ns=WINDOW_NS,
            lease_age_ns=lease_age_ns,
        )

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
        terms = self._sellable(instrument, place, needed)
        if terms is None:
            return self._exit_ended(place, found, max(needed, ZERO), working)
        if working:  # on spot a resting order locks the coins
            return (_cancelled(working[0], "the coins shall be sold"),)
        if now.boot_ns < self._of(place).not_before_ns or self._governor.refusal(now.boot_ns) is not None:
            return ()
        mark = self.marked(
            parent_id=found.parent_id,
            place=place,
            side="sell",
            purpose="exit",
            terms=terms,
            decision_price=self._price_of(place),
            lease_age_ns=None,
        )
        return (Report(mark, cause_id=found.exit_id, reducing=True),)

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
        owned, patience = self._books.positions.of(*place).owned, self._of(place)
        if protection is None or instrument is None:
            return ()
        stop_price = instrument.stop_price("sell", protection.stop_price)
        covers = [order for order in working if order.key.purpose == "cover"]
        wanted = instrument.quantity_floored(owned)
        if covers:
            patience.uncovered_since_ns = None
            return self._resized(covers, wanted, stop_price, now)
        terms = OrderTerms(side="sell", order_type="stop_market", quantity=wanted, stop_price=stop_price)
        if not wanted or self._fault(instrument, terms, place) is not None:
            return ()  # too little for any order of the venue, so for an exit as well
        price = self._prices.of(place[1])
        if patience.uncovered_since_ns is None:
            patience.uncovered_since_ns = now.boot_ns
        if price is not None and price.bid <= stop_price:
            return self._given_up(place, f"the price has passed the stop at {stop_price:f}")
        if now.boot_ns - patience.uncovered_since_ns > UNCOVERED_NS_MAX:
            return self._given_up(place, "no stop can be placed")
        if now.boot_ns < patience.not_before_ns or self._governor.refusal(now.boot_ns) is not None:
            return ()
        mark = self.marked(
            parent_id=protection.parent_id,
            place=place,
            side="sell",
            purpose="cover",
            terms=terms,
            decision_price=stop_price,
            lease_age_ns=None,
        )
        return (Report(mark, cause_id=protection.parent_id, reducing=True),)

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

    def _sellable(self, instrument: Instrument, place: Place, needed: Decimal) -> OrderTerms | None:
        """Return the order that sells so much, capped by what the account holds; None where there can be none."""
        quantity = instrument.quantity_floored(min(needed, self._books.ledger.balance(instrument.base)))
        if quantity <= 0:
            return None
        if instrument.market_quantity_max is not None:
            quantity = min(quantity, instrument.quantity_floored(instrument.market_quantity_max))
        terms = OrderTerms(side="sell", order_type="market", quantity=quantity)
        return terms if self._fault(instrument, terms, place) is None else None

    def _fault(self, instrument: Instrument, terms: OrderTerms, place: Place) -> str | None:
        reference = self._prices.of(place[1])
        fault = instrument.filter_fault(
            terms, reference_price=None if reference is None else reference.bid, open_orders=0, algo_orders=0
        )
        return None if fault is None else fault.reason

    def _price_of(self, place: Place) -> Decimal:
        """Return what to hold a market order's price against: the market's, and without it what we paid."""
        price = self._prices.of(place[1])
        if price is not None:
            return price.bid
        paid = self._books.positions.of(*place).average_entry_price
        assert paid is not None, "something is sold that was bought"
        return paid

    def _of(self, place: Place) -> _Patience:
        return self._patience.setdefault(place, _Patience())


def _cancelled(order: Order, reason: str | None) -> Report:
    return Report(CancelMarked(order.key, clipped(reason or "", 64)), cause_id=order.key.parent_id, reducing=True)
