"""Which feed reads which symbols, and what is said to be read and would not be: without a word, at run time."""

from collections.abc import Collection, Iterator
from typing import Final

from shared.mesh.settings.loader import Configuration
from shared.mesh.settings.model import Settings
from shared.mesh.settings.problems import Problem

FIRST: Final = "feed"


def symbols_of_first_feed(settings: Settings) -> tuple[str, ...]:
    """Return what the feed called feed reads: what is traded, and no other reads there."""
    here = [feed.symbols for feed in settings.feed.further if feed.venue == settings.venue.name]
    elsewhere = {symbol for symbols in here for symbol in symbols}
    return tuple(symbol for symbol in settings.venue.symbols if symbol not in elsewhere)


def unread_markets(configuration: Configuration, programs: Collection[str]) -> list[Problem]:
    """Return a problem for each feed without a program or without a symbol, and for each book that no feed keeps."""
    settings = configuration.settings
    found = {
        "feed.others": [
            *_feeds_without_a_program(settings, programs),
            *_first_feed_without_a_symbol(settings, programs),
        ],
        "feed.books": [*_books_of_nobody(settings)],
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
