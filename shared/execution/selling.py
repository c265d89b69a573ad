"""What an order can sell of a position, what of it is dust, and what is neither. Pure.

Dust is what no order of the venue may be of, and what is worth no order of ours either, or less than one step. A venue
may raise its least order above a position: that is worth money, and nobody says that it is gone.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from proto.fields import Symbol
from shared.execution.books import Books, Place
from shared.market.prices import Prices
from shared.trading.amounts import EXACT
from shared.trading.instruments import FilterFault, Instrument, OrderTerms, assets_of, is_remainder


class Selling:
    """Says what may be sold, by the books, the venue's rules and the prices."""

    def __init__(self, books: Books, prices: Prices, instruments: Mapping[Symbol, Instrument]) -> None:
        self._books: Final = books
        self._prices: Final = prices
        self._instruments: Final = instruments  # as they come to be known

    def order(self, instrument: Instrument, place: Place, needed: Decimal) -> OrderTerms | None:
        """Return the order that sells so much, capped by what the account holds; None where it is too little for one.

        What is worth too little even at the highest price that is known is given up. A low one is no reason, for it may
        be wrong: the venue then has the word.
        """
        terms = self._terms(instrument, needed)
        return terms if terms.quantity > 0 and self._fault(instrument, place, terms) is None else None

    def why_stuck(self, place: Place) -> str | None:
        """Say why what shall be sold of a place can be neither sold nor be let go as dust; None where it can."""
        found, instrument = self._books.exits.get(place), self._instruments.get(place[1])
        if found is None or instrument is None:
            return None
        strategy, symbol = place
        needed = EXACT.subtract(self._books.positions.of(*place).owned, found.target_quantity)
        there = min(needed, self._books.ledger.balance(instrument.base))
        highest = self._highest_price(place)
        if highest is None or there <= 0 or is_remainder(there, highest, instrument.quantity_step):
            return None
        fault = self._fault(instrument, place, self._terms(instrument, needed))
        if fault is None:
            return None
        return f"{there:f} {symbol} of {strategy} cannot be sold, and is no dust: {fault.rule} is {fault.limit:f}"

    def stuck(self) -> list[str]:
        """Say of each place why it is stuck."""
        return [why for place in self._books.exits if (why := self.why_stuck(place)) is not None]

    def why_left(self, place: Place, left: Decimal) -> str:
        """Say why so much of a place was not sold."""
        if left > self._books.ledger.balance(assets_of(place[1])[0]):
            return "the account has not as many coins: they were sold, taken, or paid as fees"
        return "it is below the venue's least order"

    def _terms(self, instrument: Instrument, needed: Decimal) -> OrderTerms:
        quantity = orderable(instrument, min(needed, self._books.ledger.balance(instrument.base)))
        return OrderTerms(side="sell", order_type="market", quantity=quantity)

    def _fault(self, instrument: Instrument, place: Place, terms: OrderTerms) -> FilterFault | None:
        highest = self._highest_price(place)
        return instrument.filter_fault(terms, reference_price=highest, open_orders=None, algo_orders=None)

    def _highest_price(self, place: Place) -> Decimal | None:
        price, paid = self._prices.of(place[1]), self._books.positions.of(*place).average_entry_price
        known = [one for one in (None if price is None else price.bid, paid) if one is not None]
        return max(known, default=None)


def orderable(instrument: Instrument, quantity: Decimal) -> Decimal:
    """Return as much of a quantity as one order may be of."""
    bounds = (instrument.quantity_max, instrument.market_quantity_max)
    return instrument.quantity_floored(min(quantity, *(bound for bound in bounds if bound is not None), quantity))
