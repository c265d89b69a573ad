"""What tests of the books are fed with: fills with sensible defaults."""

from decimal import Decimal
from itertools import count
from typing import Final

from proto.fields import Side
from shared.trading.amounts import EXACT
from shared.trading.fills import Fill

_numbers: Final = count(1)


def a_fill(
    side: Side = "buy",
    quantity: str | Decimal = "1",
    price: str | Decimal = "100",
    *,
    fee: str | Decimal = "0",
    fee_asset: str = "USDT",
    trade_id: int | None = None,
    strategy: str = "trend",
    base: str = "BTC",
) -> Fill:
    """Make a fill, of a trade that is new unless its number is given."""
    return Fill(
        strategy=strategy,
        symbol=f"{base}/USDT",
        base=base,
        quote="USDT",
        side=side,
        trade_id=next(_numbers) if trade_id is None else trade_id,
        price=Decimal(price),
        quantity=Decimal(quantity),
        quote_quantity=EXACT.multiply(Decimal(price), Decimal(quantity)),
        fee=Decimal(fee),
        fee_asset=fee_asset,
    )
