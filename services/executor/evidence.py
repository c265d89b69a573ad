"""What the venue says of orders and money, turned into what is written down. Pure.

One fact at a time: `next` takes the first one and returns the reports it leads to, or what has to be asked, and the
following fact waits until these are in the books. So whatever is decided rests on books that hold all that came before.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, cast, get_args

from proto.fields import clipped
from proto.orders import (
    CancelMarked,
    ConditionSet,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderFilled,
    OutsideSeen,
    ReconcileFinished,
    TradesReadTo,
)
from proto.risk import Condition, Everything
from services.executor.books import Books, assets_of
from services.executor.enquiries import Enquiries
from services.executor.orders import Order
from services.executor.reconciliation import Compared, Reconciler
from services.executor.vocabulary import (
    AccountRead,
    Acknowledged,
    CancelSent,
    NotSent,
    OpenOrdersRead,
    OrderRead,
    OrderSent,
    OrderTold,
    Rejected,
    TradesRead,
    TransferTold,
    Unproved,
    VenueOrder,
    VenueTrade,
)
from shared.core.service import Moment, Note, Outward, Report
from shared.trading.amounts import EXACT, ZERO
from shared.trading.order_life import TERMINAL

TRADES_WITHIN_NS: Final = 300_000_000  # the stream tells of a trade, or they are asked for
OUTSIDE: Final = "outside_activity"
DIFFERENCES_MAX: Final = 16

Ending = Literal["filled", "canceled", "expired", "rejected", "absent"]


@dataclass(frozen=True, slots=True)
class _Page:
    """Trades still to be taken in, and the answer that they came with."""

    trades: tuple[VenueTrade, ...]
    answer: TradesRead


Fact = (
    OrderSent
    | CancelSent
    | OrderRead
    | OrderTold
    | TransferTold
    | OpenOrdersRead
    | TradesRead
    | AccountRead
    | VenueOrder
    | VenueTrade
    | _Page
)


@dataclass(slots=True)
class Outcome:
    """What a fact led to."""

    reports: list[Report] = field(default_factory=list)
    effects: list[Outward | Note] = field(default_factory=list)
    rejected: Order | None = None
    accepted: Order | None = None


class Evidence:
    """Takes in facts in the order in which they came."""

    def __init__(self, books: Books, enquiries: Enquiries, reconciler: Reconciler) -> None:
        self._books: Final = books
        self._enquiries: Final = enquiries
        self._reconciler: Final = reconciler
        self._facts: Final[deque[Fact]] = deque()
        self._words: Final[dict[str, VenueOrder]] = {}  # of orders whose trades have not all come
        self._trades_due_ns: Final[dict[str, int]] = {}
        self.account: AccountRead | None = None

    def take(self, fact: Fact) -> None:
        """Note a fact."""
        self._facts.append(fact)

    def next(self, now: Moment, venue_now_ns: int) -> Outcome | None:
        """Return what the next fact leads to, None where there is none."""
        if not self._facts:
            return None
        outcome = Outcome()
        fact = self._facts.popleft()
        match fact:
            case OrderSent():
                self._sent(fact, outcome, now, venue_now_ns)
            case CancelSent() | OrderRead():
                self._answered(fact, outcome, now)
            case OrderTold(order=order, trade=trade):
                self._facts.extendleft((order,) if trade is None else (order, trade))
            case VenueOrder():
                self._word(fact, outcome, now)
            case VenueTrade():
                self._trade(fact, outcome)
            case TransferTold():
                self._transfer(fact, outcome)
            case OpenOrdersRead() | TradesRead() | AccountRead() | _Page():
                self._read(fact, outcome, now)
        return outcome

    def due(self, now: Moment) -> list[Outward]:
        """Return the questions whose time has come."""
        asked: list[Outward] = [*self._enquiries.due(now), *self._reconciler.due(now)]
        for symbol in [symbol for symbol, due_ns in self._trades_due_ns.items() if due_ns <= now.boot_ns]:
            del self._trades_due_ns[symbol]
            asked.append(self._reconciler.trades_of(symbol))
        return asked

    def _sent(self, sent: OrderSent, outcome: Outcome, now: Moment, venue_now_ns: int) -> None:
        order = self._books.orders.get(sent.client_order_id)
        if order is None or order.life in TERMINAL:
            return
        match sent.outcome:
            case Acknowledged(order=told):
                self._facts.appendleft(told)
                outcome.accepted = order
            case Rejected(code=code, reason=reason) if order.is_in_doubt:
                outcome.reports.append(_ended(order, "rejected", code, reason))
                outcome.rejected = order
            case NotSent(reason=reason) if order.is_in_doubt:
                outcome.reports.append(_ended(order, "absent", "", f"not sent: {reason}"))
            case Unproved(http_status=status, code=code, reason=reason) if order.is_in_doubt:
                doubted = OrderDoubted(order.key, status, clipped(code, 64), clipped(reason))
                outcome.reports.append(_report(doubted, order))
                stamped_ns = venue_now_ns if sent.signed_venue_time_ns is None else sent.signed_venue_time_ns
                self.doubt(order, stamped_ns, now)
            case _:
                pass  # the stream was faster, and the venue has it

    def doubt(self, order: Order, stamped_venue_ns: int, now: Moment) -> None:
        """Ask about an order of which nobody knows whether the venue has it."""
        self._enquiries.about_doubted(
            order.client_order_id, order.key.symbol, stamped_venue_ns=stamped_venue_ns, now=now
        )

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
            self._enquiries.settled(answer.client_order_id)
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
            self._wary(outcome, "order_vanished", f"{order.client_order_id} was acknowledged, and the venue shows none")

    def _word(self, told: VenueOrder, outcome: Outcome, now: Moment) -> None:
        """Take in how the venue shows an order."""
        order = self._books.orders.get(told.client_order_id)
        if order is None:
            self._foreign(told, outcome)
        elif (told.symbol, told.side, told.quantity) != (order.key.symbol, order.key.side, order.quantity):
            self._wary(outcome, "order_contradicted", f"the venue has another order under {told.client_order_id}")
        elif order.life in TERMINAL:
            if order.life in {"absent", "rejected"} and (told.status == "open" or told.executed_quantity):
                self._wary(outcome, "order_came_back", f"{order.client_order_id} was held to be {order.life}")
        elif not order.venue_order_id:
            self._facts.appendleft(told)
            acknowledged = OrderAcknowledged(order.key, told.venue_order_id, told.venue_time_ns)
            outcome.reports.append(_report(acknowledged, order))
        else:
            self._stands(order, told, outcome, now)

    def _stands(self, order: Order, told: VenueOrder, outcome: Outcome, now: Moment) -> None:
        self._enquiries.settled(order.client_order_id)
        if told.executed_quantity > order.executed_quantity:
            self._words[order.client_order_id] = told
            self._trades_due_ns.setdefault(order.key.symbol, now.boot_ns + TRADES_WITHIN_NS)
        elif told.status != "open":
            self._words.pop(order.client_order_id, None)
            outcome.reports.append(_ended(order, told.status, "", "the venue says so"))

    def _trade(self, trade: VenueTrade, outcome: Outcome) -> bool:
        """Take in a trade, and say whether it is known whose it is."""
        order = self._books.order_of(trade.symbol, trade.venue_order_id)
        if order is None:
            if any(one.key.symbol == trade.symbol and not one.venue_order_id for one in self._books.working()):
                return False  # it may be of an order that is in doubt
            self._outside_trade(trade, outcome)
            return True
        if self._books.positions.novelty(trade.symbol, trade.side, trade.trade_id) != "new":
            return True
        told = self._words.get(order.client_order_id)
        if told is not None:
            self._facts.appendleft(told)
        outcome.reports.append(_report(_filled(order, trade), order))
        return True

    def _outside_trade(self, trade: VenueTrade, outcome: Outcome) -> None:
        base, quote = assets_of(trade.symbol)
        signed = trade.quantity if trade.side == "buy" else -trade.quantity
        changes = {base: signed}
        changes[quote] = changes.get(quote, ZERO) + (-trade.quote_quantity).copy_sign(-signed)
        changes[trade.fee_asset] = EXACT.subtract(changes.get(trade.fee_asset, ZERO), trade.fee)
        reference = f"trade-{trade.symbol}-{trade.trade_id}-{trade.side}"
        if f"{reference}-{base}" in self._books.outside:
            return
        outcome.reports += [
            Report(
                OutsideSeen("trade", f"{reference}-{asset}", trade.symbol, asset, change, trade.venue_time_ns),
                reducing=True,
            )
            for asset, change in changes.items()
        ]
        self._wary(outcome, OUTSIDE, f"somebody else traded {trade.symbol} on the account")

    def _transfer(self, told: TransferTold, outcome: Outcome) -> None:
        if told.reference in self._books.outside:
            return
        seen = OutsideSeen("transfer", told.reference, None, told.asset, told.quantity, told.venue_time_ns)
        outcome.reports.append(Report(seen, reducing=True))
        self._wary(outcome, OUTSIDE, f"{told.quantity:f} {told.asset} came or went")

    def _foreign(self, told: VenueOrder, outcome: Outcome) -> None:
        reference = f"order-{told.symbol}-{told.venue_order_id}"
        if told.status != "open" or reference in self._books.outside:
            return
        base, _ = assets_of(told.symbol)
        seen = OutsideSeen("order", reference, told.symbol, base, told.quantity, told.venue_time_ns)
        outcome.reports.append(Report(seen, reducing=True))
        self._wary(outcome, OUTSIDE, f"there is an order for {told.symbol} that is not ours")

    def _read(self, answer: OpenOrdersRead | TradesRead | AccountRead | _Page, outcome: Outcome, now: Moment) -> None:
        match answer:
            case OpenOrdersRead():
                outcome.effects += self._reconciler.orders_read(answer)
            case TradesRead() if answer.failure is None and self._books.passes:
                trades = tuple(sorted(answer.trades, key=lambda trade: trade.trade_id))
                self._facts.appendleft(_Page(trades, answer))
            case TradesRead():  # before the books are opened, trades are no business of theirs
                outcome.effects += self._reconciler.trades_read(answer)
            case _Page(trades=()):
                outcome.effects += self._reconciler.trades_read(answer.answer)
            case _Page(trades=trades):
                if self._trade(trades[0], outcome):
                    place = 1 if self._facts and isinstance(self._facts[0], VenueOrder) else 0
                    self._facts.insert(place, _Page(trades[1:], answer.answer))
                else:
                    failed = replace(answer.answer, trades=(), failure="a trade may be of an order in doubt")
                    outcome.effects += self._reconciler.trades_read(failed)
            case AccountRead():
                if answer.failure is None:
                    self.account = answer
                self._reconciler.account_read(answer)
        compared = self._reconciler.finished(now)
        if compared is not None:
            self._compared(compared, outcome, now)

    def _compared(self, compared: Compared, outcome: Outcome, now: Moment) -> None:
        """Write down how our books stand to the venue's."""
        account = compared.account
        if not self._books.passes:
            outcome.reports += _openings(account)
        self._facts.extend(compared.shown)
        for foreign in compared.foreign:
            self._foreign(foreign, outcome)
        for client_order_id in compared.missing:
            self._enquiries.about_known(client_order_id, self._books.orders[client_order_id].key.symbol, now)
        differences = [f"{client_order_id} is not open at the venue" for client_order_id in compared.missing]
        for asset, difference in compared.unexplained.items():
            differences.append(f"{asset}: the venue has {difference:+f} more than our books")
            if compared.believed:
                reference = f"unexplained-{self._books.passes + 1}-{asset}"
                seen = OutsideSeen("unexplained", reference, None, asset, difference, account.venue_time_ns)
                outcome.reports.append(Report(seen, reducing=True))
        if compared.believed:
            self._wary(outcome, OUTSIDE, "balances differ from the books, twice alike")
        finished = ReconcileFinished(
            pass_number=self._books.passes + 1,
            clean=not differences,
            differences=tuple(_at_most(differences)),
            trades_read=tuple(TradesReadTo(symbol, to) for symbol, to in self._reconciler.read_to.items()),
        )
        outcome.reports.append(Report(finished, reducing=True))

    def _wary(self, outcome: Outcome, name: str, reason: str) -> None:
        """Let no entry pass before an operator has looked."""
        if name not in self._books.conditions:
            condition = Condition(name, Everything(), "REDUCE_ONLY", clipped(reason, 64))
            outcome.reports.append(Report(ConditionSet(condition), reducing=True))
        outcome.effects.append(Note("critical", name, {"reason": reason}))


def _openings(account: AccountRead) -> list[Report]:
    """Return what the books begin with."""
    totals = {balance.asset: EXACT.add(balance.free, balance.locked) for balance in account.balances}
    return [
        Report(OutsideSeen("opening", f"opening-{asset}", None, asset, total, account.venue_time_ns), reducing=True)
        for asset, total in totals.items()
        if total
    ]


def _report(body: OrderAcknowledged | OrderDoubted | OrderFilled | CancelMarked, order: Order) -> Report:
    return Report(body, cause_id=order.key.parent_id, reducing=True)


def _ended(order: Order, ending: str, code: str, reason: str) -> Report:
    assert ending in get_args(Ending), f"no order ends {ending}"
    ended = OrderEnded(
        order=order.key,
        ending=cast("Ending", ending),
        executed_quantity=order.executed_quantity,
        average_price=order.average_price,
        venue_code=clipped(code, 64),
        reason=clipped(reason),
    )
    return Report(ended, cause_id=order.key.parent_id, reducing=True)


def _filled(order: Order, trade: VenueTrade) -> OrderFilled:
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
        cost_expected_quote=None,
    )


def _at_most(differences: Sequence[str]) -> list[str]:
    if len(differences) <= DIFFERENCES_MAX:
        return [clipped(one) for one in differences]
    kept = DIFFERENCES_MAX - 1
    return [*(clipped(one) for one in differences[:kept]), f"and {len(differences) - kept} more"]
