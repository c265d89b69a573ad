"""Terms of trading for the tests, in floats and in Decimals."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Final

from shared.trading.costs import CostTerms, FeeAccount, FeeRates, Number, SlippageTier, cost_terms, fee_rates
from shared.trading.profit_gate import Prospect, distance_fraction

DAY: Final = date(2025, 6, 1)
WITH_BNB: Final = FeeAccount("binance", "spot", 0, pays_in_bnb=True)
WITHOUT_BNB: Final = FeeAccount("binance", "spot", 0, pays_in_bnb=False)


def the_terms(read: Callable[[str], Number], account: FeeAccount = WITH_BNB) -> CostTerms[Number]:
    """Return what a fill costs an ordinary account in an ordinary market."""
    return cost_terms(fee_rates(account, DAY, read), read)


def literal_terms() -> CostTerms[Decimal]:
    """Return the terms of the worked examples: 10 bps a fill, 2 of spread and 3 of slippage for the round trip."""
    fees = FeeRates(Decimal("0.001"), Decimal("0.001"))
    return CostTerms(fees, Decimal("0.0001"), (SlippageTier(Decimal("Infinity"), Decimal("0.00015")),), None)


def the_prospect(entry: str, target: str, stop: str) -> Prospect[Decimal]:
    """Return what may become of a trade with these prices."""
    price = Decimal(entry)
    return Prospect(
        distance_fraction(price, Decimal(stop)), distance_fraction(price, Decimal(target)), carry_fraction=Decimal(0)
    )
