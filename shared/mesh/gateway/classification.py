"""What came of a request, as far as the answer proves it. Pure, and the only place that calls an answer a proof.

What ccxt makes of an answer has no say here: it takes an empty body for an order and some gateway's page for success.
An acknowledgement is an answer of 2xx that names the venue's id and echoes ours, about the order that was sent. A
refusal is one that stands on the venue's list. Everything else leaves it open whether it was done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from shared.core.texts import in_a_line
from shared.execution.vocabulary import (
    Acknowledged,
    CancelOrder,
    NotSent,
    ReadOrder,
    ReadTrades,
    Rejected,
    SendOrder,
    Unproved,
    VenueOrder,
    VenueTrade,
)
from shared.mesh.gateway.reply import Heard, Reply, Silence
from shared.mesh.gateway.venues.venue import Complaint, Refusal, Symbols, UnreadableError, Venue

Outcome = Acknowledged | Rejected | Unproved | NotSent

REASON_CHARACTERS_MAX: Final = 200
_DONE: Final = range(200, 300)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Failure:
    """Nothing can be learned from it; the reason says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoSuchOrder:
    """The venue says that it has none: a good negative."""


def sending_outcome(heard: Heard, sent: SendOrder, venue: Venue, symbols: Symbols) -> Outcome:
    """Return what came of sending an order."""
    return _outcome(heard, venue, venue.refusals.of_orders, lambda body: _placed(body, sent, venue, symbols))


def canceling_outcome(heard: Heard, sent: CancelOrder, venue: Venue, symbols: Symbols) -> Outcome:
    """Return what came of sending a cancellation."""
    return _outcome(heard, venue, venue.refusals.of_cancels, lambda body: _canceled(body, sent, venue, symbols))


def order_found(heard: Heard, asked: ReadOrder, venue: Venue, symbols: Symbols) -> VenueOrder | NoSuchOrder | Failure:
    """Return the order that was asked for, or that the venue has none, or why neither is known."""
    if isinstance(heard, Reply) and _proof(heard, venue, venue.refusals.no_such_order):
        return NoSuchOrder()
    found = answer_read(heard, venue, lambda body: venue.order_read(body, symbols))
    if isinstance(found, VenueOrder) and (found.client_order_id, found.symbol) != (
        asked.client_order_id,
        asked.symbol,
    ):
        return Failure("the answer is about another order")
    return found


def trades_found(heard: Heard, asked: ReadTrades, venue: Venue, symbols: Symbols) -> tuple[VenueTrade, ...] | Failure:
    """Return the trades that were asked for, or why they are not known."""
    found = answer_read(heard, venue, lambda body: venue.trades_read(body, symbols))
    if isinstance(found, tuple) and any(trade.symbol != asked.symbol for trade in found):
        return Failure("the answer is about another symbol")
    return found


def answer_read(heard: Heard, venue: Venue, read: Callable[[str], _T]) -> _T | Failure:
    """Return what a question was answered with, or why that is not known."""
    if isinstance(heard, Silence):
        return Failure(heard.reason)
    if heard.status not in _DONE:
        return Failure(_described(heard, venue.complaint(heard.body)))
    try:
        return read(heard.body)
    except UnreadableError as error:
        return Failure(f"HTTP {heard.status}, but the answer cannot be read: {error}"[:REASON_CHARACTERS_MAX])


def _outcome(heard: Heard, venue: Venue, refusals: tuple[Refusal, ...], read: Callable[[str], VenueOrder]) -> Outcome:
    if isinstance(heard, Silence):
        return Unproved(None, "", heard.reason) if heard.may_have_left else NotSent(heard.reason)
    complaint = venue.complaint(heard.body)
    code = "" if complaint is None else str(complaint.code)
    if complaint is not None and _proof(heard, venue, refusals):
        return Rejected(code, complaint.text, is_closed=_proof(heard, venue, venue.refusals.closed))
    if heard.status not in _DONE:
        return Unproved(heard.status, code, _described(heard, complaint))
    try:
        return Acknowledged(read(heard.body))
    except UnreadableError as error:
        return Unproved(heard.status, code, f"the answer proves nothing: {error}"[:REASON_CHARACTERS_MAX])


def _proof(reply: Reply, venue: Venue, refusals: tuple[Refusal, ...]) -> bool:
    complaint = venue.complaint(reply.body)
    return complaint is not None and any(refusal.covers(reply.status, complaint) for refusal in refusals)


def _placed(body: str, sent: SendOrder, venue: Venue, symbols: Symbols) -> VenueOrder:
    order = venue.order_read(body, symbols)
    told = (order.client_order_id, order.symbol, order.side, order.quantity)
    if told != (sent.client_order_id, sent.symbol, sent.side, sent.quantity):
        raise UnreadableError("it is about another order")
    return order


def _canceled(body: str, sent: CancelOrder, venue: Venue, symbols: Symbols) -> VenueOrder:
    order = venue.cancel_read(body, symbols)
    if (order.client_order_id, order.symbol) != (sent.client_order_id, sent.symbol):
        raise UnreadableError("it is about another order")
    return order


def _described(reply: Reply, complaint: Complaint | None) -> str:
    """Say what was answered, without the pages of those who stand between the venue and us."""
    words = reply.body[: 4 * REASON_CHARACTERS_MAX] if complaint is None else f"{complaint.text} ({complaint.code})"
    said = in_a_line(words) or "nothing of the venue's"
    return f"HTTP {reply.status}: {said}"[:REASON_CHARACTERS_MAX]
