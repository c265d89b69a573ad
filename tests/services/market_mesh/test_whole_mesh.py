"""Ticks leave the exchange and arrive in a subscriber, in Redis and on the page, whatever is killed meanwhile."""

import json
import os
import re
import signal
from collections.abc import Iterator

import pytest

from tests.services.feed_handler.reader import Reader
from tests.services.feed_handler.truth import aggregates, assert_true, folded
from tests.services.market_mesh.whole_mesh import SYMBOL, WholeMesh

INSTANCES = ("exchange", "feed", "metrics", "redis", "risk")
FIRST_FILL_PATIENCE_S = (
    400  # after a feed that was killed it may wait six minutes, see docs/how-does-a-strategy-decide.md
)
HASH = f"bowline:symbol:binance:{SYMBOL}"


@pytest.fixture(scope="module")
def mesh() -> Iterator[WholeMesh]:
    """Run one mesh for all tests of this file."""
    with WholeMesh() as running:
        yield running


async def assert_ticks_arrive_everywhere(mesh: WholeMesh) -> None:
    """See a price change in the subscriber, in Redis and on the page."""
    async with Reader(mesh.root) as reader, mesh.redis() as redis:
        await reader.until(lambda: len(reader.trade_ids()) > 2)
        before = await redis.hget(HASH, "last_price")
        async with reader.patience():
            while await redis.hget(HASH, "last_price") in {before, None}:
                await reader.pause()
    page = await mesh.page()
    assert re.search(rf'^bowline_symbol_bid_price{{.*symbol="{SYMBOL}".*}} \d', page, re.MULTILINE)


async def test_ticks_arrive_everywhere(mesh: WholeMesh) -> None:
    """A subscriber, Redis and the page for Prometheus have the prices of the exchange."""
    await mesh.until(mesh.is_fresh)
    await assert_ticks_arrive_everywhere(mesh)
    assert mesh.measured()["store"] == "up"


@pytest.mark.parametrize("instance", INSTANCES)
async def test_whoever_is_killed_comes_back_and_the_others_go_on(mesh: WholeMesh, instance: str) -> None:
    """After kill -9 the process is back, no other was started anew, and ticks arrive everywhere again."""
    before = mesh.process_ids()
    os.kill(before[instance], signal.SIGKILL)
    await mesh.until(lambda: mesh.process_ids().get(instance) not in {before[instance], None})
    await mesh.until(mesh.is_fresh)
    await mesh.until(lambda: mesh.measured()["store"] == "up")
    after = mesh.process_ids()
    assert {name: after[name] for name in before if name != instance} == {
        name: before[name] for name in before if name != instance
    }
    await assert_ticks_arrive_everywhere(mesh)


@pytest.mark.parametrize("instance", INSTANCES)
async def test_whoever_stands_still_is_noticed_and_goes_on(mesh: WholeMesh, instance: str) -> None:
    """A process that is stopped shows; when it goes on, so does all else, and nobody was started anew."""
    before = mesh.process_ids()
    os.kill(before[instance], signal.SIGSTOP)
    await mesh.until(lambda: not mesh.measured().get("well", False))
    os.kill(before[instance], signal.SIGCONT)
    await mesh.until(mesh.is_fresh)
    await mesh.until(lambda: mesh.measured()["store"] == "up")
    assert mesh.process_ids() == before
    await assert_ticks_arrive_everywhere(mesh)


async def test_a_redis_that_is_flushed_fills_again(mesh: WholeMesh) -> None:
    """Whoever empties Redis loses nothing that does not come again within moments."""
    async with mesh.redis() as redis:
        await redis.flushall()
    await assert_ticks_arrive_everywhere(mesh)


async def test_closed_bars_are_the_fold_of_the_exchanges_own_trades(mesh: WholeMesh) -> None:
    """After all of that, bars that say they are whole are what the exchange's own record of trades makes."""
    async with Reader(mesh.root) as reader:
        await reader.until(lambda: len(reader.bars()) >= 3)
        truth = folded(aggregates(mesh.port, "BTCUSDT"), "1s")
        assert_true(reader.bars(), truth)
        asked = await reader.ask_bars("1s", 60)
        assert {bar.open_time_ns for bar in asked} & truth.keys()


async def test_what_it_trades_leads_back_to_its_bar(mesh: WholeMesh) -> None:
    """The demonstration trades, and `why` tells of a purchase on which bar it was decided."""

    def purchases() -> list[str]:
        fills = map(json.loads, mesh.verb("fills", "--json").splitlines())
        return [fill["order"] for fill in fills if fill["side"] == "buy"]

    await mesh.until(purchases, patience_s=FIRST_FILL_PATIENCE_S)
    assert re.search(r"^bar 5s of \w+/USDT that closed at ", mesh.verb("why", purchases()[0]), re.MULTILINE)
