"""The seam for faults: what an interference may do to requests, answers, records and events."""

import asyncio
from collections.abc import Callable

import ccxt
import pytest

from services.sim_exchange.face.interference import Call, HangUpError, NoInterference, Outgoing, Reply
from services.sim_exchange.face.records import Records
from services.sim_exchange.venue.exchange import Exchange
from services.sim_exchange.venue.vocabulary import OrderChanged
from tests.services.sim_exchange.face.venue import Binance, ccxt_client, serving

SYMBOL = "BTC/USDT"
PLACE = "POST /api/v3/order"

First = Callable[[], Reply | None]
Last = Callable[[Reply], Reply]


class Trouble(NoInterference):
    """An interference that a test makes of functions; it remembers every call."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.first: First = lambda: None
        self.last: Last = lambda reply: reply
        self.instead: Records | None = None

    async def before(self, call: Call) -> Reply | None:
        """Do first to the placing of an order what the test says."""
        self.calls.append(call)
        return self.first() if call.endpoint == PLACE else None

    async def after(self, call: Call, reply: Reply) -> Reply:
        """Do last to the answer what the test says."""
        return self.last(reply) if call.endpoint == PLACE else reply

    def records(self, call: Call, current: Records) -> Records:
        """Let everybody read what the test says."""
        del call
        return self.instead or current

    def told(self, outgoing: Outgoing) -> tuple[Outgoing, ...]:
        """Tell everything twice."""
        return outgoing, outgoing


def hang_up(*_: object) -> Reply:
    """End the connection."""
    raise HangUpError


async def place(client: Binance) -> None:
    """Place an order."""
    await client.create_order(SYMBOL, "limit", "buy", 0.01, 58_000, {"clientOrderId": "mine"})


async def is_placed(client: Binance) -> bool:
    """Say whether the order is there."""
    return bool(await client.fetch_open_orders(SYMBOL))


async def test_request_that_is_dropped_was_not_carried_out() -> None:
    """The connection ends before anything was done."""
    trouble = Trouble()
    async with serving(trouble) as venue, ccxt_client(venue, maxRetriesOnFailure=0) as client:
        trouble.first = hang_up
        with pytest.raises(ccxt.NetworkError):
            await place(client)
        assert not await is_placed(client)
        [call, *_] = [call for call in trouble.calls if call.endpoint == PLACE]
        assert (call.account, call.symbol, call.sent["newClientOrderId"]) == ("alice", "BTCUSDT", "mine")


async def test_answer_that_is_dropped_was_carried_out() -> None:
    """The connection ends, and the order is there, written down before the answer was lost."""
    trouble = Trouble()
    async with serving(trouble) as venue, ccxt_client(venue, maxRetriesOnFailure=0) as client:
        trouble.last = hang_up
        with pytest.raises(ccxt.NetworkError):
            await place(client)
        assert await is_placed(client)


async def test_answer_leaves_after_what_it_says_was_written_down() -> None:
    """By the time there is an answer the venue's own log has had the order."""
    trouble, written = Trouble(), list[str]()
    async with serving(trouble) as venue, ccxt_client(venue) as client:

        def look(reply: Reply) -> Reply:
            written.extend(event.order.client_id for event in venue.told if isinstance(event, OrderChanged))
            return reply

        trouble.last = look
        await place(client)
        assert written[-1] == "mine"


async def test_answer_of_another_is_given_with_or_without_the_deed() -> None:
    """A gateway's error instead of the venue's answer leaves the order placed, or not."""
    trouble = Trouble()
    broken = Reply(status=502, body=b"<html>bad gateway</html>")
    async with serving(trouble) as venue, ccxt_client(venue, maxRetriesOnFailure=0) as client:
        trouble.first = lambda: broken
        with pytest.raises(ccxt.ExchangeNotAvailable):
            await place(client)
        assert not await is_placed(client)
        trouble.first, trouble.last = lambda: None, lambda _: broken
        with pytest.raises(ccxt.ExchangeNotAvailable):
            await place(client)
        assert await is_placed(client)


async def test_request_that_waited_too_long_is_not_matched() -> None:
    """What was in time when it came, and is not when it would be matched, is refused."""
    trouble = Trouble()
    async with serving(trouble) as venue, ccxt_client(venue) as client:

        def wait() -> None:
            venue.clock.offset_ms += 20_000

        trouble.first = wait
        with pytest.raises(ccxt.InvalidNonce):
            await place(client)
        venue.clock.offset_ms = 0
        trouble.first = lambda: None
        assert not await is_placed(client)


async def test_records_may_be_older_than_the_venue() -> None:
    """An order that was placed is not found while the reads are answered from before it."""
    trouble = Trouble()
    async with serving(trouble) as venue, ccxt_client(venue) as client:
        trouble.instead = replica = Exchange()
        for event in venue.told:
            replica.restore(event)
        await place(client)
        with pytest.raises(ccxt.OrderNotFound):
            await client.fetch_order(None, SYMBOL, {"clientOrderId": "mine"})
        replica.restore(next(event for event in reversed(venue.told) if isinstance(event, OrderChanged)))
        assert (await client.fetch_order(None, SYMBOL, {"clientOrderId": "mine"}))["status"] == "open"


async def test_tick_that_fails_is_not_the_end_of_ticking_alone() -> None:
    """What it raises reaches the loop, which ends the process: a venue whose time stands still serves nobody."""

    class Failing(NoInterference):
        def tick(self) -> tuple[()]:
            raise ZeroDivisionError

    loop = asyncio.get_running_loop()
    seen: asyncio.Future[object] = loop.create_future()
    loop.set_exception_handler(lambda _, context: seen.set_result(context.get("exception")))
    async with serving(Failing()):
        assert isinstance(await asyncio.wait_for(seen, 90), ZeroDivisionError)
