"""Questions about the account: a few at a time, and each is asked once and answered once."""

from collections.abc import Callable
from typing import Final, TypeVar

from shared.core.service import FromOutside
from shared.execution.vocabulary import (
    AccountRead,
    OpenOrdersRead,
    OrderRead,
    ReadAccount,
    ReadOpenOrders,
    ReadOrder,
    ReadTrades,
    ReadWorth,
    TradesRead,
    WorthRead,
)
from shared.mesh.gateway.classification import Failure, NoSuchOrder, answer_read, order_found, trades_found
from shared.mesh.gateway.market_list import MarketList
from shared.mesh.gateway.pace import Pace
from shared.mesh.gateway.questions import OneRequest, Read, is_routine
from shared.mesh.gateway.reply import Heard, Silence
from shared.mesh.gateway.rest import Rest
from shared.mesh.gateway.venue_time import VenueTime
from shared.mesh.gateway.venues.venue import KeyRights, Request, Symbols, Venue

MS_PER_SECOND: Final = 1_000
KEPT: Final = "what is left of the venue's weight is kept for orders and cancellations"

_T = TypeVar("_T")


class Reads:
    """Asks, and says what was answered."""

    def __init__(
        self,
        *,
        venue: Venue,
        rest: Rest,
        time: VenueTime,
        markets: MarketList,
        pace: Pace,
        bring: Callable[[FromOutside], None],
    ) -> None:
        self._venue: Final = venue
        self._rest: Final = rest
        self._time: Final = time
        self._markets: Final = markets
        self._pace: Final = pace
        self._bring: Final = bring

    async def answer(self, wanted: Read) -> None:
        """Ask, and say what came of it; routine is not asked where little is left of what the venue grants a minute."""
        if self._rest.is_kept and is_routine(wanted):
            self._bring(failed(wanted, KEPT))
            return
        # The venue answers after it was asked: what its clock had passed by now it has passed then, too.
        venue_time_ns = self._time.at_least_ns()
        if isinstance(wanted, ReadWorth):
            self._bring(await self._worth(wanted, venue_time_ns))
            return
        heard = await self._heard(self._asking(wanted))
        self._bring(told(wanted, heard, venue_time_ns, self._venue, self._markets.symbols))

    async def rights(self) -> KeyRights | Failure:
        """Ask what our key may do. Whatever does not say so, a 404 of somebody on the way too, says nothing of it."""
        return answer_read(await self._heard(self._venue.rights_asked), self._venue, self._venue.rights_read)

    async def _worth(self, wanted: ReadWorth, venue_time_ns: int) -> WorthRead:
        """Read the balances, and then the prices: whatever is bought in between is not counted twice."""
        venue, number = self._venue, wanted.read_number
        balances, failure = _found(answer_read(await self._heard(venue.account_asked), venue, venue.account_read))
        market_ids = [self._markets.market_id(symbol) for symbol in wanted.symbols if self._markets.lists(symbol)]
        if failure is not None or not market_ids:
            return WorthRead(number, balances, {}, venue_time_ns, failure)
        heard = await self._rest.ask(venue.bids_asked(market_ids), seconds=self._pace.read_seconds)
        bids = answer_read(heard, venue, lambda body: venue.bids_read(body, self._markets.symbols))
        if isinstance(bids, Failure):
            return WorthRead(number, balances, {}, venue_time_ns, bids.reason)
        return WorthRead(number, balances, bids, venue_time_ns, None)

    def _asking(self, wanted: OneRequest) -> Request:
        venue = self._venue
        match wanted:
            case ReadOrder(_, symbol):
                return venue.order_asked(wanted, self._markets.market_id(symbol))
            case ReadTrades(_, symbol):
                return venue.trades_asked(wanted, self._markets.market_id(symbol))
            case ReadOpenOrders():
                return venue.open_orders_asked
            case ReadAccount():
                return venue.account_asked

    async def _heard(self, request: Request) -> Heard:
        stamp_ms = self._time.stamp_ms()
        if stamp_ms is None:
            return Silence("the venue's time is not known yet", may_have_left=False)
        heard = await self._rest.ask_signed(
            request,
            stamp_ms=stamp_ms,
            window_ms=self._pace.read_window_seconds * MS_PER_SECOND,
            seconds=self._pace.read_seconds,
        )
        self._time.heed(heard)
        return heard


def told(
    wanted: OneRequest,
    heard: Heard,
    venue_time_ns: int,
    venue: Venue,
    symbols: Symbols,
) -> FromOutside:
    """Return what is told of a question, by what was answered; `venue_time_ns` had passed when it was asked."""
    match wanted:
        case ReadOrder(client_order_id):
            found = order_found(heard, wanted, venue, symbols)
            if isinstance(found, Failure):
                return OrderRead(client_order_id, None, venue_time_ns, found.reason)
            return OrderRead(client_order_id, None if isinstance(found, NoSuchOrder) else found, venue_time_ns, None)
        case ReadOpenOrders(number):
            orders, failure = _found(answer_read(heard, venue, lambda body: venue.orders_read(body, symbols)))
            return OpenOrdersRead(number, orders, failure)
        case ReadTrades(number, symbol):
            trades, failure = _found(trades_found(heard, wanted, venue, symbols))
            return TradesRead(number, symbol, trades, failure)
        case ReadAccount(number):
            balances, failure = _found(answer_read(heard, venue, venue.account_read))
            return AccountRead(number, balances, venue_time_ns, failure)


def failed(wanted: Read, reason: str) -> FromOutside:
    """Return what is told of a question that is not asked."""
    match wanted:
        case ReadOrder(client_order_id):
            return OrderRead(client_order_id, None, 0, reason)
        case ReadOpenOrders(number):
            return OpenOrdersRead(number, (), reason)
        case ReadTrades(number, symbol):
            return TradesRead(number, symbol, (), reason)
        case ReadAccount(number):
            return AccountRead(number, (), 0, reason)
        case ReadWorth(number):
            return WorthRead(number, (), {}, 0, reason)


def _found(rows: tuple[_T, ...] | Failure) -> tuple[tuple[_T, ...], str | None]:
    return ((), rows.reason) if isinstance(rows, Failure) else (rows, None)
