"""What a reader of the market knows of prices: the newest quote of each symbol, its age, and whether it is doubted."""

from decimal import Decimal
from typing import Final

import msgspec

from proto.envelope import MarketEnvelope
from proto.fields import Symbol
from proto.market import QuoteSeen, SymbolDoubted, SymbolTrusted
from shared.core.continuity import Broken, Event, Seen, Synced

FRESH_NS: Final = 2_000_000_000
NS_PER_SECOND: Final = 1_000_000_000


class Price(msgspec.Struct, frozen=True):
    """The best bid and ask, and when they came to us, by our boot-time clock."""

    bid: Decimal
    ask: Decimal
    received_boot_ns: int

    @property
    def middle(self) -> Decimal:
        """The price between them."""
        return (self.bid + self.ask) / 2

    @property
    def spread_fraction(self) -> Decimal:
        """How far they are apart, as a fraction of it; a crossed book has no spread to pay."""
        return max(self.ask - self.bid, Decimal(0)) / self.middle


class Prices:
    """The newest price of each symbol that is read."""

    def __init__(self) -> None:
        self._prices: Final[dict[Symbol, Price]] = {}
        self._doubts: Final[dict[Symbol, tuple[str, ...]]] = {}
        self._quoted: Final[dict[bytes, Symbol]] = {}  # by topic
        self._judged: Final[dict[bytes, Symbol]] = {}

    def take(self, event: Event, boot_ns: int) -> None:
        """Take in what the feed tells, or that some of it is missing."""
        match event:
            case Seen(topic=topic, envelope=envelope):
                self._told(topic, envelope, boot_ns)
            case Synced(topic=topic, latest=latest) if latest is not None:
                self._told(topic, latest, boot_ns)
            case Broken(topic=topic):
                self._broken(topic)
            case _:
                pass

    def of(self, symbol: Symbol) -> Price | None:
        """Return the newest price, however old."""
        return self._prices.get(symbol)

    def trouble(self, symbol: Symbol, boot_ns: int) -> str | None:
        """Say why nothing should be entered on a symbol, None when its prices can be relied on."""
        price, doubts = self._prices.get(symbol), self._doubts.get(symbol)
        if price is None:
            return f"no quote of {symbol} is known"
        age_ns = boot_ns - price.received_boot_ns
        if age_ns > FRESH_NS:
            return f"the newest quote of {symbol} is {age_ns / NS_PER_SECOND:.1f} s old"
        if doubts is None:
            return f"the feed has not said whether {symbol} can be trusted"
        return f"{symbol} is doubted: {', '.join(doubts)}" if doubts else None

    def _broken(self, topic: bytes) -> None:
        """Forget what may have changed unheard: a price, and that a symbol is trusted. What is doubted stays so."""
        self._prices.pop(self._quoted.pop(topic, ""), None)
        symbol = self._judged.pop(topic, "")
        if not self._doubts.get(symbol, ("doubted",)):
            del self._doubts[symbol]

    def _told(self, topic: bytes, envelope: MarketEnvelope, boot_ns: int) -> None:
        match envelope.body:
            case QuoteSeen(symbol=symbol, bid_price=bid, ask_price=ask):
                self._quoted[topic] = symbol
                self._prices[symbol] = Price(_decimal(bid), _decimal(ask), boot_ns)
            case SymbolDoubted(symbol=symbol, reasons=reasons):
                self._judged[topic], self._doubts[symbol] = symbol, reasons
            case SymbolTrusted(symbol=symbol):
                self._judged[topic], self._doubts[symbol] = symbol, ()
            case _:
                pass


def _decimal(price: float) -> Decimal:
    """Return the number that a float was written as: the shortest one that is read as the same float."""
    return Decimal(repr(price))
