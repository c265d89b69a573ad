"""What the gateway has to know of a venue: how each thing is asked for, and what reads the answer.

A further market is another `Venue`, with another table of refusals. Nothing outside this package knows a venue's words.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from proto.fields import Symbol
from shared.execution.vocabulary import (
    CancelOrder,
    OrderTold,
    ReadOrder,
    ReadTrades,
    SendOrder,
    TransferTold,
    VenueBalance,
    VenueOrder,
    VenueTrade,
)
from shared.trading.instruments import Instrument

Parameters = Mapping[str, str | int]
Symbols = Mapping[str, Symbol]  # ours by the venue's


class UnreadableError(ValueError):
    """What the venue said is not what it should be; the message says in which way."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request: ccxt's raw method for it, and the parameters without those that sign it."""

    method: str
    parameters: Parameters


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a venue says in the place of an answer."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row of an allow-list: an answer of this status, code and text proves that nothing was done."""

    status: int
    code: int
    text: re.Pattern[str]

    def covers(self, status: int, complaint: Complaint) -> bool:
        """Say whether an answer is this one."""
        is_it = (status, complaint.code) == (self.status, self.code)
        return is_it and self.text.fullmatch(complaint.text) is not None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a venue lists: the rules by our symbol, and our symbol by the venue's. Without rules where they are odd."""

    instruments: Mapping[Symbol, Instrument]
    symbols: Symbols


@dataclass(frozen=True, slots=True)
class KeyRights:
    """What a key may do."""

    may_trade: bool
    may_withdraw: bool
    is_bound: bool  # to addresses: from others it cannot be used


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The account's events flow on this connection from now on."""


@dataclass(frozen=True, slots=True)
class SubscriptionRefused:
    """They do not. `is_final` where asking again soon would help nobody."""

    reason: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class StreamEnding:
    """The venue is about to end this connection, or to fall silent on it."""

    reason: str


Frame = OrderTold | TransferTold | Subscribed | SubscriptionRefused | StreamEnding | None


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """Which answers prove that nothing was done; what is not here proves nothing."""

    of_orders: tuple[Refusal, ...]
    of_cancels: tuple[Refusal, ...]
    closed: tuple[Refusal, ...]  # those of orders that would meet any order of the symbol, until it trades again
    no_such_order: tuple[Refusal, ...]  # what a good negative read says
    wrong_time: frozenset[int]  # codes by which the venue says that our stamp is off
    wrong_terms: frozenset[int]  # codes by which it says that its rules are others than we thought
    too_many_orders: frozenset[int]  # codes of a limit on orders, which concerns nothing else


@dataclass(frozen=True, kw_only=True)
class Venue:
    """One market of one exchange, traded over signed requests and told of over a private stream."""

    ccxt_class: str
    stream_address: tuple[str, ...]  # where in ccxt's addresses that of the private stream is
    refusals: Refusals
    weight_header: str  # in small letters
    routine_weight_max: int  # the weight used of a minute from which on the rest is kept for what reduces risk

    time_asked: Request
    listing_asked: Request
    rights_asked: Request
    account_asked: Request
    open_orders_asked: Request
    order_asked: Callable[[ReadOrder, str], Request]
    trades_asked: Callable[[ReadTrades, str], Request]
    bids_asked: Callable[[Sequence[str]], Request]
    placing: Callable[[SendOrder, str], Request]
    canceling: Callable[[CancelOrder, str], Request]
    subscription: Callable[[Mapping[str, object]], Mapping[str, object]]  # what is sent, of the signed parameters

    complaint: Callable[[str], Complaint | None]
    time_read: Callable[[str], int]
    listing_read: Callable[[str], Listing]
    rights_read: Callable[[str], KeyRights]
    account_read: Callable[[str], tuple[VenueBalance, ...]]
    bids_read: Callable[[str, Symbols], Mapping[Symbol, Decimal]]
    order_read: Callable[[str, Symbols], VenueOrder]
    cancel_read: Callable[[str, Symbols], VenueOrder]
    orders_read: Callable[[str, Symbols], tuple[VenueOrder, ...]]
    trades_read: Callable[[str, Symbols], tuple[VenueTrade, ...]]
    frame_read: Callable[[str | bytes, Symbols], Frame]


def own_symbol(market_id: str, symbols: Symbols) -> Symbol:
    """Return our name of a market; one that is not listed any more keeps the venue's."""
    return symbols.get(market_id, market_id)
