"""What an order is reckoned to cost, said before it is sent: what its trades really cost is held against it. Pure."""

import datetime as dt
from decimal import Decimal
from typing import Final

from proto.fields import Symbol
from shared.core.service import Moment
from shared.market.prices import NS_PER_SECOND, Prices
from shared.trading.amounts import ROUNDING
from shared.trading.costs import FeeAccount, FeeUnknownError, cost_terms, fee_rates, taker_fraction

STEP: Final = Decimal("1E-8")
ALL: Final = Decimal(1)  # in an empty book half the spread alone may be more


class Reckoning:
    """Reckons with the fees of the account, and with the spread that is seen."""

    def __init__(self, fees: FeeAccount, prices: Prices) -> None:
        self._fees: Final = fees
        self._prices: Final = prices

    def cost_fraction(self, symbol: Symbol, notional: Decimal, now: Moment) -> Decimal | None:
        """Return which fraction of its worth an order of a taker is expected to cost, against the middle of the book.

        It never stands in an order's way: with no quote the spread is the usual one, and on a day whose fees nobody
        knows, as a wrong clock may say, nothing is reckoned.
        """
        day = dt.datetime.fromtimestamp(now.wall_ns // NS_PER_SECOND, tz=dt.UTC).date()
        try:
            rates = fee_rates(self._fees, day, Decimal)
        except FeeUnknownError:
            return None
        price = self._prices.of(symbol)
        spread = None if price is None else price.spread_fraction
        terms = cost_terms(rates, Decimal, spread_fraction=spread)
        return min(taker_fraction(notional, terms), ALL).quantize(STEP, context=ROUNDING)
