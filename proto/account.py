"""What the account holds, as read from the venue."""

from typing import Annotated

from msgspec import Meta

from proto.fields import Amount, Asset, Count, Digest, Message, Part, Quantity, TimeNs

BALANCES_MAX = 500


class Balance(Part, frozen=True):
    """One asset: what is free to use and what resting orders lock."""

    asset: Asset
    free: Quantity
    locked: Quantity


class AccountSnapshot(Message, frozen=True, tag="account_snapshot.1"):
    """One consistent read of the account, numbered, so that "two readings" means two.

    The executor and the flattener each read with a key of their own; risk rests on the flattener's reading, so that its
    equity is not the executor's word. `account_fingerprint` tells accounts apart without naming a key; `venue_time_ns`
    is the venue's own clock.
    """

    read_number: Count
    account_fingerprint: Digest
    venue_time_ns: TimeNs
    quote_asset: Asset
    equity_quote: Amount
    balances: Annotated[tuple[Balance, ...], Meta(max_length=BALANCES_MAX)]
