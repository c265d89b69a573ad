"""What risk knows when it judges: the account, the entry asked for, and what it may answer. Plain data."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from proto.intents import EnterBracket, StopCover
from shared.risk.tiers import Tier
from shared.trading.costs import CostTerms
from shared.trading.profit_gate import Prospect, distance_fraction

NOTHING: Final = Decimal(0)


class Exposure(msgspec.Struct, frozen=True):
    """What a strategy holds of a symbol, or has reserved for an entry under way, at what it is worth."""

    strategy: str
    symbol: str
    notional_quote: Decimal


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """The account as risk knows it.

    `free_quote` is what neither rests in an order nor is reserved. `entries_today` counts those approved since
    midnight, UTC. `day_start_quote` is what the loss of the day is counted from, which moves with
    money that comes or goes, and is nothing as long as nobody counts. Behind a day that lost too
    much an account `is_recovering`, and risks half as much a trade.
    """

    equity_quote: Decimal
    free_quote: Decimal
    tier: Tier
    exposures: tuple[Exposure, ...]
    day_start_quote: Decimal
    entries_today: int
    is_recovering: bool

    def exposure_quote(self, symbol: str | None = None) -> Decimal:
        """Return what all exposures are worth together, or those of a symbol."""
        return total(held.notional_quote for held in self.exposures if symbol in {None, held.symbol})


class Lot(msgspec.Struct, frozen=True):
    """What the venue takes of a symbol: whole steps, of at least a quantity and at least a notional."""

    step: Decimal
    quantity_min: Decimal
    notional_quote_min: Decimal


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An entry asked for, and what trading its symbol takes. `carry_fraction` is what holding it will cost.

    `market_price` is the middle of the book as risk itself sees it.
    """

    intent: EnterBracket
    market_price: Decimal
    lot: Lot
    costs: CostTerms[Decimal]
    carry_fraction: Decimal = NOTHING

    @property
    def entry_price(self) -> Decimal:
        """The worst price that is paid: what an approval lets leave buys nothing dearer. All is judged there."""
        return self.intent.price_worst

    @property
    def stop_price(self) -> Decimal:
        """Where the position is given up."""
        cover = self.intent.cover
        return cover.stop_price if isinstance(cover, StopCover) else cover.level_price

    @property
    def stop_fraction(self) -> Decimal:
        """What is lost at the stop, as a fraction of the notional."""
        return distance_fraction(self.entry_price, self.stop_price)

    @property
    def prospect(self) -> Prospect[Decimal]:
        """What may become of it. What no target takes earns nothing; an expected gain stands in for missing targets."""
        intent, entry = self.intent, self.entry_price
        if intent.targets or intent.expected_gain_fraction is None:
            gain = total(target.quantity_fraction * distance_fraction(entry, target.price) for target in intent.targets)
        else:
            gain = intent.expected_gain_fraction - distance_fraction(intent.decision_price, entry)
        return Prospect(self.stop_fraction, gain, self.carry_fraction)


class Refusal(msgspec.Struct, frozen=True):
    """No, by one rule: the number it saw, the limit it holds to, and why. An `IntentRefused` says the same."""

    rule: str
    value: str
    limit: str
    reason: str


class Sized(msgspec.Struct, frozen=True, kw_only=True):
    """Yes, up to this quantity, and what it comes to at the worst price.

    `reserved_quote` is what it takes with costs, `risk_quote` what its stop loses with costs, `net_quote` what it earns
    at its targets after them. `bound_by` names what kept it from being larger.
    """

    quantity: Decimal
    notional_quote: Decimal
    reserved_quote: Decimal
    risk_quote: Decimal
    net_quote: Decimal
    bound_by: str


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the sum, a Decimal also of nothing."""
    return sum(amounts, start=NOTHING)
