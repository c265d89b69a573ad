"""Words what was observed as messages of the mesh: from here on prices and quantities are floats (decision 0002)."""

from proto.market import BOOK_LEVELS_MAX, BookChanged, BookLevel, BookSnapshot, QuoteSeen, TradeSeen
from shared.core.service import Note
from shared.market.observations import BookChange, Levels, Quote, Trade
from shared.market.order_book import OrderBook


def trade_seen(trade: Trade) -> TradeSeen:
    """Word a trade."""
    return TradeSeen(
        symbol=trade.symbol,
        price=float(trade.price),
        quantity=float(trade.quantity),
        taker_side=trade.taker_side,
        trade_id=str(trade.trade_id),
    )


def quote_seen(quote: Quote) -> QuoteSeen:
    """Word a quote."""
    return QuoteSeen(
        symbol=quote.symbol,
        bid_price=float(quote.bid_price),
        bid_quantity=float(quote.bid_quantity),
        ask_price=float(quote.ask_price),
        ask_quantity=float(quote.ask_quantity),
    )


def book_snapshot(symbol: str, book: OrderBook) -> BookSnapshot:
    """Word a whole book."""
    assert book.sequence is not None, "it was fetched"
    bids, asks = book.levels(BOOK_LEVELS_MAX)
    return BookSnapshot(symbol=symbol, book_sequence=book.sequence, bids=_levels(bids), asks=_levels(asks))


def book_changed(change: BookChange) -> BookChanged:
    """Word a change of a book."""
    return BookChanged(
        symbol=change.symbol,
        first_sequence=change.first_sequence,
        last_sequence=change.last_sequence,
        bids=_levels(change.bids),
        asks=_levels(change.asks),
    )


def _levels(levels: Levels) -> tuple[BookLevel, ...]:
    return tuple(BookLevel(float(price), float(quantity)) for price, quantity in levels)


def gaps_noted(symbol: str, lost: int, renumbered_from: int | None) -> list[Note]:
    """Say for the log that the row of a symbol's trades has a hole, or begins anew."""
    notes = []
    if lost:
        details: dict[str, object] = {"symbol": symbol, "trades": lost}
        notes.append(Note("warning", "trades are lost: the venue does not give them", details))
    if renumbered_from is not None:
        details = {"symbol": symbol, "from_id": renumbered_from}
        notes.append(Note("warning", "the venue numbers its trades anew: some may be lost", details))
    return notes
