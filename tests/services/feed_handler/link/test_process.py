"""A link to an exchange that is a process of its own, which freezes, dies and comes back."""

import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio

from services.feed_handler.vocabulary import Came, StreamLost, VenueClock
from shared.market.observations import Trade
from tests.services.feed_handler.link.linked import BRISK, KINDS, Linked, linked
from tests.services.sim_exchange.exchange_process import ExchangeProject

TRADED = 5  # trades that show that the market is alive


@pytest.fixture
def project() -> Iterator[ExchangeProject]:
    """Return a project whose exchange is not started yet."""
    with ExchangeProject() as opened:
        yield opened


@pytest_asyncio.fixture
async def waiting_link(project: ExchangeProject) -> AsyncIterator[Linked]:
    """Return a link to where the exchange will be."""
    async with linked(f"http://127.0.0.1:{project.port}", pace=replace(BRISK, dial_seconds=1)) as opened:
        yield opened


async def trades_come(opened: Linked) -> None:
    """Wait for a few trades from now on."""
    for _ in range(TRADED):
        await opened.brought.next(Came, lambda came: isinstance(came.told[0], Trade))


async def all_lost(opened: Linked) -> list[StreamLost]:
    """Wait until every stream is said to be lost, and return with which words first."""
    brought = opened.brought
    before = len(brought.of(StreamLost))
    await brought.until(lambda: {lost.kind for lost in brought.of(StreamLost)[before:]} == set(KINDS))
    return brought.of(StreamLost)[before:]


async def test_exchange_that_dies_and_comes_back(project: ExchangeProject, waiting_link: Linked) -> None:
    """A link waits for the first start of its venue, sees each of its deaths at once, and is there when it is back."""
    for _ in range(2):
        process = project.start()
        await waiting_link.brought.flows(*KINDS)
        await trades_come(waiting_link)
        process.send_signal(signal.SIGKILL)
        lost = await all_lost(waiting_link)
        assert lost[0].reason == "Connection closed by remote server, closing code 1006"
        process.wait()


async def test_exchange_that_freezes_is_noticed(project: ExchangeProject, waiting_link: Linked) -> None:
    """Sockets that are open and answer nothing are found dead, and everything flows when the venue thaws."""
    process = project.start()
    await waiting_link.brought.flows(*KINDS)
    await trades_come(waiting_link)
    process.send_signal(signal.SIGSTOP)
    lost = await all_lost(waiting_link)
    for kind in KINDS:  # one may be dialled anew, in vain, before the last is found dead
        first = next(one for one in lost if one.kind == kind)
        assert first.reason.endswith("timed out due to a ping-pong keepalive missing on time")
    again = await waiting_link.brought.next(StreamLost)
    assert again.reason == "Connection timeout"
    process.send_signal(signal.SIGCONT)
    await waiting_link.brought.flows(*KINDS)
    await trades_come(waiting_link)
    await waiting_link.brought.next(VenueClock)
