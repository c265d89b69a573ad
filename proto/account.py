"""What the account holds, as read from the venue."""

from typing import Annotated

from msgspec import Meta

from proto.fields import Amount, Asset, Count, Digest, Message, Part, Price, Quantity, Symbol, TimeNs

BALANCES_MAX = 500
COUNTED_MAX = 120
INSTRUMENTS_MAX = 120


class Balance(Part, frozen=True):
    """One asset: what is free to use and what resting orders lock."""

    asset: Asset
    free: Quantity
    locked: Quantity


class Counted(Part, frozen=True):
    """One asset that equity counts: how much of it there is, and what a unit of it fetches, None while nobody bids.

    It stands here with a quantity of 0 too: so what is no longer there and what is no longer counted are two things.
    """

    asset: Asset
    quantity: Quantity
    bid_quote: Price | None


class AccountSnapshot(Message, frozen=True, tag="account_snapshot.1"):
    """One consistent read of the account, numbered, so that "two readings" means two.

    The executor and the flattener each read with a key of their own; risk rests on the flattener's reading, so that its
    equity is not the executor's word. `account_fingerprint` tells accounts apart without naming a key; `venue_time_ns`
    is the venue's own clock. `counted` is what the flattener's equity is made of; the executor says nothing there.
    """

    read_number: Count
    account_fingerprint: Digest
    venue_time_ns: TimeNs
    quote_asset: Asset
    equity_quote: Amount
    balances: Annotated[tuple[Balance, ...], Meta(max_length=BALANCES_MAX)]
    counted: Annotated[tuple[Counted, ...], Meta(max_length=COUNTED_MAX)]


class InstrumentRules(Part, frozen=True):
    """What can be traded of a symbol, and in which steps."""

    symbol: Symbol
    base: Asset
    quote: Asset
    price_tick: Price
    quantity_step: Price
    quantity_min: Quantity
    notional_min_quote: Quantity


class InstrumentsTold(Message, frozen=True, tag="instruments_told.1"):
    """The rules of the venue for every symbol that is traded, as the executor reads them: for who sizes and prices."""

    instruments: Annotated[tuple[InstrumentRules, ...], Meta(max_length=INSTRUMENTS_MAX)]
