"""What others did on the account, and what contradicts us: it is written down, and entries wait for somebody. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from proto.fields import Asset, clipped_short
from proto.orders import ConditionSet, OutsideSeen
from proto.risk import Condition, Everything
from shared.core.service import Note, Outward, Report
from shared.execution.books import OVERSOLD, Books
from shared.execution.orders import Order
from shared.execution.vocabulary import AccountRead, CancelOrder, Rejected, TransferTold, VenueOrder, VenueTrade
from shared.trading.amounts import EXACT, ZERO
from shared.trading.client_ids import ClientIds
from shared.trading.instruments import assets_of
from shared.trading.order_life import TERMINAL

ACTIVITY: Final = "outside_activity"
CONTRADICTED: Final = "order_contradicted"
UNCLAIMED: Final = "stop_unclaimed"


@dataclass(slots=True)
class Outcome:
    """What a fact led to."""

    reports: list[Report] = field(default_factory=list)
    effects: list[Outward | Note] = field(default_factory=list)
    rejected: tuple[Order, Rejected] | None = None
    unsent: Order | None = None
    accepted: Order | None = None


class Outside:
    """Writes down what was not ours.

    What happened before the books are opened is in the balances that they are opened with.
    """

    def __init__(self, books: Books, client_ids: ClientIds) -> None:
        self._books: Final = books
        self._client_ids: Final = client_ids

    def trade(self, trade: VenueTrade, outcome: Outcome) -> None:
        """Take in a trade by another hand, or one of ours that is more than was ordered."""
        base, quote = assets_of(trade.symbol)
        signed = trade.quantity if trade.side == "buy" else -trade.quantity
        changes = {base: signed}
        changes[quote] = changes.get(quote, ZERO) + (-trade.quote_quantity).copy_sign(-signed)
        changes[trade.fee_asset] = EXACT.subtract(changes.get(trade.fee_asset, ZERO), trade.fee)
        reference = f"trade-{trade.symbol}-{trade.trade_id}-{trade.side}"
        if f"{reference}-{base}" in self._books.outside or self._was_before(trade.venue_time_ns):
            return
        outcome.reports += [
            Report(
                OutsideSeen("trade", f"{reference}-{asset}", trade.symbol, asset, change, trade.venue_time_ns),
                reducing=True,
            )
            for asset, change in changes.items()
        ]
        self.wary(outcome, ACTIVITY, f"{trade.symbol} was traded on the account, and not by us")

    def is_known(self, trade: VenueTrade, outcome: Outcome) -> bool:
        """Say whether the books have a trade of ours, or cannot say so because it is too old: then somebody looks."""
        novelty = self._books.positions.novelty(trade.symbol, trade.side, trade.trade_id)
        if novelty == "forgotten":
            self.wary(
                outcome, "trade_forgotten", f"{trade.symbol} {trade.trade_id}: too old to say if it is told again"
            )
        return novelty != "new"

    def too_dear(self, order: Order, trade: VenueTrade, outcome: Outcome) -> None:
        """Have somebody look where a coin of an entry cost more than its order allows: more is lost at its stop."""
        entry = self._books.entries.get(order.key.parent_id) if order.key.purpose == "entry" else None
        if entry is not None and trade.price > entry.approval.price_high:
            what = f"filled at {trade.price:f}, above its limit: {order.client_order_id}"
            self.wary(outcome, CONTRADICTED, what)

    def transfer(self, told: TransferTold, outcome: Outcome) -> None:
        """Take in money that came or went."""
        if told.reference in self._books.outside or self._was_before(told.venue_time_ns):
            return
        seen = OutsideSeen("transfer", told.reference, None, told.asset, told.quantity, told.venue_time_ns)
        outcome.reports.append(Report(seen, reducing=True))
        self.wary(outcome, ACTIVITY, f"{told.quantity:f} {told.asset} came or went")

    def _was_before(self, venue_time_ns: int) -> bool:
        """Say whether something happened before the books were opened, however late it is told."""
        opened_ns = self._books.opened_venue_ns
        return not self._books.passes or (opened_ns is not None and venue_time_ns < opened_ns)

    def order(self, told: VenueOrder, outcome: Outcome) -> bool:
        """Take in an order that the books do not know; False: it is one that we sent, of which `strays` decides."""
        if told.status != "open" or _reference(told) in self._books.outside:
            return True
        if self._client_ids.is_ours(told.client_order_id):
            return False
        outcome.reports.append(_seen(told))
        self.wary(outcome, ACTIVITY, f"there is an order for {told.symbol} that is not ours")
        return True

    def strays(self, shown: Sequence[VenueOrder], outcome: Outcome, *, is_whole: bool) -> None:
        """Cancel what is open of ours and not worked: its records are lost, or it was held to have ended.

        Whatever it was to do is decided anew without it. Nothing is marked, for there is nothing it belongs to. But a
        stop over coins that are nobody's to the books, as where the journal is gone that knew of both, is all that
        covers them: it is left, and somebody has to look. Which those are is known from a whole pass only.
        """
        ours = [told for told in shown if told.status == "open" and self._client_ids.is_ours(told.client_order_id)]
        unknown = [told for told in ours if told.client_order_id not in self._books.orders]
        left = [told for told in unknown if is_whole and self._covers_nobodys(told, unknown)]
        waiting = left if is_whole else unknown
        for told in ours:
            if told not in waiting and (told in unknown or self._is_over(told)):
                words = {"order": told.client_order_id}
                outcome.effects.append(CancelOrder(told.client_order_id, told.symbol))
                outcome.effects.append(Note("warning", "an order of ours that is not worked is cancelled", words))
        news = [told for told in left if _reference(told) not in self._books.outside]
        outcome.reports += [_seen(told) for told in news]
        if news:
            rest = ", ".join(f"{told.client_order_id} rests to sell {told.quantity:f} {told.symbol}" for told in news)
            way = "keep it as the stop of those coins, or cancel it at the exchange; then resume"
            self.wary(outcome, UNCLAIMED, f"{rest}, and no record here tells of it: {way}")

    def _is_over(self, told: VenueOrder) -> bool:
        return self._books.orders[told.client_order_id].life in TERMINAL

    def _covers_nobodys(self, told: VenueOrder, unknown: Sequence[VenueOrder]) -> bool:
        """Say whether it is a sale that locks nothing of what the books have.

        Before they are opened they have nothing. Later there must be as many coins that are nobody's as all these sales
        are of; and one that was not left before must be of a coin with which nothing is done, or the records that are
        lost may be of the very stop that is placed anew.
        """
        if told.side == "buy" or not self._books.passes:
            return told.side == "sell"
        base, _ = assets_of(told.symbol)
        sales = [one for one in unknown if one.side == "sell" and assets_of(one.symbol)[0] == base]
        held = [one for one in self._books.positions.held() if assets_of(one.symbol)[0] == base]
        spoken_for = sum((*map(_left_of, sales), *(one.owned for one in held)), ZERO)
        if spoken_for > self._books.ledger.balance(base):
            return False
        return _reference(told) in self._books.outside or not self._is_busy(base)

    def _is_busy(self, base: Asset) -> bool:
        return any(assets_of(symbol)[0] == base for _, symbol in self._books.places())

    def held_against(self, outcome: Outcome, *, differs: bool, agrees: bool) -> None:
        """Have somebody look at balances that differ for good, and at what was sold though nothing is missing."""
        if differs:
            self.wary(outcome, ACTIVITY, "balances differ from the books, twice alike")
        oversold = [held for held in self._books.positions.held() if agrees and held.oversold]
        if oversold:
            what = ", ".join(f"{held.oversold:f} {held.symbol} of {held.strategy}" for held in oversold)
            self.wary(outcome, OVERSOLD, f"oversold: {what}")

    def wary(self, outcome: Outcome, name: str, reason: str) -> None:
        """Let no entry pass before an operator has looked: said once, whatever else the same fact shows."""
        said = [one.body.condition.name for one in outcome.reports if isinstance(one.body, ConditionSet)]
        if (name, Everything()) not in self._books.conditions and name not in said:
            condition = Condition(name, Everything(), "REDUCE_ONLY", clipped_short(reason))
            outcome.reports.append(Report(ConditionSet(condition), reducing=True))
            outcome.effects.append(Note("critical", name, {"reason": reason}))


def _reference(told: VenueOrder) -> str:
    return f"order-{told.symbol}-{told.venue_order_id}"


def _seen(told: VenueOrder) -> Report:
    base, _ = assets_of(told.symbol)
    seen = OutsideSeen("order", _reference(told), told.symbol, base, told.quantity, told.venue_time_ns)
    return Report(seen, reducing=True)


def _left_of(told: VenueOrder) -> Decimal:
    return EXACT.subtract(told.quantity, told.executed_quantity)


def openings(account: AccountRead) -> list[Report]:
    """Return what the books begin with."""
    totals = {balance.asset: EXACT.add(balance.free, balance.locked) for balance in account.balances}
    return [
        Report(OutsideSeen("opening", f"opening-{asset}", None, asset, total, account.venue_time_ns), reducing=True)
        for asset, total in totals.items()
        if total
    ]
