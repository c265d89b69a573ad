"""Whether an approval is taken, and whether its order may still leave once its mark is durable. Pure."""

from decimal import Decimal
from typing import Final

from proto.intents import StopCover
from proto.orders import SendMarked
from proto.verdicts import Approval
from shared.core.service import Moment
from shared.execution.books import Books, Place
from shared.execution.governor import Governor
from shared.execution.leave import Leave, Refusal
from shared.execution.marks import Marks
from shared.execution.open_orders import OpenOrders
from shared.execution.selling import orderable
from shared.execution.working import Worker
from shared.market.prices import Prices
from shared.trading.amounts import EXACT, ZERO
from shared.trading.instruments import FilterFault, Instrument, OrderTerms, assets_of

SIGN_WITHIN_NS: Final = 250_000_000  # an entry after its mark
REDUCE_WITHIN_NS: Final = 5_000_000_000  # on a slow disk a stop is late, and still needed


class Entrance:
    """Judges approvals."""

    def __init__(
        self, *, books: Books, leave: Leave, prices: Prices, governor: Governor, worker: Worker, marks: Marks
    ) -> None:
        self._books: Final = books
        self._leave: Final = leave
        self._prices: Final = prices
        self._governor: Final = governor
        self._worker: Final = worker
        self._marks: Final = marks
        self.open_orders: Final = OpenOrders(books)

    def judged(self, approval: Approval, boot_id: str, now: Moment) -> SendMarked | Refusal:
        """Return the mark of the entry's order, or why the approval is not taken."""
        instrument = self._worker.instruments.get(approval.symbol)
        if instrument is None:
            return "symbol_is_traded", f"the venue's rules for {approval.symbol} are not known"
        return (
            self._by_itself(approval, boot_id, now)
            or self._leave.refusal(approval, now)
            or self._by_price(approval)
            or self._marked(approval, instrument, now)
        )

    def second_look(self, mark: SendMarked, now: Moment) -> Refusal | None:
        """Say why an order whose mark is durable shall not leave after all; one that reduces risk always does."""
        if mark.order.purpose != "entry":
            return None
        approval = self._books.entries[mark.order.parent_id].approval
        return (
            _in_time(approval, now)
            or self._leave.refusal(approval, now, but_for=mark.order.client_order_id)
            or self._by_price(approval)
        )

    def count(self, mark: SendMarked, now: Moment) -> None:
        """Count an order that leaves, once its mark is durable: one that found no room on the disk is none."""
        entry = self._books.entries.get(mark.order.parent_id)
        worth = None if entry is None else _worth(mark.quantity, entry.approval)
        self._governor.sent(mark.order.symbol, worth, now.boot_ns)

    def sign_by_ns(self, mark: SendMarked, marked_boot_ns: int) -> int:
        """Return until when an order may be signed: what stood against an entry at its mark stands against it then."""
        if mark.order.purpose != "entry":
            return marked_boot_ns + REDUCE_WITHIN_NS
        approval = self._books.entries[mark.order.parent_id].approval
        return min(marked_boot_ns + SIGN_WITHIN_NS, self._leave.signs_until_ns(), approval.start_by_boot_ns)

    def _by_itself(self, approval: Approval, boot_id: str, now: Moment) -> Refusal | None:
        place = approval.strategy, approval.symbol
        if boot_id != now.boot_id:
            return "approval_in_time", "it expires by the clock of another boot"
        if self._books.has_worked(approval.intent_id):
            return "intent_is_worked_once", "an entry was worked for this intent before"
        if not isinstance(approval.cover, StopCover):
            return "cover_is_a_stop", "only a stop at the venue covers a position here"
        if approval.side != "buy":
            return "spot_is_bought_first", "on spot an entry is a purchase"
        if place in self._books.exits:
            return "position_may_grow", "the position shall come down"
        if self._books.is_entered(place):
            return "one_entry_at_a_time", "an entry of this strategy and symbol is worked"
        if oversold := self._books.positions.of(*place).oversold:
            return "position_not_oversold", f"{oversold:f} more were sold than it had: as much would stay uncovered"
        if self._sells_more_than_owned(place):
            return "position_not_oversold", "an order may still sell more than it has: as much would stay uncovered"
        return _in_time(approval, now)

    def _sells_more_than_owned(self, place: Place) -> bool:
        """Say whether sales are out for coins that the position has lost, as one that was taken away under its stop."""
        sales = (order.open_quantity for order in self._books.working(place) if order.key.side == "sell")
        return sum(sales, ZERO) > self._books.positions.of(*place).owned

    def _by_price(self, approval: Approval) -> Refusal | None:
        price = self._prices.of(approval.symbol)
        if price is None:
            return "price_in_band", f"no quote of {approval.symbol} is known"
        if not approval.price_low <= price.ask <= approval.price_high:
            band = f"{approval.price_low:f} to {approval.price_high:f}"
            return "price_in_band", f"the ask is {price.ask:f}, approved is {band}"
        return None

    def _marked(self, approval: Approval, instrument: Instrument, now: Moment) -> SendMarked | Refusal:
        price = self._prices.of(approval.symbol)
        assert price is not None, "it was looked at"
        quantity = instrument.quantity_floored(approval.quantity_max)
        # The quote says what the first coin costs. Behind it a book may be thin, so the order itself ends at the price
        # that size, reservation and the loss at the stop were reckoned with: what is dearer is not bought.
        highest = instrument.limit_price("buy", approval.price_high)
        if highest < price.ask:
            return "price_in_band", f"the ask is {price.ask:f}, the highest whole tick that is approved {highest:f}"
        terms = OrderTerms(side="buy", order_type="limit_ioc", quantity=quantity, limit_price=highest)
        sold_again = OrderTerms(side="sell", order_type="market", quantity=quantity)
        there = self.open_orders.beside((approval.strategy, approval.symbol))
        fault = instrument.filter_fault(
            terms, reference_price=price.ask, open_orders=there.orders, algo_orders=there.stops
        ) or instrument.filter_fault(sold_again, reference_price=price.ask, open_orders=None, algo_orders=None)
        if fault is not None:
            return "venue_would_take_it", fault.reason
        if (fault := self._fault_of_stop(approval, instrument, quantity)) is not None:
            return "venue_would_take_it", f"its stop: {fault.reason}"
        worth = _worth(quantity, approval)
        funds = self._books.ledger.balance(assets_of(approval.symbol)[1])
        if worth > funds:
            return "funds_are_there", f"{worth:f} may be needed, there are {funds:f}"
        governed = self._governor.entry_refusal(approval.symbol, worth, now.boot_ns)
        if governed is not None:
            return "egress_is_governed", governed
        return self._entry(approval, terms, now)

    def _fault_of_stop(self, approval: Approval, instrument: Instrument, quantity: Decimal) -> FilterFault | None:
        """Return why the venue would refuse the stop that is to cover it: what was bought would be sold at once."""
        place, cover = (approval.strategy, approval.symbol), approval.cover
        assert isinstance(cover, StopCover), "it was looked at"
        there = self.open_orders.beside(place)
        covered = EXACT.add(self._books.positions.of(*place).owned, quantity)
        terms = OrderTerms(
            side="sell",
            order_type="stop_market",
            quantity=orderable(instrument, covered),
            stop_price=instrument.stop_price("sell", cover.stop_price),
        )
        return instrument.filter_fault(terms, reference_price=None, open_orders=there.orders, algo_orders=there.stops)

    def _entry(self, approval: Approval, terms: OrderTerms, now: Moment) -> SendMarked:
        return self._marks.next(
            parent_id=approval.approval_id,
            place=(approval.strategy, approval.symbol),
            side="buy",
            purpose="entry",
            terms=terms,
            decision_price=approval.decision_price,
            lease_age_ns=self._leave.age_ns(now),
            now=now,
        )


def _worth(quantity: Decimal, approval: Approval) -> Decimal:
    """Return what so much may cost at most."""
    return EXACT.multiply(quantity, approval.price_high)


def _in_time(approval: Approval, now: Moment) -> Refusal | None:
    late_ns = now.boot_ns - approval.start_by_boot_ns
    return ("approval_in_time", f"start_by passed {late_ns // 1_000_000} ms ago") if late_ns > 0 else None
