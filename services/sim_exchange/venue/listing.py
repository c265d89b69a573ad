"""A symbol as the venue carries it: its rules, its book, the orders that wait for a price, and its last trades."""

from collections import deque
from decimal import Decimal
from typing import Final

from services.sim_exchange.venue.amounts import decimals, rounded_down, unit_of
from services.sim_exchange.venue.average import Average
from services.sim_exchange.venue.book import Book
from services.sim_exchange.venue.triggers import Triggers
from services.sim_exchange.venue.vocabulary import SymbolRules, Traded

TRADES_REMEMBERED: Final = 10_000


class Listing:
    """One symbol."""

    def __init__(self, rules: SymbolRules, first_id: int) -> None:
        self.symbol = rules.symbol
        self.rules = rules
        self.book = Book(rules.symbol, first_id - 1)
        self.triggers = Triggers()
        self.average = Average()
        self.trades: deque[Traded] = deque(maxlen=TRADES_REMEMBERED)
        self.next_trade_id = first_id
        # While no price times a quantity was ever finer than what the quote asset is counted in, none is rounded.
        self.counts_exactly = True
        self.set_rules(rules)

    def set_rules(self, rules: SymbolRules) -> None:
        """Change filters or state; orders in the book stay as they are."""
        assert (rules.base, rules.quote) == (self.rules.base, self.rules.quote), "a symbol keeps its assets"
        self.rules = rules
        self.price_unit = unit_of(rules.tick_size)
        self.quantity_unit = unit_of(rules.step_size)
        self.quote_unit = Decimal(1).scaleb(-rules.quote_precision)
        fine = decimals(rules.tick_size) + decimals(rules.step_size) > rules.quote_precision
        self.counts_exactly = self.counts_exactly and not fine

    def quote_of(self, price: Decimal, quantity: Decimal) -> Decimal:
        """Return what a quantity is paid with at a price; for its parts, one by one, never more than for the whole."""
        quote = price * quantity
        return quote if self.counts_exactly else rounded_down(quote, self.quote_unit)

    def affordable(self, quote: Decimal, price: Decimal) -> Decimal:
        """Return what can be bought at a price, in whole steps."""
        return quote // (price * self.rules.step_size) * self.rules.step_size

    def record(self, trade: Traded) -> None:
        """Remember a trade."""
        self.next_trade_id = max(self.next_trade_id, trade.trade_id + 1)
        self.trades.append(trade)
        self.average.add(trade.time_ms, trade.price, trade.quantity)
