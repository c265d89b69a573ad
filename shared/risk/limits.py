"""The limits that the rules hold an entry to. The settings' profiles give them their values."""

from decimal import Decimal

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Each is a cap, all hold, the strictest wins. Fractions are of equity, amounts of the quote asset."""

    risk_per_trade_fraction: Decimal
    order_fraction: Decimal
    order_quote_max: Decimal  # the greater of this and `order_fraction` is the cap
    position_fraction: Decimal
    position_quote_max: Decimal
    exposure_fraction: Decimal
    reserve_cash_fraction: Decimal
    positions_max: int
    entries_per_day_max: int
