"""A feed-handler's process: `python -m services.feed_handler [feed-2]`."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from services.feed_handler.core import FeedCore
from services.feed_handler.link.venue_link import VenueLink
from services.feed_handler.silence import QUIET_NS
from services.feed_handler.symbol_desk import DeskSettings
from services.feed_handler.venues.catalog import VENUES
from shared.market.quality import GateSettings
from shared.market.timeframe import timeframe
from shared.mesh.clock import SystemClock
from shared.mesh.exit_codes import UNUSABLE
from shared.mesh.service import Plan, run
from shared.mesh.service.start import PROJECT
from shared.mesh.settings import Settings, SettingsError, load_configuration
from shared.mesh.settings.unread_markets import FIRST, symbols_of_first_feed

NS_PER_SECOND: Final = 1_000_000_000
MINUTE_NS: Final = 60 * NS_PER_SECOND


class FeedRefusedError(Exception):
    """There is nothing to read for this instance; the message says what, and what to change."""


@dataclass(frozen=True)
class Reading:
    """What one instance reads."""

    venue: str
    symbols: tuple[str, ...]
    books: tuple[str, ...]
    url: str


def reading_of(instance: str, settings: Settings) -> Reading:
    """Return what an instance reads: the first what is traded and no other reads, the others what they are told."""
    trades_at: str = settings.venue.name
    further = {feed.instance: feed for feed in settings.feed.further}
    if instance == FIRST:
        venue, symbols = trades_at, symbols_of_first_feed(settings)
        if not symbols:
            raise FeedRefusedError(
                "feed.others reads every symbol of venue.symbols: leave one to the feed called feed, or take the "
                "program feed out of supervisord.conf"
            )
    elif instance in further:
        venue, symbols = further[instance].venue, further[instance].symbols
    else:
        known = ", ".join((FIRST, *further))
        raise FeedRefusedError(f"feed.others names no {instance}; there are {known}: add it there")
    books = tuple(symbol for symbol in settings.feed.books if symbol in symbols)
    return Reading(venue, symbols, books, (settings.venue_address or "") if venue == trades_at else "")


def plan_of(instance: str, settings: Settings) -> Plan:
    """Put the core and the link of an instance together."""
    reading, chosen, clock = reading_of(instance, settings), settings.feed, SystemClock()
    gate = GateSettings(
        spike_band_fraction=chosen.spike_fraction, stale_after_ns=chosen.stale_after_seconds * NS_PER_SECOND
    )
    desk = DeskSettings(
        venue=reading.venue,
        timeframes=tuple(timeframe(name) for name in chosen.timeframes),
        told_by_venue=VENUES[reading.venue].candle_timeframes,
        look_every_ns=max(QUIET_NS["trades"], len(reading.symbols) * MINUTE_NS // VENUES[reading.venue].looks_a_minute),
        tells_seconds=VENUES[reading.venue].tells_seconds,
        gate=gate,
    )
    link = VenueLink(
        venue=reading.venue,
        symbols=reading.symbols,
        book_symbols=reading.books,
        url=reading.url,
        clock=clock,
        draws=Random(),  # noqa: S311  # only how long to wait before another attempt
    )
    return Plan(
        instance=instance,
        core=FeedCore(desk, reading.symbols, books=reading.books),
        says=("counts",),
        publishes_market=True,
        outside=link,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Read market data until told to stop, and return the exit code."""
    parser = argparse.ArgumentParser(prog="feed", description=__doc__)
    parser.add_argument("instance", nargs="?", default=FIRST, help="which of the feeds in feed.others; feed if none")
    parser.add_argument("--root", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    instance: str = arguments.instance
    root: Path = arguments.root
    try:
        plan = plan_of(instance, load_configuration(root=root, environment=os.environ).settings)
    except (FeedRefusedError, SettingsError) as error:
        sys.stderr.write(f"{instance}: {error}\n")
        return UNUSABLE
    return run(plan, root=root)


if __name__ == "__main__":
    sys.exit(main())
