"""What positions let go of though no trade of theirs took it: others took it, it is too little, or it never was theirs.

Pure; the books fold what is returned here.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from shared.trading.amounts import EXACT, ZERO
from shared.trading.positions import Position, SetApart


def part(held: Position, quantity: Decimal, reason: Literal["manual trade", "dust"]) -> list[SetApart]:
    """Return a part of a position, or all there is of it."""
    quantity = min(quantity, held.owned)
    apart = SetApart(strategy=held.strategy, symbol=held.symbol, quantity=quantity, reason=reason)
    return [apart] if quantity > 0 else []


def beyond(held: Iterable[Position], balance: Decimal) -> list[SetApart]:
    """Return what positions have of an asset, together, beyond what the account holds: what is gone is gone."""
    left, apart = max(balance, ZERO), []
    for position in held:
        apart += part(position, EXACT.subtract(position.owned, left), "manual trade")
        left = max(EXACT.subtract(left, position.owned), ZERO)
    return apart


def holes(held: Iterable[Position]) -> list[SetApart]:
    """Return what was sold beyond positions: it was somebody else's."""
    return [
        SetApart(strategy=one.strategy, symbol=one.symbol, quantity=one.oversold, reason="oversold")
        for one in held
        if one.oversold
    ]
