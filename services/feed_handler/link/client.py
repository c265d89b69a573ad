"""ccxt's client for one venue, set up so that it asks for nothing by itself, and nowhere else than it was told.

Of ccxt the link uses what knows the venue's addresses, sockets, keep-alives, markets, request weights and errors. What
it makes of market data, it does not: `connection.py` says why.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from services.feed_handler.link.pace import Pace
from services.feed_handler.venues.venue import Venue
from shared.mesh.lean_ccxt import ccxt

MS_PER_SECOND: Final = 1_000

Exchange: TypeAlias = Any  # ccxt ships no types


def venue_client(venue: Venue, *, url: str, pace: Pace) -> Exchange:
    """Return the client; with a `url` everything is there, whatever host the venue has it on."""
    exchange = getattr(ccxt.pro, venue.ccxt_class)(
        {
            "enableRateLimit": True,
            # The leaky bucket would hold up each book that is fetched by half a second.
            "rateLimiterAlgorithm": "rollingWindow",
            "timeout": int(pace.request_seconds * MS_PER_SECOND),
            "streaming": {"keepAlive": pace.keep_alive_ms, "connectionTimeout": pace.dial_seconds * MS_PER_SECOND},
            "options": {
                "fetchCurrencies": False,
                "fetchMargins": False,
                "fetchMarkets": {"types": [venue.market_type]},
            },
        }
    )
    exchange.timeout_on_exit = 0  # milliseconds that `close` sleeps at its end, for sessions of an older aiohttp
    if url:
        exchange.urls = {"api": _moved(exchange.urls["api"], url.rstrip("/"), venue)}
    return exchange


def _moved(addresses: Mapping[str, object], url: str, venue: Venue) -> dict[str, object]:
    """Return ccxt's addresses with our host in the place of all others, and their paths as they were."""
    moved: dict[str, object] = {}
    for name, address in addresses.items():
        if isinstance(address, Mapping):
            moved[name] = _moved(address, url, venue)
            continue
        path, scheme = urlsplit(str(address)).path, urlsplit(str(address)).scheme
        if not scheme.startswith("ws"):
            moved[name] = f"{url}{path}"
        else:
            moved[name] = "ws" + url.removeprefix("http") + (venue.stream_path if name == venue.market_type else path)
    return moved
