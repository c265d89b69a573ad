"""A process that opens a link, waits for its first word, and ends as a service does: by hanging up and going."""

import asyncio
import sys
from random import Random

from services.feed_handler.link.venue_link import VenueLink
from services.feed_handler.vocabulary import FetchBook, StreamLost, StreamOpened
from shared.core.service import FromOutside
from shared.mesh.clock import SystemClock
from shared.mesh.loop import run_on_loop
from tests.services.feed_handler.link.linked import BRISK, SYMBOL


async def main(url: str, patience_seconds: float) -> None:
    """Hang up when something was said of a stream, or nothing for so long."""
    said = asyncio.Event()

    def bring(happening: FromOutside) -> None:
        if isinstance(happening, StreamOpened | StreamLost):
            said.set()

    link = VenueLink(
        venue="binance",
        symbols=(SYMBOL,),
        book_symbols=(SYMBOL,),
        url=url,
        clock=SystemClock(),
        draws=Random(7),  # noqa: S311  # waits that can be repeated
        pace=BRISK,
    )
    link.open(bring)
    link.perform(FetchBook(SYMBOL))
    await asyncio.wait({asyncio.ensure_future(said.wait())}, timeout=patience_seconds)
    link.close()


if __name__ == "__main__":
    run_on_loop(main(sys.argv[1], float(sys.argv[2])))
