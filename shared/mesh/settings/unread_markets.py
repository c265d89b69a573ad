"""Which feed reads which symbols, and what is said to be read or decided on and would not be: without a word."""

from collections.abc import Collection, Iterator
from typing import Final

from shared.mesh.settings.loader import Configuration
from shared.mesh.settings.model import Settings
from shared.mesh.settings.problems import Problem
from shared.mesh.settings.strategies import Group

FIRST: Final = "feed"


def symbols_of_first_feed(settings: Settings) -> tuple[str, ...]:
    """Return what the feed called feed reads: what is traded, and no other reads there."""
    here = [feed.symbols for feed in settings.feed.further if feed.venue == settings.venue.name]
    elsewhere = {symbol for symbols in here for symbol in symbols}
    return tuple(symbol for symbol in settings.venue.symbols if symbol not in elsewhere)


def feed_of(settings: Settings, symbol: str) -> str | None:
    """Return the instance that reads what is traded of a symbol, None where nobody does."""
    for feed in settings.feed.further:
        if feed.venue == settings.venue.name and symbol in feed.symbols:
            return feed.instance
    return FIRST if symbol in symbols_of_first_feed(settings) else None


def bars_of_nobody(group: Group, settings: Settings) -> Iterator[str]:
    """Say why a strategy would never see the bars that it is to decide on."""
    for symbol in group.symbols:
        if symbol not in settings.venue.symbols or feed_of(settings, symbol) is None:
            yield f"{symbol} is not traded: add it to venue.symbols, or take it out"
    if group.bar_length not in settings.feed.timeframes:
        made = ", ".join(settings.feed.timeframes)
        yield f"nobody makes its bars of {group.bar_length}, for feed.timeframes has {made}: add them there"


def unread_markets(configuration: Configuration, programs: Collection[str]) -> list[Problem]:
    """Return a problem for each process that has no program, and for each symbol, book or bar that has no feed."""
    settings = configuration.settings
    found = {
        "feed.others": [
            *_feeds_without_a_program(settings, programs),
            *_first_feed_without_a_symbol(settings, programs),
        ],
        "feed.books": [*_books_of_nobody(settings)],
        "strategies.run": [
            *_strategies_without_a_program(settings, programs),
            *(
                f"entry {place}: {fault}"
                for place, group in enumerate(settings.strategies.groups, start=1)
                for fault in bars_of_nobody(group, settings)
            ),
        ],
    }
    return [Problem(configuration.origins[key], key, text) for key, texts in found.items() for text in texts]


def _feeds_without_a_program(settings: Settings, programs: Collection[str]) -> Iterator[str]:
    """Say who is not started here; one of another host has its sockets in `mesh.endpoints`."""
    elsewhere = {socket.partition(".")[0] for socket in settings.mesh.addresses}
    for feed in settings.feed.further:
        name = feed.instance
        if name not in programs and name not in elsewhere:
            yield (
                f"{name} has no program, so nobody reads {', '.join(feed.symbols)}: copy [program:{FIRST}] of "
                f"supervisord.conf as [program:{name}], with {name} behind its module, or take the entry out"
            )


def _strategies_without_a_program(settings: Settings, programs: Collection[str]) -> Iterator[str]:
    for group in settings.strategies.groups:
        if group.instance not in programs:
            yield (
                f"{group.instance} has no program, so nobody decides: copy [program:strategy] of supervisord.conf as "
                f"[program:{group.instance}], with {group.instance} behind its module, or take the entry out"
            )


def _first_feed_without_a_symbol(settings: Settings, programs: Collection[str]) -> Iterator[str]:
    if FIRST in programs and not symbols_of_first_feed(settings):
        yield (
            f"reads every symbol of venue.symbols, so that the feed called {FIRST} has none: leave it one, or take "
            f"[program:{FIRST}] out of supervisord.conf"
        )


def _books_of_nobody(settings: Settings) -> Iterator[str]:
    read = {*settings.venue.symbols, *(symbol for feed in settings.feed.further for symbol in feed.symbols)}
    for symbol in settings.feed.books:
        if symbol not in read:
            yield f"{symbol} is read by no feed: add it to venue.symbols or to an entry of feed.others, or take it out"
