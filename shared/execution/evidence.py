"""What the venue says of orders and money, turned into what is written down. Pure.

One fact at a time: `next` takes the first one and returns the reports it leads to, or what has to be asked, and the
following fact waits until these are in the books. So whatever is decided rests on books that hold all that came before.
"""

from dataclasses import replace
from typing import Final, Literal, cast, get_args

import msgspec

from proto.fields import clipped, clipped_short
from proto.orders import (
    CancelMarked,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderFilled,
)
from shared.core.service import Moment, Outward, Report
from shared.execution.books import Books
from shared.execution.enquiries import Enquiries
from shared.execution.facts import Facts, Page
from shared.execution.findings import differences_of, finished, unexplained
from shared.execution.orders import Order
from shared.execution.outside import CONTRADICTED, Outcome, Outside, openings
from shared.execution.reconciliation import NO_PASS, Compared, Reconciler
from shared.execution.vocabulary import (
    AccountRead,
    Acknowledged,
    CancelSent,
    NotSent,
    OpenOrdersRead,
    OrderRead,
    OrderSent,
    OrderTold,
    ReadAccount,
    Rejected,
    TradesRead,
    TransferTold,
    Unproved,
    VenueOrder,
    VenueStatus,
    VenueTrade,
)
from shared.trading.amounts import EXACT
from shared.trading.client_ids import ClientIds
from shared.trading.instruments import IMMEDIATE
from shared.trading.order_life import TABLE, TERMINAL, Event

TRADES_WITHIN_NS: Final = 300_000_000  # the stream tells of a trade, or they are asked for
TRADES_AGAIN_NS: Final = 1_000_000_000  # while the venue says more was executed than its trades show
ENDED_WITHIN_NS: Final = 1_000_000_000  # what shall not rest and is still open after that is asked about
ACCOUNT_NS: Final = 5_000_000_000  # between two readings, which risk rests on

Ending = Literal["filled", "canceled", "expired", "rejected", "absent"]


class Evidence:
    """Takes in facts in the order in which they came."""

    def __init__(self, books: Books, enquiries: Enquiries, reconciler: Reconciler, client_ids: ClientIds) -> None:
        self._books: Final = books
        self._enquiries: Final = enquiries
        self._reconciler: Final = reconciler
        self._outside: Final = Outside(books, client_ids)
        self.facts: Final = Facts()
        self._facts: Final = self.facts.next
        self._words: Final[dict[str, VenueOrder]] = {}  # of orders whose trades have not all come
        self._trades_due_ns: Final[dict[str, int]] = {}
        self._is_behind = True  # of every order that has not ended nobody knows how it stands
        self._account_due_ns = 0
        self._account_reads = 0
        self.account: AccountRead | None = None  # by the number of the reading

    def forget(self, now: Moment) -> None:
        """Begin anew with what is in the books, because a fact was lost: ask how everything stands."""
        self.facts.forget()
        self._words.clear()
        self._trades_due_ns.clear()
        self._reconciler.forget(now)
        self._is_behind = True

    def next(self, now: Moment, venue_now_ns: int) -> Outcome | None:
        """Return what the next fact leads to, None where there is none."""
        if self._is_behind:
            self._is_behind = False
            self._ask_about_everything(now, venue_now_ns)
        if not self._facts:
            return None
        outcome, fact = Outcome(), self._facts.popleft()
        match fact:
            case OrderSent():
                self._sent(fact, outcome, now, venue_now_ns)
            case CancelSent() | OrderRead():
                self._answered(fact, outcome, now)
            case OrderTold(order=order, trade=trade):
                self._facts.extendleft((order,) if trade is None else (trade, order))  # the order comes first
            case VenueOrder():
                self._word(fact, outcome, now)
            case VenueTrade():
                self._trade(fact, outcome, now)
            case TransferTold():
                self._outside.transfer(fact, outcome)
            case OpenOrdersRead() | TradesRead() | AccountRead() | Page():
                self._read(fact, outcome, now)
        return outcome

    def due(self, now: Moment, venue_now_ns: int) -> list[Outward]:
        """Return the questions whose time has come."""
        asked: list[Outward] = [*self._enquiries.due(now, venue_now_ns), *self._reconciler.due(now)]
        if now.boot_ns >= self._account_due_ns:
            self._account_due_ns = now.boot_ns + ACCOUNT_NS
            asked.append(ReadAccount(NO_PASS))
        for symbol in [symbol for symbol, due_ns in self._trades_due_ns.items() if due_ns <= now.boot_ns]:
            if any(word.symbol == symbol for word in self._words.values()):
                self._trades_due_ns[symbol] = now.boot_ns + TRADES_AGAIN_NS
                asked.append(self._reconciler.trades_of(symbol))
            else:
                del self._trades_due_ns[symbol]
        return asked

    def _ask_about_everything(self, now: Moment, venue_now_ns: int) -> None:
        """Ask about every order: replies were lost, and when those in doubt were signed nobody knows."""
        for order in self._books.working():
            if order.is_in_doubt:
                self._doubt(order, venue_now_ns, now)
            else:
                self._enquiries.about_known(order.client_order_id, order.key.symbol, now)

    def _sent(self, sent: OrderSent, outcome: Outcome, now: Moment, venue_now_ns: int) -> None:
        order = self._books.orders.get(sent.client_order_id)
        if order is None or order.life in TERMINAL:
            return
        match sent.outcome:
            case Acknowledged(order=told):
                self._facts.appendleft(told)
                outcome.accepted = order if told.executed_quantity or order.order_type not in IMMEDIATE else None
            case Rejected(code=code, reason=reason) as refused if order.is_in_doubt:
                outcome.reports.append(_ended(order, "rejected", code, reason))
                outcome.rejected = order, refused
                self._reconciler.early()  # it may have refused for want of what our books say is there
            case NotSent(reason=reason) if order.is_in_doubt:
                outcome.reports.append(_ended(order, "absent", "", f"not sent: {reason}"))
                outcome.unsent = order
            case Unproved(http_status=status, code=code, reason=reason) if order.is_in_doubt:
                doubted = OrderDoubted(order.key, status, clipped_short(code), clipped(reason))
                outcome.reports.append(_report(doubted, order))
                stamped_ns = venue_now_ns if sent.signed_venue_time_ns is None else sent.signed_venue_time_ns
                self._doubt(order, stamped_ns, now)
            case _:
                pass  # the stream was faster, and the venue has it

    def _doubt(self, order: Order, stamped_venue_ns: int, now: Moment) -> None:
        """Ask about an order of which nobody knows whether the venue has it."""
        name, symbol = order.client_order_id, order.key.symbol
        self._enquiries.about_doubted(name, symbol, stamped_venue_ns=stamped_venue_ns, now=now)

    def _answered(self, answer: CancelSent | OrderRead, outcome: Outcome, now: Moment) -> None:
        order = self._books.orders.get(answer.client_order_id)
        if order is None or order.life in TERMINAL:
            self._enquiries.settled(answer.client_order_id)
            return
        if isinstance(answer, CancelSent):
            if isinstance(answer.outcome, Acknowledged):
                self._facts.appendleft(answer.outcome.order)
            else:  # however it was refused, that says nothing about the order
                self._enquiries.about_known(order.client_order_id, order.key.symbol, now)
            return
        if answer.order is not None:
            self._facts.appendleft(answer.order)
            if order.life == "cancel_marked" and answer.order.status == "open":
                outcome.reports.append(_report(CancelMarked(order.key, "it rests on"), order))
            return
        verdict = self._enquiries.read(answer)
        if verdict == "absent" and order.is_in_doubt:
            self._enquiries.settled(order.client_order_id)
            outcome.reports.append(_ended(order, "absent", "", "proved: it never reached the venue"))
        elif verdict == "vanished":
            self._enquiries.settled(order.client_order_id)
            self._outside.wary(outcome, "order_vanished", f"the venue had {order.client_order_id}, and shows none")
            outcome.reports.append(_ended(order, "expired", "", "acknowledged, and the venue shows it no more"))

    def _word(self, told: VenueOrder, outcome: Outcome, now: Moment) -> None:
        """Take in how the venue shows an order."""
        order = self._books.orders.get(told.client_order_id)
        if order is None:
            if not self._outside.order(told, outcome):
                self._reconciler.early()
        elif (told.symbol, told.side, told.quantity) != (order.key.symbol, order.key.side, order.quantity):
            self._outside.wary(outcome, CONTRADICTED, f"the venue has another order under {told.client_order_id}")
        elif order.life in TERMINAL:
            if order.life in {"absent", "rejected"} and (told.status == "open" or told.executed_quantity):
                self._outside.wary(outcome, "order_came_back", f"{order.client_order_id} was held to be {order.life}")
                self._acknowledge(order, told, outcome)
        elif not order.venue_order_id and told.status != "rejected":
            self._acknowledge(order, told, outcome)
        else:
            self._stands(order, told, outcome, now)

    def _acknowledge(self, order: Order, told: VenueOrder, outcome: Outcome) -> None:
        """Write down that the venue has it, before what else it says."""
        self._facts.appendleft(told)
        outcome.reports.append(_report(OrderAcknowledged(order.key, told.venue_order_id, told.venue_time_ns), order))

    def _stands(self, order: Order, told: VenueOrder, outcome: Outcome, now: Moment) -> None:
        name = order.client_order_id
        told = _further(told, self._words.pop(name, told))
        if told.status == "open" and (order.life == "cancel_marked" or order.order_type in IMMEDIATE):
            self._enquiries.about_known(name, order.key.symbol, now, in_ns=ENDED_WITHIN_NS)
        else:
            self._enquiries.settled(name)
        if order.executed_quantity < told.executed_quantity <= order.quantity:  # of more than that not all is counted
            self._words[name] = told
            self._trades_due_ns.setdefault(order.key.symbol, now.boot_ns + TRADES_WITHIN_NS)
        elif told.status != "open":
            ending = "expired" if told.status == "rejected" and order.venue_order_id else told.status  # it had it
            if _event(ending) in TABLE[order.life]:
                outcome.reports.append(_ended(order, ending, "", f"the venue says that it is {told.status}"))
                outcome.unsent = order if _is_untaken(order, ending, told) else None
            else:
                self._outside.wary(outcome, CONTRADICTED, f"{name} is {order.life}, and the venue says {told.status}")

    def _trade(self, trade: VenueTrade, outcome: Outcome, now: Moment) -> bool:
        """Take in a trade, and say whether it is known whose it is."""
        order = self._books.order_of(trade.symbol, trade.venue_order_id)
        if order is None:
            if any(one.key.symbol == trade.symbol and not one.venue_order_id for one in self._books.working()):
                self._reconciler.early()  # it may be of an order that is in doubt: then it is read again
                return False
            self._outside.trade(trade, outcome)
            return True
        if self._outside.is_known(trade, outcome):
            return True
        executed = EXACT.add(order.executed_quantity, trade.quantity)
        if executed > order.quantity:
            self._words.pop(order.client_order_id, None)
            if order.life not in TERMINAL:
                self._enquiries.about_known(order.client_order_id, order.key.symbol, now)
            self._outside.wary(outcome, "order_overfilled", f"{order.client_order_id} was filled with {executed:f}")
            self._outside.trade(trade, outcome)
            return True
        outcome.reports.append(_report(_filled(order, trade), order))
        self._outside.too_dear(order, trade, outcome)
        if executed == order.quantity and order.life not in TERMINAL:  # nothing is left that the venue could still say
            self._words.pop(order.client_order_id, None)
            self._enquiries.settled(order.client_order_id)
            outcome.reports.append(_ended(order, "filled", "", "all of it is filled", with_trade=trade))
        elif (told := self._words.get(order.client_order_id)) is not None:
            self._facts.appendleft(told)
        return True

    def _read(self, answer: OpenOrdersRead | TradesRead | AccountRead | Page, outcome: Outcome, now: Moment) -> None:
        match answer:
            case OpenOrdersRead():
                outcome.effects += self._reconciler.orders_read(answer)
            case TradesRead() if answer.failure is None and self._books.passes:
                trades = tuple(sorted(answer.trades, key=lambda trade: trade.trade_id))
                self._facts.appendleft(Page(trades, answer))
            case TradesRead():  # before the books are opened, trades are no business of theirs
                outcome.effects += self._reconciler.trades_read(answer)
            case Page(trades=()):
                outcome.effects += self._reconciler.trades_read(answer.answer)
            case Page(trades=trades):
                if self._trade(trades[0], outcome, now):
                    place = 1 if self._facts and isinstance(self._facts[0], VenueOrder) else 0
                    self._facts.insert(place, Page(trades[1:], answer.answer))
                else:
                    failed = replace(answer.answer, trades=(), failure="a trade may be of an order in doubt")
                    outcome.effects += self._reconciler.trades_read(failed)
            case AccountRead():
                if answer.failure is None:
                    self._account_reads += 1
                    self.account = replace(answer, read_number=self._account_reads)
                self._reconciler.account_read(answer, is_unsettled=bool(self._words))
        compared = self._reconciler.finished(now, is_unsettled=bool(self._words))
        if compared is not None:
            self._compared(compared, outcome, now)

    def _compared(self, compared: Compared, outcome: Outcome, now: Moment) -> None:
        """Take in how the open orders stand to our books; of a whole pass, write down what it found."""
        if compared.account is not None and not self._books.passes:
            outcome.reports += openings(compared.account)
        self._facts.extend(compared.shown)
        for foreign in compared.foreign:
            if not self._outside.order(foreign, outcome):
                self._reconciler.early()
        self._outside.strays((*compared.foreign, *compared.shown), outcome, is_whole=compared.account is not None)
        for client_order_id in compared.missing:
            self._enquiries.about_known(client_order_id, self._books.orders[client_order_id].key.symbol, now)
        if compared.account is not None:
            self._finished(compared, compared.account.venue_time_ns, outcome)

    def _finished(self, compared: Compared, venue_time_ns: int, outcome: Outcome) -> None:
        number, differences = self._books.passes + 1, differences_of(compared)
        outcome.reports += unexplained(compared, number, venue_time_ns)
        agrees = self._reconciler.has_compared and not differences
        self._outside.held_against(outcome, differs=compared.believed, agrees=agrees)
        outcome.reports.append(finished(number, differences, self._reconciler.read_to))


def _report(body: OrderAcknowledged | OrderDoubted | OrderFilled | CancelMarked, order: Order) -> Report:
    return Report(body, cause_id=order.key.parent_id, reducing=True)


def _ended(order: Order, ending: str, code: str, reason: str, *, with_trade: VenueTrade | None = None) -> Report:
    """Return the end of an order, as it stands after a trade that is written down together with it."""
    assert ending in get_args(Ending), f"no order ends {ending}"
    last = order if with_trade is None else msgspec.structs.replace(order)
    if with_trade is not None:
        last.filled(with_trade.quantity, with_trade.quote_quantity)
    ended = OrderEnded(
        order=order.key,
        ending=cast("Ending", ending),
        executed_quantity=last.executed_quantity,
        average_price=last.average_price,
        venue_code=clipped_short(code),
        reason=clipped(reason),
    )
    return Report(ended, cause_id=order.key.parent_id, reducing=True)


def _is_untaken(order: Order, ending: str, told: VenueOrder) -> bool:
    """Say whether nobody was there to trade with: the next order waits, or they would follow in a rush."""
    return order.order_type in IMMEDIATE and ending == "expired" and not told.executed_quantity


def _further(one: VenueOrder, other: VenueOrder) -> VenueOrder:
    """Return which of two words about an order is the later one, in whatever order they came."""
    return max((one, other), key=lambda told: (told.status != "open", told.executed_quantity))


def _event(status: VenueStatus) -> Event:
    assert status != "open", "which is no ending"
    return status


def _filled(order: Order, trade: VenueTrade) -> OrderFilled:
    fraction = order.cost_expected_fraction
    return OrderFilled(
        order=order.key,
        venue_order_id=trade.venue_order_id,
        trade_id=trade.trade_id,
        price=trade.price,
        quantity=trade.quantity,
        quote_quantity=trade.quote_quantity,
        cumulative_quantity=EXACT.add(order.executed_quantity, trade.quantity),
        fee=trade.fee,
        fee_asset=trade.fee_asset,
        liquidity=trade.liquidity,
        venue_time_ns=trade.venue_time_ns,
        decision_price=order.decision_price,
        cost_expected_quote=None if fraction is None else EXACT.multiply(trade.quote_quantity, fraction),
    )
