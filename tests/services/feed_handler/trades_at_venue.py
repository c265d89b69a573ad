"""A venue with so many trades, and a line that reads them."""

from services.feed_handler.trade_line import PAGE_TRADES, RETRY_NS, Progress, TradeLine
from services.feed_handler.vocabulary import FetchTrades
from shared.market.observations import Trade
from tests.services.feed_handler.builders import NOON_NS, SYMBOL, a_trade


def numbered(trade_id: int, *, at: int | None = None) -> Trade:
    """Return a trade that happened in the order of its number, or elsewhere in that order."""
    return a_trade(trade_id, at_ns=NOON_NS + (trade_id if at is None else at))


class Venue:
    """A venue with so many trades, and a line that reads them; `passed` is what came out."""

    asked: FetchTrades | None

    def __init__(self, line: TradeLine) -> None:
        self.line = line
        self.trades = list[Trade]()
        self.passed: list[int] = []
        self.lost = self.wild = self.repeated = 0
        self.renumbered_from: int | None = None
        self.after_holes: set[int] = set()
        self.dropped: list[Trade] = []
        self.now_ns = 0
        self.asked = None

    def trade(self, *, is_told: bool = True) -> None:
        """Let a trade happen, and the stream tell it, or not."""
        self.trades.append(numbered(len(self.trades) + 1))
        if is_told:
            self.take(self.line.came(self.trades[-1]))

    def take(self, progress: Progress) -> None:
        """Take what came out."""
        self.passed += [trade.trade_id for trade in progress.trades]
        self.lost += progress.lost
        self.wild += progress.wild
        self.renumbered_from = progress.renumbered_from or self.renumbered_from
        self.dropped += progress.dropped
        self.repeated += progress.repeated
        self.after_holes |= progress.after_holes
        self.asked = progress.ask or self.asked

    def tell(self, trade: Trade) -> None:
        """Let the stream tell a trade, whether there was one or not."""
        self.take(self.line.came(trade))

    def answer(self) -> None:
        """Answer what was asked, as far as the venue has it."""
        if self.asked is not None:
            first = self.asked.from_id or 1
            self.asked = None
            page = tuple(trade for trade in self.trades if trade.trade_id >= first)[:PAGE_TRADES]
            self.take(self.line.fetched(page, self.now_ns))

    def settle(self) -> None:
        """Answer until nothing is asked any more."""
        for _ in range(1_000):
            self.now_ns += 10 * RETRY_NS
            self.take(self.line.due(self.now_ns))
            if self.asked is None:
                return
            self.answer()
        raise AssertionError("it never settles")


def opened() -> Venue:
    """Return a venue whose stream was opened before its first trade."""
    venue = Venue(TradeLine(SYMBOL))
    venue.take(venue.line.opened(0))
    venue.answer()
    return venue
