"""A link to an exchange on this host, and what it brought."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

from services.feed_handler.link.pace import Pace
from services.feed_handler.link.venue_link import VenueLink
from services.feed_handler.vocabulary import Came, StreamKind, StreamLost, StreamOpened, Told
from shared.core.service import FromOutside
from shared.mesh.clock import SystemClock

SYMBOL: Final = "BTC/USDT"
KINDS: Final[tuple[StreamKind, ...]] = ("trades", "quotes", "book", "candles")
PATIENCE_S: Final = 90.0  # only a test that fails waits so long
# As fast as a test wants it, and otherwise as the product has it.
BRISK: Final = Pace(
    answer_seconds=2.0,
    farewell_seconds=0.2,
    retry_seconds_first=0.01,
    retry_seconds_max=0.1,
    overlap_seconds=0.2,
    between_requests_seconds=0.01,
    clock_seconds=0.2,
)

_Happened = TypeVar("_Happened", bound=FromOutside)
_Told = TypeVar("_Told", bound=Told)


class Brought:
    """What a link brought, in order."""

    def __init__(self) -> None:
        self.all: Final[list[FromOutside]] = []
        self._more: Final = asyncio.Event()

    def __call__(self, happening: FromOutside) -> None:
        """Take it in."""
        self.all.append(happening)
        self._more.set()

    def of(self, kind: type[_Happened]) -> list[_Happened]:
        """Return what was brought of a kind."""
        return [happening for happening in self.all if isinstance(happening, kind)]

    def told(self, kind: type[_Told]) -> list[_Told]:
        """Return what the venue told of a kind."""
        return [told for came in self.of(Came) for told in came.told if isinstance(told, kind)]

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds of what was brought."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._more.clear()
                await self._more.wait()

    async def next(self, kind: type[_Happened], holds: Callable[[_Happened], object] = bool) -> _Happened:
        """Wait for something that is brought from now on."""
        seen = len(self.all)
        found: list[_Happened] = []

        def has_come() -> bool:
            found.extend(one for one in self.all[seen:] if isinstance(one, kind) and holds(one))
            return bool(found)

        await self.until(has_come)
        return found[0]

    async def flows(self, *kinds: StreamKind) -> None:
        """Wait until streams are open, as far as was said last."""
        await self.until(lambda: all(isinstance(self._last_said(kind), StreamOpened) for kind in kinds))

    def _last_said(self, kind: StreamKind) -> FromOutside | None:
        said = (one for one in reversed(self.all) if isinstance(one, StreamOpened | StreamLost) and one.kind == kind)
        return next(said, None)


@dataclass
class Linked:
    """A link that is open."""

    link: VenueLink
    brought: Brought


@asynccontextmanager
async def linked(
    url: str,
    *,
    symbols: Sequence[str] = (SYMBOL,),
    book_symbols: Sequence[str] = (SYMBOL,),
    venue: str = "binance",
    pace: Pace = BRISK,
) -> AsyncIterator[Linked]:
    """Open a link, and see it close."""
    link = VenueLink(
        venue=venue,
        symbols=symbols,
        book_symbols=book_symbols,
        url=url,
        clock=SystemClock(),
        draws=Random(7),  # noqa: S311  # waits that can be repeated
        pace=pace,
    )
    brought = Brought()
    link.open(brought)
    try:
        yield Linked(link, brought)
    finally:
        link.close()
        running = link._running
        assert running is not None
        await asyncio.wait({running}, timeout=PATIENCE_S)
        assert running.done()
