"""The way to one account at one venue. It brings what the venue says, and decides nothing."""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Final

from shared.core.service import FromOutside, Outward
from shared.execution.vocabulary import (
    CancelOrder,
    CancelSent,
    KeyRightsTold,
    NotSent,
    OrderSent,
    ReadAccount,
    ReadOpenOrders,
    ReadOrder,
    ReadTrades,
    ReadWorth,
    SendOrder,
)
from shared.mesh.backoff import Backoff
from shared.mesh.clock import Clock
from shared.mesh.gateway.classification import Failure
from shared.mesh.gateway.client import Exchange, hang_up, venue_client
from shared.mesh.gateway.market_list import MarketList
from shared.mesh.gateway.orders import Orders
from shared.mesh.gateway.pace import Pace
from shared.mesh.gateway.private_stream import PrivateStream
from shared.mesh.gateway.questions import Questions, Read
from shared.mesh.gateway.reads import Reads, failed
from shared.mesh.gateway.rest import Rest
from shared.mesh.gateway.stream_connection import StreamConnection
from shared.mesh.gateway.venue_time import VenueTime
from shared.mesh.gateway.venues.catalog import VENUES
from shared.mesh.service.plan import OutsideUnusableError
from shared.mesh.service.watching import watched
from shared.mesh.settings import Credentials
from shared.mesh.venue_key import KeySource


class Gateway:
    """Sends orders and cancellations at once and once, reads a few at a time, and tells what the venue tells.

    With a `url` everything is there instead of at the venue's own hosts. `draws` are for the waits before attempts. No
    entry is signed while `is_halted` says so, which is asked before each.
    """

    def __init__(
        self,
        *,
        venue: str,
        url: str,
        key: KeySource,
        clock: Clock,
        draws: Random,
        is_halted: Callable[[], bool],
        pace: Pace | None = None,
    ) -> None:
        self._name: Final = venue
        self._venue: Final = VENUES[venue]
        self._url: Final = url
        self._key: Final = key
        self._clock: Final = clock
        self._draws: Final = draws
        self._is_halted: Final = is_halted
        self._pace: Final = pace or Pace()
        self._orders: Orders | None = None
        self._questions: Final = Questions(waiting_max=self._pace.reads_waiting_max)
        self._sending: Final[set[asyncio.Task[None]]] = set()
        self._running: asyncio.Task[None] | None = None

    def open(self, bring: Callable[[FromOutside], None]) -> None:
        """Begin: find the key, learn the rules and the time; then everything at once, and see what the key may do."""
        self._bring: Callable[[FromOutside], None] = bring
        self._running = watched(self._run())

    def perform(self, effect: Outward) -> None:
        """Do what the core wants; what comes of it is brought later."""
        match effect:
            case SendOrder():
                self._send(effect, lambda orders: orders.send(effect))
            case CancelOrder():
                self._send(effect, lambda orders: orders.cancel(effect))
            case ReadOrder() | ReadOpenOrders() | ReadTrades() | ReadAccount() | ReadWorth():
                self._read(effect)
            case _:
                raise AssertionError(f"nobody wants {effect} of the gateway to a venue")

    def close(self) -> None:
        """Hang up. What is under way is not finished."""
        for task in (*self._sending, *([] if self._running is None else [self._running])):
            task.cancel()

    def _send(self, effect: SendOrder | CancelOrder, work: Callable[[Orders], Coroutine[object, object, None]]) -> None:
        if self._orders is None:
            self._bring(_not_sent(effect, "the venue is not reached yet"))
        elif len(self._sending) >= self._pace.sends_at_once_max:
            self._bring(_not_sent(effect, f"{self._pace.sends_at_once_max} others are under way"))
        else:
            task = watched(work(self._orders))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    def _read(self, effect: Read) -> None:
        if not self._questions.add(effect):
            self._bring(failed(effect, f"{self._pace.reads_waiting_max} others are waiting"))

    async def _run(self) -> None:
        stream = PrivateStream(bring=self._bring, backoff=self._backoff(), clock=self._clock, pace=self._pace)
        exchange = venue_client(self._venue, url=self._url, credentials=await self._credentials(stream))
        rest = Rest(exchange=exchange, venue=self._venue, clock=self._clock, pace=self._pace, bring=self._bring)
        try:
            await self._serve(exchange, rest, stream)
        finally:
            self._orders = None
            await hang_up(exchange)

    async def _credentials(self, stream: PrivateStream) -> Credentials:
        backoff = self._backoff()
        while (found := self._key.read()) is None:
            stream.lost(self._key.missing)
            await asyncio.sleep(backoff.next_seconds())
        return found

    async def _serve(self, exchange: Exchange, rest: Rest, stream: PrivateStream) -> None:
        venue, pace, bring = self._venue, self._pace, self._bring
        markets = MarketList(venue=venue, rest=rest, bring=bring, backoff=self._backoff(), pace=pace)
        time = VenueTime(venue=venue, rest=rest, bring=bring, backoff=self._backoff(), clock=self._clock, pace=pace)
        reads = Reads(venue=venue, rest=rest, time=time, markets=markets, pace=pace, bring=bring)
        await markets.load(lambda reason: stream.lost(f"the venue does not say what it trades: {reason}"))
        await time.measure()
        bring(KeyRightsTold("it was not asked yet"))
        self._orders = Orders(
            venue=venue,
            rest=rest,
            time=time,
            markets=markets,
            clock=self._clock,
            is_halted=self._is_halted,
            pace=pace,
            bring=bring,
            on_acknowledged=stream.expect,
        )

        def connect() -> StreamConnection:
            return StreamConnection(
                exchange=exchange, venue=venue, time=time, markets=markets, tell=stream.tell, pace=pace
            )

        unusable: Exception | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._check_rights(rest, reads))
                tasks.create_task(time.keep())
                tasks.create_task(markets.keep())
                tasks.create_task(stream.keep(connect, rest))
                for _ in range(pace.reads_at_once):
                    tasks.create_task(self._work_off(reads, with_routine=True))
                for _ in range(pace.urgent_reads_at_once):
                    tasks.create_task(self._work_off(reads, with_routine=False))
        except* OutsideUnusableError as group:
            unusable = group.exceptions[0]
        if unusable is not None:
            raise unusable

    async def _check_rights(self, rest: Rest, reads: Reads) -> None:
        """See what the key may do. One that could take the money away is not used, whoever might find it.

        The venue answers this elsewhere than it trades: as long as it does not, whatever reduces risk goes on.
        """
        backoff = self._backoff()
        while True:
            rights = await reads.rights()
            if not isinstance(rights, Failure):
                break
            self._bring(KeyRightsTold(rights.reason))
            await asyncio.sleep(max(backoff.next_seconds(), rest.wait_seconds()))
        if rights.may_withdraw:
            raise OutsideUnusableError(
                f"the key for {self._name} may withdraw: take that right from it at the exchange, or make another key"
            )
        if not rights.may_trade:
            raise OutsideUnusableError(f"the key for {self._name} may not trade: give it that right at the exchange")
        self._bring(KeyRightsTold(None, rights.is_bound))

    async def _work_off(self, reads: Reads, *, with_routine: bool) -> None:
        while True:
            await reads.answer(await self._questions.next(with_routine=with_routine))

    def _backoff(self) -> Backoff:
        return self._pace.backoff(self._draws)


def _not_sent(effect: SendOrder | CancelOrder, reason: str) -> OrderSent | CancelSent:
    if isinstance(effect, SendOrder):
        return OrderSent(effect.client_order_id, NotSent(reason), None)
    return CancelSent(effect.client_order_id, NotSent(reason))
