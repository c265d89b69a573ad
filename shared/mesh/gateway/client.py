"""ccxt's client for one venue, set up so that it does what it is asked once, and nothing by itself.

Of ccxt the gateway uses what knows the venue's addresses, its paths and its signatures. What ccxt makes of an answer it
does not use, nor ccxt's rounding, markets, throttle, retries and names of orders: `classification.py` says why.
"""

import logging
import ssl
from collections.abc import Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import aiohttp

from shared.mesh.gateway.once import sent_once
from shared.mesh.gateway.venues.venue import Venue
from shared.mesh.lean_ccxt import ccxt
from shared.mesh.settings import Credentials

WINDOW_MS: Final = 5_000  # of what brings no window of its own: the subscription
REQUEST_MS_MAX: Final = 60_000  # beyond any patience of ours, which is what counts
KEPT_SECONDS: Final = 45.0  # longer than between two looks at the venue's clock: an order finds a connection standing

Exchange: TypeAlias = Any  # ccxt ships no types


def venue_client(venue: Venue, *, url: str, credentials: Credentials) -> Exchange:
    """Return the client, on the running loop; with a `url` everything is there, whatever host the venue has it on."""
    exchange = getattr(ccxt.pro, venue.ccxt_class)(
        {
            "apiKey": credentials.api_key.get_secret_value(),
            "secret": credentials.api_secret.get_secret_value(),
            # Its throttle waits before it signs, and its retries send an order again.
            "enableRateLimit": False,
            "timeout": REQUEST_MS_MAX,
            "options": {"maxRetriesOnFailure": 0, "recvWindow": WINDOW_MS},
        }
    )
    assert exchange.options["maxRetriesOnFailure"] == 0, "an order would be sent again"
    exchange.timeout_on_exit = 0  # milliseconds that `close` sleeps at its end, for sessions of an older aiohttp
    exchange.logger.setLevel(logging.WARNING)  # below it writes down headers, and so the key
    if url:
        exchange.urls = {"api": _moved(exchange.urls["api"], url.rstrip("/"))}
    exchange.ssl_context = ssl.create_default_context(cafile=exchange.cafile)
    exchange.own_session = False
    exchange.session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=exchange.ssl_context, keepalive_timeout=KEPT_SECONDS),
        middlewares=(sent_once,),
    )
    return exchange


async def hang_up(exchange: Exchange) -> None:
    """Let go of every socket."""
    session: aiohttp.ClientSession = exchange.session
    await session.close()
    await exchange.close()


def stream_address(exchange: Exchange, venue: Venue) -> str:
    """Return where the private stream is."""
    address = exchange.urls["api"]
    for step in venue.stream_address:
        address = address[step]
    return str(address)


def _moved(addresses: Mapping[str, object], url: str) -> dict[str, object]:
    """Return ccxt's addresses with our host in the place of all others, and their paths as they were."""
    moved: dict[str, object] = {}
    for name, address in addresses.items():
        if isinstance(address, Mapping):
            moved[name] = _moved(address, url)
            continue
        split = urlsplit(str(address))
        moved[name] = ("ws" + url.removeprefix("http") if split.scheme.startswith("ws") else url) + split.path
    return moved
