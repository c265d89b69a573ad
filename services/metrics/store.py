"""Writes the measures into Redis, for as long as it lets us; a cache of what the mesh knows, never the truth.

One task writes, and holds the newest measures only: while Redis is slow, what is older is left out and counted. Each
write is bounded in time. Whatever is wrong with Redis is told to the core, and tried again a little later.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from proto.measures import MeasuresGiven
from services.metrics.core.vocabulary import StoreChanged, StoreState
from services.metrics.redis_commands import commands_for
from shared.mesh.redis_place import OtherRedis, OwnRedis

WRITE_S: Final = 2.0
ANSWER_S: Final = 1.0
PAUSE_LEAST_S: Final = 0.25
PAUSE_MOST_S: Final = 5.0
# Beside us Redis is started too: not to be there yet is no news.
PATIENCE_S: Final = 5.0
ABSENT: Final = "nobody listens, or the connection broke"

Tell = Callable[[StoreChanged], None]


class StoreCounts:
    """What became of the writings; the reasons are those of `trouble_of`."""

    def __init__(self) -> None:
        self.written = 0
        self.left_out = 0
        self.failed: Final[Counter[str]] = Counter()

    def copy(self) -> "StoreCounts":
        """Return the counts of this moment."""
        copied = StoreCounts()
        copied.written, copied.left_out = self.written, self.left_out
        copied.failed.update(self.failed)
        return copied


class Store:
    """The one connection to Redis."""

    def __init__(self, place: OwnRedis | OtherRedis, *, tell: Tell, random: Random, counts: StoreCounts) -> None:
        self._tell: Final = tell
        self._random: Final = random
        self._counts: Final = counts
        self._redis: Final = _client(place)
        self._newest: MeasuresGiven | None = None
        self._offered: Final = asyncio.Event()
        self._state: StoreState = "connecting"
        self._reason: str | None = None

    def offer(self, measures: MeasuresGiven) -> None:
        """Have these written next, in the place of any that wait."""
        if self._newest is not None:
            self._counts.left_out += 1
        self._newest = measures
        self._offered.set()

    async def write_for_ever(self) -> None:
        """Write whatever is offered, until cancelled."""
        try:
            await self._write_whatever_is_offered()
        finally:
            await self._let_go()

    async def _write_whatever_is_offered(self) -> None:
        loop = asyncio.get_running_loop()
        patient_until, pause_s = loop.time() + PATIENCE_S, PAUSE_LEAST_S
        while True:
            _end_if_asked()
            measures = await self._next()
            try:
                async with asyncio.timeout(WRITE_S):
                    await self._write(measures)
            except (RedisError, OSError, TimeoutError) as error:
                _end_if_asked()
                state, reason = trouble_of(error)
                self._counts.failed[reason] += 1
                if reason != ABSENT or self._state != "connecting" or loop.time() > patient_until:
                    self._become(state, reason)
                await self._let_go()
                await asyncio.sleep(pause_s * self._random.uniform(0.5, 1))
                pause_s = min(pause_s * 2, PAUSE_MOST_S)
            else:
                self._counts.written += 1
                self._become("up", None)
                pause_s = PAUSE_LEAST_S

    async def _next(self) -> MeasuresGiven:
        await self._offered.wait()
        self._offered.clear()
        measures, self._newest = self._newest, None
        assert measures is not None, "it is set before the event is"
        return measures

    async def _write(self, measures: MeasuresGiven) -> None:
        """Perform all commands at once. A history under whose key something else stands begins anew."""
        commands = list(commands_for(measures))
        async with self._redis.pipeline(transaction=True) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            answers = await pipeline.execute(raise_on_error=False)
        no_histories: set[str] = set()
        for command, answer in zip(commands, answers, strict=True):
            if isinstance(answer, ResponseError):
                if "WRONGTYPE" not in str(answer):
                    raise answer
                no_histories.add(str(command[1]))
        if no_histories:
            await self._redis.delete(*no_histories)

    async def _let_go(self) -> None:
        """Drop the connection: what may still come over it answers what was given up."""
        with suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                await self._redis.connection_pool.disconnect()

    def _become(self, state: StoreState, reason: str | None) -> None:
        if (state, reason) != (self._state, self._reason):
            self._state, self._reason = state, reason
            self._tell(StoreChanged(state, reason))


def _end_if_asked() -> None:
    """End when somebody wants that: the client may have taken being cancelled for trouble with its connection."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def trouble_of(error: Exception) -> tuple[StoreState, str]:
    """Return the state an error means, and a few words of our own: a server's might hold anything."""
    match error:
        case OutOfMemoryError():
            return "full", "out of memory"
        case ReadOnlyError():
            return "down", "a read-only replica"
        case AuthenticationError() | AuthorizationError() | NoPermissionError():
            return "down", "it does not admit us: see REDIS_URL"
        case BusyLoadingError():
            return "down", "it loads its data"
        case RedisTimeoutError() | TimeoutError():
            return "down", f"no answer within {ANSWER_S:g} s"
        case RedisConnectionError() | OSError():
            return "down", ABSENT
        case _:
            return "down", "it answers with an error"


def _client(place: OwnRedis | OtherRedis) -> Redis:
    # Trying again is our own business: nothing is done behind our back for longer than a write may take.
    retry = Retry(NoBackoff(), 0)
    if isinstance(place, OwnRedis):
        return Redis(
            unix_socket_path=str(place.socket),
            socket_timeout=ANSWER_S,
            socket_connect_timeout=ANSWER_S,
            retry=retry,
            max_connections=1,
        )
    return Redis.from_url(
        place.url.get_secret_value(),
        socket_timeout=ANSWER_S,
        socket_connect_timeout=ANSWER_S,
        retry=retry,
        max_connections=1,
    )
