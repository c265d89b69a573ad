"""The store against real servers that fail in every way they know; nothing of it reaches whoever offers."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import pytest
from pydantic import SecretStr

from proto.market import SymbolDoubted
from services.metrics.core.vocabulary import StoreChanged
from services.metrics.redis_commands import HISTORY_POINTS_MAX
from services.metrics.store import Store, StoreCounts
from shared.mesh.redis_place import OtherRedis, OwnRedis
from tests.house.tree import CHECKOUT
from tests.services.metrics.gathering import NOON_NS, Gathering, a_beat, a_hello, a_quote, a_trade
from tests.services.metrics.redis_server import PATIENCE_S, RedisServer, programs

SYMBOL: Final = "bowline:symbol:binance:BTC/USDT"
HISTORY: Final = "bowline:history:binance:BTC/USDT"


class Writing:
    """A store at work, offered measures every hundredth of a second."""

    def __init__(self, place: OwnRedis | OtherRedis) -> None:
        self.told: Final[list[StoreChanged]] = []
        self.counts: Final = StoreCounts()
        self.gathering: Final = Gathering()
        self.gathering.hear("feed", a_hello())
        self.gathering.hear("feed", a_beat())
        self.gathering.see(a_quote(64000.12, 64000.13))
        self.gathering.see(a_trade())
        self.store: Final = Store(place, tell=self.told.append, random=Random(7), counts=self.counts)  # noqa: S311 -- a test's

    @property
    def state(self) -> tuple[str, str | None]:
        """Return what was told last."""
        return (self.told[-1].state, self.told[-1].reason) if self.told else ("connecting", None)

    async def until(self, holds: Callable[[], object]) -> None:
        """Offer measures until something holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self.store.offer(self.gathering.gathered().measures)
                await asyncio.sleep(0.01)


def in_state(store: Writing, state: str) -> bool:
    """Tell whether that was told last."""
    return store.state[0] == state


@asynccontextmanager
async def writing(place: OwnRedis | OtherRedis) -> AsyncIterator[Writing]:
    """Give a store at work, which ends with the test."""
    at_work = Writing(place)
    task = asyncio.ensure_future(at_work.store.write_for_ever())
    try:
        yield at_work
        assert not task.done(), "whatever Redis does, the store goes on"
    finally:
        task.cancel()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(params=sorted(programs()))
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """Start a server of each kind there is."""
    with RedisServer(programs()[request.param]) as server:
        yield server


async def test_latest_values_and_histories_stand_in_redis(server: RedisServer) -> None:
    """Every key is there, with the values of the measures as text, and none lives for ever."""
    async with writing(OwnRedis(server.socket)) as store:
        store.gathering.see(SymbolDoubted(symbol="BTC/USDT", reasons=("spike", "stale quotes")))
        await store.until(lambda: store.counts.written >= 3)
    assert server.names() == {
        "bowline:schema", "bowline:symbols", "bowline:processes", "bowline:process:feed", SYMBOL, HISTORY,
    }  # fmt: skip
    assert all(server.client.ttl(key) > 0 for key in server.names())
    assert server.client.get("bowline:schema") == "1"
    assert server.client.smembers("bowline:symbols") == {"binance:BTC/USDT"}
    assert server.client.smembers("bowline:processes") == {"feed"}
    symbol = server.texts(SYMBOL)
    assert symbol.items() >= {
        "taken_wall_ns": str(NOON_NS), "bid_price": "64000.12", "mid_price": "64000.125", "spread_bps": "0.0016",
        "last_price": "64000.5", "doubts": "spike,stale quotes", "received_age_ns": "0",
    }.items()  # fmt: skip
    assert "exchange_age_ns" not in symbol, "what is not known is left out"
    assert server.texts("bowline:process:feed").items() >= {"state": "running", "epoch": "1", "restarts": "2"}.items()
    point = json.loads(server.client.lrange(HISTORY, 0, 0)[0])
    assert point[:3] == [NOON_NS // 1_000_000, "64000.125", "0.0016"]


async def test_history_is_bounded(server: RedisServer) -> None:
    """However long it was, a history has its bound with the next point, newest first."""
    server.client.lpush(HISTORY, *["[]"] * 1_000)
    async with writing(OwnRedis(server.socket)) as store:
        await store.until(lambda: store.counts.written)
    assert server.client.llen(HISTORY) == HISTORY_POINTS_MAX
    assert server.client.lrange(HISTORY, -1, -1) == ["[]"]  # however often was written meanwhile


async def test_what_is_no_longer_known_is_no_longer_there(server: RedisServer) -> None:
    """A field whose value is gone goes with the next writing: nobody takes it for current."""
    async with writing(OwnRedis(server.socket)) as store:
        await store.until(lambda: server.client.hexists(SYMBOL, "bid_price"))
        server.client.hset(SYMBOL, "of_another_version", "1")
        await store.until(lambda: not server.client.hexists(SYMBOL, "of_another_version"))


async def test_flushed_server_is_full_again_at_once(server: RedisServer) -> None:
    """FLUSHALL costs the histories, and nothing else."""
    async with writing(OwnRedis(server.socket)) as store:
        await store.until(lambda: store.counts.written)
        server.client.flushall()
        written = store.counts.written
        await store.until(lambda: store.counts.written > written + 1)
        assert server.client.hexists(SYMBOL, "bid_price")
        assert store.told == [StoreChanged("up", None)]


async def test_what_somebody_put_under_our_keys_is_replaced(server: RedisServer) -> None:
    """A value of another type under each of our keys is gone after a second, a history's too."""
    async with writing(OwnRedis(server.socket)) as store:
        await store.until(lambda: store.counts.written)
        for key in server.names():
            server.client.set(key, "mine")
        await store.until(lambda: server.client.type(HISTORY) == "list" and server.client.type(SYMBOL) == "hash")
        assert {server.client.type(key) for key in ("bowline:symbols", "bowline:processes")} == {"set"}
        assert (store.state, store.counts.failed.total()) == (("up", None), 0)


async def test_server_without_memory_is_full_until_it_has_some(server: RedisServer) -> None:
    """One that may evict nothing and has no room refuses; that is told, and over as soon as there is room."""
    async with writing(OwnRedis(server.socket)) as store:
        await store.until(lambda: store.counts.written)
        server.client.config_set("maxmemory-policy", "noeviction")
        server.client.config_set("maxmemory", "1")
        await store.until(lambda: store.state == ("full", "out of memory"))
        server.client.config_set("maxmemory", "64mb")
        await store.until(lambda: store.state == ("up", None))


async def test_frozen_server_holds_up_nobody(server: RedisServer) -> None:
    """What does not answer is given up after a second; what was not written is counted; then it goes on."""
    async with writing(OwnRedis(server.socket)) as store:
        await store.until(lambda: store.counts.written)
        server.freeze()
        left_out = store.counts.left_out
        await store.until(lambda: store.state == ("down", "no answer within 1 s"))
        assert store.counts.left_out > left_out + 10
        server.go_on()
        await store.until(lambda: store.state == ("up", None))


async def test_killed_server_is_found_again(server: RedisServer) -> None:
    """While nobody listens that is told, and the next server at the socket is written to."""
    async with writing(OwnRedis(server.socket)) as store:
        await store.until(lambda: store.counts.written)
        server.kill()
        await store.until(lambda: store.state == ("down", "nobody listens, or the connection broke"))
        server.start()
        await store.until(lambda: store.state == ("up", None))
        assert server.client.hexists(SYMBOL, "bid_price")


async def test_replica_is_no_place_to_write(server: RedisServer) -> None:
    """A server that became a read-only replica refuses, until it is its own master again."""
    async with writing(OwnRedis(server.socket)) as store:
        await store.until(lambda: store.counts.written)
        server.client.replicaof("127.0.0.1", "1")
        await store.until(lambda: store.state == ("down", "a read-only replica"))
        server.client.replicaof("NO", "ONE")
        await store.until(lambda: store.state == ("up", None))


@pytest.mark.parametrize("program", sorted(programs()))
async def test_password_is_used_and_never_told(program: str) -> None:
    """With the right password all is well; a wrong one is told as such, without a word of it."""
    with RedisServer(programs()[program], "--requirepass", "CANARY") as server:
        for password, state in (("CANARY", "up"), ("WRONGCANARY", "down")):
            url = SecretStr(f"unix://:{password}@{server.socket}")
            async with writing(OtherRedis(url, "shown")) as store:
                await store.until(partial(in_state, store, state))
                assert not any("CANARY" in str(told) for told in [*store.told, *store.counts.failed])


async def test_server_that_is_not_there_yet_is_no_news(tmp_path: Path) -> None:
    """In the first seconds nobody is alarmed; then it is down."""
    async with writing(OwnRedis(tmp_path / "nobody.sock")) as store:
        await store.until(lambda: store.counts.failed.total() >= 2)
        assert store.told == []
        await store.until(lambda: store.state[0] == "down")


def test_every_key_is_on_the_page() -> None:
    """The page of documentation names each key, with its bound and how long it lives."""
    page = (CHECKOUT / "docs/metrics.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(bowline:[^`]+)` \| (.+) \|$", page, re.MULTILINE))
    assert rows.keys() == {
        "bowline:schema", "bowline:symbols", "bowline:processes", "bowline:symbol:<venue>:<symbol>",
        "bowline:process:<instance>", "bowline:history:<venue>:<symbol>",
    }  # fmt: skip
    assert str(HISTORY_POINTS_MAX) in rows["bowline:history:<venue>:<symbol>"]
