"""What the guards know to be there, and at which prices: so that money that went is told from prices that fell. Pure.

That prices fell is certain: what was there fetches less now. What is missing beyond that went another way, and is no
loss before the executor says which. It is kept beside what is there, which two readings without the books say as well:
so what prices do to coins that nobody told of counts from then on.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

import msgspec

from proto.account import Counted
from proto.fields import Asset

NOTHING: Final = Decimal(0)
_EIGHT_PLACES: Final = Decimal("1E-8")


class Holding(msgspec.Struct, frozen=True):
    """How much of an asset is there, as far as anybody told: below nothing where not all of it was told yet."""

    asset: Asset
    quantity: Decimal
    bid_quote: Decimal | None


class Known(msgspec.Struct, frozen=True):
    """What is there; and what went without anybody's word since readings and books agreed, below nothing if it came."""

    holdings: tuple[Holding, ...] = ()
    missing_quote: Decimal = NOTHING


class Change(msgspec.Struct, frozen=True):
    """Other assets are counted than before: some came to be counted, some are no longer."""

    came: tuple[Asset, ...]
    went: tuple[Asset, ...]
    worth_quote: Decimal  # by so much equity changes by that alone, at the prices that are known
    known: Known


def known_by(counted: Sequence[Counted]) -> Known:
    """Return what a reading shows to be there that the books agree with: nothing is missing."""
    return Known(_held(counted))


def followed(known: Known, counted: Sequence[Counted]) -> Known:
    """Return what a reading shows to be there, worth as much as was known: what it does not explain is missing."""
    there = Known(_shown(known, counted))
    return Known(there.holdings, worth_now(known, counted) - worth_now(there, counted))


def worth_now(known: Known, counted: Sequence[Counted]) -> Decimal:
    """Return what is known to be there at the prices of now; what has none now, at the last one that it had."""
    bids = {one.asset: one.bid_quote for one in counted}
    worth = (one.quantity * (bids.get(one.asset) or one.bid_quote or NOTHING) for one in known.holdings)
    return sum(worth, NOTHING).quantize(_EIGHT_PLACES, ROUND_HALF_EVEN) + known.missing_quote


def drift(known: Known, counted: Sequence[Counted]) -> Decimal:
    """Return by how much the worths of the assets differ from those that are known, all together."""
    worths, before = ({one.asset: _worth(one) for one in side} for side in (_shown(known, counted), known.holdings))
    return sum((abs(worths.get(asset, NOTHING) - before.get(asset, NOTHING)) for asset in worths | before), NOTHING)


def changed(known: Known, counted: Sequence[Counted]) -> Change | None:
    """Return what is counted otherwise now, None where it is the same, or nothing was known."""
    assets, before = {one.asset for one in counted}, {one.asset for one in known.holdings}
    if not before or assets == before:
        return None
    came = tuple(one for one in _held(counted) if one.asset not in before)
    went = tuple(one for one in known.holdings if one.asset not in assets)
    kept = tuple(one for one in known.holdings if one.asset in assets)
    worth = sum(map(_worth, came), NOTHING) - sum(map(_worth, went), NOTHING)
    worth_quote = worth.quantize(_EIGHT_PLACES, ROUND_HALF_EVEN)
    there = Known((*kept, *came), known.missing_quote)
    return Change(tuple(one.asset for one in came), tuple(one.asset for one in went), worth_quote, there)


def moved(known: Known, asset: Asset, quantity: Decimal) -> Known:
    """Return what is there after some of an asset came or went, as far as it is counted."""
    replace = msgspec.structs.replace
    holdings = (replace(one, quantity=one.quantity + quantity) if one.asset == asset else one for one in known.holdings)
    return replace(known, holdings=tuple(holdings))


def _held(counted: Sequence[Counted]) -> tuple[Holding, ...]:
    return tuple(Holding(one.asset, one.quantity, one.bid_quote) for one in counted)


def _shown(known: Known, counted: Sequence[Counted]) -> tuple[Holding, ...]:
    """Return what a reading shows; what nobody bids for now, at the last price that it had."""
    bids = {one.asset: one.bid_quote for one in known.holdings}
    return tuple(Holding(one.asset, one.quantity, one.bid_quote or bids.get(one.asset)) for one in counted)


def _worth(one: Holding) -> Decimal:
    return one.quantity * (one.bid_quote or NOTHING)
